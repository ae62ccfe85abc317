"""Values of transposed convolutions and of unpooling: formulas."""

from typing import Any

from quizzes.answer_symbols import Match
from quizzes.content.cnn.convolution.formulas import GUIDE
from quizzes.content.cnn.pooling.formulas import check_window
from quizzes.content.cnn.shared import Map, check_maps
from quizzes.content.segmentation.upsampling.formulas.sizes import OUTPUT_PADDING, TORCH
from quizzes.content.segmentation.upsampling.maps import pool_with_indices, transpose_convolve, unpool
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector
from workbench.errors import UserError

SEGNET = "Badrinarayanan, Kendall & Cipolla, SegNet, 2015 (arXiv:1511.00561)"


def check_output_padding(q: int, s: int, d: int) -> None:
    """Check that an output padding is one that PyTorch accepts.

    Raises:
        UserError: If it isn't.
    """
    if q and q >= max(s, d):
        raise UserError(
            f"The output padding q must be smaller than the stride or the dilation: at most {max(s, d) - 1}."
        )


def _transpose_convolve(X: Map, K: Map, b: Value, s: int, p: int, q: int, d: int) -> dict[str, Any]:
    check_maps(X=X, K=K)
    check_output_padding(q, s, d)
    return {"O": [[value + b for value in row] for row in transpose_convolve(X, K, s, p, q, d)]}


TRANSPOSED_CONV = Formula(
    "transposed-conv",
    "",
    title="Transposed convolution of a map",
    source=f"{TORCH}; {GUIDE}, chapter 4",
    conventions="""
Each input value is multiplied by the kernel, which is not flipped, and added to the output; the place of the next value
is s cells further. The padding p is cut off from all sides of the output; the output padding q adds rows at the bottom
and columns on the right.
""",
    procedure=_transpose_convolve,
    procedure_outputs="O",
    X=Matrix(meaning="input map"),
    K=Matrix(meaning="kernel"),
    b=Real(meaning="bias", default=0),
    s=Int(1, 100, "stride", default=1),
    p=Int(0, 100, "padding, which is cut off", default=0),
    q=OUTPUT_PADDING,
    d=Int(1, 100, "dilation", default=1),
    O=Matrix(meaning="output"),
)


TRANSPOSED_CONV_1D = Formula(
    "transposed-conv-1d",
    """
    o[i] = sum(a, sum(j, [i + p = (a - 1)*s + j]*x[a]*w[j])) for i = 1..(len(x) - 1)*s - 2p + len(w)
    c[i] = sum(a, sum(j, [i + p = (a - 1)*s + j]*x[a]^0*w[j]^0)) for i = 1..(len(x) - 1)*s - 2p + len(w)
    """,
    title="Transposed convolution of a row",
    source=f"{TORCH}; {GUIDE}, chapter 4",
    conventions="Each input value is multiplied by the kernel and added to the output; the next one is s cells "
    "further. The padding p is cut off from both ends.",
    x=Vector(meaning="input"),
    w=Vector(meaning="kernel"),
    s=Int(1, 100, "stride", default=1),
    p=Int(0, 100, "padding, which is cut off", default=0),
    o=Vector(meaning="output"),
    c=Vector(meaning="number of products that are added to each output"),
)


TRANSPOSED_CONV_MATRIX = Formula(
    "transposed-conv-matrix",
    """
    C[i, j] = sum(k, [j = (i - 1)*s + k]*w[k]) for i = 1..len(y), j = 1..(len(y) - 1)*s + len(w)
    o[j] = sum(i, C[i, j]*y[i])
    """,
    title="Convolution as a matrix, and the transposed convolution",
    source=f"{GUIDE}: a convolution is y = C x with a sparse matrix C, and the transposed convolution "
    "multiplies by C transposed",
    conventions="No padding. The convolution is a cross-correlation: row i of C has the kernel from column "
    "(i - 1)s + 1 on.",
    y=Vector(meaning="input of the transposed convolution"),
    w=Vector(meaning="kernel"),
    s=Int(1, 100, "stride", default=1),
    C=Matrix(meaning="matrix of the convolution"),
    o=Vector(meaning="C transposed times y"),
)


BILINEAR_KERNEL = Formula(
    "bilinear-kernel",
    """
    f = s + 2*floor(s/2)
    p = ceil((s - 1)/2)
    c = (f - 1)/2
    W = (1 - abs(i - c)/s)*(1 - abs(j - c)/s)
    o = (n - 1)*s - 2p + f
    """,
    title="Transposed convolution that interpolates bilinearly",
    source="Caffe documentation, BilinearFiller; Long, Shelhamer & Darrell, FCN, 2015 (arXiv:1411.4038): "
    "upsampling layers are initialized to bilinear interpolation",
    conventions="The kernel size is 2s for an even stride and 2s - 1 for an odd one. Rows and columns of the kernel "
    "are numbered from 0.",
    s=Int(1, 100, "stride: the factor of the upsampling"),
    n=Int(1, 100000, "input size", unit="px"),
    i=Int(0, 200, "row of a weight, from 0"),
    j=Int(0, 200, "column of a weight, from 0"),
    f=Int(1, meaning="kernel size"),
    p=Int(0, meaning="padding"),
    c=Real(meaning="row and column of the kernel's center"),
    W=Real(0, 1, "weight in row i and column j"),
    o=Int(1, meaning="output size", unit="px"),
)


def _max_unpool(X: Map, k: int, s: int = 0, V: Map | None = None) -> dict[str, Any]:
    check_window(X, k)
    pooled = pool_with_indices(X, k, s or k)
    M, indices = ([[cell[part] for cell in row] for row in pooled] for part in (0, 1))
    return {"M": M, "I": indices, "U": unpool(V or M, indices, len(X), len(X[0]))}


MAX_UNPOOL = Formula(
    "max-unpool",
    "",
    title="Max pooling with indices, and unpooling",
    source=f"{SEGNET}; PyTorch documentation, torch.nn.MaxUnpool2d",
    conventions="The index of a maximum is its place in the flattened map, counted from 0; of equal values, the first "
    "one. Unpooling sets all other cells to 0.",
    procedure=_max_unpool,
    procedure_outputs="M I U",
    X=Matrix(meaning="map before pooling"),
    k=Int(1, 100, "window size", default=2),
    s=Int(1, 100, "stride, the window size by default", optional=True),
    V=Matrix(meaning="values to unpool, the maxima by default", optional=True),
    M=Matrix(meaning="maxima"),
    I=Matrix(0, meaning="indices of the maxima"),
    U=Matrix(meaning="unpooled map"),
)


UNPOOL_INDICES = Formula(
    "unpool-indices",
    "",
    title="Unpooling by indices",
    source="PyTorch documentation, torch.nn.MaxUnpool2d",
    conventions="An index is the place in the flattened map, counted from 0.",
    procedure=lambda V, I, H, W: {"U": unpool(V, I, H, W)},
    procedure_outputs="U",
    V=Matrix(meaning="values"),
    I=Matrix(0, meaning="index of each value"),
    H=Int(1, 64, "height of the unpooled map"),
    W=Int(1, 64, "width of the unpooled map"),
    U=Matrix(meaning="unpooled map"),
)


METHODS = dict(
    unpool="max unpooling",
    nails="bed of nails",
    nearest="nearest-neighbor interpolation",
    bilinear="bilinear interpolation",
)


def _method_of(P: Map) -> str:
    """Return the method that made a map, from its windows of 2x2 cells."""
    windows = [[P[y][x], P[y][x + 1], P[y + 1][x], P[y + 1][x + 1]] for y in (0, 2) for x in (0, 2)]
    if all(len(set(window)) == 1 for window in windows):
        return "nearest"
    if all(window.count(0) == 3 for window in windows):
        return "nails" if all(window[0] for window in windows) else "unpool"
    return "bilinear"


WHICH_UPSAMPLING = Formula(
    "which-upsampling",
    "",
    title="Which upsampling method made a map",
    source="derivation: nearest-neighbor interpolation repeats a value, bilinear interpolation has values in between, "
    "a bed of nails has each value at the top left of its window, and max unpooling where the maximum was",
    conventions="Each map has 4x4 cells, made of 2x2 positive values.",
    procedure=lambda **maps: {"method": {name: _method_of(maps[name]) for name in maps}},
    procedure_outputs="method",
    shapes="P1[4, 4]; P2[4, 4]; P3[4, 4]; P4[4, 4]",
    P1=Matrix(0, meaning="first map"),
    P2=Matrix(0, meaning="second map"),
    P3=Matrix(0, meaning="third map"),
    P4=Matrix(0, meaning="fourth map"),
    method=Match(
        meaning="method that made each map",
        items=dict(P1="P1", P2="P2", P3="P3", P4="P4"),
        options=METHODS,
    ),
)
