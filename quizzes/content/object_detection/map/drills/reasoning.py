"""Mean average precision: a drill that diagnoses a detector."""

from collections.abc import Sequence
from fractions import Fraction
from random import Random
from typing import Any

from quizzes.content.object_detection.map.formulas import AP_ERRORS, FIXES, KINDS, classify
from quizzes.content.object_detection.map.ranking import Number, average_precision, precisions
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.procedure import number_text
from quizzes.question import Step


def _kinds(target: Sequence[Number], iou: Sequence[Number], n: Number, m: Number) -> list[str]:
    """Return the kind of each detection, by name."""
    return list(classify(target, iou, n, m)["kinds"].values())


def _labels(kinds: Sequence[str]) -> dict[str, str]:
    return {f"d{k}": kind for k, kind in enumerate(kinds, 1)}


def _duplicates_correct(**inputs: Any) -> Value:
    return _labels(["tp" if kind == "dup" else kind for kind in _kinds(**inputs)])


def _loose_as_background(**inputs: Any) -> Value:
    return _labels(["bg" if kind == "loc" else kind for kind in _kinds(**inputs)])


def _hits(kinds: Sequence[str], correct: Sequence[str] = ("tp",)) -> list[int]:
    return [int(kind in correct) for kind in kinds]


def _ap_with_duplicates(**inputs: Any) -> Value:
    return min(Fraction(1), average_precision(_hits(_kinds(**inputs), ("tp", "dup")), inputs["n"]))


def _ap_of_detected(**inputs: Any) -> Value:
    hits = _hits(_kinds(**inputs))
    return average_precision(hits, sum(hits))


def _ap_without_envelope(**inputs: Any) -> Value:
    hits = _hits(_kinds(**inputs))
    return Fraction(sum(p for p, hit in zip(precisions(hits), hits, strict=True) if hit)) / inputs["n"]


def _loose_removed(**inputs: Any) -> Value:
    """Return the AP without the loose boxes, if tightening them is best."""
    if classify(**inputs)["best"] != "loc":
        raise UndefinedValue("another fix is best")
    left = [kind for kind in _kinds(**inputs) if kind != "loc"]
    return average_precision(_hits(left), inputs["n"])


def _steps(
    target: list[int],
    iou: list[float],
    kinds: dict[str, str],
    table: list[dict[str, Any]],
    AP: float,
    n: int,
    m: float,
    best: str,
    AP_fixed: float,
) -> list[Step]:
    names = list(kinds.values())
    listed = ", ".join(f"{k} {KINDS[kind]}" for k, kind in enumerate(names, 1))
    hits = _hits(names)
    envelope_terms = []
    values = precisions(hits)
    for k, hit in enumerate(hits):
        if hit:
            rank = max(range(k, len(hits)), key=lambda j: (values[j], -j))
            envelope_terms.append(f"{sum(hits[: rank + 1])}/{rank + 1}")
    fixes = "; ".join(f"{row['fix']}: AP = {number_text(row['AP'])}" for row in table)
    return [
        Step(f"From the highest score down: {listed}. An object that is already matched makes a duplicate."),
        Step(
            f"The hits are {hits}, and there are {n} objects, so each correct detection adds 1/{n} in recall.",
            [f"AP = ({' + '.join(envelope_terms) or '0'})/{n}", f"AP = {AP:.4f}"],
        ),
        Step(f"Rank the detections again after each fix. {fixes[0].upper()}{fixes[1:]}."),
    ]


@drill(
    AP_ERRORS,
    tier=3,
    asks=("kinds", "AP", "AP_fixed", "best"),
    steps=_steps,
    prompt="An image has {n} objects of one class, and a match needs an IoU of at least {m}. In order of decreasing "
    "score, a detector outputs five boxes; their IoU with all other objects is 0:\n"
    "{listing}\n"
    "Which kind is each detection (kinds)? What is the AP? Which single fix raises it most (best), and to what value "
    "(AP_fixed)?\n"
    "Conventions: an IoU from 0.1 up to {m} is a localization error, and one below 0.1 is the background. AP is the "
    "area under the monotone envelope of precision over recall. A tightened box gets an IoU of 1 with its object.",
    hints=(
        "Which detection may match each object? What do wrong detections above a correct one do to its precision?",
        "AP is the sum of the envelope's precision at each true positive, divided by the number of objects. Compute it "
        "again after each fix.",
        "First step: label the detections from the highest score down.",
    ),
    mistakes=[
        Mistake(
            "duplicate-as-true-positive",
            {"kinds": _duplicates_correct, "AP": _ap_with_duplicates},
            "You counted a second detection of one object as correct. It is a duplicate, a false positive.",
        ),
        Mistake(
            "loose-as-background",
            {"kinds": _loose_as_background},
            "A box that overlaps an object by 0.1 or more is a localization error, not the background.",
        ),
        Mistake(
            "missed-objects-ignored",
            {"AP": _ap_of_detected},
            "You divided by the number of objects that were detected. Missed ones count too.",
        ),
        Mistake(
            "no-envelope",
            {"AP": _ap_without_envelope},
            "You used the precision at each correct detection. The envelope takes the best one at that rank or below.",
        ),
        Mistake(
            "loose-box-removed",
            {"AP_fixed": _loose_removed},
            "You removed the loose box. Tightened, it becomes a true positive.",
        ),
        Mistake("always-localization", {"best": "loc"}, "Compute AP after each of the fixes: another one is better."),
        Mistake("always-background", {"best": "bg"}, "Compute AP after each of the fixes: another one is better."),
    ],
)
def ap_error_types(rng: Random) -> Inputs:
    """Kinds of errors, and what they cost"""
    goal = rng.choice(list(FIXES))
    for _ in range(200):
        n = rng.choice([3, 4, 5])
        target, iou = _draw_detections(rng, n)
        result = classify(target, iou, n, Fraction(1, 2))
        values = sorted((row["AP"] for row in result["table"]), reverse=True)
        if result["best"] == goal and values[0] > values[1] + 0.01 and KINDS.keys() == {*result["kinds"].values()}:
            break
    else:
        raise UndefinedValue("no such ranking")
    letters = "ABCDE"
    lines = [
        f"  detection {k}: IoU {float(value):.2f} with object {letters[j - 1]}"
        for k, (j, value) in enumerate(zip(target, iou, strict=True), 1)
    ]
    return dict(target=target, iou=[float(value) for value in iou], n=n, m=0.5, listing="\n".join(lines))


def _draw_detections(rng: Random, n: int) -> tuple[list[int], list[Fraction]]:
    """Draw the objects of five detections, two of one object among them, and their IoUs with these."""
    kinds = ["good", "good", "loose", "off", rng.choice(["good", "loose", "off"])]
    rng.shuffle(kinds)
    twice, *others = rng.sample(range(1, n + 1), n)
    good = [twice, twice, *others]
    target = [good.pop(0) if kind == "good" else rng.randint(1, n) for kind in kinds]
    ranges = dict(good=(55, 95), loose=(20, 45), off=(1, 7))
    return target, [Fraction(rng.randint(*ranges[kind]), 100) for kind in kinds]
