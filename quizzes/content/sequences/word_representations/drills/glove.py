"""One-hot, Word2Vec, GloVe, t-SNE: drills about GloVe."""

from math import log
from random import Random

from quizzes.content.sequences.word_representations.formulas import (
    GLOVE_OPTIMUM,
    GLOVE_RATIO,
    GLOVE_TERM,
    GLOVE_WEIGHT,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue


@drill(
    GLOVE_WEIGHT,
    tier=1,
    asks=one_of("w", "X"),
    prompt="GloVe weights a pair of words that occurs {X} times by {w}. From {X_max} occurrences on, the weight is 1.\n"
    "Conventions: exponent 3/4.",
    hint="Compare the count with the one from which on the weight is 1. Which power is taken below it?",
    mistakes=[
        Mistake("no-power", "w = min(1, X/X_max)", "You left out the power of 3/4."),
        Mistake("inverse-power", "w = min(1, (X/X_max)^(4/3))", "You used the power 4/3 in place of 3/4."),
        Mistake("square-root", "w = min(1, sqrt(X/X_max))", "You used the power 1/2. The exponent is 3/4."),
        Mistake(
            "factor",
            "w = min(1, 3/4*X/X_max)",
            "You multiplied by 3/4. The ratio is raised to the power of 3/4.",
        ),
    ],
)
def glove_weight(rng: Random) -> Inputs:
    """Weight of a co-occurrence count in GloVe"""
    return dict(X=rng.randint(2, 99), X_max=rng.choice([100, 100, 120, 150, 200]))


@drill(
    GLOVE_TERM,
    id="glove-weight:term",
    tier=2,
    asks=("w", "e", "J"),
    prompt="In GloVe, two words occur together X = {X} times. The dot product of their vectors is s = {s}, and the "
    "biases are b1 = {b1} and b2 = {b2}. The weight is (X/{X_max})^(3/4), but at most 1.\n"
    "What are the weight w, the residual e = s + b1 + b2 - ln X, and the term J of the loss?",
    hint="The term is a weighted squared residual. Is the count above or below the limit of the weight?",
    mistakes=[
        Mistake("not-capped", "w = (X/X_max)^(3/4)", "You let the weight exceed 1. For frequent pairs it stays at 1."),
        Mistake("no-power", "w = min(1, X/X_max)", "You left out the power of 3/4."),
        Mistake("log10", "e = s + b1 + b2 - log10(X)", "You used the base-10 logarithm. GloVe has the natural one."),
        Mistake("biases-left-out", "e = s - ln(X)", "You left out the biases. Both are added to the dot product."),
        Mistake("not-squared", "J = w*e", "You did not square the residual."),
        Mistake("not-weighted", "J = e^2", "You left out the weight. It multiplies the squared residual."),
        Mistake("weight-squared", "J = (w*e)^2", "You squared the weight too. Only the residual is squared."),
    ],
)
def glove_term(rng: Random) -> Inputs:
    """Term of GloVe's loss"""
    X, X_max = rng.choice([*range(2, 60), *range(120, 300, 10)]), 100
    s, b1, b2 = (
        round(log(X), 1) + rng.choice([-1, 1]) * rng.randint(4, 15) / 10,
        *(rng.randint(-4, 4) / 10 for _ in "12"),
    )
    if b1 + b2 == 0:
        raise UndefinedValue("the biases must matter")
    return dict(X=X, X_max=X_max, s=round(s, 1), b1=b1, b2=b2)


@drill(
    GLOVE_OPTIMUM,
    id="glove-weight:zero-residual",
    tier=2,
    asks=derive("s"),
    prompt="GloVe's loss has the term f(X) (s + b1 + b2 - ln X)^2 for a pair that occurs X times, with the dot product "
    "s of both word vectors. The bias of the word is b1 = {b1}. Derive the s at which the term is 0, in terms of X and "
    "b2.",
    hints=(
        "Which factor of the term can be 0, if the weight f(X) is not?",
        "The residual is s + b1 + b2 - ln X.",
        "First step: set the residual equal to 0.",
    ),
    mistakes=[
        Mistake("biases-added", "s = ln(X) + b1 + b2", "The signs of the biases are reversed."),
        Mistake("no-log", "s = X - b1 - b2", "You left out the logarithm. GloVe fits ln X, not X."),
        Mistake("biases-forgotten", "s = ln(X)", "You left out the biases. They are part of the residual."),
        Mistake("log10", "s = log10(X) - b1 - b2", "You used the base-10 logarithm. GloVe has the natural one."),
    ],
)
def glove_optimum(rng: Random) -> Inputs:
    """Dot product without a residual in GloVe"""
    return dict(b1=rng.choice([-1, 1]) * rng.randint(1, 40) / 20, variables={"X": [1.5, 200], "b2": [-2, 2]})


PROBES = [
    (("ice", "steam"), ("solid", "gas", "water")),
    (("cat", "dog"), ("meow", "bark", "tail")),
    (("king", "queen"), ("he", "she", "crown")),
    (("sun", "moon"), ("day", "night", "sky")),
]


@drill(
    GLOVE_RATIO,
    id="glove-ratio",
    tier=2,
    asks=("p1", "r1", "r2", "r3", "probe"),
    prompt="Near the word {word_a}, a corpus has {S_A} words, and near {word_b} {S_B}. The probe words {k1}, {k2}, and "
    "{k3} occur {A} times near {word_a}, and {B} times near {word_b}.\n"
    "What is p1 = P({k1} | {word_a})? What are the ratios P(k | {word_a})/P(k | {word_b}) for the three probe words "
    "(r1, r2, r3)? Which probe word tells {word_a} and {word_b} apart best (ratio farthest from 1, on a log scale)?",
    hint="Divide each count by the number of all words near that word. A ratio of 1 says nothing about the difference.",
    mistakes=[
        Mistake(
            "counts-not-probabilities",
            "r1 = A[1]/B[1]; r2 = A[2]/B[2]; r3 = A[3]/B[3]",
            "You divided the counts. The two words have different numbers of neighbors, so use probabilities.",
        ),
        Mistake(
            "ratio-inverted",
            "r1 = B[1]*S_A/(A[1]*S_B); r2 = B[2]*S_A/(A[2]*S_B); r3 = B[3]*S_A/(A[3]*S_B)",
            "You inverted the ratio. The first word is in the numerator.",
        ),
        Mistake(
            "joint-probability",
            "p1 = A[1]/(S_A + S_B)",
            "You divided by all words. The condition restricts the count to the neighbors of the first word.",
        ),
        Mistake(
            "among-probes-only",
            "p1 = A[1]/sum(k, A[k])",
            "You divided by the three probe words. All words near the first word count.",
        ),
        Mistake(
            "most-frequent",
            "probe = argmax(k, A[k] + B[k])",
            "That word is frequent near both, so its ratio is closer to 1.",
        ),
    ],
)
def glove_ratio(rng: Random) -> Inputs:
    """Ratios of co-occurrence probabilities"""
    (word_a, word_b), probes = rng.choice(PROBES)
    S_A, S_B = rng.sample([1000, 2000, 4000, 5000, 8000, 10_000], 2)
    near, far = (rng.randint(20, 90) for _ in range(2))
    both = rng.randint(100, 300)
    A = [near, rng.randint(2, 9), both]
    B = [rng.randint(2, 9), far, round(both * S_B / S_A * rng.choice([0.8, 0.9, 1.1, 1.2]))]
    order = rng.sample(range(3), 3)
    A, B, names = [A[k] for k in order], [B[k] for k in order], [probes[k] for k in order]
    scores = sorted(abs(log(a * S_B / (b * S_A))) for a, b in zip(A, B, strict=True))
    if scores[2] - scores[1] < 0.1:
        raise UndefinedValue("one probe word must be clearly the best")
    texts = dict(word_a=word_a, word_b=word_b, k1=names[0], k2=names[1], k3=names[2])
    return dict(A=A, B=B, S_A=S_A, S_B=S_B, **texts)
