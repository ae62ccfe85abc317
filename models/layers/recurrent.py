"""Recurrent layers: the steps of an RNN, an LSTM and a GRU, and the layers that repeat them over a sequence.

A step of a layer reads the input x_t and the state of the step before. Its weights are W (blocks * hidden_size,
input_size) for the input, U (blocks * hidden_size, hidden_size) for the state, and a bias for each, as in PyTorch. The
products W x_t depend on no state, so they are computed for all steps at once; U h_{t-1} must wait for its step.

    cell   blocks          state   parameters of a layer
    rnn    1               h         h(d + h + 2)          d: features of its input
    lstm   4: i, f, g, o   h, c    4 h(d + h + 2)          h: hidden units
    gru    3: r, z, n      h       3 h(d + h + 2)

The equations are those of `models/sequences/rnn.py`, `lstm.py` and `gru.py`. `recurrent_layers` builds torch's own
layers, or these; they have the same state dict, the same initial weights from the same RNG state, and the same outputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

Vectors = tuple[Tensor, ...]  # the state of one layer in one direction, each (N, hidden_size); the output h comes first
# The state of all layers as torch has it: h, or h and c, each (layers * directions, N, hidden_size).
State = Tensor | tuple[Tensor, Tensor]


def rnn_step(wx: Tensor, state: Vectors, u: Tensor, b: Tensor) -> Vectors:
    """Return the state after one step of an RNN.

    Args:
        wx: W x_t and its bias (N, blocks * hidden_size).
        state: The state of the step before.
        u: The weights U of the state.
        b: Their bias.
    """
    (h,) = state
    return (torch.tanh(wx + F.linear(h, u, b)),)


def lstm_step(wx: Tensor, state: Vectors, u: Tensor, b: Tensor) -> Vectors:
    """Return the output and the cell after one step of an LSTM; arguments as for `rnn_step`."""
    h, c = state
    i, f, g, o = (wx + F.linear(h, u, b)).chunk(4, dim=1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * c + i * g
    return o * c.tanh(), c


def gru_step(wx: Tensor, state: Vectors, u: Tensor, b: Tensor) -> Vectors:
    """Return the state after one step of a GRU; arguments as for `rnn_step`."""
    (h,) = state
    r_x, z_x, n_x = wx.chunk(3, dim=1)
    r_h, z_h, n_h = F.linear(h, u, b).chunk(3, dim=1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()
    n = (n_x + r * n_h).tanh()  # the reset gate scales U h + b, not h
    return ((1 - z) * n + z * h,)


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent layer.

    Attributes:
        step: Computes one step.
        blocks: The number of gates and candidates, each with weights of its own.
        states: The number of vectors in its state.
        fast: PyTorch's layers of this kind.
    """

    step: Callable[[Tensor, Vectors, Tensor, Tensor], Vectors]
    blocks: int
    states: int
    fast: Callable[..., nn.RNNBase]


CELLS = dict(
    rnn=Cell(rnn_step, blocks=1, states=1, fast=nn.RNN),
    lstm=Cell(lstm_step, blocks=4, states=2, fast=nn.LSTM),
    gru=Cell(gru_step, blocks=3, states=1, fast=nn.GRU),
)


class RecurrentLayers(nn.Module):
    """Layers, each of which reads the outputs of the one below, step by step as the equations are.

    Args:
        cell: `rnn`, `lstm` or `gru`.
        input_size: Features of the input at a step.
        hidden_size: Hidden units of a layer in one direction.
        num_layers: The number of layers.
        dropout: Probability that an output is dropped on its way to the next layer in a training step.
        bidirectional: Whether a second layer reads each sequence from its end, so that outputs have twice as many
            features (Schuster, Paliwal, 1997).
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        dropout: float = 0.0,
        bidirectional: bool = False,
    ):
        super().__init__()
        self.cell, self.hidden_size, self.num_layers = CELLS[cell], hidden_size, num_layers
        self.directions = ("", "_reverse") if bidirectional else ("",)
        self.dropout = nn.Dropout(dropout)
        for layer in range(num_layers):
            features = input_size if layer == 0 else hidden_size * len(self.directions)
            shapes = {"weight_ih": (features,), "weight_hh": (hidden_size,), "bias_ih": (), "bias_hh": ()}
            for direction in self.directions:
                for name, shape in shapes.items():
                    weight = nn.Parameter(torch.empty(self.cell.blocks * hidden_size, *shape))
                    nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)
                    self.register_parameter(f"{name}_l{layer}{direction}", weight)

    def forward(self, x: Tensor, state: State | None = None, mask: Tensor | None = None) -> tuple[Tensor, State]:
        """Return the outputs (N, length, directions * hidden_size) of the last layer, and the last state.

        Args:
            x: The inputs (N, length, input_size).
            state: The state before the first step; 0 by default.
            mask: (N, length), True at the steps of a sequence and False at the padding after its end, where outputs
                are 0 and the state stays as it is. None if there is no padding.
        """
        count = self.num_layers * len(self.directions)
        if state is None:
            starts = [(x.new_zeros(len(x), self.hidden_size),) * self.cell.states] * count
        else:
            starts = list(zip(*((state,) if isinstance(state, Tensor) else state), strict=True))
        ends: list[Vectors] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in self.directions:
                output, end = self._read(x, starts[len(ends)], f"l{layer}{direction}", mask)
                outputs.append(output)
                ends.append(end)
            x = torch.cat(outputs, dim=2)
            if layer < self.num_layers - 1:
                x = self.dropout(x)
        h, *c = (torch.stack(vectors) for vectors in zip(*ends, strict=True))
        return x, (h, c[0]) if c else h

    def _read(self, x: Tensor, state: Vectors, suffix: str, mask: Tensor | None) -> tuple[Tensor, Vectors]:
        """Return the outputs of one layer in one direction, and its last state."""
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        w, u, b_w, b_u = (self.get_parameter(f"{name}_{suffix}") for name in names)
        steps = list(enumerate(F.linear(x, w, b_w).unbind(dim=1)))
        outputs = [x.new_empty(0)] * len(steps)
        for t, wx in reversed(steps) if suffix.endswith("_reverse") else steps:
            after = self.cell.step(wx, state, u, b_u)
            if mask is not None:
                is_step = mask[:, t, None]
                after = tuple(torch.where(is_step, new, old) for new, old in zip(after, state, strict=True))
            outputs[t], state = after[0], after
        output = torch.stack(outputs, dim=1)
        return output if mask is None else output.masked_fill(~mask[:, :, None], 0.0), state


def recurrent_layers(
    cell: str,
    input_size: int,
    hidden_size: int,
    num_layers: int = 1,
    dropout: float = 0.0,
    bidirectional: bool = False,
    fast: bool = True,
) -> nn.Module:
    """Return torch's own layers (`fast`), or those that are written here; other arguments as for `RecurrentLayers`.

    Raises:
        ValueError: If there is no such cell, or a size is below 1.
    """
    if cell not in CELLS:
        raise ValueError(f"cell must be {', '.join(CELLS)}")
    if min(input_size, hidden_size, num_layers) < 1:
        raise ValueError("the sizes of recurrent layers must be 1 or more")
    between = dropout if num_layers > 1 else 0.0  # torch warns of a dropout that has no effect
    if not fast:
        return RecurrentLayers(cell, input_size, hidden_size, num_layers, between, bidirectional)
    return CELLS[cell].fast(
        input_size, hidden_size, num_layers, dropout=between, batch_first=True, bidirectional=bidirectional
    )


def read(layers: nn.Module, x: Tensor, state: State | None = None, mask: Tensor | None = None) -> tuple[Tensor, State]:
    """Return the outputs and the last state of layers that `recurrent_layers` built, as `RecurrentLayers.forward`.

    PyTorch's layers read a padded batch as a packed sequence: its mask must be True at the first steps of each
    sequence, at least one, and False after them.
    """
    outputs: Tensor
    if isinstance(layers, RecurrentLayers):
        outputs, last = layers(x, state, mask)
    elif mask is None:
        outputs, last = layers(x, state)
    else:
        packed = pack_padded_sequence(x, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False)
        packed_outputs, last = layers(packed, state)
        outputs, _ = pad_packed_sequence(packed_outputs, batch_first=True, total_length=x.shape[1])
    return outputs, last
