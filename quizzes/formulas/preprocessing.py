"""Data preprocessing: normalization and standardization."""

from quizzes.formulas import formula

MIN_MAX = formula(
    "min-max",
    "u = a + (x - x_min)/(x_max - x_min)*(b - a)",
    topic="normalization",
    title="Min-max normalization",
    source="derivation: the straight line through (x_min, a) and (x_max, b)",
    x="real; value",
    x_min="real; minimum of the training set",
    x_max="real; maximum of the training set",
    a="real = 0; lower end of the target range",
    b="real = 1; upper end of the target range",
    u="real; normalized value",
)


MIN_MAX_SPLIT = formula(
    "min-max-split",
    """
    x_min = min(train)
    x_max = max(train)
    u[i] = (test[i] - x_min)/(x_max - x_min)
    """,
    topic="normalization",
    title="Min-max normalization to [0, 1], fitted on the training set",
    source="derivation: the line through (x_min, 0) and (x_max, 1); only the training set may be used to fit it",
    train="vector; training values",
    test="vector; test values",
    x_min="real; minimum of the training set",
    x_max="real; maximum of the training set",
    u="vector; normalized test values",
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
    z="real; standardized value",
)


STANDARDIZE = formula(
    "standardise",
    """
    n = len(X)
    mu = mean(i, X[i])
    sigma = sqrt(sum(i, (X[i] - mu)^2)/(n - ddof))
    z[i] = (T[i] - mu)/sigma
    """,
    topic="standardization",
    title="Standardization, fitted on the training set",
    source="derivation: the definitions of mean and standard deviation; only the training set may be used for them",
    X="vector; training values",
    T="vector; values to standardize",
    ddof="int 0..1 = 0; 0 for the population standard deviation, 1 for the sample standard deviation",
    n="int; number of training values",
    mu="real; mean of the training set",
    sigma="real; standard deviation of the training set",
    z="vector; standardized values",
)

PIXEL_NORMALIZE = formula(
    "pixel-normalise",
    "v = (u/255 - mu)/s",
    topic="standardization",
    title="Normalizing one byte of an image",
    source="derivation: a byte is mapped to [0, 1], the scale of the channel's mean and standard deviation",
    u="int 0..255; byte of the pixel in this channel",
    mu="real; mean of the channel, on the scale from 0 to 1",
    s="real 1e-9..; standard deviation of the channel, on the scale from 0 to 1",
    v="real; normalized value",
)

PIXEL_NORMALIZE_BGR = formula(
    "pixel-normalise-bgr",
    "v[c] = (u[4 - c]/255 - mu[c])/s[c]",
    topic="standardization",
    title="Normalizing a pixel read as blue, green, red",
    source="derivation: channel c of red, green, blue is at index 4 - c of blue, green, red; then as for one byte",
    shapes="u[3]; mu[3]; s[3]",
    u="vector 0..255; bytes of the pixel, in the order blue, green, red",
    mu="vector; mean of each channel (red, green, blue), on the scale from 0 to 1",
    s="vector 1e-9..; standard deviation of each channel (red, green, blue), on the scale from 0 to 1",
    v="vector; normalized pixel, in the order red, green, blue",
)
