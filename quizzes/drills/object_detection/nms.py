"""Non-maximum suppression."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.object_detection import NMS, overlap
from quizzes.question import Step


def _steps(boxes: list, scores: list, tau: float, keep: list[str]) -> list[Step]:
    names = [chr(65 + k) for k in range(len(boxes))]
    order = sorted(range(len(boxes)), key=lambda k: -scores[k])
    steps = [Step(f"By score: {', '.join(f'{names[k]} ({scores[k]:g})' for k in order)}.")]
    kept: list[int] = []
    for k in order:
        blocker = next((other for other in kept if overlap(boxes[k], boxes[other]) > tau), None)
        if blocker is None:
            best = max(((float(overlap(boxes[k], boxes[o])), names[o]) for o in kept), default=None)
            why = (
                f"its largest IoU with a kept box is {best[0]:.4f} (with {best[1]})"
                if best
                else "it has the best score"
            )
            steps.append(Step(f"{names[k]} is kept: {why}."))
            kept.append(k)
        else:
            found = float(overlap(boxes[k], boxes[blocker]))
            steps.append(Step(f"{names[k]} goes: its IoU with {names[blocker]} is {found:.4f}, above {tau:g}."))
    return steps


@drill(
    NMS,
    tier=2,
    asks="keep",
    visualization="boxes",
    steps=_steps,
    prompt="Non-maximum suppression with threshold {tau}: a box goes when its IoU with a box that was kept is "
    "greater than "
    "{tau}. All boxes are of one class.\n{listing}\nWhich boxes are kept, best score first?",
    hint="Take the best box that is left, strike out what overlaps it too much, and go on; a struck box strikes "
    "no other.",
)
def nms_trace(rng: Random) -> dict[str, Any]:
    """Non-maximum suppression, box by box"""
    count = rng.choice([4, 5, 5])
    x, top = rng.randint(0, 10), rng.randint(0, 10)
    boxes = []
    for _ in range(count):
        y = top + rng.choice([0, 0, 1, 2])
        boxes.append([x, y, x + rng.choice([10, 10, 11]), y + 10])
        x, top = (x + rng.choice([2, 3, 3, 4]), top) if rng.random() < 0.85 else (x + 14, top + 5)
    # Scores mostly fall along the row of boxes, so that a struck box often overlaps one that must stay.
    falling = sorted(rng.sample(range(40, 99), count), reverse=True)
    k = rng.randrange(1, count)
    falling[k - 1], falling[k] = falling[k], falling[k - 1]
    scored = list(zip(boxes, [score / 100 for score in falling], strict=True))
    rng.shuffle(scored)
    boxes, scores = [box for box, _ in scored], [score for _, score in scored]
    labels = [chr(65 + k) for k in range(count)]
    lines = [f"  {n}  [{', '.join(map(str, b))}]  score {s:.2f}" for n, b, s in zip(labels, boxes, scores, strict=True)]
    return dict(boxes=boxes, scores=scores, tau=rng.choice([0.3, 0.4, 0.5]), labels=labels, listing="\n".join(lines))


def _greedy(boxes: list, order: list[int], goes: Any) -> list[str]:
    """The labels kept in an order, where `goes(k, kept, seen)` says which box is struck out."""
    kept: list[int] = []
    for at, k in enumerate(order):
        if not goes(k, kept, order[:at]):
            kept.append(k)
    return [chr(65 + k) for k in kept]


def _best_first(scores: list) -> list[int]:
    return sorted(range(len(scores)), key=lambda k: -scores[k])


nms_trace.mistake(
    "struck-boxes-strike",
    {
        "keep": lambda boxes, scores, tau: _greedy(
            boxes, _best_first(scores), lambda k, kept, seen: any(overlap(boxes[k], boxes[o]) > tau for o in seen)
        )
    },
    "A box that was struck out strikes no other: compare with the kept boxes only.",
)
nms_trace.mistake(
    "order-of-the-list",
    {
        "keep": lambda boxes, scores, tau: _greedy(
            boxes, list(range(len(boxes))), lambda k, kept, seen: any(overlap(boxes[k], boxes[o]) > tau for o in kept)
        )
    },
    "Go through the boxes by falling score, not in the order in which they are listed.",
)
nms_trace.mistake(
    "any-overlap",
    {
        "keep": lambda boxes, scores, tau: _greedy(
            boxes, _best_first(scores), lambda k, kept, seen: any(overlap(boxes[k], boxes[o]) > 0 for o in kept)
        )
    },
    "Some overlap is allowed: only an IoU above the threshold strikes a box out.",
)
nms_trace.mistake(
    "nothing-struck",
    {"keep": lambda boxes, scores, tau: [chr(65 + k) for k in _best_first(scores)]},
    "Some of these overlap a better box by more than the threshold: they go.",
)
nms_trace.torch(
    """
from torchvision.ops import nms

keep = [labels[k] for k in nms(boxes, scores, tau)]
"""
)
