"""The LSTM: Hochreiter, Schmidhuber, Long short-term memory, Neural Computation 9(8) (1997).

A memory cell c is changed only by a gated sum, so that its gradient can pass many steps without vanishing; gates that
the network learns decide what is written to it, what is kept and what is read. The forget gate was added by Gers,
Schmidhuber, Cummins, Learning to forget, Neural Computation 12(10) (2000).

With the input x_t and the output h_{t-1} and cell c_{t-1} of the step before, all vectors, a step of a layer is

    i = sigmoid(W_i x_t + U_i h_{t-1} + b_i)    input gate: how much of g is written
    f = sigmoid(W_f x_t + U_f h_{t-1} + b_f)    forget gate: how much of the old cell is kept
    g =    tanh(W_g x_t + U_g h_{t-1} + b_g)    what can be written
    o = sigmoid(W_o x_t + U_o h_{t-1} + b_o)    output gate: how much of the cell is read
    c_t = f * c_{t-1} + i * g
    h_t = o * tanh(c_t)

Here it is a language model: it reads a text token by token and predicts each next token. The paper preset has the
conventional sizes 128 and 256. A window of 64 tokens of a vocabulary of 96:

    layer        output    parameters
    tokens       64
    embedding    64x128    96*128                           =  12,288
    lstm         64x256    4*(128*256 + 256*256 + 2*256)    = 395,264
    head         64x96     256*96 + 96                      =  24,672
                                                     total    432,224

The recurrent layer computes 4*(128*256 + 256*256) = 393,216 multiply-accumulates per token.

Differences from the papers: each cell has its own gates, whereas theirs share the gates of a block; input and output
are squashed by tanh; the gradient is that of the whole window, whereas theirs is truncated. The state dict, the
order of the gates (i, f, g, o) and the initial weights are those of `torch.nn.LSTM`, which has two biases where the
equations have one. Dropout between layers and before the head (Zaremba et al., 2014) is off by default.

The mini has an embedding of 64 and 192 hidden units.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LENGTH = 64  # of the example inputs; a window may have any length
State = tuple[Tensor, Tensor]  # h and c of all layers, each (layers, N, hidden_size)


def lstm_step(x: Tensor, h: Tensor, c: Tensor, weights: tuple[Tensor, ...]) -> State:
    """Return the output and the cell after one step of a layer, both (N, hidden_size).

    Args:
        x: The layer's input at this step, (N, input_size).
        h: Its output of the step before, (N, hidden_size).
        c: Its cell, (N, hidden_size).
        weights: W (4 * hidden_size, input_size), U (4 * hidden_size, hidden_size), and the bias of each.
    """
    w, u, b_w, b_u = weights
    i, f, g, o = (F.linear(x, w, b_w) + F.linear(h, u, b_u)).chunk(4, dim=1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    c = f * c + i * g
    return o * c.tanh(), c


class LSTMLayers(nn.Module):
    """Layers of an LSTM, each of which reads the outputs of the one below, step by step as the equations are.

    `nn.LSTM(..., batch_first=True)` computes the same with the same state dict, and many times faster.

    Args:
        input_size: Features of the input at a step.
        hidden_size: Cells of each layer.
        num_layers: The number of layers.
        dropout: Probability that an output is dropped on its way to the next layer in a training step.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, dropout: float = 0.0):
        super().__init__()
        self.hidden_size, self.num_layers = hidden_size, num_layers
        self.dropout = nn.Dropout(dropout)
        for layer in range(num_layers):
            features = input_size if layer == 0 else hidden_size
            shapes = {"weight_ih": (features,), "weight_hh": (hidden_size,), "bias_ih": (), "bias_hh": ()}
            for name, shape in shapes.items():
                weight = nn.Parameter(torch.empty(4 * hidden_size, *shape))
                nn.init.uniform_(weight, -(hidden_size**-0.5), hidden_size**-0.5)
                self.register_parameter(f"{name}_l{layer}", weight)

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Return the outputs (N, length, hidden_size) of the last layer for x (N, length, input_size), and the state.

        Without a state, the outputs and cells before the first step are 0.
        """
        start = x.new_zeros(self.num_layers, len(x), self.hidden_size)
        h_start, c_start = state or (start, start)
        last_h, last_c = [], []
        for layer in range(self.num_layers):
            names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
            weights = tuple(self.get_parameter(f"{name}_l{layer}") for name in names)
            h, c, outputs = h_start[layer], c_start[layer], []
            for x_t in x.unbind(dim=1):
                h, c = lstm_step(x_t, h, c, weights)
                outputs.append(h)
            x = torch.stack(outputs, dim=1)
            if layer < self.num_layers - 1:
                x = self.dropout(x)
            last_h.append(h)
            last_c.append(c)
        return x, (torch.stack(last_h), torch.stack(last_c))


class LSTM(nn.Module):
    """A language model: an embedding, layers of an LSTM, and a dense layer to the logits of the next token.

    Args:
        vocab_size: The number of different tokens.
        embedding_size: Features of a token.
        hidden_size: Cells of each layer.
        num_layers: The number of layers.
        dropout: Probability that an output of a layer is dropped in a training step, on its way up but not in time.
        fast: Whether torch's own layers compute; otherwise the equations as they are written here. Both have the same
            initial weights, state dict and outputs.
    """

    def __init__(
        self,
        vocab_size: int = 96,
        embedding_size: int = 128,
        hidden_size: int = 256,
        num_layers: int = 1,
        dropout: float = 0.0,
        fast: bool = True,
    ):
        super().__init__()
        if min(vocab_size, embedding_size, hidden_size, num_layers) < 1:
            raise ValueError("vocab_size, embedding_size, hidden_size and num_layers must be 1 or more")
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        between = dropout if num_layers > 1 else 0.0  # nn.LSTM warns of a dropout that has no effect
        self.lstm: nn.Module
        if fast:
            self.lstm = nn.LSTM(embedding_size, hidden_size, num_layers, dropout=between, batch_first=True)
        else:
            self.lstm = LSTMLayers(embedding_size, hidden_size, num_layers, between)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(hidden_size, vocab_size)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return tokens (batch_size, 64), all 0."""
        return (torch.zeros(batch_size, LENGTH, dtype=torch.int64, device=self.head.weight.device),)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return the logits (N, length, vocab_size) of each next token, for tokens (N, length)."""
        outputs, _ = self.lstm(self.embedding(tokens))
        logits: Tensor = self.head(self.dropout(outputs))
        return logits

    def step(self, token: Tensor, cache: State | None = None) -> tuple[Tensor, State]:
        """Return the logits (N, vocab_size) of the next token and the new cache, after one more token (N,).

        Args:
            token: The token that comes next.
            cache: What the call before returned; None at the start of a text.
        """
        outputs, cache = self.lstm(self.embedding(token[:, None]), cache)
        return self.head(self.dropout(outputs[:, 0])), cache

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of `torch.nn.LSTM` with the same sizes into the recurrent layers."""
        self.lstm.load_state_dict(state_dict)


FAMILY = dict(
    family="lstm",
    year=1997,
    paper="Hochreiter, Schmidhuber, Neural Computation 9(8)",
    topic="lstm",
    task="characters",
    contribution=(
        "A memory cell that is changed only by a gated sum can pass gradients over many steps; learned gates decide "
        "what it stores, keeps and outputs."
    ),
    builds_on=("rnn",),
    network="LSTM",
    names={"lstm": dict(vocab_size=96, embedding_size=128, hidden_size=256)},
    inputs=dict(tokens="int64[length]"),
    outputs=dict(logits="float32[length, vocab_size]"),
    sizes=dict(vocabulary="vocab_size"),
    parts=dict(backbone=("embedding.", "lstm.")),
    params={"lstm": 432_224},
    mini=dict(embedding_size=64, hidden_size=192),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.01, batch_size=32, clip_norm=1.0),
    reference="torch",
)
