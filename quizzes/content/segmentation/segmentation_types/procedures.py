"""Semantic, instance and panoptic segmentation: procedures."""

from collections.abc import Iterator
from fractions import Fraction

from quizzes.content.segmentation.segmentation_types.formulas import MIOU, PANOPTIC_SEGMENTS, check_counts
from quizzes.content.segmentation.segmentation_types.segments import match_segments
from quizzes.expressions.tree import Value
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Params, Visualization


@procedure(
    "miou",
    MIOU,
    title="Mean IoU of a confusion matrix, class by class",
    example=dict(C=[[50, 10], [5, 35]]),
)
def miou(C: list[list[Value]]) -> Iterator[State]:
    """Find the intersection and the union of each class, and average their ratios."""
    check_counts(C)
    drawing = Visualization("confusion", dict(C=C))
    T, P = [sum(row) for row in C], [sum(column) for column in zip(*C, strict=True)]
    total = sum(T)
    yield State(
        f"Rows are true classes, columns are predicted classes. There are {number_text(total)} pixels.",
        dict(total=total, T=T, P=P),
        drawing,
    )
    iou: list[Value] = []
    present = []
    for k, row in enumerate(C):
        inter, union = row[k], T[k] + P[k] - row[k]
        iou.append(Fraction(inter) / union if union else 0)
        if union:
            present.append(k)
        text = (
            f"Class {k + 1} has {number_text(T[k])} true and {number_text(P[k])} predicted pixels, of which "
            f"{number_text(inter)} are both. The union is {number_text(T[k])} + {number_text(P[k])} - "
            f"{number_text(inter)} = {number_text(union)}, and the IoU is {number_text(inter)}/{number_text(union)} = "
            f"{number_text(iou[-1])}."
            if union
            else f"Class {k + 1} neither occurs nor is predicted, so it is left out of the mean."
        )
        values = dict(k=k + 1, inter=inter, union=union, iou=iou, total=total, T=T, P=P)
        yield State(text, values, drawing)
    mean = sum(iou) / Fraction(len(present))
    correct = sum(row[k] for k, row in enumerate(C))
    occurring = [k for k in range(len(C)) if T[k]]
    values = dict(iou=iou, T=T, P=P, total=total, present=len(present), mIoU=mean)
    yield State(
        f"The mean over the classes that occur ({len(present)}) is mIoU = {number_text(mean)}.", values, drawing
    )
    values |= dict(
        correct=correct,
        acc=Fraction(correct) / total,
        mean_acc=sum(Fraction(C[k][k]) / T[k] for k in occurring) / Fraction(len(occurring)),
        fw=sum(t * value for t, value in zip(T, iou, strict=True)) / Fraction(total),
    )
    yield State(
        f"The diagonal has {number_text(correct)} correct pixels: the pixel accuracy is {number_text(values['acc'])}. "
        f"The mean recall of the classes is {number_text(values['mean_acc'])}, and the IoU weighted by the true pixels "
        f"is {number_text(values['fw'])}.",
        values,
        drawing,
    )


@procedure(
    "panoptic-segments",
    PANOPTIC_SEGMENTS,
    title="Panoptic quality of two maps of segments, pair by pair",
    example=dict(
        P=[[1, 1, 1, 0, 2], [1, 1, 1, 0, 2], [3, 3, 0, 4, 4], [3, 3, 0, 4, 4]],
        T=[[1, 1, 1, 1, 2], [1, 1, 1, 1, 0], [0, 0, 3, 4, 4], [0, 0, 3, 4, 0]],
    ),
)
def panoptic_segments(P: list[list[Value]], T: list[list[Value]]) -> Iterator[State]:
    """Compare the segments that share pixels, count the ones without a match, and multiply SQ by RQ."""
    result = match_segments(P, T)
    drawing = Visualization("matrices", dict(P=P, T=T))
    table: list[Params] = []
    count = len(result["rows"])
    yield State(
        f"Pairs of segments that share pixels: {count}. No other pair can match. Pixels with the true label 0 are void "
        "and don't count in an IoU.",
        dict(count=count),
        drawing,
    )
    for row in result["rows"]:
        is_match = 2 * row["iou"] > 1
        table.append({**row, "match": "yes" if is_match else "no"})
        verdict = "above 0.5, so they match" if is_match else "not above 0.5, so they don't match"
        yield State(
            f"Predicted segment {row['predicted']} and true segment {row['true']} share {row['shared']} of "
            f"{row['union']} pixels. Their IoU is {number_text(row['iou'])}, {verdict}.",
            {**row, "table": table, "threshold": Fraction(1, 2)},
            drawing,
        )
    values: Params = {name: result[name] for name in ("TP", "FP", "FN", "ignored")} | {"table": table}
    ignored = f" Ignored predictions, mostly void: {result['ignored']}." if result["ignored"] else ""
    yield State(
        f"Matched pairs: TP = {values['TP']}. Predicted segments without a match: FP = {values['FP']}.{ignored} True "
        f"segments without a match: FN = {values['FN']}.",
        values,
        drawing,
    )
    values |= {name: result[name] for name in ("SQ", "RQ", "PQ")}
    yield State(
        f"The mean IoU of the matches is SQ = {number_text(values['SQ'])}. Errors count half: RQ = {values['TP']}/("
        f"{values['TP']} + {values['FP']}/2 + {values['FN']}/2) = {number_text(values['RQ'])}. PQ is their product, "
        f"{number_text(values['PQ'])}.",
        values,
        drawing,
    )
