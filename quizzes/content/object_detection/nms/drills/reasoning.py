"""NMS and its alternatives: drills that diagnose, debug and decide."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.object_detection.map.ranking import average_precision, hits_of, iou_matrix
from quizzes.content.object_detection.nms.formulas import (
    CALL_LINE,
    CLASS_OFFSET,
    CROWD_WINDOW,
    NMS_VARIANTS,
    OFFSET_LINE,
    compare_variants,
)
from quizzes.content.object_detection.nms.suppression import (
    Box,
    Number,
    by_score,
    gaussian_factor,
    linear_factor,
    overlap,
    soft_picks,
    visits,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value, exact
from quizzes.procedure import number_text
from quizzes.question import Step


@drill(
    CROWD_WINDOW,
    tier=3,
    asks=("low", "high", "AP", "cause"),
    prompt="Two people of {w}x{h} px stand at x1 = 0 and x1 = {x}, next to each other. A detector outputs three boxes "
    "of {w}x{h} px at the same height: box 1 at x1 = 0 with score 0.95, box 2 at x1 = {s} with score 0.9, and box 3 at "
    "x1 = {t} with score 0.85. Box 2 is a duplicate of box 1, and a match needs an IoU of at least {m}. "
    "NMS at the threshold tau = {tau} suppresses a box if its IoU with a kept box is greater than tau.\n"
    "For which thresholds, low <= tau < high, does NMS leave exactly the boxes 1 and 3? What is the AP at tau = {tau} "
    "(AP)? What would you change (cause)?\n"
    "Conventions: AP is the area under the monotone envelope of precision over recall, after NMS.",
    hints=(
        "Which box must be suppressed by box 1, and which must not?",
        "Boxes of equal size that are shifted by t have IoU = (w - t)/(w + t). Box 2 must be above the threshold, and "
        "box 3 must not be. Does box 3 match the second person at all?",
        "First step: compute the IoU of box 1 with boxes 2 and 3.",
    ),
    mistakes=[
        Mistake(
            "boxes-2-and-3",
            "low = (w - (t - s))/(w + t - s)",
            "That is the IoU of boxes 2 and 3. Box 2 is suppressed, so only its IoU with box 1 and that of box 3 "
            "with box 1 count.",
        ),
        Mistake(
            "ends-swapped",
            "low = (w - s)/(w + s); high = (w - t)/(w + t)",
            "You swapped the ends. The duplicate has the larger IoU with box 1.",
        ),
        Mistake(
            "over-one-box", "low = (w - t)/w; high = (w - s)/w", "You divided by the area of one box, not the union."
        ),
        Mistake(
            "recall-only",
            "AP = where(fit < m or tau < low, 1/2, 1)",
            "You ignored the duplicate. It is a false positive ahead of box 3, so the precision at recall 1 is 2/3.",
        ),
        Mistake(
            "always-a-match",
            "AP = where(tau < low, 1/2, where(tau < high, 1, 5/6)); cause = where(tau < low, 1, 2)",
            "Compute the IoU of box 3 with the second person: it is below the one that a match needs.",
        ),
        Mistake(
            "higher-is-better",
            "cause = 1",
            "A higher threshold does not help here. Check which box it would let through.",
        ),
        Mistake(
            "blames-the-detector",
            "cause = 3",
            "Box 3 matches the second person. Follow what NMS does with it, and with box 2.",
        ),
    ],
)
def nms_crowd_window(rng: Random) -> Inputs:
    """Threshold of NMS in a crowd"""
    case = rng.choice(["low", "high", "detector"])
    for _ in range(500):
        w, m = rng.choice([10, 12, 15, 20, 24, 30]), rng.choice([0.7, 0.75, 0.8])
        s = rng.randint(1, max(1, w // 8))
        t = rng.randint(2 * s + 1, w // 2)
        x = t if case != "detector" else t + rng.choice([-1, 1]) * rng.randint(1, w // 3)
        low, high, fit = ((w - shift) / (w + shift) for shift in (t, s, abs(t - x)))
        ranges = dict(low=(0.2, low - 0.02), high=(high + 0.02, 0.95), detector=(low + 0.02, high - 0.02))
        choices = [k / 20 for k in range(5, 20) if ranges[case][0] < k / 20 < ranges[case][1]]
        people = (w - x) / (w + x), (w - abs(x - s)) / (w + abs(x - s)), low  # IoUs that must not be matches
        if choices and x >= 1 and (fit < m) == (case == "detector") and max(people) < m < high:
            return dict(w=w, h=2 * w, x=x, s=s, t=t, m=m, tau=rng.choice(choices))
    raise UndefinedValue("no such boxes")


def _print_line(boxes: Sequence[Box], **_: Any) -> int:
    return len(boxes) + 7


def _program(boxes: list[list[int]], scores: list[float], labels: list[int], tau: float, offset: str, call: str) -> str:
    rows = ",\n         ".join(str(box) for box in boxes).replace(",", ".,", 1)  # a number with a point: a float tensor
    return f"""
def class_nms(boxes, scores, labels, tau):
    offset = {offset}
    return nms({call}, scores, tau)
boxes = torch.tensor(
        [{rows}])
scores = torch.tensor({scores})
labels = torch.tensor({labels})
print(class_nms(boxes, scores, labels, {tau}).tolist())
""".strip()


def _draw_classes(rng: Random) -> Inputs:
    """Draw boxes of two classes, some of which overlap boxes of their own and of the other class."""
    size = rng.choice([9, 10, 12])
    places = [[0, 0, size, size], [0, 0, size, size - 1], [3 * size, 3 * size, 4 * size, 4 * size]]
    places += [[1, 0, size + 1, size], [3 * size, 3 * size, 4 * size, 4 * size - 1]]
    count = rng.choice([5, 6])
    boxes = [rng.choice(places) for _ in range(count)]
    labels = [rng.randrange(2) for _ in boxes]
    if not 2 <= sum(labels) <= count - 2:
        raise UndefinedValue("each class needs two boxes")
    scores = [score / 100 for score in sorted(rng.sample(range(30, 99), count), reverse=True)]
    return dict(boxes=boxes, scores=scores, labels=labels, tau=rng.choice([0.5, 0.6]))


def _keep_all_classes(boxes: Sequence[Box], scores: Sequence[Number], tau: Number, **_: Any) -> Value:
    return [visit.box for visit in visits(boxes, scores, [tau] * len(boxes)) if visit.suppressor is None]


def _everything(boxes: Sequence[Box], scores: Sequence[Number], **_: Any) -> Value:
    return by_score(scores)


def _kept_steps(boxes: list[Box], fixed: list[int], **values: Any) -> list[Step]:
    listed = ", ".join(str(int(k)) for k in fixed)
    return [
        Step(
            f"The offset separates the classes, so NMS compares boxes of one class only. It keeps [{listed}], best "
            "score first."
        )
    ]


def _raise_steps(line: int, rows: int, columns: int, **values: Any) -> list[Step]:
    wrong = "labels must be a column there" if line == OFFSET_LINE else "the offset must stay a column there"
    return [
        Step(
            f"Line {CALL_LINE} adds a tensor of shape {rows}x{columns} and one whose last dimension is {rows}. "
            f"Broadcasting compares the last dimensions, {columns} and {rows}, and they differ."
        ),
        Step(f"Line {line} is the one to change: {wrong}, {rows}x1, so that each box gets the offset of its class."),
        *_kept_steps(**values),
    ]


@drill(
    CLASS_OFFSET,
    id="debug-class-offset-nms",
    tier=3,
    asks=("line", "raised", "columns", "rows", "fixed"),
    visualization="code program",
    decimals=None,
    steps=_raise_steps,
    prompt="This program should run NMS within each class: an offset per class moves boxes of different classes apart. "
    "It raises an error about two sizes that don't match.\n"
    "Which line would you change (line), and which line raises the error (raised)? Which size of the boxes (columns) "
    "does not fit which size of the labels (rows)? What does the corrected program print (fixed)?\n"
    "Conventions: nms suppresses a box if its IoU with a kept box is above the threshold {tau}.",
    hints=(
        "Which shapes do boxes and offset have in line 3?",
        "Broadcasting aligns shapes at the last dimension: N x 4 needs an offset of shape N x 1.",
        "First step: write down the shapes of boxes, labels and offset.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: CALL_LINE if line == OFFSET_LINE else OFFSET_LINE},
            "That line would be fine if the other one had the right shape.",
        ),
        Mistake(
            "raises-early",
            {"raised": OFFSET_LINE},
            "Line 2 multiplies by a number, which always works. The addition of the boxes fails.",
        ),
        Mistake("raises-at-print", {"raised": _print_line}, "The error comes from inside the function."),
        Mistake("sizes-swapped", {"columns": lambda boxes, **_: len(boxes)}, "The boxes end with 4 columns."),
        Mistake("coordinates", {"rows": 4}, "That is the other size. There is one label per box."),
        Mistake(
            "class-agnostic",
            {"fixed": _keep_all_classes},
            "You compared boxes of different classes. The offset moves them apart.",
        ),
        Mistake("nothing-suppressed", {"fixed": _everything}, "Boxes of one class still suppress each other."),
    ],
)
def debug_class_offset_nms(rng: Random) -> Inputs:
    """Offset per class: an error"""
    values = _draw_classes(rng)
    line = rng.choice([OFFSET_LINE, CALL_LINE])
    if line == OFFSET_LINE:
        offset, call = rng.choice(["labels", "labels[None, :]"]) + " * (boxes.max() + 1)", "boxes + offset"
    else:
        offset, call = "labels[:, None] * (boxes.max() + 1)", rng.choice(["boxes + offset.T", "boxes + offset[:, 0]"])
    return values | dict(line=line, raised=CALL_LINE, program=_program(**values, offset=offset, call=call))


def _silent_steps(line: int, printed: list[int], **values: Any) -> list[Step]:
    reason = {
        OFFSET_LINE: "moves the classes only 1 px apart, so boxes of different classes still overlap",
        CALL_LINE: "does not use the offset, so boxes of different classes suppress each other",
    }
    listed = ", ".join(str(int(k)) for k in printed)
    return [Step(f"Line {line} {reason[line]}. The program prints [{listed}]."), *_kept_steps(**values)]


@drill(
    CLASS_OFFSET,
    id="debug-class-offset-nms:silent",
    tier=3,
    asks=("line", "printed", "fixed"),
    visualization="code program",
    decimals=None,
    steps=_silent_steps,
    prompt="This program should run NMS within each class: an offset per class moves boxes of different classes apart. "
    "It runs without an error, but suppresses too many boxes.\n"
    "Which line is incorrect (line)? What does the program print (printed), and what does the corrected one print "
    "(fixed)?\n"
    "Conventions: nms suppresses a box if its IoU with a kept box is above the threshold {tau}.",
    hints=(
        "Do boxes of different classes still overlap when nms compares them?",
        "The offset must be larger than every coordinate, and nms must get the moved boxes.",
        "First step: write down the boxes that nms gets.",
    ),
    mistakes=[
        Mistake(
            "other-line",
            {"line": lambda line, **_: CALL_LINE if line == OFFSET_LINE else OFFSET_LINE},
            "That line is correct. Check how far apart the boxes are that nms gets.",
        ),
        Mistake(
            "blames-labels", {"line": _print_line}, "That line only prints. The function suppresses too many boxes."
        ),
        Mistake(
            "already-correct",
            {
                "printed": lambda boxes, scores, labels, tau, **_: [
                    visit.box for visit in visits(boxes, scores, [tau] * len(boxes), labels) if visit.suppressor is None
                ]
            },
            "That is the correct result. The program prints another one.",
        ),
        Mistake(
            "class-agnostic",
            {"fixed": _keep_all_classes},
            "You compared boxes of different classes. The corrected program moves them apart.",
        ),
        Mistake("nothing-suppressed", {"fixed": _everything}, "Boxes of one class still suppress each other."),
    ],
)
def debug_class_offset_nms_silent(rng: Random) -> Inputs:
    """Offset per class: too many boxes suppressed"""
    values = _draw_classes(rng)
    line = rng.choice([OFFSET_LINE, CALL_LINE])
    offset, call = "labels[:, None] * (boxes.max() + 1)", "boxes + offset"
    if line == OFFSET_LINE:
        offset = "labels[:, None]"
    else:
        call = "boxes"
    return values | dict(line=line, program=_program(**values, offset=offset, call=call))


def _variant_ap(
    objects: Sequence[Box], boxes: Sequence[Box], scores: Sequence[Number], tau: Number, low: Number, m: Number
) -> Value:
    """Return the three AP if duplicates count as correct."""
    rows = iou_matrix(boxes, objects)
    final = list(soft_picks(boxes, scores, linear_factor(tau)))[-1].scores
    rankings = [
        by_score(scores),
        _keep_all_classes(boxes=boxes, scores=scores, tau=tau),
        [k for k in sorted(range(len(boxes)), key=lambda k: -final[k]) if final[k] >= low],
    ]
    result = []
    for ranking in rankings:
        hits = [int(max(rows[k]) >= m) for k in ranking]
        result.append(min(Fraction(1), average_precision(hits, len(objects))))
    return result


def _decay(factor_of: Any, is_compound: bool = True) -> Any:
    """Return a mistake in the final scores: another decay, or one by the best box only."""

    def final(boxes: Sequence[Box], scores: Sequence[Number], tau: Number, **_: Any) -> Value:
        picks = list(soft_picks(boxes, scores, factor_of(tau)))
        return picks[-1 if is_compound else 0].scores

    return final


def _variant_steps(
    objects: list[Box],
    boxes: list[Box],
    scores: list[Number],
    tau: Number,
    low: Number,
    m: Number,
    AP: list[float],
    final: list[float],
    best: str,
) -> list[Step]:
    moved = [[exact(x) for x in box] for box in boxes]
    pairs = [
        f"{chr(65 + a)} and {chr(65 + b)} {number_text(overlap(moved[a], moved[b]))}"
        for a in range(3)
        for b in range(a + 1, 3)
    ]
    rows = iou_matrix(moved, [[exact(x) for x in one] for one in objects])
    threshold, limit = exact(tau), exact(low)
    rankings = {
        "Without NMS": by_score(scores),
        "With NMS": _keep_all_classes(boxes=moved, scores=scores, tau=threshold),
        "With Soft-NMS": [k for k in sorted(range(3), key=lambda k: -final[k]) if final[k] >= limit],
    }
    steps = [
        Step(f"The boxes have these IoUs: {', '.join(pairs)}."),
        Step(
            "Soft-NMS multiplies scores by 1 - IoU from the threshold on, with each picked box. "
            f"The final scores are {', '.join(f'{chr(65 + k)} {number_text(score)}' for k, score in enumerate(final))}."
        ),
    ]
    for (name, ranking), value in zip(rankings.items(), AP, strict=True):
        hits = hits_of([rows[k] for k in ranking], exact(m))
        listed = ", ".join(
            f"{chr(65 + k)} ({'correct' if hit else 'false positive'})" for k, hit in zip(ranking, hits, strict=True)
        )
        steps.append(Step(f"{name}, the ranking is {listed}. With {len(objects)} objects, AP = {number_text(value)}."))
    return steps


@drill(
    NMS_VARIANTS,
    id="decide-nms-variant",
    tier=3,
    asks=("final", "AP", "best"),
    visualization="boxes",
    steps=_variant_steps,
    prompt="An image has {count} objects: {objects_text}. A detector outputs three boxes, all of one class and with "
    "corners x1, y1, x2, y2:\n"
    "{listing}\n"
    "Compare three ways to continue: no NMS; NMS, which suppresses a box if its IoU with a kept box is above {tau}; "
    "and linear Soft-NMS, which multiplies scores by 1 - IoU if the IoU with the picked box is at least {tau}, and "
    "drops boxes that end below {low}.\n"
    "What are the final scores of Soft-NMS, also of dropped boxes, for A, B, C (final)? What is the AP in the three "
    "cases (AP)? Which is best (best)?\n"
    "Conventions: a match needs an IoU of at least {m}. AP is the area under the monotone envelope of precision over "
    "recall.",
    hints=(
        "Which boxes overlap more than the threshold, and are they duplicates of one object or two objects?",
        "Rank the boxes that are left by score, label each as correct or as a false positive, and compute AP for each "
        "of the three rankings.",
        "First step: compute the IoU of each pair of boxes.",
    ),
    mistakes=[
        Mistake(
            "decays-once",
            {"final": _decay(linear_factor, is_compound=False)},
            "Only the first picked box lowered the scores. Every picked box does, so the decays multiply.",
        ),
        Mistake(
            "times-iou",
            {"final": _decay(lambda tau: lambda iou: iou if iou >= tau else 1)},
            "You multiplied by the IoU. A larger overlap must decay more: multiply by 1 - IoU.",
        ),
        Mistake(
            "gaussian",
            {"final": _decay(lambda tau: gaussian_factor(Fraction(1, 2)))},
            "That is the Gaussian decay. The linear one multiplies by 1 - IoU.",
        ),
        Mistake(
            "duplicate-as-correct",
            {"AP": _variant_ap},
            "You counted a second detection of one object as correct. It is a false positive.",
        ),
        Mistake(
            "soft-is-best",
            {"best": "soft"},
            "Soft-NMS is not always best. Compare the three AP.",
        ),
        Mistake("nms-is-best", {"best": "hard"}, "NMS is not always best. Compare the three AP."),
    ],
)
def decide_nms_variant(rng: Random) -> Inputs:
    """NMS, Soft-NMS or neither"""
    case = rng.choice(["none", "hard", "soft"])
    tau, low, m = Fraction(1, 2), Fraction(1, 20), Fraction(6, 10)
    for _ in range(1000):
        objects, boxes, scores = _draw_scene(rng, case)
        result = compare_variants(objects, boxes, [Fraction(score, 100) for score in scores], tau, low, m)
        values = sorted(result["AP"])
        pairs = [overlap(boxes[a], boxes[b]) for a, b in ((0, 1), (0, 2), (1, 2))]
        is_clear = all(abs(iou - tau) > Fraction(1, 50) for iou in pairs)
        if result["best"] == case and values[1] < values[2] and is_clear and len({*result["final"]}) == 3:
            break
    else:
        raise UndefinedValue("no such scene")
    labels = ["A", "B", "C"]
    width = max(len(str(box)) for box in boxes)
    lines = [
        f"  {n}  {b!s:<{width}}  score {score / 100:.2f}" for n, b, score in zip(labels, boxes, scores, strict=True)
    ]
    return dict(
        objects=objects,
        boxes=boxes,
        scores=[score / 100 for score in scores],
        tau=0.5,
        low=0.05,
        m=0.6,
        labels=labels,
        listing="\n".join(lines),
        count=len(objects),
        objects_text=" and ".join(map(str, objects)),
    )


def _draw_scene(rng: Random, case: str) -> tuple[list[list[int]], list[list[int]], list[int]]:
    """Draw objects, three boxes and their scores.

    NMS is best if a weak detection is apart from a strong duplicate, Soft-NMS if two objects overlap, and no NMS if
    Soft-NMS drops one of them.
    """
    size = rng.choice([10, 20])
    shift = rng.randint(size // 2, size - 1) if case == "hard" else rng.randint(1, size * 3 // 10)
    cut = rng.randint(size // 4, size * 4 // 10) if case == "hard" else rng.randint(1, size // 5)
    first, second = [0, 0, size, size], [shift, 0, shift + size, size]
    objects, boxes = [first, second], [first, [0, 0, size, size - cut], second]
    if case == "none":  # a third object stands apart
        boxes[1] = [3 * size, 0, 4 * size, size - cut + 1]
        objects.append([3 * size, 0, 4 * size, size])
    low, high = (10, 38) if case == "hard" else (20, 95)
    scores = [*sorted(rng.sample(range(40, 98), 2), reverse=True), rng.randint(low, high)]
    return objects, boxes, scores
