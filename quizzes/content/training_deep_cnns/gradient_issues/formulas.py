"""Vanishing and exploding gradients: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice
from quizzes.formula import Formula
from quizzes.symbols import Int, Rational, Real, Vector, Word

MAX_DERIVATIVES = {"sigmoid": "1/4", "tanh": "1"}


def _max_derivative(activation: str, w: list[Any]) -> dict[str, Any]:
    return {"s": MAX_DERIVATIVES[activation]}


VANISHING_GRADIENT = Formula(
    "vanishing-gradient",
    "B = prod(l, abs(w[l])*s)",
    title="Upper bound on the gradient through a chain of neurons",
    source="derivation: the chain rule gives a factor w f'(z) per layer; sigmoid' = 1/4 - (sigmoid - 1/2)^2 is at "
    "most 1/4, tanh' = 1 - tanh^2 at most 1",
    procedure=_max_derivative,
    procedure_outputs="s",
    activation=Word(words=("sigmoid", "tanh"), meaning="activation function"),
    w=Vector(meaning="weight of each layer"),
    s=Rational(meaning="maximum derivative of the activation function"),
    B=Real(0, meaning="upper bound on the absolute derivative of the last output with respect to the first input"),
)


VANISHING_DEPTH = Formula(
    "vanishing-gradient-depth",
    """
    r = -log10(a/4)
    L = floor(k/r) + 1
    """,
    title="Number of sigmoid layers for a small gradient bound",
    source="derivation: the bound is (a/4)^L, because the sigmoid's derivative is at most 1/4; it is below 1/10^k "
    "once L r > k",
    a=Real(0.01, 3.9, "absolute value of every weight"),
    k=Int(1, 60, "exponent of the limit 1/10^k"),
    r=Real(meaning="orders of magnitude by which each layer shrinks the bound"),
    L=Int(1, meaning="smallest number of layers with the bound below the limit"),
)


GRAD_CLIP = Formula(
    "grad-clip-norm",
    """
    n = sqrt(sum(i, g_w[i]^2) + g_b^2)
    clipped_w[i] = g_w[i]*min(1, c/n)
    clipped_b = g_b*min(1, c/n)
    """,
    title="Gradient clipping by total norm",
    source="Pascanu, Mikolov & Bengio, On the difficulty of training recurrent neural networks, 2013 (arXiv:1211.5063)",
    g_w=Vector(meaning="gradient with respect to the weights"),
    g_b=Real(meaning="gradient with respect to the bias", default=0),
    c=Real(0, meaning="maximum norm"),
    n=Real(0, meaning="total norm of all gradients"),
    clipped_w=Vector(meaning="clipped gradient with respect to the weights"),
    clipped_b=Real(meaning="clipped gradient with respect to the bias"),
)


WEIGHT_VARIANCE = Real(0, meaning="variance of each weight")


MEAN_SQUARE = Real(0, meaning="mean square of each input")


VARIANCE = Formula(
    "variance-propagation",
    "V = n*v*q",
    title="Variance of a pre-activation",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852): independent weights of mean 0",
    n=Int(1, 1000000, "number of inputs of the neuron"),
    v=WEIGHT_VARIANCE,
    q=MEAN_SQUARE,
    V=Real(0, meaning="variance of the pre-activation"),
)


VARIANCE_DEPTH = Formula(
    "variance-propagation-depth",
    """
    V1 = n*v*q
    V = V1*(n*v/2)^(L - 1)
    """,
    title="Variance of pre-activations through ReLU layers",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852)",
    n=Int(1, 1000000, "number of inputs, and of neurons per layer"),
    v=WEIGHT_VARIANCE,
    q=MEAN_SQUARE,
    L=Int(2, 60, "number of layers"),
    V1=Real(0, meaning="variance of the pre-activations in the first layer"),
    V=Real(0, meaning="variance of the pre-activations in the last layer"),
)


GRADIENT_PROFILE = Formula(
    "gradient-profile",
    """
    factor = g[2]/g[1]
    first = g[1]*factor^(L - 1)
    problem = where(factor < 1, 1, 2)
    """,
    title="Gradient norms that change by a constant factor per layer",
    source="derivation: L - 1 steps lead from the last layer back to the first, each with the same factor",
    shapes="g[4]",
    g=Vector(0, meaning="gradient norms of the last four layers, from the output backward"),
    L=Int(2, 1000, "number of layers"),
    factor=Real(meaning="factor per layer, from the output backward"),
    first=Real(meaning="gradient norm of the first layer"),
    problem=Choice(
        meaning="problem of the network",
        options=dict(vanishing="vanishing gradients", exploding="exploding gradients", cut="a graph cut by detach()"),
        supported_by="factor",
    ),
)
