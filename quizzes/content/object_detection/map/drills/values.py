"""Mean average precision: drills about values."""

from collections.abc import Sequence
from fractions import Fraction
from itertools import accumulate
from random import Random
from typing import Any

from quizzes.content.object_detection.map.formulas import AP_ALL_POINTS, AP_ELEVEN_POINTS, MAP_50_95, PR_MATCHING
from quizzes.content.object_detection.map.ranking import (
    VOC_RECALLS,
    Number,
    average_precision,
    envelope,
    interpolate,
    match,
    precisions,
    recalls,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value, exact
from quizzes.procedure import number_text
from quizzes.question import Step

Rows = Sequence[Sequence[Number]]


def _ranked(iou: Rows, scores: Sequence[Number]) -> list[Sequence[Number]]:
    return [iou[k] for k in sorted(range(len(scores)), key=lambda k: -scores[k])]


def _duplicates_count(iou: Rows, scores: Sequence[Number], tau: Number) -> Value:
    return [int(max(row) >= tau) for row in _ranked(iou, scores)]


def _voc_rule(iou: Rows, scores: Sequence[Number], tau: Number) -> Value:
    """Return the hits if each detection may only match the object with its largest IoU, taken or not."""
    taken: set[int] = set()
    hits = []
    for row in _ranked(iou, scores):
        best = max(range(len(row)), key=lambda j: row[j])
        hits.append(int(row[best] >= tau and best not in taken))
        if hits[-1]:
            taken.add(best)
    return hits


def _in_list_order(iou: Rows, scores: Sequence[Number], tau: Number) -> Value:
    return [int(partner is not None) for partner in match(iou, tau)]


def _any_overlap(iou: Rows, scores: Sequence[Number], tau: Number) -> Value:
    return [int(partner is not None) for partner in match(_ranked(iou, scores), Fraction(1, 10**6))]


def _matching_steps(
    iou: Rows,
    scores: Sequence[Number],
    tau: Number,
    order: list[int],
    objects: list[int],
    P: list[float],
    R: list[float],
    n: int,
    TP: list[int],
    **_: Any,
) -> list[Step]:
    steps = [Step(f"Sort the detections by score: {', '.join(map(str, order))}.")]
    taken: list[int] = []
    for name, j in zip(order, objects, strict=True):
        row = [exact(value) for value in iou[name - 1]]
        above = [k for k, value in enumerate(row, 1) if value >= exact(tau)]
        if j:
            others = [k for k in above if k != j and k in taken]
            note = f" Object {others[0]} is taken." if others and row[others[0] - 1] > row[j - 1] else ""
            steps.append(Step(f"Detection {name} takes object {j}, with an IoU of {number_text(row[j - 1])}: 1.{note}"))
            taken.append(j)
        elif above:
            listed = " and ".join(f"object {k}" for k in above)
            are = "is" if len(above) == 1 else "are"
            steps.append(Step(f"Detection {name} only fits {listed}, which {are} taken: 0, a duplicate."))
        else:
            steps.append(Step(f"Detection {name} has no IoU of at least {number_text(exact(tau))}: 0."))
    rank = len(P)
    steps.append(
        Step(
            "At each rank, precision divides the true positives so far by the rank, and recall divides them by the "
            f"{n} objects. At the last rank:",
            [f"P = {TP[-1]}/{rank}", f"P = {P[-1]:.4f}", f"R = {TP[-1]}/{n}", f"R = {R[-1]:.4f}"],
        )
    )
    return steps


@drill(
    PR_MATCHING,
    tier=2,
    asks=("hits", "P", "R"),
    steps=_matching_steps,
    prompt="A detector outputs {count} detections of one class for an image with {n_objects} objects of that class. "
    "These are the IoUs of each detection with objects 1 to {n_objects}:\n"
    "{listing}\n"
    "From the highest score down, each detection takes the free object with which its IoU is largest, if that is at "
    "least {tau}. In the order of decreasing score, which detections are true positives (hits: 1 or 0)? What are "
    "precision (P) and recall (R) at each rank?\n"
    "Conventions: COCO's matching. An object that is taken is no longer free.",
    hints=(
        "In which order do the detections choose? Can an object be matched twice?",
        "Precision at rank k is the number of true positives among the first k, divided by k. Recall divides it by the "
        "number of objects.",
        "First step: sort the detections by score.",
    ),
    mistakes=[
        Mistake(
            "duplicate-as-true-positive",
            {"hits": _duplicates_count},
            "You counted a second detection of one object as correct. It is a false positive.",
        ),
        Mistake(
            "order-of-the-list",
            {"hits": _in_list_order},
            "You went through the list as it is printed. Sort the detections by score first.",
        ),
        Mistake(
            "best-object-only",
            {"hits": _voc_rule},
            "That is the rule of Pascal VOC: a detection only tries the object with its largest IoU. With COCO's rule, "
            "it takes the best free object.",
        ),
        Mistake(
            "any-overlap",
            {"hits": _any_overlap},
            "You matched at any overlap. The IoU must be at least the threshold.",
        ),
        Mistake(
            "precision-over-objects",
            "P[k] = TP[k]/n for k = 1..len(hits)",
            "You divided by the number of objects, which gives recall. Precision divides by the rank.",
        ),
        Mistake(
            "recall-over-detections",
            "R[k] = TP[k]/len(hits) for k = 1..len(hits)",
            "You divided by the number of detections. Recall divides by the number of objects.",
        ),
    ],
)
def pr_matching(rng: Random) -> Inputs:
    """Matching of detections, precision and recall"""
    n, count, tau = rng.choice([2, 3, 3]), rng.choice([4, 5]), rng.choice([0.5, 0.5, 0.6, 0.75])
    limit = round(100 * tau)
    iou = []
    for _ in range(count):
        row = [rng.choice([0, 0, rng.randint(5, 30)]) for _ in range(n)]
        target = rng.randrange(n)
        row[target] = rng.randint(limit + 3, 97) if rng.random() < 0.75 else rng.randint(30, limit - 3)
        if rng.random() < 0.3:
            row[(target + 1) % n] = rng.randint(limit + 1, 95)
        iou.append([value / 100 for value in row])
    scores = [score / 100 for score in rng.sample(range(30, 99), count)]
    matching = [[value for value in row if value >= tau] for row in iou]
    if scores == sorted(scores, reverse=True) or any(len({*values}) < len(values) for values in matching):
        raise UndefinedValue("the list is sorted, or a detection has no best object")
    lines = [
        f"  {k}  score {score:.2f}  IoU {', '.join(f'{value:.2f}' for value in row)}"
        for k, (score, row) in enumerate(zip(scores, iou, strict=True), 1)
    ]
    return dict(iou=iou, scores=scores, tau=tau, count=count, n_objects=n, listing="\n".join(lines))


def _list_points(hits: Sequence[Number], n: Number) -> str:
    points = zip(recalls(hits, n), precisions(hits), strict=True)
    return ", ".join(f"({number_text(r)}, {number_text(p)})" for r, p in points)


def _all_points_steps(hits: Sequence[Number], n: int, AP: float, **_: Any) -> list[Step]:
    whole = [exact(hit) for hit in hits]
    best = envelope(whole)
    ranks = [k for k, hit in enumerate(hits) if hit]
    terms = " + ".join(f"{sum(hits[: rank + 1])}/{rank + 1}" for rank in (_rank_of(whole, k) for k in ranks))
    return [
        Step(f"Recall and precision at each rank are {_list_points(whole, n)}."),
        Step(
            "The envelope is the best precision at a rank or below. At the correct detections, it is "
            f"{', '.join(number_text(best[k]) for k in ranks)}."
        ),
        Step(
            f"Each correct detection adds a step of 1/{n} in recall. Multiply the sum of the envelope by it.",
            [f"AP = ({terms})/{n}", f"AP = {AP:.4f}"],
        ),
    ]


def _rank_of(hits: Sequence[Number], k: int) -> int:
    """Return the rank, from 0, at or below k whose precision the envelope has at k."""
    values = precisions(hits)
    return max(range(k, len(hits)), key=lambda rank: (values[rank], -rank))


RANKED = (
    "A detector outputs {count} detections of a class with {n} objects. From the highest score down, they are correct "
    "(1) or not (0): {hits}.\n"
)


@drill(
    AP_ALL_POINTS,
    id="ap-allpoint",
    tier=2,
    asks="AP",
    visualization="precision-recall hits n",
    steps=_all_points_steps,
    prompt=RANKED + "What is the average precision AP, the area under the monotone envelope of precision over recall?\n"
    "Conventions: every recall counts, as in Pascal VOC since 2010. The envelope is the best precision at a recall or "
    "above, and 0 beyond the largest recall.",
    hints=(
        "At which ranks does the recall increase, and by how much each time?",
        "AP is the sum of the envelope's precision at each correct detection, divided by the number of objects.",
        "First step: write down precision and recall at each rank.",
    ),
    mistakes=[
        Mistake(
            "no-envelope",
            "AP = sum(k, hits[k]*P[k])/n",
            "You used the precision at each correct detection. The envelope takes the best one at that rank or below.",
        ),
        Mistake(
            "mean-of-precisions",
            "AP = mean(k, P[k])",
            "You averaged the precision over all ranks. Only steps in recall count.",
        ),
        Mistake(
            "over-detections",
            "AP = sum(k, hits[k]*E[k])/len(hits)",
            "You divided by the number of detections. A step in recall is 1 over the number of objects.",
        ),
        Mistake(
            "missed-objects-ignored",
            "AP = sum(k, hits[k]*E[k])/sum(k, hits[k])",
            "You divided by the number of objects that were detected. Missed ones count too, with precision 0.",
        ),
        Mistake(
            "extended-to-recall-1",
            "AP = sum(k, hits[k]*E[k])/n + (1 - R[len(hits)])*P[len(hits)]",
            "You extended the last precision to recall 1. Beyond the largest recall, the envelope is 0.",
        ),
    ],
)
def ap_allpoint(rng: Random) -> Inputs:
    """Average precision at every recall"""
    return _draw_ranking(rng)


def _draw_ranking(rng: Random) -> Inputs:
    count = rng.choice([5, 6, 6, 7])
    hits = [int(rng.random() < 0.6) for _ in range(count)]
    found = sum(hits)
    values = precisions(hits)
    if not 2 <= found < count or list(accumulate(reversed(values), max))[::-1] == values:
        raise UndefinedValue("the envelope must matter")
    return dict(hits=hits, n=found + rng.choice([0, 1, 1, 2]), count=count)


def _eleven_steps(hits: Sequence[Number], n: int, p: list[float], AP11: float) -> list[Step]:
    whole = [exact(hit) for hit in hits]
    values = interpolate(whole, n, VOC_RECALLS)
    groups: dict[Fraction, list[Fraction]] = {}
    for recall, value in zip(VOC_RECALLS, values, strict=True):
        groups.setdefault(value, []).append(recall)
    texts = []
    for value, at in groups.items():
        span = number_text(at[0]) if len(at) == 1 else f"{number_text(at[0])} to {number_text(at[-1])}"
        texts.append(f"{number_text(value)} at {span}")
    terms = " + ".join(f"{len(at)}*{value}" for value, at in groups.items() if value)
    return [
        Step(f"Recall and precision at each rank are {_list_points(whole, n)}."),
        Step(f"The best precision at each recall or above is {', '.join(texts)}."),
        Step("Average the 11 values.", [f"AP11 = ({terms})/11", f"AP11 = {AP11:.4f}"]),
    ]


def _first_precision(hits: Sequence[Number], n: Number) -> list[Fraction]:
    """Return the precision at the first rank that reaches each of the 11 recalls, without the best one later."""
    points = list(zip(recalls(hits, n), precisions(hits), strict=True))
    return [next((p for r, p in points if r >= recall), Fraction(0)) for recall in VOC_RECALLS]


@drill(
    AP_ELEVEN_POINTS,
    id="ap-11point",
    tier=2,
    asks="AP11",
    visualization="precision-recall hits n",
    steps=_eleven_steps,
    prompt=RANKED + "What is the average precision with 11 recalls (AP11), as in Pascal VOC 2007?\n"
    "Conventions: at each of the recalls 0, 0.1, ..., 1, take the best precision at that recall or above, and 0 beyond "
    "the largest recall.",
    hints=(
        "Which ranks have at least the recall 0.3? Which of them has the best precision?",
        "AP is the mean of the 11 best precisions.",
        "First step: write down precision and recall at each rank.",
    ),
    mistakes=[
        Mistake("divided-by-10", "AP11 = sum(i, p[i])/10", "There are 11 recalls from 0 to 1. Divide by 11."),
        Mistake(
            "without-recall-0",
            "AP11 = sum(i = 2..11, p[i])/10",
            "You left out the recall 0, which counts too.",
        ),
        Mistake(
            "every-recall",
            {"AP11": lambda hits, n: average_precision(hits, n)},
            "That is the area with every recall. Here, 11 recalls are averaged.",
        ),
        Mistake(
            "not-the-best",
            {"AP11": lambda hits, n: sum(_first_precision(hits, n)) / 11},
            "You took the first precision that reaches a recall. Take the best one at that recall or above.",
        ),
        Mistake(
            "missed-objects-ignored",
            {"AP11": lambda hits, n: Fraction(sum(interpolate(hits, sum(hits), VOC_RECALLS))) / 11},
            "You computed recall over the detected objects. Missed ones count too.",
        ),
    ],
)
def ap_11point(rng: Random) -> Inputs:
    """Average precision at 11 recalls"""
    return _draw_ranking(rng)


@drill(
    MAP_50_95,
    tier=1,
    asks=("mAP", "AP50", "AP75"),
    prompt="A detector has these AP values at the IoU thresholds 0.50, 0.55, ..., 0.95:\n"
    "{listing}\n"
    "What are COCO's AP, also written AP@[.50:.95] (mAP), and AP50 and AP75?",
    hint="Over which two things does COCO's AP average? At which position is the threshold 0.75?",
    mistakes=[
        Mistake(
            "nine-thresholds",
            "mAP = mean(c, sum(t = 1..9, A[c, t])/9)",
            "You left out the threshold 0.95. There are 10 thresholds.",
        ),
        Mistake(
            "divided-by-9",
            "mAP = mean(c, sum(t, A[c, t])/9)",
            "You divided by 9, the number of steps. There are 10 thresholds.",
        ),
        Mistake("ap50", "mAP = mean(c, A[c, 1])", "That is AP50. COCO's AP averages over ten thresholds."),
        Mistake(
            "classes-added",
            "mAP = sum(c, per_class[c])",
            "You added the classes. Average over them.",
        ),
        Mistake(
            "middle-of-the-list",
            "AP75 = mean(c, A[c, 5])",
            "That is the threshold 0.70. 0.75 is the sixth threshold.",
        ),
    ],
)
def map_50_95(rng: Random) -> Inputs:
    """AP over IoU thresholds and classes"""
    rows = []
    for _ in range(rng.choice([2, 2, 3])):
        value, row = rng.randint(60, 95), []
        for step in range(10):
            row.append(max(1, value) / 100)
            value -= rng.randint(1, 4) + 2 * step
        rows.append(row)
    lines = [f"  class {c}: {', '.join(f'{value:.2f}' for value in row)}" for c, row in enumerate(rows)]
    return dict(A=rows, listing="\n".join(lines))
