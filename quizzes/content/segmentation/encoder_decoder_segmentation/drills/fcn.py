"""FCN and SegNet: drills."""

from random import Random

from quizzes.content.segmentation.encoder_decoder_segmentation.formulas import (
    FCN_FUSE,
    FCN_UPSAMPLE,
    FULLY_CONVOLUTIONAL,
    SEGNET_INDICES,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

Rows = list[list[Value]]

SKIPS = {32: "no skip connection", 16: "a skip connection from pool4", 8: "skip connections from pool4 and pool3"}


@drill(
    FCN_UPSAMPLE,
    tier=2,
    asks=("a", "h", "m", "P"),
    prompt="FCN-{k}s, with {text} and a final upsampling by {k}, segments images of {n}x{n} px into {K} classes. "
    "Its backbone is VGG16, whose "
    "poolings halve the size and whose padding keeps it otherwise. 1x1 convolutions with biases compute scores from "
    "the 4096 channels of the last layer, and from each skip connection (pool4 has 512 channels, pool3 has 256).\n"
    "What is the size of pool5 (a), and that of the last score map before the final upsampling (h)? How many 2x "
    "upsamplings are there before the final one (m)? How many parameters do all 1x1 score layers have (P)?",
    hint="What is the stride of pool5? By which factor is the last score map upsampled?",
    mistakes=[
        Mistake("pool4", "a = n/16", "That is pool4. Five poolings halve the size five times."),
        Mistake("size-of-pool5", "h = a", "The scores are upsampled by 2 for each skip connection."),
        Mistake("image-size", "h = n", "That is the size after the final upsampling."),
        Mistake("final-counted", "m = log2(32/k) + 1", "The final upsampling does not count."),
        Mistake("no-biases", "P = (4096 + 512*[k <= 16] + 256*[k <= 8])*K", "You left out the biases."),
        Mistake("last-layer-only", "P = 4097*K", "Each skip connection has a score layer of its own."),
        Mistake("background-added", "P = (4097 + 513*[k <= 16] + 257*[k <= 8])*(K + 1)", "K counts all classes."),
    ],
)
def fcn_upsample(rng: Random) -> Inputs:
    """Score maps of FCN"""
    k = rng.choice([8, 8, 16, 32])
    return dict(n=32 * rng.randint(5, 24), k=k, K=rng.choice([2, 5, 11, 19, 21, 34]), text=SKIPS[k])


def _repeat(X: Rows) -> Rows:
    return [[X[i // 2][j // 2] for j in range(2 * len(X[0]))] for i in range(2 * len(X))]


def _fuse_steps(X: Rows, O: Rows, c: int, **_: Value) -> list[Step]:
    return [
        Step("Repeat each coarse score 2x2 times.", [f"up = {[[int(v) for v in row] for row in _repeat(X)]}"]),
        Step("Add the scores of the skip connection.", [f"O = {[[int(v) for v in row] for row in O]}"]),
        Step("Count the pixels whose score is on the other side of 0 now.", [f"c = {c}"]),
    ]


@drill(
    FCN_FUSE,
    id="fcn-upsample:fuse",
    tier=1,
    asks=("O", "c"),
    decimals=None,
    visualization="matrices X Y",
    steps=_fuse_steps,
    prompt="An FCN fuses the coarse foreground scores X = {X} with the scores Y = {Y} of a skip connection. It "
    "upsamples X by repeating each value 2x2 times.\n"
    "What are the fused scores O? At how many pixels does the label differ from that of the upsampled coarse scores "
    "(c)?\n"
    "Conventions: a pixel is foreground if its score is above 0.",
    hints=(
        "Are the scores of the skip connection added, or concatenated?",
        "O is the upsampled X plus Y, element by element. A label changes where the sign does.",
    ),
    mistakes=[
        Mistake("skip-only", {"O": lambda X, Y: Y}, "You left out the coarse scores. The two are added."),
        Mistake("coarse-only", {"O": lambda X, Y: _repeat(X)}, "You left out the skip connection."),
        Mistake(
            "bed-of-nails",
            {
                "O": lambda X, Y: [
                    [b + (X[i // 2][j // 2] if i % 2 == j % 2 == 0 else 0) for j, b in enumerate(row)]
                    for i, row in enumerate(Y)
                ]
            },
            "You added each coarse score to one pixel. It is repeated 2x2 times.",
        ),
        Mistake(
            "differs-from-skip",
            {
                "c": lambda X, Y: sum(
                    (b > 0) != (a + b > 0)
                    for row, line in zip(_repeat(X), Y, strict=True)
                    for a, b in zip(row, line, strict=True)
                )
            },
            "You compared with the labels of the skip connection. Compare with the upsampled coarse scores.",
        ),
        Mistake(
            "skip-against-coarse",
            {
                "c": lambda X, Y: sum(
                    (b > 0) != (a > 0)
                    for row, line in zip(_repeat(X), Y, strict=True)
                    for a, b in zip(row, line, strict=True)
                )
            },
            "Different signs are not enough. The sum must change its sign.",
        ),
    ],
)
def fcn_fuse(rng: Random) -> Inputs:
    """Fusion of two score maps"""
    rows, columns = rng.choice([(1, 2), (2, 1), (2, 2)])
    X = [[rng.choice([-4, -3, -2, -1, 1, 2, 3, 4]) for _ in range(columns)] for _ in range(rows)]
    Y = [[rng.choice([-5, -4, -3, -2, -1, 1, 2, 3, 4, 5]) for _ in range(2 * columns)] for _ in range(2 * rows)]
    if any(a + b == 0 for row, line in zip(_repeat(X), Y, strict=True) for a, b in zip(row, line, strict=True)):
        raise UndefinedValue("a score must not be 0")
    return dict(X=X, Y=Y)


@drill(
    FULLY_CONVOLUTIONAL,
    id="fcn-upsample:convolutionalized",
    tier=2,
    asks=("P", "o", "w"),
    prompt="A classifier's last feature map has {C} channels and {f}x{f} px, and a dense layer with {F} outputs and "
    "biases reads all of them. The network becomes fully convolutional: the dense layer is a {f}x{f} convolution "
    "without padding. The stride of the feature map is {S}.\n"
    "How many parameters does the convolution have (P)? What is the size o of its output map for an image of {n}x{n} "
    "px, and how many crops of the image does one pass classify (w)?",
    hint="Does the layer have other weights than before? At how many positions does its kernel fit into the map?",
    mistakes=[
        Mistake("one-by-one", "P = (C + 1)*F", "The dense layer reads the whole map, so the kernel has its size."),
        Mistake("no-biases", "P = f^2*C*F", "You left out the biases."),
        Mistake(
            "weights-per-position", "P = (f^2*C + 1)*F*(n/S - f + 1)^2", "The weights are shared by all positions."
        ),
        Mistake("whole-map", "o = n/S", "Without padding, the kernel does not fit at the border."),
        Mistake("off-by-one", "o = n/S - f", "Add 1 for the first position."),
        Mistake("one-dimension", "w = o", "The output has o positions in each direction."),
    ],
)
def fully_convolutional(rng: Random) -> Inputs:
    """Dense layer as a convolution"""
    f, S = rng.choice([3, 4, 5, 6, 7]), rng.choice([16, 32])
    return dict(
        n=S * rng.randint(f + 2, f + 15), S=S, C=rng.choice([128, 256, 512]), f=f, F=rng.choice([256, 1000, 4096])
    )


@drill(
    SEGNET_INDICES,
    tier=1,
    asks=("M_i", "M_t", "M_f"),
    prompt="Before a 2x2 max pooling with stride 2, a map has {H}x{W} px and {C} channels. For its decoder, SegNet "
    "remembers the index of each maximum within its window, and U-Net the whole map.\n"
    "How much memory do the indices need with 2 bits each (M_i), and with the int64 indices of PyTorch (M_t)? How much "
    "does the whole map need in float32 (M_f)? Answer in KiB.",
    hint="How many windows are there? How many bits does a number from 0 to 3 need?",
    mistakes=[
        Mistake("per-pixel", "M_i = H*W*C*2/8/1024; M_t = H*W*C*8/1024", "There is one index per window of 4 pixels."),
        Mistake("bits-for-bytes", "M_i = H*W/4*C*2/1024; M_t = H*W/4*C*64/1024", "A byte has 8 bits."),
        Mistake("one-channel", "M_i = H*W/4*2/8/1024", "Each channel has its own maxima."),
        Mistake("half-map", "M_i = H*W/2*C*2/8/1024", "A window has 4 pixels, not 2."),
        Mistake("pooled-map", "M_f = H*W/4*C*4/1024", "U-Net keeps the map before the pooling."),
        Mistake("double", "M_f = H*W*C*8/1024", "A float32 value has 4 bytes."),
    ],
)
def segnet_indices(rng: Random) -> Inputs:
    """Memory of pooling indices"""
    H, W = (2 * rng.randint(20, 250) for _ in range(2))
    return dict(H=H, W=W, C=rng.choice([16, 32, 64, 128, 256, 512]))
