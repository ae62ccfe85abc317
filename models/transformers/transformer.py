"""The Transformer: Vaswani et al., Attention is all you need (2017).

An encoder and a decoder that consist of attention and small networks, without recurrence: every position attends to all
others directly, so that all positions are computed at once. Encodings of the positions tell the order of the tokens.

    embedding:   x = sqrt(d) E[token] + P[position]            then dropout
    encoder:     x = LN(x + attention(x, x, x))                 6 layers; keys that are padding are masked
                 x = LN(x + FFN(x))                             FFN(x) = W_2 relu(W_1 x + b_1) + b_2
    decoder:     y = LN(y + attention(y, y, y))                 6 layers; causal: no position sees a later one
                 y = LN(y + attention(y, x, x))                 queries of the decoder, keys and values of the encoder
                 y = LN(y + FFN(y))
    logits:      E y                                            the embedding again, transposed

Each attention has 8 heads: MultiHead(Q, K, V) = W_O [head_1; ...; head_8], head_i = attention(W_Qi Q, W_Ki K, W_Vi V).
Dropout is applied to the output of every sublayer before it is added, as the paper has it.

The base network for a vocabulary of 37,000 tokens, which source and target share; `transformer-big` has d = 1024, 16
heads and 4096 hidden units:

    layer                 output     parameters
    embedding             Sx512      37,000*512                              = 18,944,000
    6 encoder layers      Sx512      6 * (4*512*512 + FFN + 2*2*512)         = 18,902,016
    6 decoder layers      Tx512      6 * (8*512*512 + FFN + 3*2*512)         = 25,199,616
    head                  Tx37000    the embedding
                                                                       total   63,045,632

    with FFN = 512*2,048 + 2,048 + 2,048*512 + 512 = 2,099,712

The paper states 65 and 213 million parameters, and no exact vocabulary ("about 37000 tokens"). Its projections have no
biases: the formulas have none. One matrix serves the source, the target and the head if their vocabularies have one
size; otherwise the source has a matrix of its own, and that of the target is also the head's.

Options: learned positions (table 3, row E); `norm_first` for the norm before each sublayer instead of after the sum
(Xiong et al., On layer normalization in the transformer architecture, 2020), which then ends each stack with a norm,
`final_norm`; `bias` for biases of the projections. With both, the stacks are those of torch.nn.Transformer, whose
weights `load_reference` loads.

The mini has 2 layers of 64 features, 4 heads and 128 hidden units.
"""

from collections.abc import Mapping
from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention, recorded_attention
from models.layers.positions import check_length, sinusoids
from models.layers.recurrent_encoder import source_mask
from models.layers.tokens import END, START

LENGTH = 16  # of the example inputs
POSITIONS = ("sinusoidal", "learned")
State = tuple[Tensor, ...]


class MultiHeadAttention(nn.Module):
    """Attention with projections, named as those of torch.nn.MultiheadAttention: Q, K and V in one matrix."""

    def __init__(self, hidden_size: int, num_heads: int, bias: bool):
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * hidden_size, hidden_size))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * hidden_size)) if bias else None
        self.out_proj = nn.Linear(hidden_size, hidden_size, bias)
        self.attention = DotProductAttention(num_heads)

    def project(self, x: Tensor, parts: slice) -> tuple[Tensor, ...]:
        """Return some of queries, keys and values (N, length, hidden_size), by their places 0, 1 and 2."""
        size = x.shape[2]
        rows = slice(parts.start * size, parts.stop * size)
        bias = None if self.in_proj_bias is None else self.in_proj_bias[rows]
        return F.linear(x, self.in_proj_weight[rows], bias).chunk(parts.stop - parts.start, dim=2)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, is_causal: bool) -> Tensor:
        """Return the outputs (N, queries, hidden_size) for what `project` returned."""
        output: Tensor = self.out_proj(self.attention(query, key, value, mask=mask, is_causal=is_causal))
        return output


QUERY, KEYS, ALL = slice(0, 1), slice(1, 3), slice(0, 3)


class Layer(nn.Module):
    """The base of layers of the encoder and of the decoder: self-attention and a small network."""

    def __init__(self, hidden_size: int, num_heads: int, ffn_size: int, dropout: float, norm_first: bool, bias: bool):
        super().__init__()
        self.self_attn = MultiHeadAttention(hidden_size, num_heads, bias)
        self.linear1 = nn.Linear(hidden_size, ffn_size)
        self.linear2 = nn.Linear(ffn_size, hidden_size)
        self.norm1 = nn.LayerNorm(hidden_size)
        self.norm2 = nn.LayerNorm(hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.norm_first = norm_first

    def before(self, x: Tensor, norm: nn.LayerNorm) -> Tensor:
        """Return what a sublayer reads."""
        return norm(x) if self.norm_first else x

    def after(self, x: Tensor, output: Tensor, norm: nn.LayerNorm) -> Tensor:
        """Return the sum of a sublayer's input and its output."""
        x = x + self.dropout(output)
        return x if self.norm_first else norm(x)

    def feed_forward(self, x: Tensor, norm: nn.LayerNorm) -> Tensor:
        """Apply the small network, to each position on its own."""
        return self.after(x, self.linear2(self.linear1(self.before(x, norm)).relu()), norm)


class EncoderLayer(Layer):
    """Self-attention over all positions, then the small network."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return the outputs (N, length, hidden_size); the mask says which positions are tokens (N, 1, 1, length)."""
        query, key, value = self.self_attn.project(self.before(x, self.norm1), ALL)
        x = self.after(x, self.self_attn(query, key, value, mask, is_causal=False), self.norm1)
        return self.feed_forward(x, self.norm2)


class DecoderLayer(Layer):
    """Causal self-attention, attention to the encoder's outputs, then the small network."""

    def __init__(self, hidden_size: int, num_heads: int, ffn_size: int, dropout: float, norm_first: bool, bias: bool):
        super().__init__(hidden_size, num_heads, ffn_size, dropout, norm_first, bias)
        self.multihead_attn = MultiHeadAttention(hidden_size, num_heads, bias)
        self.norm3 = nn.LayerNorm(hidden_size)

    def start(self, memory: Tensor) -> State:
        """Return the keys and values of the encoder's outputs, and those of no token yet, (N, length, hidden_size)."""
        nothing = memory[:, :0]
        return *self.multihead_attn.project(memory, KEYS), nothing, nothing

    def forward(self, y: Tensor, mask: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the outputs (N, length, hidden_size), and the state with the keys and values of these tokens."""
        memory_key, memory_value, past_key, past_value = state
        query, key, value = self.self_attn.project(self.before(y, self.norm1), ALL)
        key, value = torch.cat([past_key, key], dim=1), torch.cat([past_value, value], dim=1)
        y = self.after(y, self.self_attn(query, key, value, None, is_causal=True), self.norm1)
        (query,) = self.multihead_attn.project(self.before(y, self.norm2), QUERY)
        y = self.after(y, self.multihead_attn(query, memory_key, memory_value, mask, is_causal=False), self.norm2)
        return self.feed_forward(y, self.norm3), (memory_key, memory_value, key, value)


class Stack(nn.Module):
    """Layers, and the norm that ends them."""

    def __init__(self, layers: list[Layer], hidden_size: int, final_norm: bool):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norm = nn.LayerNorm(hidden_size) if final_norm else nn.Identity()


class Transformer(nn.Module):
    """An encoder and a decoder of attention.

    Args:
        source_vocab_size: The number of tokens of the source.
        target_vocab_size: The number of tokens of the target.
        hidden_size: Features of a position, d.
        num_layers: The number of layers of the encoder, and of the decoder.
        num_heads: Heads of each attention, which divide the features.
        ffn_size: Hidden units of the small network.
        dropout: Probability of dropping a feature of an embedding or of a sublayer's output in training.
        positions: `sinusoidal` or `learned`.
        max_length: The number of positions.
        norm_first: Whether norms are before the sublayers rather than after the sums.
        final_norm: Whether each stack ends with a norm.
        bias: Whether the projections of attention have biases.
    """

    source_positions: Tensor
    target_positions: Tensor

    def __init__(
        self,
        source_vocab_size: int = 37_000,
        target_vocab_size: int = 37_000,
        hidden_size: int = 512,
        num_layers: int = 6,
        num_heads: int = 8,
        ffn_size: int = 2048,
        dropout: float = 0.1,
        positions: str = "sinusoidal",
        max_length: int = 1024,
        norm_first: bool = False,
        final_norm: bool = False,
        bias: bool = False,
    ):
        super().__init__()
        if min(source_vocab_size, target_vocab_size, hidden_size, num_layers, num_heads, ffn_size, max_length) < 1:
            raise ValueError("vocabularies, sizes, numbers of layers and heads, and max_length must be 1 or more")
        if hidden_size % (2 * num_heads):
            raise ValueError(f"hidden_size must be a multiple of 2 * num_heads, {2 * num_heads}, not {hidden_size}")
        if positions not in POSITIONS:
            raise ValueError(f"positions must be sinusoidal or learned, not {positions!r}")
        self.max_length = max_length
        self.embedding = nn.Embedding(target_vocab_size, hidden_size)  # of the target, and the head
        self.source_embedding = None
        if source_vocab_size != target_vocab_size:
            self.source_embedding = nn.Embedding(source_vocab_size, hidden_size)
        if positions == "learned":
            self.source_positions = nn.Parameter(torch.empty(max_length, hidden_size))
            self.target_positions = nn.Parameter(torch.empty(max_length, hidden_size))
        else:
            for name in ("source_positions", "target_positions"):
                self.register_buffer(name, sinusoids(max_length, hidden_size), persistent=False)
        options = (hidden_size, num_heads, ffn_size, dropout, norm_first, bias)
        self.encoder = Stack([EncoderLayer(*options) for _ in range(num_layers)], hidden_size, final_norm)
        self.decoder = Stack([DecoderLayer(*options) for _ in range(num_layers)], hidden_size, final_norm)
        self.dropout = nn.Dropout(dropout)
        self._initialize()

    def _initialize(self) -> None:
        """Initialize matrices as torch.nn.Transformer does, and embeddings so that the scaled ones have variance 1."""
        for name, weight in self.named_parameters():
            if "embedding" in name or "positions" in name:
                nn.init.normal_(weight, std=weight.shape[1] ** -0.5)
            elif weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return a source and a target to read, each (batch_size, 16)."""
        device = self.embedding.weight.device
        return tuple(torch.full((batch_size, LENGTH), token, device=device) for token in (END, START))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torch.nn.Transformer, which has no embeddings. Ours stay as they are.

        Its stacks end with norms, and its projections have biases unless it was built with `bias=False`.
        """
        own = self.state_dict()
        embeddings = {name: own[name] for name in own if not name.startswith(("encoder.", "decoder."))}
        self.load_state_dict(embeddings | dict(state_dict))

    def _embed(self, tokens: Tensor, embedding: nn.Embedding, positions: Tensor, start: int = 0) -> Tensor:
        """Return what a stack reads (N, length, hidden_size), for tokens from a position on.

        Raises:
            UserError: If there are not enough positions.
        """
        end = start + tokens.shape[1]
        check_length(end, self.max_length)
        scaled = sqrt(embedding.embedding_dim) * embedding(tokens)
        embedded: Tensor = self.dropout(scaled + positions[start:end])
        return embedded

    def _read(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """Return the encoder's outputs (N, source length, hidden_size), and which positions are tokens (N, length)."""
        is_token = source_mask(source)
        x = self._embed(source, self.source_embedding or self.embedding, self.source_positions)
        for layer in self.encoder.layers:
            x = layer(x, is_token[:, None, None])
        return self.encoder.norm(x), is_token

    def encode(self, source: Tensor) -> State:
        """Return the state of the decoder before its first token.

        It is which positions of the source are tokens, then for each layer the keys and values of the encoder's
        outputs, and the keys and values of the target's tokens so far, each (N, length, hidden_size).
        """
        memory, is_token = self._read(source)
        layers: list[DecoderLayer] = list(self.decoder.layers)  # type: ignore[arg-type]
        return is_token, *(part for layer in layers for part in layer.start(memory))

    def _decode(self, tokens: Tensor, state: State) -> tuple[Tensor, State]:
        """Return the logits (N, length, target_vocab_size) after each of some more tokens, and the new state."""
        is_token, *parts = state
        y = self._embed(tokens, self.embedding, self.target_positions, start=parts[2].shape[1])
        new: list[Tensor] = []
        for k, layer in enumerate(self.decoder.layers):
            y, own = layer(y, is_token[:, None, None], tuple(parts[4 * k : 4 * k + 4]))
            new += own
        return F.linear(self.decoder.norm(y), self.embedding.weight), (is_token, *new)

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
        logits, state = self._decode(token[:, None], state)
        return logits[:, 0], state

    def attend(self, source: Tensor, target_in: Tensor) -> tuple[Tensor, Tensor]:
        """Return the logits as `forward` does, and the weights (N, target length, source length) of the last layer.

        They are the mean over the heads of the decoder's attention to the source.
        """
        with recorded_attention(self.decoder.layers[-1]) as weights:
            logits = self(source, target_in)
        return logits, weights["multihead_attn.attention"].mean(dim=1)

    def sentence_vector(self, source: Tensor) -> Tensor:
        """Return the mean of the encoder's outputs over the tokens of each source (N, hidden_size)."""
        memory, is_token = self._read(source)
        return (memory * is_token[:, :, None]).sum(dim=1) / is_token.sum(dim=1, keepdim=True)


FAMILY = dict(
    family="transformer",
    year=2017,
    paper="arXiv:1706.03762",
    topic="self-attention",
    task="dates",
    contribution=(
        "Attention alone, without recurrence: all positions are computed at once, each attends to all others in "
        "several heads, and encodings of the positions tell their order."
    ),
    builds_on=("bahdanau-attention", "luong-attention", "seq2seq"),
    network="Transformer",
    names={"transformer": dict(), "transformer-big": dict(hidden_size=1024, num_heads=16, ffn_size=4096, dropout=0.3)},
    inputs=dict(source="int64[source_length]", target_in="int64[target_length]"),
    outputs=dict(logits="float32[target_length, target_vocab_size]"),
    sizes=dict(source_vocabulary="source_vocab_size", target_vocabulary="target_vocab_size"),
    params={"transformer": 63_045_632, "transformer-big": 214_171_648},
    mini=dict(
        source_vocab_size=64,
        target_vocab_size=64,
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        ffn_size=128,
        dropout=0.0,
    ),
    mini_overrides={"transformer-big": dict(hidden_size=96, num_heads=6, ffn_size=192)},
    recipe=dict(lr=3e-3, batch_size=64, epochs=16, schedule="inverse-sqrt", label_smoothing=0.1),
    reference="torch",
)
