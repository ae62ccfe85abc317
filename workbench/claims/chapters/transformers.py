"""Claims about Transformers: attention, positions, masks, BLEU."""

from collections import Counter
from collections.abc import Iterator
from math import exp, log, log2
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import Paired, Slope
from workbench.claims.evidence import Evidence, near, true

if TYPE_CHECKING:
    from torch import Tensor, nn


def attention_by_hand(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    n, m, d_k, d_v = (int(value) for value in np.random.default_rng(seed).integers(2, 9, size=4))
    query, key, value = (torch.randn(*shape, dtype=torch.double) for shape in ((n, d_k), (m, d_k), (m, d_v)))
    rows = []
    for q in query.numpy():
        scores = [float(q @ k) / d_k**0.5 for k in key.numpy()]
        weights = [exp(score) for score in scores]
        rows.append(sum(w * v for w, v in zip(weights, value.numpy(), strict=True)) / sum(weights))
    torch_output = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
    yield near("torch's attention, and query by query", torch_output, np.array(rows), 1e-12)


SDPA_FORMULA = Exact(
    id="sdpa-formula",
    statement="Scaled dot-product attention is softmax(Q K^T / sqrt(d_k)) V.",
    topic="self-attention",
    evidence=attention_by_hand,
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), equation 1",
)


def dot_products(seed: int, d_k: int) -> "Tensor":
    """Return the dot products of 256 queries with 64 keys of independent standard normal numbers, (256, 64)."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    query, key = (torch.randn(count, d_k, generator=generator) for count in (256, 64))
    return query @ key.T


def variances(seed: int) -> list[tuple[float, float]]:
    """Return key sizes d_k and the variance of dot products."""
    return [(float(d_k), float(dot_products(seed, d_k).var())) for d_k in (4, 8, 16, 32, 64, 128, 256)]


SQRT_DK_SCALING = Scaling(
    id="sqrt-dk-scaling",
    statement=(
        "The variance of the dot product of random queries and keys grows in proportion to d_k, so dividing by "
        "sqrt(d_k) keeps it constant."
    ),
    topic="self-attention",
    points=variances,
    decider=Slope(0.95, 1.05),
    seeds=8,
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), section 3.2.1, footnote 4",
)


def entropy(seed: int, *, is_scaled: bool, d_k: int) -> float:
    """Return the mean entropy of the attention weights over 64 keys, in bits; at most 6."""
    scores = dot_products(seed, d_k)
    weights = (scores / d_k**0.5 if is_scaled else scores).softmax(dim=1)
    return float(-(weights * weights.clamp_min(1e-30).log2()).sum(dim=1).mean())


SQRT_DK_KEEPS_SOFTMAX_SOFT = Empirical(
    id="sqrt-dk-keeps-softmax-soft",
    statement=(
        "Without the division by sqrt(d_k), attention with d_k = 256 almost chooses a single key: its weights have at "
        "least 3 bits less entropy."
    ),
    topic="self-attention",
    arms=dict(scaled=trial(entropy, is_scaled=True, d_k=256), unscaled=trial(entropy, is_scaled=False, d_k=256)),
    control=dict(d_k=1),
    measure="bits",
    decider=Paired(min_effect=3.0, unit="bits"),
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), section 3.2.1",
    note="Where the softmax has nearly one weight of 1, its gradient is nearly 0.",
)


def sinusoids(positions: int, features: int) -> "Tensor":
    """Return the positional encodings of the Transformer, (positions, features)."""
    import torch

    angles = torch.arange(positions).double()[:, None] / 10000 ** (torch.arange(0, features, 2).double() / features)
    return torch.stack([angles.sin(), angles.cos()], dim=2).flatten(1)


def unique_positions(seed: int) -> Iterator[Evidence]:
    import torch

    rng = np.random.default_rng(seed)
    features, offset = 2 * int(rng.integers(8, 33)), int(rng.integers(1, 100))
    code = sinusoids(10_000, features)
    distances = torch.cdist(code[:2000], code[:2000]) + 10 * torch.eye(2000).double()
    yield true(
        "the first 2,000 positions differ", bool(distances.min() > 1e-2), f"distance at least {distances.min():.3g}"
    )
    yield true("all 10,000 rows differ", len({tuple(row) for row in code.tolist()}) == 10_000)
    yield near(
        "norm of each row, and sqrt(d/2)",
        code.norm(dim=1),
        torch.full((10_000,), (features / 2) ** 0.5, dtype=torch.double),
        1e-9,
    )
    # For each sine and cosine, one 2x2 matrix, fitted to the first positions, moves every position by the offset.
    moved = torch.empty(4000, features).double()
    for pair in range(0, features, 2):
        columns = slice(pair, pair + 2)
        start, end = code[:1000, columns], code[offset : 1000 + offset, columns]
        moved[:, columns] = code[1000:5000, columns] @ torch.linalg.lstsq(start, end).solution
    expected = code[1000 + offset : 5000 + offset]
    yield near("positions moved by an offset, by one linear map", moved, expected, 1e-6)


POSITIONAL_ENCODING = Exact(
    id="positional-encoding",
    statement=(
        "Sinusoidal encodings of positions up to 10,000 are all different, of the same norm, and one linear map per "
        "offset moves all of them by the offset."
    ),
    topic="self-attention",
    evidence=unique_positions,
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), section 3.5",
    note="The map turns each pair of sine and cosine by an angle.",
)


def encoder_layer(seed: int) -> "nn.TransformerEncoderLayer":
    """Return torch's encoder layer without dropout, in float64."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    return nn.TransformerEncoderLayer(16, 4, 32, dropout=0.0, batch_first=True, dtype=torch.double)


def permuted_tokens(seed: int) -> Iterator[Evidence]:
    import torch

    layer = encoder_layer(seed)
    x, order = torch.randn(1, 9, 16, dtype=torch.double), torch.randperm(9)
    position = sinusoids(9, 16)
    with torch.no_grad():
        yield near("outputs of permuted tokens, and permuted outputs", layer(x[:, order]), layer(x)[:, order], 1e-10)
        difference = (layer(x[:, order] + position) - layer(x + position)[:, order]).abs().max()
    yield true("with positional encodings they differ", bool(difference > 1e-2), f"by up to {difference:.3g}")


ATTENTION_PERMUTATION_EQUIVARIANT = Exact(
    id="attention-permutation-equivariant",
    statement=(
        "Without positional encodings, a Transformer layer gives permuted tokens permuted outputs: it doesn't know "
        "their order."
    ),
    topic="self-attention",
    evidence=permuted_tokens,
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), section 3.5",
)


def masked_future(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    layers = nn.ModuleList([encoder_layer(seed), encoder_layer(seed + 1000)])
    place = int(np.random.default_rng(seed).integers(1, 9))
    x = torch.randn(1, 9, 16, dtype=torch.double)
    other = x.clone()
    other[:, place] += 1
    mask = nn.Transformer.generate_square_subsequent_mask(9, dtype=torch.double)

    def run(tokens: "Tensor", mask: "Tensor | None") -> "Tensor":
        for layer in layers:
            tokens = layer(tokens, src_mask=mask)
        return tokens

    with torch.no_grad():
        change, free_change = ((run(x, m) - run(other, m)).abs().amax(dim=2)[0] for m in (mask, None))
    yield near("change of the outputs before a token that changes, and 0", change[:place], torch.zeros(place), 0)
    yield true("the outputs from that token change", bool((change[place:] > 1e-6).all()))
    yield true("without the mask, the outputs before it change, too", bool((free_change[:place] > 1e-6).all()))


GPT_CAUSAL = Exact(
    id="gpt-causal",
    statement="With a causal mask, as in GPT, an output depends on no later token, through any number of layers.",
    topic="gpt",
    evidence=masked_future,
    expected="holds",
    source="Vaswani et al., Attention is all you need (2017), section 3.2.3; Radford et al., GPT (2018)",
    note="So all positions of a text are trained in one pass. BERT has no such mask.",
)


def log_layer_time(seed: int, *, layer: str, length: int) -> float:
    """Return log2 of the CPU time of a forward pass of a layer of 64 features over 8 sequences, in ms."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    x = torch.randn(8, length, 64)
    if layer == "rnn":
        rnn = nn.RNN(64, 64, batch_first=True)
        with torch.no_grad():
            return log2(cpu_ms(lambda: rnn(x)))
    attention = nn.MultiheadAttention(64, 4, batch_first=True)
    with torch.no_grad():
        return log2(cpu_ms(lambda: attention(x, x, x, need_weights=False)))


TRANSFORMER_PARALLEL = Empirical(
    id="transformer-parallel",
    statement=(
        "Attention, which computes all positions of a sequence at once, is faster than an RNN, by 10% or more, on "
        "sequences of 1,024 tokens."
    ),
    topic="self-attention",
    arms={name: trial(log_layer_time, layer=name, length=1024) for name in ("rnn", "attention")},
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=log2(1.1), unit="(log2)"),
    is_timed=True,
    expected="does_not_hold",
    source="Vaswani et al., Attention is all you need (2017), table 1",
    note=(
        "On a CPU core nothing runs in parallel, and attention's cost is quadratic in the length. On GPUs, where it "
        "does, attention needs one step where an RNN needs one per token; for short sequences it is faster here, too."
    ),
)


TRANSFORMER_PARALLEL_SHORT = Empirical(
    id="transformer-parallel-short",
    statement="Attention is faster than an RNN, by 10% or more, on sequences of 64 tokens.",
    topic="self-attention",
    arms={name: trial(log_layer_time, layer=name, length=64) for name in ("rnn", "attention")},
    control=dict(length=1024),
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=log2(1.1), unit="(log2)"),
    is_timed=True,
    expected="holds",
    note=(
        "On one CPU core: a few large operations take less time than 64 small ones. At 1,024 tokens the quadratic cost "
        "outweighs that."
    ),
)


def ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    """Return how often each n-gram occurs."""
    return Counter(tuple(words[k : k + n]) for k in range(len(words) - n + 1))


def bleu(hypothesis: str, reference: str) -> float:
    """Return BLEU-4 with one reference, from 0 to 100."""
    words, target = hypothesis.split(), reference.split()
    precisions = [
        (ngrams(words, n) & ngrams(target, n)).total() / max(1, ngrams(words, n).total()) for n in (1, 2, 3, 4)
    ]
    if min(precisions) == 0:
        return 0.0
    return 100 * exp(min(0.0, 1 - len(target) / len(words)) + sum(map(log, precisions)) / 4)


def bleu_of_texts(seed: int) -> Iterator[Evidence]:
    from sacrebleu.metrics.bleu import BLEU

    metric = BLEU(tokenize="none", smooth_method="none", effective_order=False)

    def library(hypothesis: str, reference: str) -> float:
        return float(metric.corpus_score([hypothesis], [[reference]]).score)

    rng = np.random.default_rng(seed)
    for kind in ("of about the same length", "of half the length"):
        reference = rng.choice(["a", "b", "c", "d"], size=24).tolist()
        hypothesis = [word if rng.random() < 0.85 else "x" for word in reference]
        texts = " ".join(hypothesis[:12] if kind == "of half the length" else hypothesis), " ".join(reference)
        yield near(f"BLEU of sacrebleu, and by its definition, for a text {kind}", library(*texts), bleu(*texts), 1e-6)
    words = metric.corpus_score(["the the the the the the the"], [["the cat is on the mat"]])
    yield near("clipped precision of seven times 'the', in %", words.precisions[0], 200 / 7, 1e-6)
    text = " ".join(rng.choice(["a", "b", "c"], size=16))
    half = " ".join(text.split()[:8])
    yield near("BLEU of the first half of a text, and exp(1 - 2)", library(half, text), 100 * exp(-1), 1e-6)


BLEU_CLIPPED_BREVITY = Exact(
    id="bleu-clipped-brevity",
    statement=(
        "BLEU is the geometric mean of the clipped precisions of 1- to 4-grams, times exp(1 - r/c) if the text of c "
        "words is shorter than the reference of r."
    ),
    topic="bleu",
    evidence=bleu_of_texts,
    expected="holds",
    source="Papineni et al., BLEU (2002), sections 2.1 to 2.3",
    note="Tools differ in tokenization and smoothing, so state them with every BLEU.",
)
