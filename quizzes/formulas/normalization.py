"""Normalization: batch norm in training and evaluation mode, folding, and layer, group and instance norm."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from typing import Any

from quizzes.expressions.tree import UndefinedValue
from quizzes.formulas import formula
from quizzes.formulas.cnn import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
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
EPSILON = "real 0.. = 1e-5; constant added to the variance, inside the square root"
CHANNEL: dict[str, Any] = dict(
    x="vector; values of one channel in the batch",
    mu="real; mean of the batch",
    v="real 0..; variance of the batch, divided by m",
)
AFFINE: dict[str, Any] = dict(
    gamma="real = 1; learned scale",
    beta="real = 0; learned shift",
    epsilon=EPSILON,
    y="vector; output in training mode",
)
STATISTICS: dict[str, Any] = dict(
    alpha="real 0..1 = 0.1; momentum, the weight of the new batch",
    R_mean0="real = 0; running mean before the batch",
    R_var0="real 0.. = 1; running variance before the batch",
    m="int 2..; number of values in the batch",
    R_mean="real; running mean after the batch",
    R_var="real 0..; running variance after the batch",
)


BN_FORWARD = formula(
    "bn-forward",
    FORWARD,
    topic="batch-normalization",
    title="Batch norm of one channel, training mode",
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
    title="Batch norm of several features, training mode",
    source=SOURCE,
    X="matrix; batch, a row per sample and a column per feature",
    gamma="vector; learned scale of each feature",
    beta="vector; learned shift of each feature",
    epsilon=EPSILON,
    m="int 1..; number of samples",
    mu="vector; mean of each feature",
    v="vector; variance of each feature, divided by the number of samples",
    Y="matrix; output in training mode",
)

BN_RUNNING = formula(
    "bn-running-stats",
    "m = len(x); mu = mean(i, x[i]); v = mean(i, (x[i] - mu)^2)" + RUNNING,
    topic="batch-normalization",
    title="Running mean and variance of batch norm, as in PyTorch",
    source="documentation of torch.nn.BatchNorm1d: x_new = (1 - momentum) x + momentum x_t; the running variance uses "
    "the unbiased batch variance",
    **CHANNEL,
    **STATISTICS,
)

BN_TRAIN_EVAL = formula(
    "bn-train-eval",
    FORWARD + RUNNING + "z[i] = gamma*(x[i] - R_mean)/sqrt(R_var + epsilon) + beta",
    topic="batch-normalization",
    title="Batch norm: one training pass, then evaluation",
    source=f"{SOURCE}, algorithms 1 and 2; running statistics as in the documentation of torch.nn.BatchNorm1d",
    **CHANNEL,
    **AFFINE,
    **STATISTICS,
    z="vector; output in evaluation mode, for the same values",
)


DEFAULTS = {"gamma": 1, "beta": 0, "R_mean0": 0, "R_var0": 1}  # of each feature


def _batch_norm(X: list[Any], mode: str, alpha: Any, epsilon: Any, **settings: list[Any]) -> dict[str, Any]:
    d = len(X[0])
    if any(len(row) != d for row in X):
        raise UserError("The rows of X have different lengths.")
    if mode == "training" and len(X) < 2:
        raise UserError("Training mode needs two or more rows of X, because one row has no unbiased variance.")
    for name, values in settings.items():
        if len(values) != d:
            raise UserError(f"{name} must have length {d}, one value per feature of X, not {len(values)}.")
    per_feature = zip(*(settings.get(name, [default] * d) for name, default in DEFAULTS.items()), strict=True)
    columns = [list(column) for column in zip(*X, strict=True)]
    momentum = alpha if mode == "training" else None
    results = [_feature(x, momentum, epsilon, *values) for x, values in zip(columns, per_feature, strict=True)]
    mu, v, y, R_mean, R_var = (list(values) for values in zip(*results, strict=True))
    return {"mu": mu, "v": v, "Y": [list(row) for row in zip(*y, strict=True)], "R_mean": R_mean, "R_var": R_var}


def _feature(x: list[Any], alpha: Any, epsilon: Any, gamma: Any, beta: Any, R_mean: Any, R_var: Any) -> tuple[Any, ...]:
    """Return mean and variance used, output, and running mean and variance of one feature.

    `alpha` is None in evaluation mode.
    """
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
    source=f"{SOURCE}, algorithms 1 and 2; running statistics as in the documentation of torch.nn.BatchNorm1d",
    conventions="""
Training mode normalizes with the mean and variance of the batch (divided by N)
and updates the running statistics: new = (1 - alpha) old + alpha batch. As in
PyTorch, the running variance uses the unbiased batch variance (divided by
N - 1). Evaluation mode normalizes with the running statistics and leaves them
unchanged.
""",
    procedure=_batch_norm,
    procedure_outputs="mu v Y R_mean R_var",
    X="matrix; batch, a row per sample and a column per feature",
    mode="word training|evaluation = training; mode",
    gamma="vector?; learned scale of each feature, 1 by default",
    beta="vector?; learned shift of each feature, 0 by default",
    R_mean0="vector?; running mean of each feature before the batch, 0 by default",
    R_var0="vector? 0..; running variance of each feature before the batch, 1 by default",
    alpha=STATISTICS["alpha"],
    epsilon=EPSILON,
    mu="vector; mean used for normalization",
    v="vector; variance used for normalization",
    Y="matrix; output",
    R_mean="vector; running mean of each feature after the batch",
    R_var="vector; running variance of each feature after the batch",
)

BN_PARAMS = formula(
    "bn-params-count",
    """
    P = 2*C
    B = 2*C
    M = N*H*W
    """,
    topic="batch-normalization",
    title="Parameters, buffers and statistics of batch norm for images",
    source=f"{SOURCE}: gamma and beta per channel, statistics over the batch and all positions; "
    "PyTorch's num_batches_tracked is not counted",
    N="int 1..100000; number of images in the batch",
    C="int 1..100000; number of channels",
    H="int 1..100000; height [px]",
    W="int 1..100000; width [px]",
    P="int 1..; number of trainable parameters",
    B="int 1..; number of buffer values, running means and variances",
    M="int 1..; number of values that each mean averages over",
)

CONV_BN = formula(
    "conv-bn-params",
    """
    P_conv = k^2*C_in*C_out
    P_bn = 2*C_out
    P = P_conv + P_bn
    """,
    topic="batch-normalization",
    title="Parameters of a convolution without bias, followed by batch norm",
    source="Ioffe & Szegedy, Batch Normalization, 2015 (arXiv:1502.03167): subtracting the mean cancels any bias, and "
    "beta replaces it",
    k=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P_conv="int 1..; number of parameters of the convolution",
    P_bn="int 1..; number of parameters of the batch norm",
    P="int 1..; number of parameters of both layers",
)

BN_FOLD = formula(
    "bn-fold",
    """
    W_folded = W*gamma/sqrt(v + epsilon)
    b_folded = (b - mu)*gamma/sqrt(v + epsilon) + beta
    """,
    topic="batch-normalization",
    title="Batch norm folded into the preceding weight and bias",
    source="derivation: gamma (W x + b - mu)/sqrt(v + epsilon) + beta, with the terms in x collected",
    W="real; weight before the batch norm",
    b="real = 0; bias before the batch norm",
    mu="real; running mean",
    v="real 0..; running variance",
    gamma=AFFINE["gamma"],
    beta=AFFINE["beta"],
    epsilon=EPSILON,
    W_folded="real; folded weight",
    b_folded="real; folded bias",
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
    X="matrix; batch, a row per sample",
    epsilon=EPSILON,
    d="int 1..; number of features",
    mu="vector; mean of each sample",
    v="vector; variance of each sample, divided by the number of features",
    Y="matrix; output",
)


def normalize(X: list[Any], groups: Sequence[Sequence[int]], epsilon: Any, correction: int = 0) -> list[list[Any]]:
    """Return X with each group of its rows (channels) normalized together.

    Args:
        X: A row of values per channel.
        groups: Channel indices of each group.
        epsilon: Added to the variance.
        correction: The variance is divided by the number of values minus this.

    Raises:
        UndefinedValue: If a variance is 0.
    """
    Y: list[list[Any]] = [[] for _ in X]
    for group in groups:
        values = [value for channel in group for value in X[channel]]
        mean = Fraction(sum(values), len(values))
        variance = sum((value - mean) ** 2 for value in values) / (len(values) - correction)
        if not variance + epsilon:
            raise UndefinedValue("it divides by zero")
        for channel in group:
            Y[channel] = [(value - mean) / sqrt(variance + epsilon) for value in X[channel]]
    return Y


def channel_groups(channels: int, G: int) -> list[range]:
    """Return the channel indices of each of G groups of adjacent channels.

    Raises:
        UserError: If G does not divide the number of channels.
    """
    if channels % G:
        raise UserError(
            f"The number of channels, {channels}, can't be divided into {G} equal groups. Choose a divisor."
        )
    size = channels // G
    return [range(start, start + size) for start in range(0, channels, size)]


def _group_norm(X: list[Any], G: int, epsilon: Any) -> dict[str, Any]:
    return {"Y": normalize(X, channel_groups(len(X), G), epsilon)}


GROUP_NORM = formula(
    "group-norm",
    "",
    topic="batch-normalization",
    title="Group norm of one sample, scale 1 and shift 0",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494)",
    procedure=_group_norm,
    procedure_outputs="Y",
    X="matrix; one sample, a row per channel and a column per pixel",
    G="int 1..1000; number of groups of adjacent channels",
    epsilon=EPSILON,
    Y="matrix; output",
)


def _group_size(C: int, G: int, **others: Any) -> dict[str, int]:
    return {"c": len(channel_groups(C, G)[0])}


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
    title="Averages and parameters of layer, instance and group norm",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494); parameters as in PyTorch: LayerNorm has a scale "
    "and a shift per element, GroupNorm per channel",
    procedure=_group_size,
    procedure_outputs="c",
    N="int 1..100000 = 1; number of images in the batch, which has no effect",
    C="int 1..100000; number of channels",
    H="int 1..100000; height [px]",
    W="int 1..100000; width [px]",
    G="int 1..100000; number of groups",
    c="int 1..; number of channels per group",
    M_layer="int 1..; number of values per mean in layer norm",
    M_instance="int 1..; number of values per mean in instance norm",
    M_group="int 1..; number of values per mean in group norm",
    P_layer="int 1..; number of parameters of layer norm",
    P_group="int 1..; number of parameters of group norm",
)
