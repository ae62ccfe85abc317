"""Standardization (z-score): formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector

Z_SCORE = Formula(
    "z-score",
    "z = (x - mu)/sigma",
    title="z-score",
    source="derivation: subtracting mu makes the mean 0, dividing by sigma makes the standard deviation 1",
    x=Real(meaning="value"),
    mu=Real(meaning="mean"),
    sigma=Real(1e-9, meaning="standard deviation"),
    z=Real(meaning="standardized value"),
)


STANDARDIZE = Formula(
    "standardise",
    """
    n = len(X)
    mu = mean(i, X[i])
    sigma = sqrt(sum(i, (X[i] - mu)^2)/(n - ddof))
    z[i] = (T[i] - mu)/sigma
    """,
    title="Standardization, fitted on the training set",
    source="derivation: the definitions of mean and standard deviation; only the training set may be used for them",
    X=Vector(meaning="training values"),
    T=Vector(meaning="values to standardize"),
    ddof=Int(0, 1, "0 for the population standard deviation, 1 for the sample standard deviation", default=0),
    n=Int(meaning="number of training values"),
    mu=Real(meaning="mean of the training set"),
    sigma=Real(meaning="standard deviation of the training set"),
    z=Vector(meaning="standardized values"),
)


PIXEL_NORMALIZE = Formula(
    "pixel-normalise",
    "v = (u/255 - mu)/s",
    title="Normalizing one byte of an image",
    source="derivation: a byte is mapped to [0, 1], the scale of the channel's mean and standard deviation",
    u=Int(0, 255, "byte of the pixel in this channel"),
    mu=Real(meaning="mean of the channel, on the scale from 0 to 1"),
    s=Real(1e-9, meaning="standard deviation of the channel, on the scale from 0 to 1"),
    v=Real(meaning="normalized value"),
)


PIXEL_NORMALIZE_BGR = Formula(
    "pixel-normalise-bgr",
    "v[c] = (u[4 - c]/255 - mu[c])/s[c]",
    title="Normalizing a pixel read as blue, green, red",
    source="derivation: channel c of red, green, blue is at index 4 - c of blue, green, red; then as for one byte",
    shapes="u[3]; mu[3]; s[3]",
    u=Vector(0, 255, "bytes of the pixel, in the order blue, green, red"),
    mu=Vector(meaning="mean of each channel (red, green, blue), on the scale from 0 to 1"),
    s=Vector(1e-9, meaning="standard deviation of each channel (red, green, blue), on the scale from 0 to 1"),
    v=Vector(meaning="normalized pixel, in the order red, green, blue"),
)
