"""NMS and its alternatives: formulas."""

from collections.abc import Sequence

from quizzes.answer_symbols import Choice, LineNumber
from quizzes.content.object_detection.map.ranking import average_precision, hits_of
from quizzes.content.object_detection.nms.suppression import (
    Factor,
    gaussian_factor,
    keep_labels,
    letters,
    linear_factor,
    soft_picks,
    visits,
)
from quizzes.content.object_detection.overlaps import Box, Number, iou_matrix
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Labels, Matrix, Real, Vector
from workbench.errors import UserError

RCNN = (
    "Girshick et al., R-CNN, 2014 (arXiv:1311.2524): a region is rejected if its IoU with a higher-scoring "
    "selected region is larger than a threshold"
)
SOFT = "Bodla et al., Soft-NMS, 2017 (arXiv:1704.04503)"

BOXES = Matrix(meaning="one row x1, y1, x2, y2 per box", unit="px")

SCORES = Vector(0, 1, "scores of the boxes")

KEEP = Labels(meaning="kept boxes, best score first")


def suppress(boxes: Sequence[Box], scores: Sequence[Number], tau: Number) -> dict[str, list[str]]:
    """Return the labels A, B, C ... of the boxes that greedy non-maximum suppression keeps, best score first.

    Raises:
        UserError: As `visits` does.
    """
    return {"keep": keep_labels(visits(boxes, scores, [tau] * len(boxes)))}


NMS = Formula(
    "nms",
    "",
    statement="""
Keep the box with the highest score, remove the others whose IoU with it is
above τ, and so on with what is left.
""",
    title="Non-maximum suppression",
    source=RCNN,
    procedure=suppress,
    procedure_outputs="keep",
    boxes=BOXES,
    scores=SCORES,
    tau=Real(0, 1, "threshold: a box is suppressed if its IoU with a kept box is above it", default=0.5),
    keep=KEEP,
)


SOFT_NMS_DECAY = Formula(
    "soft-nms-decay",
    """
    linear = where(u >= N_t, s*(1 - u), s)
    gaussian = s*exp(-u^2/sigma)
    """,
    title="Score of a box after one round of Soft-NMS",
    source=f"{SOFT}, section 3",
    s=Real(0, 1, "score of the box"),
    u=Real(0, 1, "IoU with the picked box"),
    N_t=Real(0, 1, "threshold of linear decay", default=0.5),
    sigma=Real(0, 10, "width of Gaussian decay", default=0.5),
    linear=Real(meaning="score after linear decay"),
    gaussian=Real(meaning="score after Gaussian decay"),
)


def _soften(boxes: Sequence[Box], scores: Sequence[Number], factor: Factor) -> dict[str, Value]:
    """Return the final scores of Soft-NMS, and the order in which it picks the boxes."""
    picks = list(soft_picks(boxes, scores, factor))
    return {"final": picks[-1].scores, "order": letters([pick.box for pick in picks])}


SOFT_NMS = Formula(
    "soft-nms",
    "",
    title="Soft-NMS with linear decay",
    source=f"{SOFT}, section 3",
    conventions="""
Each round picks the remaining box with the highest current score, and multiplies the scores of the others by 1 - IoU
if their IoU with it is at least N_t. Boxes whose final score is below a small threshold are dropped.
""",
    procedure=lambda boxes, scores, N_t: _soften(boxes, scores, linear_factor(N_t)),
    procedure_outputs="final order",
    boxes=BOXES,
    scores=SCORES,
    N_t=Real(0, 1, "IoU from which on scores decay", default=0.5),
    final=Vector(meaning="final scores"),
    order=Labels(meaning="boxes as they are picked"),
)


SOFT_NMS_GAUSSIAN = Formula(
    "soft-nms-gaussian",
    "",
    title="Soft-NMS with Gaussian decay",
    source=f"{SOFT}, section 3",
    conventions="""
Each round picks the remaining box with the highest current score, and multiplies the scores of the others by
exp(-IoU^2/sigma). Boxes whose final score is below a small threshold are dropped.
""",
    procedure=lambda boxes, scores, sigma: _soften(boxes, scores, gaussian_factor(sigma)),
    procedure_outputs="final order",
    boxes=BOXES,
    scores=SCORES,
    sigma=Real(0.01, 10, "width of the decay", default=0.5),
    final=Vector(meaning="final scores"),
    order=Labels(meaning="boxes as they are picked"),
)


def adapt(
    boxes: Sequence[Box], scores: Sequence[Number], density: Sequence[Number], N_t: Number
) -> dict[str, list[str]]:
    """Return the labels of the boxes that adaptive NMS keeps, best score first.

    Raises:
        UserError: As `visits` does, or if there is not one density per box.
    """
    if len(density) != len(boxes):
        raise UserError(f"density must have one number per box: {len(boxes)}, not {len(density)}.")
    return {"keep": keep_labels(visits(boxes, scores, [max(N_t, d) for d in density]))}


ADAPTIVE_NMS = Formula(
    "adaptive-nms",
    "",
    title="Adaptive NMS: a higher threshold where objects are crowded",
    source="Liu, Huang & Wang, Adaptive NMS, 2019 (arXiv:1904.03629), section 3.2: the threshold of a kept box is the "
    "larger of N_t and its predicted density",
    conventions="The density of a box is the largest IoU of its object with another object. A box is suppressed if "
    "its IoU with a kept box is above the threshold of the kept box.",
    procedure=adapt,
    procedure_outputs="keep",
    boxes=BOXES,
    scores=SCORES,
    density=Vector(0, 1, "predicted densities of the boxes"),
    N_t=Real(0, 1, "lowest threshold", default=0.5),
    keep=KEEP,
)


def suppress_per_class(
    boxes: Sequence[Box], scores: Sequence[Number], classes: Sequence[Number], taus: Sequence[Number]
) -> dict[str, list[str]]:
    """Return the labels of the boxes that NMS within each class keeps, best score first.

    Raises:
        UserError: As `visits` does, or if a class has no threshold.
    """
    if len(classes) != len(boxes):
        raise UserError(f"classes must have one number per box: {len(boxes)}, not {len(classes)}.")
    if any(c != int(c) or not 0 <= c < len(taus) for c in classes):
        raise UserError(f"classes must be integers from 0 to {len(taus) - 1}, because taus has {len(taus)} values.")
    return {"keep": keep_labels(visits(boxes, scores, [taus[int(c)] for c in classes], classes))}


PER_CLASS_NMS = Formula(
    "nms-per-class",
    "",
    title="Non-maximum suppression within each class, with a threshold of its own",
    source=RCNN,
    conventions="Boxes of different classes never suppress each other. Classes are numbered from 0.",
    procedure=suppress_per_class,
    procedure_outputs="keep",
    boxes=BOXES,
    scores=SCORES,
    classes=Vector(0, meaning="classes of the boxes"),
    taus=Vector(0, 1, "threshold of each class"),
    keep=KEEP,
)


CROWD_WINDOW = Formula(
    "nms-crowd-window",
    """
    low = (w - t)/(w + t)
    high = (w - s)/(w + s)
    fit = (w - abs(t - x))/(w + abs(t - x))
    AP = where(fit < m or tau < low, 1/2, where(tau < high, 1, 5/6))
    cause = where(fit < m, 3, where(tau < low, 1, 2))
    """,
    title="Thresholds that keep two neighbors and suppress a duplicate",
    source="derivation: boxes of equal size, one shifted by t px, have an intersection of w - t and a union of w + t "
    "columns; the duplicate must be above the threshold, and the neighbor must not be",
    conventions="NMS suppresses a box if its IoU with a kept box is above tau. AP is the area under the monotone "
    "envelope of precision over recall.",
    w=Int(1, 1000, "width of persons and boxes", unit="px"),
    h=Int(1, 1000, "height of persons and boxes", unit="px"),
    x=Int(1, 1000, "x1 of the second person", unit="px"),
    s=Int(1, 1000, "x1 of box 2", unit="px"),
    t=Int(1, 1000, "x1 of box 3", unit="px"),
    m=Real(0, 1, "least IoU of a match"),
    tau=Real(0, 1, "threshold of NMS"),
    low=Real(meaning="lowest threshold at which NMS leaves boxes 1 and 3"),
    high=Real(meaning="threshold from which on NMS leaves box 2 too"),
    fit=Real(meaning="IoU of box 3 with the second person"),
    AP=Real(meaning="average precision at the threshold tau"),
    cause=Choice(
        meaning="what to change",
        options=dict(
            raise_it="NMS: raise the threshold",
            lower_it="NMS: lower the threshold",
            detector="the detector: box 3 is too far off",
        ),
        supported_by="low high",
    ),
)


OFFSET_LINE, CALL_LINE = 2, 3  # of the programs of debug-class-offset-nms


def _fix_offset(
    boxes: Sequence[Box],
    scores: Sequence[Number],
    labels: Sequence[Number],
    tau: Number,
    line: int | None = None,
    raised: int | None = None,
) -> dict[str, Value]:
    thresholds = [tau] * len(boxes)
    if line == OFFSET_LINE:  # classes are one pixel apart
        moved = [[x + label for x in box] for box, label in zip(boxes, labels, strict=True)]
    else:
        moved = [list(box) for box in boxes]
    printed, fixed = (
        [visit.box for visit in decisions if visit.suppressor is None]
        for decisions in (visits(moved, scores, thresholds), visits(boxes, scores, thresholds, labels))
    )
    return {"rows": len(boxes), "columns": len(boxes[0]), "printed": printed, "fixed": fixed}


CLASS_OFFSET = Formula(
    "nms-class-offset",
    "",
    title="NMS within classes, by an offset per class",
    source="torchvision.ops.batched_nms: an offset of the class number times more than the largest coordinate moves "
    "boxes of different classes apart, so that they don't overlap; PyTorch broadcasts from the last dimension",
    conventions="printed is what a program prints in which classes are 1 px apart (line 2) or not apart (line 3).",
    procedure=_fix_offset,
    procedure_outputs="rows columns printed fixed",
    boxes=BOXES,
    scores=SCORES,
    labels=Vector(0, meaning="classes of the boxes"),
    tau=Real(0, 1, "threshold", default=0.5),
    line=LineNumber(meaning="number of the line to change"),
    raised=LineNumber(meaning="number of the line that raises the error"),
    rows=Int(meaning="size of the labels in that dimension"),
    columns=Int(meaning="size of the boxes in the dimension that doesn't fit"),
    printed=Vector(meaning="what the program prints"),
    fixed=Vector(meaning="what the corrected program prints"),
)


def compare_variants(
    objects: Sequence[Box],
    boxes: Sequence[Box],
    scores: Sequence[Number],
    tau: Number,
    low: Number,
    m: Number,
) -> dict[str, Value]:
    """Return the AP without NMS, with NMS and with linear Soft-NMS, and the final scores of Soft-NMS.

    Raises:
        UserError: As `visits` does.
    """
    hard = [visit.box for visit in visits(boxes, scores, [tau] * len(boxes)) if visit.suppressor is None]
    picks = list(soft_picks(boxes, scores, linear_factor(tau)))
    final = picks[-1].scores
    soft = [pick.box for pick in picks if final[pick.box] >= low]
    matrix = iou_matrix(boxes, objects)
    everything = sorted(range(len(boxes)), key=lambda k: -scores[k])
    AP = [
        average_precision(hits_of([matrix[k] for k in ranking], m), len(objects))
        for ranking in (everything, hard, soft)
    ]
    names = ["none", "hard", "soft"]
    return {"AP": AP, "final": final, "best": names[AP.index(max(AP))]}


NMS_VARIANTS = Formula(
    "nms-variants",
    "",
    title="Average precision without NMS, with NMS and with linear Soft-NMS",
    source=f"{SOFT}, section 3; {RCNN}",
    conventions="AP is the area under the monotone envelope of precision over recall, at one IoU; a detection matches "
    "the free object with the largest IoU.",
    procedure=compare_variants,
    procedure_outputs="AP final best",
    shapes="boxes[i, 4]; objects[j, 4]",
    objects=Matrix(meaning="one row x1, y1, x2, y2 per object", unit="px"),
    boxes=BOXES,
    scores=SCORES,
    tau=Real(0, 1, "threshold of NMS and of Soft-NMS", default=0.5),
    low=Real(0, 1, "score below which Soft-NMS drops a box", default=0.05),
    m=Real(0, 1, "least IoU of a match", default=0.6),
    AP=Vector(meaning="AP without NMS, with NMS and with Soft-NMS"),
    final=Vector(meaning="final scores of Soft-NMS"),
    best=Choice(
        meaning="best of the three",
        options=dict(none="no NMS", hard="NMS", soft="Soft-NMS"),
        supported_by="AP",
    ),
)
