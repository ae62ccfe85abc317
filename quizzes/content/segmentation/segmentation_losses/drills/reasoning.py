"""Pixel cross-entropy and Dice: drills that derive, decide and debug."""

from random import Random
from typing import Any

from quizzes.content.segmentation.segmentation_losses.formulas import (
    DICE_CODE,
    DICE_GRADIENT,
    DICE_GRADIENT_SQUARED,
    LOSS_IMBALANCE,
)
from quizzes.drill import Inputs, Mistake, derive, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

GRADIENT_HINTS = (
    "Which of I and S depends on the probability of a background pixel?",
    "The quotient rule gives d(2I/S)/dp = 2 (I' S - I S')/S^2.",
    "First step: dI/dp is 1 for a foreground pixel and 0 for a background pixel.",
)

SIGN = "You have the gradient of the coefficient. The loss is 1 minus it, so both signs change."


def _gradient_steps(slope: str, fg: str, bg: str, v: list[Value]) -> list[Step]:
    return [
        Step(f"A pixel's probability changes I by 1 in the foreground and by 0 in the background, and S by {slope}."),
        Step("Apply the quotient rule to 1 - 2I/S, with dI/dp = 1.", [f"fg = {fg}"]),
        Step("In the background, dI/dp = 0.", [f"bg = {bg}"]),
        Step("Put in the sums of the pixels.", [f"v = [{', '.join(f'{float(value):.4f}' for value in v)}]"]),
    ]


def _plain_steps(fg: str, bg: str, v: list[Value], **_: Any) -> list[Step]:
    return _gradient_steps("1", fg, bg, v)


def _squared_steps(fg: str, bg: str, v: list[Value], **_: Any) -> list[Step]:
    return _gradient_steps("2p", fg, bg, v)


def _draw_mask(rng: Random) -> tuple[list[float], list[int]]:
    g = [1, 1, 0, 0][: rng.choice([3, 4])]
    rng.shuffle(g)
    return [rng.randint(1, 9) / 10 for _ in g], g


@drill(
    DICE_GRADIENT,
    tier=3,
    asks=(derive("fg", in_terms_of="I S"), derive("bg", in_terms_of="I S"), "v"),
    steps=_plain_steps,
    prompt="The soft Dice loss is L = 1 - 2I/S with I = sum(p g) and S = sum(p) + sum(g), where p are foreground "
    "probabilities and g is the true mask of zeros and ones.\n"
    "Derive dL/dp of a foreground pixel (fg) and of a background pixel (bg), in terms of I and S. What is the gradient "
    "by p for p = {p} and g = {g} (v)?",
    hints=GRADIENT_HINTS,
    mistakes=[
        Mistake(
            "numerator-only",
            "fg = -2/S; bg = 0; v[i] = -2*g[i]/S0",
            "You held S constant. It contains the probability of every pixel: use the quotient rule.",
        ),
        Mistake("sign", "fg = 2*(S - I)/S^2; bg = -2*I/S^2; v[i] = 2*(S0*g[i] - I0)/S0^2", SIGN),
        Mistake(
            "not-squared",
            "fg = 2*(I - S)/S; bg = 2*I/S; v[i] = 2*(I0 - S0*g[i])/S0",
            "You divided by S. The quotient rule divides by S^2.",
        ),
    ],
)
def dice_gradient(rng: Random) -> Inputs:
    """Gradient of the soft Dice loss"""
    p, g = _draw_mask(rng)
    return dict(p=p, g=g, variables={"I": [0.5, 2], "S": [2.5, 8]})


@drill(
    DICE_GRADIENT_SQUARED,
    id="dice-gradient:squared",
    tier=3,
    asks=(derive("fg", in_terms_of="I S p"), derive("bg", in_terms_of="I S p"), "v"),
    steps=_squared_steps,
    prompt="V-Net's Dice loss is L = 1 - 2I/S with I = sum(p g) and S = sum(p^2) + sum(g^2), where p are foreground "
    "probabilities and g is the true mask of zeros and ones.\n"
    "Derive dL/dp of a foreground pixel (fg) and of a background pixel (bg) with the probability p, in terms of I, S "
    "and p. What is the gradient for the probabilities q = {q} and g = {g} (v)?",
    hints=GRADIENT_HINTS,
    mistakes=[
        Mistake(
            "numerator-only",
            "fg = -2/S; bg = 0; v[i] = -2*g[i]/S0",
            "You held S constant. It contains the probability of every pixel: use the quotient rule.",
        ),
        Mistake(
            "no-squares",
            "fg = 2*(I - S)/S^2; bg = 2*I/S^2; v[i] = 2*(I0 - S0*g[i])/S0^2",
            "You used dS/dp = 1, as without squares. Here, dS/dp is 2p.",
        ),
        Mistake("sign", "fg = (2*S - 4*I*p)/S^2; bg = -4*I*p/S^2; v[i] = (2*S0*g[i] - 4*I0*q[i])/S0^2", SIGN),
    ],
)
def dice_gradient_squared(rng: Random) -> Inputs:
    """Gradient of V-Net's Dice loss"""
    q, g = _draw_mask(rng)
    return dict(q=q, g=g, variables={"I": [0.5, 2], "S": [2.5, 8], "p": [0.1, 0.9]})


def _other_pick(**values: Any) -> str:
    """Return the preference of a student who thinks that both criteria agree, or that they don't."""
    pick = LOSS_IMBALANCE.evaluate(values)["pick"]
    return "both_y" if pick == 1 else "split"


def _imbalance_steps(N: int, f: int, r: int, e: Value, h: Value, **v: Any) -> list[Step]:
    low, high = float(e), float(h)
    rest, inner = N - f, N - f - r
    return [
        Step(
            "Add up the cross-entropy of all pixels, and divide by their number.",
            [
                f"bce_X = -({f}*ln({low:g}) + {rest}*ln(1 - {low:g}))/{N}",
                f"bce_X = {float(v['bce_x']):.4f}",
                f"bce_Y = -({f}*ln({high:g}) + {r}*ln(1 - {high:g}) + {inner}*ln(1 - {low:g}))/{N}",
                f"bce_Y = {float(v['bce_y']):.4f}",
            ],
        ),
        Step(
            "Only foreground pixels are in the soft intersection. The sum of both areas has all probabilities.",
            [
                f"d_X = 2*{f}*{low:g}/({N}*{low:g} + {f})",
                f"d_X = {float(v['d_x']):.4f}",
                f"d_Y = 2*{f}*{high:g}/({high:g}*({f} + {r}) + {low:g}*{inner} + {f})",
                f"d_Y = {float(v['d_y']):.4f}",
            ],
        ),
        Step("The cross-entropy prefers the smaller loss, Dice the larger coefficient."),
        Step(
            "With the weight w on the foreground, Y gains on the foreground and loses on the false alarms. Both are "
            "equal "
            "at this weight:",
            [
                f"w = {r}*(ln(1 - {low:g}) - ln(1 - {high:g}))/({f}*(ln({high:g}) - ln({low:g})))",
                f"w = {float(v['w']):.4f}",
            ],
        ),
    ]


@drill(
    LOSS_IMBALANCE,
    id="decide-loss-imbalance",
    tier=3,
    asks=("bce_x", "bce_y", "d_x", "d_y", "pick", "w"),
    steps=_imbalance_steps,
    prompt="Of N = {N} pixels, f = {f} are foreground. Mask X has the foreground probability {e} at every pixel. Mask "
    "Y "
    "has {h} at the foreground pixels and at r = {r} background pixels, and {e} elsewhere.\n"
    "What are the mean binary cross-entropies of X (bce_x) and Y (bce_y), and their soft Dice coefficients 2 sum(p g)/"
    "(sum p + sum g), d_x and d_y? Which mask does each criterion prefer (pick)? Above which weight w of the "
    "foreground "
    "does the weighted cross-entropy prefer Y?\n"
    "Conventions: natural log; mean over the pixels; the weight multiplies the loss of foreground pixels.",
    hints=(
        "Which pixels have the same loss in both masks? What does Y gain, and what does it lose?",
        "The weighted losses are equal where w times the gain on the foreground is the loss on the false alarms.",
        "First step: count the foreground pixels, the false alarms and the remaining pixels.",
    ),
    mistakes=[
        Mistake(
            "sum-for-mean",
            "bce_x = -f*ln(e) - (N - f)*ln(1 - e); bce_y = -f*ln(h) - r*ln(1 - h) - (N - f - r)*ln(1 - e)",
            "You took the sum. The cross-entropy is the mean over the pixels.",
        ),
        Mistake(
            "iou-for-dice",
            "d_x = f*e/(N*e + f - f*e); d_y = f*h/(h*(f + r) + e*(N - f - r) + f - f*h)",
            "That is the soft IoU. Dice doubles the intersection and doesn't subtract it below.",
        ),
        Mistake("class-ratio", "w = (N - f)/f", "That is the ratio of the classes. Compare the losses of both masks."),
        Mistake("counts", "w = r/f", "You compared the numbers of pixels. Compare their losses."),
        Mistake("other-pick", {"pick": _other_pick}, "Compare bce_x with bce_y, and d_x with d_y."),
    ],
)
def decide_loss_imbalance(rng: Random) -> Inputs:
    """Cross-entropy or Dice for a small object"""
    N = rng.choice([500, 1000, 1000, 2000])
    f = rng.choice([5, 8, 10, 15, 20])
    r = f * rng.choice([1, 2, 2, 3, 4, 5]) + rng.choice([0, 3, -2])
    values = dict(N=N, f=f, r=r, e=rng.choice([0.01, 0.02, 0.05]), h=rng.choice([0.8, 0.85, 0.9, 0.95]))
    result = LOSS_IMBALANCE.evaluate(values)
    if abs(result["w"] - 1) < 0.1 or result["pick"] not in (1, 2):
        raise UndefinedValue("the losses are almost equal")
    if result["pick"] == 1 and rng.random() < 0.4:
        raise UndefinedValue("both preferences should be about equally frequent")
    return values


BUGS = {
    2: "p = (torch.sigmoid(logits) > 0.5).float()",
    4: "total = p.sum() + target.sum() - (p * target).sum()",
    5: "return 1 - inter / total",
}

LINES = {
    2: "p = torch.sigmoid(logits)",
    4: "total = p.sum() + target.sum()",
    5: "return 1 - 2 * inter / total",
}

REASONS = {
    2: "Line 2 compares with 0.5. A comparison has no gradient, so backward() raises an error: the loss must use p "
    "itself.",
    4: "Line 4 subtracts the intersection, which gives the union. Dice divides by the sum of both areas.",
    5: "Line 5 lacks the factor 2 of the intersection, so two equal masks would have a loss of 0.5.",
}


def _code_steps(line: int, printed: Value, fixed: Value, **_: Any) -> list[Step]:
    return [
        Step(REASONS[line]),
        Step("The program computes this loss as it stands.", [f"printed = {float(printed):.4f}"]),
        Step("The corrected line gives the soft Dice loss.", [f"fixed = {float(fixed):.4f}"]),
    ]


@drill(
    DICE_CODE,
    id="debug-dice-loss",
    tier=2,
    asks=("line", "effect", "printed", "fixed"),
    visualization="code program",
    steps=_code_steps,
    prompt="This function should compute a soft Dice loss for training, but one line is incorrect.\n"
    "Which line is it (line)? Which gradient do the logits get (effect)? Which loss does the program print for the "
    "foreground probabilities p = {p} and the mask g = {g} (printed), and which one does the corrected program print "
    "(fixed)?",
    hints=(
        "Compute the loss for two equal masks. Through which operations can a gradient pass?",
        "Soft Dice is 2 sum(p g)/(sum p + sum g), and the loss is 1 minus it.",
        "First step: compute p, inter and total as they stand.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 5 if line != 5 else 4},
            "That line is correct. Compare each line with 1 - 2 sum(p g)/(sum p + sum g).",
        ),
        Mistake("blames-sum", {"line": 3}, "The intersection is the sum of the products, as it is."),
        Mistake(
            "other-effect",
            {"effect": lambda line, **_: "flows" if line == 2 else "none"},
            "A comparison has no gradient. Sums, products and quotients have one, even if they are incorrect.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda p, g, line: DICE_CODE.evaluate(dict(p=p, g=g, line=line))["fixed"]},
            "That is the correct loss. This program prints another one: follow it as it stands.",
        ),
        Mistake(
            "thresholded",
            {"fixed": lambda p, g, **_: DICE_CODE.evaluate(dict(p=p, g=g, line=2))["printed"]},
            "You thresholded the probabilities. Soft Dice uses them as they are.",
        ),
    ],
)
def debug_dice_loss(rng: Random) -> Inputs:
    """Dice loss in PyTorch"""
    line = rng.choice([2, 2, 4, 5])
    g = [1, 1, 0, 0]
    rng.shuffle(g)
    p = [rng.choice([1, 2, 3, 4, 6, 7, 8, 9]) / 10 for _ in g]
    if not any(value > 0.5 and target for value, target in zip(p, g, strict=True)):
        raise UndefinedValue("the hard masks must overlap")
    lines = {**LINES, line: BUGS[line]}
    program = f"""
def dice_loss(logits, target):
    {lines[2]}
    inter = (p * target).sum()
    {lines[4]}
    {lines[5]}
logits = torch.logit(torch.tensor({p})).requires_grad_()
print(dice_loss(logits, torch.tensor({g}).float()))
""".strip()
    return dict(p=p, g=g, line=line, program=program)
