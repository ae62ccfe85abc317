"""TF-IDF, n-grams, CTC, WER: drills."""

from fractions import Fraction
from itertools import groupby
from math import prod
from random import Random
from typing import Any

from quizzes.content.beyond.language_extras.formulas import (
    CTC_COLLAPSE,
    CTC_PATHS,
    EDIT_DISTANCE,
    NGRAM_LAPLACE,
    NGRAM_TEXT,
    TFIDF,
    TFIDF_SMOOTH,
    WORD_ERROR_RATE,
    edit_counts,
    split_units,
)
from quizzes.content.beyond.language_extras.texts import bigrams, collapse, split_sentences
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step

TERM = (
    "A term occurs {tf} times in a document. Of the {N} documents of a collection, {df} contain the term. Its TF-IDF "
    "weight in the document is {w}.\n"
)


def _frequencies(rng: Random) -> dict[str, int]:
    N = rng.choice([50, 100, 200, 500, 1000, 2000, 10000])
    return dict(tf=rng.randint(2, 12), N=N, df=rng.randint(2, N // 4))


@drill(
    TFIDF,
    tier=1,
    asks="w",
    prompt=TERM + "Conventions: raw term frequency; natural logarithm; no smoothing.",
    hint="A rare term tells more about a document. Which ratio is large for a rare term?",
    mistakes=[
        Mistake("base-10", "w = tf*log10(N/df)", "You used the base-10 logarithm. Use the natural one."),
        Mistake("base-2", "w = tf*log2(N/df)", "You used the base-2 logarithm. Use the natural one."),
        Mistake("smoothed", "w = tf*ln((1 + N)/(1 + df))", "You smoothed the counts. No smoothing is used here."),
        Mistake("no-logarithm", "w = tf*N/df", "You left out the logarithm of N/df."),
        Mistake("inverted", "w = tf*ln(df/N)", "You inverted the ratio. A rare term has a large weight."),
    ],
)
def tfidf(rng: Random) -> Inputs:
    """TF-IDF weight"""
    return _frequencies(rng)


@drill(
    TFIDF_SMOOTH,
    id="tfidf:smooth",
    tier=2,
    asks="w",
    prompt=TERM
    + "Conventions: as in scikit-learn: idf = ln((1 + N)/(1 + df)) + 1; raw term frequency; no normalization.",
    hint="The smoothed idf counts one more document, which contains every term. What else is added?",
    mistakes=[
        Mistake("not-smoothed", "w = tf*(ln(N/df) + 1)", "You did not smooth the counts. Add 1 to N and to df."),
        Mistake(
            "one-left-out",
            "w = tf*ln((1 + N)/(1 + df))",
            "You left out the + 1, which keeps the weight of a term that is in all documents above 0.",
        ),
        Mistake("one-added-last", "w = tf*ln((1 + N)/(1 + df)) + 1", "Add 1 to the idf, before multiplying by tf."),
        Mistake(
            "base-10", "w = tf*(log10((1 + N)/(1 + df)) + 1)", "You used the base-10 logarithm. Use the natural one."
        ),
    ],
)
def tfidf_smooth(rng: Random) -> Inputs:
    """Smoothed TF-IDF weight"""
    N = rng.choice([3, 5, 8, 10, 20, 50])
    return dict(tf=rng.randint(2, 9), N=N, df=rng.randint(1, N - 1))


@drill(
    NGRAM_LAPLACE,
    tier=1,
    asks=one_of("P", "V", "c1"),
    prompt="In a training text, the pair (w1, w2) occurs {c12} times and the word w1 occurs c1 = {c1} times. The "
    "vocabulary has V = {V} words. With add-one (Laplace) smoothing, P(w2 | w1) = {P}.",
    hint="Every possible next word gets one more count. By how much does the total of w1 grow?",
    mistakes=[
        Mistake("one-below", "P = (c12 + 1)/(c1 + 1)", "You added 1 below. All V next words get 1, so add V."),
        Mistake("not-smoothed", "P = c12/c1", "You did not smooth. Add 1 to the count of the pair, and V below."),
        Mistake("vocabulary-only", "P = c12/(c1 + V)", "You left out the 1 above. The pair's own count grows too."),
        Mistake("total-of-pairs", "P = (c12 + 1)/(c1 + V^2)", "You added V^2. After w1, there are V possible words."),
        Mistake("v-plus-1", "P = (c12 + 1)/(c1 + V + 1)", "You added V + 1. There are V possible next words."),
    ],
    digits={"P": 4},
)
def ngram_laplace(rng: Random) -> Inputs:
    """Laplace smoothing of a bigram"""
    c1 = rng.randint(5, 60)
    return dict(c12=rng.randint(0, c1 - 1), c1=c1, V=rng.choice([12, 20, 25, 40, 50, 80, 100, 200, 500]))


SUBJECTS, PLACES = ["cat", "dog", "boy", "bird"], ["park", "house", "garden", "tree"]


def _text(rng: Random) -> str:
    """Return three short sentences that share words."""
    subjects, places = rng.sample(SUBJECTS, 2), rng.sample(PLACES, 2)
    verbs = rng.sample(["sees", "likes", "leaves"], 2)
    sentences = [f"the {rng.choice(subjects)} {rng.choice(verbs)} the {rng.choice(places)}" for _ in range(3)]
    return ". ".join(sentences)


@drill(
    NGRAM_TEXT,
    id="ngram-laplace:text",
    tier=2,
    asks=("c12", "c1", "V", "P_ml", "P"),
    prompt="A bigram model is trained on: {text}.\n"
    "How often does the pair ({first}, {second}) occur (c12), and how often {first} in first place of a pair (c1)? "
    "What is the vocabulary size V? What is P({second} | {first}) without smoothing (P_ml) and with add-lambda "
    "smoothing, lambda = {lam} (P), as exact fractions?\n"
    "Conventions: each sentence begins with <s> and ends with </s>; the vocabulary has all different words and </s>, "
    "not <s>.",
    hints=(
        "Write each sentence with its start and end, and list the pairs.",
        "P = (c12 + lambda)/(c1 + lambda V): every word that can follow gets lambda more counts.",
        "First step: count the different words of the text, and add one for </s>.",
    ),
    mistakes=[
        Mistake(
            "end-left-out",
            {"V": lambda text, first, second, lam: len({w for words in split_sentences(text) for w in words})},
            "You left out </s>. A sentence can end after any word, so </s> is one of the next words.",
        ),
        Mistake(
            "tokens-for-words",
            {"V": lambda text, first, second, lam: sum(map(len, split_sentences(text)))},
            "You counted the tokens. The vocabulary has every different word once.",
        ),
        Mistake(
            "added-once-below", "P = (c12 + lam)/(c1 + lam)", "You added lambda once below. All V next words get it."
        ),
        Mistake("not-smoothed", "P = c12/c1", "You did not smooth. Add lambda to every count."),
        Mistake(
            "joint-for-conditional",
            {"P_ml": lambda text, first, second, lam: _joint(text, first, second)},
            "You divided by the number of all pairs. Divide by the count of the first word.",
        ),
    ],
)
def ngram_text(rng: Random) -> Inputs:
    """Bigram probabilities of a text"""
    text = _text(rng)
    pairs = sorted(bigrams(split_sentences(text)).items())
    first, second = rng.choice([pair for pair, count in pairs if "<s>" not in pair])
    if second != "</s>" and rng.random() < 0.25:  # a pair that never occurs
        second = rng.choice([word for word in SUBJECTS if word not in text])
    return dict(text=text, first=first, second=second, lam=rng.choice([1, 1, "1/2", 2]))


def _joint(text: str, first: str, second: str) -> Fraction:
    pairs = bigrams(split_sentences(text))
    return Fraction(pairs[first, second], sum(pairs.values()))


def _labels(path: str) -> list[str]:
    """Return the symbols of a path that are not blanks."""
    return [symbol for symbol in path.split() if symbol != "-"]


def _collapse_steps(path: str, blank: str, y: str, **_: Any) -> list[Step]:
    merged = " ".join(symbol for symbol, _ in groupby(path.split()))
    return [
        Step(f"Merge repeated symbols of neighboring steps: {merged}."),
        Step(f"Drop the blanks {blank}. What is left is y = {y}."),
    ]


@drill(
    CTC_COLLAPSE,
    tier=1,
    asks="y",
    steps=_collapse_steps,
    prompt="A CTC network outputs this path, a symbol per time step, with - for the blank:\n  {path}\n"
    "Which labels y does it stand for? Write them without spaces, such as bab.",
    hints=(
        "In which order are repeated symbols merged and blanks dropped?",
        "Merge each run of equal symbols into one, then drop the blanks. A blank between two equal symbols keeps both.",
        "First step: find the runs of equal symbols in the path, blanks included.",
    ),
    mistakes=[
        Mistake(
            "blanks-first",
            {"y": lambda path, blank: "".join(collapse(_labels(path), blank))},
            "You dropped the blanks first, which merges doubled labels. Merge repeats first: a blank keeps them apart.",
        ),
        Mistake(
            "not-merged",
            {"y": lambda path, blank: "".join(_labels(path))},
            "You did not merge repeats. Equal symbols in neighboring steps are one label.",
        ),
        Mistake(
            "each-letter-once",
            {"y": lambda path, blank: "".join(dict.fromkeys(_labels(path)))},
            "You kept each letter once. Equal labels that a blank or another label separates are both kept.",
        ),
    ],
)
def ctc_collapse(rng: Random) -> Inputs:
    """Collapse of a CTC path"""
    path = [rng.choice("aabbc---") for _ in range(7)]
    if not {"a", "b", "c"} & {*path}:
        raise UndefinedValue("the path has no label")
    return dict(path=" ".join(path), blank="-")


def _path_mistake(kind: str) -> Any:
    """Return a mistaken sum of path probabilities for the label a."""

    def compute(P: list[list[Any]]) -> Any:
        if kind == "best":
            best = [max(range(len(row)), key=lambda k: row[k]) for row in P]
            return prod(row[k] for row, k in zip(P, best, strict=True))
        if kind == "always-a":
            return prod(row[1] for row in P)
        steps = len(P)
        single = [[int(k == t) for k in range(steps)] for t in range(steps)]
        return sum(prod(row[on] for row, on in zip(P, path, strict=True)) for path in single)

    return compute


@drill(
    CTC_PATHS,
    id="ctc-collapse:probability",
    tier=3,
    asks=("count", "p", "L"),
    visualization="matrices P",
    prompt="A CTC network outputs probabilities for {steps} time steps, a row per step, with columns for the blank and "
    "the label a:\n  P = {P}\n"
    'How many paths collapse to the labels "a" (count)? What is the probability p of these labels, and the CTC loss '
    "L?\n"
    "Conventions: natural logarithm.",
    hints=(
        "Which paths of blanks and a's collapse to a single a? All a's of such a path are neighbors.",
        "The probability of a path is the product of one number per row; that of the labels is the sum over its paths.",
        "First step: list the paths with one a, then those with two neighboring a's, and so forth.",
    ),
    mistakes=[
        Mistake(
            "best-path-only",
            {"p": _path_mistake("best")},
            "That is the probability of the most likely path. Add up all paths that collapse to the labels.",
        ),
        Mistake(
            "one-a-only",
            {"p": _path_mistake("single")},
            "You counted the paths with a single a. Repeats are merged, so paths with neighboring a's count too.",
        ),
        Mistake(
            "a-at-every-step",
            {"p": _path_mistake("always-a")},
            "That is the path with a at every step. Blanks may come before and after the a's.",
        ),
        Mistake(
            "separated-too",
            {"count": lambda P: 2 ** len(P) - 1},
            "You counted every path with an a. A blank between two a's keeps them apart, which gives two labels.",
        ),
        Mistake("base-10", "L = -log10(p)", "You used the base-10 logarithm. Use the natural one."),
    ],
)
def ctc_paths(rng: Random) -> Inputs:
    """Probability of a label under CTC"""
    steps = rng.choice([2, 3, 3, 4])
    blanks = [rng.randint(1, 9) for _ in range(steps)]
    return dict(P=[[blank / 10, (10 - blank) / 10] for blank in blanks], steps=steps)


WORD_PAIRS = [
    ("kitten", "sitting"), ("flaw", "lawn"), ("saturday", "sunday"), ("intention", "execution"), ("stack", "track"),
    ("neural", "natural"), ("model", "modern"), ("layer", "player"), ("train", "brain"), ("token", "taken"),
    ("vector", "victory"), ("kernel", "colonel"), ("filter", "fitter"), ("stride", "strides"), ("pooling", "polling"),
    ("decoder", "encode"), ("weights", "eight"), ("sample", "simple"), ("gradient", "radiant"), ("channel", "change"),
]  # fmt: skip


def _edit_steps(d: int, S: int, D: int, I: int, N: int, table: list[dict[str, str]], **_: Any) -> list[Step]:
    listing = ", ".join(
        f"{row['reference'] or '-'} -> {row['hypothesis'] or '-'} ({row['operation']})"
        for row in table
        if row["operation"] != "="
    )
    return [
        Step(
            "Align both with as few operations as possible; all other elements are equal. One such alignment: "
            f"{listing}."
        ),
        Step("Count its operations.", [f"d = {S} + {D} + {I}", f"d = {d}"]),
        Step("Divide by the length of the reference.", [f"E = {Fraction(d, N)}"]),
    ]


@drill(
    EDIT_DISTANCE,
    id="wer-edit",
    tier=2,
    asks=("d", "E"),
    steps=_edit_steps,
    prompt='The reference is "{reference}", and the hypothesis is "{hypothesis}".\n'
    "What is the edit distance d in {unit}? What is the error rate E (as an exact fraction)?\n"
    "Conventions: a substitution, a deletion or an insertion costs 1.",
    hints=(
        "Which elements are equal and in the same order in both? Align those.",
        "d is the smallest number of substitutions, deletions and insertions. The error rate is d/N, with the length "
        "N of the reference.",
        "First step: fill the first row and the first column of the table with 0, 1, 2, ...",
    ),
    mistakes=[
        Mistake(
            "over-hypothesis",
            {"E": lambda reference, hypothesis, unit: _over_hypothesis(reference, hypothesis, unit)},
            "You divided by the length of the hypothesis. The error rate divides by that of the reference.",
        ),
        Mistake(
            "position-by-position",
            {"d": lambda reference, hypothesis, unit: _mismatches(reference, hypothesis, unit)},
            "You compared position by position. One insertion shifts all that follow, so align first.",
        ),
        Mistake(
            "substitution-costs-2",
            {"d": lambda reference, hypothesis, unit: _indels(reference, hypothesis, unit)},
            "You counted a substitution as a deletion and an insertion. It costs 1.",
        ),
        Mistake(
            "lengths-only",
            {
                "d": lambda reference, hypothesis, unit: abs(
                    len(split_units(reference, unit)) - len(split_units(hypothesis, unit))
                )
            },
            "You compared the lengths. Elements of equal position can differ too.",
        ),
    ],
)
def wer_edit(rng: Random) -> Inputs:
    """Edit distance and error rate"""
    if rng.random() < 0.5:
        reference, hypothesis = rng.sample(rng.choice(WORD_PAIRS), 2)
        return dict(reference=reference, hypothesis=hypothesis, unit="characters")
    words = rng.choice(
        [
            "the cat sat on the mat",
            "we train the network on new data",
            "she reads a long letter every day",
            "please call me back after lunch",
            "the red car stops at the corner",
        ]
    ).split()
    hypothesis_words = list(words)
    for change in rng.sample(["drop", "swap", "insert", "swap"], rng.choice([2, 3])):
        k = rng.randrange(len(hypothesis_words))
        if change == "drop":
            del hypothesis_words[k]
        elif change == "swap":
            hypothesis_words[k] = rng.choice(["nice", "big", "one", "this", "my"])
        else:
            hypothesis_words.insert(k, rng.choice(["very", "so", "now", "here"]))
    return dict(reference=" ".join(words), hypothesis=" ".join(hypothesis_words), unit="words")


def _over_hypothesis(reference: str, hypothesis: str, unit: str) -> Fraction:
    counts = edit_counts(reference, hypothesis, unit)
    return Fraction(counts["S"] + counts["D"] + counts["I"], len(split_units(hypothesis, unit)))


def _mismatches(reference: str, hypothesis: str, unit: str) -> int:
    a, b = split_units(reference, unit), split_units(hypothesis, unit)
    return sum(x != y for x, y in zip(a, b, strict=False)) + abs(len(a) - len(b))


def _indels(reference: str, hypothesis: str, unit: str) -> int:
    """Return the smallest number of deletions and insertions: what is outside of a longest common subsequence."""
    a, b = split_units(reference, unit), split_units(hypothesis, unit)
    common = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            common[i][j] = common[i - 1][j - 1] + 1 if x == y else max(common[i - 1][j], common[i][j - 1])
    return len(a) + len(b) - 2 * common[-1][-1]


@drill(
    WORD_ERROR_RATE,
    id="wer-edit:counts",
    tier=1,
    asks=one_of("E", "N"),
    prompt="A speech recognizer is compared with a reference of {N} words. The alignment has {S} substitutions, {D} "
    "deletions and {I} insertions. The word error rate is {E}.",
    hint="Which three kinds of errors are there? By which length are they divided?",
    mistakes=[
        Mistake(
            "over-hypothesis",
            "E = (S + D + I)/(N - D + I)",
            "You divided by the length of the hypothesis. Divide by that of the reference.",
        ),
        Mistake("insertions-left-out", "E = (S + D)/N", "You left out the insertions. They are errors too."),
        Mistake("substitutions-twice", "E = (2*S + D + I)/N", "You counted substitutions twice. Each is one error."),
        Mistake(
            "accuracy",
            "E = 1 - (S + D + I)/N",
            "That is one minus the error rate. The error rate itself is asked for.",
        ),
    ],
)
def wer_counts(rng: Random) -> Inputs:
    """Word error rate from counts"""
    N = rng.choice([20, 25, 40, 50, 80, 100])
    counts = dict(S=rng.randint(1, N // 4), D=rng.randint(1, N // 8), I=rng.randint(1, N // 8))
    if counts["D"] == counts["I"]:
        raise UndefinedValue("reference and hypothesis must have different lengths")
    return dict(N=N, **counts)
