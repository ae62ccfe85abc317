"""z-scores, and the same for the channels of an image."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.preprocessing import PIXEL_NORMALISE, PIXEL_NORMALISE_BGR, STANDARDISE, Z_SCORE


@drill(
    Z_SCORE,
    id="standardise-z:score",
    tier=1,
    asks="z | x",
    visualization="deviations",
    prompt="A feature has the mean {mu} and the standard deviation {sigma} in the training split. "
    "The value {x} has the z-score {z}.",
    hint="How many standard deviations is it away from the mean, and on which side?",
)
def standardise_z_score(rng: Random) -> dict[str, Any]:
    """z-score of a value"""
    mu, sigma = rng.randint(10, 180), rng.choice([2, 4, 5, 8, 10, 12.5, 20])
    return dict(x=mu + rng.choice([-1, 1]) * rng.randint(1, 12) / 4 * sigma, mu=mu, sigma=sigma)


standardise_z_score.mistake(
    "variance", "z = (x - mu)/sigma^2", "Divide by the standard deviation, not by its square, the variance."
)
standardise_z_score.mistake(
    "not-divided", "z = x - mu", "Centred is half the way: divide by the standard deviation too."
)
standardise_z_score.mistake(
    "sign", "z = (mu - x)/sigma", "Value minus mean: a value above the mean has a positive z-score."
)
standardise_z_score.mistake("not-centred", "z = x/sigma", "Subtract the mean before you divide.")
standardise_z_score.torch(
    "z = F.batch_norm(torch.tensor([[float(x)]]), torch.tensor([float(mu)]), torch.tensor([float(sigma) ** 2]), eps=0)"
    ".item()"
)


@drill(
    STANDARDISE,
    tier=2,
    asks="mu sigma z",
    visualization="number-line X T",
    prompt="Training values X = {X}, test values T = {T}. Standardise the test values with what the training split "
    "gives. Take the {kind} standard deviation (ddof = {ddof}: the sum of squares is divided by {divisor}).\n"
    "What are the mean mu, the standard deviation sigma, and the standardised test values z?",
    hint="Mean and standard deviation come from X alone; then each test value minus mu, over sigma.",
)
def standardise_z(rng: Random) -> dict[str, Any]:
    """Standardization across a split"""
    ddof, train = rng.choice([0, 0, 1]), [rng.randint(1, 20) for _ in range(rng.choice([3, 4, 4, 5]))]
    kind, divisor = ("sample", f"n - 1 = {len(train) - 1}") if ddof else ("population", f"n = {len(train)}")
    return dict(X=train, T=rng.sample(range(1, 25), rng.choice([2, 3])), ddof=ddof, kind=kind, divisor=divisor)


def _test_mean(X: list, T: list, ddof: int) -> Any:
    from fractions import Fraction

    return Fraction(sum(T), len(T))


def _test_deviation(X: list, T: list, ddof: int) -> float:
    mean = _test_mean(X, T, ddof)
    return float(sum((t - mean) ** 2 for t in T) / (len(T) - ddof)) ** 0.5


standardise_z.mistake(
    "other-divisor",
    "sigma = sqrt(sum(i, (X[i] - mu)^2)/(n - 1 + ddof))",
    "The population's standard deviation divides the sum of squares by n, the sample's by n - 1: "
    "you took the other of the two.",
)
standardise_z.mistake(
    "variance",
    "sigma = sum(i, (X[i] - mu)^2)/(n - ddof); z[i] = (T[i] - mu)/sigma^2",
    "That is the variance: sigma is its root, and it is sigma that divides.",
)
standardise_z.mistake(
    "absolute-deviation",
    "sigma = mean(i, abs(X[i] - mu))",
    "That is the mean absolute deviation: square the deviations, average them, and take the root.",
)
standardise_z.mistake("not-divided", "z[i] = T[i] - mu", "Centred is half the way: divide by sigma too.")
standardise_z.mistake(
    "test-statistics",
    {
        "mu": _test_mean,
        "sigma": _test_deviation,
        "z": lambda X, T, ddof: [(t - _test_mean(X, T, ddof)) / _test_deviation(X, T, ddof) for t in T],
    },
    "Mean and standard deviation come from the training split: the test split is only transformed.",
)
standardise_z.torch(
    """
from scipy.stats import zmap

mu = X.mean().item()
sigma = X.std(correction=ddof).item()
z = zmap(T.numpy(), X.numpy(), ddof=ddof).tolist()
"""
)

MEANS, DEVIATIONS = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]


@drill(
    PIXEL_NORMALISE,
    tier=1,
    asks="v",
    prompt="A network wants images scaled to [0, 1] and then standardised with each channel's mean and standard "
    "deviation on that scale. In one channel (mean {mu}, standard deviation {s}) a pixel has the byte {u} "
    "(of 0 to 255), and the network gets {v}.",
    hint="Bring the byte to the scale on which mean and standard deviation were taken.",
)
def img_normalise(rng: Random) -> dict[str, Any]:
    """Normalising one channel of a pixel"""
    channel = rng.randrange(3)
    return dict(u=rng.randint(5, 250), mu=MEANS[channel], s=DEVIATIONS[channel])


img_normalise.mistake(
    "no-255", "v = (u - mu)/s", "The mean is on the scale from 0 to 1: divide the byte by 255 before you subtract it."
)
img_normalise.mistake(
    "times-deviation", "v = (u/255 - mu)*s", "Divide by the standard deviation; multiplying by it undoes that."
)
img_normalise.mistake("not-divided", "v = u/255 - mu", "Centred is half the way: divide by the standard deviation too.")
img_normalise.mistake("256", "v = (u/256 - mu)/s", "The largest byte is 255, and it should become 1: divide by 255.")
img_normalise.torch(
    """
import numpy as np
from torchvision.transforms.functional import normalize, to_tensor

v = normalize(to_tensor(np.array([[[u]]], dtype=np.uint8)), [mu], [s]).item()
"""
)


@drill(
    PIXEL_NORMALISE_BGR,
    id="img-normalise:bgr",
    tier=2,
    asks="v",
    prompt="OpenCV reads a pixel as u = {u}, in the order blue, green, red, bytes of 0 to 255. The network wants red, "
    "green, blue, scaled to [0, 1] and standardised with the means {mu} and standard deviations {s} (red, green, "
    "blue). What does it get, in the order red, green, blue?",
    hint="Put the channels in the network's order first.",
)
def img_normalise_bgr(rng: Random) -> dict[str, Any]:
    """Normalising a pixel read as BGR"""
    return dict(u=[rng.randint(5, 250) for _ in range(3)], mu=MEANS, s=DEVIATIONS)


img_normalise_bgr.mistake(
    "order-kept",
    "v[c] = (u[c]/255 - mu[c])/s[c]",
    "The first byte is blue, and the first mean is that of red: turn the order round before you subtract.",
)
img_normalise_bgr.mistake(
    "still-bgr",
    "v[c] = (u[c]/255 - mu[4 - c])/s[4 - c]",
    "Every byte met its own channel's mean, but the answer is in the order blue, green, red: turn it round.",
)
img_normalise_bgr.mistake(
    "no-255",
    "v[c] = (u[4 - c] - mu[c])/s[c]",
    "The means are on the scale from 0 to 1: divide each byte by 255 before you subtract.",
)
img_normalise_bgr.mistake(
    "times-deviation",
    "v[c] = (u[4 - c]/255 - mu[c])*s[c]",
    "Divide by the standard deviation; multiplying by it undoes that.",
)
img_normalise_bgr.torch(
    """
import numpy as np
from torchvision.transforms.functional import normalize, to_tensor

rgb = np.array([[u.tolist()]], dtype=np.uint8)[:, :, ::-1].copy()
v = normalize(to_tensor(rgb), mu.tolist(), s.tolist()).flatten().tolist()
"""
)
