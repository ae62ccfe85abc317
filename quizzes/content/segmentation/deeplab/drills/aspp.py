"""DeepLab: drills about ASPP and the decoder of v3+."""

from random import Random

from quizzes.content.segmentation.deeplab.formulas import ASPP_BRANCH, ASPP_PARAMS, DEEPLAB_DECODER
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue


@drill(
    ASPP_BRANCH,
    id="dilated-kernel:aspp",
    tier=2,
    asks=("E", "D", "T"),
    prompt="A branch of ASPP is a {f}x{f} convolution with rate {d} on a map of {n}x{n} px, whose output stride is "
    "{S}.\n"
    "What is the effective kernel size E on the map? How many pixels of the image apart are the outermost weights of a "
    "row (D)? At row {i}, column {j} of the map, how many of the {f}x{f} weights are on the map, not on the padding "
    "(T)?\n"
    "Conventions: rows and columns are numbered from 0; zero padding {d} keeps the size.",
    hint="How far from the center are the outer weights? In which directions do they leave the map?",
    mistakes=[
        Mistake("kernel-times-rate", "E = f*d", "Between two adjacent weights there are d - 1 pixels, not d."),
        Mistake("rate-minus-one", "E = f + (f - 1)*d", "Adjacent weights are d apart, so d - 1 pixels are skipped."),
        Mistake("on-the-map", "D = (f - 1)*d", "That is the distance on the map. Multiply it by the output stride."),
        Mistake("one-step", "D = d*S", "The outermost weights are (f - 1) steps of d apart."),
        Mistake("all-weights", "T = 9", "Some weights fall on the padding: compare the row and the column with d."),
        Mistake(
            "one-direction",
            "T = 1 + [i >= d] + [i + d < n]",
            "You counted along the rows only. Multiply by the number along the columns.",
        ),
        Mistake(
            "border-off-by-one",
            "T = (1 + [i > d] + [i + d <= n])*(1 + [j > d] + [j + d <= n])",
            "Rows are numbered from 0 to n - 1.",
        ),
    ],
)
def aspp_branch(rng: Random) -> Inputs:
    """Reach of an ASPP branch"""
    S = rng.choice([8, 16, 16])
    n, d = rng.choice([(33, 6), (33, 12), (33, 18), (33, 24), (65, 12), (65, 24), (65, 36), (41, 12), (41, 18)])
    i, j = (rng.choice([d, n - d, n // 2, rng.randrange(n)]) for _ in range(2))
    if i == d and j == d:
        raise UndefinedValue("another place shows more")
    return dict(f=3, d=d, S=S, n=n, i=i, j=j)


@drill(
    ASPP_PARAMS,
    tier=2,
    asks=("P_1", "P_a", "P_out", "P"),
    prompt="DeepLab v3's ASPP reads a map with {C_in} channels. It has a 1x1 convolution, {m} atrous 3x3 convolutions, "
    "and global average pooling followed by a 1x1 convolution, each with {C} output channels. Their outputs are "
    "concatenated and projected to {C} channels by a 1x1 convolution.\n"
    "How many parameters do the 1x1 branch (P_1), one atrous branch (P_a), the projection (P_out), and all layers "
    "together (P) have?\n"
    "Conventions: no biases; each convolution is followed by batch normalization with two parameters per channel.",
    hint="How many channels does the projection read? Do the rates change the number of weights?",
    mistakes=[
        Mistake("no-batch-norm", "P_1 = C_in*C; P_a = 9*C_in*C", "You left out batch normalization."),
        Mistake("bias-for-batch-norm", "P_1 = C_in*C + C; P_a = 9*C_in*C + C", "It has a scale and a shift."),
        Mistake("one-by-one", "P_a = C_in*C + 2C", "An atrous convolution is 3x3: it has 9 weights per pair."),
        Mistake("added", "P_out = C^2 + 2C", "The outputs are concatenated, so the projection reads all of them."),
        Mistake(
            "pooling-left-out",
            "P_out = (m + 1)*C^2 + 2C; P = P_1 + m*P_a + P_out",
            "The pooling branch has a 1x1 convolution, and its output is concatenated, too.",
        ),
        Mistake("one-rate", "P = 2*P_1 + P_a + P_out", "Each rate has a branch with its own weights."),
    ],
)
def aspp_params(rng: Random) -> Inputs:
    """Parameters of ASPP"""
    return dict(
        C_in=rng.choice([64, 128, 256, 320, 512, 1024, 2048]), C=rng.choice([32, 64, 128, 256]), m=rng.choice([2, 3, 4])
    )


@drill(
    DEEPLAB_DECODER,
    tier=2,
    asks=("h", "u", "C", "P", "M"),
    prompt="DeepLab v3+ reads an image of {n}x{n} px. Its encoder has output stride {S}, and its ASPP outputs {C_a} "
    "channels. The decoder upsamples them to a quarter of the image size and concatenates {C_l} channels of low-level "
    "features. A 3x3 convolution then maps them to {C_a} channels.\n"
    "What are the size h of the ASPP's output, the factor u of the upsampling, the channels C after the "
    "concatenation, and the weights P and MACs M of the 3x3 convolution?\n"
    "Conventions: no biases; padding keeps the size.",
    hint="Which size do both maps have when they are concatenated?",
    mistakes=[
        Mistake("quarter", "h = n/4", "That is the size after the upsampling. The encoder's output stride is larger."),
        Mistake("to-the-image", "u = S", "It upsamples to a quarter of the image, and to the image only at the end."),
        Mistake(
            "always-four", "u = S/4 + 4*(S/4 - floor(S/4)) + [S = 8]*2", "The factor depends on the output stride."
        ),
        Mistake("added", "C = C_a", "The maps are concatenated, so their channels add up."),
        Mistake("one-by-one", "P = C*C_a", "It is a 3x3 convolution: 9 weights per pair of channels."),
        Mistake("low-level-left-out", "P = 9*C_a*C_a", "The convolution also reads the low-level channels."),
        Mistake("at-encoder-size", "M = P*h^2", "The convolution runs at a quarter of the image size."),
        Mistake("full-size", "M = P*n^2", "The convolution runs at a quarter of the image size."),
    ],
)
def deeplab_decoder(rng: Random) -> Inputs:
    """Decoder of DeepLab v3+"""
    return dict(
        n=rng.choice([256, 320, 384, 448, 512, 640, 768]),
        S=rng.choice([8, 16]),
        C_a=rng.choice([64, 128, 256]),
        C_l=rng.choice([24, 32, 48]),
    )
