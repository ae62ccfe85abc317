"""Semantic, instance and panoptic segmentation: drills about IoU of pixels."""

from random import Random
from typing import Any

from quizzes.content.segmentation.segmentation_types.formulas import (
    BOUNDARY_ERROR,
    BOUNDARY_IOU,
    IOU_FROM_RATES,
    LABEL_MAPS,
    MIOU,
    MIOU_CODE,
    POOLED_IOU,
)
from quizzes.content.segmentation.segmentation_types.segments import confusion
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

Matrix = list[list[int]]


def _draw_counts(rng: Random, classes: int) -> Matrix:
    """Return a confusion matrix whose first class is the largest, and whose rows and columns differ in their sums."""
    C = [[rng.randint(1, 15) for _ in range(classes)] for _ in range(classes)]
    for k in range(classes):
        C[k][k] = rng.randint(10, 40) + (60 if k == 0 else 0)
    if any(sum(C[k]) == sum(row[k] for row in C) for k in range(classes)):
        raise UndefinedValue("precision and recall must differ")
    return C


def _miou_steps(C: Matrix, T: list[int], P: list[int], **values: Any) -> list[Step]:
    steps = []
    for k, row in enumerate(C):
        union = T[k] + P[k] - row[k]
        steps.append(
            Step(
                f"Class {k + 1}: the union of {T[k]} true and {P[k]} predicted pixels, of which {row[k]} are both.",
                [f"IoU_{k + 1} = {row[k]}/({T[k]} + {P[k]} - {row[k]})", f"IoU_{k + 1} = {row[k] / union:.4f}"],
            )
        )
    steps.append(Step("Average over the classes.", [f"mIoU = {float(values['mIoU']):.4f}"]))
    correct = sum(row[k] for k, row in enumerate(C))
    steps.append(
        Step(
            "The pixel accuracy is the share of the diagonal.",
            [f"acc = {correct}/{sum(T)}", f"acc = {float(values['acc']):.4f}"],
        )
    )
    if len(C) > 2:  # the drill of three classes asks for them
        steps.append(
            Step(
                "The mean accuracy averages the recall of the classes. fw weights each IoU by the true pixels.",
                [f"mean_acc = {float(values['mean_acc']):.4f}", f"fw = {float(values['fw']):.4f}"],
            )
        )
    return steps


RECALL = "iou[i] = C[i, i]/T[i]"


@drill(
    MIOU,
    tier=1,
    asks=("iou", "mIoU", "acc"),
    visualization="confusion C",
    steps=_miou_steps,
    prompt="The pixels of a segmentation with two classes have the confusion matrix C = {C} (rows: true class, "
    "columns: "
    "predicted class).\n"
    "What are the IoU of each class (iou), their mean (mIoU), and the pixel accuracy (acc)?",
    hint="Which pixels are in the union of a class: those in its row, those in its column, and which of them twice?",
    mistakes=[
        Mistake(
            "recall",
            RECALL,
            "You divided by the true pixels, which gives recall. The union also has the false positives.",
        ),
        Mistake("precision", "iou[i] = C[i, i]/P[i]", "You divided by the predicted pixels, which gives precision."),
        Mistake(
            "union-twice",
            "iou[i] = C[i, i]/(T[i] + P[i])",
            "You counted the intersection twice. The union has it once.",
        ),
        Mistake("dice", "iou[i] = 2*C[i, i]/(T[i] + P[i])", "That is the Dice coefficient. IoU divides by the union."),
        Mistake(
            "accuracy-for-iou", "mIoU = sum(i, C[i, i])/sum(i, T[i])", "That is the pixel accuracy. Average the IoUs."
        ),
        Mistake(
            "mean-recall",
            "acc = mean(i, C[i, i]/T[i])",
            "That is the mean accuracy of the classes. Divide all correct pixels by all pixels.",
        ),
    ],
)
def miou(rng: Random) -> Inputs:
    """Mean IoU of two classes"""
    return dict(C=_draw_counts(rng, 2))


@drill(
    MIOU,
    id="miou:three-classes",
    tier=2,
    asks=("mIoU", "acc", "mean_acc", "fw"),
    visualization="confusion C",
    steps=_miou_steps,
    prompt="The pixels of a segmentation with three classes have the confusion matrix C = {C} (rows: true class, "
    "columns: "
    "predicted class).\n"
    "What are the mean IoU (mIoU), the pixel accuracy (acc), the mean accuracy (mean_acc: the mean recall of the "
    "classes), and the frequency weighted IoU (fw: the IoUs weighted by the shares of the true pixels)?",
    hint="Compute the IoU of each class first. Which of the four measures is dominated by the largest class?",
    mistakes=[
        Mistake(
            "union-twice",
            "mIoU = mean(i, C[i, i]/(T[i] + P[i]))",
            "You counted the intersection twice. The union has it once.",
        ),
        Mistake(
            "dice",
            "mIoU = mean(i, 2*C[i, i]/(T[i] + P[i]))",
            "That is the mean Dice coefficient. IoU divides by the union.",
        ),
        Mistake(
            "pooled",
            "mIoU = sum(i, C[i, i])/sum(i, T[i] + P[i] - C[i, i])",
            "You added up the counts first. Average the IoUs of the classes.",
        ),
        Mistake(
            "mean-recall",
            "acc = mean(i, C[i, i]/T[i])",
            "That is the mean accuracy. Divide all correct pixels by all pixels.",
        ),
        Mistake(
            "mean-precision",
            "mean_acc = mean(i, C[i, i]/P[i])",
            "You divided by the predicted pixels, which gives precision.",
        ),
        Mistake(
            "accuracy-for-mean",
            "mean_acc = sum(i, C[i, i])/sum(i, T[i])",
            "That is the pixel accuracy. Average the recall of the classes.",
        ),
        Mistake(
            "unweighted",
            "fw = mean(i, C[i, i]/(T[i] + P[i] - C[i, i]))",
            "That is the mean IoU. Weight each class by its true pixels.",
        ),
        Mistake(
            "weighted-by-predictions",
            "fw = sum(i, P[i]*iou[i])/sum(i, P[i])",
            "You weighted by the predicted pixels. Use the true ones.",
        ),
    ],
)
def miou_three_classes(rng: Random) -> Inputs:
    """Four measures of a confusion matrix"""
    return dict(C=_draw_counts(rng, 3))


def _void_as_error(P: Matrix, T: Matrix, K: int, ignore: int) -> Value:
    """Return the pixel accuracy if void pixels count as errors."""
    C = confusion(P, T, K, int(ignore))
    return sum(C[k][k] for k in range(K)) / (sum(map(len, T)))


def _absent_as_zero(P: Matrix, T: Matrix, K: int, ignore: int) -> Value:
    values = LABEL_MAPS.evaluate(dict(P=P, T=T, K=K, ignore=ignore))
    return sum(values["iou"]) / K


def _occurring_only(P: Matrix, T: Matrix, K: int, ignore: int) -> Value:
    """Return the mean of the recalls of the classes that occur."""
    return LABEL_MAPS.evaluate(dict(P=P, T=T, K=K, ignore=ignore))["mean_acc"]


def _maps_steps(C: Matrix, n: int, iou: list[Value], mIoU: Value, acc: Value, K: int, **_: Any) -> list[Step]:
    present = [k for k in range(K) if sum(C[k]) + sum(row[k] for row in C)]
    texts = []
    for k in present:
        union = sum(C[k]) + sum(row[k] for row in C) - C[k][k]
        texts.append(f"class {k}: {C[k][k]} of {union} px")
    return [
        Step(
            f"Without the void pixels, n = {int(n)} pixels are left. Count the intersection and the union of each "
            f"class: "
            f"{', '.join(texts)}."
        ),
        Step(
            f"Average over the {len(present)} classes that occur or are predicted.",
            [
                f"mIoU = ({' + '.join(f'{float(iou[k]):.4f}' for k in present)})/{len(present)}",
                f"mIoU = {float(mIoU):.4f}",
            ],
        ),
        Step(
            "Divide the correct pixels by all valid ones.",
            [f"acc = {sum(C[k][k] for k in range(K))}/{int(n)}", f"acc = {float(acc):.4f}"],
        ),
    ]


@drill(
    LABEL_MAPS,
    id="miou:masks",
    tier=2,
    asks=("n", "mIoU", "acc"),
    visualization="matrices P T",
    steps=_maps_steps,
    prompt="A network for K = {K} classes (0 to {last}) predicts the classes P = {P} for the pixels of a tiny image. "
    "The "
    "true classes are T = {T}, where {ignore} stands for void.\n"
    "How many pixels are valid (n)? What are the mean IoU (mIoU) and the pixel accuracy (acc)?\n"
    "Conventions: void pixels are left out of all counts; a class that neither occurs nor is predicted is left out of "
    "the mean.",
    hints=(
        "Cross out the void pixels in both maps. Which classes are left?",
        "The IoU of a class: the pixels that have it in both maps, over those that have it in at least one.",
        "First step: count the pixels of T that are not void.",
    ),
    mistakes=[
        Mistake(
            "void-counted", {"n": lambda P, **_: sum(map(len, P))}, "You counted the void pixels. They are left out."
        ),
        Mistake(
            "void-as-error",
            {"acc": _void_as_error},
            "You counted void pixels as errors. They are left out of the number of pixels too.",
        ),
        Mistake(
            "absent-class-as-zero",
            {"mIoU": _absent_as_zero},
            "You counted a class with an empty union as 0. Here, it is left out of the mean.",
        ),
        Mistake(
            "mean-recall",
            {"mIoU": _occurring_only},
            "You divided by the true pixels, which gives recall. The union also has the false positives.",
        ),
        Mistake(
            "accuracy-for-iou",
            {"mIoU": lambda **values: LABEL_MAPS.evaluate(values)["acc"]},
            "That is the pixel accuracy. Average the IoUs of the classes.",
        ),
    ],
)
def miou_masks(rng: Random) -> Inputs:
    """Mean IoU of two label maps"""
    rows, columns = rng.choice([(3, 4), (3, 5), (4, 4)])
    K = rng.choice([3, 4])
    classes = sorted(rng.sample(range(K), K - 1))
    split, border = rng.randint(1, rows - 1), rng.randint(1, columns - 1)
    T = [
        [classes[0] if i < split else classes[1] if j < border else classes[-1] for j in range(columns)]
        for i in range(rows)
    ]
    P = [[rng.choice(classes) if rng.random() < 0.25 else label for label in row] for row in T]
    for _ in range(rng.choice([1, 2])):
        T[rng.randrange(rows)][rng.randrange(columns)] = 255
    values = LABEL_MAPS.evaluate(dict(P=P, T=T, K=K, ignore=255))
    if len({values["mIoU"], values["acc"], values["mean_acc"]}) < 3:
        raise UndefinedValue("the measures must differ")
    return dict(P=P, T=T, K=K, ignore=255, last=K - 1)


@drill(
    IOU_FROM_RATES,
    id="miou:rates",
    tier=1,
    asks="iou",
    prompt="The pixels of a class have precision P = {P}, recall R = {R} and IoU iou = {iou}.",
    hint="Set the number of true positives to 1. How many pixels are predicted, and how many are true?",
    mistakes=[
        Mistake("f1", "iou = 2*P*R/(P + R)", "That is the F1 score, which equals Dice. IoU is smaller."),
        Mistake("product", "iou = P*R", "You multiplied the rates. The union has the true positives once."),
        Mistake("no-intersection", "iou = P*R/(P + R)", "You counted the true positives twice in the union."),
    ],
)
def miou_rates(rng: Random) -> Inputs:
    """IoU from precision and recall"""
    P, R = rng.sample([(1, 2), (2, 3), (3, 4), (3, 5), (4, 5), (2, 5), (5, 6), (5, 8), (7, 8), (7, 10), (9, 10)], 2)
    return dict(P=f"{P[0]}/{P[1]}", R=f"{R[0]}/{R[1]}")


@drill(
    POOLED_IOU,
    id="miou:dataset",
    tier=2,
    asks=("mean_iou", "pooled", "higher"),
    prompt="A class has TP1 = {TP1}, FP1 = {FP1} and FN1 = {FN1} pixels in image 1, and TP2 = {TP2}, FP2 = {FP2} and "
    "FN2 = {FN2} pixels in image 2.\n"
    "What are the mean of its IoUs in both images (mean_iou), and its IoU from the counts of both images together "
    "(pooled), as in benchmarks? Which is higher (higher)?",
    hint="Which image has more pixels of the class? In which of the two measures does it count more?",
    mistakes=[
        Mistake(
            "pooled-for-mean",
            "mean_iou = (TP1 + TP2)/(TP1 + FP1 + FN1 + TP2 + FP2 + FN2)",
            "You added the counts first. Compute an IoU per image, then average.",
        ),
        Mistake(
            "mean-for-pooled",
            "pooled = (first + second)/2",
            "That is the mean over the images. Add the counts of both images first.",
        ),
        Mistake(
            "dice",
            "pooled = 2*(TP1 + TP2)/(2*(TP1 + TP2) + FP1 + FN1 + FP2 + FN2)",
            "That is the Dice coefficient. IoU counts the true positives once.",
        ),
        Mistake(
            "recall",
            "pooled = (TP1 + TP2)/(TP1 + FN1 + TP2 + FN2)",
            "You left out the false positives. They are in the union.",
        ),
        Mistake(
            "other-higher",
            {"higher": lambda TP1, FP1, FN1, TP2, FP2, FN2: _other_higher(TP1, FP1, FN1, TP2, FP2, FN2)},
            "Compare mean_iou with pooled. The image with more pixels dominates pooled.",
        ),
    ],
)
def miou_dataset(rng: Random) -> Inputs:
    """IoU over a dataset or per image"""
    large, small = 10 * rng.randint(30, 90), rng.randint(5, 40)
    good, bad = rng.uniform(0.03, 0.15), rng.uniform(0.4, 0.8)
    if rng.random() < 0.5:
        good, bad = bad, good

    def errors(area: int, share: float) -> tuple[int, int]:
        return round(area * share * rng.uniform(0.6, 1.4)) + 1, round(area * share * rng.uniform(0.6, 1.4)) + 2

    FP1, FN1 = errors(large, good)
    FP2, FN2 = errors(small, bad)
    return dict(TP1=large, FP1=FP1, FN1=FN1, TP2=small, FP2=FP2, FN2=FN2)


def _other_higher(TP1: int, FP1: int, FN1: int, TP2: int, FP2: int, FN2: int) -> str:
    values = POOLED_IOU.evaluate(dict(TP1=TP1, FP1=FP1, FN1=FN1, TP2=TP2, FP2=FP2, FN2=FN2))
    return "per_image" if values["higher"] == 1 else "pooled"


@drill(
    BOUNDARY_ERROR,
    tier=2,
    asks=("n", "iou", "D", "smallest"),
    prompt="A square object is {k}x{k} px. Its predicted mask is a square with the same center that misses e = {e} px "
    "at "
    "each of the four edges.\n"
    "How many pixels are missed (n)? What are the IoU (iou) and the Dice coefficient D? With the same error e, which "
    "is "
    "the smallest height and width of an object whose IoU is at least {tau} (smallest)?",
    hint="How large is the predicted square? Its ratio to the true one is the IoU, because it lies inside.",
    mistakes=[
        Mistake("corners-twice", "n = 4*k*e", "You counted the pixels at the corners twice."),
        Mistake(
            "one-edge",
            "n = k^2 - (k - e)^2; iou = (k - e)^2/k^2",
            "The mask misses e px at both ends of each row: it is k - 2e wide.",
        ),
        Mistake("length-ratio", "iou = (k - 2*e)/k", "That is the ratio of the widths. The IoU is a ratio of areas."),
        Mistake(
            "iou-for-dice",
            "D = (k - 2*e)^2/k^2",
            "That is the IoU. Dice is twice the intersection over the sum of the areas.",
        ),
        Mistake(
            "no-root",
            "smallest = ceil(2*e/(1 - tau))",
            "The IoU is the square of the ratio of the widths: take the square root of the limit.",
        ),
        Mistake(
            "rounded-down", "smallest = floor(2*e/(1 - sqrt(tau)))", "You rounded down, so the IoU is below the limit."
        ),
    ],
)
def boundary_error(rng: Random) -> Inputs:
    """Error at the boundary"""
    e = rng.choice([1, 1, 2, 3])
    return dict(k=rng.randint(6 * e, 30 * e), e=e, tau=rng.choice([0.5, 0.75, 0.8, 0.9, 0.95]))


@drill(
    BOUNDARY_IOU,
    tier=3,
    asks=("g", "p", "biou", "iou"),
    prompt="A square object is {k}x{k} px. Its predicted mask is a square with the same center that misses e = {e} px "
    "at "
    "each of the four edges. Boundary IoU compares only the pixels of each mask that are at most d = {d} px from its "
    "contour, a band of that width along the inside of each edge.\n"
    "How many pixels has the band of the true mask (g), and that of the predicted mask (p)? What are the boundary IoU "
    "(biou) and the IoU of the masks (iou)?",
    hints=(
        "A band is a square without a smaller square inside. Where do the two bands overlap?",
        "g = k^2 - (k - 2d)^2. The bands overlap from e to d px inside of the true contour.",
        "First step: compute the number of pixels of the true band.",
    ),
    mistakes=[
        Mistake("corners-twice", "g = 4*k*d; p = 4*(k - 2*e)*d", "You counted the pixels at the corners twice."),
        Mistake(
            "band-of-the-truth",
            "p = (k - 2*e)^2 - (k - 2*d)^2",
            "The band of the prediction begins at its own contour, and is d wide.",
        ),
        Mistake("mask-iou", "biou = (k - 2*e)^2/k^2", "That is the IoU of the masks. Compare the bands alone."),
        Mistake("union-twice", "biou = I/(g + p)", "You counted the overlap twice. The union has it once."),
        Mistake(
            "ratio-of-bands", "biou = p/g", "The bands lie in different places. Divide their overlap by their union."
        ),
        Mistake("length-ratio", "iou = (k - 2*e)/k", "That is the ratio of the widths. The IoU is a ratio of areas."),
    ],
)
def boundary_iou(rng: Random) -> Inputs:
    """Boundary IoU of two squares"""
    e = rng.choice([1, 1, 2])
    d = e + rng.choice([1, 1, 2, 3])
    return dict(k=rng.randint(2 * (e + d) + 3, 12 * d), e=e, d=d)


LINES = {3: "union = C.sum(0) + C.sum(1) - inter", 4: "iou = inter / union", 5: "return iou.mean()"}

BUGS = {3: "union = C.sum(0) + C.sum(1)", 4: "iou = inter / C.sum(1)", 5: "return inter.sum() / union.sum()"}

REASONS = {
    3: "Line 3 adds true and predicted pixels, so the intersection counts twice. Subtract it.",
    4: "Line 4 divides by the true pixels, which gives recall. IoU divides by the union.",
    5: "Line 5 adds up the classes before it divides, so that large classes dominate. mIoU is the mean of the IoUs.",
}


def _code_steps(line: int, printed: Value, fixed: Value, **_: Any) -> list[Step]:
    return [
        Step(REASONS[line]),
        Step("The program computes this value as it stands.", [f"printed = {float(printed):.4f}"]),
        Step("The corrected program averages the IoUs.", [f"fixed = {float(fixed):.4f}"]),
    ]


@drill(
    MIOU_CODE,
    id="debug-miou",
    tier=2,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    steps=_code_steps,
    prompt="This function should compute the mean IoU of a confusion matrix C (rows: true class, columns: predicted "
    "class), but one line is incorrect.\n"
    "Which line is it (line)? What does the program print for C = {C} (printed), and what does the corrected program "
    "print (fixed)?",
    hints=(
        "Which pixels are in the union of a class? Over what is the mean taken?",
        "The IoU of a class is its diagonal entry over the sum of its row and its column, minus that entry.",
        "First step: compute inter and union as they stand.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: 3 if line != 3 else 4},
            "That line is correct. Compute the IoU of one class by hand, and compare.",
        ),
        Mistake("blames-diagonal", {"line": 2}, "The diagonal has the correct pixels of each class, as it is."),
        Mistake(
            "already-correct",
            {"printed": lambda C, line: MIOU_CODE.evaluate(dict(C=C, line=line))["fixed"]},
            "That is the correct value. This program prints another one: follow it as it stands.",
        ),
        Mistake(
            "accuracy",
            {"fixed": lambda C, **_: MIOU.evaluate(dict(C=C))["acc"]},
            "That is the pixel accuracy. Average the IoUs of the classes.",
        ),
        Mistake(
            "mean-recall",
            {"fixed": lambda C, **_: MIOU.evaluate(dict(C=C))["mean_acc"]},
            "That is the mean recall. IoU divides by the union.",
        ),
    ],
)
def debug_miou(rng: Random) -> Inputs:
    """Mean IoU in PyTorch"""
    C, line = _draw_counts(rng, rng.choice([2, 2, 3])), rng.choice([3, 4, 5])
    lines = {**LINES, line: BUGS[line]}
    program = f"""
def miou(C):
    inter = C.diag()
    {lines[3]}
    {lines[4]}
    {lines[5]}
print(miou(torch.tensor({C})))
""".strip()
    return dict(C=C, line=line, program=program)
