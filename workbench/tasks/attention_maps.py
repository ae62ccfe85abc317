"""Attention of trained networks as matrices: one head of one layer, and attention rolled out through all layers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from workbench.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

# Fields of a question that choose a map -> what they mean.
QUESTIONS = {
    "layer": "the number of the layer, from 1; default: the last",
    "head": "the number of the head, from 1; default: the mean of all heads",
}


def select(weights: Mapping[str, "Tensor"], layer: int = 0, head: int = 0) -> "Tensor":
    """Return the weights (queries, keys) of one head for the first sample.

    Args:
        weights: Module -> weights (N, num_heads, queries, keys), as `recorded_attention` collects them.
        layer: The number of the layer, from 1; 0 for the last.
        head: The number of the head, from 1; 0 for the mean of all heads.

    Raises:
        UserError: If there is no such layer or head.
    """
    maps = list(weights.values())
    if not 0 <= layer <= len(maps):
        raise UserError(f"layer must be an integer from 1 to {len(maps)}, not {layer}.")
    heads = maps[layer - 1][0]
    if not 0 <= head <= len(heads):
        raise UserError(f"head must be an integer from 1 to {len(heads)}, not {head}.")
    return heads[head - 1] if head else heads.mean(dim=0)


def select_for(weights: Mapping[str, "Tensor"], question: Mapping[str, str]) -> "Tensor":
    """Return the weights (queries, keys) that the fields `layer` and `head` of a question choose.

    Raises:
        UserError: If one of them is not an integer, or there is no such layer or head.
    """
    return select(weights, *(_integer(question, name) for name in QUESTIONS))


def rollout(weights: Mapping[str, "Tensor"]) -> "Tensor":
    """Return how much each output of the last layer takes of each input (tokens, tokens), for the first sample.

    Abnar & Zuidema, Quantifying attention flow in transformers (2020): the heads are averaged, the residual connection
    counts as much as the attention, and the matrices of all layers are multiplied.
    """
    import torch

    total = None
    for heads in weights.values():
        mean = heads[0].mean(dim=0)
        layer = (mean + torch.eye(len(mean), dtype=mean.dtype, device=mean.device)) / 2
        total = layer if total is None else layer @ total
    if total is None:
        raise ValueError("there are no weights to roll out")
    return total


def _integer(question: Mapping[str, str], name: str) -> int:
    text = question.get(name, "").strip()
    try:
        return int(text) if text else 0
    except ValueError:
        raise UserError(f"{name} must be an integer, not {text[:40]!r}.") from None
