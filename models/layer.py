"""What a network is made of, as plain data: a tree of layers that can be kept, drawn and counted without torch.

`models.cost` makes it. The conventions of all counts:

    parameters    weights, biases, coefficients: all that `network.parameters()` gives, each once, frozen ones too
    MACs          multiply-accumulates of convolutions and matrix products (so of dense, recurrent and attention layers
                  too), for one sample; norms, activations, pooling and sums are not counted, as is usual
    FLOPs         2 * MACs: a multiplication and an addition
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

OPERATIONS = ("add", "multiply", "concatenate")  # where branches meet: no modules, and so in lower case


@dataclass
class Layer:
    """A module as it ran, or an operation where branches met.

    Attributes:
        name: The module's full name, as in the state dict; an operation's is that of its module and its own.
        type: The module's class, or one of `OPERATIONS`.
        detail: Kernel, stride and the like, in words.
        output_shape: Without the batch; empty where the module didn't run as such.
        params: Parameters of its own, without its parts'.
        macs: Multiply-accumulates of its own, without its parts'.
        takes: Where its inputs come from: names of layers beside it, or `input` for what its module was given.
        then: Functions that its output goes through, such as `relu`.
        parts: The layers within, in the order in which they ran.
    """

    name: str
    type: str
    detail: str = ""
    output_shape: list[int] = field(default_factory=list)
    params: int = 0
    macs: int = 0
    takes: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)
    parts: "list[Layer]" = field(default_factory=list)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Layer":
        """The layer that `asdict` made plain data of."""
        return cls(**{**plain, "parts": [cls.from_plain(part) for part in plain["parts"]]})

    def walk(self) -> "Iterator[Layer]":
        """This layer and all within, in order."""
        yield self
        for part in self.parts:
            yield from part.walk()

    @property
    def total_params(self) -> int:
        return sum(layer.params for layer in self.walk())

    @property
    def total_macs(self) -> int:
        return sum(layer.macs for layer in self.walk())

    def rows(self) -> list[dict[str, Any]]:
        """The leaf modules, and those with parameters or MACs that are no part's; their sums are the totals."""
        columns = ("name", "type", "output_shape", "params", "macs")
        return [
            {column: getattr(layer, column) for column in columns}
            for layer in self.walk()
            if layer.type not in OPERATIONS and (not layer.parts or layer.params or layer.macs)
        ]


@dataclass
class Outline:
    """A network of the registry with all its layers.

    Attributes:
        network: The whole, as a layer without a name.
    """

    name: str
    preset: str
    input_shape: list[int]
    network: Layer

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "Outline":
        return cls(**{**plain, "network": Layer.from_plain(plain["network"])})

    def plain(self) -> dict[str, Any]:
        return asdict(self)

    def table(self) -> dict[str, Any]:
        """Totals and rows, as plain data."""
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
