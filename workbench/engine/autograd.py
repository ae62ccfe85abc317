"""PyTorch's way through a computation graph: each node comes as plain data, and is a tensor that keeps its gradient."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F

OPERATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "neg": torch.neg,
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "^": torch.pow,
    "sqrt": torch.sqrt,
    "exp": torch.exp,
    "ln": torch.log,
    "log2": torch.log2,
    "log10": torch.log10,
    "sin": torch.sin,
    "cos": torch.cos,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "relu": torch.relu,
    "abs": torch.abs,
    "max": torch.maximum,
    "min": torch.minimum,
}


def gradients(nodes: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Build the graph in float64, tensor by tensor, and go back through it from the last node.

    Args:
        nodes: In forward order, each with its name (`node`), its `kind`, and either its `operation` with the names of
            its `operands`, or, of a leaf or a constant, its `value`. The last one is the root.

    Returns:
        node -> {"value": its value, "gradient": the root's derivative by it}; None where that is no finite number, and
        for a constant, which takes no gradient.
    """
    tensors: dict[str, torch.Tensor] = {}
    for node in nodes:
        if node["operation"]:
            tensor = OPERATIONS[node["operation"]](*(tensors[operand] for operand in node["operands"]))
            tensor.retain_grad()
        else:
            tensor = torch.tensor(float(node["value"]), dtype=torch.float64, requires_grad=node["kind"] == "leaf")
        tensors[node["node"]] = tensor
    tensors[nodes[-1]["node"]].backward()
    return {name: {"value": _finite(tensor), "gradient": _finite(tensor.grad)} for name, tensor in tensors.items()}


def _finite(tensor: torch.Tensor | None) -> float | None:
    return tensor.item() if tensor is not None and math.isfinite(tensor.item()) else None
