"""What a network costs: its layers with their shapes, parameters and multiply-accumulates, without computing anything.

The network is built on torch's meta device, where tensors have shapes and no numbers, and runs there once: hooks see
which module runs and what comes out of it, and a dispatch mode sees every operation beneath, so that products count
wherever they stand, in a module's own code too. What the counts mean stands in `models.layer`.

    python -P -m models.cost resnet50 paper        prints the outline as one JSON value
"""

import gc
import json
import sys
from collections.abc import Iterable
from math import prod
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

import models
from models.layer import Layer, Outline

JOINS = {"add": "add", "add_": "add", "mul": "multiply", "mul_": "multiply", "cat": "concatenate"}
BENDS = {"relu", "tanh", "sigmoid", "gelu", "silu", "elu", "leaky_relu", "hardtanh", "hardswish", "hardsigmoid"}


def outline(name: str, preset: str = "paper", **overrides: Any) -> Outline:
    """The layers of a network of the registry.

    Raises:
        UserError: There is no such name, preset or argument, or the argument can't be.
    """
    with torch.device("meta"), Unfilled():
        network = models.build(name, preset, **overrides)
    shape: Any = network.input_shape
    return Outline(name, preset, list(shape), trace(network))


def trace(network: nn.Module, *inputs: Tensor) -> Layer:
    """Run a network once, and note every layer.

    Args:
        network: On the meta device, or else it computes in earnest.
        *inputs: What it takes; one sample of its `input_shape` if left out.
    """
    if not inputs:
        shape: Any = network.input_shape
        inputs = (torch.zeros(1, *shape, device=next(network.parameters()).device),)
    mode = {module: module.training for module in network.modules()}
    network.eval()
    watch = Watch(network)
    hooks = []
    for module in network.modules():
        if not does_nothing(module):
            hooks.append(module.register_forward_pre_hook(watch.enter, with_kwargs=True))
            hooks.append(module.register_forward_hook(watch.leave))
    try:
        with torch.no_grad(), watch:
            network(*inputs)
    finally:
        for hook in hooks:
            hook.remove()
        for module, training in mode.items():
            module.training = training
    watch.add_the_rest()
    return watch.layers[network]


class Unfilled(TorchDispatchMode):
    """Leaves first weights undrawn: meta tensors hold no numbers, and drawing none takes its time all the same."""

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        if func.overloadpacket.__name__ in ("uniform_", "normal_", "fill_", "zero_"):
            return args[0]
        return func(*args, **(kwargs or {}))


class Watch(TorchDispatchMode):
    """Notes modules as they are entered and left, and the operations in between.

    Attributes:
        layers: Module -> its layer; a module that runs again adds to the same.
    """

    def __init__(self, network: nn.Module):
        super().__init__()
        self.network = network
        self.names = {module: name for name, module in network.named_modules()}
        self.layers: dict[nn.Module, Layer] = {}
        self._running: list[Layer] = []
        # For each running module: tensor -> where it comes from, as that module's own code sees it.
        self._sources: list[dict[int, str]] = []
        self._kept: list[Tensor] = []  # an id is only a tensor's own while the tensor lives
        self._counted: set[nn.Parameter] = set()  # a weight that two modules share belongs to the first

    def enter(self, module: nn.Module, args: tuple, kwargs: dict) -> None:
        given = tensors([args, kwargs])
        layer = self.layers.get(module)
        if layer is None:
            layer = self._made(module)
            if self._running:
                layer.takes = self._from(given)
                self._running[-1].parts.append(layer)
        self._running.append(layer)
        self._sources.append(dict.fromkeys(map(id, given), "input"))
        self._kept += given

    def leave(self, module: nn.Module, args: tuple, output: Any) -> None:
        layer, made = self._running.pop(), tensors(output)
        self._sources.pop()
        layer.output_shape = layer.output_shape or (list(made[0].shape[1:]) if made else [])
        if self._running:
            self._note(made, within(self._running[-1], layer))

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: dict | None = None) -> Any:
        output = func(*args, **(kwargs or {}))
        if self._running:
            operation, taken = func.overloadpacket.__name__, tensors(args)
            layer, sources = self._running[-1], self._sources[-1]
            layer.macs += macs(operation, args, output)
            known = self._from(taken)
            if operation in JOINS and len(known) > 1 and layer.parts:
                sources.pop(id(output), None)  # of a sum in place
                self._note([output], self._join(layer, JOINS[operation], list(output.shape[1:]), known))
            elif known:
                if operation.rstrip("_") in BENDS:
                    bent = [part for part in layer.parts if within(layer, part) == known[0]]
                    for part in bent[-1:]:
                        part.then = [*part.then, operation.rstrip("_")]
                self._note(tensors(output), known[0])
        return output

    @staticmethod
    def _join(layer: Layer, kind: str, shape: list[int], known: list[str]) -> str:
        """Add an operation to a layer; its name there: `add`, and the next `add2`."""
        before = sum(part.type == kind for part in layer.parts)
        name = f"{kind}{before + 1}" if before else kind
        layer.parts.append(Layer(f"{layer.name}.{name}".lstrip("."), kind, output_shape=shape, takes=known))
        return name

    def add_the_rest(self) -> None:
        """Modules with parameters that didn't run as such: an auxiliary head, or weights that another module uses."""
        for module, name in self.names.items():
            if module not in self.layers and any(True for _ in module.parameters(recurse=False)):
                layer = self._made(module)
                owner = name
                while owner:
                    owner = owner.rpartition(".")[0]
                    above = self.layers.get(self.network.get_submodule(owner))
                    if above:
                        above.parts.append(layer)
                        break

    def _made(self, module: nn.Module) -> Layer:
        own = set(module.parameters(recurse=False)) - self._counted
        self._counted |= own
        params = sum(weight.numel() for weight in own)
        layer = Layer(self.names[module], type(module).__name__, detail(module), params=params)
        self.layers[module] = layer
        return layer

    def _from(self, taken: Iterable[Tensor]) -> list[str]:
        """The different places where tensors come from, in the running module's own words."""
        sources = self._sources[-1] if self._sources else {}
        return list(dict.fromkeys(sources[id(tensor)] for tensor in taken if id(tensor) in sources))

    def _note(self, made: list[Tensor], source: str) -> None:
        if self._sources:
            for tensor in made:
                self._sources[-1].setdefault(id(tensor), source)
            self._kept += made


def macs(operation: str, args: tuple, output: Any) -> int:
    """Multiply-accumulates of one operation of torch's core; 0 where it is none that is counted."""
    if operation == "convolution":
        x, weight, transposed = args[0], args[1], args[6]
        # Each number that comes out (of a transposed one: that goes in) meets one filter: (channels / groups) x kernel.
        return (x if transposed else output).numel() * prod(weight.shape[1:])
    if operation in ("mm", "bmm"):
        return output.numel() * args[0].shape[-1]
    if operation in ("addmm", "baddbmm"):
        return output.numel() * args[1].shape[-1]
    return 0


def tensors(value: Any) -> list[Tensor]:
    """All tensors in tuples, lists and dictionaries, in order."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return []
    return [tensor for one in value for tensor in tensors(one)]


def does_nothing(module: nn.Module) -> bool:
    """Whether a module only stands in for one that an option switches on."""
    return isinstance(module, nn.Identity) or getattr(module, "p", None) == 0


def detail(module: nn.Module) -> str:
    """A module's kernel and how it is moved, in words: `3x3, stride 2`."""
    if not (kernel := getattr(module, "kernel_size", None)):
        return ""
    words = ["x".join(map(str, kernel)) if isinstance(kernel, tuple) else f"{kernel}x{kernel}"]
    for word in ("stride", "dilation"):
        steps = getattr(module, word, 1)
        step = steps[0] if isinstance(steps, tuple) else steps
        if step != 1:
            words.append(f"{word} {step}")
    if getattr(module, "groups", 1) != 1:
        words.append(f"{module.groups} groups")
    return ", ".join(words)


def within(outer: Layer, inner: Layer) -> str:
    """A layer's name as the layer around it knows it."""
    return inner.name.removeprefix(f"{outer.name}.")


def main() -> None:
    """Print the outline of the network that the command line names."""
    # Torch's kernels for meta tensors ask the compiler to leave them alone, and so would import it, which takes half as
    # long again as torch itself. Nothing is compiled here: a stand-in will do.
    compiler: Any = ModuleType("torch._dynamo")
    compiler.disable = lambda function, *_, **__: function
    sys.modules["torch._dynamo"] = torch._dynamo = compiler
    print(json.dumps(outline(*sys.argv[1:3]).plain()))
    gc.freeze()  # the process ends: to look for garbage among all that torch is made of would take half a second


if __name__ == "__main__":
    main()
