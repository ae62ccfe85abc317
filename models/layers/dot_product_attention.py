"""Scaled dot-product attention with several heads: Vaswani et al., Attention is all you need (2017), section 3.2.

    weights = softmax(Q K^T / sqrt(d) + bias)      each row: how much a query takes of each value
    output  = weights V

Queries, keys and values are split into heads of d features each, which attend independently; their outputs lie side by
side. The projections before and after belong to the networks, under the names that their references have.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import sqrt
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """Return (N, length, num_heads * d) as (N, num_heads, length, d)."""
    return x.reshape(*x.shape[:2], num_heads, -1).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """Return (N, num_heads, length, d) as (N, length, num_heads * d)."""
    return x.transpose(1, 2).flatten(2)


def causal_mask(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """Return which keys each query may attend to (queries, keys): those up to its own position.

    The queries are the last positions: with keys and values of earlier positions at hand, query i is at position
    keys - queries + i.
    """
    return torch.ones(queries, keys, dtype=torch.bool, device=device).tril(keys - queries)


def attention_weights(query: Tensor, key: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the weights (N, num_heads, queries, keys) of queries and keys (N, num_heads, length, d).

    Args:
        query: The queries.
        key: The keys.
        mask: Which keys each query attends to, as booleans, or numbers that are added to the scaled scores; it is
            broadcast to (N, num_heads, queries, keys).
    """
    scores = query @ key.transpose(2, 3) / sqrt(query.shape[3])
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(dim=3)


class DotProductAttention(nn.Module):
    """Attention of several heads, without projections. torch computes it in one fused operation.

    Args:
        num_heads: The number of heads, which divides the features.
        dropout: The probability of dropping a weight in training.
    """

    def __init__(self, num_heads: int, dropout: float = 0.0):
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout

    def forward(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None, is_causal: bool = False
    ) -> Tensor:
        """Return the outputs of all heads side by side (N, queries, features).

        Args:
            query: (N, queries, features).
            key: (N, keys, features).
            value: (N, keys, features).
            mask: As `attention_weights` reads it. With `is_causal`, it must be boolean.
            is_causal: Whether the queries, the last positions of the keys, attend to no later position.
        """
        mask, is_causal = _causal(mask, is_causal, query, key)
        output = F.scaled_dot_product_attention(
            split_heads(query, self.num_heads),
            split_heads(key, self.num_heads),
            split_heads(value, self.num_heads),
            attn_mask=mask,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=is_causal,
        )
        return merge_heads(output)

    def weights(self, query: Tensor, key: Tensor, mask: Tensor | None = None, is_causal: bool = False) -> Tensor:
        """Return the weights (N, num_heads, queries, keys) by which `forward` sums the values, without dropout."""
        if is_causal:
            causal = causal_mask(query.shape[1], key.shape[1], query.device)
            mask = causal if mask is None else mask & causal
        return attention_weights(split_heads(query, self.num_heads), split_heads(key, self.num_heads), mask)


def _causal(mask: Tensor | None, is_causal: bool, query: Tensor, key: Tensor) -> tuple[Tensor | None, bool]:
    """Return the mask and the flag that torch's operation takes, whose own flag knows one kind of mask only."""
    queries, keys = query.shape[1], key.shape[1]
    if not is_causal or queries == 1:  # the last position attends to all
        return mask, False
    if mask is None and queries == keys:
        return None, True
    causal = causal_mask(queries, keys, query.device)
    return causal if mask is None else mask & causal, False


@contextmanager
def recorded_attention(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Collect the weights of every attention of a network while it runs.

    Yields:
        A dictionary that each forward pass fills: name of the module -> weights (N, num_heads, queries, keys), in the
        order in which the modules run.
    """
    weights: dict[str, Tensor] = {}

    def record(name: str) -> Any:
        def hook(module: DotProductAttention, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            arguments = dict(zip(("query", "key", "value", "mask", "is_causal"), args, strict=False)) | kwargs
            del arguments["value"]
            weights[name] = module.weights(**arguments)

        return hook

    handles = [
        module.register_forward_pre_hook(record(name), with_kwargs=True)
        for name, module in network.named_modules()
        if isinstance(module, DotProductAttention)
    ]
    try:
        yield weights
    finally:
        for handle in handles:
            handle.remove()
