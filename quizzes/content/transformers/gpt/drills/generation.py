"""GPT: drills about perplexity, decoding and the key-value cache."""

from random import Random
from typing import Any

from quizzes.content.transformers.gpt.decoding import TOKENS, by_probability, sample, softmax
from quizzes.content.transformers.gpt.formulas import (
    CACHE_POSITION,
    FINGERPRINT,
    INITIAL_LOSS,
    KV_CACHE,
    KV_HEADS,
    KV_PER_TOKEN,
    KV_WORK,
    PERPLEXITY,
    PERPLEXITY_OF_LOSS,
    SAMPLING_CHAIN,
    TEMPERATURE,
    TEMPERATURE_FOR_ODDS,
    TOP_K_TOP_P,
    WORD_PERPLEXITY,
    distinct_pairs,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    PERPLEXITY,
    tier=1,
    asks=("H", "PP"),
    visualization="bars p",
    prompt="A language model gives the tokens of a text the probabilities {p}, each given the tokens before it. What "
    "are the cross-entropy H per token, in nats, and the perplexity PP?",
    hint="The perplexity is the inverse of a mean probability. Which mean belongs to a product of probabilities?",
    mistakes=[
        Mistake("sum-for-mean", "H = -sum(i, ln(p[i]))", "You added up the tokens. Divide by their number."),
        Mistake("bits", "H = -mean(i, log2(p[i]))", "Those are bits. Use the natural logarithm for nats."),
        Mistake("base-mismatch", "PP = 2^H", "You took a power of 2 of a value in nats. Use e^H."),
        Mistake(
            "arithmetic-mean", "PP = 1/mean(i, p[i]) + 0*H", "You averaged the probabilities. Average their logarithms."
        ),
        Mistake(
            "no-root",
            "PP = 1/prod(i, p[i]) + 0*H",
            "That is the inverse probability of the text. Take the n-th root for n tokens.",
        ),
    ],
)
def perplexity(rng: Random) -> Inputs:
    """Perplexity of tokens"""
    return dict(
        p=[rng.choice([5, 10, 12.5, 20, 25, 30, 40, 50, 60, 75, 80, 90]) / 100 for _ in range(rng.randint(3, 5))]
    )


@drill(
    PERPLEXITY_OF_LOSS,
    id="perplexity:loss",
    tier=1,
    asks=one_of("PP", "H"),
    prompt="A language model has the test loss {H} (cross-entropy per token, in nats), which is a perplexity of {PP}.",
    hint="The loss of a model that gives V tokens the same probability is ln V, and its perplexity is V.",
    mistakes=[
        Mistake("base-2", "PP = 2^H", "You took a power of 2. A loss in nats needs a power of e."),
        Mistake("base-10", "PP = 10^H", "You took a power of 10. A loss in nats needs a power of e."),
        Mistake("shifted", "PP = exp(H) - 1", "You subtracted 1. A perfect model has the loss 0 and the perplexity 1."),
        Mistake("square-root", "PP = exp(H/2)", "You halved the loss. The perplexity is e^H."),
    ],
)
def perplexity_of_loss(rng: Random) -> Inputs:
    """Perplexity of a loss"""
    return dict(H=rng.randint(40, 500) / 100)


@drill(
    WORD_PERPLEXITY,
    id="decide-tokenizer-ppl",
    tier=3,
    asks=("W1", "W2", "better"),
    prompt="Two language models are tested on the same text. Model 1 has the perplexity {P1} per token and needs {t1} "
    "tokens per word; model 2 has {P2} per token and needs {t2}. What are their perplexities per word, W1 and W2? "
    "Which "
    "model is better?",
    hint="How many nats does a word of t tokens cost, if a token costs ln P on average?",
    mistakes=[
        Mistake("multiplied", "W1 = P1*t1; W2 = P2*t2", "You multiplied. The loss is multiplied, so raise to a power."),
        Mistake(
            "root",
            "W1 = P1^(1/t1); W2 = P2^(1/t2)",
            "You divided the loss. A word has more than one token, so it costs more than a token.",
        ),
        Mistake("tokens", "W1 = P1; W2 = P2", "Those are the perplexities per token."),
        Mistake(
            "compares-tokens",
            "better = where(P1 < P2, 1, 2)",
            "Tokens of different vocabularies can't be compared. Compare the perplexities per word.",
        ),
    ],
)
def decide_tokenizer_ppl(rng: Random) -> Inputs:
    """Perplexities of different tokenizers"""
    P, t = [rng.randint(10, 30), rng.randint(32, 60)], [rng.randint(125, 180) / 100, rng.randint(100, 122) / 100]
    words = [p**k for p, k in zip(P, t, strict=True)]
    if words[0] < 1.05 * words[1]:
        raise UndefinedValue("the lower perplexity per token must lose")
    if rng.random() < 0.5:
        P, t = P[::-1], t[::-1]
    return dict(P1=P[0], t1=t[0], P2=P[1], t2=t[1])


STARTS = ["the cat sat on", "the dog ran to", "a bird sang near", "the boy walked past", "a girl looked at"]

GOOD = ["the door and watched the rain", "the old house by the river", "the garden while it was still dark"]

NOISE = "quantum seventeen of rain violet near the mat because door sat under purple eight window".split()


def _fingerprint_steps(
    a: str, b: str, c: str, H: list[Any], loop: str, noise: str, different: int, count: int, loss: Any, **_: Any
) -> list[Step]:
    return [
        Step(
            "Greedy decoding takes the likeliest token each time, so it repeats itself at a small loss. Temperature 2 "
            "flattens the distribution, so unlikely tokens give incoherent text at a large loss. Top-p is in between."
        ),
        Step(
            f"Text ({loop}) has {different} different bigrams among {count}.",
            [f"D = {different}/{count}", f"D = {different / count:.4f}"],
        ),
        Step(f"Text ({noise}) has the loss {float(loss):g} per token.", [f"PP = exp({float(loss):g})"]),
    ]


@drill(
    FINGERPRINT,
    tier=2,
    asks=("setting", "D", "PP"),
    steps=_fingerprint_steps,
    prompt="One language model wrote three texts:\n  (a) {a}\n  (b) {b}\n  (c) {c}\n"
    "Their mean negative log-likelihoods under the model at temperature 1 are {H} nats per token, in this order. Match "
    "each text with its decoding (setting). What is distinct-2 of text ({loop}), the number of different bigrams over "
    "the number of bigrams (D)? What is the perplexity of text ({noise}) (PP)?",
    hint="Which decoding always takes the likeliest token? Which one makes unlikely tokens likelier?",
    mistakes=[
        Mistake(
            "lowest-is-best",
            {
                "setting": lambda H, **_: dict(
                    zip(sorted("abc", key=lambda t: H["abc".index(t)]), ("nucleus", "greedy", "hot"), strict=True)
                )
            },
            "The lowest perplexity does not make the best text: it is the one that repeats itself, by greedy decoding.",
        ),
        Mistake(
            "hot-for-nucleus",
            {
                "setting": lambda H, **_: dict(
                    zip(sorted("abc", key=lambda t: H["abc".index(t)]), ("greedy", "hot", "nucleus"), strict=True)
                )
            },
            "A temperature of 2 flattens the distribution, so its text has the most unlikely tokens.",
        ),
        Mistake("over-tokens", "D = different/(count + 1)", "You divided by the tokens. There is one bigram fewer."),
        Mistake("repeated-share", "D = 1 - different/count", "That is the share of repeated bigrams."),
        Mistake("base-2", "PP = 2^loss", "You took a power of 2. A loss in nats needs a power of e."),
    ],
)
def decoding_fingerprint(rng: Random) -> Inputs:
    """Decoding of three texts"""
    start = rng.choice(STARTS)
    words = start.split()
    greedy = " ".join([*words, *words[:2], *words[2:], *words[:2]][: rng.choice([8, 9, 10])])
    nucleus = f"{start} {rng.choice(GOOD)}"
    hot = " ".join(rng.sample(NOISE, 9))
    losses = [rng.randint(20, 60) / 100, rng.randint(180, 290) / 100, rng.randint(550, 780) / 100]
    order = rng.sample(range(3), 3)
    texts = [(greedy, nucleus, hot)[k] for k in order]
    loop, noise = "abc"[order.index(0)], "abc"[order.index(rng.choice([1, 2]))]
    if distinct_pairs(greedy)[0] == distinct_pairs(greedy)[1]:
        raise UndefinedValue("no bigram is repeated")
    return dict(a=texts[0], b=texts[1], c=texts[2], H=[losses[k] for k in order], loop=loop, noise=noise)


@drill(
    INITIAL_LOSS,
    id="gpt-initial-loss",
    tier=2,
    asks=("H0", "PP", "problem"),
    prompt="A GPT with a vocabulary of V = {V} tokens has the loss {H} on its first batch, before any update. Which "
    "loss H0 do you expect at equal logits? What is the perplexity PP of the first batch? What is your diagnosis?\n"
    "Conventions: natural logarithm; loss per token.",
    hint="Which probability does each token get if all logits are equal?",
    mistakes=[
        Mistake("base-2", "H0 = ln(V)/ln(2)", "You used the base-2 logarithm. Use the natural one."),
        Mistake("inverse", "H0 = 1/V", "That is the probability of a token. The loss is its negative logarithm."),
        Mistake("perplexity-base-2", "PP = 2^H", "You took a power of 2. A loss in nats needs a power of e."),
        Mistake(
            "another-diagnosis",
            {
                "problem": lambda V, H: (
                    "fine" if float(H) < 0.8 * _expected_loss(V) or float(H) > 1.2 * _expected_loss(V) else "large"
                )
            },
            "Compare the loss with ln V. Guessing can't be better, and equal logits are not worse.",
        ),
    ],
)
def gpt_initial_loss(rng: Random) -> Inputs:
    """Loss before training"""
    V, case = rng.choice([65, 96, 256, 1000, 5000, 10000, 32000, 50257]), rng.choice(["fine", "large", "leak"])
    factor = {"fine": rng.uniform(0.99, 1.03), "large": rng.uniform(1.4, 1.9), "leak": rng.uniform(0.02, 0.3)}[case]
    H = round(factor * _expected_loss(V), 2)
    if H > 11:
        raise UndefinedValue("a perplexity with too many digits")
    return dict(V=V, H=H)


def _expected_loss(V: int) -> float:
    from math import log

    return log(V)


@drill(
    KV_CACHE,
    tier=1,
    asks=one_of("M", "B"),
    prompt="A GPT with {L} layers, {h} query heads and {g} key-value heads of size {e} caches keys and values of {T} "
    "tokens, {b} bytes per number, for a batch of {B} sequences. The cache takes {M} GiB.\n"
    "Conventions: 1 GiB = 2^30 bytes.",
    hint="What is stored for each token in each layer? Which heads have keys and values?",
    mistakes=[
        Mistake("values-forgotten", "M = L*T*g*e*B*b/2^30", "You counted keys or values only. Both are stored."),
        Mistake("query-heads", "M = 2*L*T*h*e*B*b/2^30", "You used the query heads. Queries are not stored."),
        Mistake("float32", "M = 2*L*T*g*e*B*2*b/2^30", "You used twice the bytes per number that are given."),
        Mistake(
            "queries-too", "M = 3*L*T*g*e*B*b/2^30", "You stored the queries too. Only keys and values are reused."
        ),
    ],
)
def kv_cache(rng: Random) -> Inputs:
    """Memory of a key-value cache"""
    g = rng.choice([1, 2, 4, 8, 16])
    return dict(
        L=rng.choice([12, 24, 32, 40, 48, 80]),
        T=rng.choice([1024, 2048, 4096, 8192, 16384]),
        g=g,
        e=rng.choice([64, 128]),
        B=rng.choice([4, 8, 12, 16, 24, 32, 48]),
        b=rng.choice([2, 4]),
        h=g * rng.choice([4, 8]),
    )


@drill(
    KV_PER_TOKEN,
    id="kv-cache:grouped",
    tier=2,
    asks=("m", "k", "o", "r"),
    prompt="A GPT has {L} layers and {h} query heads of size {e}; its cache stores {b} bytes per number. How many KiB "
    "per token does the cache take with a key-value head per query head (m), with {g} key-value heads (k), and with a "
    "single one (o)? By which factor r do the {g} heads make the cache smaller than {h}?\n"
    "Conventions: 1 KiB = 1024 bytes.",
    hint="A token has a key and a value per layer and key-value head.",
    mistakes=[
        Mistake(
            "values-forgotten",
            "m = L*h*e*b/1024; k = L*g*e*b/1024; o = L*e*b/1024",
            "You counted keys or values only. Both are stored.",
        ),
        Mistake("one-layer", "m = 2*h*e*b/1024; k = 2*g*e*b/1024; o = 2*e*b/1024", "Every layer has a cache."),
        Mistake(
            "kilobytes",
            "m = 2*L*h*e*b/1000; k = 2*L*g*e*b/1000; o = 2*L*e*b/1000",
            "You divided by 1000. 1 KiB is 1024 bytes.",
        ),
        Mistake("inverted", "r = k/m", "You inverted the factor. The smaller cache is the divisor."),
        Mistake("to-one-head", "r = m/o", "That is the factor of a single key-value head."),
    ],
)
def kv_grouped(rng: Random) -> Inputs:
    """Key-value cache per token"""
    g = rng.choice([2, 4, 8])
    L, e, b = rng.choice([12, 16, 24, 32, 40, 80]), rng.choice([64, 96, 128]), rng.choice([1, 2, 4])
    return dict(L=L, h=g * rng.choice([2, 4, 8]), g=g, e=e, b=b)


@drill(
    KV_WORK,
    id="kv-cache:work",
    tier=2,
    asks=("W", "C", "r"),
    prompt="A GPT reads a prompt of n = {n} tokens and generates m = {m} tokens, one after the other. How many token "
    "positions does the network process in all, if it recomputes the whole sequence for every new token (W), and with "
    "a key-value cache (C)? What is the ratio r = W/C?\n"
    "Conventions: the last token that is generated is not fed back.",
    hint="How long is the sequence when the first new token is computed, and how long for the last one?",
    mistakes=[
        Mistake("prompt-only", "W = m*n", "You left out that the sequence grows by each new token."),
        Mistake("one-too-many", "W = m*n + m*(m + 1)/2", "The first new token is computed from the prompt alone."),
        Mistake("last-fed-back", "C = n + m", "The last token is generated, but not fed back."),
        Mistake("prompt-forgotten", "C = m", "The prompt goes through the network too, once."),
        Mistake("square", "W = (n + m)^2", "Count positions, not pairs: add up the lengths of the sequences."),
    ],
)
def kv_work(rng: Random) -> Inputs:
    """Positions with and without a cache"""
    n, m = (
        rng.choice([1, 5, 10, 20, 32, 50, 64, 100, 128, 200, 500, 1000]),
        rng.choice([2, 5, 10, 20, 32, 50, 100, 256]),
    )
    return dict(n=n, m=m)


def _heads_steps(G: Any, W: Any, L: int, T: int, e: int, h: int, g: int, k: int, n: list[int], **_: Any) -> list[Step]:
    free = G - W
    return [
        Step("The weights take their memory first.", [f"free = {G} - {W}", f"free = {free}"]),
        Step(
            f"A sequence has a key and a value of 2 bytes per number, per layer, token and key-value head. Divide, and "
            f"round down: {n}.",
            [f"per_sequence = 2*{L}*{T}*{h}*{e}*2/2^30", f"per_sequence = {2 * L * T * h * e * 2 / 2**30:g}"],
        ),
        Step(f"Take the largest number of key-value heads with which {k} sequences fit."),
    ]


@drill(
    KV_HEADS,
    id="decide-kv-heads",
    tier=2,
    decimals=None,
    asks=("n", "best"),
    steps=_heads_steps,
    prompt="A GPT has {L} layers and {h} query heads of size {e}. Each sequence has {T} tokens; the cache is in "
    "float16. "
    "The memory of {G} GiB also holds {W} GiB of weights.\n"
    "How many sequences fit with {h}, with {g}, and with 1 key-value head (n, in this order)? A batch of {k} must fit, "
    "with as many key-value heads as possible: which number do you choose?\n"
    "Conventions: 1 GiB = 2^30 bytes.",
    hint="How much memory is left for the cache, and how much does a sequence take with h key-value heads?",
    mistakes=[
        Mistake(
            "values-forgotten",
            {"n": lambda G, W, L, T, e, h, g, k: [int((G - W) * 2**30 // (L * T * c * e * 2)) for c in (h, g, 1)]},
            "You counted keys or values only. Both are stored.",
        ),
        Mistake(
            "weights-forgotten",
            {"n": lambda G, W, L, T, e, h, g, k: [int(G * 2**30 // (2 * L * T * c * e * 2)) for c in (h, g, 1)]},
            "You forgot the weights. They take memory too.",
        ),
        Mistake(
            "float32",
            {"n": lambda G, W, L, T, e, h, g, k: [int((G - W) * 2**30 // (2 * L * T * c * e * 4)) for c in (h, g, 1)]},
            "You used 4 bytes per number. float16 has 2.",
        ),
        Mistake("full-always", "best = 1 + 0*choice", "Check whether the batch fits with all key-value heads."),
        Mistake("one-always", "best = 3 + 0*choice", "More key-value heads fit too. Take as many as possible."),
    ],
)
def decide_kv_heads(rng: Random) -> Inputs:
    """Key-value heads for a batch"""
    L, h, e = rng.choice([24, 32, 40]), rng.choice([16, 32]), rng.choice([64, 128])
    T, g = rng.choice([2048, 4096, 8192]), rng.choice([2, 4, 8])
    G, W = rng.choice([(16, 6), (24, 13), (24, 14), (40, 26), (48, 28), (80, 60)])
    numbers = [int((G - W) * 2**30 // (2 * L * T * heads * e * 2)) for heads in (h, g, 1)]
    limits = [1, *numbers]
    at = rng.choice([0, 1, 1, 2])
    low, high = (limits[at] + 1 if at else 2), limits[at + 1] - 1
    if not 2 <= low <= high or numbers[0] < 2:
        raise UndefinedValue("the limit must not be met exactly")
    return dict(G=G, W=W, L=L, T=T, e=e, h=h, g=g, k=min(high, low + rng.randint(0, 6)))


def _cache_steps(n: int, s: int, bug: str, line: int, prints: Any, fixed: Any, **_: Any) -> list[Step]:
    reasons = {
        "position": f"After the prompt, x has one token, so line {line} gives every new token the position 0. Its "
        "position is the number of tokens in the cache.",
        "cache": f"Line {line} drops what the cache had. Concatenate the new values to it.",
    }
    return [
        Step(reasons[bug]),
        Step(f"An embedding of 1 plus the position is stored for each token. The program prints {prints}."),
        Step(f"With positions from 0 to {n + s - 1} in order, it prints {fixed}."),
    ]


@drill(
    CACHE_POSITION,
    id="debug-cache-position",
    tier=3,
    decimals=None,
    asks=("line", "fix", "prints", "fixed"),
    visualization="code program",
    steps=_cache_steps,
    prompt="A GPT with a cache generates {s} tokens after a prompt of {n}. {symptom} This program shows the problem: "
    "every token embedding is 1, position p has the embedding p, and the sums are cached.\n"
    "Which line is wrong (line), and how should it read (fix)? What does the program print (prints), and what should "
    "it print (fixed)?",
    hints=(
        "Which position has a new token, and what is in the cache before and after each pass?",
        "With n tokens in the cache, new tokens have the positions n, n + 1, ... The cache grows by the new tokens.",
        "First step: follow the first pass, over the prompt. What is in the cache after it?",
    ),
    mistakes=[
        Mistake(
            "works-as-intended",
            {"prints": lambda n, s, **_: list(range(1, n + s + 1))},
            "That is what the corrected program prints.",
        ),
        Mistake(
            "positions-forgotten",
            {"fixed": lambda n, s, **_: list(range(n + s))},
            "Those are the positions. The token embedding of 1 is added to them.",
        ),
        Mistake(
            "counted-from-1",
            {"fixed": lambda n, s, **_: list(range(2, n + s + 2))},
            "You counted positions from 1. The first position is 0.",
        ),
        Mistake(
            "blames-embedding",
            {"line": lambda line, bug, **_: line - (4 if bug == "position" else 6)},
            "The table of positions is right.",
        ),
        Mistake(
            "blames-the-sum",
            {"line": lambda line, bug, **_: line + (1 if bug == "position" else -1)},
            "Adding the positions is right.",
        ),
    ],
)
def debug_cache_position(rng: Random) -> Inputs:
    """A cache and its positions"""
    n, s, bug = rng.choice([1, 2, 3, 4]), rng.choice([2, 3, 4, 5]), rng.choice(["position", "cache"])
    start = rng.choice([[], ["import torch", "from torch import nn"]])
    right = {
        "position": "    pos = torch.arange(cache.size(1), cache.size(1) + x.size(1))",
        "cache": "    cache = torch.cat([cache, x], dim=1)",
    }
    wrong = {"position": "    pos = torch.arange(x.size(1))", "cache": "    cache = x"}
    lines = [
        *start,
        "pos_emb = nn.Embedding(16, 1)",
        "pos_emb.weight.data = torch.arange(16.).view(16, 1)",
        "cache = torch.zeros(1, 0, 1)",
        f"for length in {[n, *[1] * s]}:  # the prompt, then token by token",
        "    x = torch.ones(1, length, 1)",
        (wrong if bug == "position" else right)["position"],
        "    x = x + pos_emb(pos)",
        (wrong if bug == "cache" else right)["cache"],
        "print(cache.flatten().tolist())",
    ]
    fixes = {
        "position": [
            "pos = torch.arange(cache.size(1), cache.size(1) + x.size(1))",
            "pos = torch.arange(x.size(1)) + cache.size(1)",
            "pos = cache.size(1) + torch.arange(x.size(1))",
            "pos = torch.arange(cache.size(1), cache.size(1) + length)",
            "pos = torch.arange(length) + cache.size(1)",
        ],
        "cache": ["cache = torch.cat([cache, x], dim=1)", "cache = torch.cat((cache, x), dim=1)"],
    }[bug]
    symptoms = {
        "position": "The text degrades from the first new token on.",
        "cache": "It forgets the prompt as soon as it has read it.",
    }
    line = len(start) + {"position": 6, "cache": 8}[bug]
    return dict(n=n, s=s, bug=bug, line=line, fix=fixes, program="\n".join(lines), symptom=symptoms[bug])


@drill(
    TEMPERATURE,
    id="sampling-topk-topp:temperature",
    tier=1,
    asks=one_of("P", "T", "g"),
    prompt="Only two tokens are possible, and the logit of the first is larger by {g}. At the temperature {T}, the "
    "first one is sampled with probability {P}.",
    hint="Logits are divided by the temperature. Which function turns their difference into a probability?",
    mistakes=[
        Mistake("multiplied", "P = 1/(1 + exp(-g*T))", "You multiplied by the temperature. Divide by it."),
        Mistake("other-token", "P = 1/(1 + exp(g/T))", "That is the probability of the less likely token."),
        Mistake("base-2", "P = 1/(1 + 2^(-g/T))", "You used powers of 2. The softmax uses powers of e."),
        Mistake("squared", "P = 1/(1 + exp(-2*g/T))", "You used twice the difference of the logits."),
    ],
)
def sampling_temperature(rng: Random) -> Inputs:
    """Two tokens at a temperature"""
    g, T = rng.randint(5, 40) / 10, rng.choice([0.25, 0.4, 0.5, 0.7, 0.8, 1.25, 1.5, 2, 2.5, 4])
    if g / T > 6:
        raise UndefinedValue("a probability too close to 1")
    return dict(g=g, T=T)


@drill(
    TEMPERATURE_FOR_ODDS,
    tier=2,
    asks=derive("T"),
    prompt="Only two tokens are possible; their logits differ by g > 0. Derive the temperature T at which the less "
    "likely one is sampled with probability {q}. Answer in terms of g.\n"
    "Conventions: natural logarithm.",
    hints=(
        "What are the odds of the two tokens at the temperature T?",
        "The odds of the likelier token are exp(g/T).",
        "First step: set exp(g/T) equal to the odds, and take the logarithm.",
    ),
    mistakes=[
        Mistake("inverted", "T = ln((1 - q)/q)/g", "You inverted the temperature. A larger T gives smaller odds."),
        Mistake("odds-reversed", "T = g/ln(q/(1 - q))", "You reversed the odds, so the temperature is negative."),
        Mistake(
            "probability-for-odds",
            "T = -g/ln(q)",
            "You used the probability for the odds. Divide by the probability of the other token.",
        ),
        Mistake("base-2", "T = g*ln(2)/ln((1 - q)/q)", "You used the base-2 logarithm. The softmax uses powers of e."),
    ],
)
def temperature_for_odds(rng: Random) -> Inputs:
    """Temperature for given odds"""
    return dict(q=rng.choice([*range(2, 45)]) / 100, variables={"g": [0.5, 8]})


def _logits(rng: Random) -> list[float]:
    return [value / 2 for value in rng.sample(range(-4, 7), 5)]


def _letters(z: list[Any], T: Any, c: Any, kind: str) -> list[str]:
    """Return the set of an incorrect top-p."""
    p = softmax(z, T)
    order = by_probability(p)
    if kind == "below":
        candidates = [i for k, i in enumerate(order) if sum(p[j] for j in order[: k + 1]) <= float(c)]
    else:
        candidates = [i for k, i in enumerate(order) if sum(p[j] for j in order[:k]) < float(c)]
        candidates = (
            [i for i in order if p[i] >= 1 - float(c)]
            if kind == "each"
            else [*candidates, order[min(len(candidates), 4)]]
        )
    return sorted({TOKENS[i] for i in candidates}) or ["A"]


@drill(
    TOP_K_TOP_P,
    id="sampling-topk-topp",
    tier=2,
    asks=("p", "q", "nucleus"),
    prompt="A language model gives the tokens A to E the logits z = {z}. At the temperature {T}, what are their "
    "probabilities p? What are the probabilities q after top-k with k = {k} (0 for tokens that are dropped)? Which "
    "tokens does top-p with {c} keep, if it is applied to p instead?\n"
    "Conventions: top-p keeps the smallest set of the most likely tokens whose probability is at least {c}.",
    hint="Divide the logits by the temperature before the softmax. What must the probabilities of the kept tokens add "
    "up to?",
    mistakes=[
        Mistake(
            "multiplied",
            "p[i] = exp(z[i]*T)/sum(m, exp(z[m]*T))",
            "You multiplied by the temperature. Divide by it.",
        ),
        Mistake(
            "temperature-ignored",
            "p[i] = exp(z[i])/sum(m, exp(z[m]))",
            "You left out the temperature.",
        ),
        Mistake(
            "not-normalized-again",
            "q[i] = [rank[i] <= k]*p[i]",
            "The probabilities of the kept tokens must add up to 1 again. Divide by their sum.",
        ),
        Mistake(
            "one-more-token",
            "q[i] = [rank[i] <= k + 1]*p[i]/sum(m, [rank[m] <= k + 1]*p[m])",
            "You kept one token too many.",
        ),
        Mistake(
            "set-below",
            {"nucleus": lambda z, T, k, c: _letters(z, T, c, "below")},
            "Your set has less than the required probability. Add the token that reaches it.",
        ),
        Mistake(
            "set-too-large",
            {"nucleus": lambda z, T, k, c: _letters(z, T, c, "more")},
            "Your set has a token too many. Stop as soon as the probability is reached.",
        ),
    ],
)
def sampling_topk_topp(rng: Random) -> Inputs:
    """Temperature, top-k and top-p"""
    z, T, c = _logits(rng), rng.choice([0.5, 0.8, 1.5, 2]), rng.choice([0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9])
    p = sorted(softmax(z, T), reverse=True)
    sums = [sum(p[: n + 1]) for n in range(5)]
    if any(abs(total - c) < 0.01 for total in sums) or p[0] > 0.9:
        raise UndefinedValue("the probability of a set is too close to the limit")
    return dict(z=z, T=T, k=rng.choice([2, 3]), c=c)


def _chain_steps(
    z: list[Any], T: Any, k: int, p: Any, u: Any, s: list[Any], q: list[Any], n: int, **_: Any
) -> list[Step]:
    top = sample(z, T, k)["top_k"]
    return [
        Step(f"Divide the logits by {float(T):g}, and apply the softmax: {[round(float(v), 4) for v in s]}."),
        Step(f"Keep the {k} most likely tokens, and divide by their sum: {[round(v, 4) for v in top]}."),
        Step(
            f"Add these, the largest first, until {float(p):g} is reached: {n} tokens. Divide by their sum: "
            f"{[round(float(v), 4) for v in q]}."
        ),
        Step(f"Add q from A on. The first sum above {float(u):g} gives the token."),
    ]


def _applied_alone(z: list[Any], T: Any, k: int, p: Any, u: Any) -> Any:
    return sample(z, T, None, p, u)["q"]


def _top_k_only(z: list[Any], T: Any, k: int, p: Any, u: Any) -> Any:
    return sample(z, T, k, None, u)["q"]


def _not_normalized(z: list[Any], T: Any, k: int, p: Any, u: Any) -> list[float]:
    return [value if is_kept else 0 for value, is_kept in zip(softmax(z, T), sample(z, T, k, p)["q"], strict=True)]


@drill(
    SAMPLING_CHAIN,
    id="sampling-topk-topp:chain",
    tier=3,
    asks=("s", "q", "n", "token"),
    steps=_chain_steps,
    prompt="The next token is sampled from the tokens A to E with the logits z = {z}: temperature {T}, then top-k with "
    "k = {k}, then top-p with {p}, applied to the renormalized probabilities of top-k. The random number is u = {u}.\n"
    "What are the probabilities s at this temperature, and the probabilities q from which the token is drawn (0 for "
    "dropped tokens)? How many tokens n can be drawn? Which token is drawn?\n"
    "Conventions: top-p keeps the smallest set of the most likely tokens whose probability is at least {p}; the token "
    "is the first one, in the order A to E, at which the sum of q is above u.",
    hints=(
        "Go step by step: softmax at the temperature, keep k, renormalize, keep the set of top-p, renormalize.",
        "After each step, the probabilities of the kept tokens are divided by their sum.",
        "First step: divide the logits by the temperature, and apply the softmax.",
    ),
    mistakes=[
        Mistake(
            "temperature-ignored",
            {"s": lambda z, T, k, p, u: softmax(z, 1)},
            "You left out the temperature.",
        ),
        Mistake(
            "multiplied",
            {"s": lambda z, T, k, p, u: softmax(z, 1 / T)},
            "You multiplied by the temperature. Divide by it.",
        ),
        Mistake("top-p-alone", {"q": _applied_alone}, "You left out top-k. Top-p is applied to what top-k leaves."),
        Mistake("top-k-alone", {"q": _top_k_only}, "You left out top-p."),
        Mistake(
            "not-normalized",
            {"q": _not_normalized},
            "The probabilities of the kept tokens must add up to 1 again. Divide by their sum.",
        ),
        Mistake("k-tokens", {"n": lambda z, T, k, p, u: k}, "Top-p drops tokens that top-k candidates."),
        Mistake(
            "likeliest",
            {"token": lambda z, T, k, p, u: TOKENS[by_probability(softmax(z, T))[0]]},
            "That is greedy decoding. The random number draws the token.",
        ),
    ],
)
def sampling_chain(rng: Random) -> Inputs:
    """Temperature, top-k, top-p and a draw"""
    z, T, k = _logits(rng), rng.choice([0.7, 0.8, 1.25, 1.5, 2]), rng.choice([3, 4])
    p, u = rng.choice([0.5, 0.6, 0.7, 0.75, 0.8, 0.9]), rng.randint(5, 95) / 100
    result = sample(z, T, k, p, u)
    ordered = sorted(result["top_k"], reverse=True)
    sums = [sum(ordered[: n + 1]) for n in range(4)] + [sum(result["q"][: n + 1]) + p - u for n in range(5)]
    candidates = sum(v > 0 for v in result["q"])
    if candidates == 1 or candidates == k or any(abs(total - p) < 0.01 for total in sums):
        raise UndefinedValue("a sum too close to its limit, or a set of top-p that changes nothing")
    return dict(z=z, T=T, k=k, p=p, u=u)
