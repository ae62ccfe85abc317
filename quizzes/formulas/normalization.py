"""Normalization: batch norm in training and in evaluation, folded into a weight, and its relatives."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from typing import Any

from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas import formula
from workbench.errors import UserError

SOURCE = "Ioffe & Szegedy, Batch Normalization, 2015 (arXiv:1502.03167)"
FORWARD = """
m = len(x)
mu = mean(i, x[i])
v = mean(i, (x[i] - mu)^2)
y[i] = gamma*(x[i] - mu)/sqrt(v + epsilon) + beta
"""
RUNNING = """
R_mean = (1 - alpha)*R_mean0 + alpha*mu
R_var = (1 - alpha)*R_var0 + alpha*v*m/(m - 1)
"""
CHANNEL: dict[str, Any] = dict(
    x="vector; the batch's values of one channel",
    mu="real; mean of the batch",
    v="real 0..; variance of the batch, divided by the number of values",
)
AFFINE: dict[str, Any] = dict(
    gamma="real = 1; learned scale",
    beta="real = 0; learned shift",
    epsilon="real 0.. = 1e-5; guard against dividing by zero, added to the variance under the root",
    y="vector; output in training mode",
)
STATISTICS: dict[str, Any] = dict(
    alpha="real 0..1 = 0.1; momentum: weight of the new batch",
    R_mean0="real = 0; running mean before the batch",
    R_var0="real 0.. = 1; running variance before the batch",
    m="int 2..; values in the batch",
    R_mean="real; running mean after the batch",
    R_var="real 0..; running variance after the batch, fed with the unbiased variance",
)


BN_FORWARD = formula(
    "bn-forward",
    FORWARD,
    topic="batch-normalization",
    title="Batch norm of one channel in training mode",
    source=SOURCE,
    m=STATISTICS["m"],
    **CHANNEL,
    **AFFINE,
)


BN_BATCH = formula(
    "bn-batch",
    """
    m = len(X)
    mu[k] = mean(i, X[i, k])
    v[k] = mean(i, (X[i, k] - mu[k])^2)
    Y[i, k] = gamma[k]*(X[i, k] - mu[k])/sqrt(v[k] + epsilon) + beta[k]
    """,
    topic="batch-normalization",
    title="Batch norm of a batch with several features, training mode",
    source=SOURCE,
    X="matrix; a row for each sample, a column for each feature",
    gamma="vector; learned scale of each feature",
    beta="vector; learned shift of each feature",
    epsilon=AFFINE["epsilon"],
    m="int 1..; samples",
    mu="vector; mean of each feature",
    v="vector; variance of each feature, divided by the number of samples",
    Y="matrix; output in training mode",
)

BN_RUNNING = formula(
    "bn-running-stats",
    "m = len(x); mu = mean(i, x[i]); v = mean(i, (x[i] - mu)^2)" + RUNNING,
    topic="batch-normalization",
    title="Running mean and variance of batch norm, as PyTorch keeps them",
    source="documentation of torch.nn.BatchNorm1d: x_new = (1 - momentum) x + momentum x_t; the running variance takes "
    "the unbiased variance",
    **CHANNEL,
    **STATISTICS,
)

BN_TRAIN_EVAL = formula(
    "bn-train-eval",
    FORWARD + RUNNING + "z[i] = gamma*(x[i] - R_mean)/sqrt(R_var + epsilon) + beta",
    topic="batch-normalization",
    title="Batch norm: a training pass, its running statistics, then evaluation",
    source=f"{SOURCE} and 2; running statistics as in the documentation of torch.nn.BatchNorm1d",
    **CHANNEL,
    **AFFINE,
    **STATISTICS,
    z="vector; output for the same values in evaluation mode",
)


PER_FEATURE = {"gamma": 1, "beta": 0, "R_mean0": 0, "R_var0": 1}  # what is usual where it is left out


def _batch_norm(X: list, mode: str, alpha: Any, epsilon: Any, **given: list) -> dict[str, Any]:
    d = len(X[0])
    if any(len(row) != d for row in X):
        raise UserError("The rows of X have different lengths.")
    if mode == "training" and len(X) < 2:
        raise UserError("Training mode needs two or more rows of X: one alone has no unbiased variance.")
    for name, values in given.items():
        if len(values) != d:
            raise UserError(f"{name} has a value for each of the {d} features of X, and {len(values)} came.")
    settings = zip(*(given.get(name, [usual] * d) for name, usual in PER_FEATURE.items()), strict=True)
    columns = [list(column) for column in zip(*X, strict=True)]
    rate = alpha if mode == "training" else None
    found = [_feature(x, rate, epsilon, *own) for x, own in zip(columns, settings, strict=True)]
    mu, v, y, R_mean, R_var = (list(values) for values in zip(*found, strict=True))
    return {"mu": mu, "v": v, "Y": [list(row) for row in zip(*y, strict=True)], "R_mean": R_mean, "R_var": R_var}


def _feature(x: list, alpha: Any, epsilon: Any, gamma: Any, beta: Any, R_mean: Any, R_var: Any) -> tuple[Any, ...]:
    """One feature: mean and variance that are used, output, running mean and variance; without alpha, evaluated."""
    mu, v, N = R_mean, R_var, len(x)
    if alpha is not None:
        mu = Fraction(sum(x)) / N
        squares = sum((value - mu) ** 2 for value in x)
        v = squares / N
        R_mean, R_var = (1 - alpha) * R_mean + alpha * mu, (1 - alpha) * R_var + alpha * squares / (N - 1)
    if not v + epsilon:
        raise UndefinedValue("it divides by zero")
    return mu, v, [gamma * (value - mu) / sqrt(v + epsilon) + beta for value in x], R_mean, R_var


BATCH_NORM = formula(
    "batch-norm",
    "",
    topic="batch-normalization",
    title="Batch norm of several features, in training and in evaluation mode",
    source=f"{SOURCE} and 2; running statistics as in the documentation of torch.nn.BatchNorm1d",
    conventions="""
Training mode normalises by the batch's own mean and variance (divided by N) and
moves the running ones: new = (1 - alpha) old + alpha of the batch, the running
variance fed with the unbiased variance (divided by N - 1), as PyTorch does.
Evaluation mode normalises by the running ones, and leaves them as they are.
""",
    procedure=_batch_norm,
    procedure_outputs="mu v Y R_mean R_var",
    X="matrix; a row for each sample, a column for each feature",
    mode="word training|evaluation = training; mode",
    gamma="vector?; learned scale of each feature; 1 where it is left out",
    beta="vector?; learned shift of each feature; 0 where it is left out",
    R_mean0="vector?; running mean of each feature before; 0 where it is left out",
    R_var0="vector? 0..; running variance of each feature before; 1 where it is left out",
    alpha=STATISTICS["alpha"],
    epsilon=AFFINE["epsilon"],
    mu="vector; mean that is subtracted",
    v="vector; variance that is divided by, under the root",
    Y="matrix; output",
    R_mean="vector; running mean of each feature after",
    R_var="vector; running variance of each feature after",
)

BN_PARAMS = formula(
    "bn-params-count",
    """
    P = 2*C
    B = 2*C
    M = N*H*W
    """,
    topic="batch-normalization",
    title="Parameters, buffers and statistics of a batch norm over images",
    source=f"{SOURCE}: gamma and beta for each channel, statistics over the batch and all places; "
    "PyTorch's counter of batches is left out",
    N="int 1..100000; images in the batch",
    C="int 1..100000; channels",
    H="int 1..100000; height [px]",
    W="int 1..100000; width [px]",
    P="int 1..; trained parameters",
    B="int 1..; numbers in the buffers, which are not trained: running means and variances",
    M="int 1..; values that each mean is taken over",
)

CONV_BN = formula(
    "conv-bn-params",
    """
    P_conv = k^2*C_in*C_out
    P_bn = 2*C_out
    P = P_conv + P_bn
    """,
    topic="batch-normalization",
    title="Parameters of a convolution without bias and its batch norm",
    source="Ioffe & Szegedy, Batch Normalization, 2015 (arXiv:1502.03167): the mean that is subtracted "
    "takes a bias with it, and beta does its work",
    k="int 1..100; filter side [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000; filters",
    P_conv="int 1..; parameters of the convolution",
    P_bn="int 1..; parameters of the batch norm",
    P="int 1..; parameters of both",
)

BN_FOLD = formula(
    "bn-fold",
    """
    W_folded = W*gamma/sqrt(v + epsilon)
    b_folded = (b - mu)*gamma/sqrt(v + epsilon) + beta
    """,
    topic="batch-normalization",
    title="Batch norm folded into the weight and bias before it",
    source="derivation: gamma (W x + b - mu)/sqrt(v + epsilon) + beta, sorted by x",
    W="real; weight before the batch norm",
    b="real = 0; bias before the batch norm",
    mu="real; running mean",
    v="real 0..; running variance",
    gamma="real = 1; learned scale",
    beta="real = 0; learned shift",
    epsilon="real 0.. = 1e-5; added to the variance, under the root",
    W_folded="real; weight that does the work of both",
    b_folded="real; bias that does the work of both",
)


LAYER_NORM = formula(
    "layer-norm",
    """
    d = len(X[1])
    mu[n] = mean(k, X[n, k])
    v[n] = mean(k, (X[n, k] - mu[n])^2)
    Y[n, k] = (X[n, k] - mu[n])/sqrt(v[n] + epsilon)
    """,
    topic="batch-normalization",
    title="Layer norm of a batch, scale 1 and shift 0",
    source="Ba, Kiros & Hinton, Layer Normalization, 2016 (arXiv:1607.06450)",
    X="matrix; a row of features for each sample",
    epsilon="real 0.. = 1e-5; added to the variance, under the root",
    d="int 1..; features",
    mu="vector; mean of each sample",
    v="vector; variance of each sample, divided by the number of features",
    Y="matrix; normalised features",
)


def normalise(X: list, groups: Sequence[Sequence[int]], epsilon: Any, less: int = 0) -> list[list[Any]]:
    """The rows of X (channels), each group of them normalised together; `less` is taken from the count of values."""
    Y: list[list[Any]] = [[] for _ in X]
    for group in groups:
        values = [value for channel in group for value in X[channel]]
        mean = Fraction(sum(values), len(values))
        spread = sum((value - mean) ** 2 for value in values) / (len(values) - less) + epsilon
        if not spread:
            raise UndefinedValue("it divides by zero")
        for channel in group:
            Y[channel] = [(value - mean) / sqrt(spread) for value in X[channel]]
    return Y


def in_groups(channels: int, G: int) -> list[range]:
    """The channels, from 0, of each of G groups of neighbours."""
    if channels % G:
        raise UserError(f"{channels} channels can't be cut into {G} equal groups: choose a divisor.")
    size = channels // G
    return [range(start, start + size) for start in range(0, channels, size)]


def _group_norm(X: list, G: int, epsilon: Any) -> dict[str, Any]:
    return {"Y": normalise(X, in_groups(len(X), G), epsilon)}


GROUP_NORM = formula(
    "group-norm",
    "",
    topic="batch-normalization",
    title="Group norm of one sample, scale 1 and shift 0",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494)",
    procedure=_group_norm,
    procedure_outputs="Y",
    X="matrix; one sample, a row of pixels for each channel",
    G="int 1..1000; groups of neighbouring channels",
    epsilon="real 0.. = 1e-5; added to the variance, under the root",
    Y="matrix; normalised sample",
)


def _group_size(C: int, G: int, **others: Any) -> dict[str, int]:
    return {"c": len(in_groups(C, G)[0])}


NORM_SIZES = formula(
    "norm-sizes",
    """
    M_layer = C*H*W
    M_instance = H*W
    M_group = c*H*W
    P_layer = 2*C*H*W
    P_group = 2*C
    """,
    topic="batch-normalization",
    title="What layer, instance and group norm average over, and their parameters",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494); parameters as in PyTorch's LayerNorm, "
    "a scale and a shift for each element, and GroupNorm, a scale and a shift for each channel",
    procedure=_group_size,
    procedure_outputs="c",
    N="int 1..100000 = 1; images in the batch, which do not matter",
    C="int 1..100000; channels",
    H="int 1..100000; height [px]",
    W="int 1..100000; width [px]",
    G="int 1..100000; groups",
    c="int 1..; channels in a group",
    M_layer="int 1..; values for each mean of layer norm",
    M_instance="int 1..; values for each mean of instance norm",
    M_group="int 1..; values for each mean of group norm",
    P_layer="int 1..; parameters of layer norm",
    P_group="int 1..; parameters of group norm",
)
