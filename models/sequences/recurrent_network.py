"""The network around recurrent layers: it reads tokens or values step by step, and returns outputs at each step."""

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.layers.recurrent import State, read, recurrent_layers


class RecurrentNetwork(nn.Module):
    """An embedding, recurrent layers, and a dense layer that returns outputs for each step.

    It reads tokens, and returns the logits of each next token: a language model. With `in_features`, it reads values
    instead, which need no embedding, and returns `out_features` values for each step.

    Args:
        vocab_size: The number of different tokens.
        embedding_size: Features of a token.
        hidden_size: Hidden units of each layer.
        num_layers: The number of layers.
        dropout: Probability that an output of a layer is dropped in a training step, on its way up but not in time
            (Zaremba et al., 2014).
        fast: Whether torch's own layers compute; otherwise the equations as they are written in `recurrent.py`. Both
            have the same initial weights, state dict and outputs.
        in_features: Values at a step; 0 if the network reads tokens.
        out_features: Outputs at a step of a network that reads values.
        steps: Steps of the example inputs, which are also those of a window of a text, and of sequences that are made
            by code. The network reads sequences of any length.

    Attributes:
        cell: The kind of its layers, which is also their name in the state dict.
    """

    cell: ClassVar[str]

    def __init__(
        self,
        vocab_size: int = 96,
        embedding_size: int = 128,
        hidden_size: int = 256,
        num_layers: int = 1,
        dropout: float = 0.0,
        fast: bool = True,
        in_features: int = 0,
        out_features: int = 1,
        steps: int = 64,
    ):
        super().__init__()
        if min(vocab_size, embedding_size, hidden_size, num_layers, out_features, steps) < 1:
            raise ValueError(
                "vocab_size, embedding_size, hidden_size, num_layers, out_features and steps must be 1 or more"
            )
        self.steps, self.in_features = steps, in_features
        if not in_features:
            self.embedding = nn.Embedding(vocab_size, embedding_size)
        layers = recurrent_layers(self.cell, in_features or embedding_size, hidden_size, num_layers, dropout, fast=fast)
        self.add_module(self.cell, layers)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, out_features if in_features else vocab_size)

    @property
    def layers(self) -> nn.Module:
        """The recurrent layers."""
        return self.get_submodule(self.cell)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return tokens (batch_size, steps), or values (batch_size, steps, in_features), all 0."""
        device = self.head.weight.device
        if self.in_features:
            return (torch.zeros(batch_size, self.steps, self.in_features, device=device),)
        return (torch.zeros(batch_size, self.steps, dtype=torch.int64, device=device),)

    def forward(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return the logits of each next token (N, length, vocab_size), or values (N, length, out_features).

        Args:
            inputs: Tokens (N, length), or values (N, length, in_features).
            mask: (N, length), False at the padding after the end of a sequence; None if there is none.
        """
        x = inputs if self.in_features else self.embedding(inputs)
        outputs, _ = read(self.layers, x, mask=mask)
        result: Tensor = self.head(self.dropout(outputs))
        return result

    def step(self, token: Tensor, cache: State | None = None) -> tuple[Tensor, State]:
        """Return the logits (N, vocab_size) of the next token and the new cache, after one more token (N,).

        Args:
            token: The token that comes next.
            cache: What the call before returned; None at the start of a text.
        """
        outputs, cache = read(self.layers, self.embedding(token[:, None]), cache)
        return self.head(self.dropout(outputs[:, 0])), cache

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torch's own layers of the same kind and sizes into the recurrent layers."""
        self.layers.load_state_dict(state_dict)
