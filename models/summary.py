"""The summary of a network as plain data: a tree of layers that can be saved, drawn and counted without torch.

`models.cost` computes it. All counts follow these conventions:

    parameters    every element of `network.parameters()`, counted once: weights, biases, coefficients, frozen ones too
    MACs          multiply-accumulates of convolutions and matrix products, so of dense, recurrent and attention layers,
                  for one sample; norms, activations, pooling and sums are not counted, by convention
    FLOPs         2 * MACs: a multiplication and an addition
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

OPERATIONS = ("add", "multiply", "concatenate")  # merge branches; in lower case, because they are not modules


@dataclass
class Layer:
    """A module as it ran, or an operation that merges branches.

    Attributes:
        name: The module's full name, as in the state dict. For an operation, the name of its module and its own.
        type: The module's class, or one of `OPERATIONS`.
        detail: Kernel size, stride and the like, such as `3x3, stride 2`.
        output_shape: Without the batch dimension; empty if the module did not run.
        params: The module's own parameters, without those of its children.
        parameters: The names and shapes of these.
        macs: The module's own multiply-accumulates, without those of its children.
        inputs: Where its inputs come from: names of sibling layers, or `input` for the input of the parent.
        activations: Classes of the activation modules that are applied to its output, such as `ReLU`.
        is_activation: Whether this module is listed in the `activations` of another layer.
        children: The layers inside, in the order in which they ran.
    """

    name: str
    type: str
    detail: str = ""
    output_shape: list[int] = field(default_factory=list)
    params: int = 0
    parameters: dict[str, list[int]] = field(default_factory=dict)
    macs: int = 0
    inputs: list[str] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)
    is_activation: bool = False
    children: "list[Layer]" = field(default_factory=list)

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "Layer":
        """Return the layer that `dataclasses.asdict` turned into this dictionary."""
        return cls(**{**record, "children": [cls.from_dict(child) for child in record["children"]]})

    def walk(self) -> "Iterator[Layer]":
        """Yield this layer and all layers inside it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def total_params(self) -> int:
        """Parameters of this layer and all layers inside it."""
        return sum(layer.params for layer in self.walk())

    @property
    def total_macs(self) -> int:
        """Multiply-accumulates of this layer and all layers inside it."""
        return sum(layer.macs for layer in self.walk())

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of a table of layers, whose counts sum to the totals.

        They are the leaf modules in order, activations included, and any other module that has parameters or MACs of
        its own.
        """
        columns = ("name", "type", "output_shape", "params", "macs")
        return [
            {column: getattr(layer, column) for column in columns}
            for layer in self.walk()
            if layer.type not in OPERATIONS and (not layer.children or layer.params or layer.macs)
        ]


@dataclass
class ModelSummary:
    """A network of the registry with all its layers.

    Attributes:
        name: The network's name in the registry.
        preset: The preset that it was built with.
        input_shape: Shape of one sample, without the batch dimension.
        network: The network as a layer, whose name is empty.
    """

    name: str
    preset: str
    input_shape: list[int]
    network: Layer

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "ModelSummary":
        """Return the summary that `to_dict` turned into this dictionary."""
        return cls(**{**record, "network": Layer.from_dict(record["network"])})

    def to_dict(self) -> dict[str, Any]:
        """Return the summary as plain data."""
        return asdict(self)

    def table(self) -> dict[str, Any]:
        """Return the totals and the rows of the layers, as plain data."""
        macs = self.network.total_macs
        return dict(
            name=self.name,
            preset=self.preset,
            params=self.network.total_params,
            macs=macs,
            flops=2 * macs,
            input_shape=self.input_shape,
            output_shape=self.network.output_shape,
            layers=self.network.rows(),
        )
