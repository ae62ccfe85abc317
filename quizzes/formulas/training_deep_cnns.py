"""Training deep networks: overfitting, ensembles, gradients through many layers, initialization, top-k error."""

from typing import Any

from quizzes.formulas import formula
from quizzes.formulas.cnn import IN_CHANNELS
from workbench.errors import UserError


def stop_early(val: list[Any], patience: int) -> dict[str, int]:
    """Return the epoch whose weights are restored and the last epoch of training, both numbered from 1."""
    best = 1
    for epoch, loss in enumerate(val, 1):
        if loss < val[best - 1]:
            best = epoch
        if epoch - best == patience:
            return {"best": best, "stop": epoch}
    return {"best": best, "stop": len(val)}


EARLY_STOPPING = formula(
    "early-stopping",
    "",
    topic="over-and-underfitting",
    title="Early stopping with patience",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016, algorithm 7.1, evaluated after every epoch",
    procedure=stop_early,
    procedure_outputs="best stop",
    val="vector; validation loss of each epoch, from epoch 1",
    patience="int 1..1000; number of consecutive epochs without improvement before training stops",
    best="int 1..; epoch whose weights are restored",
    stop="int 1..; last epoch of training",
)

BAGGING = formula(
    "bagging-ensemble",
    """
    votes = sum(i, floor(p[i] + 1/2))
    P = mean(i, p[i])
    soft = floor(P + 1/2)
    hard = floor(mean(i, floor(p[i] + 1/2)) + 1/2)
    """,
    topic="over-and-underfitting",
    title="Soft and hard voting of an ensemble, two classes",
    source="derivation: soft voting averages the probabilities and thresholds the mean at 1/2; hard voting thresholds "
    "each probability and takes the majority",
    p="vector 0..1; predicted probability of class 1 of each model",
    votes="int 0..; number of models that vote for class 1",
    P="real; mean probability of class 1",
    soft="int 0..1; class by soft voting",
    hard="int 0..1; class by hard voting",
)

ENSEMBLE_VARIANCE = formula(
    "ensemble-variance",
    "V = rho*s2 + (1 - rho)*s2/M",
    topic="over-and-underfitting",
    title="Variance of the mean of correlated predictions",
    source="Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd edition, 2009",
    s2="real 0..; variance of each prediction",
    rho="real 0..1; correlation between any two predictions",
    M="int 1..10000; number of models",
    V="real 0..; variance of the mean prediction",
)


MAX_DERIVATIVES = {"sigmoid": "1/4", "tanh": "1"}


def _max_derivative(activation: str, w: list[Any]) -> dict[str, Any]:
    return {"s": MAX_DERIVATIVES[activation]}


VANISHING_GRADIENT = formula(
    "vanishing-gradient",
    "B = prod(l, abs(w[l])*s)",
    topic="gradient-issues",
    title="Upper bound on the gradient through a chain of neurons",
    source="derivation: the chain rule gives a factor w f'(z) per layer; sigmoid' = 1/4 - (sigmoid - 1/2)^2 is at "
    "most 1/4, tanh' = 1 - tanh^2 at most 1",
    procedure=_max_derivative,
    procedure_outputs="s",
    activation="word sigmoid|tanh; activation function",
    w="vector; weight of each layer",
    s="fraction; maximum derivative of the activation function",
    B="real 0..; upper bound on the absolute derivative of the last output with respect to the first input",
)

VANISHING_DEPTH = formula(
    "vanishing-gradient-depth",
    """
    r = -log10(a/4)
    L = floor(k/r) + 1
    """,
    topic="gradient-issues",
    title="Number of sigmoid layers for a small gradient bound",
    source="derivation: the bound is (a/4)^L, because the sigmoid's derivative is at most 1/4; it is below 1/10^k "
    "once L r > k",
    a="real 0.01..3.9; absolute value of every weight",
    k="int 1..60; exponent of the limit 1/10^k",
    r="real; orders of magnitude by which each layer shrinks the bound",
    L="int 1..; smallest number of layers with the bound below the limit",
)

GRAD_CLIP = formula(
    "grad-clip-norm",
    """
    n = sqrt(sum(i, g_w[i]^2) + g_b^2)
    clipped_w[i] = g_w[i]*min(1, c/n)
    clipped_b = g_b*min(1, c/n)
    """,
    topic="gradient-issues",
    title="Gradient clipping by total norm",
    source="Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks, 2013 (arXiv:1211.5063)",
    g_w="vector; gradient with respect to the weights",
    g_b="real = 0; gradient with respect to the bias",
    c="real 0..; maximum norm",
    n="real 0..; total norm of all gradients",
    clipped_w="vector; clipped gradient with respect to the weights",
    clipped_b="real; clipped gradient with respect to the bias",
)

WEIGHT_VARIANCE = "real 0..; variance of each weight"
MEAN_SQUARE = "real 0..; mean square of each input"

VARIANCE = formula(
    "variance-propagation",
    "V = n*v*q",
    topic="gradient-issues",
    title="Variance of a pre-activation",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852): independent weights of mean 0",
    n="int 1..1000000; number of inputs of the neuron",
    v=WEIGHT_VARIANCE,
    q=MEAN_SQUARE,
    V="real 0..; variance of the pre-activation",
)

VARIANCE_DEPTH = formula(
    "variance-propagation-depth",
    """
    V1 = n*v*q
    V = V1*(n*v/2)^(L - 1)
    """,
    topic="gradient-issues",
    title="Variance of pre-activations through ReLU layers",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852)",
    n="int 1..1000000; number of inputs, and of neurons per layer",
    v=WEIGHT_VARIANCE,
    q=MEAN_SQUARE,
    L="int 2..60; number of layers",
    V1="real 0..; variance of the pre-activations in the first layer",
    V="real 0..; variance of the pre-activations in the last layer",
)

INITIALIZATION: dict[str, Any] = dict(
    V="real 0..; variance of the weights",
    sd="real 0..; standard deviation of the weights",
    a="real 0..; bound of the weights, if they are uniformly distributed from -a to a",
)

INIT_HE = formula(
    "init-he",
    """
    fan_in = k^2*C_in
    V = 2/fan_in
    sd = sqrt(V)
    a = sqrt(3*V)
    """,
    topic="initialization",
    title="He (Kaiming) initialization of a convolution, by fan_in",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852); bound: U(-a, a) has variance a^2/3",
    k="int 1..100 = 1; kernel size, 1 for a linear layer [px]",
    C_in=IN_CHANNELS,
    C_out="int 1..100000 = 1; number of output channels, which does not affect fan_in",
    fan_in="int 1..; number of inputs per output value",
    **INITIALIZATION,
)

INIT_XAVIER = formula(
    "init-xavier",
    """
    V = 2/(n_in + n_out)
    sd = sqrt(V)
    a = sqrt(3*V)
    """,
    topic="initialization",
    title="Xavier (Glorot) initialization of a linear layer",
    source="Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
    n_in="int 1..1000000; number of inputs",
    n_out="int 1..1000000; number of outputs",
    **INITIALIZATION,
)


def hits_within(scores: list[Any], y: list[Any], k: int) -> int:
    """Return the number of samples whose true class (from 1) is among the k highest scores.

    Raises:
        UserError: If the classes do not match the scores, or a sample has equal scores.
    """
    if len(scores) != len(y):
        raise UserError(f"y must have length {len(scores)}, one true class per sample, not {len(y)}.")
    if any(not 1 <= true <= len(row) or len(set(row)) < len(row) for row, true in zip(scores, y, strict=True)):
        raise UserError("Classes are numbered from 1, and the scores of a sample must all differ.")
    return sum(row[true - 1] in sorted(row)[-k:] for row, true in zip(scores, y, strict=True)) if k else 0


def _hits(scores: list[Any], y: list[Any], k: int) -> dict[str, int]:
    return {"N": len(y), "hits1": hits_within(scores, y, 1), "hitsk": hits_within(scores, y, k)}


TOP_K_ERROR = formula(
    "top-k-error",
    """
    E1 = (N - hits1)/N
    Ek = (N - hitsk)/N
    """,
    topic="imagenet",
    title="Top-1 and top-k error",
    source="Russakovsky et al., ImageNet Large Scale Visual Recognition Challenge, 2015 (arXiv:1409.0575)",
    procedure=_hits,
    procedure_outputs="N hits1 hitsk",
    scores="matrix; class scores, a row per sample",
    y="vector 1..; true class of each sample, numbered from 1",
    k="int 1..1000 = 5; number of top-scoring classes that count",
    N="int 1..; number of samples",
    hits1="int 0..; number of samples whose true class has the highest score",
    hitsk="int 0..; number of samples whose true class is among the k highest scores",
    E1="fraction; top-1 error",
    Ek="fraction; top-k error",
)
