"""Min-max normalization."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.preprocessing import MIN_MAX, MIN_MAX_SPLIT


@drill(
    MIN_MAX,
    tier=1,
    asks="u | x",
    visualization="rescaling",
    prompt="A feature runs from {x_min} to {x_max} in the training split and is min-max normalised to the range from "
    "{a} to {b}, without clipping. The value {x} becomes {u}.",
    hint="Which share of the way from the smallest to the largest training value is it, and where does that share "
    "lie in the target range?",
)
def norm_minmax(rng: Random) -> dict[str, Any]:
    """Min-max normalization of a value"""
    width, low = rng.choice([4, 5, 8, 10, 20, 25, 40, 50]), rng.randint(-9, 30)
    a, b = rng.choice([(0, 1), (0, 1), (-1, 1), (-1, 1), (1, 5), (2, 4)])
    share = rng.choice([rng.randint(1, 19) / 20, rng.randint(1, 19) / 20, rng.choice([-0.2, -0.1, 1.1, 1.25])])
    return dict(x=round(low + share * width, 2), x_min=low, x_max=low + width, a=a, b=b)


norm_minmax.mistake(
    "maximum-only",
    "u = a + x/x_max*(b - a)",
    "Subtract the minimum, and divide by the range x_max - x_min, not by the maximum alone.",
)
norm_minmax.mistake(
    "no-shift",
    "u = (x - x_min)/(x_max - x_min)*(b - a)",
    "The target range starts at a, not at 0: add a.",
)
norm_minmax.mistake(
    "times-upper-end",
    "u = a + (x - x_min)/(x_max - x_min)*b",
    "The target range is b - a wide: multiply by b - a, not by b.",
)
norm_minmax.mistake(
    "minimum-not-subtracted",
    "u = a + x/(x_max - x_min)*(b - a)",
    "Subtract the minimum first, so that the smallest training value lands on a.",
)
norm_minmax.torch(
    """
from sklearn.preprocessing import MinMaxScaler

scaler = MinMaxScaler(feature_range=(a, b)).fit([[x_min], [x_max]])
u = scaler.transform([[x]]).item()
"""
)


@drill(
    MIN_MAX_SPLIT,
    id="norm-minmax:split",
    tier=2,
    asks="u",
    visualization="number-line train test",
    prompt="Training split: {train}. Test split: {test}. The feature is min-max normalised to [0, 1] as it should be: "
    "the scaler is fitted once, and nothing is clipped. What becomes of the test values?",
    hint="A test value may land outside [0, 1]: the scaler has never seen it.",
)
def norm_minmax_split(rng: Random) -> dict[str, Any]:
    """Min-max normalization across a split"""
    low, width = rng.randint(0, 20), rng.choice([4, 5, 8, 10, 20, 40])
    inside = [low + rng.randint(1, width - 1) for _ in range(rng.choice([1, 2]))]
    train = [low, low + width, *inside]
    rng.shuffle(train)
    outside = rng.choice([low + width + rng.randint(1, 6), low - rng.randint(1, 6)])
    test = [outside, *(low + rng.randint(1, width - 1) for _ in range(rng.choice([1, 2])))]
    rng.shuffle(test)
    return dict(train=train, test=test)


def _by(fitted: Any) -> Any:
    def scaled(train: list, test: list) -> list:
        from fractions import Fraction

        values = fitted(train, test)
        width = max(values) - min(values)
        return [Fraction(v - min(values), width) if width else 0 for v in test]

    return scaled


norm_minmax_split.mistake(
    "test-statistics",
    {"u": _by(lambda train, test: test)},
    "Minimum and maximum come from the training split: the test split is scaled by what was fitted there.",
)
norm_minmax_split.mistake(
    "both-splits",
    {"u": _by(lambda train, test: [*train, *test])},
    "Fitting on both splits leaks the test data: take minimum and maximum from the training split alone.",
)
norm_minmax_split.mistake(
    "clipped",
    "u[i] = min(1, max(0, (test[i] - x_min)/(x_max - x_min)))",
    "The formula does not clip: a test value outside the training range lands outside [0, 1].",
)
norm_minmax_split.mistake(
    "maximum-only",
    "u[i] = test[i]/x_max",
    "Subtract the minimum, and divide by the range x_max - x_min, not by the maximum alone.",
)
norm_minmax_split.torch(
    """
from sklearn.preprocessing import MinMaxScaler

u = MinMaxScaler().fit(train[:, None]).transform(test[:, None]).ravel().tolist()
"""
)
