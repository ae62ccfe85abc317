"""Swin: drills about shifted windows; drills that derive, debug and join."""

from random import Random
from typing import Any

from quizzes.content.vision_transformers.swin.formulas import (
    PERMUTE_LINE,
    SWIN_CHAIN,
    SWIN_CROSSOVER,
    SWIN_MASK,
    SWIN_NEIGHBORS,
    SWIN_PARTITION,
    SWIN_SHIFTED_WINDOWS,
    VIEW_LINE,
)
from quizzes.content.vision_transformers.swin.windows import shifted_tokens, window_tokens
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    SWIN_SHIFTED_WINDOWS,
    id="swin-shift",
    tier=2,
    asks=("n", "n_padded", "masked"),
    prompt="A feature map of {h}x{w} tokens is divided into windows of {M}x{M} tokens. In the next layer, the windows "
    "are shifted by a number of tokens between 0 and {M}, down and to the right.\n"
    "How many windows are there with the cyclic shift of Swin (n)? How many would there be if the smaller windows at "
    "the edges were padded (n_padded)? How many windows of the cyclic shift need a mask (masked)?",
    hint="How many pieces of windows does the shift leave at the edges, and where does the cyclic shift move them?",
    mistakes=[
        Mistake(
            "padded-for-cyclic",
            "n = (h/M + 1)*(w/M + 1)",
            "The cyclic shift joins the pieces: as many windows as before.",
        ),
        Mistake(
            "cyclic-for-padded", "n_padded = h/M*w/M", "The shift leaves pieces at both ends of each side: one more."
        ),
        Mistake("one-more", "n_padded = h/M*w/M + 1", "There is one more window per row and per column of windows."),
        Mistake(
            "two-more",
            "n_padded = (h/M + 2)*(w/M + 2)",
            "The two pieces at the ends replace one window: one more per side.",
        ),
        Mistake(
            "corner-only", "masked = 1", "The windows of the last row and of the last column contain joined pieces."
        ),
        Mistake("corner-twice", "masked = h/M + w/M", "You counted the corner twice."),
        Mistake(
            "all-edges", "masked = 2*(h/M + w/M) - 4", "The joined pieces are in the last row and the last column only."
        ),
    ],
)
def swin_shift(rng: Random) -> Inputs:
    """Number of shifted windows"""
    M = rng.choice([4, 7, 7, 8])
    return dict(h=M * rng.randint(2, 6), w=M * rng.randint(2, 7), M=M)


@drill(
    SWIN_NEIGHBORS,
    id="swin-shift:neighbors",
    tier=3,
    asks=("rows", "columns", "n"),
    prompt="A feature map of {h}x{w} tokens has windows of {M}x{M} tokens. In a layer of Swin whose windows are "
    "shifted "
    "by {s} tokens down and to the right, with cyclic shift and mask, which tokens does the token in row {i} and "
    "column "
    "{j} attend to? Give the number of rows (rows) and of columns (columns) that they span, and their number n, the "
    "token itself included.\n"
    "Conventions: rows and columns are numbered from 0.",
    hint="Where do the edges of the shifted windows lie? Which tokens does the mask separate?",
    mistakes=[
        Mistake(
            "mask-left-out",
            "rows = M; columns = M",
            "A window of the cyclic shift joins both ends of the map. The mask separates them again.",
        ),
        Mistake(
            "ends-swapped",
            "rows = where(i < s, M - s, where(i >= h - M + s, s, M)); "
            "columns = where(j < s, M - s, where(j >= w - M + s, s, M))",
            "You swapped the ends. The windows begin at s, so s rows are left at the top and M - s at the bottom.",
        ),
        Mistake("sides-added", "n = rows + columns", "The region is a rectangle: multiply its sides."),
        Mistake("full-window", "n = M^2", "That is a window without a mask. Only tokens of the same region attend."),
    ],
)
def swin_neighbors(rng: Random) -> Inputs:
    """Tokens under the mask"""
    M = rng.choice([4, 5, 7, 7, 8])
    s = M // 2 if M % 2 and rng.random() < 0.5 else rng.choice([k for k in range(1, M) if 2 * k != M])
    h, w = M * rng.choice([2, 3, 4]), M * rng.choice([2, 3, 4])

    def position(length: int, where: str) -> int:
        choices = dict(start=range(s), end=range(length - M + s, length), middle=range(s, length - M + s))
        return rng.choice(choices[where])

    places = rng.choice([("start", "end"), ("start", "middle"), ("end", "middle"), ("start", "start"), ("end", "end")])
    i, j = (position(length, where) for length, where in zip((h, w), rng.sample(places, 2), strict=True))
    return dict(h=h, w=w, M=M, s=s, i=i, j=j)


@drill(
    SWIN_MASK,
    id="derive-swin-mask",
    tier=3,
    asks=one_of(derive("edge"), derive("corner")),
    prompt="Windows of M x M tokens are shifted cyclically by s tokens, with 0 < s < M{numbers}. A window at one edge "
    "of "
    "the shifted map then holds two regions that are not neighbors in the image, and the window in the corner holds "
    "four. A token may attend to the tokens of its own region only.\n"
    "Derive the number of pairs (query and key, each token with itself included) that the mask allows in the window "
    "that is asked for below. Answer in terms of {terms}.",
    hints=(
        "Into which pieces is a side of M tokens cut?",
        "Each side is cut into s and M - s tokens. A region with a tokens has a^2 pairs.",
        "First step: write the number of tokens of each region, two for an edge window and four for the corner window.",
    ),
    mistakes=[
        Mistake("no-mask", "edge = M^4; corner = M^4", "Those are all pairs of the window, without the mask."),
        Mistake(
            "tokens-for-pairs",
            "edge = M*s + M*(M - s); corner = M^2",
            "You counted tokens. A region of a tokens has a^2 pairs.",
        ),
        Mistake(
            "side-not-squared",
            "edge = M*(s^2 + (M - s)^2); corner = s^2 + (M - s)^2",
            "You counted the pairs along one side only. Both sides multiply.",
        ),
        Mistake(
            "two-regions-of-four",
            "corner = s^4 + (M - s)^4",
            "You left out the two regions of s(M - s) tokens.",
        ),
        Mistake(
            "larger-region-only",
            "edge = M^2*(M - s)^2; corner = (M - s)^4",
            "The other regions also attend to themselves.",
        ),
    ],
)
def derive_swin_mask(rng: Random) -> Inputs:
    """Pairs under the mask"""
    if rng.random() < 0.3:
        return dict(variables={"M": [6, 10], "s": [1, 5]}, numbers="", terms="M and s")
    if rng.random() < 0.5:
        M = rng.randint(4, 16)
        return dict(M=M, variables={"s": [1, M - 1]}, numbers=f", and M = {M}", terms="s")
    s = rng.randint(1, 8)
    return dict(s=s, variables={"M": [s + 1, 20]}, numbers=f", and s = {s}", terms="M")


@drill(
    SWIN_CROSSOVER,
    tier=2,
    asks=(derive("ratio"), "N_r"),
    prompt="For N tokens with C = {C} channels, attention with its four projections costs 4NC^2 + 2N^2 C MACs. Windows "
    "of {M}x{M} tokens replace N^2 by {M}^2*N.\n"
    "Derive the ratio of the global to the windowed cost as a function of N, in lowest terms (ratio). At which number "
    "of tokens is it {r} (N_r)?",
    hints=(
        "Which factor do the numerator and the denominator share?",
        "Divide the cost of global attention by that of attention in windows, and cancel 2NC.",
        "First step: write both costs as 2NC times a sum.",
    ),
    mistakes=[
        Mistake(
            "projections-ignored",
            "ratio = N/M^2; N_r = r*M^2",
            "You left out the projections, which both kinds of attention need: 4NC^2.",
        ),
        Mistake(
            "factor-4",
            "ratio = (4*C + N)/(4*C + M^2); N_r = r*(4*C + M^2) - 4*C",
            "You divided 4NC^2 by N C. Divide everything by 2NC.",
        ),
        Mistake("inverted", "ratio = (2*C + M^2)/(2*C + N)", "You inverted the ratio. Global attention is in front."),
        Mistake(
            "size-not-squared",
            "ratio = (2*C + N)/(2*C + M); N_r = r*(2*C + M) - 2*C",
            "A window has M^2 tokens.",
        ),
        Mistake("side", "N_r = sqrt(r*(2*C + M^2) - 2*C)", "That is the height of a square map. N counts its tokens."),
    ],
)
def swin_crossover(rng: Random) -> Inputs:
    """Global against window attention"""
    C, M, r = rng.choice([32, 48, 64, 96, 128, 192]), rng.choice([4, 7, 7, 8]), rng.choice([2, 3, 4, 5, 8, 10, 16, 20])
    return dict(C=C, M=M, r=r, variables={"N": [M * M + 1, 20000]})


def _transposed(h: int, M: int, o: int, line: int) -> list[int]:
    return [o + a + b * h for a in range(M) for b in range(M)]


def _correct(h: int, M: int, o: int, line: int) -> list[int]:
    return [o + token for token in window_tokens(shifted_tokens(h, h, 0), M)[0]]


def _partition_steps(h: int, M: int, line: int, printed: list[int], fixed: list[int], **_: Any) -> list[Step]:
    reasons = {
        VIEW_LINE: f"Line {line} swaps the two factors of each side: it makes windows of {h // M}x{h // M} tokens.",
        PERMUTE_LINE: f"Line {line} doesn't move the columns of windows in front of the rows of a window.",
    }
    return [
        Step(reasons[line]),
        Step("The first window then has these tokens.", [f"printed = {[int(v) for v in printed]}"]),
        Step(f"The first {M} tokens of the first {M} rows belong to it.", [f"fixed = {[int(v) for v in fixed]}"]),
    ]


@drill(
    SWIN_PARTITION,
    id="debug-swin-windows",
    tier=3,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    decimals=None,
    prompt="This code should divide a feature map of {h}x{h} tokens, numbered row by row from {o}, into windows of "
    "{M}x{M} tokens. All shapes are as expected.\n"
    "Which line is incorrect (line)? Which first window does the program print (printed), and which does the corrected "
    "program print (fixed)?",
    hints=(
        "Which two of the six dimensions are inside a window?",
        "view splits a side of h tokens into (h // M) windows of M tokens each, in this order. Both dimensions of size "
        "M "
        "must be next to each other before the tokens of a window are flattened.",
        "First step: draw the numbers of the first rows, and mark the tokens of the first window.",
    ),
    steps=_partition_steps,
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: PERMUTE_LINE if line == VIEW_LINE else VIEW_LINE},
            "That line is correct. Follow the two dimensions that are inside a window.",
        ),
        Mistake("blames-numbering", {"line": 2}, "The numbering is correct: row by row."),
        Mistake(
            "no-problem",
            {"printed": _correct},
            "That is the correct window. Follow what this program does to the order of the tokens.",
        ),
        Mistake(
            "columns-first",
            {"fixed": _transposed},
            "You read the window column by column. The tokens are flattened row by row.",
        ),
        Mistake(
            "one-row",
            {"fixed": lambda h, M, o, line: [o + k for k in range(M * M)]},
            "Those tokens are not a square of the feature map.",
        ),
    ],
)
def debug_swin_windows(rng: Random) -> Inputs:
    """Window partition"""
    M = rng.choice([2, 2, 3])
    h, line, o = M * rng.choice([2, 3, 4, 5]), rng.choice([VIEW_LINE, PERMUTE_LINE]), rng.choice([0, 1, 10, 20])
    if line == VIEW_LINE and h == M * M:
        raise UndefinedValue("both factors are equal, so nothing is incorrect")
    split = "1, h // M, M, h // M, M, 1" if line == PERMUTE_LINE else "1, M, h // M, M, h // M, 1"
    permuted = "x" if line == PERMUTE_LINE else "x.permute(0, 1, 3, 2, 4, 5)"
    program = f"""
h, M = {h}, {M}
x = torch.arange({o}, {o} + h * h).view(1, h, h, 1)
x = x.view({split})
windows = {permuted}.reshape(-1, M * M)
print(windows[0].tolist())
""".strip()
    return dict(h=h, M=M, o=o, line=line, program=program)


@drill(
    SWIN_CHAIN,
    id="chain-swin-stages",
    tier=3,
    asks=("T1", "windows", "W1", "T2", "C2", "W2"),
    prompt="A Swin transformer reads images of size {image}x{image} in patches of 4x4 pixels, with C = {C} channels in "
    "stage 1 and windows of {M}x{M} tokens.\n"
    "What are the number of tokens (T1) and of windows (windows) of stage 1, and the MACs of window attention with its "
    "four projections in one of its blocks (W1)? What are the number of tokens (T2) and of channels (C2) of stage 2, "
    "after patch merging, and the MACs of window attention in one of its blocks (W2)?\n"
    "Conventions: softmax and biases are not counted.",
    hints=(
        "How many patches are there along one side? What does patch merging do to tokens and channels?",
        "Window attention takes 4TC^2 + 2 M^2 T C MACs. Patch merging divides the tokens by 4 and doubles the "
        "channels.",
        "First step: divide the image size by 4, then by the window size.",
    ),
    mistakes=[
        Mistake("not-squared", "T1 = n1", "That is one side of the feature map."),
        Mistake("windows-per-side", "windows = n1/M", "You counted the windows along one side."),
        Mistake(
            "global", "W1 = 4*T1*C^2 + 2*T1^2*C", "That is global attention. A token compares itself with M^2 tokens."
        ),
        Mistake("projections-left-out", "W1 = 2*M^2*T1*C; W2 = 2*M^2*T2*C2", "You left out the four projections."),
        Mistake("tokens-halved", "T2 = T1/2", "Merging halves both sides, so a quarter of the tokens is left."),
        Mistake(
            "channels-times-4", "C2 = 4*C", "The concatenation has 4C channels, and the projection reduces them to 2C."
        ),
        Mistake(
            "quarter-cost",
            "W2 = W1/4",
            "The tokens are a quarter, but the projections cost four times as much per token.",
        ),
    ],
)
def chain_swin_stages(rng: Random) -> Inputs:
    """Two stages of Swin"""
    M = rng.choice([4, 7, 7, 8])
    return dict(image=8 * M * rng.choice([2, 3, 4, 5, 6]), C=rng.choice([32, 48, 64, 96, 128]), M=M)
