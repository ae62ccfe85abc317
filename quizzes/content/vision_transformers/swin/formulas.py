"""Swin: formulas."""

from quizzes.answer_symbols import LineNumber
from quizzes.content.vision_transformers.shared import (
    BLOCK_SOURCE,
    CHANNELS,
    CLASSES,
    LAYER_COST_SOURCE,
    MAC_COUNTS,
    MLP_RATIO,
)
from quizzes.content.vision_transformers.swin.windows import (
    allowed_pairs,
    check_grid,
    region,
    shifted_tokens,
    window_tokens,
)
from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Table, Vector
from workbench.errors import UserError

SWIN_SOURCE = "Liu et al., Swin Transformer, 2021 (arXiv:2103.14030)"

HEIGHT = Int(1, 100000, "height of the feature map", unit="tokens")

WIDTH = Int(1, 100000, "width of the feature map", unit="tokens")

WINDOW = Int(1, 1000, "window size: a window has M x M tokens", default=7)

DIMENSION = Int(1, 100000, "number of channels of a token")

SHIFT = Int(0, 1000, "shift of the windows", unit="tokens")


SWIN_COMPLEXITY = Formula(
    "swin-complexity",
    """
    msa = 4*h*w*C^2 + 2*(h*w)^2*C
    wmsa = 4*h*w*C^2 + 2*M^2*h*w*C
    ratio = msa/wmsa
    """,
    title="MACs of global and of window attention",
    source=f"{SWIN_SOURCE}, equations 1 and 2",
    conventions="With the projections of queries, keys, values and the output; softmax and biases are not counted.",
    h=HEIGHT,
    w=WIDTH,
    C=DIMENSION,
    M=WINDOW,
    msa=Int(meaning="MACs of global attention (MSA)"),
    wmsa=Int(meaning="MACs of window attention (W-MSA)"),
    ratio=Real(meaning="global divided by windowed cost"),
)


SWIN_WINDOWS = Formula(
    "swin-windows",
    """
    H = M*ceil(h/M)
    W = M*ceil(w/M)
    n = H/M*W/M
    pad = H*W - h*w
    pairs = n*M^4
    """,
    title="Windows of a feature map, with padding",
    source=f"{SWIN_SOURCE}, section 3.2: a map whose size is not a multiple of M is padded at the bottom and right",
    h=HEIGHT,
    w=WIDTH,
    M=WINDOW,
    H=Int(meaning="padded height"),
    W=Int(meaning="padded width"),
    n=Int(meaning="number of windows"),
    pad=Int(meaning="number of padding tokens"),
    pairs=Int(meaning="attention weights per head, over all windows"),
)


SWIN_SHIFTED_WINDOWS = Formula(
    "swin-shifted-windows",
    """
    n = h/M*w/M
    n_padded = (h/M + 1)*(w/M + 1)
    masked = h/M + w/M - 1
    """,
    title="Windows of a shifted layer: with padding, and with a cyclic shift",
    source=f"{SWIN_SOURCE}, section 3.2 and figure 4",
    conventions="h and w are multiples of M; the shift is between 0 and M.",
    integer_constraints="h/M, w/M",
    h=HEIGHT,
    w=WIDTH,
    M=WINDOW,
    n=Int(meaning="windows without a shift, and with the cyclic shift"),
    n_padded=Int(meaning="windows of a shifted layer if each smaller one is padded"),
    masked=Int(meaning="windows of the cyclic shift that need a mask"),
)


SWIN_SQUARE = Formula(
    "swin-window-count",
    "n = (h/M)^2",
    title="Number of windows of a square feature map",
    source=f"{SWIN_SOURCE}, section 3.2",
    integer_constraints="h/M",
    h=Int(1, meaning="height and width of the feature map", unit="tokens"),
    M=Int(1, meaning="window size", unit="tokens"),
    n=Int(meaning="number of windows"),
)


SWIN_STAGES = Formula(
    "swin-stages",
    """
    h = image/(4*2^(k - 1))
    c = C*2^(k - 1)
    T = h^2
    """,
    title="Feature map of a stage of Swin",
    source=f"{SWIN_SOURCE}, section 3.1",
    conventions="Patches of 4x4 pixels. Patch merging halves height and width before stages 2, 3 and 4.",
    integer_constraints="image/(4*2^(k - 1))",
    image=Int(32, 10000, "image size", unit="px"),
    C=DIMENSION,
    k=Int(1, 6, "number of the stage"),
    h=Int(meaning="height and width of the feature map"),
    c=Int(meaning="number of channels"),
    T=Int(meaning="number of tokens"),
)


PATCH_MERGING = Formula(
    "patch-merging",
    """
    T_out = h/2*w/2
    C_in = 4*C
    C_out = 2*C
    P = C_in*C_out + 2*C_in
    """,
    title="Patch merging of Swin",
    source=f"{SWIN_SOURCE}, section 3.1: the features of 2x2 neighbors are concatenated and projected to 2C",
    conventions="A layer normalization of 4C values, then a dense layer without bias, as in the official code.",
    integer_constraints="h/2, w/2",
    h=HEIGHT,
    w=WIDTH,
    C=DIMENSION,
    T_out=Int(meaning="number of tokens after merging"),
    C_in=Int(meaning="number of concatenated channels"),
    C_out=Int(meaning="number of channels after merging"),
    P=Int(meaning="number of parameters"),
)


SWIN_BLOCK = Formula(
    "swin-block-params",
    """
    biases = (2*M - 1)^2*heads
    dense = (4 + 2*mlp)*C^2 + (5 + mlp)*C
    P = biases + dense + 4*C
    """,
    title="Parameters of a Swin block",
    source=f"{SWIN_SOURCE}, equation 4: a bias for each of (2M - 1)^2 relative positions and each head; {BLOCK_SOURCE}",
    C=DIMENSION,
    M=WINDOW,
    heads=Int(1, 1000, "number of heads"),
    mlp=MLP_RATIO,
    biases=Int(meaning="parameters of the relative position bias"),
    dense=Int(meaning="parameters of the dense layers, with biases"),
    P=Int(meaning="number of parameters"),
)


def _check_stages(depths: list[int], heads: list[int], **_: int) -> dict[str, int]:
    if len(depths) != len(heads):
        raise UserError(f"depths has {len(depths)} values and heads has {len(heads)}. Give one of each per stage.")
    return {"stages": len(depths)}


SWIN_PARAMS = Formula(
    "swin-params",
    """
    embedding = patch^2*channels*width + width + 2*width
    blocks = sum(k = 1..stages, depths[k]*((4 + 2*mlp)*(width*2^(k - 1))^2 + (9 + mlp)*width*2^(k - 1)))
    biases = sum(k = 1..stages, depths[k]*heads[k]*(2*M - 1)^2)
    merging = sum(k = 2..stages, 8*(width*2^(k - 2))^2 + 8*width*2^(k - 2))
    last = width*2^(stages - 1)
    P = embedding + blocks + biases + merging + 2*last + classes*(last + 1)
    """,
    title="Parameters of a Swin transformer",
    source=f"{SWIN_SOURCE}; {BLOCK_SOURCE}",
    conventions="""
Width, depths and heads of Swin-T: 96, [2, 2, 6, 2], [3, 6, 12, 24]. A layer normalization follows the patch embedding
and the last stage. Patch merging has a layer normalization of 4C values and no bias.
""",
    procedure=_check_stages,
    procedure_outputs="stages",
    width=Int(1, 100000, "number of channels of the first stage", default=96),
    depths=Vector(1, meaning="number of blocks per stage"),
    heads=Vector(1, meaning="number of heads per stage"),
    M=WINDOW,
    mlp=MLP_RATIO,
    patch=Int(1, 100, "patch size", unit="px", default=4),
    channels=CHANNELS,
    classes=CLASSES,
    stages=Int(meaning="number of stages"),
    embedding=Int(meaning="parameters of the patch embedding and its normalization"),
    blocks=Int(meaning="parameters of all blocks without relative position biases"),
    biases=Int(meaning="parameters of all relative position biases"),
    merging=Int(meaning="parameters of patch merging"),
    last=Int(meaning="number of channels of the last stage"),
    P=Int(meaning="number of all parameters"),
)


SWIN_MACS = Formula(
    "swin-macs",
    """
    N = (image/patch)^2
    embedding = N*patch^2*channels*width
    linear = sum(k = 1..len(depths), depths[k]*(4 + 2*mlp)*N*width^2)
    attention = sum(k = 1..len(depths), depths[k]*2*M^2*N/2^(k - 1)*width)
    merging = (len(depths) - 1)*2*N*width^2
    M_all = embedding + linear + attention + merging + classes*width*2^(len(depths) - 1)
    FLOPs = 2*M_all
    """,
    title="MACs and FLOPs of a Swin transformer",
    source=f"{SWIN_SOURCE}; {LAYER_COST_SOURCE}; derivation: each stage has a quarter of the tokens and twice the "
    "channels, so N C^2 stays the same, and N C is halved",
    conventions=f"{MAC_COUNTS} The windows divide the feature map of every stage.",
    integer_constraints="image/patch, image/(patch*2^(len(depths) - 1)*M)",
    image=Int(1, 100000, "image size", unit="px", default=224),
    width=Int(1, 100000, "number of channels of the first stage", default=96),
    depths=Vector(1, meaning="number of blocks per stage"),
    M=WINDOW,
    mlp=MLP_RATIO,
    patch=Int(1, 100, "patch size", unit="px", default=4),
    channels=CHANNELS,
    classes=CLASSES,
    N=Int(meaning="number of tokens of the first stage"),
    embedding=Int(meaning="MACs of the patch embedding"),
    linear=Int(meaning="MACs of projections and MLPs"),
    attention=Int(meaning="MACs of scores and weighted sums"),
    merging=Int(meaning="MACs of patch merging"),
    M_all=Int(meaning="MACs for one image"),
    FLOPs=Int(meaning="FLOPs for one image"),
)


SWIN_NEIGHBORS = Formula(
    "swin-neighbors",
    """
    rows = where(i < s, s, where(i >= h - M + s, M - s, M))
    columns = where(j < s, s, where(j >= w - M + s, M - s, M))
    n = rows*columns
    """,
    title="Tokens that a token attends to in a shifted layer",
    source=f"{SWIN_SOURCE}, figure 4: the windows move by s, and a mask separates what only the cyclic shift joins",
    conventions="Rows and columns are numbered from 0. h and w are multiples of M, and 0 < s < M.",
    integer_constraints="h/M, w/M",
    h=HEIGHT,
    w=WIDTH,
    M=WINDOW,
    s=SHIFT,
    i=Int(0, 100000, "row of the token"),
    j=Int(0, 100000, "column of the token"),
    rows=Int(meaning="rows of its region"),
    columns=Int(meaning="columns of its region"),
    n=Int(meaning="number of tokens that it attends to, itself included"),
)


SWIN_MASK = Formula(
    "swin-mask",
    """
    edge = M^2*(s^2 + (M - s)^2)
    corner = (s^2 + (M - s)^2)^2
    """,
    title="Pairs that the mask of a shifted layer allows",
    source=f"{SWIN_SOURCE}, figure 4; derivation: a side of M tokens is split into s and M - s, so an edge window has "
    "regions of M s and M (M - s) tokens, and the corner window four; each token attends to those of its region",
    M=Int(2, 100, "window size", unit="tokens"),
    s=Int(1, 100, "shift", unit="tokens"),
    edge=Int(meaning="pairs that a window at one edge allows"),
    corner=Int(meaning="pairs that the window in the corner allows"),
)


SWIN_CROSSOVER = Formula(
    "swin-crossover",
    """
    ratio = (2*C + N)/(2*C + M^2)
    N_r = r*(2*C + M^2) - 2*C
    """,
    title="Global against window attention",
    source=f"{SWIN_SOURCE}, equations 1 and 2; derivation: both have 4 N C^2, so divide numerator and denominator by "
    f"2NC",
    C=Int(1, 1000, "number of channels"),
    M=Int(1, 20, "window size"),
    r=Int(2, 1000, "given ratio"),
    N=Real(1, 100000, "number of tokens"),
    ratio=Real(meaning="global divided by windowed cost"),
    N_r=Int(meaning="number of tokens at which the ratio is r"),
)


VIEW_LINE, PERMUTE_LINE = 3, 4  # of the program of debug-swin-windows


def _first_window(h: int, M: int, o: int, line: int | None = None) -> dict[str, list[int]]:
    grid = [[o + token for token in row] for row in shifted_tokens(h, h, 0)]
    printed = [o + k for k in range(M * M)]  # without the permutation: the first tokens, row by row
    if line == VIEW_LINE:  # windows of h/M x h/M tokens, of which the first M*M tokens are printed
        printed = [token for window in window_tokens(grid, h // M) for token in window][: M * M]
    return {"printed": printed, "fixed": window_tokens(grid, M)[0]}


SWIN_PARTITION = Formula(
    "swin-partition",
    "",
    title="First window of an incorrect window partition",
    source=f"{SWIN_SOURCE}, section 3.2; derivation: view splits each dimension in row-major order, so the dimension "
    "inside a window must be the last of each split, and both of them must be last before the final reshape",
    procedure=_first_window,
    procedure_outputs="printed fixed",
    h=Int(1, 100, "height and width of the feature map"),
    M=Int(1, 20, "window size"),
    o=Int(0, 1000, "number of the first token", default=0),
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Vector(meaning="first window that is printed"),
    fixed=Vector(meaning="first window after the correction"),
)


SWIN_CHAIN = Formula(
    "swin-chain",
    """
    n1 = image/4
    T1 = n1^2
    windows = (n1/M)^2
    W1 = 4*T1*C^2 + 2*M^2*T1*C
    T2 = T1/4
    C2 = 2*C
    W2 = 4*T2*C2^2 + 2*M^2*T2*C2
    """,
    title="Two stages of Swin",
    source=f"{SWIN_SOURCE}, sections 3.1 and 3.2",
    conventions="Patches of 4x4 pixels. The windows divide the feature maps of both stages.",
    integer_constraints="image/8, image/(8*M)",
    image=Int(1, 10000, "image size"),
    C=DIMENSION,
    M=WINDOW,
    n1=Int(meaning="height and width of the feature map of stage 1"),
    T1=Int(meaning="tokens of stage 1"),
    windows=Int(meaning="windows of stage 1"),
    W1=Int(meaning="MACs of window attention in a block of stage 1"),
    T2=Int(meaning="tokens of stage 2"),
    C2=Int(meaning="channels of stage 2"),
    W2=Int(meaning="MACs of window attention in a block of stage 2"),
)


def _list_windows(h: int, w: int, M: int, s: int) -> dict[str, object]:
    check_grid(h, w, M, s)
    windows = window_tokens(shifted_tokens(h, w, s), M)
    tokens = [(token // w, token % w) for window in windows for token in window]
    regions = [region(token, h, w, M, s) for token in tokens]
    sizes = [len({*regions[k * M * M : (k + 1) * M * M]}) for k in range(len(windows))]
    rows = [
        {"window": k, "tokens": ", ".join(map(str, window)), "regions": size}
        for k, (window, size) in enumerate(zip(windows, sizes, strict=True), 1)
    ]
    allowed = allowed_pairs(h, w, M, s)
    return {
        "n": len(windows),
        "masked": sum(size > 1 for size in sizes),
        "allowed": allowed,
        "blocked": len(windows) * M**4 - allowed,
        "table": rows,
    }


SWIN_SHIFT = Formula(
    "swin-shift",
    "",
    title="Windows of a small grid after a cyclic shift, and their mask",
    source=f"{SWIN_SOURCE}, section 3.2 and figure 4",
    conventions="Tokens are numbered from 0, row by row. The shift moves the grid up and to the left.",
    procedure=_list_windows,
    procedure_outputs="n masked allowed blocked table",
    h=Int(1, 400, "height of the grid", unit="tokens", default=4),
    w=Int(1, 400, "width of the grid", unit="tokens", default=4),
    M=Int(1, 100, "window size", unit="tokens", default=2),
    s=Int(0, 100, "shift", unit="tokens", default=1),
    n=Int(meaning="number of windows"),
    masked=Int(meaning="windows with tokens of several regions"),
    allowed=Int(meaning="pairs of tokens that attend to each other"),
    blocked=Int(meaning="pairs of a window that the mask blocks"),
    table=Table(meaning="tokens and regions of each window"),
)
