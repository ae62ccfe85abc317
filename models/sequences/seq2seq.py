"""Sequence to sequence: Sutskever, Vinyals, Le, Sequence to sequence learning with neural networks (2014).

An encoder, a deep LSTM, reads the source. Its final state, which has the same size for any length, is all that the
decoder knows of the source: another LSTM starts from that state, reads the target so far, and predicts its next token.
The source is read in reverse order, so that its first words are close to the first words of the target, which made
long sentences easier to learn.

    encoder:  (h, c) = LSTM(e(x_S), ..., e(x_1))                  the final state of all layers
    decoder:  h_t    = LSTM(e(y_{t-1}), state of step t - 1)      starts from the state of the encoder
              logits = V h_t

The published network has 4 layers of 1,000 cells, and vocabularies of 160,000 source and 80,000 target words:

    layer                output      parameters
    source               S
    source embedding     Sx1000      160,000*1,000            = 160,000,000
    encoder              4x2x1000    4*4*(1,000 + 1,000)*1,000 = 32,000,000
    target embedding     Tx1000       80,000*1,000            =  80,000,000
    decoder              Tx1000      4*4*(1,000 + 1,000)*1,000 = 32,000,000
    head                 Tx80000     1,000*80,000             =  80,000,000
                                                        total   384,000,000

The paper counts 384 million, 64 million of them recurrent: these are the weights without biases. The state that
stands for the source has 4*2*1,000 = 8,000 numbers.

In training, the decoder reads the true target shifted by one (teacher forcing), so that all steps are computed at
once. `step` feeds back its own outputs, one after another. Here the source ends with a token for its end, which is
read first if the source is reversed.

The mini has one layer of 128 cells with biases and embeddings of 32.
"""

import torch
from torch import Tensor, nn

from models.layers.recurrent_encoder import RecurrentEncoder, State, layer_first, make_recurrent, sample_first
from models.layers.tokens import END, START

LENGTH = 16  # of the example inputs; texts may have any length


class Seq2Seq(nn.Module):
    """A recurrent encoder and a recurrent decoder that starts from the encoder's final state.

    Args:
        source_vocab_size: The number of tokens of the source.
        target_vocab_size: The number of tokens of the target.
        embedding_size: Features of a token.
        hidden_size: Hidden units of each layer.
        num_layers: The number of layers of the encoder, and of the decoder.
        cell: `rnn`, `lstm` or `gru`.
        reverse: Whether the source is read from its end to its start.
        bias: Whether the recurrent layers and the head have biases.
    """

    def __init__(
        self,
        source_vocab_size: int = 160_000,
        target_vocab_size: int = 80_000,
        embedding_size: int = 1000,
        hidden_size: int = 1000,
        num_layers: int = 4,
        cell: str = "lstm",
        reverse: bool = True,
        bias: bool = False,
    ):
        super().__init__()
        if min(source_vocab_size, target_vocab_size, embedding_size, hidden_size, num_layers) < 1:
            raise ValueError("vocabularies, embedding_size, hidden_size and num_layers must be 1 or more")
        self.encoder = RecurrentEncoder(source_vocab_size, embedding_size, hidden_size, num_layers, cell, reverse, bias)
        self.embedding = nn.Embedding(target_vocab_size, embedding_size)
        self.decoder = make_recurrent(cell, embedding_size, hidden_size, num_layers, bias)
        self.head = nn.Linear(hidden_size, target_vocab_size, bias=bias)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return a source and a target to read, each (batch_size, 16)."""
        device = self.head.weight.device
        return tuple(torch.full((batch_size, LENGTH), token, device=device) for token in (END, START))

    def encode(self, source: Tensor) -> State:
        """Return the state (N, num_layers, hidden_size) of the decoder before its first step; of an LSTM, h and c."""
        state: State = self.encoder(source)[1]
        return state

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return the logits (N, target length, target_vocab_size) of each next token of the target.

        Args:
            source: Tokens (N, source length), which end with `END`; padding follows.
            target_in: `START`, and the tokens of the target but the last one, (N, target length).
        """
        outputs, _ = self.decoder(self.embedding(target_in), layer_first(self.encode(source)))
        logits: Tensor = self.head(outputs)
        return logits

    def step(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, target_vocab_size) of the next token, and the new state, after one more token (N,)."""
        outputs, new_state = self.decoder(self.embedding(token[:, None]), layer_first(state))
        return self.head(outputs[:, 0]), sample_first(new_state)

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return all that the decoder knows of each source: the parts of the state in one vector (N, features)."""
        return torch.cat([part.flatten(1) for part in self.encode(source)], dim=1)


FAMILY = dict(
    family="seq2seq",
    year=2014,
    paper="arXiv:1409.3215",
    topic="seq2seq",
    task="dates",
    contribution=(
        "One LSTM reads a sequence into a vector of a fixed size, and another one writes a sequence of another length "
        "from it; reading the source in reverse order makes long sequences easier to learn."
    ),
    builds_on=("lstm",),
    network="Seq2Seq",
    names={"seq2seq": dict()},
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocab_size]"),
    sizes=dict(source_vocabulary="source_vocab_size", target_vocabulary="target_vocab_size"),
    params={"seq2seq": 384_000_000},
    mini=dict(source_vocab_size=64, target_vocab_size=64, embedding_size=32, hidden_size=128, num_layers=1, bias=True),
    recipe=dict(lr=3e-3, batch_size=64, epochs=14, schedule="one-cycle", clip_norm=1.0),
    reference=None,
)
