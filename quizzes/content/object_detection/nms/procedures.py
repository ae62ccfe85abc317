"""NMS and its alternatives: procedures."""

from collections.abc import Iterator

from quizzes.content.object_detection.nms.formulas import NMS, SOFT_NMS, SOFT_NMS_GAUSSIAN
from quizzes.content.object_detection.nms.suppression import (
    Box,
    Factor,
    Number,
    gaussian_factor,
    letters,
    linear_factor,
    soft_picks,
    visits,
)
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


@procedure(
    "soft-nms",
    SOFT_NMS,
    title="Soft-NMS with linear decay, pick by pick",
    example=dict(
        boxes=[[10, 10, 50, 50], [10, 10, 50, 46], [22, 10, 60, 50], [70, 20, 100, 60]],
        scores=[0.9, 0.85, 0.8, 0.6],
    ),
)
def soft_nms(boxes: list[Box], scores: list[Number], N_t: Number) -> Iterator[State]:
    """Pick the box with the highest current score, and multiply the others by 1 - IoU if they overlap it enough."""
    yield from _decay(boxes, scores, linear_factor(N_t), f"1 - IoU where the IoU is at least {number_text(N_t)}")


@procedure(
    "soft-nms-gaussian",
    SOFT_NMS_GAUSSIAN,
    title="Soft-NMS with Gaussian decay, pick by pick",
    example=dict(
        boxes=[[10, 10, 50, 50], [10, 10, 50, 46], [22, 10, 60, 50], [70, 20, 100, 60]],
        scores=[0.9, 0.85, 0.8, 0.6],
    ),
)
def soft_nms_gaussian(boxes: list[Box], scores: list[Number], sigma: Number) -> Iterator[State]:
    """Pick the box with the highest current score, and multiply the others by exp(-IoU^2/sigma)."""
    yield from _decay(boxes, scores, gaussian_factor(sigma), f"exp(-IoU^2/{number_text(sigma)})")


def _decay(boxes: list[Box], scores: list[Number], factor: Factor, rule: str) -> Iterator[State]:
    labels = letters(range(len(boxes)))
    order: list[str] = []
    current: list[Number | float] = list(scores)

    def state(caption: str, label: str = "", **values: object) -> State:
        data = dict(boxes=boxes, labels=labels, current=label, keep=order, suppressed=[])
        shown = dict(zip(labels, current, strict=True))
        return State(caption, dict(scores=shown, **values, order=order), Visualization("suppression", data))

    yield state(f"Each round picks the remaining box with the highest score and multiplies other scores by {rule}.")
    for pick in soft_picks(boxes, scores, factor):
        label = labels[pick.box]
        order.append(label)
        before, current = current, pick.scores
        overlaps = {labels[k]: iou for k, (iou, _) in pick.factors.items()}
        if not overlaps:
            yield state(f"Pick {label}, the last box, with the score {number_text(before[pick.box])}.", label)
            continue
        changes = [
            f"{labels[k]} from {number_text(before[k])} to {number_text(current[k])}"
            for k, (_, share) in pick.factors.items()
            if share != 1
        ]
        effect = f"Its overlaps change {', '.join(changes)}." if changes else "It overlaps no box enough to change it."
        yield state(
            f"Pick {label}, because its score {number_text(before[pick.box])} is the highest. {effect}",
            label,
            before=dict(zip(labels, before, strict=True)),
            iou=overlaps,
        )
    final = [current[k] for k in range(len(boxes))]
    ranking = ", ".join(
        f"{labels[k]} {number_text(final[k])}" for k in sorted(range(len(final)), key=lambda k: -final[k])
    )
    yield state(f"The final scores are {ranking}. A detector drops boxes below a small score.", final=final)
