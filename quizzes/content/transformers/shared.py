"""Symbols and counts of formulas of several topics: Transformers."""

from typing import Any

from quizzes.symbols import Int, Word
from workbench.errors import UserError

VASWANI = "Vaswani et al., Attention Is All You Need, 2017 (arXiv:1706.03762)"

SWIGLU = "Shazeer, GLU Variants Improve Transformer, 2020 (arXiv:2002.05202)"

GROUPED_QUERIES = "Ainslie et al., GQA, 2023 (arXiv:2305.13245)"

RMS_NORM = "Zhang & Sennrich, Root Mean Square Layer Normalization, 2019 (arXiv:1910.07467)"

MODEL_WIDTH = Int(1, 1000000, "model width")


HIDDEN_WIDTH = Int(1, 4000000, "width of the hidden layer of the feed-forward network")


NUM_HEADS = Int(1, 1000, "number of heads")


HEAD_SIZE = Int(1, 10000, "head size")


NUM_LAYERS = Int(1, 10000, "number of layers")


SEQUENCE_LENGTH = Int(1, 10000000, "number of tokens")


VOCABULARY_SIZE = Int(2, 10000000, "vocabulary size")


BATCH_SIZE = Int(1, 1000000, "batch size")


# What the parameters of a layer depend on, for formulas that take a configuration; optional symbols come last.
LAYER_SYMBOLS: dict[str, Any] = dict(
    width=MODEL_WIDTH,
    heads=NUM_HEADS,
    activation=Word(words=("gelu", "swiglu"), meaning="activation of the feed-forward network", default="gelu"),
    norm=Word(words=("layernorm", "rmsnorm"), meaning="normalization", default="layernorm"),
    biases=Word(words=("yes", "no"), meaning="biases of the linear layers", default="yes"),
    ffn=Int(1, 4000000, "hidden width of the feed-forward network, 4 times the width by default", optional=True),
    kv_heads=Int(1, 1000, "number of key-value heads, that of the query heads by default", optional=True),
    head_size=Int(1, 10000, "head size, width/heads by default", optional=True),
)


def check_heads(width: int, heads: int, kv_heads: int | None = None, head_size: int | None = None) -> tuple[int, int]:
    """Return the head size and the number of key-value heads.

    Raises:
        UserError: If the heads don't fit the width or each other.
    """
    if head_size is None and width % heads:
        raise UserError(f"width ({width}) must be a multiple of heads ({heads}), unless head_size is given.")
    if heads % (kv_heads or heads):
        raise UserError(f"heads ({heads}) must be a multiple of kv_heads ({kv_heads}).")
    return head_size or width // heads, kv_heads or heads


def layer_parameters(
    width: int,
    heads: int,
    activation: str = "gelu",
    norm: str = "layernorm",
    biases: str = "yes",
    ffn: int | None = None,
    kv_heads: int | None = None,
    head_size: int | None = None,
    attentions: int = 1,
) -> dict[str, int]:
    """Return the numbers of parameters of a layer: attention, feed-forward network and normalizations.

    Args:
        width: The model width.
        heads: The number of query heads.
        activation: gelu or swiglu, which has a third matrix.
        norm: layernorm or rmsnorm, which has no bias.
        biases: Whether linear layers have biases, yes or no.
        ffn: The hidden width; None for 4 times the width.
        kv_heads: The number of key-value heads; None for that of the query heads.
        head_size: The head size; None for width/heads.
        attentions: The number of attentions, 2 in a decoder with cross-attention.

    Raises:
        UserError: If the heads don't fit the width or each other.
    """
    size, groups = check_heads(width, heads, kv_heads, head_size)
    hidden, has_biases = ffn or 4 * width, int(biases == "yes")
    queries, keys, matrices = heads * size, groups * size, 3 if activation == "swiglu" else 2
    attention = 2 * width * queries + 2 * width * keys + has_biases * (queries + 2 * keys + width)
    feed_forward = matrices * width * hidden + has_biases * ((matrices - 1) * hidden + width)
    return {
        "attention": attentions * attention,
        "feed_forward": feed_forward,
        "norms": (attentions + 1) * norm_parameters(width, norm),
    }


def norm_parameters(width: int, norm: str) -> int:
    """Return the number of parameters of a normalization: a weight per feature, and a bias in a LayerNorm."""
    return width * (2 if norm == "layernorm" else 1)


def table_of(parts: dict[str, int], times: dict[str, int]) -> list[dict[str, Any]]:
    """Return the rows of a table of parameters: each part with how often it occurs."""
    return [
        dict(part=name.replace("_", " "), parameters=count, times=times.get(name, 1), total=count * times.get(name, 1))
        for name, count in parts.items()
    ]
