"""NMS and its alternatives: drills about scores that decay, and thresholds that adapt."""

import math
from collections.abc import Sequence
from random import Random
from typing import Any

from quizzes.content.object_detection.nms.formulas import (
    ADAPTIVE_NMS,
    PER_CLASS_NMS,
    SOFT_NMS,
    SOFT_NMS_DECAY,
    SOFT_NMS_GAUSSIAN,
)
from quizzes.content.object_detection.nms.suppression import (
    Box,
    Factor,
    Number,
    by_score,
    gaussian_factor,
    keep_labels,
    linear_factor,
    overlap,
    soft_picks,
    visits,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, exact
from quizzes.procedure import number_text
from quizzes.question import Step

Scores = Sequence[Number]


@drill(
    SOFT_NMS_DECAY,
    id="soft-nms:decay",
    tier=1,
    asks=("linear", "gaussian"),
    prompt="Soft-NMS has picked a box. Another box has the score s = {s} and the IoU u = {u} with the picked box.\n"
    "What is its new score with linear decay, 1 - u from a threshold of N_t = {N_t} on (linear)? What is it with "
    "Gaussian decay, exp(-u^2/sigma) with sigma = {sigma} (gaussian)?\n"
    "Conventions: linear decay leaves a box below its threshold unchanged; Gaussian decay has no threshold.",
    hint="Does the linear rule apply to this overlap? By which factor does each rule multiply the score?",
    mistakes=[
        Mistake("times-iou", "linear = s*u", "You multiplied by the IoU. A larger overlap must decay more: 1 - u."),
        Mistake("subtracts", "linear = s - u", "You subtracted the IoU. The score is multiplied by 1 - u."),
        Mistake(
            "threshold-ignored",
            "linear = s*(1 - u)",
            "You decayed a score below the threshold. Linear decay leaves it unchanged.",
        ),
        Mistake(
            "suppressed",
            "linear = where(u >= N_t, 0, s)",
            "That is plain NMS, which removes the box. Soft-NMS lowers its score.",
        ),
        Mistake("not-squared", "gaussian = s*exp(-u/sigma)", "You did not square the IoU in the exponent."),
        Mistake("sigma-squared", "gaussian = s*exp(-u^2/sigma^2)", "You squared sigma. The exponent is -u^2/sigma."),
        Mistake(
            "normal-density",
            "gaussian = s*exp(-u^2/(2*sigma^2))",
            "That is the exponent of a normal density. Soft-NMS uses -u^2/sigma.",
        ),
    ],
)
def soft_nms_decay(rng: Random) -> Inputs:
    """One round of Soft-NMS"""
    N_t = rng.choice([0.3, 0.4, 0.5])
    below = rng.random() < 0.3
    u = rng.randint(10, round(100 * N_t) - 3) if below else rng.randint(round(100 * N_t) + 2, 90)
    return dict(s=rng.randint(30, 95) / 100, u=u / 100, N_t=N_t, sigma=rng.choice([0.3, 0.4, 0.5, 0.6]))


def _soft_scores(
    boxes: Sequence[Box], scores: Scores, factor: Factor, is_compound: bool = True, is_sorted_again: bool = True
) -> list[Number | float]:
    """Return final scores as a student computes them.

    Args:
        boxes: The boxes.
        scores: Their scores.
        factor: The decay.
        is_compound: Whether every picked box decays the others, not only the first one.
        is_sorted_again: Whether the next box is picked by its current score, not by its first one.
    """
    if is_compound and is_sorted_again:
        return list(soft_picks(boxes, scores, factor))[-1].scores
    current: list[Number | float] = list(scores)
    order = by_score(scores)
    for rank, best in enumerate(order if is_compound else order[:1]):
        for k in order[rank + 1 :]:
            current[k] = current[k] * factor(overlap(boxes[best], boxes[k]))
    return current


def _soft_steps(boxes: list[Box], scores: Scores, factor: Factor, math_of: str) -> list[Step]:
    """Return a step per pick.

    Args:
        boxes: The boxes.
        scores: Their scores.
        factor: The decay.
        math_of: The factor of a score, with `{u}` for the IoU.
    """
    steps = []
    before: Sequence[Number | float] = scores
    for pick in soft_picks([[exact(x) for x in box] for box in boxes], [exact(score) for score in scores], factor):
        label = chr(65 + pick.box)
        reason = (
            "because its score {} is the highest that remains." if pick.factors else "the last box. Its score is {}."
        )
        text = f"Pick {label}, {reason.format(number_text(before[pick.box]))}"
        lines = []
        overlaps = {chr(65 + k): (k, iou) for k, (iou, _) in pick.factors.items()}
        if overlaps:
            listed = ", ".join(f"{number_text(iou)} with {name}" for name, (_, iou) in overlaps.items())
            text += f" Its IoU is {listed}."
        for name, (k, iou) in overlaps.items():
            if pick.factors[k][1] != 1:
                product = f"{number_text(before[k])}*{math_of.format(u=number_text(iou))}"
                lines += [f"s_{name} = {product}", f"s_{name} = {number_text(pick.scores[k])}"]
        if overlaps and not lines:
            text += " No score changes."
        steps.append(Step(text, lines))
        before = pick.scores
    return steps


def _linear_steps(boxes: list[Box], scores: Scores, N_t: Number, **_: Any) -> list[Step]:
    return _soft_steps(boxes, scores, linear_factor(exact(N_t)), "(1 - {u})")


def _gaussian_steps(boxes: list[Box], scores: Scores, sigma: Number, **_: Any) -> list[Step]:
    return _soft_steps(boxes, scores, gaussian_factor(exact(sigma)), f"exp(-{{u}}^2/{number_text(exact(sigma))})")


NOT_SORTED_AGAIN = "You picked the boxes by their first scores. Pick the next box by the scores after the decay."
ONCE = "Only the first picked box lowered the scores. Every picked box does, so the decays multiply."

SOFT_HINTS = (
    "Which box is picked next, after the scores have changed?",
    "Pick the remaining box with the highest current score, decay the scores of the others by their IoU with it, and "
    "repeat.",
)


@drill(
    SOFT_NMS,
    tier=2,
    asks="final",
    visualization="boxes",
    steps=_linear_steps,
    prompt="Linear Soft-NMS picks the remaining box with the highest current score. It multiplies the score of each "
    "other remaining box by 1 - IoU if its IoU with the picked box is at least {N_t}, and repeats. Each row gives the "
    "corners x1, y1, x2, y2 of a box.\n"
    "{listing}\n"
    "What are the final scores, in the order of the list?",
    hints=SOFT_HINTS,
    mistakes=[
        Mistake(
            "decays-once",
            {"final": lambda boxes, scores, N_t: _soft_scores(boxes, scores, linear_factor(N_t), is_compound=False)},
            ONCE,
        ),
        Mistake(
            "not-sorted-again",
            {
                "final": lambda boxes, scores, N_t: _soft_scores(
                    boxes, scores, linear_factor(N_t), is_sorted_again=False
                )
            },
            NOT_SORTED_AGAIN,
        ),
        Mistake(
            "times-iou",
            {"final": lambda boxes, scores, N_t: _soft_scores(boxes, scores, lambda iou: iou if iou >= N_t else 1)},
            "You multiplied by the IoU. A larger overlap must decay more: multiply by 1 - IoU.",
        ),
        Mistake(
            "threshold-ignored",
            {"final": lambda boxes, scores, N_t: _soft_scores(boxes, scores, linear_factor(0))},
            "You decayed scores at any overlap. Linear decay starts at the threshold.",
        ),
        Mistake(
            "suppressed",
            {"final": lambda boxes, scores, N_t: _soft_scores(boxes, scores, lambda iou: 0 if iou >= N_t else 1)},
            "That is plain NMS, which removes boxes. Soft-NMS lowers their scores.",
        ),
    ],
)
def soft_nms(rng: Random) -> Inputs:
    """Linear Soft-NMS, score by score"""
    return _draw_crowd(rng) | dict(N_t=rng.choice([0.3, 0.4, 0.5]))


@drill(
    SOFT_NMS_GAUSSIAN,
    id="soft-nms:gaussian",
    tier=2,
    asks="final",
    visualization="boxes",
    steps=_gaussian_steps,
    prompt="Gaussian Soft-NMS picks the remaining box with the highest current score. It multiplies the score of each "
    "other remaining box by exp(-IoU^2/sigma) with sigma = {sigma}, where IoU is that with the picked box, and "
    "repeats. Each row gives the corners x1, y1, x2, y2 of a box.\n"
    "{listing}\n"
    "What are the final scores, in the order of the list?",
    hints=SOFT_HINTS,
    mistakes=[
        Mistake(
            "decays-once",
            {
                "final": lambda boxes, scores, sigma: _soft_scores(
                    boxes, scores, gaussian_factor(sigma), is_compound=False
                )
            },
            ONCE,
        ),
        Mistake(
            "not-sorted-again",
            {
                "final": lambda boxes, scores, sigma: _soft_scores(
                    boxes, scores, gaussian_factor(sigma), is_sorted_again=False
                )
            },
            NOT_SORTED_AGAIN,
        ),
        Mistake(
            "not-squared",
            {"final": lambda boxes, scores, sigma: _soft_scores(boxes, scores, lambda iou: math.exp(-iou / sigma))},
            "You did not square the IoU in the exponent.",
        ),
        Mistake(
            "sigma-squared",
            {"final": lambda boxes, scores, sigma: _soft_scores(boxes, scores, gaussian_factor(sigma**2))},
            "You squared sigma. The exponent is -IoU^2/sigma.",
        ),
        Mistake(
            "linear",
            {"final": lambda boxes, scores, sigma: _soft_scores(boxes, scores, linear_factor(0))},
            "That is the linear decay, 1 - IoU. The Gaussian one is exp(-IoU^2/sigma).",
        ),
    ],
)
def soft_nms_gaussian(rng: Random) -> Inputs:
    """Gaussian Soft-NMS, score by score"""
    return _draw_crowd(rng) | dict(sigma=rng.choice([0.3, 0.4, 0.5, 0.6]))


def _draw_crowd(rng: Random) -> Inputs:
    """Draw three boxes in a row, of which the middle one overlaps both others."""
    x, y, size = rng.randint(0, 10), rng.randint(0, 10), rng.choice([10, 10, 12, 20])
    first, second = (rng.randint(1, size // 2) for _ in range(2))
    boxes = [[left, y + rng.choice([0, 0, 1]), left + size, y + size] for left in (x, x + first, x + first + second)]
    scores = sorted(rng.sample(range(60, 98), 3), reverse=True)
    if rng.random() < 0.6:  # the middle box is often overtaken
        scored = list(zip(boxes, scores, strict=True))
    else:
        scored = list(zip(boxes, rng.sample(scores, 3), strict=True))
    rng.shuffle(scored)
    return _listing([box for box, _ in scored], [score / 100 for _, score in scored])


def _listing(boxes: list[list[int]], scores: list[float], **columns: list[Any]) -> Inputs:
    """Return boxes as inputs with the rows of a list; the further columns are named in it."""
    labels = [chr(65 + k) for k in range(len(boxes))]
    width = max(len(str(box)) for box in boxes)
    lines = [
        f"  {label}  {box!s:<{width}}  score {score:.2f}"
        + "".join(f"  {name} {values[k]}" for name, values in columns.items())
        for k, (label, box, score) in enumerate(zip(labels, boxes, scores, strict=True))
    ]
    return dict(boxes=boxes, scores=scores, labels=labels, listing="\n".join(lines))


def _keep(boxes: Sequence[Box], scores: Scores, thresholds: Scores, classes: Scores = ()) -> list[str]:
    return keep_labels(visits(boxes, scores, thresholds, classes))


def _keep_by_own_threshold(boxes: Sequence[Box], scores: Scores, thresholds: Scores) -> list[str]:
    """Return the boxes whose IoU with every better kept box is at most their own threshold."""
    selected: list[int] = []
    for k in by_score(scores):
        if all(overlap(boxes[k], boxes[other]) <= thresholds[k] for other in selected):
            selected.append(k)
    return [chr(65 + k) for k in selected]


def _decisions(boxes: list[Box], scores: Scores, thresholds: Scores, classes: Scores = ()) -> list[Step]:
    """Return a step per box."""
    steps = []
    for box, overlaps, suppressor in visits(boxes, scores, thresholds, classes):
        label = chr(65 + box)
        if suppressor is not None:
            other = chr(65 + suppressor)
            iou, tau = number_text(overlaps[suppressor], thresholds[suppressor]), number_text(thresholds[suppressor])
            steps.append(Step(f"Suppress {label}, because its IoU with {other} is {iou}, above {other}'s {tau}."))
        elif overlaps:
            compared = ", ".join(
                f"{number_text(iou, thresholds[k])} with {chr(65 + k)} (at most {number_text(thresholds[k])})"
                for k, iou in overlaps.items()
            )
            steps.append(Step(f"Keep {label}: its IoU is {compared}."))
        else:
            reason = "no better box of its class is kept" if classes else "it has the highest score"
            steps.append(Step(f"Keep {label}, because {reason}."))
    return steps


def _adaptive_steps(boxes: list[Box], scores: Scores, density: Scores, N_t: Number, **_: Any) -> list[Step]:
    thresholds = [max(exact(N_t), exact(d)) for d in density]
    listed = ", ".join(f"{chr(65 + k)} {number_text(tau)}" for k, tau in enumerate(thresholds))
    first = f"Each box has the threshold max({number_text(exact(N_t))}, density): {listed}."
    return [Step(first), *_decisions(boxes, scores, thresholds)]


@drill(
    ADAPTIVE_NMS,
    tier=2,
    asks="keep",
    visualization="boxes",
    steps=_adaptive_steps,
    prompt="Adaptive NMS gives each kept box a threshold of its own: the larger of N_t = {N_t} and the density that "
    "the detector predicts for the box. A box is suppressed if its IoU with a kept box is greater than the threshold of "
    "the kept box. Each row gives the corners x1, y1, x2, y2 of a box.\n"
    "{listing}",
    hints=(
        "Whose density decides if two boxes overlap: that of the kept box or that of the other one?",
        "A kept box suppresses others above max(N_t, its density). Visit the boxes by decreasing score.",
    ),
    mistakes=[
        Mistake(
            "fixed-threshold",
            {"keep": lambda boxes, scores, density, N_t: _keep(boxes, scores, [N_t] * len(boxes))},
            "You used N_t for all boxes. In a crowd, a kept box has the larger threshold, its density.",
        ),
        Mistake(
            "smaller-of-both",
            {"keep": lambda boxes, scores, density, N_t: _keep(boxes, scores, [min(N_t, d) for d in density])},
            "You took the smaller of N_t and the density. A crowd needs the larger one, to keep neighbors.",
        ),
        Mistake(
            "density-of-the-other",
            {
                "keep": lambda boxes, scores, density, N_t: _keep_by_own_threshold(
                    boxes, scores, [max(N_t, d) for d in density]
                )
            },
            "You used the density of the box that may be suppressed. The kept box has the threshold.",
        ),
    ],
)
def adaptive_nms(rng: Random) -> Inputs:
    """Adaptive NMS, box by box"""
    boxes, scores = _draw_row(rng, rng.choice([4, 5]))
    density = [rng.choice([0.1, 0.2, 0.3, 0.6, 0.7, 0.8]) for _ in boxes]
    N_t = rng.choice([0.4, 0.5])
    if len(_keep(boxes, scores, [max(N_t, d) for d in density])) == len(boxes):
        raise UndefinedValue("no box is suppressed")
    return _listing(boxes, scores, density=density) | dict(density=density, N_t=N_t)


def _draw_row(rng: Random, count: int) -> tuple[list[list[int]], list[float]]:
    """Draw boxes in a row, each of which overlaps its neighbors, and their scores, shuffled."""
    x, y = rng.randint(0, 10), rng.randint(0, 10)
    boxes = []
    for _ in range(count):
        boxes.append([x, y + rng.choice([0, 0, 1]), x + 10, y + 10])
        x += rng.choice([1, 2, 2, 3, 4])
    scores = [score / 100 for score in rng.sample(range(40, 99), count)]
    rng.shuffle(boxes)
    return boxes, scores


def _class_steps(boxes: list[Box], scores: Scores, classes: Scores, taus: Scores, **_: Any) -> list[Step]:
    thresholds = [exact(taus[int(c)]) for c in classes]
    groups = "; ".join(
        f"class {c}: {', '.join(chr(65 + k) for k in by_score(scores) if classes[k] == c)}" for c in sorted({*classes})
    )
    return [Step(f"Sort the boxes of each class by score: {groups}."), *_decisions(boxes, scores, thresholds, classes)]


@drill(
    PER_CLASS_NMS,
    id="adaptive-nms:per-class",
    tier=2,
    asks="keep",
    visualization="boxes",
    steps=_class_steps,
    prompt="Non-maximum suppression runs within each class, with a threshold per class: {taus_text}. A box is "
    "suppressed if its IoU with a kept box of its class is greater than the threshold of the class. Each row gives "
    "the corners x1, y1, x2, y2 of a box.\n"
    "{listing}",
    hints=(
        "Which boxes can suppress each other at all?",
        "Treat each class by itself: keep a box if its IoU with every better kept box of its class is at most the "
        "threshold of the class. List the kept boxes of both classes by score.",
    ),
    mistakes=[
        Mistake(
            "class-agnostic",
            {"keep": lambda boxes, scores, classes, taus: _keep(boxes, scores, [taus[int(c)] for c in classes])},
            "You compared boxes of different classes. They never suppress each other.",
        ),
        Mistake(
            "thresholds-swapped",
            {
                "keep": lambda boxes, scores, classes, taus: _keep(
                    boxes, scores, [taus[1 - int(c)] for c in classes], classes
                )
            },
            "You swapped the thresholds of the classes.",
        ),
        Mistake(
            "one-per-class",
            {"keep": lambda boxes, scores, classes, taus: _keep(boxes, scores, [0] * len(boxes), classes)},
            "You suppressed boxes at any overlap. Compare the IoU with the threshold of the class.",
        ),
        Mistake(
            "classes-one-after-the-other",
            {
                "keep": lambda boxes, scores, classes, taus: sorted(
                    _keep(boxes, scores, [taus[int(c)] for c in classes], classes),
                    key=lambda label: classes[ord(label) - 65],
                )
            },
            "You listed one class after the other. The result is sorted by score over all classes.",
        ),
    ],
)
def adaptive_nms_per_class(rng: Random) -> Inputs:
    """NMS with a threshold per class"""
    boxes, scores = _draw_row(rng, 5)
    classes = [rng.randrange(2) for _ in boxes]
    taus = rng.sample([0.3, 0.4, 0.5, 0.6, 0.7], 2)
    if not 2 <= sum(classes) <= 3 or len(_keep(boxes, scores, [taus[c] for c in classes], classes)) == len(boxes):
        raise UndefinedValue("no box is suppressed, or a class has a single box")
    text = f"{taus[0]} for class 0, {taus[1]} for class 1"
    return {**_listing(boxes, scores, **{"class": classes}), "classes": classes, "taus": taus, "taus_text": text}
