"""Gradient descent and the learning rate: formulas."""

from collections.abc import Sequence
from typing import Any

from quizzes.content.optimization.adam.formulas import ADAGRAD_STEP, ADAM_STEP, ADAMW_STEP, RMSPROP_STEP
from quizzes.content.optimization.descent import descend
from quizzes.content.optimization.momentum.formulas import MOMENTUM_STEP, NESTEROV_STEP
from quizzes.content.optimization.shared import GRADIENT_STEP
from quizzes.formula import Formula
from quizzes.symbols import Expression, Int, Real, Table, Vector, Word

GD_STEP = Formula(
    "gd-step",
    "theta = theta_prior - eta*g",
    title="One step of gradient descent",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016",
    **GRADIENT_STEP,
)


GD_QUADRATIC = Formula(
    "gd-quadratic",
    "w = (1 - eta*c)^t*w0",
    title="Gradient descent on L = c w^2/2, after t steps",
    source="derivation: the gradient is c w, so every step multiplies w by 1 - eta c",
    c=Real(0, meaning="curvature"),
    eta=Real(0, meaning="learning rate"),
    w0=Real(meaning="initial parameter"),
    t=Int(0, 1000, "number of steps"),
    w=Real(meaning="parameter after t steps"),
)


GD_QUADRATIC_2D = Formula(
    "gd-quadratic-2d",
    """
    eta_max = 2/max(c1, c2)
    w1 = (1 - eta*c1)^t*w1_0
    w2 = (1 - eta*c2)^t*w2_0
    """,
    title="Gradient descent on L = (c1 w1^2 + c2 w2^2)/2",
    source="derivation: every step multiplies w_i by 1 - eta c_i, which shrinks w_i only for 0 < eta < 2/c_i",
    c1=Real(0.001, meaning="curvature along w1"),
    c2=Real(0.001, meaning="curvature along w2"),
    eta=Real(0, meaning="learning rate"),
    w1_0=Real(meaning="initial w1"),
    w2_0=Real(meaning="initial w2"),
    t=Int(0, 1000, "number of steps"),
    eta_max=Real(meaning="bound below which every learning rate converges"),
    w1=Real(meaning="w1 after t steps"),
    w2=Real(meaning="w2 after t steps"),
)


LR_COSINE = Formula(
    "lr-cosine",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T))/2",
    title="Cosine annealing of the learning rate",
    source="Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0=Real(0, meaning="initial learning rate"),
    eta_min=Real(0, meaning="final learning rate", default=0),
    t=Int(0, 100000, "epoch, counted from 0"),
    T=Int(1, 100000, "number of epochs"),
    eta=Real(meaning="learning rate in epoch t"),
)


LR_STEP = Formula(
    "lr-step",
    "eta = eta0*gamma^floor(t/s)",
    title="Step decay of the learning rate",
    source="derivation: one factor gamma per s completed epochs",
    eta0=Real(0, meaning="initial learning rate"),
    gamma=Real(0.01, 1, "decay factor"),
    t=Int(0, 100000, "epoch, counted from 0"),
    s=Int(1, 100000, "number of epochs between two drops"),
    eta=Real(meaning="learning rate in epoch t"),
)


LR_EXPONENTIAL = Formula(
    "lr-exponential",
    "eta = eta0*gamma^t",
    title="Exponential decay of the learning rate",
    source="derivation: one factor gamma per completed epoch",
    eta0=Real(0, meaning="initial learning rate"),
    gamma=Real(0.01, 1, "decay factor"),
    t=Int(0, 100000, "epoch, counted from 0"),
    eta=Real(meaning="learning rate in epoch t"),
)


LR_WARMUP_COSINE = Formula(
    "lr-warmup-cosine",
    """
    eta_a = eta0*t_a/T_w
    eta_b = eta0*(1 + cos(pi*(t_b - T_w)/T_c))/2
    """,
    title="Linear warmup, then cosine annealing to 0",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677), gradual warmup; "
    "Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0=Real(0, meaning="peak learning rate"),
    T_w=Int(1, 100000, "number of warmup steps"),
    T_c=Int(1, 100000, "number of annealing steps after the warmup"),
    t_a=Int(0, 100000, "a step of the warmup, counted from 0"),
    t_b=Int(0, 100000, "a step after the warmup, counted from 0"),
    eta_a=Real(meaning="learning rate at step t_a"),
    eta_b=Real(meaning="learning rate at step t_b"),
)


METHODS = {
    "gd": GD_STEP,
    "sgd": GD_STEP,  # on a function, the gradient is that of the whole
    "momentum": MOMENTUM_STEP,
    "nesterov": NESTEROV_STEP,
    "adagrad": ADAGRAD_STEP,
    "rmsprop": RMSPROP_STEP,
    "adam": ADAM_STEP,
    "adamw": ADAMW_STEP,
}


def optimizer_steps(method: str, f: str, start: Sequence[Any], lr: Any, steps: int, **settings: Any) -> dict[str, Any]:
    """Return every step of an optimizer on a function.

    Raises:
        UserError: If the method has no such setting, the start doesn't fit the function, or there is no gradient.
        UndefinedValue: If the values grow beyond all bounds.
    """
    return descend(method, METHODS[method], f, start, lr, steps, **settings)


OPTIMIZER_STEPS = Formula(
    "optimizer-steps",
    "",
    title="Steps of an optimizer on a function",
    source="the formulas of one step: gd-step, momentum-step, nesterov-step, adagrad-step, rmsprop-step, adam-step, "
    "and adamw-step; gradients by the chain rule, backward through the graph of the function",
    conventions="""
Each method updates every weight on its own, as PyTorch does: momentum and
nesterov use v = beta v + g and multiply by lr at the end; adamw decays the
weight separately from the gradient. A setting that is left out has PyTorch's
default (momentum and nesterov: beta = 0.9). Gradients at kinks are PyTorch's: 0
for relu and abs at 0; max and min of two equal values give one half to each.
""",
    procedure=optimizer_steps,
    procedure_outputs="table theta L",
    method=Word(
        words=("gd", "sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"),
        meaning="optimizer",
        default="gd",
    ),
    f=Expression(meaning="function of the weights, such as x^2 + 3y^2"),
    start=Vector(meaning="initial weights, in alphabetical order, w2 before w10"),
    lr=Real(0, meaning="learning rate"),
    steps=Int(1, 1000, "number of steps", default=5),
    beta=Real(0, 1, "momentum (for momentum, nesterov)", optional=True),
    rho=Real(0, 1, "decay rate of the moving average (for rmsprop)", optional=True),
    beta1=Real(0, 1, "decay rate of the first moment (for adam, adamw)", optional=True),
    beta2=Real(0, 1, "decay rate of the second moment (for adam, adamw)", optional=True),
    epsilon=Real(
        0, meaning="constant that prevents division by zero (for adagrad, rmsprop, adam, adamw)", optional=True
    ),
    lam=Real(0, meaning="weight decay (for adamw)", optional=True),
    table=Table(meaning="every step of every weight"),
    theta=Vector(meaning="final weights, in alphabetical order, w2 before w10"),
    L=Vector(meaning="values of the function at the start and after each step"),
)
