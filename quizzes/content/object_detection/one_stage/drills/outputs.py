"""YOLO v1, v2, v3 and SSD: drills about output tensors and the numbers of boxes."""

from random import Random

from quizzes.content.object_detection.one_stage.formulas import (
    ANCHOR_COUNT,
    ANCHOR_PYRAMID,
    SSD_LAYER,
    SSD_OUTPUT,
    YOLO3_OUTPUT,
    YOLO_CHANNELS,
    YOLO_OUTPUT,
)
from quizzes.drill import Inputs, Mistake, drill, one_of


@drill(
    YOLO_OUTPUT,
    tier=1,
    asks=("shape", "n", "boxes"),
    prompt="YOLO v1 divides an image into {S}x{S} cells and predicts {B} boxes per cell, for {K} classes. Each box has "
    "a position, a size and a confidence; the class probabilities belong to the cell.\n"
    "Which shape does the output have, as HxWxC (shape)? How many values are that (n), and how many boxes (boxes)?",
    hint="Which values belong to each box, and which to the cell?",
    mistakes=[
        Mistake(
            "classes-per-box",
            {"shape": lambda S, B, K: [S, S, B * (5 + K)]},
            "You gave every box its own classes, as YOLO v2 does. In YOLO v1 all boxes of a cell share them.",
        ),
        Mistake(
            "no-confidence",
            {"shape": lambda S, B, K: [S, S, 4 * B + K]},
            "You left out the confidence: 5 values per box.",
        ),
        Mistake(
            "with-background",
            {"shape": lambda S, B, K: [S, S, 5 * B + K + 1]},
            "YOLO has no background class. The confidence says whether there is an object.",
        ),
        Mistake("one-box", {"shape": lambda S, B, K: [S, S, 5 + K]}, "Each of the boxes has its own 5 values."),
        Mistake("one-side", "n = S*(5*B + K)", "You counted one row of cells."),
        Mistake("cells", "boxes = S^2", "That is the number of cells. Each predicts several boxes."),
        Mistake("boxes-per-class", "boxes = S^2*B*K", "A box is not predicted for every class."),
    ],
)
def yolo_output(rng: Random) -> Inputs:
    """Output of YOLO v1"""
    return dict(
        S=rng.choice([5, 7, 7, 8, 9, 10, 11, 13, 14]), B=rng.choice([2, 2, 3, 4]), K=rng.choice([3, 5, 10, 20, 30, 80])
    )


@drill(
    YOLO3_OUTPUT,
    id="yolo-output:v3",
    tier=2,
    asks=("m", "c", "n", "boxes"),
    prompt="YOLO v3 reads images of {size}x{size} px and predicts from three maps, of the strides 32, 16 and 8, with "
    "{B} "
    "anchors per cell and {K} classes.\n"
    "For the map of stride {s}: what are its height and width (m), its channels (c) and its number of values (n)? How "
    "many boxes do all three maps predict together (boxes)?",
    hint="Which values belong to one anchor? How many cells does each map have?",
    mistakes=[
        Mistake("stride-for-size", "m = s", "That is the stride: pixels per cell. Divide the size by it."),
        Mistake(
            "shared-classes",
            "c = 5*B + K",
            "That is the output of YOLO v1. Since YOLO v2, every anchor has class scores of its own.",
        ),
        Mistake("no-objectness", "c = B*(4 + K)", "You left out the objectness of each anchor."),
        Mistake("with-background", "c = B*(6 + K)", "YOLO has no background class."),
        Mistake("one-side", "n = m*c", "You counted one row of cells."),
        Mistake("one-map", "boxes = B*(size/s)^2", "Those are the boxes of one map. Add those of all three."),
        Mistake("cells-only", "boxes = (size/32)^2 + (size/16)^2 + (size/8)^2", "Every cell has several anchors."),
    ],
)
def yolo3_output(rng: Random) -> Inputs:
    """Output of YOLO v3"""
    size = rng.choice([320, 352, 384, 416, 416, 448, 480, 512, 608])
    return dict(size=size, s=rng.choice([32, 32, 16, 8]), B=rng.choice([2, 3, 3, 4]), K=rng.choice([3, 10, 20, 80, 91]))


@drill(
    YOLO_CHANNELS,
    id="yolo-output:inverse",
    tier=1,
    asks=one_of("c", "B", "K"),
    prompt="The output layer of a YOLO with anchors has B = {B} anchors per cell and K = {K} classes. It has c = {c} "
    "channels.",
    hint="How many values belong to one anchor?",
    mistakes=[
        Mistake("shared-classes", "c = 5*B + K", "Every anchor has class scores of its own."),
        Mistake("no-objectness", "c = B*(4 + K)", "You left out the objectness of each anchor."),
        Mistake("with-background", "c = B*(6 + K)", "You added a background class, which YOLO doesn't have."),
        Mistake("corners-and-class", "c = 5*B*K", "The box is not predicted for every class."),
        Mistake("classes-only", "c = B*K", "You left out the 4 offsets and the objectness of each anchor."),
    ],
)
def yolo_channels(rng: Random) -> Inputs:
    """Output channels of YOLO"""
    return dict(B=rng.choice([2, 3, 4, 5, 6, 9]), K=rng.choice([1, 3, 4, 6, 8, 10, 15, 20, 25, 40, 80]))


SSD_MAPS = [
    ([38, 19, 10, 5, 3, 1], [4, 6, 6, 6, 4, 4]),
    ([64, 32, 16, 8, 4, 2, 1], [4, 6, 6, 6, 6, 4, 4]),
]


def _maps(rng: Random) -> tuple[list[int], list[int]]:
    """Return the sizes of some feature maps, each about half of the one before, and the boxes per position."""
    if rng.random() < 0.25:
        return rng.choice(SSD_MAPS)
    f = [rng.choice([8, 10, 12, 16, 19, 20, 24, 32, 38, 40])]
    for _ in range(rng.choice([1, 2, 3])):
        f.append((f[-1] + 1) // 2)
    return f, [rng.choice([2, 3, 4, 6]) for _ in f]


@drill(
    SSD_OUTPUT,
    tier=1,
    asks=("n", "v"),
    prompt="An SSD predicts {K} classes from square feature maps of the sizes f = {f}, with k = {k} default boxes per "
    "position. How many default boxes are there (n), and how many values are predicted for them in total (v)?\n"
    "Conventions: the {K} classes don't contain the background.",
    hint="Which values are predicted for one default box?",
    mistakes=[
        Mistake("sides", "n = sum(j, f[j]*k[j])", "You counted one row of each map. It has f^2 positions."),
        Mistake("positions", "n = sum(j, f[j]^2)", "Those are the positions. Each has several default boxes."),
        Mistake("first-map", "n = f[1]^2*k[1]", "Those are the boxes of the first map. Add those of the others."),
        Mistake("no-background", "v = n*(K + 4)", "You left out the background, which is a class of its own in SSD."),
        Mistake(
            "with-objectness",
            "v = n*(K + 6)",
            "SSD has no objectness: a background class says that there is no object.",
        ),
        Mistake("no-offsets", "v = n*(K + 1)", "You left out the 4 offsets of each box."),
        Mistake("offsets-per-class", "v = n*(K + 1)*4", "The offsets are shared by all classes: add them."),
    ],
)
def ssd_output(rng: Random) -> Inputs:
    """Default boxes of SSD"""
    f, k = _maps(rng)
    return dict(f=f, k=k, K=rng.choice([3, 5, 10, 20, 80]))


@drill(
    SSD_LAYER,
    id="ssd-output:layer",
    tier=2,
    asks=("c", "n", "P"),
    prompt="An SSD predicts from a feature map of {f}x{f} positions with {C} channels, by 3x3 convolutions with "
    "biases. "
    "There are {k} default boxes per position and {K} classes, without the background.\n"
    "How many output channels do the convolutions for classes and offsets have together (c)? How many default boxes "
    "does the map have (n)? How many parameters do the convolutions have (P)?",
    hint="What is predicted for each box of a position? How many weights does one filter have?",
    mistakes=[
        Mistake("no-background", "c = k*(K + 4)", "You left out the background, which is a class in SSD."),
        Mistake("one-box", "c = K + 5", "Every default box of a position has outputs of its own."),
        Mistake("shared-classes", "c = 4*k + K + 1", "Every default box has class scores of its own."),
        Mistake("one-row", "n = f*k", "You counted one row of positions."),
        Mistake("one-by-one", "P = (C + 1)*c", "The filters are 3x3: 9 weights per input channel."),
        Mistake("no-biases", "P = 9*C*c", "You left out the biases."),
        Mistake("per-position", "P = (9*C + 1)*c*f^2", "A convolution uses the same filters at all positions."),
    ],
)
def ssd_layer(rng: Random) -> Inputs:
    """One feature map of SSD"""
    return dict(
        f=rng.choice([5, 8, 10, 16, 19, 32, 38]), C=rng.choice([128, 256, 512, 1024]), k=rng.choice([3, 4, 6]),
        K=rng.choice([3, 10, 20, 80]),
    )  # fmt: skip


@drill(
    ANCHOR_COUNT,
    tier=1,
    asks="n",
    prompt="A detector predicts from feature maps of the heights H = {H} and the widths W = {W}, with A = {A} anchors "
    "per position. How many anchors does it have?",
    hint="How many positions does each map have?",
    mistakes=[
        Mistake("first-map", "n = H[1]*W[1]*A[1]", "Those are the anchors of the first map. Add those of the others."),
        Mistake(
            "same-anchors",
            "n = A[1]*sum(j, H[j]*W[j])",
            "You used the anchors of the first map for all maps. Each has its own number.",
        ),
        Mistake("positions", "n = sum(j, H[j]*W[j])", "Those are the positions. Each has several anchors."),
        Mistake("sides-added", "n = sum(j, (H[j] + W[j])*A[j])", "Multiply the sides of a map."),
        Mistake("squared", "n = sum(j, H[j]^2*A[j])", "The maps are not square: use height times width."),
    ],
)
def anchor_count(rng: Random) -> Inputs:
    """Anchors of several maps"""
    H, W = rng.randint(10, 40), rng.randint(12, 50)
    maps = [(H, W)]
    for _ in range(rng.choice([1, 2, 3])):
        maps.append(((maps[-1][0] + 1) // 2, (maps[-1][1] + 1) // 2))
    return dict(H=[h for h, _ in maps], W=[w for _, w in maps], A=[rng.choice([1, 3, 4, 6, 9]) for _ in maps])


@drill(
    ANCHOR_PYRAMID,
    id="anchor-count:pyramid",
    tier=2,
    asks=("k", "n", "share"),
    prompt="A one-stage detector has a feature pyramid of the levels {low} to {high}; level j has stride 2^j. It has "
    "{scales} scales and {ratios} aspect ratios at each position of each level. An image is {W} px wide and {H} px "
    "high.\n"
    "How many anchors does a position have (k)? How many anchors are there in total (n), and which share of them is on "
    "the lowest level (share)?\n"
    "Conventions: the sizes of the maps are rounded up.",
    hint="How large is the map of each level?",
    mistakes=[
        Mistake("added", "k = scales + ratios", "Every scale is combined with every ratio: multiply."),
        Mistake(
            "one-level",
            "n = ceil(W/2^low)*ceil(H/2^low)*k",
            "Those are the anchors of the lowest level. Add those of the others.",
        ),
        Mistake(
            "rounded-down",
            "n = sum(j = low..high, floor(W/2^j)*floor(H/2^j))*k",
            "You rounded down. The maps are rounded up here.",
        ),
        Mistake("same-size", "n = (high - low + 1)*ceil(W/2^low)*ceil(H/2^low)*k", "Higher levels are smaller."),
        Mistake("positions", "n = sum(j = low..high, ceil(W/2^j)*ceil(H/2^j))", "Each position has k anchors."),
        Mistake("equal-levels", "share = 1/(high - low + 1)", "The levels have different sizes."),
    ],
)
def anchor_pyramid(rng: Random) -> Inputs:
    """Anchors of a feature pyramid"""
    W, H = rng.choice([(640, 480), (800, 600), (1333, 800), (1000, 600), (500, 375), (700, 500)])
    low, high = rng.choice([(3, 7), (3, 7), (2, 5), (2, 6), (3, 6), (4, 7)])
    return dict(W=W, H=H, low=low, high=high, scales=rng.choice([1, 2, 3]), ratios=rng.choice([3, 4, 5]))
