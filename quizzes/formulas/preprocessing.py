"""Data preprocessing: bringing features to one scale."""

from quizzes.formulas import formula

MIN_MAX = formula(
    "min-max",
    "u = a + (x - x_min)/(x_max - x_min)*(b - a)",
    topic="normalization",
    title="Min-max normalization",
    source="derivation: the straight line through (x_min, a) and (x_max, b)",
    x="real; value",
    x_min="real; smallest value of the training split",
    x_max="real; largest value of the training split",
    a="real = 0; lower end of the target range",
    b="real = 1; upper end of the target range",
    u="real; normalised value",
)


MIN_MAX_SPLIT = formula(
    "min-max-split",
    """
    x_min = min(train)
    x_max = max(train)
    u[i] = (test[i] - x_min)/(x_max - x_min)
    """,
    topic="normalization",
    title="Min-max normalization to [0, 1], fitted on the training split",
    source="derivation: the line through (x_min, 0) and (x_max, 1); only the training split may be used to fit it",
    train="vector; values of the training split",
    test="vector; values of the test split",
    x_min="real; smallest value of the training split",
    x_max="real; largest value of the training split",
    u="vector; normalised values of the test split",
)

Z_SCORE = formula(
    "z-score",
    "z = (x - mu)/sigma",
    topic="standardization",
    title="z-score",
    source="derivation: subtracting mu makes the mean 0, dividing by sigma makes the standard deviation 1",
    x="real; value",
    mu="real; mean",
    sigma="real 1e-9..; standard deviation",
    z="real; standardised value",
)


STANDARDISE = formula(
    "standardise",
    """
    n = len(X)
    mu = mean(i, X[i])
    sigma = sqrt(sum(i, (X[i] - mu)^2)/(n - ddof))
    z[i] = (T[i] - mu)/sigma
    """,
    topic="standardization",
    title="Standardization, fitted on the training split",
    source="derivation: the definitions of mean and standard deviation; only the training split may be used for them",
    X="vector; values of the training split",
    T="vector; values to standardise",
    ddof="int 0..1 = 0; 0 for the population's standard deviation, 1 for the sample's",
    n="int; number of training values",
    mu="real; mean of the training split",
    sigma="real; standard deviation of the training split",
    z="vector; standardised values",
)

PIXEL_NORMALISE = formula(
    "pixel-normalise",
    "v = (u/255 - mu)/s",
    topic="standardization",
    title="Normalising one byte of an image",
    source="derivation: a byte goes to [0, 1], the scale on which the channel's mean and standard deviation were taken",
    u="int 0..255; byte of the pixel in this channel",
    mu="real; the channel's mean, on the scale from 0 to 1",
    s="real 1e-9..; the channel's standard deviation, on the scale from 0 to 1",
    v="real; normalised value",
)

PIXEL_NORMALISE_BGR = formula(
    "pixel-normalise-bgr",
    "v[c] = (u[4 - c]/255 - mu[c])/s[c]",
    topic="standardization",
    title="Normalising a pixel read as blue, green, red",
    source="derivation: channel c of red, green, blue stands at place 4 - c of blue, green, red; then as for one byte",
    shapes="u[3]; mu[3]; s[3]",
    u="vector 0..255; bytes of the pixel: blue, green, red",
    mu="vector; mean of each channel on the scale from 0 to 1: red, green, blue",
    s="vector 1e-9..; standard deviation of each channel on the scale from 0 to 1: red, green, blue",
    v="vector; normalised pixel: red, green, blue",
)
