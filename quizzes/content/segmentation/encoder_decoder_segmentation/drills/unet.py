"""U-Net: drills about shapes, parameters and attention gates."""

from random import Random
from typing import Any

from quizzes.content.segmentation.encoder_decoder_segmentation.formulas import (
    ATTENTION_GATE,
    SKIP_MERGE,
    UNET_MINI,
    UNET_SHAPES,
    UNET_TILES,
    UP_BLOCK_CODE,
    valid_size,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


def _shape_steps(table: list[dict[str, Any]], **_: Value) -> list[Step]:
    return [Step(f"{row['layer'][0].upper()}{row['layer'][1:]}: {row['size']}.") for row in table]


def _padded(n: int, L: int) -> int:
    return n


def _one_convolution(n: int, L: int) -> int:
    """Return the output size if each level had one convolution."""
    size = n - 2
    for _ in range(L - 1):
        size = size // 2 - 2
    for _ in range(L - 1):
        size = 2 * size - 2
    return size


@drill(
    UNET_SHAPES,
    tier=2,
    asks=("bottom", "skip", "crop", "o"),
    decimals=None,
    steps=_shape_steps,
    prompt="A U-Net with {L} levels reads {n}x{n} px. Each level, the bottom included, has two 3x3 convolutions "
    "without padding. On the way down, 2x2 max pooling with stride 2 comes between the levels; on the way up, a 2x2 "
    "up-convolution doubles the size, and the skip connection is cropped to it and concatenated before the two "
    "convolutions.\n"
    "What is the size of the map after the convolutions at the bottom (bottom)? What are the sizes of the skip "
    "connections, from the top down (skip), and the sizes that they are cropped to, from the bottom up (crop)? What is "
    "the size of the output (o)?",
    hints=(
        "By how much does each 3x3 convolution without padding shrink a map?",
        "Two convolutions subtract 4, pooling halves, and an up-convolution doubles. A skip connection is the map "
        "before the pooling.",
    ),
    mistakes=[
        Mistake("same-padding", {"o": _padded}, "You assumed padding. Without it, each 3x3 convolution loses 2 px."),
        Mistake(
            "one-convolution",
            {"o": _one_convolution},
            "You counted one convolution per level. There are two of them.",
        ),
        Mistake(
            "before-convolutions",
            {"bottom": lambda n, L: UNET_SHAPES.evaluate(dict(n=n, L=L))["bottom"] + 4},
            "That is the size before the two convolutions at the bottom.",
        ),
        Mistake(
            "pooled-skips",
            {"skip": lambda n, L: [v / 2 for v in UNET_SHAPES.evaluate(dict(n=n, L=L))["skip"]]},
            "Those are the maps after pooling. The skip connections begin before it.",
        ),
        Mistake(
            "not-cropped",
            {"crop": lambda n, L: UNET_SHAPES.evaluate(dict(n=n, L=L))["skip"][::-1]},
            "Those are the sizes before cropping. The upsampled maps are smaller.",
        ),
        Mistake(
            "after-convolutions",
            {"crop": lambda n, L: [v - 4 for v in UNET_SHAPES.evaluate(dict(n=n, L=L))["crop"]]},
            "That is after the two convolutions. The skip is concatenated before them.",
        ),
    ],
)
def unet_shapes(rng: Random) -> Inputs:
    """Sizes of the maps of U-Net"""
    L = rng.choice([3, 4, 5])
    return dict(n=valid_size(rng.choice([70, 100, 150, 200, 250, 300, 400, 500]) + 16 * rng.randrange(8), L), L=L)


@drill(
    UNET_TILES,
    id="unet-shapes:tiles",
    tier=3,
    asks=("n", "o", "a", "t"),
    prompt="A U-Net with {L} levels has two 3x3 convolutions without padding per level, 2x2 max pooling between the "
    "levels on the way down, and 2x2 up-convolutions on the way up. It segments an image of {W}x{H} px tile by tile. "
    "An output tile should have at least {m}x{m} px, and all poolings must divide the size of their map.\n"
    "What is the smallest size n of an input tile that fits, and the size o of its output? How many px of context does "
    "an input tile have on each side (a)? How many tiles cover the image (t)?",
    hint="How large must the map at the bottom be? Go from the output down to the bottom, and up to the input again.",
    mistakes=[
        Mistake("size-not-rounded", "n = m + 12*k - 8", "Then a pooling would not divide the size of its map."),
        Mistake("padded", "n = k*ceil(m/k)", "You assumed padding. Without it, the output is smaller than the input."),
        Mistake(
            "encoder-only",
            "o = n - 4*(k - 1)",
            "The decoder's convolutions also shrink the map.",
        ),
        Mistake("both-sides", "a = n - o", "That is the context of both sides together."),
        Mistake("input-tiles", "t = ceil(W/n)*ceil(H/n)", "Input tiles overlap. Output tiles must cover the image."),
        Mistake("rounded-down", "t = floor(W/o)*floor(H/o)", "The rest of the image needs tiles, too: round up."),
    ],
)
def unet_tiles(rng: Random) -> Inputs:
    """Tiles of a U-Net"""
    L = rng.choice([3, 4, 5])
    W, H = (rng.randrange(500, 2000, 10) for _ in range(2))
    return dict(m=rng.randint(60, 400), L=L, W=W, H=H)


@drill(
    SKIP_MERGE,
    id="unet-shapes:concat-or-add",
    tier=1,
    asks=("P_cat", "P_add", "M_cat"),
    prompt="In a decoder, an upsampled map of {n}x{n} px has {C} channels, and so has the skip connection of the same "
    "size. A 3x3 convolution with biases then outputs {C_out} channels.\n"
    "How many parameters does it have if the two maps are concatenated, as in U-Net (P_cat), and if they are added "
    "(P_add)? How much memory does the concatenated map need in float32, in KiB (M_cat)?",
    hint="How many channels does the convolution read in each of the two cases?",
    mistakes=[
        Mistake("added", "P_cat = 9*C*C + C", "Concatenation keeps the channels of both maps."),
        Mistake("no-biases", "P_cat = 9*(C + C_s)*C; P_add = 9*C*C", "You left out the biases."),
        Mistake("one-by-one", "P_cat = (C + C_s)*C + C; P_add = C*C + C", "It is a 3x3 convolution: 9 weights."),
        Mistake("both-channels", "P_add = 9*(C + C_s)*C + C", "A sum has the channels of one map."),
        Mistake("one-map", "M_cat = C*n^2*4/1024", "That is the memory of one of the two maps."),
        Mistake("values", "M_cat = (C + C_s)*n^2/1024", "A float32 value has 4 bytes."),
    ],
)
def skip_merge(rng: Random) -> Inputs:
    """Concatenation or sum"""
    C = rng.choice([16, 24, 32, 48, 64, 96, 128, 256, 512])
    return dict(C=C, C_s=C, n=rng.choice([14, 16, 28, 32, 56, 64, 104, 112, 128, 200]), C_out=C)


@drill(
    ATTENTION_GATE,
    tier=2,
    asks=("h", "z", "alpha", "y"),
    prompt="At one pixel, an attention gate of Attention U-Net receives the skip features x = {x} and the gating "
    "features g = {g}. It computes h = relu(A x + B g) with A = {A} and B = {B}, then z = psi h + b with psi = {psi} "
    "and b = {b}, and the attention coefficient alpha = sigmoid(z).\n"
    "What are h, z, alpha, and the gated skip features y?",
    hint="Which features does the coefficient multiply: those of the skip connection, or those of the decoder?",
    mistakes=[
        Mistake("no-relu", "h[i] = sum(j, A[i, j]*x[j]) + sum(j, B[i, j]*g[j])", "You left out the ReLU."),
        Mistake("gate-left-out", "h[i] = relu(sum(j, A[i, j]*x[j]))", "The gating features are added, too."),
        Mistake("bias-left-out", "z = sum(i, psi[i]*h[i])", "You left out the bias b."),
        Mistake("tanh", "alpha = tanh(z)", "The coefficient is a sigmoid, between 0 and 1."),
        Mistake("gates-the-decoder", "y[j] = alpha*g[j]", "The gate multiplies the features of the skip connection."),
        Mistake("residual", "y[j] = (1 + alpha)*x[j]", "The gate multiplies by alpha. Nothing is added."),
        Mistake("inverted", "y[j] = (1 - alpha)*x[j]", "A coefficient of 1 keeps the features, and 0 removes them."),
    ],
)
def attention_gate(rng: Random) -> Inputs:
    """Attention gate at one pixel"""

    def weights(rows: int) -> list[list[int]]:
        return [[rng.choice([-2, -1, 0, 1, 2]) for _ in range(2)] for _ in range(rows)]

    x, g = ([rng.choice([-1, 0.5, 1, 1.5, 2]) for _ in range(2)] for _ in range(2))
    values = dict(x=x, g=g, A=weights(2), B=weights(2), psi=[rng.choice([-1, -0.5, 0.5, 1]) for _ in range(2)])
    values["b"] = rng.choice([-1, -0.5, 0.5, 1])
    result = ATTENTION_GATE.evaluate(ATTENTION_GATE.complete(values))
    if not any(result["h"]) or abs(result["z"]) > 4 or x == g:
        raise UndefinedValue("a hidden value must be positive, and the gate must not be saturated")
    return values


UP_LINE, CONV_LINE, CAT_LINE = 4, 5, 8  # of the program of debug-up-block


def _up_steps(line: int, C: int, C_s: int, D: int, X: int, k: int, e: int, r: int, P: int) -> list[Step]:
    if line == CONV_LINE:
        text = (
            f"The up-convolution outputs {C} channels, and the skip connection has {C_s}. The convolution after the "
            "concatenation receives their sum, but it was made for two equal parts."
        )
    else:
        text = f"The map to upsample has {X} channels, and the up-convolution was made for {D}."
    return [
        Step(f"{text} Line {line} must be changed.", [f"e = {e}", f"r = {r}"]),
        Step(
            f"The corrected layer has {k}x{k} weights per pair of channels, and a bias per output channel.",
            [f"P = {k}^2*{r}*{C} + {C}", f"P = {P}"],
        ),
    ]


@drill(
    UP_BLOCK_CODE,
    id="debug-up-block",
    tier=2,
    asks=("line", "e", "r", "P"),
    visualization="code program",
    steps=_up_steps,
    prompt="This U-Net block fails, after the encoder was replaced by one with other channels. One layer must read "
    "another number of channels; everything else is correct.\n"
    "Which line must be changed (line)? How many channels does its layer expect (e), and how many does it receive (r)? "
    "How many parameters does the corrected layer have (P)?",
    hint="How many channels does the map have that is upsampled? How many do the two maps have that are concatenated?",
    mistakes=[
        Mistake(
            "other-layer",
            {"line": lambda line, **_: UP_LINE if line == CONV_LINE else CONV_LINE},
            "That layer gets as many channels as it expects. Follow the channels through the block.",
        ),
        Mistake("blames-cat", {"line": CAT_LINE}, "The maps have equal sizes, so the concatenation works."),
        Mistake("swapped", "e = where(k = 3, C + C_s, X); r = where(k = 3, 2C, D)", "You swapped the two numbers."),
        Mistake("input-and-skip", "r = X + C_s", "The up-convolution changes the channels before the concatenation."),
        Mistake("skip-alone", "r = C_s", "That is the number of channels of the skip connection alone."),
        Mistake("old-channels", "P = k^2*e*C + C", "Those are the parameters of the layer as it is."),
        Mistake("no-biases", "P = k^2*r*C", "You left out the biases."),
        Mistake("other-kernel", "P = (5 - k)^2*r*C + C", "The up-convolution is 2x2, and the convolution 3x3."),
    ],
)
def debug_up_block(rng: Random) -> Inputs:
    """Decoder block that does not fit"""
    C, line = rng.choice([32, 48, 64, 96, 128, 256]), rng.choice([UP_LINE, CONV_LINE])
    D, other = 2 * C, rng.choice([24, 40, 80, 96, 112, 160, 192, 320, 384, 512])
    X, C_s = (D, other) if line == CONV_LINE else (other, C)
    if C_s == C and X == D:
        raise UndefinedValue("then the block works")
    size, block = rng.choice([8, 12, 16, 20]), rng.choice(["Up", "UpBlock", "Decoder"])
    program = f"""
class {block}(nn.Module):
    def __init__(self):
        super().__init__()
        self.up = nn.ConvTranspose2d({D}, {C}, 2, stride=2)
        self.conv = nn.Conv2d({2 * C}, {C}, 3, padding=1)
    def forward(self, x, skip):
        x = self.up(x)
        x = torch.cat([x, skip], dim=1)
        return self.conv(x)
x = torch.zeros(1, {X}, {size}, {size})
skip = torch.zeros(1, {C_s}, {2 * size}, {2 * size})
y = {block}()(x, skip)
""".strip()
    return dict(C=C, C_s=C_s, D=D, X=X, k=3 if line == CONV_LINE else 2, line=line, program=program)


@drill(
    UNET_MINI,
    id="chain-unet-mini",
    tier=2,
    joins=("segmentation-losses",),
    asks=("bottom", "C", "P", "M", "loss"),
    prompt="A U-Net reads images of {c}x{n}x{n} (CxHxW). It has one 3x3 convolution with padding per level, to {w}, "
    "{w2} and {w4} channels, with 2x2 pooling between. 2x2 up-convolutions halve the channels; skips are concatenated "
    "and followed by one 3x3 convolution that halves them again; a 1x1 convolution predicts {K} classes. All layers "
    "have biases.\n"
    "What are the shape of the map at the bottom as CxHxW (bottom), the channels after the first concatenation (C), "
    "the number of all parameters (P), the memory of both skip connections for one image in float32, in KiB (M), and "
    "the mean cross-entropy of uniform logits (loss)?\n"
    "Conventions: natural logarithm.",
    hint="Which channels does each layer read and output? A concatenation has those of both maps.",
    mistakes=[
        Mistake(
            "adds-skips",
            "C = 2w; P_dec = 32*w^2 + 2w + 36*w^2 + 2w + 8*w^2 + w + 9*w^2 + w",
            "You added the skips. They are concatenated, so the next convolution reads twice the channels.",
        ),
        Mistake(
            "large-up-convolutions",
            "P_dec = 72*w^2 + 2w + 72*w^2 + 2w + 18*w^2 + w + 18*w^2 + w",
            "The up-convolutions are 2x2: 4 weights per pair of channels.",
        ),
        Mistake(
            "head-left-out",
            "P = P_enc + P_dec",
            "You left out the 1x1 convolution at the end.",
        ),
        Mistake(
            "bottleneck-counted",
            "M = (w*n^2 + 2w*(n/2)^2 + 4w*(n/4)^2)*4/1024",
            "You counted the bottom. It has no skip connection.",
        ),
        Mistake("base-two", "loss = log2(K)", "That is the logarithm with base 2."),
        Mistake(
            "pooled-once",
            {"bottom": lambda n, w, **_: [4 * w, n // 2, n // 2]},
            "There are two poolings between the three levels.",
        ),
    ],
)
def chain_unet_mini(rng: Random) -> Inputs:
    """Small U-Net"""
    w = rng.choice([4, 8, 16, 24, 32])
    values = dict(n=rng.choice([32, 48, 64, 96, 128, 160]), c=rng.choice([1, 3]), w=w, K=rng.choice([2, 3, 4, 5, 21]))
    return values | dict(w2=2 * w, w4=4 * w)
