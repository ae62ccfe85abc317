"""The values and gradients of a computation graph, computed by PyTorch from a description in plain data."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from quizzes.expressions.functions import FUNCTIONS


def _where(condition: torch.Tensor, value: torch.Tensor, otherwise: torch.Tensor) -> torch.Tensor:
    return torch.where(condition.bool(), value, otherwise)  # a condition of constants is the number 1 or 0


def _torch_operation(name: str) -> Callable[..., torch.Tensor]:
    """Return the operation of a dotted name, such as `torch.nn.functional.gelu`."""
    value: Any = torch
    for attribute in name.split(".")[1:]:
        value = getattr(value, attribute)
    operation: Callable[..., torch.Tensor] = value
    return operation


OPERATIONS: dict[str, Callable[..., torch.Tensor]] = {
    "neg": torch.neg,
    "+": torch.add,
    "-": torch.sub,
    "*": torch.mul,
    "/": torch.div,
    "^": torch.pow,
    "=": torch.eq,
    "!=": torch.ne,
    "<": torch.lt,
    "<=": torch.le,
    ">": torch.gt,
    ">=": torch.ge,
    "and": torch.logical_and,
    "or": torch.logical_or,
    "not": torch.logical_not,
    "where": _where,
    **{name: _torch_operation(row.torch) for name, row in FUNCTIONS.items()},
}


def gradients(nodes: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Build a graph in float64, and compute the gradients of its last node.

    Args:
        nodes: The nodes in forward order; the last one is the root. Each has its name (`node`) and its `kind`, and
            either an `operation` with the names of its `operands`, or the `value` of a leaf or a constant.

    Returns:
        Name -> {"value": its value, "gradient": the derivative of the root with respect to it}. Numbers that are not
        finite, and the gradients of constants and conditions, are None.
    """
    tensors: dict[str, torch.Tensor] = {}
    for node in nodes:
        if node["operation"]:
            tensor = OPERATIONS[node["operation"]](*(tensors[operand] for operand in node["operands"]))
            if tensor.requires_grad:
                tensor.retain_grad()
        else:
            tensor = torch.tensor(float(node["value"]), dtype=torch.float64, requires_grad=node["kind"] == "leaf")
        tensors[node["node"]] = tensor
    tensors[nodes[-1]["node"]].backward()
    return {name: {"value": _finite(tensor), "gradient": _gradient(tensor)} for name, tensor in tensors.items()}


def _gradient(tensor: torch.Tensor) -> float | None:
    if tensor.requires_grad and tensor.grad is None:
        return 0.0  # the root depends on it only through conditions
    return _finite(tensor.grad)


def _finite(tensor: torch.Tensor | None) -> float | None:
    return float(tensor.item()) if tensor is not None and math.isfinite(tensor.item()) else None
