"""ResNet: residual learning: formulas."""

from typing import Any

from quizzes.content.shared import IN_CHANNELS, OUT_CHANNELS
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Shape, Vector


def _residual_shape(n: int, C_in: int, C_out: int, s: int) -> dict[str, Any]:
    size = (n - 1) // s + 1
    return {"S": [size, size, C_out]}


RESNET_BLOCK = Formula(
    "resnet-block",
    """
    P = where(C_in = C_out and s = 1, 0, C_in*C_out)
    W = 9*C_in*C_out + 9*C_out^2
    """,
    title="Shape and weights of a residual block with a projection shortcut",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385): projection "
    "shortcuts where the shape changes",
    conventions="""
The shortcut is the identity, without weights, if input and output have the same
shape. Otherwise it is a 1x1 convolution with stride s.
""",
    procedure=_residual_shape,
    procedure_outputs="S",
    n=Int(1, 10000, "input size", unit="px"),
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    s=Int(1, 4, "stride of the first convolution and of the shortcut", default=1),
    S=Shape(meaning="output shape of the block, as HxWxC"),
    P=Int(0, meaning="number of weights of the shortcut"),
    W=Int(1, meaning="number of weights of the two 3x3 convolutions"),
)


RESNET_BOTTLENECK = Formula(
    "resnet-bottleneck",
    """
    B = C*c + 9*c^2 + c*C
    A = 2*9*C^2
    q = A/B
    """,
    title="Weights of a bottleneck block and a basic block",
    source="He, Zhang, Ren & Sun, Deep residual learning for image recognition, 2016 (arXiv:1512.03385)",
    C=Int(1, 100000, "number of input and output channels of the block"),
    c=Int(1, 100000, "number of channels inside the bottleneck"),
    B=Int(1, meaning="number of weights of the bottleneck block: 1x1, 3x3, 1x1"),
    A=Int(1, meaning="number of weights of the basic block: two 3x3 convolutions with C channels"),
    q=Real(meaning="ratio A/B of the weights"),
)


RESIDUAL_GRADIENT = Formula(
    "residual-gradient",
    """
    y1 = x + a*x^2
    y2 = y1 + b*y1^2
    g1 = 1 + 2*a*x
    g2 = 1 + 2*b*y1
    g = g1*g2
    """,
    title="Two scalar residual blocks, forward and backward pass",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1, here with F(x) = a x^2 and F(y) = b y^2; the chain rule "
    "multiplies the derivatives",
    x=Real(meaning="input"),
    a=Real(meaning="coefficient of the first block"),
    b=Real(meaning="coefficient of the second block"),
    y1=Real(meaning="output of the first block"),
    y2=Real(meaning="output of the second block"),
    g1=Real(meaning="derivative dy1/dx of the first block"),
    g2=Real(meaning="derivative dy2/dy1 of the second block"),
    g=Real(meaning="derivative dy2/dx"),
)


RESIDUAL_DEPTH = Formula(
    "residual-depth",
    """
    Q = prod(i, d[i])
    R = prod(i, 1 + d[i])
    """,
    title="Gradient through several layers, without and with shortcuts",
    source="derivation: d(F(x) + x)/dx = F'(x) + 1 for each block; the chain rule multiplies the derivatives",
    d=Vector(meaning="derivative of F in each layer"),
    Q=Real(meaning="gradient through the plain layers y = F(x)"),
    R=Real(meaning="gradient through the residual blocks y = F(x) + x"),
)
