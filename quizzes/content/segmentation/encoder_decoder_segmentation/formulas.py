"""Encoder-decoder, FCN and U-Net: formulas."""

from typing import Any

from quizzes.answer_symbols import LineNumber
from quizzes.content.shared import IN_CHANNELS
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Shape, Table, Vector
from workbench.errors import UserError

FCN = "Long, Shelhamer & Darrell, FCN, 2015 (arXiv:1411.4038)"

UNET = "Ronneberger, Fischer & Brox, U-Net, 2015 (arXiv:1505.04597)"

SEGNET = "Badrinarayanan, Kendall & Cipolla, SegNet, 2015 (arXiv:1511.00561)"

ATTENTION_UNET = "Oktay et al., Attention U-Net, 2018 (arXiv:1804.03999)"

CLASSES = Int(1, 10000, "number of classes")


def _trace_unet(n: int, L: int) -> dict[str, Any]:
    """Follow the sizes of a U-Net without padding: each level has two 3x3 convolutions."""
    size, skips, table = n, [], []

    def add(layer: str, new: int) -> int:
        if new < 1:
            raise UserError(f"An input of {n} px is too small for a U-Net with {L} levels.")
        table.append({"layer": layer, "size": new})
        return new

    for level in range(1, L + 1):
        size = add(f"level {level}: two 3x3 convolutions", size - 4)
        if level < L:
            skips.append(size)
            if size % 2:
                raise UserError(
                    f"The map of level {level} has {size} px, which 2x2 pooling does not divide. Use a size such as "
                    f"{valid_size(n, L)}."
                )
            size = add("2x2 max pooling", size // 2)
    bottom, crops = size, []
    for level in range(L - 1, 0, -1):
        size = add("2x2 up-convolution", 2 * size)
        crops.append(size)
        size = add(f"level {level}: crop the skip from {skips[level - 1]} to {size}, two 3x3 convolutions", size - 4)
    return {"bottom": bottom, "skip": skips, "crop": crops, "o": size, "table": table}


def valid_size(n: int, L: int) -> int:
    """Return the smallest input size from n on that a U-Net without padding can read: all poolings divide their map."""
    unit = 1 << (L - 1)
    lost = 4 * (unit - 1)  # by the convolutions of the encoder, in pixels of the input
    return lost + max(8, -(-(n - lost) // unit)) * unit  # with less than 8 px at the bottom, no output is left


UNET_SHAPES = Formula(
    "unet-shapes",
    "",
    title="Sizes of the maps of U-Net, without padding",
    source=f"{UNET}: 572 to 388",
    conventions="""
Each level has two 3x3 convolutions without padding. On the way down, 2x2 max pooling with stride 2 halves the map; on
the way up, a 2x2 up-convolution doubles it, and the skip connection is cropped to its size and concatenated.
""",
    procedure=_trace_unet,
    procedure_outputs="bottom skip crop o table",
    n=Int(1, 100000, "size of the input", unit="px"),
    L=Int(2, 8, "number of levels, with the bottom", default=5),
    bottom=Int(1, meaning="size of the map at the bottom, after its convolutions", unit="px"),
    skip=Vector(1, meaning="sizes of the skip connections, from the top", unit="px"),
    crop=Vector(1, meaning="sizes that they are cropped to, from the bottom", unit="px"),
    o=Int(1, meaning="size of the output", unit="px"),
    table=Table(meaning="size after each layer"),
)


UNET_TILES = Formula(
    "unet-tiles",
    """
    k = 2^(L - 1)
    b = ceil((m + 8*k - 4)/k)
    n = b*k + 4*(k - 1)
    o = n - 12*k + 8
    a = (n - o)/2
    t = ceil(W/o)*ceil(H/o)
    """,
    title="Tiles of a U-Net without padding",
    source=f"{UNET}: overlap-tile strategy, with input sizes that all poolings divide; derivation: sizes s "
    "before and after a level's convolutions and pooling fulfill s = 2 s_next + 4, so n = b k + 4(k - 1) for b px at "
    "the bottom, and the output is 12k - 8 px smaller",
    conventions="Each level has two 3x3 convolutions without padding, between 2x2 poolings and 2x2 up-convolutions.",
    m=Int(1, 100000, "least size of an output tile", unit="px"),
    L=Int(2, 8, "number of levels, with the bottom", default=5),
    W=Int(1, 100000, "width of the image", unit="px"),
    H=Int(1, 100000, "height of the image", unit="px"),
    k=Int(1, meaning="stride of the bottom", unit="px"),
    b=Int(1, meaning="size at the bottom, before its convolutions", unit="px"),
    n=Int(1, meaning="size of an input tile", unit="px"),
    o=Int(1, meaning="size of an output tile", unit="px"),
    a=Int(1, meaning="context that an input tile has on each side", unit="px"),
    t=Int(1, meaning="number of tiles that cover the image"),
)


SKIP_MERGE = Formula(
    "skip-merge",
    """
    P_cat = 9*(C + C_s)*C + C
    P_add = 9*C*C + C
    M_cat = (C + C_s)*n^2*4/1024
    """,
    title="Skip connection: concatenation or sum",
    source="derivation: a 3x3 convolution has 9 weights per pair of channels, and one bias per output channel; a "
    "concatenation has the channels of both maps, and a sum those of one",
    conventions="The convolution after the skip connection outputs C channels; values are float32.",
    C=Int(1, 100000, "channels of the upsampled map"),
    C_s=Int(1, 100000, "channels of the skip connection"),
    n=Int(1, 100000, "size of both maps", unit="px"),
    P_cat=Int(1, meaning="parameters of the convolution after a concatenation"),
    P_add=Int(1, meaning="parameters of the convolution after a sum"),
    M_cat=Real(meaning="memory of the concatenated map", unit="KiB"),
)


FCN_UPSAMPLE = Formula(
    "fcn-upsample",
    """
    a = n/32
    h = n/k
    m = log2(32/k)
    P = (4097 + 513*[k <= 16] + 257*[k <= 8])*K
    """,
    title="Score maps of FCN-32s, FCN-16s and FCN-8s",
    source=FCN,
    conventions="""
VGG16 with padding that keeps the size, so that pool3, pool4 and pool5 have n/8, n/16 and n/32 px. Scores are 1x1
convolutions with biases from 4096 channels, 512 channels (pool4) and 256 channels (pool3); P counts these layers.
""",
    integer_constraints="n/32, 32/k",
    n=Int(32, 100000, "size of the image", unit="px"),
    k=Int(8, 32, "factor of the final upsampling: 32, 16 or 8"),
    K=CLASSES,
    a=Int(1, meaning="size of pool5", unit="px"),
    h=Int(1, meaning="size of the last score map before the final upsampling", unit="px"),
    m=Int(0, meaning="number of 2x upsamplings before the final one"),
    P=Int(1, meaning="parameters of the score layers"),
)


def _fuse(X: list[list[Value]], Y: list[list[Value]]) -> dict[str, Any]:
    if (len(Y), len(Y[0])) != (2 * len(X), 2 * len(X[0])):
        raise UserError(f"Y must be twice as high and wide as X: {2 * len(X)}x{2 * len(X[0])}.")
    coarse = [[X[i // 2][j // 2] for j in range(len(Y[0]))] for i in range(len(Y))]
    O = [[a + b for a, b in zip(row, line, strict=True)] for row, line in zip(coarse, Y, strict=True)]
    changed = sum(
        (a > 0) != (b > 0) for row, line in zip(coarse, O, strict=True) for a, b in zip(row, line, strict=True)
    )
    return {"O": O, "c": changed}


FCN_FUSE = Formula(
    "fcn-fuse",
    "",
    title="Fusion of a coarse and a fine score map",
    source=f"{FCN}: the upsampled scores and those of the skip connection are added",
    conventions="Scores are upsampled by repeating each value 2x2 times. A pixel is foreground if its score is above "
    "0.",
    procedure=_fuse,
    procedure_outputs="O c",
    X=Matrix(meaning="coarse scores"),
    Y=Matrix(meaning="scores of the skip connection"),
    O=Matrix(meaning="fused scores"),
    c=Int(0, meaning="pixels whose label differs from that of the upsampled coarse scores"),
)


FULLY_CONVOLUTIONAL = Formula(
    "fully-convolutional",
    """
    P = (f^2*C + 1)*F
    o = n/S - f + 1
    w = o^2
    """,
    title="Dense layer as a convolution",
    source=f"{FCN}: a dense layer is a convolution whose kernel covers its whole input; derivation: "
    "without padding, it has n/S - f + 1 positions per side",
    integer_constraints="n/S",
    n=Int(1, 100000, "size of the image", unit="px"),
    S=Int(1, 1024, "stride of the last map"),
    C=Int(1, 100000, "channels of the last map"),
    f=Int(1, 100, "size of the map that the dense layer was trained on", unit="px"),
    F=Int(1, 100000, "outputs of the dense layer"),
    P=Int(1, meaning="parameters of the layer"),
    o=Int(1, meaning="size of its output map", unit="px"),
    w=Int(1, meaning="image crops that one pass classifies"),
)


SEGNET_INDICES = Formula(
    "segnet-indices",
    """
    M_f = H*W*C*4/1024
    M_i = H*W/4*C*2/8/1024
    M_t = H*W/4*C*8/1024
    r = M_f/M_i
    """,
    title="Memory of pooling indices against a skip connection",
    source=f"{SEGNET}: 2 bits per 2x2 window; PyTorch documentation, torch.nn.MaxPool2d: indices are int64",
    integer_constraints="H/2, W/2",
    H=Int(2, 100000, "height of the map before pooling", unit="px"),
    W=Int(2, 100000, "width of the map before pooling", unit="px"),
    C=Int(1, 100000, "channels"),
    M_f=Real(meaning="memory of the map itself in float32", unit="KiB"),
    M_i=Real(meaning="memory of the indices with 2 bits each", unit="KiB"),
    M_t=Real(meaning="memory of the indices in int64", unit="KiB"),
    r=Real(meaning="memory of the map over that of the 2-bit indices"),
)


ATTENTION_GATE = Formula(
    "attention-gate",
    """
    h[i] = relu(sum(j, A[i, j]*x[j]) + sum(j, B[i, j]*g[j]))
    z = sum(i, psi[i]*h[i]) + b
    alpha = sigmoid(z)
    y[j] = alpha*x[j]
    """,
    title="Attention gate at one pixel",
    source=f"{ATTENTION_UNET}: additive attention",
    conventions="1x1 convolutions without biases but for the last one; at one pixel they are matrices.",
    x=Vector(meaning="features of the skip connection"),
    g=Vector(meaning="gating features from the decoder"),
    A=Matrix(meaning="weights of the skip features"),
    B=Matrix(meaning="weights of the gating features"),
    psi=Vector(meaning="weights of the attention coefficient"),
    b=Real(meaning="bias of the attention coefficient"),
    h=Vector(meaning="hidden values"),
    z=Real(meaning="logit of the attention coefficient"),
    alpha=Real(0, 1, "attention coefficient"),
    y=Vector(meaning="gated features of the skip connection"),
)


UP_BLOCK_CODE = Formula(
    "up-block-code",
    """
    e = where(k = 3, 2C, D)
    r = where(k = 3, C + C_s, X)
    P = k^2*r*C + C
    """,
    title="Decoder block that expects other channels",
    source="PyTorch documentation, torch.nn.Conv2d, torch.nn.ConvTranspose2d and torch.cat: a concatenation has the "
    "channels of both maps",
    conventions="The block has a 2x2 up-convolution from D to C channels, and a 3x3 convolution from 2C to C channels "
    "after the concatenation; k is the kernel size of the layer that does not fit.",
    C=Int(1, 100000, "channels after the up-convolution"),
    C_s=Int(1, 100000, "channels of the skip connection"),
    D=Int(1, 100000, "channels that the up-convolution reads"),
    X=Int(1, 100000, "channels of the map to upsample"),
    k=Int(2, 3, "kernel size of the incorrect layer"),
    line=LineNumber(meaning="number of the incorrect line"),
    e=Int(1, meaning="channels that its layer expects"),
    r=Int(1, meaning="channels that it receives"),
    P=Int(1, meaning="parameters of the corrected layer"),
)


def _bottleneck(n: int, w: int, **_: Value) -> dict[str, list[int]]:
    return {"bottom": [4 * w, n // 4, n // 4]}


UNET_MINI = Formula(
    "unet-mini",
    """
    C = 2w + 2w
    P_enc = 9*c*w + w + 18*w^2 + 2w + 72*w^2 + 4w
    P_dec = 32*w^2 + 2w + 72*w^2 + 2w + 8*w^2 + w + 18*w^2 + w
    P = P_enc + P_dec + (w + 1)*K
    M = (w*n^2 + 2w*(n/2)^2)*4/1024
    loss = ln(K)
    """,
    title="Small U-Net: shapes, parameters, memory",
    source=f"{UNET}; derivation: 3x3 convolutions have 9 weights per pair of channels, 2x2 up-convolutions 4; uniform "
    "logits have the cross-entropy ln(K)",
    conventions="""
One 3x3 convolution per level, padded, to w, 2w and 4w channels, with 2x2 pooling between; 2x2 up-convolutions halve the
channels; skips are concatenated, and a 3x3 convolution halves the channels again; a 1x1 head. All layers have biases.
""",
    integer_constraints="n/4",
    procedure=_bottleneck,
    procedure_outputs="bottom",
    n=Int(4, 4096, "size of the image", unit="px"),
    c=IN_CHANNELS,
    w=Int(1, 1024, "channels of the first level"),
    K=CLASSES,
    bottom=Shape(meaning="shape of the map at the bottom, as CxHxW"),
    C=Int(1, meaning="channels after the first concatenation"),
    P_enc=Int(1, meaning="parameters of the encoder"),
    P_dec=Int(1, meaning="parameters of the decoder"),
    P=Int(1, meaning="number of all parameters"),
    M=Real(meaning="memory of both skip connections in float32", unit="KiB"),
    loss=Real(meaning="mean cross-entropy at uniform logits"),
)
