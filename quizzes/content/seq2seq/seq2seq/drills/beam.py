"""Encoder, z, decoder: drills about greedy and beam search."""

from collections.abc import Callable
from random import Random
from typing import Any

from quizzes.content.seq2seq.seq2seq.beams import Hypothesis, read_table, search
from quizzes.content.seq2seq.seq2seq.formulas import (
    BEAM_BLEU,
    BEAM_SEARCH,
    BEAM_STEP,
    LENGTH_PENALTY,
    SEARCH_COST,
    chain_table,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.question import Step

FIRST, SECOND = ["A", "B", "C"], ["u", "v", "w"]


def _row(rng: Random, count: int) -> list[float]:
    """Return probabilities in hundredths, all different, that add up to 1."""
    cuts = sorted(rng.sample(range(2, 19), count - 1))
    row = [(b - a) / 20 for a, b in zip([0, *cuts], [*cuts, 20], strict=True)]
    if len(set(row)) < count:
        raise UndefinedValue("equal probabilities")
    return row


def _listing(words: list[str], start: list[float], P: list[list[float]]) -> str:
    """Return the table as text, a line per previous word, without the words that can't follow."""
    rows = [("first word", start), *((f"after {word}", row) for word, row in zip(words, P, strict=True) if any(row))]
    return "\n".join(
        f"  {name}: {', '.join(f'{word} {p:g}' for word, p in zip(words, row, strict=True) if p)}" for name, row in rows
    )


def _path(words: list[str], start: list[float], P: list[list[float]], hypothesis: Hypothesis) -> list[float]:
    """Return the probabilities of the words of a hypothesis, one by one."""
    first, *others = hypothesis.words
    return [start[first], *(P[a][b] for a, b in zip([first, *others], others, strict=False))]


def _worst_words(words: list[str], start: list[Any], P: list[list[Any]], **_: Any) -> list[str]:
    """Return the output that starts with the second best word and is greedy from there."""
    first = sorted(range(len(words)), key=lambda word: -start[word])[1]
    return [words[first], words[max(range(len(words)), key=lambda word: P[first][word])]]


def _sum_of_greedy(words: list[str], start: list[Any], P: list[list[Any]], steps: int, **_: Any) -> Any:
    return sum(_path(words, start, P, search(read_table(words, start, P, None), 1, steps)))


def _beam_steps(
    words: list[str], start: list[float], P: list[list[float]], k: int, greedy: list[str], p_greedy: float,
    beam: list[str], p_beam: float, lnp: float, table: list[dict[str, Any]], **_: Any
) -> list[Step]:  # fmt: skip
    rows = {step: [row for row in table if row["step"] == step] for step in (1, 2)}
    listings = {step: ", ".join(f"{row['hypothesis']} ({float(row['p']):.4g})" for row in rows[step]) for step in rows}
    return [
        Step("Greedy search takes the most likely word at each step.", [f"p_greedy = {p_greedy:.4f}"]),
        Step(f"Beam search keeps the {k} best first words: {listings[1]}."),
        Step(f"Extend each of them by each word, multiply the probabilities, and keep the {k} best: {listings[2]}."),
        Step("The output is the best hypothesis.", [f"lnp = ln({p_beam:.6g})", f"lnp = {lnp:.4f}"]),
    ]


@drill(
    BEAM_SEARCH,
    tier=2,
    asks=("greedy", "p_greedy", "beam", "lnp"),
    prompt="A decoder outputs two words. Its probabilities are:\n{listing}\n"
    "What is the output of greedy search (greedy) and its probability p_greedy? What is the output of beam search with "
    "width k = {k} (beam), and its log-probability lnp?\n"
    "Conventions: natural logarithm; no length normalization; {steps} steps, alpha = {alpha}.",
    hints=(
        "Greedy search looks at one word at a time. Which outputs does a beam compare that greedy search never sees?",
        "The probability of an output is the product of the probabilities of its words, so its logarithm is their sum.",
        "First step: keep the two most likely first words, and multiply each by the probabilities of its second words.",
    ),
    steps=_beam_steps,
    mistakes=[
        Mistake(
            "greedy-for-beam",
            {"beam": lambda words, start, P, steps, **_: _names(words, start, P, steps)},
            "That is the greedy output. A less likely first word can lead to a more likely output.",
        ),
        Mistake(
            "second-word-first",
            {"greedy": _worst_words},
            "Greedy search takes the most likely word at every step, also at the first.",
        ),
        Mistake(
            "probabilities-added",
            {"p_greedy": _sum_of_greedy},
            "You added the probabilities. The probability of a sequence is their product.",
        ),
        Mistake("base-10", "lnp = log10(p_beam)", "You used the base-10 logarithm. Use the natural one."),
        Mistake("length-normalized", "lnp = ln(p_beam)/n", "You divided by the length. No normalization is used here."),
        Mistake(
            "greedy-probability",
            "lnp = ln(p_greedy)",
            "That is the log-probability of the greedy output. Beam search finds a more likely one.",
        ),
    ],
)
def beam_search(rng: Random) -> Inputs:
    """Greedy and beam search"""
    count, others = rng.choice([2, 3]), rng.choice([2, 3])
    words = FIRST[:count] + SECOND[:others]
    start = [*_row(rng, count), *[0] * others]
    P = [[*[0] * count, *_row(rng, others)] for _ in range(count)] + [[0] * len(words)] * others
    table = read_table(words, exact(start), exact(P), None)
    greedy, best = search(table, 1, 2), search(table, 2, 2)
    if not best.p > greedy.p:
        raise UndefinedValue("greedy search must lose")
    return dict(words=words, start=start, P=P, k=2, steps=2, alpha=0, labels=words, listing=_listing(words, start, P))


def _names(words: list[str], start: list[Any], P: list[list[Any]], steps: int) -> list[str]:
    return [words[word] for word in search(read_table(words, start, P, None), 1, steps).words]


def _best_of_each(l1: Any, l2: Any, N: list[list[Any]]) -> list[str]:
    best = [max(range(3), key=lambda j: row[j]) for row in N]
    return [f"{row}{chr(97 + j)}" for row, j in enumerate(best, 1)]


def _by_last_word(l1: Any, l2: Any, N: list[list[Any]]) -> list[str]:
    scores = {f"{row}{chr(97 + j)}": p for row, values in enumerate(N, 1) for j, p in enumerate(values)}
    return sorted(scores, key=lambda name: -scores[name])[:2]


@drill(
    BEAM_STEP,
    id="beam-search:step",
    tier=2,
    asks=("S", "keep"),
    visualization="matrices N",
    prompt="A beam of width 2 has hypothesis 1 with the log-probability {l1} and hypothesis 2 with {l2}. The "
    "probabilities of the next words a, b, c are, a row per hypothesis: N = {N}.\n"
    "What are the log-probabilities S of all extensions (a row per hypothesis)? Which two are kept (keep, best first), "
    "written as 1b for hypothesis 1 and word b?\n"
    "Conventions: natural logarithm; no length normalization.",
    hint="A product of probabilities is a sum of logarithms. Which extensions are compared with each other?",
    mistakes=[
        Mistake(
            "prefix-ignored",
            "S[i, j] = ln(N[i, j])",
            "You left out the hypothesis. Add the log-probability of the words so far.",
        ),
        Mistake(
            "multiplied",
            "S[i, j] = (l1*[i = 1] + l2*[i = 2])*N[i, j]",
            "You multiplied a log-probability by a probability. Add the logarithm of the probability.",
        ),
        Mistake(
            "probability-added",
            "S[i, j] = l1*[i = 1] + l2*[i = 2] + N[i, j]",
            "You added a probability to a log-probability. Take its logarithm first.",
        ),
        Mistake(
            "one-per-hypothesis",
            {"keep": _best_of_each},
            "You kept one extension per hypothesis. All six compete, and both that are kept may extend the same one.",
        ),
        Mistake(
            "last-word-only",
            {"keep": _by_last_word},
            "You compared the last words only. Compare the log-probabilities of the whole hypotheses.",
        ),
    ],
)
def beam_step(rng: Random) -> Inputs:
    """One step of a beam search"""
    N = [_row(rng, 3) for _ in range(2)]
    l1 = -rng.randint(5, 20) / 10
    labels = [f"{row}{word}" for row in (1, 2) for word in "abc"]
    return dict(l1=l1, l2=round(l1 - rng.randint(1, 14) / 10, 1), N=N, labels=labels)


@drill(
    SEARCH_COST,
    id="beam-search:cost",
    tier=1,
    asks=("n_greedy", "n_beam", "n_all"),
    prompt="A decoder with a vocabulary of {V} words outputs {T} words. How many continuations does greedy search "
    "score in all (n_greedy), and how many beam search with width {k} (n_beam)? How many sequences does an exhaustive "
    "search compare (n_all)?\n"
    "Conventions: no sequence ends early; every step scores all words after every hypothesis that is kept.",
    hint="How many hypotheses are there before the first step?",
    mistakes=[
        Mistake(
            "beam-from-the-start",
            "n_beam = T*k*V",
            "You counted k hypotheses at the first step. There is only the empty one, so the first step scores V "
            "words.",
        ),
        Mistake(
            "beam-words-only",
            "n_beam = V + (T - 1)*k",
            "You counted one word per hypothesis. Each hypothesis is extended by all V words.",
        ),
        Mistake("one-step", "n_greedy = V", "That is one step. Every step scores all words again."),
        Mistake(
            "beam-for-vocabulary",
            "n_all = k^T",
            "You used the beam width. An exhaustive search has V possibilities for each of the T words.",
        ),
        Mistake("product-for-power", "n_all = T*V", "The possibilities of the words multiply, so use a power."),
    ],
)
def beam_cost(rng: Random) -> Inputs:
    """Cost of greedy, beam and exhaustive search"""
    return dict(V=rng.choice([10, 20, 30, 50, 80, 100]), k=rng.choice([2, 3, 4, 5, 8, 10]), T=rng.choice([3, 4, 5]))


@drill(
    LENGTH_PENALTY,
    id="decide-length-penalty",
    tier=2,
    asks=("tie", "w1", "w2"),
    prompt="Beam search ends with the hypotheses A ({n_A} tokens, ln p = {l_A}) and B ({n_B} tokens, ln p = {l_B}). "
    "The score is ln p/length^alpha, and the largest score wins.\n"
    "For which alpha do they tie (tie)? Which one wins with alpha = {a1} (w1), and which with alpha = {a2} (w2)?",
    hint="Set both scores equal, and take logarithms to get alpha out of the exponent.",
    mistakes=[
        Mistake(
            "no-logarithm",
            "tie = l_B/l_A",
            "That is the ratio of the log-probabilities. It equals the ratio of the lengths to the power alpha.",
        ),
        Mistake(
            "lengths-left-out",
            "tie = ln(l_B/l_A)",
            "You left out the lengths. Divide by the logarithm of their ratio.",
        ),
        Mistake("base-10-once", "tie = log10(l_B/l_A)", "Divide by the logarithm of the ratio of the lengths."),
        Mistake(
            "inverted",
            "tie = ln(n_B/n_A)/ln(l_B/l_A)",
            "You inverted the fraction: alpha multiplies the logarithm of the ratio of the lengths.",
        ),
        Mistake(
            "longer-loses",
            "w1 = where(n_A < n_B, 1, 2); w2 = where(n_A < n_B, 1, 2)",
            "The longer hypothesis has the smaller ln p, but it is divided by more. Compare the scores.",
        ),
        Mistake(
            "longer-wins",
            "w1 = where(n_A > n_B, 1, 2); w2 = where(n_A > n_B, 1, 2)",
            "With a small alpha, the normalization is weak, and the shorter hypothesis wins. Compare the scores.",
        ),
    ],
)
def decide_length_penalty(rng: Random) -> Inputs:
    """Length normalization"""
    short, long = sorted(rng.sample(range(3, 13), 2))
    l_short = -rng.randint(10, 40) / 10
    l_long = round(l_short * (long / short) ** (rng.randint(15, 90) / 100), 1)
    first = dict(n_A=short, l_A=l_short, n_B=long, l_B=l_long)
    if rng.random() < 0.5:
        first = dict(n_A=long, l_A=l_long, n_B=short, l_B=l_short)
    a1, a2 = sorted(rng.sample([0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1], 2))
    from math import log

    tie = log(l_long / l_short) / log(long / short)
    if not 0.05 < tie < 0.95 or min(abs(tie - a1), abs(tie - a2)) < 0.03:
        raise UndefinedValue("the tie must be between 0 and 1, apart from both alphas")
    return dict(first, a1=a1, a2=a2)


ARTICLES = [("a", "the"), ("one", "the"), ("my", "her")]

NOUNS = [("cat", "dog"), ("man", "boy"), ("bird", "fish")]

VERBS = [("sat", "ran"), ("left", "slept"), ("ate", "sang")]


def _sum_of_path(width: int) -> Callable[..., Any]:
    def add(words: list[str], a: list[Any], N: list[list[Any]], U: list[list[Any]], ref: str) -> Any:
        table = chain_table(a, N, U)
        return sum(_path(list(table.words), list(table.start), [list(row) for row in table.P], search(table, width, 3)))

    return add


def _greedy_start(words: list[str], a: list[Any], N: list[list[Any]], U: list[list[Any]], ref: str) -> list[str]:
    """Return both extensions of the most likely first word, the better one first."""
    first = max((0, 1), key=lambda k: a[k])
    return [chr(65 + 2 * first + noun) for noun in sorted((0, 1), key=lambda k: -N[first][k])]


@drill(
    BEAM_BLEU,
    id="chain-beam-bleu",
    tier=3,
    asks=("p_greedy", "hyps", "p_beam", "B_greedy", "B_beam", "PP"),
    prompt="A decoder outputs three words, then ends. Its probabilities are:\n{listing}\n"
    'The hypotheses after step 2 are {options}. The reference is "{ref}".\n'
    "What is the probability p_greedy of the greedy output? Which two hypotheses does beam width 2 keep after step 2 "
    "(hyps, best first), and what is the probability p_beam of its output? What is BLEU-2 of the greedy output "
    "(B_greedy) and of the beam's output (B_beam)? What is the perplexity PP per token of the beam's output?\n"
    "Conventions: BLEU-2 is the geometric mean of the precisions of 1-grams and 2-grams, from 0 to 1; the output has "
    "the reference's length, so there is no brevity penalty.",
    hints=(
        "The probability of an output is a product. How many 1-grams and how many 2-grams do three words have?",
        "BLEU-2 = sqrt(p1*p2), with p1 out of 3 words and p2 out of 2 pairs. The perplexity of n tokens is p^(-1/n).",
        "First step: multiply the probabilities of the first two words for all four hypotheses, and sort them.",
    ),
    mistakes=[
        Mistake(
            "probabilities-added",
            {"p_greedy": _sum_of_path(1), "p_beam": _sum_of_path(2)},
            "You added the probabilities. The probability of a sequence is their product.",
        ),
        Mistake(
            "best-start-only",
            {"hyps": _greedy_start},
            "You extended the most likely first word only. The beam extends both, and compares all four.",
        ),
        Mistake(
            "arithmetic-mean",
            "B_greedy = (g1/3 + g2/2)/2; B_beam = (b1/3 + b2/2)/2",
            "You used the arithmetic mean. BLEU uses the geometric mean of the precisions.",
        ),
        Mistake(
            "three-bigrams",
            "B_greedy = sqrt(g1/3*g2/3); B_beam = sqrt(b1/3*b2/3)",
            "You divided by 3 pairs. Three words have two 2-grams.",
        ),
        Mistake("no-root", "PP = 1/p_beam", "You left out the root. The perplexity per token is p^(-1/3)."),
        Mistake(
            "exponent-1-2",
            "PP = (1/p_beam)^(1/2)",
            "You took the square root. There are three tokens, so take the cube root.",
        ),
    ],
)
def chain_beam_bleu(rng: Random) -> Inputs:
    """Beam search, BLEU and perplexity"""
    words = [*rng.choice(ARTICLES), *rng.choice(NOUNS), *rng.choice(VERBS)]

    def pair(choices: list[int]) -> list[float]:
        p = rng.choice(choices)
        return [p / 100, (100 - p) / 100]

    a, N = pair([45, 55, 60, 40]), [pair([55, 45, 60, 90, 10, 85, 95]) for _ in range(2)]
    U = [pair([70, 30, 60, 40, 80, 20, 75]) for _ in range(2)]
    table = chain_table(exact(a), exact(N), exact(U))
    greedy, best = search(table, 1, 3), search(table, 2, 3)
    if not best.p > greedy.p:
        raise UndefinedValue("greedy search must lose")
    pairs = [a[first] * p for first in (0, 1) for p in N[first]]
    if len({round(p, 6) for p in pairs}) < 4:
        raise UndefinedValue("equal hypotheses")
    reference = list(best.words)
    if rng.random() < 0.4:
        reference[rng.choice([0, 2])] ^= 1
    common = [len({*part} & {*reference}) for part in (greedy.words[:2], greedy.words[1:])]
    if sum(common) < 2 or list(greedy.words) == reference:
        raise UndefinedValue("the greedy output must have something in common with the reference")
    rows = [("start", a, words[:2]), *((words[k], N[k], words[2:4]) for k in (0, 1)),
            *((words[2 + k], U[k], words[4:]) for k in (0, 1))]  # fmt: skip
    listing = "\n".join(
        f"  {name}: {', '.join(f'{word} {p:g}' for word, p in zip(following, row, strict=True))}"
        for name, row, following in rows
    )
    options = ", ".join(
        f"{letter} ({words[first]} {words[2 + noun]})"
        for letter, (first, noun) in zip("ABCD", ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True)
    )
    ref = " ".join(words[k] for k in reference)
    return dict(words=words, a=a, N=N, U=U, ref=ref, labels=list("ABCD"), listing=listing, options=options)
