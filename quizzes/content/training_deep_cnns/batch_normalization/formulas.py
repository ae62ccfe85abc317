"""Batch normalization: formulas."""

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt
from typing import Any

from quizzes.content.shared import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word
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


EPSILON = Real(0, meaning="constant added to the variance, inside the square root", default=1e-5)


CHANNEL: dict[str, Any] = dict(
    x=Vector(meaning="values of one channel in the batch"),
    mu=Real(meaning="mean of the batch"),
    v=Real(0, meaning="variance of the batch, divided by m"),
)


AFFINE: dict[str, Any] = dict(
    gamma=Real(meaning="learned scale", default=1),
    beta=Real(meaning="learned shift", default=0),
    epsilon=EPSILON,
    y=Vector(meaning="output in training mode"),
)


STATISTICS: dict[str, Any] = dict(
    alpha=Real(0, 1, "momentum, the weight of the new batch", default=0.1),
    R_mean0=Real(meaning="running mean before the batch", default=0),
    R_var0=Real(0, meaning="running variance before the batch", default=1),
    m=Int(2, meaning="number of values in the batch"),
    R_mean=Real(meaning="running mean after the batch"),
    R_var=Real(0, meaning="running variance after the batch"),
)


BN_FORWARD = Formula(
    "bn-forward",
    FORWARD,
    title="Batch norm of one channel, training mode",
    source=SOURCE,
    m=STATISTICS["m"],
    **CHANNEL,
    **AFFINE,
)


BN_BATCH = Formula(
    "bn-batch",
    """
    m = len(X)
    mu[k] = mean(i, X[i, k])
    v[k] = mean(i, (X[i, k] - mu[k])^2)
    Y[i, k] = gamma[k]*(X[i, k] - mu[k])/sqrt(v[k] + epsilon) + beta[k]
    """,
    title="Batch norm of several features, training mode",
    source=SOURCE,
    X=Matrix(meaning="batch, a row per sample and a column per feature"),
    gamma=Vector(meaning="learned scale of each feature"),
    beta=Vector(meaning="learned shift of each feature"),
    epsilon=EPSILON,
    m=Int(1, meaning="number of samples"),
    mu=Vector(meaning="mean of each feature"),
    v=Vector(meaning="variance of each feature, divided by the number of samples"),
    Y=Matrix(meaning="output in training mode"),
)


BN_RUNNING = Formula(
    "bn-running-stats",
    "m = len(x); mu = mean(i, x[i]); v = mean(i, (x[i] - mu)^2)" + RUNNING,
    title="Running mean and variance of batch norm, as in PyTorch",
    source="documentation of torch.nn.BatchNorm1d: x_new = (1 - momentum) x + momentum x_t; the running variance uses "
    "the unbiased batch variance",
    **CHANNEL,
    **STATISTICS,
)


BN_TRAIN_EVAL = Formula(
    "bn-train-eval",
    FORWARD + RUNNING + "z[i] = gamma*(x[i] - R_mean)/sqrt(R_var + epsilon) + beta",
    title="Batch norm: one training pass, then evaluation",
    source=f"{SOURCE}, algorithms 1 and 2; running statistics as in the documentation of torch.nn.BatchNorm1d",
    **CHANNEL,
    **AFFINE,
    **STATISTICS,
    z=Vector(meaning="output in evaluation mode, for the same values"),
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


BATCH_NORM = Formula(
    "batch-norm",
    "",
    statement="""
y = γ (x - μ)/√(v + ε) + β, for each feature
In training, μ and v are of the batch; in evaluation, the running ones.
""",
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
    X=Matrix(meaning="batch, a row per sample and a column per feature"),
    mode=Word(words=("training", "evaluation"), meaning="mode", default="training"),
    gamma=Vector(meaning="learned scale of each feature, 1 by default", optional=True),
    beta=Vector(meaning="learned shift of each feature, 0 by default", optional=True),
    R_mean0=Vector(meaning="running mean of each feature before the batch, 0 by default", optional=True),
    R_var0=Vector(0, meaning="running variance of each feature before the batch, 1 by default", optional=True),
    alpha=STATISTICS["alpha"],
    epsilon=EPSILON,
    mu=Vector(meaning="mean used for normalization"),
    v=Vector(meaning="variance used for normalization"),
    Y=Matrix(meaning="output"),
    R_mean=Vector(meaning="running mean of each feature after the batch"),
    R_var=Vector(meaning="running variance of each feature after the batch"),
)


BN_PARAMS = Formula(
    "bn-params-count",
    """
    P = 2*C
    B = 2*C
    M = N*H*W
    """,
    title="Parameters, buffers and statistics of batch norm for images",
    source=f"{SOURCE}: gamma and beta per channel, statistics over the batch and all positions; "
    "PyTorch's num_batches_tracked is not counted",
    N=Int(1, 100000, "number of images in the batch"),
    C=Int(1, 100000, "number of channels"),
    H=Int(1, 100000, "height", unit="px"),
    W=Int(1, 100000, "width", unit="px"),
    P=Int(1, meaning="number of trainable parameters"),
    B=Int(1, meaning="number of buffer values, running means and variances"),
    M=Int(1, meaning="number of values that each mean averages over"),
)


CONV_BN = Formula(
    "conv-bn-params",
    """
    P_conv = k^2*C_in*C_out
    P_bn = 2*C_out
    P = P_conv + P_bn
    """,
    title="Parameters of a convolution without bias, followed by batch norm",
    source="Ioffe & Szegedy, Batch Normalization, 2015 (arXiv:1502.03167): subtracting the mean cancels any bias, and "
    "beta replaces it",
    k=KERNEL_SIZE,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    P_conv=Int(1, meaning="number of parameters of the convolution"),
    P_bn=Int(1, meaning="number of parameters of the batch norm"),
    P=Int(1, meaning="number of parameters of both layers"),
)


BN_FOLD = Formula(
    "bn-fold",
    """
    W_folded = W*gamma/sqrt(v + epsilon)
    b_folded = (b - mu)*gamma/sqrt(v + epsilon) + beta
    """,
    title="Batch norm folded into the preceding weight and bias",
    source="derivation: gamma (W x + b - mu)/sqrt(v + epsilon) + beta, with the terms in x collected",
    W=Real(meaning="weight before the batch norm"),
    b=Real(meaning="bias before the batch norm", default=0),
    mu=Real(meaning="running mean"),
    v=Real(0, meaning="running variance"),
    gamma=AFFINE["gamma"],
    beta=AFFINE["beta"],
    epsilon=EPSILON,
    W_folded=Real(meaning="folded weight"),
    b_folded=Real(meaning="folded bias"),
)


LAYER_NORM = Formula(
    "layer-norm",
    """
    d = len(X[1])
    mu[n] = mean(k, X[n, k])
    v[n] = mean(k, (X[n, k] - mu[n])^2)
    Y[n, k] = (X[n, k] - mu[n])/sqrt(v[n] + epsilon)
    """,
    title="Layer norm of a batch, scale 1 and shift 0",
    source="Ba, Kiros & Hinton, Layer Normalization, 2016 (arXiv:1607.06450)",
    X=Matrix(meaning="batch, a row per sample"),
    epsilon=EPSILON,
    d=Int(1, meaning="number of features"),
    mu=Vector(meaning="mean of each sample"),
    v=Vector(meaning="variance of each sample, divided by the number of features"),
    Y=Matrix(meaning="output"),
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


GROUP_NORM = Formula(
    "group-norm",
    "",
    statement="""
Y = (X - μ_g)/√(v_g + ε), with the mean μ_g and the variance v_g of all
values of the channels of one group
""",
    title="Group norm of one sample, scale 1 and shift 0",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494)",
    procedure=_group_norm,
    procedure_outputs="Y",
    X=Matrix(meaning="one sample, a row per channel and a column per pixel"),
    G=Int(1, 1000, "number of groups of adjacent channels"),
    epsilon=EPSILON,
    Y=Matrix(meaning="output"),
)


def _group_size(C: int, G: int, **others: Any) -> dict[str, int]:
    return {"c": len(channel_groups(C, G)[0])}


NORM_SIZES = Formula(
    "norm-sizes",
    """
    M_layer = C*H*W
    M_instance = H*W
    M_group = c*H*W
    P_layer = 2*C*H*W
    P_group = 2*C
    """,
    title="Averages and parameters of layer, instance and group norm",
    source="Wu & He, Group Normalization, 2018 (arXiv:1803.08494); parameters as in PyTorch: LayerNorm has a scale "
    "and a shift per element, GroupNorm per channel",
    procedure=_group_size,
    procedure_outputs="c",
    N=Int(1, 100000, "number of images in the batch, which has no effect", default=1),
    C=Int(1, 100000, "number of channels"),
    H=Int(1, 100000, "height", unit="px"),
    W=Int(1, 100000, "width", unit="px"),
    G=Int(1, 100000, "number of groups"),
    c=Int(1, meaning="number of channels per group"),
    M_layer=Int(1, meaning="number of values per mean in layer norm"),
    M_instance=Int(1, meaning="number of values per mean in instance norm"),
    M_group=Int(1, meaning="number of values per mean in group norm"),
    P_layer=Int(1, meaning="number of parameters of layer norm"),
    P_group=Int(1, meaning="number of parameters of group norm"),
)


BN_BACKWARD = Formula(
    "bn-backward",
    """
    m = len(x)
    mu = mean(i, x[i])
    v = mean(i, (x[i] - mu)^2)
    xhat[i] = (x[i] - mu)/sqrt(v + epsilon)
    g_gamma = sum(i, g[i]*xhat[i])
    g_beta = sum(i, g[i])
    g_x[i] = gamma/sqrt(v + epsilon)*(g[i] - g_beta/m - xhat[i]*g_gamma/m)
    """,
    title="Batch norm: gradients of one channel, training mode",
    source=f"{SOURCE}, section 3, the chain rule through the mean and the variance, simplified",
    x=CHANNEL["x"],
    g=Vector(meaning="gradients of the loss with respect to the outputs"),
    gamma=AFFINE["gamma"],
    epsilon=EPSILON,
    m=STATISTICS["m"],
    mu=CHANNEL["mu"],
    v=CHANNEL["v"],
    xhat=Vector(meaning="normalized values"),
    g_gamma=Real(meaning="gradient with respect to gamma"),
    g_beta=Real(meaning="gradient with respect to beta"),
    g_x=Vector(meaning="gradients with respect to the inputs"),
)
