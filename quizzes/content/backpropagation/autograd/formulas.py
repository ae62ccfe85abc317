"""PyTorch autograd: the dynamic graph: formulas."""

from math import prod
from typing import Any

from quizzes.answer_symbols import Choice, Order
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Shape, Vector
from workbench.errors import UserError

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


TIED_RESIDUAL = Formula(
    "tied-residual",
    """
    h = relu(w*x + b)
    y = w*h + x
    dw = (y - t)*(h + w*x*[h > 0])
    """,
    title="Gradient of a tied weight with a skip connection",
    source="derivation: chain rule on L = (y - t)^2/2 with y = wh + x and h = ReLU(wx + b); the two uses of w add up",
    x=Real(meaning="input"),
    w=Real(meaning="weight, which is used twice"),
    b=Real(meaning="bias"),
    t=Real(meaning="target"),
    h=Real(meaning="hidden activation"),
    y=Real(meaning="output"),
    steps=Order(
        meaning="lines of the backward pass, first to last",
        items=dict(
            dy="dy = y - t",
            outer="w_outer = dy*h",
            dh="dh = dy*w",
            dz="dz = dh if h > 0 else 0",
            inner="w_inner = dz*x",
            dw="dw = w_outer + w_inner",
        ),
        distractors=dict(overwritten="dw = w_inner", transposed="dh = dy*h", reversed="dy = t - y"),
        after=dict(outer="dy", dh="dy", dz="dh", inner="dz", dw="outer inner"),
    ),
    dw=Real(meaning="gradient dL/dw"),
)


def print_gradients(a: Any, w0: Any, eta: Any, cause: str) -> tuple[list[Any], Any]:
    """Return w.grad of three steps on (w - a)^2 with a call missing, and the last w at which it was computed."""
    w, grad, prints = w0, 0, []
    for _ in range(3):
        at = w
        gradient = 2 * (w - a)
        grad = grad + gradient if cause == "zero_grad" else gradient
        prints.append(grad)
        w = w - eta * grad if cause != "step" else w
    return prints, at


def _diagnose(a: Any, w0: Any, eta: Any, cause: str) -> dict[str, Any]:
    prints, w = print_gradients(a, w0, eta, cause)
    return {"printed": prints, "third": print_gradients(a, w0, eta, "")[0][2], "at": 2 * (w - a)}


PRINTED_GRADIENTS = Formula(
    "printed-gradients",
    "",
    title="Gradients of a training loop with a call missing",
    source="PyTorch documentation, torch.optim.Optimizer.zero_grad and step: gradients accumulate in .grad until they "
    "are set to zero, and step changes the parameters",
    procedure=_diagnose,
    procedure_outputs="printed third at",
    a=Real(meaning="target"),
    w0=Real(meaning="initial weight"),
    eta=Real(0, 1, "learning rate"),
    cause=Choice(
        meaning="call that is missing in the loop",
        options=dict(
            zero_grad="optimizer.zero_grad()",
            step="optimizer.step()",
            backward="loss.backward()",
            detach="loss.detach()",
        ),
        supported_by="third",
        optional=False,
    ),
    printed=Vector(meaning="printed gradients"),
    third=Real(meaning="third gradient that the correct loop prints"),
    at=Real(meaning="derivative of L at the w of the third print"),
)


def _broadcast(a: list[int], b: list[int]) -> list[int]:
    rank = max(len(a), len(b))
    pairs = zip([1] * (rank - len(a)) + a, [1] * (rank - len(b)) + b, strict=True)
    sizes = []
    for k, (one, other) in enumerate(pairs):
        if one != other and 1 not in (one, other):
            raise UserError(
                f"{_shape_text(a)} and {_shape_text(b)} don't fit: dimension {k - rank} has the sizes {one} and "
                f"{other}, which must be equal, or one of them 1."
            )
        sizes.append(max(one, other))
    return sizes


def _shape_text(sizes: list[int]) -> str:
    return f"({', '.join(map(str, sizes))}{',' if len(sizes) == 1 else ''})"


def _broadcast_shape(a: list[int], b: list[int]) -> dict[str, Any]:
    return {"shape": _broadcast(a, b)}


def _reduction_shape(shape: list[int], dim: list[int], keepdim: int) -> dict[str, Any]:
    rank = len(shape)
    for d in dim:
        if d != int(d) or not -rank <= d < rank:
            raise UserError(f"dim {d} is not a dimension of {_shape_text(shape)}: take {-rank} to {rank - 1}.")
    gone = [int(d) % rank for d in dim]
    if len(set(gone)) < len(gone):
        raise UserError("A dimension appears twice in dim. Give each of them once.")
    sizes = [1 if k in gone else size for k, size in enumerate(shape) if keepdim or k not in gone]
    return {"result": sizes}


def _matmul_shape(a: list[int], b: list[int]) -> dict[str, Any]:
    left, right = (a if len(a) > 1 else [1, *a]), (b if len(b) > 1 else [*b, 1])
    if left[-1] != right[-2]:
        raise UserError(
            f"{_shape_text(a)} and {_shape_text(b)} don't fit: the first has {left[-1]} columns and the second "
            f"{right[-2]} rows, which must be equal."
        )
    batch = _broadcast(left[:-2], right[:-2])
    sizes = [*batch, *([left[-2]] if len(a) > 1 else []), *([right[-1]] if len(b) > 1 else [])]
    return {"shape": sizes, "macs": prod(batch) * left[-2] * left[-1] * right[-1]}


BROADCAST_SHAPE = Formula(
    "broadcast-shape",
    "",
    title="Shape of an elementwise operation, by broadcasting",
    source="NumPy documentation, Broadcasting; PyTorch follows it",
    conventions="""
The shapes are aligned at their last dimensions; a missing dimension counts as
1, and two sizes fit if they are equal or one of them is 1.
""",
    procedure=_broadcast_shape,
    procedure_outputs="shape",
    a=Shape(1, meaning="shape of the first array"),
    b=Shape(1, meaning="shape of the second array"),
    shape=Shape(meaning="shape of the result"),
)


REDUCTION_SHAPE = Formula(
    "reduction-shape",
    "",
    title="Shape of a sum or mean over dimensions",
    source="NumPy documentation, numpy.sum; PyTorch calls axis dim, and keepdims keepdim",
    conventions="""
Dimensions are counted from 0, negative ones from the end. With keepdim 1 they
stay, with size 1; with keepdim 0 they are dropped.
""",
    procedure=_reduction_shape,
    procedure_outputs="result",
    shape=Shape(1, meaning="shape of the array"),
    dim=Vector(meaning="dimensions that are summed over"),
    keepdim=Int(0, 1, "whether they stay with size 1", default=0),
    result=Vector(meaning="shape of the result, [] for a single number"),
)


MATMUL_SHAPE = Formula(
    "matmul-shape",
    "",
    title="Shape of a matrix product, also of batches",
    source="PyTorch documentation, torch.matmul",
    conventions="""
The last two dimensions are those of the matrices, the others are batches and
are broadcast. A vector on the left is a row, on the right a column, and that
dimension is dropped again.
""",
    procedure=_matmul_shape,
    procedure_outputs="shape macs",
    a=Shape(1, meaning="shape of the first array"),
    b=Shape(1, meaning="shape of the second array"),
    shape=Vector(meaning="shape of the product, [] for a single number"),
    macs=Int(meaning="multiply-accumulates"),
)
