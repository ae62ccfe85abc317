"""Sizes and parameters of transposed convolutions: formulas."""

from quizzes.answer_symbols import Choices, Line
from quizzes.content.cnn.convolution.formulas import DILATION, GUIDE, INPUT_SIZE, OUTPUT_SIZE, PADDING, STRIDE
from quizzes.content.shared import IN_CHANNELS, KERNEL_SIZE, OUT_CHANNELS
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real
from workbench.errors import UserError

TORCH = "PyTorch documentation, torch.nn.ConvTranspose2d"

CHECKERBOARD_SOURCE = "Odena, Dumoulin & Olah, Deconvolution and checkerboard artifacts, Distill, 2016"

OUTPUT_PADDING = Int(0, 100, "output padding", unit="px", default=0)


TRANSPOSED_CONV_SIZE = Formula(
    "transposed-conv-size",
    "o = (n - 1)*s - 2p + d*(f - 1) + q + 1",
    title="Output size of a transposed convolution",
    source=f"{TORCH}; {GUIDE}, chapter 4",
    conventions="The output padding q is added to one end, and PyTorch needs it to be smaller than the stride or the "
    "dilation.",
    o=OUTPUT_SIZE,
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    q=OUTPUT_PADDING,
    d=DILATION,
)


TRANSPOSED_CONV_FACTOR = Formula(
    "transposed-conv-factor",
    """
    E = d*(f - 1) + 1
    p = ceil((E - s)/2)
    q = 2p - E + s
    o = (n - 1)*s - 2p + E + q
    """,
    title="Padding with which a transposed convolution enlarges a map by its stride",
    source="derivation: (n - 1)s - 2p + E + q = n s gives 2p - q = E - s, with the effective kernel size E; the output "
    "padding q that fills an odd difference is 1",
    conventions="The output padding is 0 or 1, and the padding the smallest that fits.",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    d=DILATION,
    E=Int(1, meaning="effective kernel size", unit="px"),
    p=Int(0, meaning="padding", unit="px"),
    q=Int(0, 1, "output padding", unit="px"),
    o=OUTPUT_SIZE,
)


TRANSPOSED_CONV_AS_CONV = Formula(
    "transposed-conv-as-conv",
    """
    z = s - 1
    m = (n - 1)*s + 1
    g = f - 1 - p
    o = m + 2g - f + 1
    """,
    title="Transposed convolution as a convolution of a map with zeros in between",
    source=f"{GUIDE}: zeros are inserted between the inputs, and the kernel, flipped, slides with stride "
    "1 over a padding of f - 1 - p",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    z=Int(0, meaning="zeros between two adjacent inputs"),
    m=Int(1, meaning="size of the map with zeros in between", unit="px"),
    g=Int(0, meaning="padding of the convolution on each side", unit="px"),
    o=OUTPUT_SIZE,
)


TRANSPOSED_CONV_LAYER = Formula(
    "transposed-conv-layer",
    """
    o = (n - 1)*s - 2p + f
    P = f^2*C_in*C_out + C_out
    M = n^2*f^2*C_in*C_out
    """,
    title="Output size, parameters and MACs of a transposed convolution",
    source=f"{TORCH}; derivation: each of the n^2 inputs of a channel is multiplied by the f^2 weights to each output "
    "channel",
    conventions="The MACs count those products whose place is cut off by the padding, too, and no biases.",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    C_in=IN_CHANNELS,
    C_out=OUT_CHANNELS,
    o=OUTPUT_SIZE,
    P=Int(1, meaning="number of parameters, weights and biases"),
    M=Int(1, meaning="number of MACs"),
)


UPSAMPLING_LAYER_CODE = Formula(
    "upsampling-layer-code",
    """
    o = (n - 1)*s - 2p + f
    r = n*s - o
    """,
    title="Transposed convolution that misses a size",
    source=f"{TORCH}: the output padding resolves which of several output sizes is meant",
    n=INPUT_SIZE,
    f=KERNEL_SIZE,
    s=STRIDE,
    p=PADDING,
    o=Int(1, meaning="height that is printed", unit="px"),
    r=Int(0, meaning="output padding that is missing", unit="px"),
    fix=Line(
        meaning="the line, corrected",
        signatures=(
            "nn.ConvTranspose2d(in_channels, out_channels, kernel_size, stride=1, padding=0, output_padding=0, "
            "groups=1, bias=True, dilation=1, padding_mode='zeros', device=None, dtype=None)",
        ),
    ),
)


PAIRS = {f"pair{k}": f"kernel {{f{k}}}, stride {{s{k}}}" for k in range(1, 6)}


def _even_pairs(pairs: list[list[int]], k: int) -> dict[str, Value]:
    if len(pairs) != len(PAIRS) or any(f < s or s < 1 for f, s in pairs):
        raise UserError(
            f"Give {len(PAIRS)} pairs of a kernel size and a stride, of which the kernel size is not smaller."
        )
    if k > len(pairs):
        raise UserError(f"k is the number of a pair, from 1 to {len(pairs)}.")
    even = [name for name, (f, s) in zip(PAIRS, pairs, strict=True) if f % s == 0]
    return {"even": even, "f": pairs[k - 1][0], "s": pairs[k - 1][1]}


CHECKERBOARD = Formula(
    "checkerboard",
    """
    high = ceil(f/s)
    low = floor(f/s)
    r = (high/low)^2
    """,
    title="Overlap of a transposed convolution: which kernel sizes and strides cover all pixels equally often",
    source=f"{CHECKERBOARD_SOURCE}; derivation: the copies of a kernel are s apart, so a pixel of a row is in f/s of "
    "them, rounded up or down; in 2-D, the numbers of rows and columns are multiplied",
    conventions="Only interior pixels count. high, low and r are those of pair k, counted from 1.",
    procedure=_even_pairs,
    procedure_outputs="even f s",
    shapes="pairs[5, 2]",
    pairs=Matrix(1, 100, "one row kernel size, stride per layer"),
    k=Int(1, 5, "number of the pair whose ratio is computed"),
    even=Choices(meaning="pairs that cover all interior pixels equally often", options=PAIRS),
    f=Int(meaning="kernel size of pair k"),
    s=Int(meaning="stride of pair k"),
    high=Int(meaning="largest number of copies that cover a pixel of a row"),
    low=Int(meaning="smallest number of copies that cover a pixel of a row"),
    r=Real(meaning="largest over smallest value of the 2-D output"),
)
