"""Attention of a decoder to the outputs of an encoder: scores, their softmax without the padding, and the context."""

import torch
from torch import Tensor, nn


def masked_weights(scores: Tensor, mask: Tensor) -> Tensor:
    """Return attention weights (N, queries, keys) of scores: their softmax over the keys, 0 where a key is padding.

    Args:
        scores: (N, queries, keys).
        mask: Which keys are tokens (N, keys); at least one of each sample.
    """
    return scores.masked_fill(~mask[:, None], -torch.inf).softmax(dim=2)


class AdditiveScore(nn.Module):
    """The score v . tanh(W q + U k) of a query and a key: a small network with one hidden layer.

    W and U side by side are the one matrix that Luong et al. apply to the concatenation of query and key.

    Args:
        query_size: Features of a query.
        key_size: Features of a key.
        size: Hidden units.
    """

    def __init__(self, query_size: int, key_size: int, size: int):
        super().__init__()
        self.query = nn.Linear(query_size, size, bias=False)
        self.key = nn.Linear(key_size, size, bias=False)
        self.v = nn.Linear(size, 1, bias=False)

    def forward(self, queries: Tensor, projected_keys: Tensor) -> Tensor:
        """Return scores (N, queries, keys).

        Args:
            queries: (N, queries, query_size).
            projected_keys: U k for all keys (N, keys, size), which `key` computes once for all queries.
        """
        hidden = (self.query(queries)[:, :, None] + projected_keys[:, None]).tanh()
        scores: Tensor = self.v(hidden)[..., 0]
        return scores
