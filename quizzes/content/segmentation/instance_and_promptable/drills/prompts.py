"""Mask R-CNN, SAM and SAM 2: drills about promptable segmentation."""

from random import Random
from typing import Any

from quizzes.content.segmentation.instance_and_promptable.formulas import (
    SAM2_BANK,
    SAM2_MEMORY,
    SAM_CLICK,
    SAM_LOSS,
    SAM_MASK_HEAD,
    SAM_SHAPES,
    SAM_TOKENS,
    SAM_WINDOWS,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


@drill(
    SAM_SHAPES,
    tier=1,
    asks=("n", "embedding", "low", "up"),
    prompt="SAM reads an image of {S}x{S} px with patches of {p}x{p} px. A neck maps the tokens to 256 channels, and "
    "the "
    "decoder enlarges the embedding 4 times. The prompt is a click, and the output is set to {masks} ({meaning}).\n"
    "How many tokens does the image encoder have (n)? Which shape do the image embedding (embedding) and the "
    "low-resolution mask logits (low) have, as CxHxW? By which factor are the masks enlarged to the size of the image "
    "(up)?",
    hint="How many patches lie along one side? The number of masks doesn't depend on the number of channels.",
    mistakes=[
        Mistake("one-side", "n = S/p", "That is the number of patches along one side."),
        Mistake("class-token", "n = (S/p)^2 + 1", "SAM's encoder has no class token."),
        Mistake(
            "not-enlarged",
            {"low": lambda S, p, masks: [3 if masks == "several" else 1, S // p, S // p]},
            "The decoder enlarges the embedding 4 times, by two transposed convolutions of stride 2.",
        ),
        Mistake(
            "image-size",
            {"low": lambda S, p, masks: [3 if masks == "several" else 1, S, S]},
            "The decoder's masks are smaller than the image. They are enlarged afterwards by interpolation.",
        ),
        Mistake(
            "four-masks",
            {"low": lambda S, p, masks: [4, 4 * S // p, 4 * S // p]},
            "The decoder has 4 mask tokens, but it outputs 3 masks for an ambiguous prompt, or 1.",
        ),
        Mistake(
            "channels-last",
            {"embedding": lambda S, p, masks: [S // p, S // p, 256]},
            "The shape is asked for as CxHxW, with the channels first.",
        ),
        Mistake(
            "to-the-embedding", "up = p", "That is the factor from the embedding. The masks are 4 times larger already."
        ),
    ],
)
def sam_shapes(rng: Random) -> Inputs:
    """Shapes of SAM"""
    masks = rng.choice(["several", "several", "single"])
    meaning = "all masks for an ambiguous prompt" if masks == "several" else "one mask"
    S, p = rng.choice(
        [
            (1024, 16),
            (1024, 16),
            (512, 16),
            (768, 16),
            (1024, 32),
            (256, 8),
            (640, 16),
            (896, 14),
            (1024, 8),
            (512, 8),
            (1280, 16),
            (448, 14),
            (960, 16),
        ]
    )
    return dict(S=S, p=p, masks=masks, meaning=meaning)


@drill(
    SAM_TOKENS,
    id="sam-shapes:tokens",
    tier=2,
    asks=("sparse", "tokens", "self_pairs", "image_pairs"),
    prompt="SAM gets a prompt of points = {points} points and {boxes} (box = {box}). Its image embedding has n = {n} "
    "positions.\n"
    "How many prompt tokens are there (sparse), and how many tokens with those of the outputs (tokens)? How many "
    "query-key pairs does a head have in the self-attention of the tokens (self_pairs), and in the attention from the "
    "tokens "
    "to the image (image_pairs)?\n"
    "Conventions: as in the official code, a point is one token, a box two (its corners), and points without a box get "
    "one padding token; the outputs have 1 IoU token and 4 mask tokens.",
    hint="Count the tokens of the points, of the corners, and of the padding. Which tokens belong to the outputs?",
    mistakes=[
        Mistake("box-as-one-token", "sparse = points + box + (1 - box)", "A box is two tokens, one per corner."),
        Mistake("no-padding", "sparse = points + 2*box", "Points without a box get one padding token."),
        Mistake("padding-always", "sparse = points + 2*box + 1", "The padding token is left out if there is a box."),
        Mistake(
            "three-masks",
            "tokens = 4 + sparse",
            "There are 4 mask tokens: 3 for ambiguous prompts, 1 for a single mask.",
        ),
        Mistake("no-iou-token", "tokens = 3 + sparse", "There are an IoU token and 4 mask tokens."),
        Mistake(
            "image-included",
            "self_pairs = (tokens + n)^2",
            "The queries and keys of this self-attention are the tokens of the prompt and the outputs alone.",
        ),
        Mistake(
            "image-to-image",
            "image_pairs = n^2",
            "The queries are the tokens, the keys are the positions of the image.",
        ),
    ],
)
def sam_shapes_tokens(rng: Random) -> Inputs:
    """Tokens of SAM's decoder"""
    box = rng.choice([0, 1])
    return dict(
        points=rng.randint(1, 9), box=box, boxes="a box" if box else "no box", n=rng.choice([4096, 4096, 1024, 2304])
    )


@drill(
    SAM_WINDOWS,
    id="sam-shapes:windows",
    tier=2,
    asks=("windows", "local", "whole", "ratio"),
    prompt="SAM's image encoder has a grid of {g}x{g} tokens. Most of its blocks attend within windows of {w}x{w} "
    "tokens; "
    "the grid is padded to whole windows, and the padding tokens count.\n"
    "How many windows are there (windows)? How many query-key pairs does a head have in a windowed block (local), and "
    "in "
    "a global block without padding (whole)? What is the ratio of global to windowed pairs (ratio)?",
    hint="How many windows fit along one side, if the last one may be partly padding?",
    mistakes=[
        Mistake(
            "rounded-down",
            "windows = floor(g/w)^2",
            "You rounded down. The grid is padded, so the last windows are partly empty.",
        ),
        Mistake("no-padding", "local = g^2*w^2", "You left out the padding tokens, which are queries and keys too."),
        Mistake("one-window", "local = w^4", "That is one window."),
        Mistake("tokens", "whole = g^2", "That is the number of tokens. Each of them attends to all of them."),
        Mistake("inverted", "ratio = local/whole", "You inverted the ratio."),
    ],
)
def sam_shapes_windows(rng: Random) -> Inputs:
    """Windowed attention of SAM's encoder"""
    g, w = rng.choice([64, 64, 48, 32, 56, 40, 80]), rng.choice([14, 14, 7, 12, 10, 9])
    if g % w == 0:
        raise UndefinedValue("the grid must be padded")
    return dict(g=g, w=w)


@drill(
    SAM_MASK_HEAD,
    id="sam-shapes:mask",
    tier=2,
    asks=("c", "size", "P", "M"),
    prompt="SAM's decoder enlarges an image embedding of {g}x{g} positions with C = {C} channels by two 2x2 transposed "
    "convolutions of stride 2, to C/4 and then C/8 channels, with biases. Each of m = {m} mask tokens gives a vector "
    "with "
    "as many values, and a mask is the product of this vector with the embedding at every position.\n"
    "How many channels (c) and which height and width (size) does the enlarged embedding have? How many parameters do "
    "the two transposed convolutions have (P), and how many MACs do the products of all masks need (M)?",
    hint="By which factor does each transposed convolution enlarge the embedding?",
    mistakes=[
        Mistake("one-layer", "c = C/4; size = 2*g", "You stopped after the first transposed convolution."),
        Mistake("no-biases", "P = 9*C^2/8", "You left out the biases, one per output channel."),
        Mistake("kernels-left-out", "P = (C + 1)*C/4 + (C/4 + 1)*C/8", "You counted 1x1 kernels. They are 2x2."),
        Mistake("one-mask", "M = c*size^2", "That is one mask."),
        Mistake("not-enlarged", "M = c*g^2*m", "The products are computed at the enlarged size."),
    ],
)
def sam_shapes_mask(rng: Random) -> Inputs:
    """Masks of SAM's decoder"""
    return dict(C=rng.choice([64, 128, 256, 256]), g=rng.choice([16, 32, 48, 64, 64]), m=rng.choice([1, 3, 4, 4]))


@drill(
    SAM_LOSS,
    tier=2,
    asks=("t", "L", "pick"),
    prompt="SAM outputs three masks for a click. Their focal losses are f = {f}, their Dice losses d = {d}. Their "
    "predicted IoUs are s = {s}, and their true IoUs u = {u}. The mask loss is 20 times the focal loss plus the Dice "
    "loss.\n"
    "What is the mask loss t of each mask? The training loss L is that of the best mask alone, plus the squared error "
    "of "
    "its predicted IoU: what is it? Which mask (from 1) is output if only one is requested (pick)?",
    hint="Which mask does the training compare with the target? What does the program know at inference?",
    mistakes=[
        Mistake(
            "weights-swapped", "t[m] = f[m] + 20*d[m]", "You swapped the weights. The focal loss has the weight 20."
        ),
        Mistake(
            "mean",
            "L = mean(m, t[m]) + sum(m, [m = best]*(s[m] - u[m])^2)",
            "You averaged the masks. Only the best one gets a gradient.",
        ),
        Mistake("no-iou-error", "L = min(t)", "You left out the squared error of the predicted IoU."),
        Mistake(
            "all-iou-errors",
            "L = min(t) + sum(m, (s[m] - u[m])^2)",
            "You added the errors of all masks. Here, that of the best mask counts.",
        ),
        Mistake(
            "best-loss",
            "pick = argmax(m, -(20*f[m] + d[m]))",
            "The loss is unknown at inference. The mask with the highest predicted IoU is output.",
        ),
    ],
)
def sam_loss(rng: Random) -> Inputs:
    """SAM's loss of three masks"""
    f = [rng.randint(5, 60) / 1000 for _ in range(3)]
    d = [rng.randint(5, 60) / 100 for _ in range(3)]
    u = [round(1 - value - rng.choice([0.02, 0.05, 0.08]), 2) for value in d]
    s = [round(min(0.99, max(0.05, value + rng.choice([-0.3, -0.1, 0.05, 0.1, 0.3]))), 2) for value in u]
    losses = [20 * a + b for a, b in zip(f, d, strict=True)]
    if (
        len({*s}) < 3
        or min(u) < 0.1
        or sorted(losses)[1] - min(losses) < 0.02
        or s.index(max(s)) == losses.index(min(losses))
    ):
        raise UndefinedValue("the mask with the smallest loss must not be the one that is shown")
    return dict(f=f, d=d, s=s, u=u)


def _other_mask(r: Value, **_: Any) -> str:
    return "part" if r > 0.5 else "whole"


def _click_steps(a: int, b: int, r: Value, p: Value, L: Value, d_part: Value, d_whole: Value, hard: Any) -> list[Step]:
    share = float(r)
    ring = b - a
    return [
        Step("On the other pixels, -r ln p - (1 - r) ln(1 - p) is smallest at p = r.", [f"p = {float(p):g}"]),
        Step(
            f"The part is foreground in every target, so its loss is 0. The other {ring} px have the entropy of r.",
            [f"L = -{ring}/{b}*({share:g}*ln({share:g}) + (1 - {share:g})*ln(1 - {share:g}))", f"L = {float(L):.4f}"],
        ),
        Step(
            "Put the probabilities into soft Dice.",
            [
                f"d_part = 2*{a}/({a} + {ring}*{share:g} + {a})",
                f"d_part = {float(d_part):.4f}",
                f"d_whole = 2*({a} + {ring}*{share:g})/({a} + {ring}*{share:g} + {b})",
                f"d_whole = {float(d_whole):.4f}",
            ],
        ),
        Step("A threshold of 0.5 keeps the more frequent reading. Several masks, trained by the best one, avoid that."),
    ]


@drill(
    SAM_CLICK,
    tier=3,
    asks=("p", "L", "d_part", "d_whole", "hard"),
    steps=_click_steps,
    prompt="A click is ambiguous: in a share r = {r} of the training images, its target is a whole object of b = {b} "
    "px; "
    "in the others, it is a part of that object with a = {a} px. A promptable model with a single output mask "
    "minimizes "
    "the binary cross-entropy.\n"
    "Which probability p does it learn on the pixels of the object outside of the part? What is its mean "
    "cross-entropy L "
    "over the b pixels, and its soft Dice with the part (d_part) and with the whole object (d_whole)? Which mask is "
    "left "
    "after thresholding at 0.5 (hard)?\n"
    "Conventions: natural log; soft Dice is 2 sum(p g)/(sum p + sum g).",
    hints=(
        "In which share of the images is such a pixel foreground? Which probability minimizes the expected loss?",
        "The best p is r. The part has the probability 1.",
        "First step: minimize -r ln p - (1 - r) ln(1 - p) by p.",
    ),
    mistakes=[
        Mistake(
            "follows-the-part",
            "p = 0",
            "You followed the part alone. The pixels are foreground in a share r of the images.",
        ),
        Mistake(
            "ratio-of-areas",
            "p = a/b",
            "That is the ratio of the areas. The probability follows the share of the images.",
        ),
        Mistake(
            "all-pixels",
            "L = -(r*ln(r) + (1 - r)*ln(1 - r))",
            "The part has no loss, because it is foreground in every target.",
        ),
        Mistake(
            "iou-for-dice",
            "d_part = a/(a + (b - a)*r); d_whole = (a + (b - a)*r)/b",
            "That is the soft IoU. Dice doubles the intersection, and divides by the sum of the areas.",
        ),
        Mistake("other-mask", {"hard": _other_mask}, "Compare the probability of the other pixels with 0.5."),
    ],
)
def sam_ambiguous_click(rng: Random) -> Inputs:
    """One mask for an ambiguous click"""
    b = 10 * rng.randint(6, 30)
    a = rng.randint(10, b // 2)
    r = rng.choice([0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8])
    if abs(a / b - r) < 0.05:
        raise UndefinedValue("the ratio of the areas must differ from the share")
    return dict(a=a, b=b, r=r)


@drill(
    SAM2_MEMORY,
    tier=2,
    asks=("n", "MiB", "pairs"),
    prompt="SAM 2's memory has N = {N} recent and M = {M} prompted frames, each as {g}x{g} tokens with 64 channels, "
    "and q "
    "= {q} object pointers of 256 values, each split into 4 tokens of 64 values.\n"
    "How many memory tokens are there (n)? How many MiB (2^20 bytes) do they need at {bytes} bytes per value (MiB)? "
    "How "
    "many query-key pairs does a head have if a frame of {g}x{g} tokens attends to the memory (pairs)?",
    hint="How many tokens has one frame, and how many has one object pointer?",
    mistakes=[
        Mistake(
            "pointers-not-split", "n = (N + M)*g^2 + q", "A pointer of 256 values is split into 4 tokens of 64 values."
        ),
        Mistake("pointers-left-out", "n = (N + M)*g^2", "You left out the object pointers."),
        Mistake("recent-only", "n = N*g^2 + 4*q", "You left out the prompted frames, which stay in the memory."),
        Mistake(
            "wide-memories", "MiB = 256*n*bytes/2^20", "Memories have 64 channels, not the 256 of the image embedding."
        ),
        Mistake("megabytes", "MiB = 64*n*bytes/10^6", "Those are megabytes. A MiB has 2^20 bytes."),
        Mistake(
            "self-attention", "pairs = n^2", "The queries are the tokens of the frame, the keys those of the memory."
        ),
    ],
)
def sam2_memory(rng: Random) -> Inputs:
    """Tokens of SAM 2's memory"""
    return dict(
        N=rng.choice([4, 6, 6, 6, 8]), M=rng.choice([1, 1, 2, 3]), q=rng.choice([4, 7, 8, 12, 16, 16]),
        g=rng.choice([64, 64, 32, 48]), bytes=rng.choice([2, 2, 4]),
    )  # fmt: skip


def _bank(t: int, N: int, prompted: list[int], is_prompt_queued: bool) -> list[int]:
    """Return the frames in a memory whose queue counts prompted frames too, or forgets them."""
    frames = range(t) if is_prompt_queued else [frame for frame in range(t) if frame not in prompted]
    return list(frames)[-N:]


def _bank_steps(t: int, N: int, prompted: list[int], frames: list[int], count: int, **values: Any) -> list[Step]:
    texts = ", ".join(str(int(frame)) for frame in prompted)
    return [
        Step(f"The prompted frames stay: {texts}."),
        Step(f"Of the other frames before frame {int(t)}, the {int(N)} most recent ones are in the queue, from frame "
             f"{int(values['oldest'])} on.", [f"frames = [{', '.join(str(int(frame)) for frame in frames)}]"]),
        Step("Each frame has a token per position.", [f"n = {int(count)}*{int(values['g'])}^2", f"n = "
        f"{int(values['n'])}"]),
    ]  # fmt: skip


@drill(
    SAM2_BANK,
    id="sam2-memory:bank",
    tier=1,
    asks=("frames", "oldest", "n"),
    decimals=None,
    steps=_bank_steps,
    prompt="SAM 2 segments frame t = {t} of a video (frames are numbered from 0). The frames prompted = {prompted} "
    "have "
    "clicks. Its memory has all prompted frames, and a first-in-first-out queue of the N = {N} most recent frames "
    "without a prompt.\n"
    "Which frames are in the memory (frames, in increasing order)? Which is the oldest frame without a prompt in it "
    "(oldest)? How many spatial tokens do they have, at {g}x{g} per frame (n)?",
    hint="Which frames before this one have no prompt? Does a prompted frame occupy a place in the queue?",
    mistakes=[
        Mistake(
            "prompts-in-the-queue",
            {"frames": lambda t, N, prompted, g: _bank(t, N, prompted, True)},
            "You put the prompted frames into the queue. They have places of their own, and stay.",
        ),
        Mistake(
            "prompts-forgotten",
            {"frames": lambda t, N, prompted, g: _bank(t, N, prompted, False)},
            "You left out the prompted frames. They stay in the memory.",
        ),
        Mistake(
            "oldest-by-subtraction",
            {"oldest": lambda t, N, prompted, g: t - N},
            "A prompted frame within the last N frames has no place in the queue, so the queue begins earlier.",
        ),
        Mistake(
            "current-frame",
            {"n": lambda t, N, prompted, g: (N + len(prompted) + 1) * g**2},
            "The current frame is not in the memory yet.",
        ),
        Mistake("queue-only", {"n": lambda t, N, prompted, g: N * g**2}, "You left out the prompted frames."),
    ],
)
def sam2_memory_bank(rng: Random) -> Inputs:
    """Frames in SAM 2's memory"""
    t, N = rng.randint(12, 60), rng.choice([3, 4, 6, 6])
    prompted = [0, t - rng.randint(1, N - 1)]
    if rng.random() < 0.5:
        prompted.insert(1, rng.randint(1, t - N - 3))
    return dict(t=t, N=N, prompted=prompted, g=rng.choice([64, 64, 32]))
