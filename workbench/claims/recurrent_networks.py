"""Sequences whose end depends on one of their steps, and small networks that learn them, for claims about memory."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor, nn

SYMBOLS = 8  # different tokens
HIDDEN = 32  # units of a layer
BATCH, TEST = 64, 1000  # sequences of an update, and of the test
LR = 0.01


def recall(distance: int, count: int, generator: "np.random.Generator") -> "tuple[Tensor, Tensor]":
    """Return random tokens (count, distance + 1), and as the target of each sequence its first token (count,)."""
    import torch

    tokens = torch.from_numpy(generator.integers(0, SYMBOLS, (count, distance + 1)))
    return tokens, tokens[:, 0]


def build(kind: str, distance: int) -> "nn.Module":
    """Return a network that reads tokens (N, distance + 1) and returns logits (N, 8) at their last step.

    Args:
        kind: `rnn`, `lstm` or `gru`, one layer; `cnn`, three causal convolutions with kernels of 3 steps, whose last
            output reads 7 steps; `attention`, one layer of self-attention with 4 heads and learned positions.
        distance: Steps between the first token and the last one.
    """
    import torch
    from torch import nn

    import models

    class LastStep(nn.Module):
        """The outputs of a network of the registry at the last step."""

        def __init__(self, network: nn.Module):
            super().__init__()
            self.network = network

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            outputs: torch.Tensor = self.network(tokens)[:, -1]
            return outputs

    class Attention(nn.Module):
        """Tokens and positions, one layer of attention whose query is the last step, and a dense layer."""

        def __init__(self) -> None:
            super().__init__()
            self.tokens, self.positions = nn.Embedding(SYMBOLS, HIDDEN), nn.Embedding(distance + 1, HIDDEN)
            self.attention = nn.MultiheadAttention(HIDDEN, 4, batch_first=True)
            self.head = nn.Linear(HIDDEN, SYMBOLS)

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            x = self.tokens(tokens) + self.positions.weight
            attended, _ = self.attention(x[:, -1:], x, x, need_weights=False)
            logits: torch.Tensor = self.head(x[:, -1] + attended[:, 0])
            return logits

    if kind == "attention":
        return Attention()
    sizes = dict(channels=HIDDEN, kernel_size=3, dilations=(1, 1, 1)) if kind == "cnn" else dict(hidden_size=HIDDEN)
    name = {"cnn": "cnn-1d"}.get(kind, kind)
    return LastStep(models.build(name, vocab_size=SYMBOLS, embedding_size=HIDDEN, **sizes))


def recall_accuracy(seed: int, *, network: str, distance: int, steps: int = 600) -> float:
    """Return the share of test sequences, in points, whose first token a network returns at their last step.

    It is trained by Adam on new sequences in each update, with the gradient's norm clipped at 1.

    Args:
        seed: Seed of the initial weights and of the sequences.
        network: As `kind` of `build`.
        distance: Steps between the first token and the last one; all tokens are random.
        steps: Updates.
    """
    import torch
    from torch.nn.functional import cross_entropy

    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    learner = build(network, distance)
    optimizer = torch.optim.Adam(learner.parameters(), lr=LR, fused=True)
    for _ in range(steps):
        tokens, target = recall(distance, BATCH, generator)
        optimizer.zero_grad()
        torch.autograd.backward(cross_entropy(learner(tokens), target))
        torch.nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
    tokens, target = recall(distance, TEST, generator)
    with torch.inference_mode():
        return 100 * float((learner(tokens).argmax(dim=1) == target).double().mean())
