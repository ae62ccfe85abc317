"""Pixel cross-entropy and Dice: drills about the overlap of masks."""

from fractions import Fraction
from random import Random

from quizzes.content.segmentation.segmentation_losses.formulas import (
    DICE,
    DICE_COUNTS,
    DICE_JACCARD,
    MASK_DICE,
    SOFT_DICE,
    SQUARED_DICE,
    TVERSKY,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue

UNION = "You divided by the union. Dice divides by the sum of both areas."

NO_FACTOR = "You left out the factor 2. Dice of two equal masks is 1."


@drill(
    DICE,
    tier=1,
    asks=("D", "J", "L"),
    prompt="A predicted mask has {a} px, the true mask {b} px, and {I} px are in both.\n"
    "What are the Dice coefficient D, the Jaccard index J (the IoU), and the Dice loss L?",
    hint="Dice compares the intersection with the mean of both areas, Jaccard with the union.",
    mistakes=[
        Mistake("over-union", "D = 2*I/(a + b - I)", UNION),
        Mistake("no-factor", "D = I/(a + b)", NO_FACTOR),
        Mistake("jaccard", "D = I/(a + b - I)", "That is the Jaccard index. Dice is 2I over the sum of both areas."),
        Mistake("loss-of-jaccard", "L = 1 - J", "That is the Jaccard loss. The Dice loss is 1 - D."),
        Mistake("over-areas", "J = I/(a + b)", "You counted the intersection twice. The union has it once."),
        Mistake("over-truth", "J = I/b", "You divided by the true mask alone, which gives recall. Use the union."),
    ],
)
def dice(rng: Random) -> Inputs:
    """Dice and Jaccard from areas"""
    inside = rng.randint(10, 80)
    a, b = (inside + rng.randint(3, 60) for _ in range(2))
    if a == b:
        raise UndefinedValue("the areas must differ")
    return dict(a=a, b=b, I=inside)


@drill(
    DICE_JACCARD,
    id="dice:jaccard",
    tier=1,
    asks="D",
    prompt="Two masks have the Dice coefficient D = {D} and the Jaccard index J = {J} (their IoU).",
    hint="Call the intersection I and the union U. What is the sum of both areas in terms of I and U?",
    mistakes=[
        Mistake(
            "doubled", "D = 2*J", "You only doubled the Jaccard index. The sum of the areas is larger than the union."
        ),
        Mistake("inverse", "D = J/(2 - J)", "That is Jaccard in terms of Dice, J = D/(2 - D). Solve it for D."),
        Mistake(
            "equal", "D = J", "They are equal only for 0 and 1. Dice divides by the sum of areas, Jaccard by the union."
        ),
    ],
)
def dice_jaccard(rng: Random) -> Inputs:
    """Dice from Jaccard"""
    size = rng.randint(5, 30)
    inside = rng.randint(1, size - 1)
    if 2 * inside > size:  # twice the Jaccard index would be above 1
        raise UndefinedValue("the doubled index must be possible")
    return dict(J=str(Fraction(inside, size)))


@drill(
    DICE_COUNTS,
    id="dice:counts",
    tier=1,
    asks=one_of("D", "TP", "FN"),
    prompt="A binary segmentation has TP = {TP} true positive, FP = {FP} false positive and FN = {FN} false negative "
    "pixels. Its Dice coefficient is D = {D}.",
    hint="How often does a true positive occur in the sum of both areas?",
    mistakes=[
        Mistake("jaccard", "D = TP/(TP + FP + FN)", "That is the Jaccard index. Dice counts the true positives twice."),
        Mistake("twice-above-only", "D = 2*TP/(TP + FP + FN)", "The true positives are in both areas: 2 TP below too."),
        Mistake("precision", "D = TP/(TP + FP)", "That is the precision. Dice counts the false negatives too."),
    ],
)
def dice_counts(rng: Random) -> Inputs:
    """Dice from pixel counts"""
    FP, FN = rng.sample(range(4, 40), 2)
    return dict(TP=rng.randint(5, min(FP + FN, 60)), FP=FP, FN=FN)


@drill(
    MASK_DICE,
    id="dice:masks",
    tier=1,
    asks=("I", "D", "J"),
    decimals=None,
    visualization="matrices A B",
    prompt="The predicted mask is A = {A}, the true mask is B = {B}.\n"
    "How many pixels are in both (I)? What are the Dice coefficient D and the Jaccard index J? Give exact values.",
    hint="Count the ones of each mask, and those that both have.",
    mistakes=[
        Mistake("over-union", "D = 2*I/(a + b - I)", UNION),
        Mistake("no-factor", "D = I/(a + b)", NO_FACTOR),
        Mistake(
            "background-counted",
            "I = sum(i, sum(j, [A[i, j] = B[i, j]]))",
            "You counted the background that both have. Only pixels with 1 in both masks are in the intersection.",
        ),
        Mistake("over-areas", "J = I/(a + b)", "You counted the intersection twice. The union has it once."),
        Mistake("over-truth", "J = I/b", "You divided by the true mask alone, which gives recall. Use the union."),
    ],
)
def dice_masks(rng: Random) -> Inputs:
    """Dice of two small masks"""
    rows, columns = rng.choice([(3, 4), (4, 4), (3, 5), (4, 5)])

    def block() -> tuple[range, range]:
        top, left = rng.randint(0, 1), rng.randint(0, 2)
        return range(top, top + rng.randint(2, rows - top)), range(left, left + rng.randint(2, columns - left))

    masks = []
    for _ in range(2):
        high, wide = block()
        masks.append([[int(i in high and j in wide) for j in range(columns)] for i in range(rows)])
    i, j = rng.randrange(rows), rng.randrange(columns)
    masks[0][i][j] = 1 - masks[0][i][j]
    areas = [sum(map(sum, mask)) for mask in masks]
    inside = sum(a * b for x, y in zip(*masks, strict=True) for a, b in zip(x, y, strict=True))
    if areas[0] == areas[1] or not 0 < inside < min(areas):
        raise UndefinedValue("the masks must overlap and have different areas")
    return dict(A=masks[0], B=masks[1])


def _draw_pixels(rng: Random) -> tuple[list[float], list[int]]:
    """Return probabilities and a true mask of both classes; thresholding changes the intersection."""
    count = rng.choice([4, 4, 5, 6])
    g = [1, 0, 1] + [rng.randint(0, 1) for _ in range(count - 3)]
    rng.shuffle(g)
    return [rng.choice([5, 10, 20, 30, 40, 60, 70, 80, 90, 95]) / 100 for _ in g], g


@drill(
    SOFT_DICE,
    id="dice:soft",
    tier=2,
    asks=("I", "S", "L"),
    visualization="matrices p g",
    prompt="A network predicts the foreground with the probabilities p = {p}. The true mask is g = {g}.\n"
    "What are the soft intersection I = sum(p g), the sum of both areas S = sum(p) + sum(g), and the soft Dice loss "
    "L = 1 - (2I + eps)/(S + eps) with eps = {eps}?",
    hint="Use the probabilities as they are, without a threshold.",
    mistakes=[
        Mistake(
            "thresholded",
            "I = sum(i, [p[i] > 0.5]*g[i]); S = sum(i, [p[i] > 0.5]) + sum(i, g[i])",
            "You thresholded the probabilities. Soft Dice uses them as they are, so that it has a gradient.",
        ),
        Mistake("union", "S = sum(i, p[i]) + sum(i, g[i]) - I", "You subtracted the intersection. Dice doesn't."),
        Mistake("squares", "S = sum(i, p[i]^2) + sum(i, g[i])", "That is V-Net's form. Here, S has no squares."),
        Mistake("eps-below-only", "L = 1 - 2*I/(S + eps)", "eps is added to the numerator too."),
        Mistake("coefficient", "L = (2*I + eps)/(S + eps)", "That is the coefficient. The loss is 1 minus it."),
        Mistake("no-factor", "L = 1 - (I + eps)/(S + eps)", "You left out the factor 2 of the intersection."),
    ],
)
def dice_soft(rng: Random) -> Inputs:
    """Soft Dice loss"""
    p, g = _draw_pixels(rng)
    return dict(p=p, g=g, eps=rng.choice([1, 1, 0.5, 0.1]))


@drill(
    SQUARED_DICE,
    id="dice:squared",
    tier=2,
    asks=("I", "S", "L"),
    visualization="matrices p g",
    prompt="A network predicts the foreground with the probabilities p = {p}. The true mask is g = {g}. As in V-Net, "
    "the "
    "Dice loss is L = 1 - 2I/S with the squares S = sum(p^2) + sum(g^2).\n"
    "What are the soft intersection I = sum(p g), S, and L?",
    hint="Which of the three sums has squares? What is the square of a value of the mask?",
    mistakes=[
        Mistake("no-squares", "S = sum(i, p[i]) + sum(i, g[i])", "You left out the squares of the probabilities."),
        Mistake(
            "square-of-sum", "S = sum(i, p[i])^2 + sum(i, g[i])^2", "You squared the sums. Square each value first."
        ),
        Mistake("intersection-squared", "I = sum(i, p[i]^2*g[i])", "You squared the intersection. Only S has squares."),
        Mistake("coefficient", "L = 2*I/S", "That is the coefficient. The loss is 1 minus it."),
        Mistake("no-factor", "L = 1 - I/S", "You left out the factor 2 of the intersection."),
    ],
)
def dice_squared(rng: Random) -> Inputs:
    """Soft Dice loss with squares"""
    p, g = _draw_pixels(rng)
    return dict(p=p, g=g)


@drill(
    TVERSKY,
    tier=2,
    asks=("T", "D", "J"),
    prompt="A segmentation of lesions has TP = {TP}, FP = {FP} and FN = {FN} pixels. The Tversky index is T = TP/(TP + "
    "alpha FP + beta FN) with alpha = {alpha} and beta = {beta}.\n"
    "What is T? What are the Dice coefficient D and the Jaccard index J, which are the Tversky index with alpha = beta "
    "= 1/2 and alpha = beta = 1?",
    hint="Which kind of error counts more with these weights?",
    mistakes=[
        Mistake(
            "weights-swapped",
            "T = TP/(TP + beta*FP + alpha*FN)",
            "You swapped the weights. alpha belongs to the false positives, beta to the false negatives.",
        ),
        Mistake("doubled", "T = 2*TP/(2*TP + alpha*FP + beta*FN)", "The true positives have the weight 1 here."),
        Mistake("jaccard-for-dice", "D = TP/(TP + FP + FN)", "That is the Jaccard index. Dice has both weights 1/2."),
        Mistake("dice-for-jaccard", "J = 2*TP/(2*TP + FP + FN)", "That is Dice. Jaccard has both weights 1."),
        Mistake(
            "loss", "T = 1 - TP/(TP + alpha*FP + beta*FN)", "That is the loss. The index is not subtracted from 1."
        ),
    ],
)
def tversky(rng: Random) -> Inputs:
    """Tversky index"""
    FP, FN = rng.sample(range(5, 60), 2)
    alpha = rng.choice([0.2, 0.3, 0.3, 0.7, 0.1])
    return dict(TP=rng.randint(20, 120), FP=FP, FN=FN, alpha=alpha, beta=round(1 - alpha, 1))
