"""RNNsearch: Bahdanau, Cho, Bengio, Neural machine translation by jointly learning to align and translate (2014).

The decoder isn't limited to one vector of the source: before each step, it compares its state with the encoder's output
for each token of the source, and reads their mean, weighted by how well they match. A bidirectional encoder makes the
output for a token depend on the words before and after it.

    encoder:    h_j    = [forward GRU; backward GRU] of e(x_1), ..., e(x_S)
    score:      e_tj   = v . tanh(W s_{t-1} + U h_j)                  additive: the state before the step, each output
    weights:    a_t    = softmax(e_t1, ..., e_tS)
    context:    c_t    = a_t1 h_1 + ... + a_tS h_S
    decoder:    s_t    = GRU([e(y_{t-1}); c_t], s_{t-1}),  s_0 = tanh(W_s h_1 of the backward GRU)
    output:     logits = W_o maxout(U_o s_t + V_o e(y_{t-1}) + C_o c_t)

The published RNNsearch-50 has 1,000 units per direction and in the decoder, vocabularies of 30,000 words, embeddings of
620, 1,000 units in the score, and 500 maxout units of 2 pieces:

    layer                output      parameters
    source               S
    source embedding     Sx620       30,000*620                               = 18,600,000
    encoder              Sx2000      2*3*(620 + 1,000)*1,000                  =  9,720,000
    first state          1000        1,000*1,000                              =  1,000,000
    score                TxS         1,000*1,000 + 2,000*1,000 + 1,000        =  3,001,000
    target embedding     Tx620       30,000*620                               = 18,600,000
    decoder              Tx1000      3*(620 + 2,000 + 1,000)*1,000            = 10,860,000
    readout              Tx500       (1,000 + 620 + 2,000)*2*500              =  3,620,000
    head                 Tx30000     500*30,000                               = 15,000,000
                                                                      total     80,401,000

The paper has no total; these are the sizes that it names, without biases. Ours is simpler in two ways: the GRUs are
torch's, which apply the reset gate after the product with U, and the weights of embeddings and layers start as torch's
do.

The mini has 64 units per direction and in the decoder with biases, embeddings of 32, 64 units in the score, and 64
maxout units.
"""

import torch
from torch import Tensor, nn

from models.layers.attention import AdditiveScore, masked_weights
from models.layers.maxout_readout import MaxoutReadout
from models.layers.recurrent_encoder import State, read_source, source_mask
from models.layers.tokens import END, START

LENGTH = 16  # of the example inputs; texts may have any length


class BahdanauAttention(nn.Module):
    """A bidirectional GRU, and a GRU that reads a context of its outputs at every step.

    Args:
        source_vocab_size: The number of tokens of the source.
        target_vocab_size: The number of tokens of the target.
        embedding_size: Features of a token.
        hidden_size: Hidden units of each direction of the encoder, and of the decoder.
        attention_size: Hidden units of the score.
        maxout_size: The number of maxout units.
        bias: Whether the layers have biases.
    """

    def __init__(
        self,
        source_vocab_size: int = 30_000,
        target_vocab_size: int = 30_000,
        embedding_size: int = 620,
        hidden_size: int = 1000,
        attention_size: int = 1000,
        maxout_size: int = 500,
        bias: bool = False,
    ):
        super().__init__()
        sizes = (source_vocab_size, target_vocab_size, embedding_size, hidden_size, attention_size, maxout_size)
        if min(sizes) < 1:
            raise ValueError("vocabularies and sizes must be 1 or more")
        self.source_embedding = nn.Embedding(source_vocab_size, embedding_size)
        self.encoder = nn.GRU(embedding_size, hidden_size, bias=bias, batch_first=True, bidirectional=True)
        self.first_state = nn.Linear(hidden_size, hidden_size, bias=bias)
        self.score = AdditiveScore(hidden_size, 2 * hidden_size, attention_size)
        self.embedding = nn.Embedding(target_vocab_size, embedding_size)
        self.decoder = nn.GRUCell(embedding_size + 2 * hidden_size, hidden_size, bias=bias)
        self.readout = MaxoutReadout(hidden_size, embedding_size, 2 * hidden_size, maxout_size, bias)
        self.head = nn.Linear(maxout_size, target_vocab_size, bias=bias)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return a source and a target to read, each (batch_size, 16)."""
        device = self.embedding.weight.device
        return tuple(torch.full((batch_size, LENGTH), token, device=device) for token in (END, START))

    def encode(self, source: Tensor) -> State:
        """Return the decoder's first state (N, hidden_size), and what it attends to.

        These are the outputs h (N, source length, 2 * hidden_size), U h (N, source length, attention_size), and which
        positions are tokens (N, source length).
        """
        outputs, (last,) = read_source(self.encoder, self.source_embedding(source), source_mask(source))
        hidden = self.first_state(last[:, 1]).tanh()  # the backward GRU's, which ends at the first token
        return hidden, outputs, self.score.key(outputs), source_mask(source)

    def _decoder_step(self, embedded: Tensor, state: State) -> tuple[State, Tensor, Tensor]:
        """Return the new state, the context (N, 2 * hidden_size) and the weights (N, source length) of a step."""
        hidden, outputs, keys, mask = state
        weights = masked_weights(self.score(hidden[:, None], keys), mask)
        context = (weights @ outputs)[:, 0]
        hidden = self.decoder(torch.cat([embedded, context], dim=1), hidden)
        return (hidden, outputs, keys, mask), context, weights[:, 0]

    def attend(self, source: Tensor, target_in: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits as `forward` does, and the weights (N, target length, source length) of the attention."""
        state, embedded = self.encode(source), self.embedding(target_in)
        hiddens, contexts, weights = [], [], []
        for embedded_token in embedded.unbind(dim=1):
            state, context, weight = self._decoder_step(embedded_token, state)
            hiddens.append(state[0])
            contexts.append(context)
            weights.append(weight)
        units = self.readout(torch.stack(hiddens, dim=1), embedded, torch.stack(contexts, dim=1))
        return self.head(units), torch.stack(weights, dim=1)

    def forward(self, source: Tensor, target_in: Tensor) -> Tensor:
        """Return the logits (N, target length, target_vocab_size) of each next token of the target.

        Args:
            source: Tokens (N, source length), which end with `END`; padding follows.
            target_in: `START`, and the tokens of the target but the last one, (N, target length).
        """
        logits, _ = self.attend(source, target_in)
        return logits

    def step(self, token: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, target_vocab_size) of the next token, and the new state, after one more token (N,)."""
        embedded = self.embedding(token)
        state, context, _ = self._decoder_step(embedded, state)
        return self.head(self.readout(state[0], embedded, context)), state

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return the decoder's first state for each source (N, hidden_size)."""
        return self.encode(source)[0]


FAMILY = dict(
    family="bahdanau-attention",
    year=2014,
    paper="arXiv:1409.0473",
    topic="attention",
    task="dates",
    contribution=(
        "Before each step, the decoder scores all outputs of the encoder, and reads their weighted mean, in place of "
        "one vector of a fixed size."
    ),
    builds_on=("seq2seq-gru",),
    network="BahdanauAttention",
    names={"bahdanau-attention": dict()},
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocab_size]"),
    sizes=dict(source_vocabulary="source_vocab_size", target_vocabulary="target_vocab_size"),
    params={},
    mini=dict(
        source_vocab_size=64,
        target_vocab_size=64,
        embedding_size=32,
        hidden_size=64,
        attention_size=64,
        maxout_size=64,
        bias=True,
    ),
    recipe=dict(lr=3e-3, batch_size=64, epochs=8, schedule="one-cycle", clip_norm=1.0),
    reference=None,
)
