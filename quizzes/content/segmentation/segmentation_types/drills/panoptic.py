"""Semantic, instance and panoptic segmentation: drills about segments and panoptic quality."""

from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.segmentation.segmentation_types.formulas import (
    INSTANCE_ERRORS,
    OUTPUT_KINDS,
    OUTPUTS,
    PANOPTIC_MATCH,
    PANOPTIC_QUALITY,
    PQ_CLASSES,
    PQ_COUNTS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

HALF = "You counted errors in full. False positives and false negatives count half each."


@drill(
    PANOPTIC_QUALITY,
    tier=1,
    asks=("SQ", "RQ", "PQ"),
    prompt="Of the segments of a class, these pairs of predicted and true segments match, with the IoUs q = {q}. FP = "
    "{FP} predicted and FN = {FN} true segments have no match.\n"
    "What are the segmentation quality SQ, the recognition quality RQ, and the panoptic quality PQ?",
    hint="Over which segments does SQ average? RQ is the F1 score of the segments.",
    mistakes=[
        Mistake("no-half", "RQ = TP/(TP + FP + FN)", HALF),
        Mistake(
            "over-all-segments",
            "SQ = sum(i, q[i])/(TP + FP + FN)",
            "You averaged over the segments without a match too. SQ is the mean over the matched pairs.",
        ),
        Mistake("precision", "RQ = TP/(TP + FP)", "That is the precision. False negatives count too."),
        Mistake("recall", "RQ = TP/(TP + FN)", "That is the recall. False positives count too."),
        Mistake("sum", "PQ = (SQ + RQ)/2", "You averaged both. PQ is their product."),
    ],
)
def panoptic_quality(rng: Random) -> Inputs:
    """Panoptic quality"""
    FP, FN = rng.sample(range(5), 2)
    return dict(q=[rng.randint(52, 97) / 100 for _ in range(rng.choice([2, 3, 3, 4]))], FP=FP, FN=FN)


@drill(
    PQ_COUNTS,
    id="panoptic-quality:counts",
    tier=1,
    asks=one_of("PQ", "FN"),
    prompt="A class has TP = {TP} matched pairs with the mean IoU SQ = {SQ}, FP = {FP} false positives and FN = {FN} "
    "false negatives. Its panoptic quality is PQ = {PQ}.",
    hint="PQ is SQ times the F1 score of the segments.",
    mistakes=[
        Mistake("no-half", "PQ = SQ*TP/(TP + FP + FN)", HALF),
        Mistake("double-half", "PQ = 4*SQ*TP/(4*TP + FP + FN)", "You halved the errors twice. They count half each."),
    ],
)
def panoptic_quality_counts(rng: Random) -> Inputs:
    """Panoptic quality from counts"""
    FP, FN = rng.sample(range(2, 13, 2), 2)
    SQ = rng.choice([(3, 4), (4, 5), (2, 3), (5, 6), (7, 8), (7, 10), (3, 5), (9, 10)])
    return dict(TP=rng.randint(8, 40), FP=FP, FN=FN, SQ=f"{SQ[0]}/{SQ[1]}")


@drill(
    PQ_CLASSES,
    id="panoptic-quality:classes",
    tier=1,
    asks=("PQ_th", "PQ_st", "PQ"),
    decimals=2,
    prompt="A panoptic segmentation has the PQ values t = {t} (%) on its thing classes and s = {s} (%) on its stuff "
    "classes.\n"
    "What are the PQ of things (PQ_th), of stuff (PQ_st), and of all classes (PQ), in %?",
    hint="PQ averages over classes. Do things and stuff have equally many of them?",
    mistakes=[
        Mistake(
            "mean-of-means",
            "PQ = (mean(i, t[i]) + mean(j, s[j]))/2",
            "You averaged things and stuff. Every class counts the same, so average over all classes.",
        ),
        Mistake(
            "divided-by-all",
            "PQ_th = sum(i, t[i])/(len(t) + len(s)); PQ_st = sum(j, s[j])/(len(t) + len(s))",
            "You divided by the number of all classes. Divide by that of the things, or of the stuff.",
        ),
        Mistake("sum", "PQ = mean(i, t[i]) + mean(j, s[j])", "You added both. PQ is a mean."),
    ],
)
def panoptic_quality_classes(rng: Random) -> Inputs:
    """Panoptic quality of things and stuff"""
    things, stuff = rng.sample([2, 3, 4, 5], 2)
    return dict(t=[rng.randint(25, 65) for _ in range(things)], s=[rng.randint(20, 80) for _ in range(stuff)])


def _void_steps(
    M: list[list[int]], a: list[int], v: list[int], b: list[int], iou: list[list[Value]], **values: Any
) -> list[Step]:
    steps = []
    for i, row in enumerate(M):
        j = max(range(len(row)), key=lambda k: iou[i][k])
        value = float(iou[i][j])
        if value > 0.5:
            note = "above 0.5, so they match"
        elif 2 * v[i] > a[i]:
            note = f"no match, and {v[i]} of {a[i]} px are void, so the segment is ignored"
        else:
            note = "no match, so the segment is a false positive"
        steps.append(
            Step(
                f"Predicted segment {i + 1} overlaps most with true segment {j + 1}: {note}.",
                [f"IoU = {row[j]}/({a[i]} - {v[i]} + {b[j]} - {row[j]})", f"IoU = {value:.4f}"],
            )
        )
    TP, FP, FN = (int(values[name]) for name in ("TP", "FP", "FN"))
    return [
        *steps,
        Step(f"There are TP = {TP}, FP = {FP} and FN = {FN}.", [f"SQ = {float(values['SQ']):.4f}"]),
        Step(
            "Multiply SQ by the F1 score of the segments.",
            [f"PQ = {float(values['SQ']):.6f}*{TP}/({TP} + {FP}/2 + {FN}/2)", f"PQ = {float(values['PQ']):.4f}"],
        ),
    ]


@drill(
    PANOPTIC_MATCH,
    id="panoptic-quality:void",
    tier=3,
    asks=("TP", "FP", "FN", "SQ", "PQ"),
    steps=_void_steps,
    prompt="Predicted segments of a class have a = {a} px, of which v = {v} px are void in the true map. The true "
    "segments have b = {b} px. They share M = {M} px (rows: predicted segments, columns: true segments).\n"
    "How many true positives (TP), false positives (FP) and false negatives (FN) are there? What are the segmentation "
    "quality SQ and the panoptic quality PQ?\n"
    "Conventions: a pair matches if its IoU is above 0.5; void pixels of a prediction are left out of the union; an "
    "unmatched prediction of which more than half is void is ignored.",
    hints=(
        "What is left of each predicted segment without its void pixels? Which pairs have an IoU above 0.5?",
        "IoU = shared/(a - v + b - shared). PQ = SQ TP/(TP + FP/2 + FN/2).",
        "First step: compute the IoU of each pair that shares pixels.",
    ),
    mistakes=[
        Mistake(
            "void-in-the-union",
            {
                "SQ": lambda M, a, v, b: _mean_with_void(M, a, v, b),
            },
            "You counted the void pixels in the union. They are left out.",
        ),
        Mistake(
            "mostly-void-counted",
            "FP = sum(i, [hit[i] = 0])",
            "You counted a prediction that is mostly void. It is ignored.",
        ),
        Mistake("missed-ignored", "FN = 0", "True segments without a match are false negatives."),
        Mistake("no-half", "PQ = SQ*TP/(TP + FP + FN)", HALF),
        Mistake("mean-iou", "PQ = SQ", "That is SQ. Multiply it by the recognition quality."),
    ],
)
def panoptic_quality_void(rng: Random) -> Inputs:
    """Panoptic quality with void pixels"""
    areas = [10 * rng.randint(4, 12) for _ in range(3)]
    M, a, v = [], [], []
    for k in range(2):
        shared = round(areas[k] * rng.choice([0.7, 0.8, 0.9, 0.75]))
        void = rng.choice([0, 5, 10, 15]) if k else rng.choice([5, 10, 15, 20])
        M.append([shared if j == k else 0 for j in range(3)])
        v.append(void)
        a.append(shared + void + rng.choice([0, 3, 6, 8]))
    weak, void = rng.randint(3, 10), rng.choice([20, 30, 40])
    M.append([0, 0, weak])
    v.append(void)
    a.append(weak + void + rng.choice([2, 4, 6]))
    if rng.random() < 0.6:
        extra = rng.randint(10, 40)
        M.append([0, 0, 0])
        v.append(rng.choice([0, 2, 4]))
        a.append(extra)
    order = rng.sample(range(len(M)), len(M))
    return dict(M=[M[k] for k in order], a=[a[k] for k in order], v=[v[k] for k in order], b=areas)


def _mean_with_void(M: list[list[Value]], a: list[Value], v: list[Value], b: list[Value]) -> Value:
    """Return SQ if void pixels count in the unions of the same matches."""
    values = []
    for row, area, void in zip(M, a, v, strict=True):
        for shared, true in zip(row, b, strict=True):
            if 2 * shared > area - void + true - shared:
                values.append(Fraction(shared) / (area + true - shared))
    return sum(values) / len(values)


REASONS = {
    "merged": "One segment covers two objects. It can match at most one of them, and the other one is a false "
    "negative.",
    "split": "Two segments cover one object. At most one of them matches it, and the other one is a false positive.",
    "missed": "One object has no segment, so it is a false negative.",
}


def _merged_steps(M: list[list[int]], b: list[int], error: str, **values: Any) -> list[Step]:
    TP, FP, FN = (int(values[name]) for name in ("TP", "FP", "FN"))
    covered = sum(map(sum, M))
    SQ, PQ = float(values["SQ"]), float(values["PQ"])
    return [
        Step(
            "The foreground IoU ignores which segment a pixel belongs to.",
            [f"fg = {covered}/{sum(b)}", f"fg = {float(values['fg']):.4f}"],
        ),
        Step(f"{REASONS[error]} TP = {TP}, FP = {FP}, FN = {FN}.", [f"SQ = {SQ:.4f}"]),
        Step("Errors count half.", [f"RQ = {TP}/({TP} + {FP}/2 + {FN}/2)", f"RQ = {float(values['RQ']):.4f}"]),
        Step("PQ is the product.", [f"PQ = {SQ:.6f}*{float(values['RQ']):.6f}", f"PQ = {PQ:.4f}"]),
    ]


def _mean_of_overlaps(M: list[list[Value]], b: list[Value]) -> Value:
    """Return the mean IoU of all pairs that share pixels, matched or not."""
    ious = [Fraction(n) / (sum(row) + area - n) for row in M for n, area in zip(row, b, strict=True) if n]
    return sum(ious) / len(ious)


def _other_error(M: list[list[Value]], b: list[Value]) -> str:
    error = INSTANCE_ERRORS.evaluate(dict(M=M, b=b))["error"]
    return "split" if error == "merged" else "merged"


@drill(
    INSTANCE_ERRORS,
    id="pq-merged-instances",
    tier=3,
    asks=("fg", "SQ", "RQ", "PQ", "error"),
    steps=_merged_steps,
    prompt="The objects of a class have b = {b} px. The predicted segments share M = {M} px with them (rows: segments, "
    "columns: objects), and have no other pixels.\n"
    "What is the IoU of the foreground, all objects together (fg)? What are the segmentation quality SQ, the "
    "recognition quality RQ, and the panoptic quality PQ? What is the error of the prediction (error)?\n"
    "Conventions: a pair matches if its IoU is above 0.5.",
    hints=(
        "Which segments have an IoU above 0.5 with one object? Which objects or segments are left?",
        "RQ = TP/(TP + FP/2 + FN/2), and PQ = SQ RQ.",
        "First step: compute the IoU of each segment with the objects that it overlaps.",
    ),
    mistakes=[
        Mistake("errors-ignored", "RQ = 1", "You left out the segments or objects without a match."),
        Mistake(
            "all-overlaps-match",
            {"SQ": _mean_of_overlaps},
            "You averaged over all pairs that overlap. Only pairs with an IoU above 0.5 match.",
        ),
        Mistake("no-half", "RQ = TP/(TP + FP + FN)", HALF),
        Mistake(
            "foreground-for-pq",
            "PQ = sum(i, sum(j, M[i, j]))/sum(j, b[j])",
            "That is the IoU of the foreground, which ignores the instances.",
        ),
        Mistake("other-error", {"error": _other_error}, "Look at M: a row is a segment, a column an object."),
    ],
)
def pq_merged_instances(rng: Random) -> Inputs:
    """Foreground IoU and panoptic quality"""
    b = [10 * rng.randint(3, 12) for _ in range(3)]
    third = b[2] - rng.randint(2, b[2] // 4)
    case = rng.choice(["merged", "merged", "split", "missed"])
    if case == "merged":
        if b[0] == b[1]:
            raise UndefinedValue("an IoU of exactly 0.5")
        M = [[b[0], b[1], 0], [0, 0, third]]
    elif case == "split":
        part = round(b[0] * rng.uniform(0.55, 0.85))
        M = [[part, 0, 0], [b[0] - part, 0, 0], [0, b[1], 0], [0, 0, third]]
    else:
        part = round(b[0] * rng.uniform(0.55, 0.9))
        M = [[part, 0, 0], [0, 0, third]]
    return dict(M=M, b=b)


@drill(
    OUTPUTS,
    tier=1,
    asks=("semantic", "instance", "panoptic"),
    prompt="An image shows these numbers of instances of its thing classes ({names}): n = {n}. The rest of it belongs "
    "to "
    "s = {s} stuff classes ({stuff}).\n"
    "How many different labels does a perfect semantic segmentation have (semantic)? How many masks does a perfect "
    "instance segmentation have (instance), and how many segments a perfect panoptic segmentation (panoptic)?\n"
    "Conventions: every pixel belongs to one of these classes; instance segmentation has masks of things only.",
    hint="Which of the three distinguishes instances? Which of them leaves out the stuff?",
    mistakes=[
        Mistake(
            "instances-in-semantic",
            "semantic = sum(i, n[i]) + s",
            "Semantic segmentation gives all instances of a class one label.",
        ),
        Mistake("stuff-left-out", "semantic = len(n)", "Stuff classes have labels too."),
        Mistake("stuff-masks", "instance = sum(i, n[i]) + s", "Instance segmentation has no masks of stuff."),
        Mistake("classes", "instance = len(n)", "You counted the classes. Every instance has a mask of its own."),
        Mistake("things-only", "panoptic = sum(i, n[i])", "Panoptic segmentation covers the stuff too."),
        Mistake("labels", "panoptic = len(n) + s", "You counted the classes. Things have a segment per instance."),
    ],
)
def segmentation_outputs(rng: Random) -> Inputs:
    """Outputs of the three kinds of segmentation"""
    classes = rng.choice([2, 3, 3])
    names = rng.sample(["cars", "persons", "bicycles", "dogs", "buses", "traffic lights"], classes)
    stuff = rng.sample(["road", "sky", "grass", "building", "sidewalk", "water"], rng.randint(2, 4))
    n = [rng.randint(1, 6) for _ in names]
    return dict(n=n, s=len(stuff), names=", ".join(names), stuff=", ".join(stuff))


def _swap(first: str, second: str) -> Any:
    def swapped(a: int, b: int, c: int, n: list[int], s: int) -> dict[str, str]:
        other = {first: second, second: first}
        kinds = OUTPUT_KINDS.evaluate(dict(a=a, b=b, c=c, n=n, s=s))["kinds"]
        return {name: other.get(kind, kind) for name, kind in kinds.items()}

    return swapped


def _kind_steps(n: list[int], s: int, kinds: dict[str, str], **_: Any) -> list[Step]:
    objects = sum(map(int, n))
    names = {kind: name.upper() for name, kind in kinds.items()}
    return [
        Step(
            f"A semantic segmentation has a label per class: network {names['semantic']}.",
            [f"semantic = {len(n)} + {int(s)}", f"semantic = {len(n) + int(s)}"],
        ),
        Step(
            f"An instance segmentation has a mask per object: network {names['instance']}.",
            [f"instance = {' + '.join(str(int(count)) for count in n)}", f"instance = {objects}"],
        ),
        Step(
            f"A panoptic segmentation adds the stuff: network {names['panoptic']}.",
            [f"panoptic = {objects} + {int(s)}", f"panoptic = {objects + int(s)}"],
        ),
    ]


@drill(
    OUTPUT_KINDS,
    id="segmentation-outputs:kinds",
    tier=1,
    asks="kinds",
    steps=_kind_steps,
    prompt="An image shows instances of {count} thing classes, n = {n} of each, and s = {s} stuff classes. Three "
    "perfect "
    "networks, one for each kind of segmentation, segment it. Network A has a = {a} different outputs (labels, masks "
    "or "
    "segments), network B has b = {b}, and network C has c = {c}.\n"
    "Which kind of segmentation is each network (kinds)?\n"
    "Conventions: instance segmentation has masks of things only.",
    hints=(
        "Which kind of segmentation has a segment for everything? Which one doesn't distinguish objects of a class?",
        "Labels: thing classes plus stuff classes. Masks: all instances. Segments: all instances plus stuff classes.",
        "First step: add up the instances of all thing classes.",
    ),
    mistakes=[
        Mistake(
            "things-for-everything",
            {"kinds": _swap("instance", "panoptic")},
            "Panoptic segmentation has the segments of the stuff in addition to the instances.",
        ),
        Mistake(
            "classes-for-instances",
            {"kinds": _swap("semantic", "instance")},
            "Semantic segmentation has one label per class, instance segmentation one mask per object.",
        ),
        Mistake(
            "semantic-for-panoptic",
            {"kinds": _swap("semantic", "panoptic")},
            "Semantic segmentation doesn't distinguish instances, so it has a label per class only.",
        ),
    ],
)
def segmentation_kinds(rng: Random) -> Inputs:
    """Kinds of segmentation from their outputs"""
    n = [rng.randint(1, 6) for _ in range(rng.choice([2, 3, 4]))]
    s = rng.randint(2, 6)
    counts = [len(n) + s, sum(n), sum(n) + s]
    if len({*counts}) < 3:
        raise UndefinedValue("the counts must differ")
    a, b, c = rng.sample(counts, 3)
    return dict(a=a, b=b, c=c, n=n, s=s, count=len(n))
