"""The forward pass of several networks of one architecture at once.

One of the networks is traced. Its graph is then run with tensors that have a seed axis: dense layers become batched
matrix products, convolutions become grouped convolutions with a group for each seed, and operations on single elements
or channels don't change. Networks with other layers can't be converted.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

ELEMENTWISE = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU, nn.Softplus, nn.Identity)
POOLING = (nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d)
FUNCTIONS: dict[Any, str] = {  # function -> kind of operation
    F.relu: "elementwise",
    torch.relu: "elementwise",
    torch.sigmoid: "elementwise",
    torch.tanh: "elementwise",
    F.gelu: "elementwise",
    operator.mul: "elementwise",
    operator.add: "elementwise",
    F.max_pool2d: "pooling",
    F.avg_pool2d: "pooling",
    torch.flatten: "flatten",
}
METHODS = {"relu": "elementwise", "sigmoid": "elementwise", "tanh": "elementwise", "flatten": "flatten"}

# A tensor of features is (S, N, F), one of maps is (N, S, C, H, W): so neither needs a copy before its layer.
_graphs: "WeakKeyDictionary[nn.Module, fx.GraphModule | None]" = WeakKeyDictionary()


def is_convertible(network: nn.Module) -> bool:
    """Return whether a network consists of dense layers, convolutions, activations, pooling and flattening."""
    graph = _trace(network)
    return graph is not None and all(_is_convertible_node(graph, node) for node in graph.graph.nodes)


def forward_with_seed_axis(network: nn.Module, parameters: Mapping[str, Tensor], inputs: Tensor) -> Tensor:
    """Return the outputs (S, N, ...) of S networks.

    Args:
        network: One of them; `is_convertible` must be true of it.
        parameters: Name -> the parameters of all (S, ...).
        inputs: The inputs of all (S, N, ...).
    """
    graph = _trace(network)
    assert graph is not None
    outputs: Tensor = _SeedAxis(graph, parameters).run(inputs)
    return outputs


def _trace(network: nn.Module) -> fx.GraphModule | None:
    """Return the graph of a network; None if it can't be traced, because it depends on the values of tensors."""
    if network not in _graphs:
        try:
            _graphs[network] = fx.symbolic_trace(network)
        except Exception:  # whatever a network does that can't be traced
            _graphs[network] = None
    return _graphs[network]


def _is_convertible_node(graph: fx.GraphModule, node: fx.Node) -> bool:
    match node.op:
        case "placeholder" | "output":
            return True
        case "call_module":
            layer = graph.get_submodule(str(node.target))
            is_dropout = isinstance(layer, nn.modules.dropout._DropoutNd) and layer.p == 0
            return is_dropout or isinstance(layer, (nn.Linear, nn.Conv2d, nn.Flatten, *ELEMENTWISE, *POOLING))
        case "call_function":
            return node.target in FUNCTIONS
        case "call_method":
            return node.target in METHODS
    return False


class _SeedAxis(fx.Interpreter):
    """Runs a graph with tensors that have a seed axis."""

    def __init__(self, graph: fx.GraphModule, parameters: Mapping[str, Tensor]):
        super().__init__(graph)
        self._parameters = parameters

    def placeholder(self, target: Any, args: Any, kwargs: Any) -> Tensor:
        inputs: Tensor = super().placeholder(target, args, kwargs)
        return inputs.transpose(0, 1) if inputs.dim() == 5 else inputs

    def call_module(self, target: Any, args: Any, kwargs: Any) -> Tensor:
        layer, x = self.fetch_attr(target), args[0]
        match layer:
            case nn.Linear():
                return self._linear(target, x)
            case nn.Conv2d():
                return self._convolution(target, layer, x)
            case nn.Flatten():
                return _flatten(x)
        if isinstance(layer, POOLING):
            return _by_channel(layer, x)
        outputs: Tensor = layer(x)
        return outputs

    def call_function(self, target: Any, args: Any, kwargs: Any) -> Tensor:
        return self._apply(FUNCTIONS[target], target, args, kwargs)

    def call_method(self, target: Any, args: Any, kwargs: Any) -> Tensor:
        return self._apply(METHODS[target], getattr(Tensor, target), args, kwargs)

    def output(self, target: Any, args: Any, kwargs: Any) -> Tensor:
        outputs: Tensor = super().output(target, args, kwargs)
        return outputs.transpose(0, 1) if outputs.dim() == 5 else outputs

    def _apply(self, kind: str, function: Callable[..., Tensor], args: Any, kwargs: Any) -> Tensor:
        if kind == "elementwise":
            return function(*args, **kwargs)
        x, *rest = args
        if kind == "flatten":
            return _flatten(x)
        return _by_channel(lambda maps: function(maps, *rest, **kwargs), x)

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weight, bias = self._parameters[f"{name}.weight"], self._parameters.get(f"{name}.bias")
        if bias is None:
            return torch.bmm(x, weight.transpose(1, 2))
        return torch.baddbmm(bias[:, None], x, weight.transpose(1, 2))

    def _convolution(self, name: str, layer: nn.Conv2d, x: Tensor) -> Tensor:
        samples, seeds = x.shape[:2]
        weight, bias = self._parameters[f"{name}.weight"], self._parameters.get(f"{name}.bias")
        maps = x.reshape(samples, -1, *x.shape[3:])
        if layer.padding_mode != "zeros":
            maps = F.pad(maps, layer._reversed_padding_repeated_twice, mode=layer.padding_mode)
        padding = layer.padding if layer.padding_mode == "zeros" else 0
        outputs = F.conv2d(
            maps,
            weight.flatten(0, 1),
            None if bias is None else bias.flatten(),
            layer.stride,
            padding,
            layer.dilation,
            seeds * layer.groups,
        )
        return outputs.view(samples, seeds, -1, *outputs.shape[2:])


def _flatten(x: Tensor) -> Tensor:
    """Flatten each sample: (N, S, C, H, W) becomes (S, N, C*H*W); features are flat already."""
    return x.flatten(2).transpose(0, 1) if x.dim() == 5 else x


def _by_channel(function: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Apply a function of maps (N, C, H, W), which treats channels alike, to all seeds."""
    samples, seeds = x.shape[:2]
    outputs = function(x.reshape(samples, -1, *x.shape[3:]))
    return outputs.view(samples, seeds, -1, *outputs.shape[2:])
