"""T2T-ViT: formulas."""

from typing import Any

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.vision_transformers.shared import BLOCK_SOURCE, CHANNELS, CLASSES, IMAGE, LAYERS
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape

T2T_SOURCE = "Yuan et al., Tokens-to-Token ViT, 2021 (arXiv:2101.11986)"

SPLIT_SOURCE = f"{T2T_SOURCE}, section 3: a soft split is an unfolding into overlapping patches"

KERNEL = Int(1, 100, "size of a patch, which overlaps its neighbors")

STRIDE = Int(1, 100, "stride of the patches")

PADDING = Int(0, 50, "padding per side", default=0)


SOFT_SPLIT = Formula(
    "t2t-soft-split",
    """
    o = floor((n + 2p - k)/s) + 1
    T = o^2
    D = k^2*C
    """,
    title="Soft split of T2T-ViT",
    source=SPLIT_SOURCE,
    n=IMAGE,
    k=KERNEL,
    s=STRIDE,
    p=PADDING,
    C=CHANNELS,
    o=Int(1, meaning="tokens along one side"),
    T=Int(meaning="number of tokens"),
    D=Int(meaning="values of a token"),
)


SOFT_SPLIT_LENGTH = Formula(
    "t2t-soft-split-side",
    "o = (n + 2p - k)/s + 1",
    title="Tokens along a side of a soft split, if the patches fit",
    source=SPLIT_SOURCE,
    n=Int(1, meaning="size of the image or token map"),
    k=Int(1, meaning="size of a patch"),
    s=Int(1, meaning="stride of the patches"),
    p=Int(0, 50, "padding per side"),
    o=Int(1, meaning="tokens along one side"),
)


SOFT_SPLIT_OVERLAP = Formula(
    "t2t-overlap",
    """
    v = k - s
    f = (k/s)^2
    """,
    title="Overlap of a soft split",
    source=f"{SPLIT_SOURCE}, with the overlap k - s; derivation: away from the border, a pixel lies in k/s patches "
    f"along "
    "each side if s divides k",
    k=Int(1, meaning="size of a patch"),
    s=Int(1, meaning="stride of the patches"),
    v=Int(meaning="pixels that two neighboring patches share along a side"),
    f=Int(meaning="number of patches that an inner pixel lies in"),
)


T2T_MODULE = Formula(
    "t2t-module",
    """
    o1 = floor((n + 4 - 7)/4) + 1
    o2 = floor((o1 + 2 - 3)/2) + 1
    o3 = floor((o2 + 2 - 3)/2) + 1
    T = o3^2 + 1
    D1 = 49*3
    D3 = 9*c
    """,
    title="Three soft splits of T2T-ViT",
    source=f"{T2T_SOURCE}, section 3: kernels of 7, 3, 3 with overlaps of 3, 1, 1",
    conventions="Strides of 4, 2, 2 and paddings of 2, 1, 1. The T2T transformers have the width c.",
    n=IMAGE,
    c=Int(1, 10000, "width of the T2T transformers", default=64),
    o1=Int(meaning="tokens along a side after the first soft split"),
    o2=Int(meaning="tokens along a side after the second soft split"),
    o3=Int(meaning="tokens along a side after the third soft split"),
    T=Int(meaning="tokens of the backbone, with the class token"),
    D1=Int(meaning="values of a token after the first soft split"),
    D3=Int(meaning="values of a token after the third soft split"),
)


T2T_ATTENTION = Formula(
    "t2t-attention",
    """
    N = (n/4)^2
    A = N^2
    A_vit = (n/16)^4
    ratio = A/A_vit
    MiB = 4*A/2^20
    """,
    title="Attention weights of the first T2T transformer",
    source=f"{T2T_SOURCE}, section 3, which uses few channels or Performer layers there because the token sequence "
    f"is "
    "long; derivation: one weight per pair of tokens, in 4 bytes",
    conventions="One head, without a class token; stride 4 against patches of 16x16.",
    integer_constraints="n/16",
    n=Int(16, 10000, "image size", unit="px"),
    N=Int(meaning="tokens after the first soft split"),
    A=Int(meaning="attention weights of the first T2T transformer"),
    A_vit=Int(meaning="attention weights of a ViT with patches of 16x16"),
    ratio=Int(meaning="how many times as many weights"),
    MiB=Real(meaning="memory of the weights in float32", unit="MiB"),
)


T2T_PARAMS = Formula(
    "t2t-vit-params",
    """
    D1 = 49*channels
    D2 = 9*c
    first = 3*c*(D1 + 1) + 3*(c^2 + c) + 2*(D1 + c) + c^2/2
    second = 3*c*(D2 + 1) + 3*(c^2 + c) + 2*(D2 + c) + c^2/2
    features = c^2
    module = first + second + D2*width + width
    block = (4 + 2*mlp)*width^2 + (6 + mlp)*width
    N = (image/16)^2
    tokens = width + (N + 1)*width
    P = module + tokens + layers*block + 2*width + classes*(width + 1)
    trained = P - features - (N + 1)*width
    """,
    title="Parameters of T2T-ViT with Performer layers",
    source=f"{T2T_SOURCE} and the official code: queries, keys and values have no bias in the backbone; {BLOCK_SOURCE}",
    conventions="""
The two T2T transformers have the width c, MLPs of ratio 1, and c/2 random features each. These features and the
sinusoidal positions are not trained. T2T-ViT-14: width 384, 14 blocks, MLP ratio 3.
""",
    integer_constraints="image/16, c/2",
    image=Int(16, 10000, "image size", unit="px", default=224),
    width=Int(1, 10000, "width of the backbone", default=384),
    layers=LAYERS,
    mlp=Int(1, 16, "MLP ratio of the backbone", default=3),
    c=Int(2, 10000, "width of the T2T transformers", default=64),
    channels=CHANNELS,
    classes=CLASSES,
    D1=Int(meaning="values of a token after the first soft split"),
    D2=Int(meaning="values of a token after the second and the third soft split"),
    first=Int(meaning="parameters of the first T2T transformer"),
    second=Int(meaning="parameters of the second T2T transformer"),
    features=Int(meaning="fixed random features of both"),
    module=Int(meaning="parameters of the T2T module"),
    block=Int(meaning="parameters of a block of the backbone"),
    N=Int(meaning="number of tokens without the class token"),
    tokens=Int(meaning="parameters of the class token and the positions"),
    P=Int(meaning="number of all parameters"),
    trained=Int(meaning="number of trained parameters"),
)


T2T_BLOCK = Formula(
    "t2t-block",
    """
    thin = (4 + 2*m)*d^2 + (6 + m)*d
    wide = 12*d_vit^2 + 13*d_vit
    B = L*thin
    B_vit = 12*wide
    ratio = B_vit/B
    """,
    title="A deep, narrow backbone against that of ViT-B",
    source=f"{T2T_SOURCE}, section 3, deep-narrow structure; {BLOCK_SOURCE}; in T2T-ViT, queries, keys and values "
    f"have "
    "no bias",
    L=Int(1, 100, "number of blocks"),
    d=Int(1, 10000, "width"),
    m=Int(1, 16, "MLP ratio"),
    d_vit=Int(1, 10000, "width of the ViT"),
    thin=Int(meaning="parameters of a block of T2T-ViT"),
    wide=Int(meaning="parameters of a block of the ViT"),
    B=Int(meaning="parameters of the blocks of T2T-ViT"),
    B_vit=Int(meaning="parameters of the 12 blocks of the ViT"),
    ratio=Real(meaning="how many times as many parameters the ViT has"),
)


SPLITS = dict(
    split1="{k1}x{k1}, stride {s1}, padding {p1}",
    split2="{k2}x{k2}, stride {s2}, padding {p2}",
    split3="{k3}x{k3}, stride {s3}, padding {p3}",
)

T2T_SPLIT_CHOICE = Formula(
    "t2t-split-choice",
    """
    o1 = floor((n + 2*p1 - k1)/s1) + 1
    o2 = floor((n + 2*p2 - k2)/s2) + 1
    o3 = floor((n + 2*p3 - k3)/s3) + 1
    best = where(o1 = goal and k1 - s1 = overlap, 1, where(o2 = goal and k2 - s2 = overlap, 2, 3))
    T = goal^2
    D = C*where(best = 1, k1, where(best = 2, k2, k3))^2
    """,
    title="A soft split with given tokens and overlap",
    source=SPLIT_SOURCE,
    conventions="One of the three soft splits fits.",
    n=IMAGE,
    C=CHANNELS,
    goal=Int(1, 1000, "tokens along one side"),
    overlap=Int(0, 100, "overlap of neighboring patches"),
    k1=Int(1, 100, "kernel size of the first"),
    s1=Int(1, 100, "stride of the first"),
    p1=Int(0, 100, "padding of the first"),
    k2=Int(1, 100, "kernel size of the second"),
    s2=Int(1, 100, "stride of the second"),
    p2=Int(0, 100, "padding of the second"),
    k3=Int(1, 100, "kernel size of the third"),
    s3=Int(1, 100, "stride of the third"),
    p3=Int(0, 100, "padding of the third"),
    o1=Int(meaning="tokens along a side with the first"),
    o2=Int(meaning="tokens along a side with the second"),
    o3=Int(meaning="tokens along a side with the third"),
    best=Choice(meaning="soft split that fits", options=SPLITS, supported_by="D"),
    T=Int(meaning="number of tokens"),
    D=Int(meaning="values of a token of the split that fits"),
)


T2T_VALUES = Formula(
    "t2t-values",
    """
    f = ((n - k)/s + 1)^2*k^2/n^2
    limit = (k/s)^2
    """,
    title="Values after a soft split as a multiple of those before",
    source=f"{SPLIT_SOURCE}; derivation: there are ((n - k)/s + 1)^2 patches of k^2 pixels each, from n^2 pixels",
    conventions="No padding, and the patches fit.",
    n=Int(1, 10000, "image size"),
    k=Int(1, 100, "size of a patch"),
    s=Int(1, 100, "stride of the patches"),
    f=Real(meaning="values after the split divided by those before"),
    limit=Real(meaning="its limit for large images"),
)


RESHAPE_LINE, UNFOLD_LINE = 3, 5  # of the program of debug-t2t-reshape


def _reshape(s: int, c: int, o: int, line: int | None = None) -> dict[str, list[Any]]:
    rows = [[o + i * s + j for j in range(s)] for i in range(s)]
    mixed = [[o + (i * s + j) // c for j in range(s)] for i in range(s)]
    lengths = {True: s // 2 + 1, False: s + 1}  # with stride 2, and with stride 1
    return {
        "printed": mixed if line == RESHAPE_LINE else rows,
        "shape": [1, 4 * c, lengths[line == UNFOLD_LINE] ** 2],
        "fixed": rows,
        "fixed_shape": [1, 4 * c, (s + 1) ** 2],
    }


T2T_RESHAPE = Formula(
    "t2t-reshape",
    "",
    title="Tokens turned into an image and split again",
    source=f"{SPLIT_SOURCE}; derivation: tokens (1, s*s, c) are read row by row, so a reshape to (1, c, s, s) without "
    "transposing puts the channels of one token next to each other",
    procedure=_reshape,
    procedure_outputs="printed shape fixed fixed_shape",
    s=Int(2, 20, "tokens along one side"),
    c=Int(2, 20, "values of a token"),
    o=Int(0, 1000, "value of the first token", default=0),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Matrix(meaning="image that is printed"),
    shape=Shape(meaning="shape that is printed"),
    fixed=Matrix(meaning="image after the correction"),
    fixed_shape=Shape(meaning="shape after the correction"),
)
