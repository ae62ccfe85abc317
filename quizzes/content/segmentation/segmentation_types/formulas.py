"""Semantic, instance and panoptic segmentation: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, LineNumber, Match
from quizzes.content.segmentation.segmentation_types.segments import confusion, match_segments
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Rational, Real, Table, Vector
from workbench.errors import UserError

FCN_SOURCE = "Long, Shelhamer & Darrell, FCN, 2015 (arXiv:1411.4038): pixel accuracy, mean accuracy, mean "
"IU, frequency weighted IU"

PQ_SOURCE = "Kirillov et al., Panoptic segmentation, 2019 (arXiv:1801.00868)"

BOUNDARY_SOURCE = "Cheng et al., Boundary IoU, 2021 (arXiv:2103.16562)"

COUNTS = Matrix(0, meaning="number of pixels: a row per true class, a column per predicted class")

MEAN_IOU = Real(0, 1, "mean IoU over the classes that occur")

PIXEL_ACCURACY = Real(0, 1, "pixel accuracy")


def check_counts(C: list[list[Value]]) -> None:
    """Check that a confusion matrix is square and counts at least one pixel.

    Raises:
        UserError: If not.
    """
    if any(len(row) != len(C) for row in C):
        raise UserError("C must have as many columns as rows, one per class.")
    if not any(any(row) for row in C):
        raise UserError("C counts no pixels: every entry is 0.")


def _totals(C: list[list[Value]]) -> dict[str, list[Value]]:
    check_counts(C)
    return {"T": [sum(row) for row in C], "P": [sum(column) for column in zip(*C, strict=True)]}


MIOU = Formula(
    "miou",
    """
    iou[i] = where(T[i] + P[i] > 0, C[i, i]/(T[i] + P[i] - C[i, i]), 0)
    mIoU = sum(i, iou[i])/sum(i, [T[i] + P[i] > 0])
    acc = sum(i, C[i, i])/sum(i, T[i])
    mean_acc = sum(i, where(T[i] > 0, C[i, i]/T[i], 0))/sum(i, [T[i] > 0])
    fw = sum(i, T[i]*iou[i])/sum(i, T[i])
    """,
    title="IoU of each class, mean IoU and accuracies from a confusion matrix",
    source=FCN_SOURCE,
    conventions="Classes that neither occur nor are predicted are left out of mIoU, and classes that don't occur are "
    "left out of the mean accuracy; their IoU is listed as 0.",
    procedure=_totals,
    procedure_outputs="T P",
    C=COUNTS,
    T=Vector(meaning="true pixels of each class"),
    P=Vector(meaning="predicted pixels of each class"),
    iou=Vector(meaning="IoU of each class"),
    mIoU=MEAN_IOU,
    acc=PIXEL_ACCURACY,
    mean_acc=Real(0, 1, "mean accuracy: the mean recall of the classes"),
    fw=Real(0, 1, "frequency weighted IoU"),
)


def _measure(P: list[list[Value]], T: list[list[Value]], K: int, ignore: int) -> dict[str, Any]:
    C = confusion(P, T, int(K), int(ignore))
    values = MIOU.evaluate(dict(C=C))
    return {"C": C, "n": sum(map(sum, C))} | {name: values[name] for name in ("iou", "mIoU", "acc", "mean_acc", "fw")}


LABEL_MAPS = Formula(
    "miou-masks",
    "",
    title="Confusion matrix, IoU and accuracies of two label maps",
    source=FCN_SOURCE,
    conventions="Classes are numbered from 0. Pixels whose true class is `ignore` are void. Classes that neither occur "
    "nor are predicted are left out of mIoU.",
    procedure=_measure,
    procedure_outputs="C n iou mIoU acc mean_acc fw",
    P=Matrix(0, meaning="predicted class of each pixel"),
    T=Matrix(0, meaning="true class of each pixel"),
    K=Int(2, 1000, "number of classes", default=2),
    ignore=Int(0, 1000, "true class of void pixels", default=255),
    C=COUNTS,
    n=Int(1, meaning="number of valid pixels"),
    iou=Vector(meaning="IoU of each class"),
    mIoU=MEAN_IOU,
    acc=PIXEL_ACCURACY,
    mean_acc=Real(0, 1, "mean accuracy: the mean recall of the classes"),
    fw=Real(0, 1, "frequency weighted IoU"),
)


IOU_FROM_RATES = Formula(
    "iou-from-rates",
    "iou = P*R/(P + R - P*R)",
    title="IoU of a class from its precision and recall",
    source="derivation: with P = TP/(TP + FP) and R = TP/(TP + FN), 1/IoU = (TP + FP + FN)/TP = 1/P + 1/R - 1",
    P=Rational(0, 1, "precision of the pixels"),
    R=Rational(0, 1, "recall of the pixels"),
    iou=Rational(0, 1, "IoU of the class"),
)


POOLED_IOU = Formula(
    "pooled-iou",
    """
    first = TP1/(TP1 + FP1 + FN1)
    second = TP2/(TP2 + FP2 + FN2)
    mean_iou = (first + second)/2
    pooled = (TP1 + TP2)/(TP1 + FP1 + FN1 + TP2 + FP2 + FN2)
    higher = where(pooled > mean_iou, 1, 2)
    """,
    title="IoU of a class over the dataset, and per image",
    source="Everingham et al., The Pascal Visual Object Classes Challenge, 2015: counts over all images",
    TP1=Int(1, meaning="true positive pixels of image 1"),
    FP1=Int(0, meaning="false positive pixels of image 1"),
    FN1=Int(0, meaning="false negative pixels of image 1"),
    TP2=Int(1, meaning="true positive pixels of image 2"),
    FP2=Int(0, meaning="false positive pixels of image 2"),
    FN2=Int(0, meaning="false negative pixels of image 2"),
    first=Real(meaning="IoU of image 1"),
    second=Real(meaning="IoU of image 2"),
    mean_iou=Real(meaning="mean of the IoUs of both images"),
    pooled=Real(meaning="IoU of the counts of both images"),
    higher=Choice(
        meaning="higher one",
        options=dict(
            pooled="that of the counts of both images, because the larger object has the better mask",
            per_image="the mean of both images, because the smaller object has the better mask",
        ),
        supported_by="pooled mean_iou",
    ),
)


PANOPTIC_QUALITY = Formula(
    "panoptic-quality",
    """
    TP = len(q)
    SQ = sum(i, q[i])/TP
    RQ = TP/(TP + FP/2 + FN/2)
    PQ = SQ*RQ
    """,
    title="Panoptic quality of a class",
    source=PQ_SOURCE,
    q=Vector(0.5, 1, "IoU of each matched pair"),
    FP=Int(0, meaning="predicted segments without a match"),
    FN=Int(0, meaning="true segments without a match"),
    TP=Int(1, meaning="number of matched pairs"),
    SQ=Real(0, 1, "segmentation quality: mean IoU of the matched pairs"),
    RQ=Real(0, 1, "recognition quality"),
    PQ=Real(0, 1, "panoptic quality"),
)


PQ_COUNTS = Formula(
    "panoptic-quality-counts",
    "PQ = 2*SQ*TP/(2*TP + FP + FN)",
    title="Panoptic quality from counts",
    source=f"{PQ_SOURCE}; derivation: RQ is the F1 score of the segments",
    TP=Int(1, 100000, "number of matched pairs"),
    FP=Int(0, 100000, "predicted segments without a match"),
    FN=Int(0, 100000, "true segments without a match"),
    SQ=Rational(0, 1, "segmentation quality: mean IoU of the matched pairs"),
    PQ=Rational(0, 1, "panoptic quality"),
)


PQ_CLASSES = Formula(
    "panoptic-quality-classes",
    """
    PQ_th = mean(i, t[i])
    PQ_st = mean(j, s[j])
    PQ = (sum(i, t[i]) + sum(j, s[j]))/(len(t) + len(s))
    """,
    title="Panoptic quality of things, stuff and all classes",
    source=PQ_SOURCE,
    t=Vector(0, 100, "PQ of each thing class", unit="%"),
    s=Vector(0, 100, "PQ of each stuff class", unit="%"),
    PQ_th=Real(0, 100, "panoptic quality of things", unit="%"),
    PQ_st=Real(0, 100, "panoptic quality of stuff", unit="%"),
    PQ=Real(0, 100, "panoptic quality of all classes", unit="%"),
)


PANOPTIC_MATCH = Formula(
    "panoptic-match",
    """
    iou[i, j] = M[i, j]/(a[i] - v[i] + b[j] - M[i, j])
    hit[i] = sum(j, [2*iou[i, j] > 1])
    TP = sum(i, hit[i])
    FP = sum(i, [hit[i] = 0]*[2*v[i] <= a[i]])
    FN = len(b) - TP
    SQ = sum(i, sum(j, [2*iou[i, j] > 1]*iou[i, j]))/TP
    PQ = 2*SQ*TP/(2*TP + FP + FN)
    """,
    title="Panoptic quality of a class, from shared pixels",
    source=f"{PQ_SOURCE}: void pixels of a prediction don't count in an IoU, and an unmatched prediction that is "
    f"mostly "
    "void is not a false positive",
    conventions="A pair matches if its IoU is above 0.5.",
    shapes="M[i, j]; a[i]; v[i]; b[j]",
    M=Matrix(0, meaning="shared pixels of predicted (rows) and true segments (columns)"),
    a=Vector(1, meaning="pixels of each predicted segment, with those on void"),
    v=Vector(0, meaning="void pixels of each predicted segment"),
    b=Vector(1, meaning="pixels of each true segment"),
    iou=Matrix(meaning="IoU of each pair"),
    hit=Vector(meaning="1 for a predicted segment with a match, else 0"),
    TP=Int(meaning="number of matched pairs"),
    FP=Int(meaning="false positives"),
    FN=Int(meaning="false negatives"),
    SQ=Real(meaning="segmentation quality"),
    PQ=Real(meaning="panoptic quality"),
)


def _match_maps(P: list[list[Value]], T: list[list[Value]]) -> dict[str, Any]:
    values = match_segments(P, T)
    table = [{**row, "match": "yes" if 2 * row["iou"] > 1 else "no"} for row in values["rows"]]
    return {"table": table} | {name: values[name] for name in ("TP", "FP", "FN", "ignored", "SQ", "RQ", "PQ")}


PANOPTIC_SEGMENTS = Formula(
    "panoptic-segments",
    "",
    title="Panoptic quality of two maps of segments",
    source=PQ_SOURCE,
    conventions="""
All segments are of one class; the PQ of several classes is the mean of theirs. Segments are numbered from 1. In the
true map, 0 is void; in the predicted map, 0 is a pixel without one. A pair matches if its IoU, without the void pixels,
is above 0.5. An unmatched prediction is ignored if more than half of it is void. SQ is 0 without matches.
""",
    procedure=_match_maps,
    procedure_outputs="table TP FP FN ignored SQ RQ PQ",
    P=Matrix(0, meaning="predicted segment of each pixel"),
    T=Matrix(0, meaning="true segment of each pixel"),
    table=Table(meaning="pairs that share pixels"),
    TP=Int(0, meaning="number of matched pairs"),
    FP=Int(0, meaning="predicted segments without a match"),
    FN=Int(0, meaning="true segments without a match"),
    ignored=Int(0, meaning="predicted segments that are ignored, because they are mostly void"),
    SQ=Real(0, 1, "segmentation quality: mean IoU of the matched pairs"),
    RQ=Real(0, 1, "recognition quality"),
    PQ=Real(0, 1, "panoptic quality"),
)


ERRORS = dict(
    merged="touching objects are merged into one segment",
    split="one object is divided into several segments",
    missed="one object has no segment",
)


def _instances(M: list[list[Value]], b: list[Value]) -> dict[str, Any]:
    if any(len(row) != len(b) for row in M):
        raise UserError(f"M must have one column per object: {len(b)}.")
    ious = [[Fraction(shared) / (sum(row) + area - shared) for shared, area in zip(row, b, strict=True)] for row in M]
    matches = [iou for row in ious for iou in row if 2 * iou > 1]
    if not matches:
        raise UserError("No segment matches an object. Let one of them cover more than half of an object.")
    covered = [sum(bool(row[j]) for row in M) for j in range(len(b))]
    error = "merged" if any(sum(map(bool, row)) > 1 for row in M) else "split" if max(covered) > 1 else "missed"
    counts = dict(TP=len(matches), FP=len(M) - len(matches), FN=len(b) - len(matches))
    return {**counts, "SQ": sum(matches) / len(matches), "error": error}


INSTANCE_ERRORS = Formula(
    "pq-instances",
    """
    fg = sum(i, sum(j, M[i, j]))/sum(j, b[j])
    RQ = TP/(TP + FP/2 + FN/2)
    PQ = SQ*RQ
    """,
    title="Foreground IoU and panoptic quality of instances",
    source=f"{PQ_SOURCE}; derivation: the foreground IoU doesn't depend on which segment a pixel belongs to",
    conventions="No segment has pixels outside of the objects. A pair matches if its IoU is above 0.5.",
    procedure=_instances,
    procedure_outputs="TP FP FN SQ error",
    M=Matrix(0, meaning="pixels that each predicted segment (rows) shares with each object (columns)"),
    b=Vector(1, meaning="pixels of each object"),
    fg=Real(meaning="IoU of the foreground"),
    TP=Int(0, meaning="number of matched pairs"),
    FP=Int(0, meaning="segments without a match"),
    FN=Int(0, meaning="objects without a match"),
    SQ=Real(meaning="segmentation quality"),
    RQ=Real(meaning="recognition quality"),
    PQ=Real(meaning="panoptic quality"),
    error=Choice(meaning="error of the prediction", options=ERRORS, supported_by="PQ"),
)


BOUNDARY_ERROR = Formula(
    "boundary-error",
    """
    n = k^2 - (k - 2*e)^2
    iou = (k - 2*e)^2/k^2
    D = 2*(k - 2*e)^2/(k^2 + (k - 2*e)^2)
    smallest = ceil(2*e/(1 - sqrt(tau)))
    """,
    title="Effect of an error at the boundary",
    source="derivation: the predicted square lies inside the true one, so the intersection is the small square; "
    "(k - 2e)/k is at least sqrt(tau) for k >= 2e/(1 - sqrt(tau))",
    k=Int(3, 100000, "height and width of the square object", unit="px"),
    e=Int(1, 1000, "error at each edge", unit="px"),
    tau=Real(0, 0.99, "required IoU", default=0.75),
    n=Int(meaning="number of pixels that are missed"),
    iou=Real(meaning="IoU"),
    D=Real(meaning="Dice coefficient"),
    smallest=Int(meaning="smallest height and width with an IoU of at least tau", unit="px"),
)


BOUNDARY_IOU = Formula(
    "boundary-iou",
    """
    g = k^2 - (k - 2*d)^2
    p = (k - 2*e)^2 - (k - 2*e - 2*d)^2
    I = (k - 2*e)^2 - (k - 2*d)^2
    biou = I/(g + p - I)
    iou = (k - 2*e)^2/k^2
    """,
    title="Boundary IoU of two squares with one center",
    source=f"{BOUNDARY_SOURCE}: the IoU of the pixels of each mask within a distance d of its contour",
    conventions="The error e is smaller than the width d of the band.",
    k=Int(3, 100000, "height and width of the true square", unit="px"),
    e=Int(1, 1000, "error at each edge", unit="px"),
    d=Int(1, 1000, "width of the band along the contour, inside of the mask", unit="px"),
    g=Int(meaning="pixels of the band of the true mask"),
    p=Int(meaning="pixels of the band of the predicted mask"),
    I=Int(meaning="pixels in both bands"),
    biou=Real(meaning="boundary IoU"),
    iou=Real(meaning="mask IoU"),
)


OUTPUTS = Formula(
    "segmentation-outputs",
    """
    semantic = len(n) + s
    instance = sum(i, n[i])
    panoptic = sum(i, n[i]) + s
    """,
    title="Labels, masks and segments of the three kinds of segmentation",
    source="Kirillov et al., Panoptic segmentation, 2019 (arXiv:1801.00868): stuff classes have one "
    "segment, things one per instance",
    n=Vector(1, meaning="number of instances of each thing class"),
    s=Int(0, 1000, "number of stuff classes"),
    semantic=Int(meaning="different labels of a semantic segmentation"),
    instance=Int(meaning="masks of an instance segmentation"),
    panoptic=Int(meaning="segments of a panoptic segmentation"),
)


def _match_kinds(a: Value, b: Value, c: Value, n: list[Value], s: Value) -> dict[str, Any]:
    counts = OUTPUTS.evaluate(dict(n=n, s=s))
    kinds = {}
    for name, count in dict(a=a, b=b, c=c).items():
        fitting = [kind for kind in KINDS if counts[kind] == count]
        if len(fitting) != 1:
            raise UserError(f"{name} = {int(count)} must be the count of exactly one kind of segmentation.")
        kinds[name] = fitting[0]
    return {"kinds": kinds}


KINDS = dict(semantic="semantic", instance="instance", panoptic="panoptic")


OUTPUT_KINDS = Formula(
    "segmentation-kinds",
    "",
    title="Kinds of segmentation, from the numbers of their outputs",
    source="Kirillov et al., Panoptic segmentation, 2019 (arXiv:1801.00868): stuff classes have one "
    "segment, "
    "things one per instance",
    procedure=_match_kinds,
    procedure_outputs="kinds",
    a=Int(1, meaning="outputs of network A"),
    b=Int(1, meaning="outputs of network B"),
    c=Int(1, meaning="outputs of network C"),
    n=Vector(1, meaning="number of instances of each thing class"),
    s=Int(1, 1000, "number of stuff classes"),
    kinds=Match(
        meaning="kind of each network",
        items=dict(a="network A", b="network B", c="network C"),
        options=KINDS,
    ),
)


def _print_miou(C: list[list[Value]], line: int | None = None) -> dict[str, Any]:
    check_counts(C)
    inter = [Fraction(C[k][k]) for k in range(len(C))]
    rows, columns = [sum(row) for row in C], [sum(column) for column in zip(*C, strict=True)]
    union = [r + c - i for r, c, i in zip(rows, columns, inter, strict=True)]

    def mean(below: list[Value]) -> Fraction:
        return sum((i / b for i, b in zip(inter, below, strict=True)), Fraction(0)) / len(C)

    added = [r + c for r, c in zip(rows, columns, strict=True)]
    printed = {3: mean(added), 4: mean(rows), 5: sum(inter) / sum(union)}
    return {"printed": printed[int(line or 3)], "fixed": mean(union)}


MIOU_CODE = Formula(
    "miou-code",
    "",
    title="Incorrect mean IoU in PyTorch",
    source=FCN_SOURCE,
    procedure=_print_miou,
    procedure_outputs="printed fixed",
    C=COUNTS,
    line=LineNumber(meaning="number of the incorrect line"),
    printed=Real(meaning="value that the program prints"),
    fixed=Real(meaning="value after the correction"),
)
