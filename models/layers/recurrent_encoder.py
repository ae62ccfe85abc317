"""An encoder of padded texts: an embedding and recurrent layers, whose outputs and state ignore the padding."""

import torch
from torch import Tensor, nn

from models.layers.recurrent import CELLS, read
from models.layers.tokens import PAD

State = tuple[Tensor, ...]  # tensors whose first dimension is the sample, so that samples can be selected


def source_lengths(source: Tensor) -> Tensor:
    """Return the number of tokens (N,) of each source (N, length) before its padding; 1 if there are none."""
    return (source != PAD).sum(dim=1).clamp(min=1)


def source_mask(source: Tensor) -> Tensor:
    """Return which positions of sources (N, length) are tokens rather than padding."""
    return torch.arange(source.shape[1], device=source.device) < source_lengths(source)[:, None]


def reverse_within(x: Tensor, lengths: Tensor) -> Tensor:
    """Return texts (N, length) or vectors (N, length, features) in reverse order, with the padding still at the end."""
    positions = torch.arange(x.shape[1], device=x.device)
    reversed_positions = torch.where(positions < lengths[:, None], lengths[:, None] - 1 - positions, positions)
    return x[torch.arange(len(x), device=x.device)[:, None], reversed_positions]


def make_recurrent(cell: str, input_size: int, hidden_size: int, num_layers: int, bias: bool) -> nn.RNNBase:
    """Return recurrent layers by their name, `rnn`, `lstm` or `gru`.

    Raises:
        ValueError: If there is no such cell.
    """
    if cell not in CELLS:
        raise ValueError(f"cell must be {', '.join(CELLS)}, not {cell!r}")
    return CELLS[cell].fast(input_size, hidden_size, num_layers, bias=bias, batch_first=True)


def read_source(layers: nn.Module, x: Tensor, mask: Tensor) -> tuple[Tensor, State]:
    """Return the outputs (N, length, features) of recurrent layers, 0 at the padding, and their state after the text.

    Args:
        layers: The layers, batch first.
        x: Their inputs, (N, length, features).
        mask: Which inputs are tokens (N, length); without values (on the meta device), all are read.
    """
    outputs, state = read(layers, x, mask=None if mask.is_meta else mask)
    return outputs, sample_first(state)


def sample_first(state: Tensor | tuple[Tensor, ...]) -> State:
    """Return the state of torch's layers, (layers, N, hidden) each, with the sample first."""
    return tuple(part.transpose(0, 1) for part in (state if isinstance(state, tuple) else (state,)))


def layer_first(state: State) -> Tensor | tuple[Tensor, ...]:
    """Return a state as torch's layers take it: a pair for an LSTM, a tensor for a GRU."""
    parts = tuple(part.transpose(0, 1).contiguous() for part in state)
    return parts if len(parts) > 1 else parts[0]


class RecurrentEncoder(nn.Module):
    """An embedding, and recurrent layers over the tokens before the padding.

    Args:
        vocab_size: The number of tokens.
        embedding_size: Features of a token.
        hidden_size: Hidden units of each layer.
        num_layers: The number of layers.
        cell: `rnn`, `lstm` or `gru`.
        reverse: Whether the source is read from its end to its start.
        bias: Whether the layers have biases.
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        hidden_size: int,
        num_layers: int,
        cell: str,
        reverse: bool,
        bias: bool,
    ):
        super().__init__()
        self.reverse = reverse
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.layers = make_recurrent(cell, embedding_size, hidden_size, num_layers, bias)

    def forward(self, source: Tensor) -> tuple[Tensor, State]:
        """Return the outputs (N, length, hidden_size), one for each token of the source, and the final state."""
        lengths, mask = source_lengths(source), source_mask(source)
        if self.reverse:
            source = reverse_within(source, lengths)
        outputs, state = read_source(self.layers, self.embedding(source), mask)
        return reverse_within(outputs, lengths) if self.reverse else outputs, state
