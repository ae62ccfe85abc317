"""Multiclass classification: drills about targets."""

from random import Random

from quizzes.content.classification.multiclass_classification.drills.shared import _logits, _one_hot
from quizzes.content.classification.multiclass_classification.formulas import LABEL_SMOOTHING, ONE_HOT
from quizzes.drill import Inputs, Mistake, drill
from quizzes.question import Step

CLASSES = "cat dog horse bird fish fox".split()


def _one_hot_steps(k: int, K: int, t: list[int]) -> list[Step]:
    return [
        Step(f"The vector has one element for each of the {K} classes, in the order of their numbers 0 to {K - 1}."),
        Step(f"Set element {k + 1} from the left to 1, because it belongs to class {k}. All others are 0."),
    ]


@drill(
    ONE_HOT,
    tier=1,
    asks="t",
    decimals=None,
    steps=_one_hot_steps,
    prompt="A dataset has {K} classes, numbered from 0: {listing}. A sample has the label {k}.\n"
    "Conventions: the elements are in the order of the class numbers.",
    hints=(
        "How many elements does the vector have, and which one belongs to class 0?",
        "t[k] is 1 if k is the class of the sample, and 0 for every other class.",
        "First step: write a 0 for each class, in the order of the class numbers, beginning with class 0.",
    ),
    mistakes=[
        Mistake(
            "counted-from-1",
            {"t": lambda k, K: _one_hot(max(0, k - 1), K)},
            "You counted from 1. The classes are numbered from 0, so class 0 is the first element.",
        ),
        Mistake(
            "label-in-its-place",
            {"t": lambda k, K: [k * v for v in _one_hot(k, K)]},
            "You wrote the label itself. The position encodes the class, so write a 1 there.",
        ),
        Mistake(
            "first-class-dropped",
            {"t": lambda k, K: _one_hot(k, K)[1:]},
            "You left out the first class. Every class has an element, so the vector is as long as the number of "
            "classes.",
        ),
        Mistake(
            "zero-for-the-class",
            {"t": lambda k, K: [1 - v for v in _one_hot(k, K)]},
            "You swapped 0 and 1. Write a 1 for the class of the label and 0 for all others.",
        ),
    ],
)
def one_hot(rng: Random) -> Inputs:
    """One-hot vector of a label"""
    K = rng.randint(3, 6)
    listing = ", ".join(f"{k} {name}" for k, name in enumerate(rng.sample(CLASSES, K)))
    return dict(K=K, k=rng.choice([0, *range(1, K), *range(1, K)]), listing=listing)


@drill(
    LABEL_SMOOTHING,
    tier=2,
    asks=("t", "L"),
    visualization="bars z",
    prompt="A sample has the logits z = {z} and the one-hot label y = {y}, for {K} classes. The loss is the "
    "cross-entropy with label smoothing epsilon = {epsilon}.\n"
    "What are the smoothed target t and the loss L?\n"
    "Conventions: natural log; as in PyTorch, epsilon is spread evenly over all K classes, including the true one.",
    hint="The elements of the target must still add up to 1. Which classes contribute to the loss now?",
    mistakes=[
        Mistake(
            "only-wrong-classes",
            "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/(K - 1)",
            "You spread epsilon over the incorrect classes only. Here all K classes get epsilon/K, including the "
            "true one.",
        ),
        Mistake(
            "forms-mixed",
            "t[k] = (1 - epsilon)*y[k] + (1 - y[k])*epsilon/K",
            "You left out the share of the true class. The target must add up to 1, so the true class gets 1 - "
            "epsilon + "
            "epsilon/K.",
        ),
        Mistake(
            "nothing-taken-off",
            "t[k] = y[k] + epsilon/K",
            "You did not reduce the true class. The target must add up to 1, so use (1 - epsilon) y + epsilon/K.",
        ),
        Mistake(
            "hard-label",
            "L = -sum(k, y[k]*ln(q[k]))",
            "You used the one-hot label. The loss uses the smoothed target t, so every class contributes.",
        ),
        Mistake(
            "true-class-only",
            "L = -sum(k, y[k]*t[k]*ln(q[k]))",
            "You used the true class only. The other classes have targets above 0 too, so add their terms.",
        ),
    ],
)
def label_smoothing(rng: Random) -> Inputs:
    """Cross-entropy with label smoothing"""
    K = rng.choice([3, 3, 4, 5])
    return dict(z=_logits(rng, K), y=_one_hot(rng.randrange(K), K), epsilon=rng.choice([0.1, 0.1, 0.2, 0.3]), K=K)
