"""The cost of a network: its layers with their shapes, parameters and multiply-accumulates, found without computing.

The network is built on torch's meta device, where tensors have shapes but no values, and runs there once. Hooks see
which module runs and what it outputs. A dispatch mode sees every operation of torch's core, so that matrix products
count wherever they are computed, also in a module's own code. `models.summary` defines the counts.

    python -P -m models.cost resnet50 paper        prints the summary as one JSON value
"""

import gc
import json
import sys
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import models
from models.startup import skip_compiler
from models.summary import Layer, ModelSummary
from models.tracing import example_inputs, hooked

# Operations that merge branches -> their name as a layer.
MERGES = {"add": "add", "add_": "add", "mul": "multiply", "mul_": "multiply", "cat": "concatenate"}
# Modules that are listed with the layer whose output they are applied to.
ACTIVATIONS = (
    *(nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU),
    *(nn.Sigmoid, nn.Tanh, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh),
)

# Operations that compute attention or all steps of recurrent layers at once, on single devices.
ATTENTION = "_scaled_dot_product_"
# Operation -> its weights, of its arguments.
RECURRENT: dict[str, Callable[[tuple[Any, ...]], list[Tensor]]] = {
    "mkldnn_rnn_layer": lambda args: list(args[1:3]),  # one layer of an LSTM, in one direction; on CPUs
    "_cudnn_rnn": lambda args: args[1],  # all layers; on NVIDIA's GPUs
    "miopen_rnn": lambda args: args[1],  # on AMD's
    "_lstm_mps": lambda args: args[2],  # on Apple's
}


def summarize(name: str, preset: str = "paper", **overrides: Any) -> ModelSummary:
    """Return the layers of a network of the registry.

    Raises:
        UserError: If there is no such name, preset or argument, or the argument has an invalid value.
    """
    with torch.device("meta"), SkipInit():
        network = models.build(name, preset, **overrides)
    inputs = example_inputs(network)
    return ModelSummary(name, preset, list(inputs[0].shape[1:]), trace(network, *inputs))


def trace(network: nn.Module, *inputs: Tensor) -> Layer:
    """Run a network once in evaluation mode and return its layers.

    Args:
        network: The network. On any other device than the meta device, all values are computed.
        *inputs: Its inputs. By default one sample, `example_inputs`.
    """
    inputs = inputs or example_inputs(network)
    modes = {module: module.training for module in network.modules()}
    # The fast path of torch's Transformer layers is one operation that hides the modules inside.
    fast_path = torch.backends.mha.get_fastpath_enabled()
    network.eval()
    tracer = ModuleTracer(network)
    try:
        torch.backends.mha.set_fastpath_enabled(False)
        with hooked(network, after=tracer.leave, before=tracer.enter), torch.no_grad(), tracer:
            network(*inputs)
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        for module, training in modes.items():
            module.training = training
    tracer.add_unvisited_modules()
    return tracer.layers[network]


class SkipInit(TorchDispatchMode):
    """A mode in which weights are not initialized: on the meta device that has no effect, but takes its time."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch's modes have no annotations

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func.overloadpacket.__name__ in ("uniform_", "normal_", "fill_", "zero_"):
            return args[0]
        return func(*args, **(kwargs or {}))


class ModuleTracer(TorchDispatchMode):
    """A mode that records the modules of a network as they run, and the operations between them.

    Attributes:
        layers: Module -> its layer. A module that runs again adds its MACs to the same layer.
    """

    def __init__(self, network: nn.Module):
        super().__init__()  # type: ignore[no-untyped-call]
        self.network = network
        self.layers: dict[nn.Module, Layer] = {}
        self._running: list[Layer] = []
        # For each running module: id of a tensor -> the child that it comes from, or "input".
        self._sources: list[dict[int, str]] = []
        self._tensors: list[Tensor] = []  # kept alive, because ids of freed tensors are used again
        self._counted: set[nn.Parameter] = set()  # a parameter that two modules share belongs to the first

    def enter(self, name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Begin the layer of a module that is about to run."""
        if is_identity(module):
            return
        inputs = tensors_in([args, kwargs])
        layer = self.layers.get(module)
        if layer is None:
            layer = self._add_layer(name, module)
            if self._running:
                layer.inputs = self._sources_of(inputs)
                self._running[-1].children.append(layer)
        self._running.append(layer)
        self._sources.append(dict.fromkeys(map(id, inputs), "input"))
        self._tensors += inputs

    def leave(self, name: str, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Complete the layer of a module that ran."""
        if is_identity(module):
            return
        layer, outputs = self._running.pop(), tensors_in(output)
        self._sources.pop()
        layer.output_shape = layer.output_shape or (list(outputs[0].shape[1:]) if outputs else [])
        if not self._running:
            return
        source = relative_name(self._running[-1], layer)
        if isinstance(module, ACTIVATIONS):
            input_sources = self._sources_of(tensors_in(args))
            for producer in self._running[-1].children:
                if [relative_name(self._running[-1], producer)] == input_sources:
                    if layer.type not in producer.activations:  # it is, if the parent runs again
                        producer.activations.append(layer.type)
                    layer.is_activation = True
                    source = input_sources[0]
        self._set_source(outputs, source)

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        output = func(*args, **(kwargs or {}))
        if self._running:
            operation, layer = func.overloadpacket.__name__, self._running[-1]
            layer.macs += count_macs(operation, args, output)
            sources = self._sources_of(tensors_in(args))
            if operation in MERGES and len(sources) > 1 and layer.children:
                merged = self._add_operation(layer, MERGES[operation], list(output.shape[1:]), sources)
                self._set_source([output], merged)
            elif sources:
                self._set_source(tensors_in(output), sources[0])
        return output

    @staticmethod
    def _add_operation(layer: Layer, kind: str, shape: list[int], inputs: list[str]) -> str:
        """Add an operation to a layer and return its name there: `add`, the next time `add2`."""
        count = sum(child.type == kind for child in layer.children)
        name = f"{kind}{count + 1}" if count else kind
        layer.children.append(Layer(f"{layer.name}.{name}".lstrip("."), kind, output_shape=shape, inputs=inputs))
        return name

    def add_unvisited_modules(self) -> None:
        """Add modules with parameters that did not run, such as an auxiliary classifier."""
        for name, module in self.network.named_modules():
            if module not in self.layers and any(True for _ in module.parameters(recurse=False)):
                layer = self._add_layer(name, module)
                ancestor = name
                while ancestor:
                    ancestor = ancestor.rpartition(".")[0]
                    above = self.layers.get(self.network.get_submodule(ancestor))
                    if above:
                        above.children.append(layer)
                        break

    def _add_layer(self, name: str, module: nn.Module) -> Layer:
        parameters = {
            own_name: parameter
            for own_name, parameter in module.named_parameters(recurse=False)
            if parameter not in self._counted
        }
        self._counted |= set(parameters.values())
        layer = Layer(
            name,
            type(module).__name__,
            detail(module),
            params=sum(parameter.numel() for parameter in parameters.values()),
            parameters={own_name: list(parameter.shape) for own_name, parameter in parameters.items()},
        )
        self.layers[module] = layer
        return layer

    def _sources_of(self, tensors: Iterable[Tensor]) -> list[str]:
        """Return where tensors come from, each source once: children of the running module, or `input`."""
        sources = self._sources[-1] if self._sources else {}
        return list(dict.fromkeys(sources[id(tensor)] for tensor in tensors if id(tensor) in sources))

    def _set_source(self, tensors: list[Tensor], source: str) -> None:
        if self._sources:
            self._sources[-1] |= dict.fromkeys(map(id, tensors), source)
            self._tensors += tensors


def count_macs(operation: str, args: tuple[Any, ...], output: Any) -> int:
    """Return the multiply-accumulates of an operation of torch's core; 0 for operations that are not counted."""
    if operation == "convolution":
        x, weight, transposed = args[0], args[1], args[6]
        # One product per weight of a filter, (in_channels / groups) x kernel, and element of the output; for a
        # transposed convolution, per element of the input.
        count: int = (x if transposed else output).numel() * prod(weight.shape[1:])
        return count
    if operation in ("mm", "bmm", "addmm", "baddbmm"):
        factor: Tensor = args[1] if operation in ("addmm", "baddbmm") else args[0]
        return int(output.numel() * factor.shape[-1])
    if operation in RECURRENT:
        # Every weight of every layer is used once at each position of each sequence; biases are vectors.
        x, weights = args[0], RECURRENT[operation](args)
        return int(x.numel() // x.shape[-1] * sum(weight.numel() for weight in weights if weight.dim() == 2))
    if operation.startswith(ATTENTION):
        query, key, value = args[:3]  # (batch, heads, positions, features of a head)
        scores = query.numel() // query.shape[-1] * key.shape[-2]
        return int(scores * (query.shape[-1] + value.shape[-1]))
    return 0


def tensors_in(value: Any) -> list[Tensor]:
    """Return all tensors in nested tuples, lists and dictionaries, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for item in value for tensor in tensors_in(item)]


def is_identity(module: nn.Module) -> bool:
    """Return whether a module is a no-op placeholder for a disabled option, such as `nn.Dropout(p=0)`."""
    return isinstance(module, nn.Identity) or getattr(module, "p", None) == 0


def detail(module: nn.Module) -> str:
    """Return a module's kernel size, stride, dilation and groups, such as `3x3, stride 2`."""
    if not (kernel_size := getattr(module, "kernel_size", None)):
        return ""
    words = ["x".join(map(str, kernel_size)) if isinstance(kernel_size, tuple) else f"{kernel_size}x{kernel_size}"]
    for word in ("stride", "dilation"):
        value = getattr(module, word, 1)
        first = value[0] if isinstance(value, tuple) else value
        if first != 1:
            words.append(f"{word} {first}")
    if getattr(module, "groups", 1) != 1:
        words.append(f"{module.groups} groups")
    return ", ".join(words)


def relative_name(outer: Layer, inner: Layer) -> str:
    """Return the name of a layer as the layer around it has it."""
    return inner.name.removeprefix(f"{outer.name}.")


def main() -> None:
    """Print the summary of the network that the command line names."""
    skip_compiler()
    print(json.dumps(summarize(*sys.argv[1:3]).to_dict()))
    gc.freeze()  # the process ends: a last garbage collection of everything in torch would take half a second


if __name__ == "__main__":
    main()
