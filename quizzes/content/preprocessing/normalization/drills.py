"""Normalization (min-max): drills."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from random import Random

from quizzes.content.preprocessing.normalization.formulas import MIN_MAX, MIN_MAX_SPLIT, UNSCALED_LINE
from quizzes.drill import Inputs, Mistake, derive, drill, one_of

Values = Sequence[Fraction]


def _fitted_on(select: Callable[[Values, Values], Values]) -> Callable[[Values, Values], list[Fraction]]:
    """Return a min-max normalization of the test values that is fitted on the selected values."""

    def normalize(train: Values, test: Values) -> list[Fraction]:
        values = select(train, test)
        low, width = min(values), max(values) - min(values)
        return [(v - low) / width if width else Fraction(0) for v in test]

    return normalize


@drill(
    MIN_MAX,
    tier=1,
    asks=one_of("u", "x"),
    visualization="rescaling",
    prompt="A feature ranges from {x_min} to {x_max} in the training set. It is min-max normalized to the range from "
    "{a} to {b}, without clipping. The value {x} is normalized to {u}.",
    hint="What fraction of the way from the training minimum to the training maximum is it? Go the same fraction of "
    "the way in the target range.",
    mistakes=[
        Mistake(
            "maximum-only",
            "u = a + x/x_max*(b - a)",
            "You divided by the maximum alone. Subtract the minimum, then divide by the range: maximum minus minimum.",
        ),
        Mistake(
            "no-shift",
            "u = (x - x_min)/(x_max - x_min)*(b - a)",
            "You let the target range start at 0. Its lower end must be added.",
        ),
        Mistake(
            "times-upper-end",
            "u = a + (x - x_min)/(x_max - x_min)*b",
            "You multiplied by the upper end of the target range. Multiply by its width: upper end minus lower end.",
        ),
        Mistake(
            "minimum-not-subtracted",
            "u = a + x/(x_max - x_min)*(b - a)",
            "You did not subtract the minimum. Subtract it first, so that it maps to the lower end of the target "
            "range.",
        ),
    ],
)
def norm_minmax(rng: Random) -> Inputs:
    """Min-max normalization of a value"""
    width, low = rng.choice([4, 5, 8, 10, 20, 25, 40, 50]), rng.randint(-9, 30)
    a, b = rng.choice([(0, 1), (0, 1), (-1, 1), (-1, 1), (1, 5), (2, 4)])
    share = rng.choice([rng.randint(1, 19) / 20, rng.randint(1, 19) / 20, rng.choice([-0.2, -0.1, 1.1, 1.25])])
    return dict(x=round(low + share * width, 2), x_min=low, x_max=low + width, a=a, b=b)


@drill(
    MIN_MAX_SPLIT,
    id="norm-minmax:split",
    tier=2,
    asks="u",
    visualization="number-line train test",
    prompt="The training values of a feature are {train}, and its test values are {test}. They are min-max normalized "
    "to [0, 1] without clipping. The scaler is fitted once, without leaking test data.",
    hint="Which values is the scaler fitted on? A test value may fall outside [0, 1].",
    mistakes=[
        Mistake(
            "test-statistics",
            {"u": _fitted_on(lambda train, test: test)},
            "You fitted the scaler on the test set. Use the minimum and maximum of the training set.",
        ),
        Mistake(
            "both-splits",
            {"u": _fitted_on(lambda train, test: [*train, *test])},
            "You fitted the scaler on both sets, which leaks test data. Use the minimum and maximum of the training "
            "set alone.",
        ),
        Mistake(
            "clipped",
            "u[i] = min(1, max(0, (test[i] - x_min)/(x_max - x_min)))",
            "You clipped the result. Without clipping, a test value outside the training range falls outside [0, 1].",
        ),
        Mistake(
            "maximum-only",
            "u[i] = test[i]/x_max",
            "You divided by the maximum alone. Subtract the minimum, then divide by the range: maximum minus minimum.",
        ),
    ],
)
def norm_minmax_split(rng: Random) -> Inputs:
    """Min-max normalization of a test set"""
    low, width = rng.randint(0, 20), rng.choice([4, 5, 8, 10, 20, 40])
    inside = [low + rng.randint(1, width - 1) for _ in range(rng.choice([1, 2]))]
    train = [low, low + width, *inside]
    rng.shuffle(train)
    outside = rng.choice([low + width + rng.randint(1, 6), low - rng.randint(1, 6)])
    test = [outside, *(low + rng.randint(1, width - 1) for _ in range(rng.choice([1, 2])))]
    rng.shuffle(test)
    return dict(train=train, test=test)


@drill(
    UNSCALED_LINE,
    tier=2,
    asks=(derive("slope"), derive("intercept", form="single fraction")),
    prompt="A feature x with training minimum x_min and maximum x_max is normalized linearly to the range from {a} to "
    "{b}. A linear model w*u + c takes the normalized feature u.\n"
    "Which slope and which intercept does the same model have for the raw feature x? Answer in terms of w, c, x_min, "
    "and x_max.",
    hints=(
        "Write u in terms of x and insert it into w*u + c. Which terms have a factor x?",
        "u is a linear function of x. It is at the lower end of the range at x_min, and at the upper end at x_max.",
        "First step: (x - x_min)/(x_max - x_min) runs from 0 to 1. Stretch it by the width of the range, and add the "
        "lower end.",
    ),
    mistakes=[
        Mistake(
            "range-ignored",
            "slope = w/(x_max - x_min)",
            "You divided by the range of x only. The normalized range has a width too, so multiply by it.",
        ),
        Mistake(
            "inverted",
            "slope = w*(x_max - x_min)/(b - a)",
            "You inverted the slope. A wide raw range makes u change slowly with x, so divide by x_max - x_min.",
        ),
        Mistake(
            "shift-forgotten",
            "intercept = c",
            "You kept the intercept. At x = 0 the normalized feature is not 0, so w times its value is added.",
        ),
        Mistake(
            "shift-reversed",
            "intercept = c - w*(a*x_max - b*x_min)/(x_max - x_min)",
            "The sign of the shift is reversed. At x = 0, the model outputs c plus w times the normalized feature.",
        ),
    ],
)
def unscale_coefficients(rng: Random) -> Inputs:
    """Coefficients for the raw feature"""
    a = rng.randint(-5, 1)
    return dict(a=a, b=a + rng.choice([1, 2, 3, 4, 5, 6]))
