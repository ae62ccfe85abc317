"""Training deep networks: overfitting, gradients through many layers, initialization, and the error on ImageNet."""

from typing import Any

from quizzes.formulas import formula
from workbench.errors import UserError


def stop_early(val: list, patience: int) -> dict[str, int]:
    """The epoch whose weights are kept, and the epoch after which training stops, both counted from 1."""
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
    patience="int 1..1000; epochs in a row without improvement after which training stops",
    best="int 1..; epoch whose weights are kept",
    stop="int 1..; last epoch that is trained",
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
    title="Soft and hard vote of an ensemble on two classes",
    source="derivation: a soft vote averages the probabilities and then decides, a hard vote decides for each model "
    "(class 1 from 1/2 up) and then counts",
    p="vector 0..1; each model's probability of class 1",
    votes="int 0..; models that vote for class 1",
    P="real; mean probability of class 1",
    soft="int 0..1; class by the soft vote",
    hard="int 0..1; class by the hard vote, the majority",
)

ENSEMBLE_VARIANCE = formula(
    "ensemble-variance",
    "V = rho*s2 + (1 - rho)*s2/M",
    topic="over-and-underfitting",
    title="Variance of the mean of correlated predictions",
    source="Hastie, Tibshirani & Friedman, The Elements of Statistical Learning, 2nd edition, 2009",
    s2="real 0..; variance of one model's prediction",
    rho="real 0..1; correlation of any two models' predictions",
    M="int 1..10000; models",
    V="real 0..; variance of the mean prediction",
)


STEEPEST = {"sigmoid": "1/4", "tanh": "1"}  # the largest slope of each


def _steepest(activation: str, w: list) -> dict[str, Any]:
    return {"s": STEEPEST[activation]}


VANISHING_GRADIENT = formula(
    "vanishing-gradient",
    "B = prod(l, abs(w[l])*s)",
    topic="gradient-issues",
    title="Bound on the gradient through a chain of neurons",
    source="derivation: the chain rule gives a factor w f'(z) for each layer; sigmoid' = 1/4 - (sigmoid - 1/2)^2 is at "
    "most 1/4, tanh' = 1 - tanh^2 at most 1",
    procedure=_steepest,
    procedure_outputs="s",
    activation="word sigmoid|tanh; activation",
    w="vector; weight of each layer",
    s="fraction; largest slope of the activation",
    B="real 0..; upper bound on the size of the derivative of the last output with respect to the first input",
)

VANISHING_DEPTH = formula(
    "vanishing-gradient-depth",
    """
    r = -log10(a/4)
    L = floor(k/r) + 1
    """,
    topic="gradient-issues",
    title="Sigmoid layers until the gradient is surely small",
    source="derivation: the bound is (a/4)^L, since the sigmoid's slope is at most 1/4; it is below 1/10^k once L r > "
    "k",
    a="real 0.01..3.9; size of every weight",
    k="int 1..60; decades",
    r="real; decades by which each layer shrinks the bound",
    L="int 1..; fewest layers for which the bound is below 1/10^k",
)

GRAD_CLIP = formula(
    "grad-clip-norm",
    """
    n = sqrt(sum(i, g_w[i]^2) + g_b^2)
    clipped_w[i] = g_w[i]*min(1, c/n)
    clipped_b = g_b*min(1, c/n)
    """,
    topic="gradient-issues",
    title="Clipping gradients by their joint norm",
    source="Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks, 2013 (arXiv:1211.5063)",
    g_w="vector; gradient of the weights",
    g_b="real = 0; gradient of the bias",
    c="real 0..; largest norm that is let through",
    n="real 0..; norm of all the gradients together",
    clipped_w="vector; clipped gradient of the weights",
    clipped_b="real; clipped gradient of the bias",
)

VARIANCE = formula(
    "variance-propagation",
    "V = n*v*q",
    topic="gradient-issues",
    title="Variance of a weighted sum",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852): independent weights of mean 0",
    n="int 1..1000000; inputs of the neuron",
    v="real 0..; variance of each weight",
    q="real 0..; mean square of each input",
    V="real 0..; variance of the weighted sum",
)

VARIANCE_DEPTH = formula(
    "variance-propagation-depth",
    """
    V1 = n*v*q
    V = V1*(n*v/2)^(L - 1)
    """,
    topic="gradient-issues",
    title="Variance of the weighted sums through ReLU layers",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852)",
    n="int 1..1000000; neurons in each layer, and inputs",
    v="real 0..; variance of each weight",
    q="real 0..; mean square of each input",
    L="int 2..60; layers",
    V1="real 0..; variance of the weighted sums of the first layer",
    V="real 0..; variance of the weighted sums of the last layer",
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
    k="int 1..100 = 1; filter side, 1 for a linear layer [px]",
    C_in="int 1..100000; input channels",
    C_out="int 1..100000 = 1; output channels, which fan_in does not depend on",
    fan_in="int 1..; inputs of each output value",
    V="real 0..; variance of the weights",
    sd="real 0..; standard deviation of the weights where they are drawn from a normal distribution",
    a="real 0..; bound where they are drawn from the uniform distribution on -a to a",
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
    n_in="int 1..1000000; inputs",
    n_out="int 1..1000000; outputs",
    V="real 0..; variance of the weights",
    sd="real 0..; standard deviation of the weights where they are drawn from a normal distribution",
    a="real 0..; bound where they are drawn from the uniform distribution on -a to a",
)


def hits_within(scores: list, y: list, k: int) -> int:
    """The samples whose true class (from 1) is among the k classes of the highest scores."""
    if len(scores) != len(y):
        raise UserError(f"A true class for each sample is needed: {len(scores)} samples, {len(y)} classes came.")
    if any(not 1 <= true <= len(row) or len(set(row)) < len(row) for row, true in zip(scores, y, strict=True)):
        raise UserError("Classes count from 1, and the scores of a sample must differ from one another.")
    return sum(row[true - 1] in sorted(row)[-k:] for row, true in zip(scores, y, strict=True)) if k else 0


def _hits(scores: list, y: list, k: int) -> dict[str, int]:
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
    scores="matrix; a row of class scores for each sample",
    y="vector 1..; true class of each sample, counted from 1",
    k="int 1..1000 = 5; classes that a sample may name",
    N="int 1..; samples",
    hits1="int 0..; samples whose true class has the highest score",
    hitsk="int 0..; samples whose true class is among the k best",
    E1="fraction; top-1 error",
    Ek="fraction; top-k error",
)
