"""T2T-ViT: drills."""

from random import Random
from typing import Any

from quizzes.content.vision_transformers.t2t_vit.formulas import (
    RESHAPE_LINE,
    SOFT_SPLIT,
    SOFT_SPLIT_LENGTH,
    SOFT_SPLIT_OVERLAP,
    T2T_ATTENTION,
    T2T_BLOCK,
    T2T_MODULE,
    T2T_RESHAPE,
    T2T_SPLIT_CHOICE,
    T2T_VALUES,
    UNFOLD_LINE,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    SOFT_SPLIT,
    tier=1,
    asks=("o", "T", "D"),
    prompt="A soft split unfolds an image of size {n}x{n} with {C} channels into overlapping patches of size {k}x{k}, "
    "with stride {s} and padding {p} per side.\n"
    "How many tokens are there along one side (o), and in all (T)? How many values does a token have (D)?\n"
    "Conventions: round down, as F.unfold does.",
    hint="At how many positions can a patch start along one side?",
    mistakes=[
        Mistake("no-plus-one", "o = floor((n + 2p - k)/s)", "You counted the steps. Add 1 for the first patch."),
        Mistake("hard-patches", "o = floor(n/k)", "Those patches don't overlap. A soft split moves by the stride."),
        Mistake("not-squared", "T = o", "That is one side of the map of tokens."),
        Mistake("channels-left-out", "D = k^2", "You left out the channels: every pixel has one value each."),
        Mistake("stride-for-kernel", "D = s^2*C", "A token has all values of its patch, also those that overlap."),
    ],
)
def t2t_soft_split(rng: Random) -> Inputs:
    """Tokens of a soft split"""
    k, s, p = rng.choice([(7, 4, 2), (3, 2, 1), (5, 3, 1), (5, 2, 2), (9, 4, 4), (3, 2, 1), (7, 3, 3), (5, 4, 1)])
    return dict(
        n=rng.choice([28, 32, 48, 56, 64, 96, 112, 128, 160, 192, 224]), k=k, s=s, p=p, C=rng.choice([2, 3, 3, 64])
    )


@drill(
    SOFT_SPLIT_LENGTH,
    id="t2t-soft-split:inverse",
    tier=1,
    asks=one_of("o", "n", "k"),
    prompt="A soft split unfolds a square map of size n = {n} into patches of size k = {k} with stride {s} and padding "
    "{p} per side. The patches fit exactly. There are o = {o} tokens along one side.",
    hint="How many steps lie between the first and the last patch?",
    mistakes=[
        Mistake("no-plus-one", "o = (n + 2p - k)/s", "You counted the steps. Add 1 for the first patch."),
        Mistake("padding-left-out", "o = (n - k)/s + 1", "You left out the padding, which is added on both sides."),
        Mistake("plus-two", "o = (n + 2p - k)/s + 2", "You added 2. There is one more patch than steps."),
        Mistake("padding-twice", "o = (n + 4p - k)/s + 1", "p is the padding per side, so 2p is added in all."),
    ],
)
def soft_split_length(rng: Random) -> Inputs:
    """Size of a soft split"""
    k, s, p = rng.choice([(9, 4, 4), (7, 3, 3), (5, 2, 2), (11, 4, 4), (6, 2, 2), (8, 3, 3), (13, 5, 5), (7, 2, 2)])
    return dict(n=s * (rng.randint(6, 60) - 1) + k - 2 * p, k=k, s=s, p=p)


@drill(
    SOFT_SPLIT_OVERLAP,
    id="t2t-soft-split:overlap",
    tier=1,
    asks=("v", "f"),
    prompt="A soft split has patches of size {k}x{k} and stride {s}. How many pixels do two neighboring patches share "
    "along a side (v)? In how many patches does a pixel away from the border lie (f)?",
    hint="How far apart do two neighboring patches start?",
    mistakes=[
        Mistake("stride-for-overlap", "v = s", "That is the distance between two patches. They share the rest, k - s."),
        Mistake("one-more", "v = k - s + 1", "Two patches start s pixels apart, so they share k - s."),
        Mistake("one-side", "f = k/s", "That is the number along one side. Rows and columns multiply."),
        Mistake("whole-patch", "f = k^2", "That holds for stride 1. With stride s, it is (k/s)^2."),
        Mistake("by-overlap", "f = v^2", "Count the patches along a side: k/s."),
    ],
)
def soft_split_overlap(rng: Random) -> Inputs:
    """Overlap of patches"""
    s = rng.choice([2, 3, 4, 5, 6, 7, 8])
    return dict(k=s * rng.choice([2, 3, 4, 5, 6]), s=s)


@drill(
    T2T_MODULE,
    id="t2t-soft-split:module",
    tier=2,
    asks=("o1", "o2", "T", "D3"),
    prompt="The T2T module of T2T-ViT reads an image of size {n}x{n}. Its three soft splits have kernels of 7, 3, 3, "
    "strides of 4, 2, 2 and paddings of 2, 1, 1. A T2T transformer between two splits reduces each token to c = {c} "
    "values.\n"
    "How many tokens are there along a side after the first (o1) and the second soft split (o2)? How many tokens does "
    "the backbone process, with the class token (T)? How many values does a token have after the third soft split "
    "(D3), before it is projected?\n"
    "Conventions: round down, as F.unfold does.",
    hint="Each split reads the map of tokens that the one before left.",
    mistakes=[
        Mistake("no-plus-one", "o1 = floor((n + 4 - 7)/4)", "You counted the steps. Add 1 for the first patch."),
        Mistake("no-padding", "o2 = floor((o1 - 3)/2) + 1", "You left out the padding."),
        Mistake("hard-patches", "o2 = floor(o1/3)", "The patches of 3x3 overlap: they move by 2."),
        Mistake("class-token-left-out", "T = o3^2", "You left out the class token."),
        Mistake("two-splits-only", "T = o2^2 + 1", "You left out the third soft split."),
        Mistake("kernel-left-out", "D3 = c", "A soft split concatenates 3x3 tokens of c values each."),
        Mistake("size-not-squared", "D3 = 3*c", "A patch has 3x3 tokens."),
    ],
)
def t2t_module(rng: Random) -> Inputs:
    """Three soft splits"""
    return dict(
        n=rng.choice([96, 112, 128, 144, 150, 160, 176, 192, 200, 208, 224, 240, 256, 288, 320, 384]),
        c=rng.choice([32, 48, 64, 96]),
    )


@drill(
    T2T_ATTENTION,
    id="t2t-soft-split:attention",
    tier=2,
    asks=("N", "ratio", "MiB"),
    prompt="The first soft split of T2T-ViT has stride 4, so an image of size {n}x{n} has ({n}/4)^2 tokens there (N). "
    "How "
    "many tokens are these? A T2T transformer with one head attends over all of them. How many times as many attention "
    "weights does it have as one head of a ViT with patches of 16x16 (ratio)? How many MiB do they take in float32 "
    "(MiB)?\n"
    "Conventions: no class token; 1 MiB = 2^20 bytes.",
    hint="How many times as many tokens are there? What does that mean for pairs of tokens?",
    mistakes=[
        Mistake("one-side", "N = n/4", "That is one side. There are rows and columns of tokens."),
        Mistake("tokens-for-pairs", "ratio = 16", "That is the ratio of the tokens. Attention has a weight per pair."),
        Mistake(
            "side-ratio",
            "ratio = 4",
            "That is the ratio along one side. Tokens grow with its square, pairs with its fourth power.",
        ),
        Mistake("bytes-left-out", "MiB = A/2^20", "You left out the 4 bytes of a float32 number."),
        Mistake("megabytes", "MiB = 4*A/10^6", "Those are MB. One MiB has 2^20 bytes."),
        Mistake("tokens-not-squared", "MiB = 4*N/2^20", "Attention has N^2 weights."),
    ],
)
def t2t_attention(rng: Random) -> Inputs:
    """Cost of many tokens"""
    return dict(n=16 * rng.randint(4, 40))


@drill(
    T2T_BLOCK,
    id="t2t-soft-split:backbone",
    tier=3,
    asks=("thin", "B", "ratio"),
    prompt="T2T-ViT has a deep, narrow backbone: {L} blocks of width {d} with MLP ratio {m}. A ViT has 12 blocks of "
    "width "
    "{d_vit} with MLP ratio 4, whose parameters are 12 d^2 + 13 d each.\n"
    "How many parameters does a block of T2T-ViT have (thin), and all of its blocks (B)? How many times as many do the "
    "blocks of the ViT have (ratio)?\n"
    "Conventions: in T2T-ViT, the layer of queries, keys and values has no bias; the output projection and the MLP "
    "have "
    "biases; a block has two layer normalizations with 2d parameters each.",
    hints=(
        "Which dense layers does a block have, and which of them have biases?",
        "Queries, keys and values have 3d^2 parameters, the output projection d^2 + d, the MLP 2 m d^2 + (m + 1) d.",
        "First step: add 4d for the two layer normalizations: (4 + 2m) d^2 + (6 + m) d in all.",
    ),
    mistakes=[
        Mistake("qkv-with-bias", "thin = (4 + 2*m)*d^2 + (9 + m)*d", "You added biases of queries, keys and values."),
        Mistake("ratio-4", "thin = 12*d^2 + 10*d", "You used the MLP ratio 4. Here it is smaller."),
        Mistake("norms-left-out", "thin = (4 + 2*m)*d^2 + (2 + m)*d", "You left out the two layer normalizations."),
        Mistake("twelve-blocks", "B = 12*thin", "You used the depth of the ViT."),
        Mistake("inverted", "ratio = B/B_vit", "You inverted the ratio. Divide by the parameters of T2T-ViT."),
        Mistake("widths-only", "ratio = (d_vit/d)^2", "Depth and MLP ratio differ too."),
    ],
)
def t2t_block(rng: Random) -> Inputs:
    """Deep and narrow"""
    return dict(
        L=rng.choice([14, 16, 19, 24]),
        d=rng.choice([128, 192, 256, 320, 384, 448, 512]),
        m=rng.choice([2, 3]),
        d_vit=rng.choice([576, 640, 768, 1024]),
    )


@drill(
    T2T_VALUES,
    id="derive-t2t-values",
    tier=2,
    asks=(derive("f"), "limit"),
    prompt="A soft split has patches of size {k}x{k}, stride {s} and no padding; the patches fit exactly. Its tokens "
    "have "
    "more values than the image of size n x n has, because patches overlap.\n"
    "Derive the number of values after the split divided by the number before, as a function of n (f). Which limit "
    "does "
    "it have for large n (limit)?\n"
    "Conventions: the number of channels cancels.",
    hints=(
        "How many patches are there, and how many pixels does each one have?",
        "There are ((n - k)/s + 1)^2 patches of k^2 pixels. The factor is their product over n^2.",
        "First step: write down the number of patches along one side.",
    ),
    mistakes=[
        Mistake(
            "one-side",
            "f = ((n - k)/s + 1)*k/n; limit = k/s",
            "You counted along one side only. Both sides multiply.",
        ),
        Mistake(
            "no-plus-one", "f = ((n - k)/s)^2*k^2/n^2", "You counted the steps. Add 1 for the first patch of each side."
        ),
        Mistake("tokens-for-values", "f = ((n - k)/s + 1)^2/n^2", "That counts tokens. Each one has k^2 values."),
        Mistake("hard-patches", "limit = 1", "That holds for patches that don't overlap, k = s."),
        Mistake("by-stride", "limit = k^2", "There are about (n/s)^2 patches, so divide by s^2."),
    ],
)
def derive_t2t_values(rng: Random) -> Inputs:
    """Values of overlapping patches"""
    k = rng.choice([3, 4, 5, 6, 7, 8, 9, 11])
    s = rng.randint(2, k - 1)
    return dict(k=k, s=s, variables={"n": [2 * k, 400]})


def _reshape_steps(s: int, c: int, o: int, line: int, printed: Any, shape: Any, **_: Any) -> list[Step]:
    reasons = {
        RESHAPE_LINE: f"Line {line} reshapes (1, {s * s}, {c}) without transposing, so {c} values of a token come next "
        "to each other in the image.",
        UNFOLD_LINE: f"Line {line} moves by 2, the size of a patch: patches don't overlap, so it is not a soft split.",
    }
    length = s // 2 + 1 if line == UNFOLD_LINE else s + 1
    rows = [[o + i * s + j for j in range(s)] for i in range(s)]
    return [
        Step(reasons[line]),
        Step("The first channel of the image is printed.", [f"printed = {[[int(v) for v in row] for row in printed]}"]),
        Step(
            f"unfold makes {length}*{length} patches with 4*{c} values each.",
            [f"shape = {'x'.join(str(int(v)) for v in shape)}"],
        ),
        Step("In the corrected program, each token is at its place.", [f"fixed = {rows}"]),
        Step("With stride 1, the patches overlap.", [f"fixed_shape = 1x{4 * c}x{(s + 1) ** 2}"]),
    ]


@drill(
    T2T_RESHAPE,
    id="debug-t2t-reshape",
    tier=3,
    asks=("line", "printed", "shape", "fixed", "fixed_shape"),
    visualization="code program",
    decimals=None,
    prompt="A T2T module turns {c}-dimensional tokens back into an image, and splits it softly into overlapping "
    "patches "
    "of 2x2. The {s}*{s} tokens of this test hold their numbers, from {o} on.\n"
    "Which line is incorrect (line)? What do the two prints show (printed, shape), and what should they show (fixed, "
    "fixed_shape)? Give shapes as AxBxC.",
    hints=(
        "In which order are the values of the tokens stored? By how much must patches move so that they overlap?",
        "Tokens are (1, tokens, channels) and an image is (1, channels, rows, columns). F.unfold returns (1, channels "
        "* "
        "4, patches).",
        "First step: write the first values of tok in the order in which they are stored.",
    ),
    steps=_reshape_steps,
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: RESHAPE_LINE if line == UNFOLD_LINE else UNFOLD_LINE},
            "That line is correct. Check the order of the values, and the overlap of the patches.",
        ),
        Mistake("blames-tokens", {"line": 1}, "That line only makes the tokens of the test."),
        Mistake(
            "columns-first",
            {"fixed": lambda s, c, o, line: [[o + j * s + i for j in range(s)] for i in range(s)]},
            "You filled the image column by column. Tokens are numbered row by row.",
        ),
        Mistake(
            "width-left-out",
            {"shape": lambda s, c, o, line: [1, 4, (s // 2 + 1 if line == UNFOLD_LINE else s + 1) ** 2]},
            "Each patch has 4 pixels, and each pixel has all values of a token.",
        ),
        Mistake(
            "padding-left-out",
            {"fixed_shape": lambda s, c, o, line: [1, 4 * c, (s - 1) ** 2]},
            "You left out the padding, which adds a row or a column on every side.",
        ),
    ],
)
def debug_t2t_reshape(rng: Random) -> Inputs:
    """Tokens back to an image"""
    s, c, o, line = (
        rng.choice([2, 3, 4]),
        rng.choice([2, 3, 4, 5]),
        rng.choice([0, 1, 10]),
        rng.choice([RESHAPE_LINE, UNFOLD_LINE]),
    )
    tokens = "tok" if line == RESHAPE_LINE else "tok.transpose(1, 2)"
    stride = 2 if line == UNFOLD_LINE else 1
    program = f"""
tok = torch.arange({o}., {o + s * s}.).view(1, {s * s}, 1).expand(1, {s * s}, {c})
s = int(tok.size(1) ** 0.5)
img = {tokens}.reshape(1, {c}, s, s)
print(img[0, 0].tolist())
out = F.unfold(img, 2, padding=1, stride={stride})
print(out.shape)
""".strip()
    return dict(s=s, c=c, o=o, line=line, program=program)


def _split_steps(n: int, C: int, goal: int, overlap: int, best: int, D: int, **values: Any) -> list[Step]:
    steps = []
    for j in (1, 2, 3):
        k, s, p, o = (int(values[f"{name}{j}"]) for name in "kspo")
        text = f"{k}x{k}, stride {s}, padding {p}: neighboring patches share {k - s} pixels along a side."
        steps.append(Step(text, [f"o{j} = floor(({n} + 2*{p} - {k})/{s}) + 1", f"o{j} = {o}"]))
    k = int(values[f"k{int(best)}"])
    return [*steps, Step("A token has all values of its patch.", [f"D = {k}^2*{C}", f"D = {int(D)}"])]


@drill(
    T2T_SPLIT_CHOICE,
    id="decide-t2t-split",
    tier=2,
    asks=("best", "D"),
    prompt="A map of size {n}x{n} with {C} channels shall become {goal}x{goal} tokens whose patches overlap by "
    "{overlap} "
    "along each side. Which of three soft splits does that (best): {k1}x{k1} with stride {s1} and padding {p1}, "
    "{k2}x{k2} "
    "with stride {s2} and padding {p2}, or {k3}x{k3} with stride {s3} and padding {p3}? How many values does a token "
    "have "
    "then (D)?",
    hint="The overlap is the patch size minus the stride. How many tokens does each split give?",
    steps=_split_steps,
    mistakes=[
        Mistake(
            "overlap-ignored",
            "best = where(o1 = goal and k1 - s1 != overlap, 1, where(o2 = goal and k2 - s2 != overlap, 2, 3))",
            "The number of tokens fits, but the overlap doesn't. It is the patch size minus the stride.",
        ),
        Mistake(
            "channels-left-out", "D = where(best = 1, k1, where(best = 2, k2, k3))^2", "You left out the channels."
        ),
        Mistake(
            "stride-for-kernel",
            "D = C*where(best = 1, s1, where(best = 2, s2, s3))^2",
            "A token has all values of its patch, also those that overlap.",
        ),
        Mistake("size-not-squared", "D = C*where(best = 1, k1, where(best = 2, k2, k3))", "A patch has k^2 pixels."),
    ],
)
def decide_t2t_split(rng: Random) -> Inputs:
    """Choice of a soft split"""
    goal, C = rng.choice([8, 12, 14, 16, 20, 28, 32]), rng.choice([3, 32, 64])
    s = rng.choice([2, 3, 4])
    overlap = rng.choice([1, 2, 3])
    k = s + overlap
    p = rng.choice([0, 1, 2])
    n = s * (goal - 1) + k - 2 * p
    right = (k, s, p)
    other_overlap = (k + 2, s, p + 1)  # as many tokens, with a larger overlap
    other_tokens = (k - s + (s + 1), s + 1, p)
    if (n + 2 * p - other_tokens[0]) // other_tokens[1] + 1 == goal or n < k + 4:
        raise UndefinedValue("only one split may fit")
    splits = [right, other_overlap, other_tokens]
    rng.shuffle(splits)
    values = {
        f"{name}{j}": value for j, split in enumerate(splits, 1) for name, value in zip("ksp", split, strict=True)
    }
    return dict(n=n, C=C, goal=goal, overlap=overlap, **values)
