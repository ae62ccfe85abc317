"""NMS and its alternatives: drills about boxes that are suppressed."""

from collections.abc import Callable
from random import Random

from quizzes.content.object_detection.nms.formulas import NMS
from quizzes.content.object_detection.nms.suppression import Box, overlap, visits
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import exact
from quizzes.question import Step


def _steps(boxes: list[Box], scores: list[float], tau: float, keep: list[str]) -> list[Step]:
    labels = [chr(65 + k) for k in range(len(boxes))]
    decisions = list(visits(boxes, scores, [exact(tau)] * len(boxes)))
    steps = [Step(f"Sort the boxes by score: {', '.join(f'{labels[v.box]} ({scores[v.box]:g})' for v in decisions)}.")]
    for box, overlaps, suppressor in decisions:
        if suppressor is None:
            largest = max(((float(iou), labels[other]) for other, iou in overlaps.items()), default=None)
            reason = (
                f"its largest IoU with a kept box is {largest[0]:.4f} (with {largest[1]})"
                if largest
                else "it has the highest score"
            )
            steps.append(Step(f"Keep {labels[box]}, because {reason}."))
        else:
            iou = float(overlaps[suppressor])
            steps.append(
                Step(f"Suppress {labels[box]}, because its IoU with {labels[suppressor]} is {iou:.4f}, above {tau:g}.")
            )
    return steps


def _greedy(order: list[int], is_suppressed: Callable[[int, list[int], list[int]], bool]) -> list[str]:
    """Return the labels of the boxes that are kept.

    Args:
        order: The boxes by index, in the order in which they are visited.
        is_suppressed: Takes a box, the boxes kept so far, and all boxes visited so far.
    """
    selected: list[int] = []
    for position, k in enumerate(order):
        if not is_suppressed(k, selected, order[:position]):
            selected.append(k)
    return [chr(65 + k) for k in selected]


def _best_first(scores: list[float]) -> list[int]:
    return sorted(range(len(scores)), key=lambda k: -scores[k])


@drill(
    NMS,
    tier=2,
    asks="keep",
    visualization="boxes",
    steps=_steps,
    prompt="Non-maximum suppression with threshold {tau} suppresses a box if its IoU with a kept box is greater than "
    "{tau}. All boxes belong to one class, and each row gives its corners x1, y1, x2, y2.\n"
    "{listing}",
    hints=(
        "Keep the best remaining box, suppress the boxes that overlap it too much, and repeat. Does a suppressed box "
        "suppress others?",
        "IoU is the area of the intersection divided by the area of the union. A box is kept if its IoU with "
        "every box kept so far is at most the threshold.",
    ),
    mistakes=[
        Mistake(
            "struck-boxes-strike",
            {
                "keep": lambda boxes, scores, tau: _greedy(
                    _best_first(scores),
                    lambda k, selected, visited: any(overlap(boxes[k], boxes[o]) > tau for o in visited),
                )
            },
            "You let a suppressed box suppress another one. Compare each box with the kept boxes only.",
        ),
        Mistake(
            "order-of-the-list",
            {
                "keep": lambda boxes, scores, tau: _greedy(
                    list(range(len(boxes))),
                    lambda k, selected, visited: any(overlap(boxes[k], boxes[o]) > tau for o in selected),
                )
            },
            "You visited the boxes in the order of the list. Visit them by decreasing score.",
        ),
        Mistake(
            "any-overlap",
            {
                "keep": lambda boxes, scores, tau: _greedy(
                    _best_first(scores),
                    lambda k, selected, visited: any(overlap(boxes[k], boxes[o]) > 0 for o in selected),
                )
            },
            "You suppressed boxes at any overlap. Only an IoU above the threshold suppresses a box.",
        ),
        Mistake(
            "nothing-struck",
            {"keep": lambda boxes, scores, tau: [chr(65 + k) for k in _best_first(scores)]},
            "You kept all boxes. Some of them overlap a better box by more than the threshold, so they are suppressed.",
        ),
    ],
)
def nms_trace(rng: Random) -> Inputs:
    """Non-maximum suppression, box by box"""
    count = rng.choice([4, 5, 5])
    x, top = rng.randint(0, 10), rng.randint(0, 10)
    boxes = []
    for _ in range(count):
        y = top + rng.choice([0, 0, 1, 2])
        boxes.append([x, y, x + rng.choice([10, 10, 11]), y + 10])
        x, top = (x + rng.choice([2, 3, 3, 4]), top) if rng.random() < 0.85 else (x + 14, top + 5)
    # Scores mostly decrease along the row of boxes, so that a suppressed box often overlaps one that is kept.
    decreasing = sorted(rng.sample(range(40, 99), count), reverse=True)
    k = rng.randrange(1, count)
    decreasing[k - 1], decreasing[k] = decreasing[k], decreasing[k - 1]
    scored = list(zip(boxes, [score / 100 for score in decreasing], strict=True))
    rng.shuffle(scored)
    boxes, scores = [box for box, _ in scored], [score for _, score in scored]
    labels = [chr(65 + k) for k in range(count)]
    lines = [f"  {n}  [{', '.join(map(str, b))}]  score {s:.2f}" for n, b, s in zip(labels, boxes, scores, strict=True)]
    return dict(boxes=boxes, scores=scores, tau=rng.choice([0.3, 0.4, 0.5]), labels=labels, listing="\n".join(lines))
