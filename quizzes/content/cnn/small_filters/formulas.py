"""Stacked 3x3 filters: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int, Real

SMALL_FILTERS = Formula(
    "stack-3x3-vs-5x5",
    """
    r = 2*L + 1
    W = 9*L*C^2
    B = r^2*C^2
    q = 100*(1 - W/B)
    """,
    title="Stack of 3x3 convolutions compared with one large kernel",
    source="Simonyan & Zisserman, Very deep convolutional networks, 2015 (arXiv:1409.1556)",
    L=Int(1, 100, "number of 3x3 layers, all at stride 1"),
    C=Int(1, 10000, "number of input and output channels of every layer"),
    r=Int(1, meaning="receptive field size of the stack", unit="px"),
    W=Int(1, meaning="number of weights of the stack, without biases"),
    B=Int(1, meaning="number of weights of one layer with kernel size r, without biases"),
    q=Real(meaning="weight saving of the stack", unit="%"),
)
