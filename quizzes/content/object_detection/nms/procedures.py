"""NMS and its alternatives: procedures."""

from collections.abc import Iterator

from quizzes.content.object_detection.nms.formulas import NMS
from quizzes.content.object_detection.nms.suppression import Box, Number, visits
from quizzes.procedure import State, number_text, procedure
from quizzes.question import Visualization


@procedure(
    "nms",
    NMS,
    title="Non-maximum suppression, box by box",
    example=dict(
        boxes=[[10, 10, 50, 50], [14, 12, 54, 52], [22, 14, 60, 50], [70, 20, 100, 60], [74, 26, 104, 66]],
        scores=[0.9, 0.75, 0.8, 0.6, 0.7],
    ),
)
def nms(boxes: list[Box], scores: list[Number], tau: Number) -> Iterator[State]:
    """Visit the boxes by decreasing score; keep a box unless it overlaps a kept one too much."""
    decisions = list(visits(boxes, scores, [tau] * len(boxes)))
    labels = [chr(65 + k) for k in range(len(boxes))]
    order = [labels[visit.box] for visit in decisions]
    keep: list[str] = []
    suppressed: list[str] = []

    def state(caption: str, current: str = "", iou: Number | None = None) -> State:
        values = dict(order=order, box=current, iou=iou, keep=keep, suppressed=suppressed)
        data = dict(boxes=boxes, labels=labels, current=current, keep=keep, suppressed=suppressed)
        return State(caption, values, Visualization("suppression", data))

    ranking = ", ".join(f"{labels[visit.box]} ({number_text(scores[visit.box])})" for visit in decisions)
    yield state(f"Sort the boxes by score, because a box may only suppress boxes with lower scores: {ranking}.")
    for box, overlaps, suppressor in decisions:
        label = labels[box]
        if suppressor is not None:
            suppressed.append(label)
            yield state(
                f"Suppress {label}, because its IoU with the kept box {labels[suppressor]} is "
                f"{number_text(overlaps[suppressor], tau)}, above the threshold {number_text(tau)}.",
                label,
                overlaps[suppressor],
            )
        elif overlaps:
            keep.append(label)
            other, largest = max(overlaps.items(), key=lambda item: item[1])
            yield state(
                f"Keep {label}, because its largest IoU with a kept box is {number_text(largest, tau)} (with "
                f"{labels[other]}), not above the threshold {number_text(tau)}.",
                label,
                largest,
            )
        else:
            keep.append(label)
            yield state(f"Keep {label}, because it has the highest score, {number_text(scores[box])}.", label)
