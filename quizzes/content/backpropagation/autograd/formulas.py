"""PyTorch autograd: the dynamic graph: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector

SUM_TIMES_MAXIMUM = Formula(
    "autograd-sum-times-maximum",
    """
    a = x + y
    m = max(y, z)
    f = a*m
    da = m
    dm = a
    dx = da
    dy = da + dm*where(y > z, 1, where(y = z, 1/2, 0))
    dz = dm*where(z > y, 1, where(y = z, 1/2, 0))
    """,
    title="Backward pass through f = (x + y) max(y, z)",
    source="derivation: chain rule, backward from f; a sum passes its gradient to both inputs, a product multiplies it "
    "by the other factor, a max passes it to the larger input, and the gradients of several paths add up",
    conventions="If y = z, each of them receives half of the gradient of the max, as in PyTorch.",
    x=Int(meaning="first input"),
    y=Int(meaning="second input, which is used twice"),
    z=Int(meaning="third input"),
    a=Int(meaning="the sum x + y"),
    m=Int(meaning="the maximum of y and z"),
    f=Int(meaning="output of the graph"),
    da=Int(meaning="df/da"),
    dm=Int(meaning="df/dm"),
    dx=Int(meaning="df/dx"),
    dy=Int(meaning="df/dy"),
    dz=Int(meaning="df/dz"),
)


SHARED_NODE = Formula(
    "autograd-shared-node",
    """
    u = x*y
    v = u + x
    f = u*v
    dv = u
    du = v + dv
    dx = du*y + dv
    dy = du*x
    """,
    title="Backward pass through f = u v with u = x y and v = u + x",
    source="derivation: chain rule, backward from f; u and x are used twice, so the gradients of two paths add up",
    x=Int(meaning="first input, which is used twice"),
    y=Int(meaning="second input"),
    u=Int(meaning="the product x y, which is used twice"),
    v=Int(meaning="the sum u + x"),
    f=Int(meaning="output of the graph"),
    dv=Int(meaning="df/dv"),
    du=Int(meaning="total derivative df/du"),
    dx=Int(meaning="total derivative df/dx"),
    dy=Int(meaning="total derivative df/dy"),
)


ACCUMULATED_GRADIENT = Formula(
    "accumulated-gradient",
    """
    grad = sum(i, g[i])
    avg = mean(i, g[i])
    """,
    title="Gradients of several backward passes without zero_grad",
    source="PyTorch documentation, torch.Tensor.backward: gradients accumulate in the leaves",
    k=Int(1, 100000, "number of backward passes"),
    g=Vector(meaning="gradient of each pass"),
    grad=Real(meaning=".grad after the last pass"),
    avg=Real(meaning=".grad after the last pass if each loss is divided by the number of passes"),
)
