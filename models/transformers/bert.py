"""BERT: Devlin, Chang, Lee, Toutanova, BERT: pre-training of deep bidirectional transformers (2018).

The encoder of the Transformer, in which every word attends to those before and after it. It is pre-trained on text
without labels, then fine-tuned on a task with few labels. Pre-training has two goals: masked language modeling (MLM),
the words at 15% of the positions from the words around them, and next sentence prediction (NSP), whether a second
segment follows the first in the text or is a random one.

    input:       [CLS] first segment [SEP] second segment [SEP]
    embedding:   x = LN(W[word] + P[position] + S[segment])
    12 layers:   x = LN(x + attention(x, x, x))       12 heads; keys that are padding are masked
                 x = LN(x + W_2 gelu(W_1 x))
    pooler:      tanh(W x[CLS])                        the vector of the whole input
    MLM:         W LN(gelu(V x)) + b                   for each position, with the embedding again
    NSP:         U pooler                              2 classes

The base network, uncased, with 30,522 word pieces and 512 positions:

    layer                 output      parameters
    embeddings            Tx768       (30,522 + 512 + 2)*768 + 2*768                 =  23,837,184
    encoder               Tx768       12 * (4*(768*768 + 768) + FFN + 2*2*768)       =  85,054,464
    pooler                768         768*768 + 768                                  =     590,592
                                                                               total   109,482,240
    MLM head              Tx30522     768*768 + 768 + 2*768 + 30,522                 =     622,650
    NSP head              2           768*2 + 2                                      =       1,538
                                                               with both heads, total  110,106,428

    with FFN = 768*3,072 + 3,072 + 3,072*768 + 768 = 4,722,432

Names are those of transformers' BertModel, BertForPreTraining and BertForSequenceClassification, whose weights
`load_reference` loads.

The mini has 2 layers of 64 features, 4 heads and 256 hidden units, reads words rather than word pieces, and has the
tokens [CLS], [SEP] and [MASK] after those of its vocabulary.
"""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.dot_product_attention import DotProductAttention
from models.layers.positions import check_length
from models.layers.tokens import PAD

LENGTH = 16  # of the example inputs
EPS = 1e-12  # of the norms
PUBLISHED_VOCABULARY, PUBLISHED_SPECIAL = 30_522, (101, 102, 103)
INIT_STD = 0.02


class Embeddings(nn.Module):
    """The sum of the embeddings of the word, its position and its segment, normalized."""

    def __init__(self, vocab_size: int, hidden_size: int, max_length: int, dropout: float):
        super().__init__()
        self.word_embeddings = nn.Embedding(vocab_size, hidden_size)
        self.position_embeddings = nn.Embedding(max_length, hidden_size)
        self.token_type_embeddings = nn.Embedding(2, hidden_size)
        self.LayerNorm = nn.LayerNorm(hidden_size, eps=EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, words: Tensor, segments: Tensor) -> Tensor:
        """Return vectors (N, length, hidden_size) of words and segments (N, length)."""
        check_length(words.shape[1], self.position_embeddings.num_embeddings)
        positions = self.position_embeddings.weight[: words.shape[1]]
        x = self.word_embeddings(words) + self.token_type_embeddings(segments) + positions
        embedded: Tensor = self.dropout(self.LayerNorm(x))
        return embedded


class SelfAttention(nn.Module):
    """The projections to queries, keys and values, and attention."""

    def __init__(self, hidden_size: int, num_heads: int, dropout: float):
        super().__init__()
        self.query = nn.Linear(hidden_size, hidden_size)
        self.key = nn.Linear(hidden_size, hidden_size)
        self.value = nn.Linear(hidden_size, hidden_size)
        self.attention = DotProductAttention(num_heads, dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the outputs of the heads (N, length, hidden_size)."""
        outputs: Tensor = self.attention(self.query(x), self.key(x), self.value(x), mask=mask)
        return outputs


class Output(nn.Module):
    """The end of a sublayer: a projection, the sum with the sublayer's input, and the norm."""

    def __init__(self, in_features: int, hidden_size: int, dropout: float):
        super().__init__()
        self.dense = nn.Linear(in_features, hidden_size)
        self.LayerNorm = nn.LayerNorm(hidden_size, eps=EPS)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Tensor, x: Tensor) -> Tensor:
        """Return (N, length, hidden_size) for hidden features (N, length, in_features) and the sublayer's input."""
        output: Tensor = self.LayerNorm(x + self.dropout(self.dense(hidden)))
        return output


class Layer(nn.Module):
    """Attention over all words, then a small network for each word on its own."""

    def __init__(self, hidden_size: int, num_heads: int, intermediate_size: int, dropout: float):
        super().__init__()
        self_attention = SelfAttention(hidden_size, num_heads, dropout)
        self.attention = nn.ModuleDict({"self": self_attention, "output": Output(hidden_size, hidden_size, dropout)})
        self.intermediate = nn.ModuleDict({"dense": nn.Linear(hidden_size, intermediate_size)})
        self.output = Output(intermediate_size, hidden_size, dropout)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the outputs (N, length, hidden_size)."""
        x = self.attention["output"](self.attention["self"](x, mask), x)
        output: Tensor = self.output(F.gelu(self.intermediate["dense"](x)), x)
        return output


class Encoder(nn.Module):
    """The layers, one after another."""

    def __init__(self, layers: list[Layer]):
        super().__init__()
        self.layer = nn.ModuleList(layers)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return the outputs of the last layer (N, length, hidden_size)."""
        for layer in self.layer:
            x = layer(x, mask)
        return x


class Pooler(nn.Module):
    """The vector of the whole input, from the output at [CLS]."""

    def __init__(self, hidden_size: int):
        super().__init__()
        self.dense = nn.Linear(hidden_size, hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return (N, hidden_size)."""
        pooled: Tensor = self.dense(hidden[:, 0]).tanh()
        return pooled


class PretrainingHeads(nn.Module):
    """The words of all positions, and the relation of the two segments."""

    def __init__(self, vocab_size: int, hidden_size: int, num_relations: int):
        super().__init__()
        transform = nn.ModuleDict(
            {"dense": nn.Linear(hidden_size, hidden_size), "LayerNorm": nn.LayerNorm(hidden_size, eps=EPS)}
        )
        self.predictions = nn.Module()
        self.predictions.transform = transform
        self.predictions.bias = nn.Parameter(torch.zeros(vocab_size))
        self.seq_relationship = nn.Linear(hidden_size, num_relations)

    def forward(self, hidden: Tensor, pooled: Tensor, embedding: Tensor) -> dict[str, Tensor]:
        """Return the logits `words` (N, length, vocab_size) and `relation` (N, num_relations)."""
        transform: nn.ModuleDict = self.predictions.transform  # type: ignore[assignment]
        features = transform["LayerNorm"](F.gelu(transform["dense"](hidden)))
        words = F.linear(features, embedding, self.predictions.bias)  # type: ignore[arg-type]
        return {"words": words, "relation": self.seq_relationship(pooled)}


class Bert(nn.Module):
    """A bidirectional encoder: alone, with the heads of pre-training, or with a classifier.

    It returns `hidden` (N, length, hidden_size) and `pooled` (N, hidden_size); with the heads of pre-training the
    logits `words` (N, length, vocabulary) and `relation` (N, num_relations); with a classifier its logits alone.

    Args:
        vocab_size: The number of tokens; token 0 is padding.
        hidden_size: Features of a word.
        num_layers: The number of layers.
        num_heads: Heads of each attention, which divide the features.
        intermediate_size: Hidden units of the small network.
        max_length: The number of positions.
        dropout: Probability of dropping a feature, or a weight of attention, in training.
        num_relations: Relations of two segments, 2 in pre-training; 0 leaves out both heads of pre-training.
        num_classes: Classes of a sentence; 0 leaves out the classifier. With one, there are no other heads.
        special_tokens: The tokens [CLS], [SEP] and [MASK]. None stands for those of the published vocabulary if
            `vocab_size` is its size, and otherwise for three more tokens after the vocabulary.
    """

    def __init__(
        self,
        vocab_size: int = 30_522,
        hidden_size: int = 768,
        num_layers: int = 12,
        num_heads: int = 12,
        intermediate_size: int = 3072,
        max_length: int = 512,
        dropout: float = 0.1,
        num_relations: int = 0,
        num_classes: int = 0,
        special_tokens: tuple[int, int, int] | None = None,
    ):
        super().__init__()
        if min(vocab_size, hidden_size, num_layers, num_heads, intermediate_size, max_length) < 1:
            raise ValueError("vocab_size, sizes, numbers of layers and heads, and max_length must be 1 or more")
        if hidden_size % num_heads:
            raise ValueError(f"hidden_size must be a multiple of num_heads, {num_heads}, not {hidden_size}")
        self.vocab_size, self.max_length = vocab_size, max_length
        tokens = vocab_size
        if special_tokens is None and vocab_size == PUBLISHED_VOCABULARY:
            special_tokens = PUBLISHED_SPECIAL
        elif special_tokens is None:
            special_tokens = (vocab_size, vocab_size + 1, vocab_size + 2)
            tokens += len(special_tokens)
        self.cls_token, self.sep_token, self.mask_token = special_tokens
        self.embeddings = Embeddings(tokens, hidden_size, max_length, dropout)
        layers = [Layer(hidden_size, num_heads, intermediate_size, dropout) for _ in range(num_layers)]
        self.encoder = Encoder(layers)
        self.pooler = Pooler(hidden_size)
        has_heads = bool(num_relations and not num_classes)
        self.cls = PretrainingHeads(tokens, hidden_size, num_relations) if has_heads else None
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(hidden_size, num_classes) if num_classes else None
        self.apply(self._initialize)

    @staticmethod
    def _initialize(module: nn.Module) -> None:
        """Initialize a layer as the paper's code does."""
        if isinstance(module, nn.Linear | nn.Embedding):
            nn.init.normal_(module.weight, std=INIT_STD)
        if isinstance(module, nn.Linear):
            nn.init.zeros_(module.bias)

    def example_inputs(self, batch_size: int = 1) -> tuple[Tensor, ...]:
        """Return words (batch_size, 16), and their segments unless there is a classifier."""
        words = torch.ones(batch_size, LENGTH, dtype=torch.int64, device=self.pooler.dense.weight.device)
        return (words,) if self.classifier is not None else (words, torch.zeros_like(words))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of transformers' BertModel, or of one with heads. Heads that this network lacks are left."""
        own = {}
        for name, tensor in state_dict.items():
            name = name.removeprefix("bert.")
            is_shared = name.startswith("cls.predictions.decoder.") or name == "embeddings.position_ids"
            is_left = (name.startswith("cls.") and self.cls is None) or (
                name.startswith("classifier.") and self.classifier is None
            )
            if not (is_shared or is_left):
                own[name] = tensor
        self.load_state_dict(own)

    def join(self, first: Tensor, second: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return [CLS] first [SEP], or [CLS] first [SEP] second [SEP], and the segments, both (N, length).

        Args:
            first: Words (N, length), padded at the end.
            second: Words of the second segment, likewise.
        """
        return join(first, second, self.cls_token, self.sep_token)

    def read(self, words: Tensor, segments: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the outputs of the last layer (N, length, hidden_size), and the pooler's (N, hidden_size).

        Args:
            words: Tokens with [CLS] and [SEP] (N, length), padded at the end.
            segments: 0 for the first segment, 1 for the second (N, length); by default all are the first.
        """
        is_word = words != PAD
        mask = is_word[:, None, None] if words.is_meta or not is_word.all() else None
        x = self.embeddings(words, torch.zeros_like(words) if segments is None else segments)
        hidden = self.encoder(x, mask)
        return hidden, self.pooler(hidden)

    def encode(self, words: Tensor) -> Tensor:
        """Return the vector of each sentence (N, hidden_size), for words without [CLS] and [SEP] (N, length)."""
        return self.read(*self.join(words))[1]

    def forward(self, words: Tensor, segments: Tensor | None = None) -> Tensor | dict[str, Tensor]:
        """Return the outputs of the heads, or those of the encoder if there are none.

        Args:
            words: Tokens with [CLS] and [SEP] (N, length), padded at the end. A classifier adds both itself.
            segments: 0 for the first segment, 1 for the second (N, length); by default all are the first.
        """
        if self.classifier is not None:
            logits: Tensor = self.classifier(self.dropout(self.encode(words)))
            return logits
        hidden, pooled = self.read(words, segments)
        if self.cls is None:
            return {"hidden": hidden, "pooled": pooled}
        outputs: dict[str, Tensor] = self.cls(hidden, pooled, self.embeddings.word_embeddings.weight)
        return outputs


def join(first: Tensor, second: Tensor | None, cls_token: int, sep_token: int) -> tuple[Tensor, Tensor]:
    """Return what `Bert.join` does."""
    cls, sep = (first.new_full((len(first), 1), token) for token in (cls_token, sep_token))
    parts = [(0, cls), (0, first), (0, sep)] + ([] if second is None else [(1, second), (1, sep)])
    words = torch.cat([part for _, part in parts], dim=1)
    segments = torch.cat([torch.full_like(part, segment) for segment, part in parts], dim=1)
    order = (words == PAD).to(torch.uint8).argsort(dim=1, stable=True)  # padding between the parts moves to the end
    words, segments = words.gather(1, order), segments.gather(1, order)
    longest = words.shape[1] if words.is_meta else int((words != PAD).sum(dim=1).max())
    return words[:, :longest], segments[:, :longest] * (words[:, :longest] != PAD)


FAMILY = dict(
    family="bert",
    year=2018,
    paper="arXiv:1810.04805",
    topic="bert",
    task="masked-words",
    contribution=(
        "An encoder that reads the words on both sides, pre-trained without labels: words are masked and predicted, "
        "and whether a sentence follows another. One more layer fine-tunes it for a task."
    ),
    builds_on=("transformer", "gpt1"),
    network="Bert",
    names={"bert": dict()},
    inputs=dict(words="int64[length]", segments="int64[length]"),
    outputs=dict(hidden="float32[length, hidden_size]", pooled="float32[hidden_size]"),
    alternatives=dict(
        num_relations=dict(
            inputs=dict(words="int64[length]", segments="int64[length]"),
            outputs=dict(words="float32[length, vocabulary]", relation="float32[num_relations]"),
        ),
        num_classes=dict(inputs=dict(words="int64[length]"), outputs=dict(logits="float32[num_classes]")),
    ),
    sizes=dict(vocabulary="vocab_size", relations="num_relations", classes="num_classes"),
    parts=dict(encoder=("embeddings.", "encoder.", "pooler.")),
    params={"bert": 109_482_240},
    mini=dict(
        vocab_size=424,
        hidden_size=64,
        num_layers=2,
        num_heads=4,
        intermediate_size=256,
        max_length=128,
        dropout=0.0,
        num_relations=2,
    ),
    recipe=dict(lr=3e-3, batch_size=32, epochs=15, schedule="one-cycle", clip_norm=1.0),
    reference="transformers",
)
