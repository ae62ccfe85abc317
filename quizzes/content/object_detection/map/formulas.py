"""Mean average precision: formulas."""

from collections.abc import Sequence
from fractions import Fraction

from quizzes.answer_symbols import Choice, Match
from quizzes.content.object_detection.map.ranking import (
    COCO_RECALLS,
    VOC_RECALLS,
    Number,
    average_precision,
    check_hits,
    envelope,
    hits_of,
    interpolate,
    match,
)
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Table, Vector
from workbench.errors import UserError

COCO = "COCO evaluation (pycocotools.cocoeval)"
VOC = "Everingham et al., The Pascal Visual Object Classes Challenge, 2010: 11 recalls"
VOC_2010 = "development kit of Pascal VOC 2010: every recall in place of 11"

HITS = Vector(0, 1, "detections of one class from the highest score down: 1 if correct, else 0")

OBJECTS = Int(1, 100000, "number of objects of the class")

ENVELOPE = Vector(meaning="envelope: the best precision at each rank or below")


def _match(iou: Sequence[Sequence[Number]], scores: Sequence[Number], tau: Number) -> dict[str, Value]:
    if len(scores) != len(iou):
        raise UserError(f"scores must have one number per row of iou: {len(iou)}, not {len(scores)}.")
    order = sorted(range(len(scores)), key=lambda k: -scores[k])
    matches = match([iou[k] for k in order], tau)
    return {
        "order": [k + 1 for k in order],
        "objects": [0 if partner is None else partner + 1 for partner in matches],
        "hits": [int(partner is not None) for partner in matches],
        "n": len(iou[0]),
    }


PR_MATCHING = Formula(
    "pr-matching",
    """
    TP[k] = sum(i, [i <= k]*hits[i]) for k = 1..len(hits)
    P[k] = TP[k]/k
    R[k] = TP[k]/n
    """,
    title="True and false positives of a detector, precision and recall",
    source=f"{COCO}: from the highest score down, a detection takes the free object with the largest IoU, if that is "
    "at least the threshold",
    conventions="An object that is taken is not free: further detections of it are false positives.",
    procedure=_match,
    procedure_outputs="order objects hits n",
    iou=Matrix(0, 1, "IoU of each detection (rows) with each object (columns)"),
    scores=Vector(0, 1, "scores of the detections"),
    tau=Real(0, 1, "least IoU of a match", default=0.5),
    order=Vector(meaning="numbers of the detections, best score first"),
    objects=Vector(meaning="the object of each detection in this order; 0 for none"),
    hits=Vector(meaning="1 for a true positive, 0 for a false positive, best score first"),
    n=Int(meaning="number of objects"),
    TP=Vector(meaning="number of true positives up to each rank"),
    P=Vector(meaning="precision at each rank"),
    R=Vector(meaning="recall at each rank"),
)


def _interpolate(hits: Sequence[Number], n: Number) -> dict[str, Value]:
    check_hits(hits, n)
    coco = interpolate(hits, n, COCO_RECALLS)
    return {"E": envelope(hits), "p": interpolate(hits, n, VOC_RECALLS), "AP101": Fraction(sum(coco)) / len(coco)}


AP = Formula(
    "ap",
    """
    P[k] = sum(i, [i <= k]*hits[i])/k for k = 1..len(hits)
    R[k] = sum(i, [i <= k]*hits[i])/n for k = 1..len(hits)
    AP = sum(k, hits[k]*E[k])/n
    AP11 = mean(i, p[i])
    """,
    title="Average precision of a ranked list, in three conventions",
    source=f"{VOC}; {VOC_2010}; {COCO}: 101 recalls",
    conventions="""
AP: the area under the envelope of precision over recall, the best precision at each recall or above; each correct
detection adds a step of 1/n in recall. AP11 and AP101: the mean of the envelope at the recalls 0, 0.1, ..., 1 and
0, 0.01, ..., 1. Beyond the largest recall, the envelope is 0.
""",
    procedure=_interpolate,
    procedure_outputs="E p AP101",
    hits=HITS,
    n=OBJECTS,
    E=ENVELOPE,
    p=Vector(meaning="envelope at the recalls 0, 0.1, ..., 1"),
    P=Vector(meaning="precision at each rank"),
    R=Vector(meaning="recall at each rank"),
    AP=Real(meaning="average precision, every recall"),
    AP11=Real(meaning="average precision, 11 recalls (VOC 2007)"),
    AP101=Real(meaning="average precision, 101 recalls (COCO)"),
)


AP_ALL_POINTS = Formula(
    "ap-all-points",
    """
    P[k] = sum(i, [i <= k]*hits[i])/k for k = 1..len(hits)
    R[k] = sum(i, [i <= k]*hits[i])/n for k = 1..len(hits)
    AP = sum(k, hits[k]*E[k])/n
    """,
    title="Average precision at every recall",
    source=VOC_2010,
    procedure=lambda hits, n: {"E": envelope(hits)},
    procedure_outputs="E",
    hits=HITS,
    n=OBJECTS,
    E=ENVELOPE,
    P=Vector(meaning="precision at each rank"),
    R=Vector(meaning="recall at each rank"),
    AP=Real(meaning="average precision"),
)


AP_ELEVEN_POINTS = Formula(
    "ap-eleven-points",
    "AP11 = mean(i, p[i])",
    title="Average precision at 11 recalls",
    source=VOC,
    procedure=lambda hits, n: {"p": interpolate(hits, n, VOC_RECALLS)},
    procedure_outputs="p",
    hits=HITS,
    n=OBJECTS,
    p=Vector(meaning="best precision at each of the recalls 0, 0.1, ..., 1 or above"),
    AP11=Real(meaning="average precision"),
)


MAP_50_95 = Formula(
    "map-50-95",
    """
    per_class[c] = mean(t, A[c, t])
    mAP = mean(c, per_class[c])
    AP50 = mean(c, A[c, 1])
    AP75 = mean(c, A[c, 6])
    """,
    title="COCO's AP: the mean over ten IoU thresholds and all classes",
    source=f"{COCO}: the IoU thresholds are 0.50, 0.55, ..., 0.95",
    shapes="A[c, 10]",
    A=Matrix(0, 1, "AP of each class (rows) at the IoU thresholds 0.50, 0.55, ..., 0.95 (columns)"),
    per_class=Vector(meaning="mean over the thresholds of each class"),
    mAP=Real(meaning="AP, also written AP@[.50:.95]"),
    AP50=Real(meaning="AP at IoU 0.50"),
    AP75=Real(meaning="AP at IoU 0.75"),
)


TIDE_BACKGROUND = Fraction(1, 10)  # IoU below which a detection is of the background

KINDS = dict(
    tp="true positive",
    dup="duplicate",
    loc="localization error",
    bg="background",
)


def classify(target: Sequence[Number], iou: Sequence[Number], n: Number, m: Number) -> dict[str, Value]:
    """Return the kinds of five detections, AP, and the best fix of one kind of error with its AP.

    Raises:
        UserError: As `check_detections` does.
    """
    check_detections(target, iou, n)
    rows = [
        [value if j == k else Fraction(0) for k in range(1, int(n) + 1)] for j, value in zip(target, iou, strict=True)
    ]
    kinds = []
    for row, hit in zip(rows, hits_of(rows, m), strict=True):
        best = max(row)
        kinds.append("tp" if hit else "dup" if best >= m else "loc" if best >= TIDE_BACKGROUND else "bg")
    results = {"base": average_precision(hits_of(rows, m), n)}
    for fix in ("dup", "bg"):
        left = [row for row, kind in zip(rows, kinds, strict=True) if kind != fix]
        results[fix] = average_precision(hits_of(left, m), n)
    tight = [
        [Fraction(int(value > 0)) for value in row] if kind == "loc" else row
        for row, kind in zip(rows, kinds, strict=True)
    ]
    results["loc"] = average_precision(hits_of(tight, m), n)
    best_fix = max(("dup", "loc", "bg"), key=lambda fix: results[fix])
    return {
        "kinds": {f"d{k}": kind for k, kind in enumerate(kinds, 1)},
        "AP": results["base"],
        "best": best_fix,
        "AP_fixed": results[best_fix],
        "table": [{"fix": name, "AP": float(results[key])} for key, name in FIXES.items()],
    }


FIXES = dict(dup="remove the duplicates", loc="tighten the loose boxes", bg="remove the background hits")


def check_detections(target: Sequence[Number], iou: Sequence[Number], n: Number) -> None:
    """Check that there are five detections, each of an object from 1 to n.

    Raises:
        UserError: If not.
    """
    if len(target) != 5 or len(iou) != 5:
        raise UserError("target and iou must have 5 values each: one per detection.")
    if any(j != int(j) or not 1 <= j <= n for j in target):
        raise UserError(f"target must have numbers of objects: integers from 1 to {n}.")


AP_ERRORS = Formula(
    "ap-error-types",
    "",
    title="Errors of detections, and what each of them costs",
    source="Bolya et al., TIDE, 2020 (arXiv:2008.08115): an error is of the background below IoU 0.1, and of "
    "localization between that and the threshold of a match; the cost of a kind is what its removal adds to AP",
    conventions="AP is the area under the envelope of precision over recall. A tightened box matches its object.",
    procedure=classify,
    procedure_outputs="kinds AP best AP_fixed table",
    target=Vector(1, meaning="number of the object that each detection overlaps most, best score first"),
    iou=Vector(0, 1, "its IoU with that object"),
    n=Int(1, 100, "number of objects"),
    m=Real(0, 1, "least IoU of a match", default=0.5),
    kinds=Match(
        meaning="kind of each detection (a kind may occur more than once)",
        items={f"d{k}": f"detection {k}" for k in range(1, 6)},
        options=KINDS,
    ),
    AP=Real(meaning="average precision"),
    best=Choice(meaning="fix that raises AP most", options=FIXES, supported_by="AP_fixed"),
    AP_fixed=Real(meaning="AP after that fix"),
    table=Table(meaning="AP after each fix"),
)
