"""Swin: drills about windows, stages, parameters and costs."""

from random import Random

from quizzes.content.vision_transformers.swin.formulas import (
    PATCH_MERGING,
    SWIN_BLOCK,
    SWIN_COMPLEXITY,
    SWIN_SQUARE,
    SWIN_STAGES,
    SWIN_WINDOWS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of


@drill(
    SWIN_COMPLEXITY,
    tier=2,
    asks=("msa", "wmsa", "ratio"),
    prompt="A feature map has {h}x{w} tokens with C = {C} channels. How many MACs does attention take with its four "
    "projections, globally over all tokens (msa), and in windows of {M}x{M} tokens (wmsa)? What is the ratio of the "
    "two (ratio)?\n"
    "Conventions: the windows divide the feature map; softmax and biases are not counted.",
    hint="With how many tokens does each token compare itself, globally and in a window?",
    mistakes=[
        Mistake(
            "projections-left-out",
            "msa = 2*(h*w)^2*C; wmsa = 2*M^2*h*w*C",
            "You left out the four projections: 4hwC^2.",
        ),
        Mistake("scores-only", "msa = 4*h*w*C^2 + (h*w)^2*C", "The weighted sum of the values takes (hw)^2 C as well."),
        Mistake(
            "quadratic-in-windows",
            "wmsa = 4*h*w*C^2 + 2*(h*w)^2*C/M^2",
            "You divided by the window. Each of the hw tokens compares itself with M^2 tokens.",
        ),
        Mistake("size-not-squared", "wmsa = 4*h*w*C^2 + 2*M*h*w*C", "A window has M^2 tokens, not M."),
        Mistake("one-window", "wmsa = 4*M^2*C^2 + 2*M^4*C", "That is one window. There are hw/M^2 of them."),
        Mistake("inverted", "ratio = wmsa/msa", "You inverted the ratio. Divide the global by the windowed cost."),
    ],
)
def swin_complexity(rng: Random) -> Inputs:
    """Global and window attention"""
    M = rng.choice([4, 7, 7, 8])
    h = M * rng.choice([2, 3, 4, 6, 8])
    return dict(h=h, w=rng.choice([h, h, M * rng.choice([2, 4, 6])]), C=rng.choice([32, 64, 96, 128, 192]), M=M)


@drill(
    SWIN_WINDOWS,
    id="swin-complexity:windows",
    tier=1,
    asks=("n", "pad", "pairs"),
    prompt="A feature map of {h}x{w} tokens is padded, if necessary, and divided into windows of {M}x{M} tokens. How "
    "many windows are there (n)? How many padding tokens are added (pad)? How many attention weights does one head "
    "have over all windows (pairs)?\n"
    "Conventions: padding tokens are counted like the others.",
    hint="How many windows are needed along each side, if the last one may be partly padding?",
    mistakes=[
        Mistake("rounded-down", "n = floor(h/M)*floor(w/M)", "You dropped the rest of the map. Pad it, so round up."),
        Mistake("area-rounded", "n = ceil(h*w/M^2)", "You divided the areas. Round up along each side."),
        Mistake(
            "one-side-padded", "pad = H - h + W - w", "You added the numbers of rows and columns. Count their tokens."
        ),
        Mistake(
            "two-strips", "pad = (H - h)*w + (W - w)*h", "You left out the corner, which is padded in both directions."
        ),
        Mistake("one-window", "pairs = M^4", "That is one window. Multiply by the number of windows."),
        Mistake("size-not-squared", "pairs = n*M^2", "Each of the M^2 tokens of a window attends to M^2 tokens."),
        Mistake("global", "pairs = (h*w)^2", "That is global attention. Tokens attend within their window only."),
    ],
)
def swin_windows(rng: Random) -> Inputs:
    """Windows with padding"""
    M = rng.choice([4, 5, 7, 7, 8])
    return dict(h=rng.randint(9, 60), w=rng.randint(9, 60), M=M)


@drill(
    SWIN_SQUARE,
    id="swin-complexity:inverse",
    tier=1,
    asks=one_of("n", "h", "M"),
    prompt="A square feature map of {h}x{h} tokens is divided into windows of {M}x{M} tokens without padding. There "
    "are "
    "n = {n} windows.",
    hint="How many windows are there along one side?",
    mistakes=[
        Mistake(
            "not-squared", "n = h/M", "You counted the windows along one side. There are rows and columns of them."
        ),
        Mistake("sides-added", "n = 2*h/M", "You added rows and columns. Multiply them."),
        Mistake("area-by-size", "n = h^2/M", "You divided the area by the window size. A window has M^2 tokens."),
        Mistake(
            "size-for-count", "n = M^2", "M^2 is the number of tokens of a window. The number of windows is (h/M)^2."
        ),
    ],
)
def swin_square(rng: Random) -> Inputs:
    """Windows of a square map"""
    M = rng.choice([3, 4, 5, 6, 7, 8, 9, 10, 12])
    return dict(h=M * rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10, 12]), M=M)


@drill(
    SWIN_STAGES,
    id="swin-complexity:stages",
    tier=1,
    asks=("h", "c", "T"),
    prompt="A Swin transformer reads images of size {image}x{image}. Its first stage has patches of 4x4 pixels and "
    "C = {C} channels. Patch merging precedes each further stage.\n"
    "What are the height and width h of the feature map of stage {k}, its number of channels c, and its number of "
    "tokens T?",
    hint="What does one patch merging do to the height, and what to the number of channels?",
    mistakes=[
        Mistake("one-merging-too-many", "h = image/(4*2^k); c = C*2^k", "Stage 1 has no patch merging before it."),
        Mistake("patch-left-out", "h = image/2^(k - 1)", "You left out the patches of 4x4 pixels."),
        Mistake("channels-times-4", "c = C*4^(k - 1)", "Merging concatenates 4C channels, then projects them to 2C."),
        Mistake("channels-unchanged", "c = C", "Each patch merging doubles the channels."),
        Mistake("not-squared", "T = h", "That is one side. The map has h*h tokens."),
        Mistake("tokens-halved", "T = (image/4)^2/2^(k - 1)", "Each merging joins 2x2 tokens: a quarter is left."),
    ],
)
def swin_stages(rng: Random) -> Inputs:
    """Feature maps of the stages"""
    k = rng.choice([2, 3, 4])
    return dict(image=32 * rng.choice([4, 5, 6, 7, 8, 10, 12, 16]), C=rng.choice([64, 96, 128, 192]), k=k)


@drill(
    PATCH_MERGING,
    id="swin-complexity:merging",
    tier=2,
    asks=("T_out", "C_in", "P"),
    prompt="Patch merging concatenates the features of each 2x2 group of neighboring tokens of a {h}x{w} feature map "
    "with C = {C} channels, normalizes them (layer normalization with scale and shift), and projects them to 2C "
    "channels by a dense layer without bias.\n"
    "How many tokens are left (T_out)? How many channels enter the dense layer (C_in)? How many parameters does patch "
    "merging have (P)?",
    hint="How many values does the concatenation of four tokens have? What do the normalization and the projection "
    "learn?",
    mistakes=[
        Mistake("halved", "T_out = h*w/2", "You halved the tokens. Height and width are both halved."),
        Mistake("two-neighbors", "C_in = 2*C", "Four tokens are concatenated: 4C channels. The output has 2C."),
        Mistake("averaged", "C_in = C", "The tokens are concatenated, not averaged."),
        Mistake(
            "norm-left-out", "P = C_in*C_out", "You left out the layer normalization, which has a scale and a shift."
        ),
        Mistake("with-bias", "P = C_in*C_out + C_out + 2*C_in", "You added a bias. This dense layer has none."),
        Mistake("to-c", "P = C_in*C + 2*C_in", "The projection has 2C outputs: the channels double."),
        Mistake(
            "norm-of-c", "P = C_in*C_out + 2*C", "The normalization is applied to the concatenation, of 4C values."
        ),
    ],
)
def patch_merging(rng: Random) -> Inputs:
    """Patch merging"""
    h = rng.choice([8, 14, 16, 28, 32, 48, 56, 64])
    return dict(h=h, w=rng.choice([h, h, 2 * h]), C=rng.choice([16, 32, 48, 64, 96, 128, 192]))


@drill(
    SWIN_BLOCK,
    id="swin-complexity:block",
    tier=3,
    asks=("biases", "dense", "P"),
    prompt="A Swin block has C = {C} channels, windows of {M}x{M} tokens, {heads} heads, and an MLP of ratio {mlp}. "
    "Every head has a learned bias for each relative position of two tokens of a window.\n"
    "How many parameters do the relative position biases have (biases), the dense layers with their biases (dense), "
    "and the block with its two layer normalizations (P)?",
    hints=(
        "Which offsets can two tokens of a window have along one side?",
        "Offsets along a side range from -(M - 1) to M - 1: 2M - 1 values. Attention has 4(C^2 + C) parameters in "
        "dense "
        "layers, and an MLP of ratio m has 2 m C^2 + (m + 1) C.",
        "First step: count the relative positions, (2M - 1)^2, and multiply by the number of heads.",
    ),
    mistakes=[
        Mistake(
            "absolute-positions",
            "biases = M^2*heads",
            "Those are absolute positions. Relative offsets range from -(M - 1) to M - 1.",
        ),
        Mistake(
            "every-pair", "biases = M^4*heads", "Pairs with the same offset share a bias: (2M - 1)^2 offsets per head."
        ),
        Mistake("heads-share", "biases = (2*M - 1)^2", "Each head has biases of its own."),
        Mistake("not-squared", "biases = (2*M - 1)*heads", "Offsets have a row and a column: (2M - 1)^2 of them."),
        Mistake("dense-biases-left-out", "dense = (4 + 2*mlp)*C^2", "You left out the biases of the dense layers."),
        Mistake(
            "no-output-projection",
            "dense = (3 + 2*mlp)*C^2 + (4 + mlp)*C",
            "You left out the output projection of attention.",
        ),
        Mistake(
            "norms-left-out", "P = biases + dense", "You left out the two layer normalizations, of 2C parameters each."
        ),
        Mistake("relative-left-out", "P = dense + 4*C", "You left out the relative position biases."),
    ],
)
def swin_block(rng: Random) -> Inputs:
    """Parameters of a Swin block"""
    heads = rng.choice([2, 3, 4, 6, 8])
    return dict(
        C=heads * rng.choice([16, 24, 32, 32]), M=rng.choice([4, 5, 7, 7, 8]), heads=heads, mlp=rng.choice([2, 4, 4])
    )
