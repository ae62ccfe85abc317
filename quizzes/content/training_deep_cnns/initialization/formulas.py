"""Weight initialization: formulas."""

from typing import Any

from quizzes.content.shared import IN_CHANNELS
from quizzes.formula import Formula
from quizzes.symbols import Int, Real

INITIALIZATION: dict[str, Any] = dict(
    V=Real(0, meaning="variance of the weights"),
    sd=Real(0, meaning="standard deviation of the weights"),
    a=Real(0, meaning="bound of the weights, if they are uniformly distributed from -a to a"),
)


INIT_HE = Formula(
    "init-he",
    """
    fan_in = k^2*C_in
    V = 2/fan_in
    sd = sqrt(V)
    a = sqrt(3*V)
    """,
    title="He (Kaiming) initialization of a convolution, by fan_in",
    source="He et al., Delving Deep into Rectifiers, 2015 (arXiv:1502.01852); bound: U(-a, a) has variance a^2/3",
    k=Int(1, 100, "kernel size, 1 for a linear layer", unit="px", default=1),
    C_in=IN_CHANNELS,
    C_out=Int(1, 100000, "number of output channels, which does not affect fan_in", default=1),
    fan_in=Int(1, meaning="number of inputs per output value"),
    **INITIALIZATION,
)


INIT_XAVIER = Formula(
    "init-xavier",
    """
    V = 2/(n_in + n_out)
    sd = sqrt(V)
    a = sqrt(3*V)
    """,
    title="Xavier (Glorot) initialization of a linear layer",
    source="Glorot & Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
    n_in=Int(1, 1000000, "number of inputs"),
    n_out=Int(1, 1000000, "number of outputs"),
    **INITIALIZATION,
)
