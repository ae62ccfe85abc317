"""Global attention: Luong, Pham, Manning, Effective approaches to attention-based neural machine translation (2015).

The decoder takes its step first; then its new state is compared with all outputs of the encoder, and the context is
combined with the state into the attentional vector, which predicts the next token. Attention thus comes after the
recurrent layers, so that all steps can be computed at once under teacher forcing.

    decoder:    h_t    = LSTM(e(y_{t-1}), state of step t - 1)       starts from the state of the encoder
    score:      dot      h_t . k_j                                   k_j: the encoder's outputs
                general  h_t . W_a k_j
                concat   v_a . tanh(W_a [h_t; k_j])
    weights:    a_t    = softmax(score_t1, ..., score_tS)
    context:    c_t    = a_t1 k_1 + ... + a_tS k_S
    output:     logits = W_s h~_t,  h~_t = tanh(W_c [c_t; h_t])      the attentional vector

With input feeding, h~_{t-1} is an input of step t next to e(y_{t-1}), so that a step knows what was attended to before;
then the steps are computed one after another.

The published network has 4 layers of 1,000 cells, embeddings of 1,000, and vocabularies of 50,000 words. With the score
`general`, and without input feeding, which adds 4*1,000*1,000:

    layer                output      parameters
    source               S
    source embedding     Sx1000      50,000*1,000               =  50,000,000
    encoder              Sx1000      4*4*(1,000 + 1,000)*1,000  =  32,000,000
    target embedding     Tx1000      50,000*1,000               =  50,000,000
    decoder              Tx1000      4*4*(1,000 + 1,000)*1,000  =  32,000,000
    score                TxS         1,000*1,000                =   1,000,000
    attentional vector   Tx1000      2,000*1,000                =   2,000,000
    head                 Tx50000     1,000*50,000               =  50,000,000
                                                        total     217,000,000

The paper has no total; these are the sizes that it names, without biases. Its local attention, to a window around a
predicted position, is left out.

The mini has one layer of 128 cells with biases and embeddings of 32.
"""

import torch
from torch import Tensor, nn

from models.layers.attention import AdditiveScore, masked_weights
from models.layers.recurrent_encoder import (
    RecurrentEncoder,
    State,
    layer_first,
    make_recurrent,
    sample_first,
    source_mask,
)
from models.layers.tokens import END, START

LENGTH = 16  # of the example inputs; texts may have any length
SCORES = ("dot", "general", "concat")


class LuongAttention(nn.Module):
    """A recurrent encoder and decoder, with attention between the decoder and the head.

    Args:
        source_vocab_size: The number of tokens of the source.
        target_vocab_size: The number of tokens of the target.
        embedding_size: Features of a token.
        hidden_size: Hidden units of each layer, and features of the attentional vector.
        num_layers: The number of layers of the encoder, and of the decoder.
        cell: `rnn`, `lstm` or `gru`.
        score: `dot`, `general` or `concat`.
        input_feeding: Whether the attentional vector is an input of the next step.
        reverse: Whether the source is read from its end to its start.
        bias: Whether the recurrent layers and the head have biases.
    """

    def __init__(
        self,
        source_vocab_size: int = 50_000,
        target_vocab_size: int = 50_000,
        embedding_size: int = 1000,
        hidden_size: int = 1000,
        num_layers: int = 4,
        cell: str = "lstm",
        score: str = "general",
        input_feeding: bool = False,
        reverse: bool = False,
        bias: bool = False,
    ):
        super().__init__()
        if min(source_vocab_size, target_vocab_size, embedding_size, hidden_size, num_layers) < 1:
            raise ValueError("vocabularies, embedding_size, hidden_size and num_layers must be 1 or more")
        if score not in SCORES:
            raise ValueError(f"score must be one of {', '.join(SCORES)}, not {score!r}")
        self.input_feeding = input_feeding
        self.encoder = RecurrentEncoder(source_vocab_size, embedding_size, hidden_size, num_layers, cell, reverse, bias)
        self.embedding = nn.Embedding(target_vocab_size, embedding_size)
        input_size = embedding_size + (hidden_size if input_feeding else 0)
        self.decoder = make_recurrent(cell, input_size, hidden_size, num_layers, bias)
        self.general = nn.Linear(hidden_size, hidden_size, bias=False) if score == "general" else None
        self.concat = AdditiveScore(hidden_size, hidden_size, hidden_size) if score == "concat" else None
        self.attentional = nn.Linear(2 * hidden_size, hidden_size, bias=False)
        self.head = nn.Linear(hidden_size, target_vocab_size, bias=bias)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return a source and a target to read, each (batch_size, 16)."""
        device = self.embedding.weight.device
        return tuple(torch.full((batch_size, LENGTH), token, device=device) for token in (END, START))

    def encode(self, source: Tensor) -> State:
        """Return the state of the decoder, of an LSTM h and c, then the attentional vector and what is attended to.

        These are the encoder's outputs (N, source length, hidden_size), the keys (the same, or multiplied by a matrix
        of the score), and which positions are tokens (N, source length). The attentional vector is 0 at first.
        """
        outputs, state = self.encoder(source)
        keys = outputs
        if self.general is not None:
            keys = self.general(outputs)
        if self.concat is not None:
            keys = self.concat.key(outputs)
        return *state, outputs.new_zeros(len(outputs), outputs.shape[2]), outputs, keys, source_mask(source)

    def _scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        """Return scores (N, queries, keys)."""
        if self.concat is not None:
            scores: Tensor = self.concat(queries, keys)
            return scores
        return queries @ keys.transpose(1, 2)

    def _decode(self, embedded: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return attentional vectors (N, length, hidden_size) and weights of inputs that are known, and the state."""
        *recurrent, _, outputs, keys, mask = state
        hidden, new_recurrent = self.decoder(embedded, layer_first(tuple(recurrent)))
        weights = masked_weights(self._scores(hidden, keys), mask)
        vectors = self.attentional(torch.cat([weights @ outputs, hidden], dim=2)).tanh()
        return vectors, weights, (*sample_first(new_recurrent), vectors[:, -1], outputs, keys, mask)

    def _decode_feeding(self, embedded: Tensor, state: State) -> tuple[Tensor, Tensor, State]:
        """Return the same as `_decode`, step by step, if attentional vectors are inputs."""
        vectors, weights = [], []
        for token in embedded.split(1, dim=1):
            vector, weight, state = self._decode(torch.cat([token, state[-4][:, None]], dim=2), state)
            vectors.append(vector)
            weights.append(weight)
        return torch.cat(vectors, dim=1), torch.cat(weights, dim=1), state

    def attend(self, source: Tensor, target_in: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits as `forward` does, and the weights (N, target length, source length) of the attention."""
        decode = self._decode_feeding if self.input_feeding else self._decode
        vectors, weights, _ = decode(self.embedding(target_in), self.encode(source))
        return self.head(vectors), weights

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
        decode = self._decode_feeding if self.input_feeding else self._decode
        vectors, _, state = decode(self.embedding(token[:, None]), state)
        return self.head(vectors[:, 0]), state

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return the decoder's first state for each source: its parts in one vector (N, features)."""
        return torch.cat([part.flatten(1) for part in self.encode(source)[:-4]], dim=1)


FAMILY = dict(
    family="luong-attention",
    year=2015,
    paper="arXiv:1508.04025",
    topic="attention",
    task="dates",
    contribution=(
        "The decoder's new state is compared with the encoder's outputs by a dot product, a matrix or a small "
        "network, and predicts together with the context; input feeding passes that vector to the next step."
    ),
    builds_on=("bahdanau-attention", "seq2seq"),
    network="LuongAttention",
    names={"luong-attention": dict()},
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocab_size]"),
    sizes=dict(source_vocabulary="source_vocab_size", target_vocabulary="target_vocab_size"),
    params={},
    mini=dict(source_vocab_size=64, target_vocab_size=64, embedding_size=32, hidden_size=128, num_layers=1, bias=True),
    recipe=dict(lr=3e-3, batch_size=64, epochs=12, schedule="one-cycle", clip_norm=1.0),
    reference=None,
)
