"""RNN encoder-decoder: Cho, van Merriënboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio, Learning phrase
representations using RNN encoder-decoder for statistical machine translation (2014).

An encoder reads the source into a summary c of a fixed size, and c enters every step of the decoder and its output
layer, so that the decoder's state doesn't have to carry it along. The paper introduces the gated unit that is now
called GRU.

    encoder:  c   = tanh(V h_S),  h_j = GRU(e(x_j), h_{j-1})
    decoder:  s_0 = tanh(V' c),   s_t = GRU([e(y_{t-1}); c], s_{t-1})
    output:   m_t = maxout(O_s s_t + O_y e(y_{t-1}) + O_c c),  logits = G m_t

The published network has 1,000 units, vocabularies of 15,000 words, embeddings of 100, and 500 maxout units of 2
pieces; the output matrix G has rank 100, so it is a product of two matrices:

    layer                output     parameters
    source               S
    source embedding     Sx100      15,000*100                       =  1,500,000
    encoder              1000       3*(100 + 1,000)*1,000            =  3,300,000
    summary              1000       1,000*1,000                      =  1,000,000
    first state          1000       1,000*1,000                      =  1,000,000
    target embedding     Tx100      15,000*100                       =  1,500,000
    decoder              Tx1000     3*(100 + 1,000 + 1,000)*1,000    =  6,300,000
    readout              Tx500      (1,000 + 100 + 1,000)*2*500      =  2,100,000
    head                 Tx15000    500*100 + 100*15,000             =  1,550,000
                                                              total    18,250,000

The paper has no total; these are the sizes that it names, without biases. Its reset gate is applied to the state before
the product with U, and torch's after it, so that weights of the one don't fit the other; the number of weights is the
same.

The mini has 128 units with biases, embeddings of 32, and 64 maxout units.
"""

import torch
from torch import Tensor, nn

from models.layers.maxout_readout import MaxoutReadout
from models.layers.recurrent_encoder import RecurrentEncoder, State
from models.layers.tokens import END, START

LENGTH = 16  # of the example inputs; texts may have any length


class Seq2SeqGRU(nn.Module):
    """A GRU that reads the source into a summary, and a GRU that reads the summary at every step.

    Args:
        source_vocab_size: The number of tokens of the source.
        target_vocab_size: The number of tokens of the target.
        embedding_size: Features of a token, and the rank of the output matrix.
        hidden_size: Hidden units of the encoder and of the decoder, and features of the summary.
        maxout_size: The number of maxout units.
        bias: Whether the layers have biases.
    """

    def __init__(
        self,
        source_vocab_size: int = 15_000,
        target_vocab_size: int = 15_000,
        embedding_size: int = 100,
        hidden_size: int = 1000,
        maxout_size: int = 500,
        bias: bool = False,
    ):
        super().__init__()
        if min(source_vocab_size, target_vocab_size, embedding_size, hidden_size, maxout_size) < 1:
            raise ValueError("vocabularies, embedding_size, hidden_size and maxout_size must be 1 or more")
        self.encoder = RecurrentEncoder(
            source_vocab_size, embedding_size, hidden_size, 1, cell="gru", reverse=False, bias=bias
        )
        self.summary = nn.Linear(hidden_size, hidden_size, bias=bias)
        self.first_state = nn.Linear(hidden_size, hidden_size, bias=bias)
        self.embedding = nn.Embedding(target_vocab_size, embedding_size)
        self.decoder = nn.GRU(embedding_size + hidden_size, hidden_size, bias=bias, batch_first=True)
        self.readout = MaxoutReadout(hidden_size, embedding_size, hidden_size, maxout_size, bias)
        self.head = nn.Sequential(
            nn.Linear(maxout_size, embedding_size, bias=False), nn.Linear(embedding_size, target_vocab_size, bias=bias)
        )

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return a source and a target to read, each (batch_size, 16)."""
        device = self.embedding.weight.device
        return tuple(torch.full((batch_size, LENGTH), token, device=device) for token in (END, START))

    def encode(self, source: Tensor) -> State:
        """Return the decoder's first state and the summary, each (N, hidden_size)."""
        _, (last,) = self.encoder(source)
        summary = self.summary(last[:, 0]).tanh()
        return self.first_state(summary).tanh(), summary

    def _decode(self, target_in: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, target length, target_vocab_size) after a state, and the new state."""
        hidden, summary = state
        embedded = self.embedding(target_in)
        summaries = summary[:, None].expand(-1, target_in.shape[1], -1)
        outputs, last = self.decoder(torch.cat([embedded, summaries], dim=2), hidden[None].contiguous())
        return self.head(self.readout(outputs, embedded, summaries)), (last[0], summary)

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return the logits (N, target length, target_vocab_size) of each next token of the target.

        Args:
            source: Tokens (N, source length), which end with `END`; padding follows.
            target_in: `START`, and the tokens of the target but the last one, (N, target length).
        """
        logits, _ = self._decode(target_in, self.encode(source))
        return logits

    def step(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, target_vocab_size) of the next token, and the new state, after one more token (N,)."""
        logits, new_state = self._decode(token[:, None], state)
        return logits[:, 0], new_state

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return the summary c of each source (N, hidden_size)."""
        return self.encode(source)[1]


FAMILY = dict(
    family="seq2seq-gru",
    year=2014,
    paper="arXiv:1406.1078",
    topic="seq2seq",
    task="dates",
    contribution=(
        "A summary of the source enters every step of the decoder and its output; gated units, now called GRU, learn "
        "to remember and to forget."
    ),
    builds_on=("lstm",),
    network="Seq2SeqGRU",
    names={"seq2seq-gru": dict()},
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocab_size]"),
    sizes=dict(source_vocabulary="source_vocab_size", target_vocabulary="target_vocab_size"),
    params={},
    mini=dict(
        source_vocab_size=64, target_vocab_size=64, embedding_size=32, hidden_size=128, maxout_size=64, bias=True
    ),
    recipe=dict(lr=3e-3, batch_size=64, epochs=14, schedule="one-cycle", clip_norm=1.0),
    reference=None,
)
