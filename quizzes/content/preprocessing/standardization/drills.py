"""Standardization (z-score): drills."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from random import Random

from quizzes.content.preprocessing.standardization.formulas import (
    PIXEL_NORMALIZE,
    PIXEL_NORMALIZE_BGR,
    STANDARDIZE,
    Z_SCORE,
)
from quizzes.drill import Inputs, Mistake, drill, one_of


def _test_mean(X: Sequence[Fraction], T: Sequence[Fraction], ddof: int) -> Fraction:
    return sum(T, Fraction(0)) / len(T)


def _test_deviation(X: Sequence[Fraction], T: Sequence[Fraction], ddof: int) -> float:
    mean = _test_mean(X, T, ddof)
    return sqrt(sum((t - mean) ** 2 for t in T) / (len(T) - ddof))


MEANS, DEVIATIONS = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@drill(
    Z_SCORE,
    id="standardise-z:score",
    tier=1,
    asks=one_of("z", "x"),
    visualization="deviations",
    prompt="A feature has mean {mu} and standard deviation {sigma} in the training set. "
    "The value {x} has the z-score {z}.",
    hint="How many standard deviations above or below the mean is the value?",
    mistakes=[
        Mistake(
            "variance",
            "z = (x - mu)/sigma^2",
            "You used the variance. The z-score uses the standard deviation, its square root.",
        ),
        Mistake(
            "not-divided",
            "z = x - mu",
            "You left out the standard deviation. The z-score is (value - mean) divided by it.",
        ),
        Mistake("sign", "z = (mu - x)/sigma", "You reversed the sign. A value above the mean has a positive z-score."),
        Mistake("not-centred", "z = x/sigma", "You left out the mean. It is subtracted before the division."),
    ],
)
def standardize_z_score(rng: Random) -> Inputs:
    """z-score of a value"""
    mu, sigma = rng.randint(10, 180), rng.choice([2, 4, 5, 8, 10, 12.5, 20])
    return dict(x=mu + rng.choice([-1, 1]) * rng.randint(1, 12) / 4 * sigma, mu=mu, sigma=sigma)


@drill(
    STANDARDIZE,
    id="standardise-z",
    tier=2,
    asks=("mu", "sigma", "z"),
    visualization="number-line X T",
    prompt="The training values are X = {X}, and the test values are T = {T}. Standardize the test values with the "
    "statistics of the training set.\n"
    "What are the mean mu, the standard deviation sigma, and the standardized test values z?\n"
    "Conventions: {kind} standard deviation (ddof = {ddof}: divide the sum of squares by {divisor}).",
    hint="Compute mu and sigma from X alone. What do you then subtract from each test value, and divide by?",
    mistakes=[
        Mistake(
            "other-divisor",
            "sigma = sqrt(sum(i, (X[i] - mu)^2)/(n - 1 + ddof))",
            "You used the other standard deviation. The population standard deviation divides by n, the sample "
            "standard "
            "deviation by n - 1.",
        ),
        Mistake(
            "variance",
            "sigma = sum(i, (X[i] - mu)^2)/(n - ddof); z[i] = (T[i] - mu)/sigma^2",
            "You used the variance. sigma is its square root, and z divides by sigma.",
        ),
        Mistake(
            "absolute-deviation",
            "sigma = mean(i, abs(X[i] - mu))",
            "That is the mean absolute deviation. Square the deviations first, and take the square root at the end.",
        ),
        Mistake("not-divided", "z[i] = T[i] - mu", "You only subtracted the mean. Divide by sigma too."),
        Mistake(
            "test-statistics",
            {
                "mu": _test_mean,
                "sigma": _test_deviation,
                "z": lambda X, T, ddof: [(t - _test_mean(X, T, ddof)) / _test_deviation(X, T, ddof) for t in T],
            },
            "You used statistics of the test set. The mean and the standard deviation come from the training set.",
        ),
    ],
)
def standardize_z(rng: Random) -> Inputs:
    """Standardization of a test set"""
    ddof, train = rng.choice([0, 0, 1]), [rng.randint(1, 20) for _ in range(rng.choice([3, 4, 4, 5]))]
    kind, divisor = ("sample", f"n - 1 = {len(train) - 1}") if ddof else ("population", f"n = {len(train)}")
    return dict(X=train, T=rng.sample(range(1, 25), rng.choice([2, 3])), ddof=ddof, kind=kind, divisor=divisor)


@drill(
    PIXEL_NORMALIZE,
    id="img-normalise",
    tier=1,
    asks="v",
    prompt="A network expects images that are scaled to [0, 1] and then standardized with the mean and the standard "
    "deviation of each channel on that scale. In one channel (mean {mu}, standard deviation {s}), a pixel has the byte "
    "value {u} (from 0 to 255). The network receives {v}.",
    hint="On which scale are the mean and the standard deviation? Bring the byte to that scale first.",
    mistakes=[
        Mistake(
            "no-255",
            "v = (u - mu)/s",
            "You did not scale the byte. The mean is on the scale from 0 to 1, so divide the byte by 255 first.",
        ),
        Mistake("times-deviation", "v = (u/255 - mu)*s", "You multiplied by the standard deviation. Divide by it."),
        Mistake("not-divided", "v = u/255 - mu", "You only subtracted the mean. Divide by the standard deviation too."),
        Mistake(
            "256",
            "v = (u/256 - mu)/s",
            "You divided by 256. The largest byte is 255 and must map to 1, so divide by 255.",
        ),
    ],
)
def img_normalize(rng: Random) -> Inputs:
    """Normalizing one channel of a pixel"""
    channel = rng.randrange(3)
    return dict(u=rng.randint(5, 250), mu=MEANS[channel], s=DEVIATIONS[channel])


@drill(
    PIXEL_NORMALIZE_BGR,
    id="img-normalise:bgr",
    tier=2,
    asks="v",
    prompt="OpenCV reads a pixel as the bytes u = {u} (from 0 to 255), in the order blue, green, red. "
    "A network expects the order red, green, blue, scaled to [0, 1] and then standardized with the means {mu} and the "
    "standard deviations {s} (red, green, blue). The network receives {v}.",
    hint="Put the channels in the network's order first.",
    mistakes=[
        Mistake(
            "order-kept",
            "v[c] = (u[c]/255 - mu[c])/s[c]",
            "You kept the order of the channels. The first byte is blue, but the first mean is for red: reverse the "
            "bytes.",
        ),
        Mistake(
            "still-bgr",
            "v[c] = (u[c]/255 - mu[4 - c])/s[4 - c]",
            "Your values are in the order blue, green, red. Reverse them, because the network expects red, green, "
            "blue.",
        ),
        Mistake(
            "no-255",
            "v[c] = (u[4 - c] - mu[c])/s[c]",
            "You did not scale the bytes. The means are on the scale from 0 to 1, so divide each byte by 255 first.",
        ),
        Mistake(
            "times-deviation",
            "v[c] = (u[4 - c]/255 - mu[c])*s[c]",
            "You multiplied by the standard deviation. Divide by it.",
        ),
    ],
)
def img_normalize_bgr(rng: Random) -> Inputs:
    """Normalizing a pixel read as BGR"""
    return dict(u=[rng.randint(5, 250) for _ in range(3)], mu=MEANS, s=DEVIATIONS)
