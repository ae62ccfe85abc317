"""Vanilla RNN and BPTT: drills about gradients through time."""

from itertools import pairwise
from random import Random

from quizzes.content.sequences.rnn.formulas import (
    BPTT_BOUND,
    BPTT_JACOBIAN,
    BPTT_PRODUCT,
    BPTT_WEIGHTS,
    GRADIENT_LOG,
    LINEAR_RNN,
    LINEAR_RNN_4,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue


@drill(
    BPTT_PRODUCT,
    tier=1,
    asks="g",
    decimals=5,
    prompt="An RNN with one hidden unit computes h_t = tanh(w_h h_(t-1) + w_x x_t + b) with w_h = {w_h}. Its hidden "
    "states are h_1 to h_{T} = {h}. What is the derivative g of h_{T} with respect to h_{k}?",
    hint="The chain rule gives one factor per step. At which states is the derivative of tanh evaluated?",
    mistakes=[
        Mistake(
            "added",
            "g = sum(t = k + 1..len(h), w_h*(1 - h[t]^2))",
            "You added the factors of the steps. The chain rule multiplies them.",
        ),
        Mistake(
            "one-factor-too-many",
            "g = prod(t = k..len(h), w_h*(1 - h[t]^2))",
            "You used one factor too many. The first factor belongs to the step after h_k.",
        ),
        Mistake(
            "derivative-one-step-early",
            "g = prod(t = k + 1..len(h), w_h*(1 - h[t - 1]^2))",
            "You used the state before each step. The derivative of tanh is 1 minus the square of the step's own "
            "output.",
        ),
        Mistake(
            "no-activation",
            "g = w_h^(len(h) - k)",
            "You left out the derivative of tanh. Each step multiplies by w_h and by 1 - h_t^2.",
        ),
        Mistake(
            "no-weight",
            "g = prod(t = k + 1..len(h), 1 - h[t]^2)",
            "You left out the recurrent weight. Each step multiplies by w_h and by 1 - h_t^2.",
        ),
        Mistake(
            "sigmoid-derivative",
            "g = prod(t = k + 1..len(h), w_h*h[t]*(1 - h[t]))",
            "You used the derivative of the sigmoid. For tanh it is 1 - h_t^2.",
        ),
    ],
)
def bptt_product(rng: Random) -> Inputs:
    """Derivative of a hidden state through several steps"""
    T = rng.choice([3, 4, 5])
    h = [rng.choice([-1, 1]) * rng.randint(10, 85) / 100 for _ in range(T)]
    return dict(w_h=rng.choice([-1, 1]) * rng.randint(5, 19) / 10, h=h, k=rng.randint(1, T - 2), T=T)


@drill(
    BPTT_BOUND,
    id="bptt-product:bound",
    tier=1,
    asks=one_of("B", "n"),
    decimals=6,
    prompt="An RNN with one hidden unit has the recurrent weight w_h = {w_h}. The derivative of its activation is at "
    "most s = {s}. After {n} steps, the upper bound on |dh_T/dh_(T-n)| is {B}.",
    hint="By which factor does one step multiply the bound?",
    mistakes=[
        Mistake("added", "B = n*abs(w_h)*s", "You added the factors of the steps. The chain rule multiplies them."),
        Mistake(
            "one-step-less",
            "B = (abs(w_h)*s)^(n - 1)",
            "You used one factor too few. From h_(T-n) to h_T are n steps.",
        ),
        Mistake(
            "one-step-more",
            "B = (abs(w_h)*s)^(n + 1)",
            "You used one factor too many. From h_(T-n) to h_T are n steps.",
        ),
        Mistake(
            "slope-once",
            "B = s*abs(w_h)^n",
            "You used the derivative of the activation once. Every step has an activation.",
        ),
    ],
)
def bptt_bound(rng: Random) -> Inputs:
    """Bound on the gradient over many steps"""
    s = rng.choice([1, 1, 0.25])
    w_h = rng.choice([-1, 1]) * rng.choice([4, 5, 6, 7, 8, 9, 11, 12, 13]) / (10 if s == 1 else 2)
    return dict(w_h=w_h, s=s, n=rng.randint(3, 12))


@drill(
    BPTT_JACOBIAN,
    id="bptt-product:matrix",
    tier=3,
    asks="J",
    prompt="An RNN computes h_t = tanh(W_h h_(t-1) + W_x x_t + b) with W_h = {W_h}. Its hidden states are h_2 = {h2} "
    "and h_3 = {h3}. What is the Jacobian J = dh_3/dh_1, with one row per unit of h_3?",
    hint="Each step has the Jacobian diag(1 - h_t^2) W_h. Which of the two is on the left of the product?",
    mistakes=[
        Mistake(
            "order-reversed",
            "J[i, j] = sum(k, (1 - h2[i]^2)*W_h[i, k]*(1 - h3[k]^2)*W_h[k, j])",
            "You multiplied in the opposite order. The Jacobian of the later step is on the left.",
        ),
        Mistake(
            "no-activation",
            "J[i, j] = sum(k, W_h[i, k]*W_h[k, j])",
            "You left out the derivative of tanh. Row i of W_h is multiplied by 1 - h_t[i]^2.",
        ),
        Mistake(
            "columns-scaled",
            "J[i, j] = sum(k, W_h[i, k]*(1 - h3[k]^2)*W_h[k, j]*(1 - h2[j]^2))",
            "You scaled the columns. diag(1 - h_t^2) is on the left of W_h, so it scales the rows.",
        ),
        Mistake(
            "element-wise",
            "J[i, j] = (1 - h3[i]^2)*W_h[i, j]*(1 - h2[i]^2)*W_h[i, j]",
            "You multiplied the matrices element by element. The chain rule needs the matrix product.",
        ),
    ],
)
def bptt_jacobian(rng: Random) -> Inputs:
    """Jacobian of an RNN over two steps"""
    h2, h3 = ([rng.choice([-1, 1]) * rng.randint(1, 8) / 10 for _ in range(2)] for _ in range(2))
    return dict(W_h=[[rng.choice([-2, -1, -0.5, 0.5, 1, 2]) for _ in range(2)] for _ in range(2)], h2=h2, h3=h3)


@drill(
    BPTT_WEIGHTS,
    id="bptt-product:weights",
    tier=3,
    asks=("h1", "h2", "delta2", "delta1", "g_h", "g_x"),
    decimals=5,
    prompt="An RNN with one hidden unit computes h_t = tanh(w_x x_t + w_h h_(t-1) + b) with w_x = {w_x}, w_h = {w_h}, "
    "and b = {b}. It starts at h_0 = {h0} and reads x_1 = {x1}, x_2 = {x2}. The loss is L = (h_2 - y)^2/2 with y = "
    "{y}.\n"
    "Run BPTT. What are the hidden states h1 and h2, the gradients delta2 and delta1 of L with respect to the "
    "pre-activations of both steps, and the gradients g_h = dL/dw_h and g_x = dL/dw_x?",
    hint="How does the gradient pass from step 2 to step 1? The weights are shared, so what happens to the gradients "
    "of the two steps?",
    mistakes=[
        Mistake(
            "no-activation-2",
            "delta2 = h2 - y",
            "You left out the derivative of tanh in step 2. Multiply by 1 - h2^2.",
        ),
        Mistake(
            "no-activation-1",
            "delta1 = delta2*w_h",
            "You left out the derivative of tanh in step 1. Multiply by 1 - h1^2.",
        ),
        Mistake(
            "input-weight-back",
            "delta1 = delta2*w_x*(1 - h1^2)",
            "You went back through the input weight. The hidden states are connected by w_h.",
        ),
        Mistake(
            "last-step-only",
            "g_h = delta2*h1; g_x = delta2*x2",
            "You used the last step only. Both steps use the same weights, so add the gradients of both.",
        ),
        Mistake(
            "state-after-the-step",
            "g_h = delta2*h2 + delta1*h1",
            "You multiplied by the state after each step. w_h multiplies the state before it.",
        ),
        Mistake(
            "sign-reversed",
            "delta2 = (y - h2)*(1 - h2^2)",
            "You used y - h2. The derivative of (h_2 - y)^2/2 is h2 - y.",
        ),
    ],
)
def bptt_weights(rng: Random) -> Inputs:
    """Gradients of shared weights over two steps"""

    def tenths(low: int, high: int) -> float:
        return rng.choice([-1, 1]) * rng.randint(low, high) / 10

    weights = dict(w_x=tenths(3, 9), w_h=tenths(3, 12), b=tenths(1, 4), h0=tenths(2, 8))
    return weights | dict(x1=rng.choice([-1, 1]), x2=rng.choice([-1, 0.5, 1, 1.5]), y=rng.choice([-1, 0, 1]))


VARIABLES = {"w": [-2, 2], "y": [-3, 3]}  # the intervals in which expressions are compared

LINEAR_HINTS = (
    "How often is w used? Every use contributes to the derivative.",
    "dL/dw = (h_T - y) dh_T/dw, and the product rule gives dh_t/dw = h_(t-1) + w dh_(t-1)/dw.",
    "First step: write h_1, h_2, ... as polynomials of w.",
)

OUTER_LOST = "You left out the derivative of the square. Multiply by h_T - y."
INNER_LOST = "You stopped at the derivative of the square. Multiply by the derivative of h_T with respect to w."
LAST_USE_ONLY = (
    "You held the earlier states constant. They depend on w too, so every use of w contributes to the derivative."
)


@drill(
    LINEAR_RNN,
    tier=3,
    asks=derive("g", in_terms_of="w y"),
    prompt="A linear RNN h_t = w h_(t-1) + x_t starts at h_0 = 0 and reads x = {x}. The loss is L = (h_3 - y)^2/2. "
    "Derive dL/dw.",
    hints=LINEAR_HINTS,
    mistakes=[
        Mistake("last-use-only", "g = (h3 - y)*h2", LAST_USE_ONLY),
        Mistake("outer-forgotten", "g = h2 + w*h1", OUTER_LOST),
        Mistake("inner-forgotten", "g = h3 - y", INNER_LOST),
    ],
)
def bptt_linear_rnn(rng: Random) -> Inputs:
    """Gradient of a linear RNN as an expression"""
    x = [rng.randint(-2, 2) for _ in range(3)]
    if x[0] == 0 and x[1] == 0:
        raise UndefinedValue("an input before the last step must not be 0")
    return dict(x=x, variables=VARIABLES)


@drill(
    LINEAR_RNN_4,
    id="bptt-linear-rnn:four-steps",
    tier=3,
    asks=derive("g", in_terms_of="w y"),
    prompt="A linear RNN h_t = w h_(t-1) + x_t starts at h_0 = 0 and reads x = {x}. The loss is L = (h_4 - y)^2/2. "
    "Derive dL/dw.",
    hints=LINEAR_HINTS,
    mistakes=[
        Mistake("last-use-only", "g = (h4 - y)*h3", LAST_USE_ONLY),
        Mistake("outer-forgotten", "g = h3 + w*h2 + w^2*h1", OUTER_LOST),
        Mistake("inner-forgotten", "g = h4 - y", INNER_LOST),
    ],
)
def bptt_linear_rnn_4(rng: Random) -> Inputs:
    """Gradient of a linear RNN over four steps as an expression"""
    x = [rng.randint(-2, 2) for _ in range(4)]
    if x[:3] == [0, 0, 0]:
        raise UndefinedValue("an input before the last step must not be 0")
    return dict(x=x, variables=VARIABLES)


@drill(
    GRADIENT_LOG,
    tier=2,
    asks=("factor", "n", "remedy"),
    decimals=2,
    visualization="line-chart norm=g",
    prompt="The norms of dL/dh at the distances 0, 1, 2, and 3 time steps from the loss are {g}. The pattern "
    "continues.\n"
    "By which factor does each step back in time multiply the norm? From which distance n on is the norm more than "
    "{m} times {direction} than at distance 0? Which remedy fits?\n"
    "Conventions: use the rounded factor for n.",
    hint="The norms form a geometric sequence. Which power of the factor is beyond the limit for the first time?",
    mistakes=[
        Mistake(
            "factor-inverted",
            "factor = floor(100*g[1]/g[2] + 1/2)/100",
            "You inverted the factor. Divide the norm farther from the loss by the one before it.",
        ),
        Mistake(
            "rounded-down",
            "n = floor(where(factor < 1, -1, 1)*ln(m)/ln(factor))",
            "You rounded down. At that distance the norm is not beyond the limit yet, so take the next one.",
        ),
        Mistake(
            "straight-line",
            "n = floor(abs(where(factor < 1, 1 - 1/m, m - 1)*g[1]/(g[1] - g[2]))) + 1",
            "You continued the norms as a straight line. Each step multiplies by the same factor.",
        ),
        Mistake(
            "other-remedy",
            "remedy = where(factor < 1, 2, 1)",
            "It is the other one. Clipping limits gradients that grow, and gates keep gradients from vanishing.",
        ),
    ],
)
def rnn_gradient_log(rng: Random) -> Inputs:
    """Diagnosis of gradient norms through time"""
    hundredths = rng.choice([*range(30, 96), *range(105, 161)])
    first = rng.randint(15, 40) / 10 if hundredths < 100 else rng.randint(5, 20) / 10
    g = [round(first * (hundredths / 100) ** k, 3) for k in range(4)]
    if any(round(100 * b / a) != hundredths for a, b in pairwise(g)):
        raise UndefinedValue("all ratios must round to the factor")
    m = rng.choice([100, 1000, 10000])
    return dict(g=g, m=m, direction="smaller" if hundredths < 100 else "larger")
