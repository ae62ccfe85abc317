"""GPT: formulas."""

from itertools import pairwise
from typing import Any

from quizzes.answer_symbols import Choice, Choices, Line, LineNumber, Match
from quizzes.content.transformers.gpt.decoding import TOKENS, keep_top_p, sample, softmax
from quizzes.content.transformers.shared import (
    BATCH_SIZE,
    GROUPED_QUERIES,
    HEAD_SIZE,
    HIDDEN_WIDTH,
    LAYER_SYMBOLS,
    MODEL_WIDTH,
    NUM_HEADS,
    NUM_LAYERS,
    RMS_NORM,
    SEQUENCE_LENGTH,
    SWIGLU,
    VOCABULARY_SIZE,
    layer_parameters,
    norm_parameters,
    table_of,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Real, Shape, Table, Text, Texts, Vector, Word
from workbench.errors import UserError

GPT2 = "Radford et al., Language Models are Unsupervised Multitask Learners, 2019 (GPT-2)"

KAPLAN = "Kaplan et al., Scaling Laws for Neural Language Models, 2020 (arXiv:2001.08361), section 2.1"

CHINCHILLA = "Hoffmann et al., Training Compute-Optimal Large Language Models, 2022 (arXiv:2203.15556)"

TOP_K = "Fan, Lewis & Dauphin, Hierarchical Neural Story Generation, 2018 (arXiv:1805.04833)"

NUCLEUS = "Holtzman et al., The Curious Case of Neural Text Degeneration, 2019 (arXiv:1904.09751)"

CONTEXT = Int(1, 10000000, "context length, the number of learned positions")


GPT_SIZE = Formula(
    "gpt-size",
    """
    E = (V + C)*d
    B = 12*d^2 + 13*d
    P = E + L*B + 2*d
    """,
    title="Parameters of a GPT like GPT-2",
    source=f"{GPT2}; derivation: a layer has 4d^2 + 4d in the attention, 8d^2 + 5d in the feed-forward network of "
    "hidden "
    "width 4d, and two LayerNorms of 2d; one LayerNorm follows the last layer, and the output layer is the embedding",
    V=VOCABULARY_SIZE,
    C=CONTEXT,
    d=MODEL_WIDTH,
    L=NUM_LAYERS,
    E=Int(meaning="number of parameters of the token and position embeddings"),
    B=Int(meaning="number of parameters of a layer"),
    P=Int(meaning="number of parameters"),
)


GPT_BUDGET = Formula(
    "gpt-budget",
    """
    R = (V + C)*d + 2*d
    B = 12*d^2 + 13*d
    L = floor((M - R)/B)
    P = R + L*B
    """,
    title="Number of layers of a GPT within a parameter budget",
    source=GPT_SIZE.source,
    M=Int(1, 1000000000000, "parameter budget"),
    V=VOCABULARY_SIZE,
    C=CONTEXT,
    d=MODEL_WIDTH,
    R=Int(meaning="number of parameters outside of the layers"),
    B=Int(meaning="number of parameters of a layer"),
    L=Int(0, meaning="largest number of layers within the budget"),
    P=Int(meaning="number of parameters of that GPT"),
)


GPT_TYING = Formula(
    "gpt-tying",
    """
    P = (V + C)*d + L*(12*d^2 + 13*d) + 2*d
    U = P + V*d
    r = 100*V*d/P
    """,
    title="Parameters of a GPT with a tied or an untied output layer",
    source="Press & Wolf, Using the Output Embedding to Improve Language Models, 2017 (arXiv:1608.05859); "
    f"{GPT2}; derivation: an output layer of its own has V d weights",
    V=VOCABULARY_SIZE,
    C=CONTEXT,
    d=MODEL_WIDTH,
    L=NUM_LAYERS,
    P=Int(meaning="number of parameters with the output layer tied to the embedding"),
    U=Int(meaning="number of parameters with an output layer of its own, without biases"),
    r=Real(0, 100, "share of the token embedding in the tied network", unit="%"),
)


SWIGLU_GPT = Formula(
    "swiglu-gpt",
    """
    A = 2*d*h*e + 2*d*g*e
    F = 3*d*f
    P = 2*V*d + L*(A + F + 2*d) + d
    """,
    title="Parameters of a GPT with RMSNorm, SwiGLU and grouped queries",
    source=f"{SWIGLU}; {GROUPED_QUERIES}; {RMS_NORM}; derivation: no biases, rotary positions without parameters, "
    "three "
    "matrices in the feed-forward network, a weight per feature in each RMSNorm",
    conventions="The embedding and the output layer are separate.",
    V=VOCABULARY_SIZE,
    d=MODEL_WIDTH,
    L=NUM_LAYERS,
    h=Int(1, 1000, "number of query heads"),
    g=Int(1, 1000, "number of key-value heads"),
    e=HEAD_SIZE,
    f=HIDDEN_WIDTH,
    A=Int(meaning="number of parameters of a layer's attention"),
    F=Int(meaning="number of parameters of a layer's feed-forward network"),
    P=Int(meaning="number of parameters"),
)


def _gpt_table(
    layers: int, vocabulary: int, context: int, tied: str, positions: str, width: int, norm: str, **options: Any
) -> dict[str, Any]:
    parts = dict(token_embedding=vocabulary * width)
    if positions == "learned":
        parts["position_embedding"] = context * width
    parts |= layer_parameters(width=width, norm=norm, **options)
    parts["last_norm"] = norm_parameters(width, norm)
    if tied == "no":
        parts["output_layer"] = vocabulary * width
    table = table_of(parts, dict.fromkeys(("attention", "feed_forward", "norms"), layers))
    params = sum(row["total"] for row in table)
    return {
        "table": table,
        "per_layer": sum(parts[name] for name in ("attention", "feed_forward", "norms")),
        "params": params,
        "params_without_positions": params - parts.get("position_embedding", 0),
    }


GPT_PARAMS = Formula(
    "gpt-params",
    "",
    title="Parameters of a GPT, from its configuration",
    source=f"{GPT2}; {SWIGLU}; {GROUPED_QUERIES}; {RMS_NORM}",
    conventions="""
The defaults are those of GPT-2: LayerNorms before each sublayer and after the
last layer, biases, GELU with 4 times the width, learned positions, and an
output layer tied to the embedding, without biases. nanoGPT prints the number
without positions. With positions=none (sinusoidal or rotary), the context
doesn't matter.
""",
    procedure=_gpt_table,
    procedure_outputs="table per_layer params params_without_positions",
    layers=NUM_LAYERS,
    vocabulary=VOCABULARY_SIZE,
    context=Int(1, 10000000, "context length", default=1024),
    **LAYER_SYMBOLS,
    tied=Word(words=("yes", "no"), meaning="output layer tied to the embedding", default="yes"),
    positions=Word(words=("learned", "none"), meaning="parameters of positions", default="learned"),
    table=Table(meaning="parameters of each part"),
    per_layer=Int(meaning="number of parameters of a layer"),
    params=Int(meaning="number of parameters"),
    params_without_positions=Int(meaning="number of parameters without learned positions"),
)


TRANSFORMER_RULE = Formula(
    "transformer-12Ld2",
    "N = 12*L*d^2/10^6",
    title="Parameters of a Transformer without embeddings, approximately",
    source=f"{KAPLAN}; derivation: 4d^2 weights in the attention and 8d^2 in a feed-forward network of hidden width 4d",
    conventions="Biases and normalizations, a share of about 1/d, are left out.",
    L=NUM_LAYERS,
    d=Real(1, 1000000, "model width"),
    N=Real(0, meaning="parameters without embeddings", unit="millions"),
)


SWIGLU_WIDTH = Formula(
    "swiglu-width",
    "f = (2*m + 2 - 2*g/h)*d/3",
    title="Hidden width of SwiGLU for an equal number of weights",
    source=f"{SWIGLU}, section 3; derivation: 4d^2 + 2m d^2 = 2d^2 + 2d^2 g/h + 3d f, solved for f; for g = h and m = "
    "4, "
    "f = 8d/3",
    m=Real(0, 100, "hidden width of the old feed-forward network over the model width"),
    h=Int(1, 1000, "number of query heads"),
    g=Int(1, 1000, "number of key-value heads"),
    d=Real(1, 100000, "model width"),
    f=Real(0, meaning="hidden width of SwiGLU"),
)


def _check_probabilities(p: list[Value]) -> dict[str, int]:
    if 0 in p:
        raise UserError(f"The perplexity is infinite, because p[{p.index(0) + 1}] is 0.")
    return {"n": len(p)}


PERPLEXITY = Formula(
    "perplexity",
    """
    H = -mean(i, ln(p[i]))
    PP = exp(H)
    bits = H/ln(2)
    """,
    title="Perplexity of a sequence from the probabilities of its tokens",
    source="derivation: the exponential of the mean negative log-probability per token; 1/V for each token gives V",
    procedure=_check_probabilities,
    procedure_outputs="n",
    p=Vector(0, 1, "probability of each token, given those before it"),
    n=Int(meaning="number of tokens"),
    H=Real(0, meaning="cross-entropy per token", unit="nats"),
    PP=Real(1, meaning="perplexity"),
    bits=Real(0, meaning="cross-entropy per token", unit="bits"),
)


PERPLEXITY_OF_LOSS = Formula(
    "perplexity-of-loss",
    "PP = exp(H)",
    title="Perplexity of a cross-entropy",
    source="derivation: the exponential of the mean negative log-probability per token, in nats",
    H=Real(0, 100, "cross-entropy per token", unit="nats"),
    PP=Real(1, meaning="perplexity"),
)


WORD_PERPLEXITY = Formula(
    "word-perplexity",
    """
    W1 = P1^t1
    W2 = P2^t2
    better = where(W1 < W2, 1, 2)
    """,
    title="Perplexity per word of two models with different tokens",
    source="derivation: a word of t tokens costs t ln P nats on average, so the perplexity per word is P^t",
    P1=Real(1, 100000, "perplexity per token of model 1"),
    t1=Real(1, 100, "tokens per word of model 1"),
    P2=Real(1, 100000, "perplexity per token of model 2"),
    t2=Real(1, 100, "tokens per word of model 2"),
    W1=Real(1, meaning="perplexity per word of model 1"),
    W2=Real(1, meaning="perplexity per word of model 2"),
    better=Choice(
        meaning="better model",
        options=dict(one="model 1", two="model 2"),
        supported_by="W1 W2",
    ),
)


def distinct_pairs(text: str) -> tuple[int, int]:
    """Return the numbers of different bigrams and of all bigrams of a text."""
    words = text.split()
    pairs = list(pairwise(words))
    return len({*pairs}), len(pairs)


def _fingerprint(a: str, b: str, c: str, H: list[Value], loop: str, noise: str) -> dict[str, Any]:
    order = sorted("abc", key=lambda name: H["abc".index(name)])
    different, count = distinct_pairs(dict(a=a, b=b, c=c)[loop])
    return {
        "setting": dict(zip(order, ("greedy", "nucleus", "hot"), strict=True)),
        "different": different,
        "count": count,
        "loss": H["abc".index(noise)],
    }


FINGERPRINT = Formula(
    "decoding-fingerprint",
    """
    D = different/count
    PP = exp(loss)
    """,
    title="Decoding of three texts: greedy, top-p or a high temperature",
    source=f"{NUCLEUS}: greedy decoding repeats itself with very likely tokens, and sampling from flat distributions "
    "is "
    "incoherent; Li et al., A Diversity-Promoting Objective Function, 2016 (arXiv:1510.03055), on distinct-2",
    procedure=_fingerprint,
    procedure_outputs="setting different count loss",
    a=Text(meaning="first text"),
    b=Text(meaning="second text"),
    c=Text(meaning="third text"),
    H=Vector(0, meaning="mean negative log-likelihood per token of the texts"),
    loop=Word(words=("a", "b", "c"), meaning="text whose distinct-2 is computed"),
    noise=Word(words=("a", "b", "c"), meaning="text whose perplexity is computed"),
    setting=Match(
        meaning="decoding of each text",
        items=dict(a="text (a)", b="text (b)", c="text (c)"),
        options=dict(greedy="greedy", nucleus="top-p with p = 0.9", hot="temperature 2"),
    ),
    different=Int(meaning="number of different bigrams"),
    count=Int(meaning="number of bigrams"),
    loss=Real(meaning="mean negative log-likelihood of the other text"),
    D=Real(0, 1, "distinct-2: different bigrams over all bigrams"),
    PP=Real(1, meaning="perplexity of that text"),
)


def _diagnose_start(V: int, H: Value) -> dict[str, str]:
    from math import log

    expected = log(V)
    return {"problem": "leak" if float(H) < 0.5 * expected else "large" if float(H) > 1.3 * expected else "fine"}


INITIAL_LOSS = Formula(
    "gpt-initial-loss",
    """
    H0 = ln(V)
    PP = exp(H)
    """,
    title="Loss of a language model before training",
    source="derivation: with small initial weights all logits are nearly equal, so each of the V tokens gets about "
    "1/V, "
    "and the cross-entropy is about ln V",
    procedure=_diagnose_start,
    procedure_outputs="problem",
    V=VOCABULARY_SIZE,
    H=Real(0, 100, "loss of the first batch, before any update", unit="nats"),
    H0=Real(0, meaning="loss at equal logits", unit="nats"),
    PP=Real(1, meaning="perplexity of the first batch"),
    problem=Choice(
        meaning="diagnosis",
        options=dict(
            fine="the start is as expected",
            large="the initial logits are too large, so the model is confident at random",
            leak="the model sees the tokens that it has to predict",
        ),
        supported_by="H0",
    ),
)


KV_CACHE = Formula(
    "kv-cache",
    "M = 2*L*T*g*e*B*b/2^30",
    title="Memory of a key-value cache",
    source=f"derivation: a key and a value of g e numbers for each layer, token and sequence; {GROUPED_QUERIES}",
    conventions="Without grouped queries, g is the number of heads, and g e the model width.",
    L=NUM_LAYERS,
    T=SEQUENCE_LENGTH,
    g=Int(1, 1000, "number of key-value heads"),
    e=HEAD_SIZE,
    B=Int(1, 1000000, "batch size", default=1),
    b=Int(1, 8, "bytes per number: 4 in float32, 2 in float16", default=2),
    h=Int(1, 1000, "number of query heads, which does not matter", optional=True),
    M=Real(0, meaning="memory", unit="GiB"),
)


KV_PER_TOKEN = Formula(
    "kv-cache-per-token",
    """
    m = 2*L*h*e*b/1024
    k = 2*L*g*e*b/1024
    o = 2*L*e*b/1024
    r = m/k
    """,
    title="Key-value cache per token with full, grouped and multi-query attention",
    source=f"{GROUPED_QUERIES}; Shazeer, Fast Transformer Decoding, 2019 (arXiv:1911.02150), on multi-query attention",
    L=NUM_LAYERS,
    h=Int(1, 1000, "number of query heads"),
    g=Int(1, 1000, "number of key-value heads"),
    e=HEAD_SIZE,
    b=Int(1, 8, "bytes per number"),
    m=Real(0, meaning="cache per token with a key-value head per query head", unit="KiB"),
    k=Real(0, meaning="cache per token with grouped queries", unit="KiB"),
    o=Real(0, meaning="cache per token with one key-value head", unit="KiB"),
    r=Real(0, meaning="factor by which grouped queries make the cache smaller"),
)


KV_WORK = Formula(
    "kv-cache-work",
    """
    W = m*n + m*(m - 1)/2
    C = n + m - 1
    r = W/C
    """,
    title="Token positions that are computed with and without a key-value cache",
    source="derivation: without a cache, the new token k needs a pass over n + k - 1 positions; with a cache, every "
    "position is computed once, and the last token is not fed back",
    n=Int(1, 1000000, "number of tokens of the prompt"),
    m=Int(1, 1000000, "number of new tokens"),
    W=Int(meaning="positions computed without a cache"),
    C=Int(meaning="positions computed with a cache"),
    r=Real(1, meaning="how many times as many positions without a cache"),
)


def _fitting_heads(G: Value, W: Value, L: int, T: int, e: int, h: int, g: int, k: int) -> dict[str, Any]:
    free = (G - W) * 2**30
    numbers = [int(free // (2 * L * T * heads * e * 2)) for heads in (h, g, 1)]
    return {"n": numbers, "choice": next((i for i, n in enumerate(numbers, 1) if n >= k), 4)}


KV_HEADS = Formula(
    "kv-heads-choice",
    "best = choice",
    title="Number of key-value heads for a batch that must fit into memory",
    source=f"derivation: 2 L T g e numbers of 2 bytes per sequence; {GROUPED_QUERIES}",
    procedure=_fitting_heads,
    procedure_outputs="n choice",
    G=Real(0, 100000, "memory", unit="GiB"),
    W=Real(0, 100000, "memory of the weights", unit="GiB"),
    L=NUM_LAYERS,
    T=SEQUENCE_LENGTH,
    e=HEAD_SIZE,
    h=Int(1, 1000, "number of query heads"),
    g=Int(1, 1000, "number of key-value heads with grouped queries"),
    k=Int(1, 100000, "number of sequences that must fit"),
    n=Vector(meaning="number of sequences that fit with h, g and 1 key-value heads"),
    choice=Int(meaning="number of the choice"),
    best=Choice(
        meaning="largest number of key-value heads with which the batch fits",
        options=dict(full="{h} key-value heads", grouped="{g} key-value heads", one="1 key-value head", never="none"),
        supported_by="n",
    ),
)


def _cached_positions(n: int, s: int, bug: str, line: int | None = None, fix: Any = None) -> dict[str, Any]:
    right = list(range(1, n + s + 1))
    # A cache of one token gives the next one the position 1.
    prints = {"position": [*right[:n], *[1] * s], "cache": [2]}[bug]
    return {"prints": prints, "fixed": right}


CACHE_POSITION = Formula(
    "cache-position",
    "",
    title="A key-value cache with a wrong line",
    source="derivation: a new token has the position after all tokens in the cache, and the cache must keep what it "
    "has",
    procedure=_cached_positions,
    procedure_outputs="prints fixed",
    n=Int(1, 100, "number of tokens of the prompt"),
    s=Int(2, 100, "number of new tokens"),
    bug=Word(words=("position", "cache"), meaning="kind of the bug"),
    line=LineNumber(meaning="number of the wrong line"),
    fix=Line(
        meaning="that line, corrected",
        signatures=("torch.cat(tensors, dim=0)", "torch.arange(start, end)"),
    ),
    prints=Vector(meaning="values that are printed"),
    fixed=Vector(meaning="values that the corrected program prints"),
)


TEMPERATURE = Formula(
    "temperature-odds",
    "P = 1/(1 + exp(-g/T))",
    title="Probability of the likelier of two tokens at a temperature",
    source="derivation: the softmax of (g, 0)/T gives the first token 1/(1 + exp(-g/T))",
    g=Real(-100, 100, "difference of the two logits"),
    T=Real(0.01, 100, "temperature"),
    P=Real(0, 1, "probability of the first token"),
)


TEMPERATURE_FOR_ODDS = Formula(
    "temperature-for-odds",
    "T = g/ln((1 - q)/q)",
    title="Temperature for the probability of the less likely of two tokens",
    source="derivation: q = 1/(1 + exp(g/T)), so g/T = ln((1 - q)/q)",
    g=Real(0, 20, "difference of the two logits"),
    q=Real(0.001, 0.49, "probability of the less likely token"),
    T=Real(0, meaning="temperature"),
)


def _nucleus(z: list[Value], T: Value, k: int, c: Value) -> dict[str, Any]:
    if len(z) != len(TOKENS):
        raise UserError(f"z must have {len(TOKENS)} logits, one per token {', '.join(TOKENS)}.")
    candidates = keep_top_p(softmax(z, T), c)
    return {"nucleus": [name for name, is_kept in zip(TOKENS, candidates, strict=True) if is_kept]}


TOP_K_TOP_P = Formula(
    "top-k-top-p",
    """
    p[i] = exp(z[i]/T)/sum(m, exp(z[m]/T))
    rank[i] = 1 + sum(j, [p[j] > p[i]])
    q[i] = [rank[i] <= k]*p[i]/sum(m, [rank[m] <= k]*p[m])
    """,
    title="Temperature, top-k and top-p of five tokens",
    source=f"{TOP_K}; {NUCLEUS}: the smallest set of the most likely tokens whose probability is at least p",
    procedure=_nucleus,
    procedure_outputs="nucleus",
    z=Vector(meaning="logits of the tokens A to E"),
    T=Real(0.01, 100, "temperature"),
    k=Int(1, 5, "number of tokens that top-k keeps"),
    c=Real(0, 1, "probability that the set of top-p must have"),
    p=Vector(0, 1, "probabilities at this temperature"),
    rank=Vector(meaning="rank of each token, the most likely one first"),
    q=Vector(0, 1, "probabilities after top-k"),
    nucleus=Choices(
        meaning="tokens that top-p keeps, of all tokens", options={name: f"token {name}" for name in TOKENS}
    ),
)


def _sample_token(
    z: list[Value], T: Value, k: int | None = None, p: Value = None, u: Value = None, words: list[str] | None = None
) -> dict[str, Any]:
    result = sample(z, T, k, p, u)
    names = words or [str(i) for i in range(1, len(z) + 1)]
    if len(names) != len(z):
        raise UserError(f"Give one word per logit: {len(z)} words, not {len(names)}.")
    candidates = [name for name, probability in zip(names, result["q"], strict=True) if probability > 0]
    return {**result, "candidates": candidates, "token": names[result["number"] - 1]}


SAMPLING_SYMBOLS: dict[str, Any] = dict(
    z=Vector(meaning="logits, one per token"),
    T=Real(0.001, 1000, "temperature", default=1),
    k=Int(1, 1000000, "number of tokens that top-k keeps, all by default", optional=True),
    p=Real(0, 1, "probability that the set of top-p must have, 1 by default", optional=True),
    u=Real(0, 1, "random number that draws the token; without it, the likeliest token is taken", optional=True),
)


SAMPLING = Formula(
    "sampling",
    "",
    title="Sampling of the next token: temperature, top-k, then top-p",
    source=f"{TOP_K}; {NUCLEUS}",
    conventions="""
Logits are divided by the temperature; top-k keeps the k most likely tokens, and
top-p the smallest set of the most likely remaining tokens whose renormalized
probability is at least p. Equal tokens keep their order. The token drawn is the
first whose cumulative probability, in the order of the tokens, is above u.
""",
    procedure=_sample_token,
    procedure_outputs="softmax top_k q candidates number token",
    **SAMPLING_SYMBOLS,
    words=Texts(meaning="tokens, their numbers by default", optional=True),
    softmax=Vector(0, 1, "probabilities at this temperature"),
    top_k=Vector(0, 1, "probabilities after top-k"),
    q=Vector(0, 1, "probabilities after top-p"),
    candidates=Labels(meaning="tokens that can be number"),
    number=Int(meaning="number of the token that is number, from 1"),
    token=Text(meaning="token that is number"),
)


def _draw_letter(z: list[Value], T: Value, k: int, p: Value, u: Value) -> dict[str, Any]:
    if len(z) != len(TOKENS):
        raise UserError(f"z must have {len(TOKENS)} logits, one per token {', '.join(TOKENS)}.")
    result = sample(z, T, k, p, u)
    candidates = sum(probability > 0 for probability in result["q"])
    return {"s": result["softmax"], "q": result["q"], "n": candidates, "token": TOKENS[result["number"] - 1]}


SAMPLING_CHAIN = Formula(
    "sampling-chain",
    "",
    title="Sampling of one of five tokens by temperature, top-k, top-p and a random number",
    source=f"{TOP_K}; {NUCLEUS}",
    conventions=SAMPLING.conventions,
    procedure=_draw_letter,
    procedure_outputs="s q n token",
    z=Vector(meaning="logits of the tokens A to E"),
    T=Real(0.01, 100, "temperature"),
    k=Int(1, 5, "number of tokens that top-k keeps"),
    p=Real(0, 1, "probability that the set of top-p must have"),
    u=Real(0, 1, "random number"),
    s=Vector(0, 1, "probabilities at this temperature, before top-k"),
    q=Vector(0, 1, "probabilities from which the token is number"),
    n=Int(meaning="number of tokens that can be number"),
    token=Choice(meaning="token that is number", options={name: f"token {name}" for name in TOKENS}, supported_by="q"),
)


TRAIN_COMPUTE = Formula(
    "train-compute",
    "C = 6*N*D",
    title="Compute of training a Transformer",
    source=f"{KAPLAN}: 2 FLOPs per parameter and token in the forward pass, and twice as many in the backward pass",
    conventions="1 EFLOP is 10^18 FLOPs. The part of attention that grows with the context is left out.",
    N=Real(0, 1000000, "parameters without embeddings", unit="billions"),
    D=Real(0, 1000000000, "training tokens", unit="billions"),
    C=Real(0, meaning="compute", unit="EFLOPs"),
)


CHINCHILLA_OPTIMUM = Formula(
    "chinchilla-optimum",
    """
    N = sqrt(C/120)
    D = 20*N
    """,
    title="Parameters and tokens that use a compute budget best",
    source=f"{CHINCHILLA}: parameters and tokens grow alike, with about 20 tokens per parameter; derivation: C = 6 N * "
    "20 N",
    C=Real(0, 1000000000000, "compute", unit="EFLOPs"),
    N=Real(0, meaning="parameters", unit="billions"),
    D=Real(0, meaning="training tokens", unit="billions"),
)


TRAIN_TIME = Formula(
    "train-time",
    "t = 6*N*D*10^6/(n*F*u/100*86400)",
    title="Time of training a Transformer",
    source=f"{KAPLAN}; derivation: the FLOPs of training over the FLOPs that n devices achieve per day of 86,400 s",
    N=Real(0, 1000000, "parameters", unit="billions"),
    D=Real(0, 1000000000, "training tokens", unit="billions"),
    n=Real(1, 10000000, "number of devices"),
    F=Real(0, 1000000, "peak of a device", unit="TFLOP/s"),
    u=Real(0, 100, "share of the peak that is achieved", unit="%"),
    t=Real(0, meaning="training time", unit="days"),
)


TRAIN_MEMORY = Formula(
    "train-memory",
    "M = 16*N",
    title="Memory of weights, gradients and Adam in mixed precision",
    source="Rajbhandari et al., ZeRO, 2020 (arXiv:1910.02054), section 3.1: 2 bytes for the weight, 2 for the "
    "gradient, "
    "and 12 in float32 for the weight, the momentum and the variance",
    conventions="Activations are not counted. Training in float32 needs 16 bytes per parameter too: weight, gradient, "
    "momentum and variance of 4 bytes each.",
    N=Real(0, 1000000, "parameters", unit="billions"),
    M=Real(0, meaning="memory", unit="GB"),
)


BYTES = {"sgd": 0, "momentum": 1, "adam": 2}  # numbers that an optimizer keeps per parameter


def _memory(params: int, precision: str, optimizer: str, bytes: int) -> dict[str, Any]:
    state = 4 * BYTES[optimizer]
    parts = {
        "fp32": dict(weights=4, gradients=4, optimizer=state),
        "mixed": dict(weights=2, gradients=2, optimizer=4 + state),
    }[precision]
    rows = [dict(part=name, bytes_per_parameter=size, bytes=size * params) for name, size in parts.items()]
    return {"table": rows, "training": sum(row["bytes"] for row in rows), "inference": bytes * params}


MODEL_MEMORY = Formula(
    "model-memory",
    """
    GB = inference/10^9
    GiB = inference/2^30
    train_GB = training/10^9
    train_GiB = training/2^30
    """,
    title="Memory of a network's parameters in inference and in training",
    source=TRAIN_MEMORY.source,
    conventions="Activations and the key-value cache are not counted. Mixed precision has weights in 16 and in 32 "
    "bits.",
    procedure=_memory,
    procedure_outputs="table inference training",
    params=Int(1, 10**15, "number of parameters"),
    bytes=Int(1, 8, "bytes per parameter in inference", default=2),
    precision=Word(words=("fp32", "mixed"), meaning="precision of training", default="mixed"),
    optimizer=Word(words=("sgd", "momentum", "adam"), meaning="optimizer", default="adam"),
    table=Table(meaning="bytes of each part in training"),
    inference=Int(meaning="bytes in inference"),
    training=Int(meaning="bytes in training"),
    GB=Real(meaning="memory in inference", unit="GB"),
    GiB=Real(meaning="memory in inference", unit="GiB"),
    train_GB=Real(meaning="memory in training", unit="GB"),
    train_GiB=Real(meaning="memory in training", unit="GiB"),
)


def _gpt_macs(
    layers: int, width: int, tokens: int, vocabulary: int, batch: int, ffn: int | None = None
) -> dict[str, Any]:
    hidden = ffn or 4 * width
    parts = {
        "projections": 4 * tokens * width**2,
        "scores_and_values": 2 * tokens**2 * width,
        "feed_forward": 2 * tokens * width * hidden,
        "output_layer": tokens * width * vocabulary,
    }
    times = {name: 1 if name == "output_layer" else layers for name in parts}
    rows: list[dict[str, Any]] = [
        dict(part=name.replace("_", " "), macs=batch * macs, times=times[name], total=batch * macs * times[name])
        for name, macs in parts.items()
    ]
    macs = sum(batch * count * times[name] for name, count in parts.items())
    return {"table": rows, "macs": macs, "flops": 2 * macs, "training_flops": 6 * macs}


GPT_FLOPS = Formula(
    "gpt-flops",
    "",
    title="MACs and FLOPs of a GPT, from its configuration",
    source=f"{KAPLAN}; derivation: a matrix product of sizes m x n and n x p has m n p MACs, and a MAC is 2 FLOPs",
    conventions="""
Masked pairs count too, and biases, softmax and normalizations don't. Training
takes three times the FLOPs of the forward pass. vocabulary=1 leaves out the
output layer almost entirely.
""",
    procedure=_gpt_macs,
    procedure_outputs="table macs flops training_flops",
    layers=NUM_LAYERS,
    width=MODEL_WIDTH,
    tokens=Int(1, 10000000, "number of tokens", default=1024),
    vocabulary=Int(1, 10000000, "vocabulary size", default=50257),
    batch=Int(1, 1000000, "batch size", default=1),
    ffn=Int(1, 4000000, "hidden width of the feed-forward network, 4 times the width by default", optional=True),
    table=Table(meaning="MACs of each part"),
    macs=Int(meaning="MACs of the forward pass"),
    flops=Int(meaning="FLOPs of the forward pass"),
    training_flops=Int(meaning="FLOPs of a training step"),
)


COMPUTE_CHOICE = Formula(
    "compute-choice",
    """
    D[i] = C/(6*N[i])
    r[i] = D[i]/N[i]
    far[i] = abs(ln(r[i]/20))
    best = where(far[1] = min(far), 1, where(far[2] = min(far), 2, 3))
    """,
    title="Which of three model sizes fits a compute budget",
    source=f"{KAPLAN}; {CHINCHILLA}: about 20 tokens per parameter",
    shapes="N[3]",
    C=Real(0, 1000000000000, "compute", unit="EFLOPs"),
    N=Vector(0, meaning="parameters of the three models, in billions"),
    D=Vector(meaning="training tokens that the budget allows, in billions"),
    r=Vector(meaning="tokens per parameter"),
    far=Vector(meaning="distance from 20 tokens per parameter, as a logarithm of the ratio"),
    best=Choice(
        meaning="model that is closest to 20 tokens per parameter",
        options=dict(first="the first model", second="the second model", third="the third model"),
        supported_by="r",
    ),
)


def _mini_shape(B: int, T: int, V: int, **_: Any) -> dict[str, list[int]]:
    return {"logits": [B, T, V]}


GPT_MINI = Formula(
    "gpt-mini",
    """
    P = (V + T)*d + L*(4*d^2 + 4*d + 2*d*f + f + d + 4*d) + 2*d
    N = T*(T + 1)/2
    H = ln(V)
    M = 2*L*T*d*2
    K = 16*P
    """,
    title="A small GPT: shapes, parameters, mask, first loss and memory",
    source=f"{GPT2}; derivation as of gpt-size and kv-cache; ZeRO, 2020 (arXiv:1910.02054), for 16 bytes per parameter",
    procedure=_mini_shape,
    procedure_outputs="logits",
    integer_constraints="d/h",
    B=BATCH_SIZE,
    T=SEQUENCE_LENGTH,
    V=VOCABULARY_SIZE,
    d=MODEL_WIDTH,
    h=NUM_HEADS,
    L=NUM_LAYERS,
    f=HIDDEN_WIDTH,
    logits=Shape(meaning="shape of the logits"),
    P=Int(meaning="number of parameters"),
    N=Int(meaning="query-key pairs that the mask allows per head"),
    H=Real(0, meaning="loss at uniform logits", unit="nats"),
    M=Int(meaning="bytes of the key-value cache for one sequence of T tokens in float16"),
    K=Int(meaning="bytes of training memory, without activations"),
)
