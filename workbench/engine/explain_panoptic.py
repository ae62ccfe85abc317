"""Panoptic quality of an image, step by step: which segments match, and what follows for each class.

The steps are computed here with sets of pixels; `workbench.tasks.panoptic_quality`, which metrics use, counts pairs of
ids. Both must agree.
"""

from pathlib import Path
from typing import Any

from workbench import data
from workbench.engine import panoptic_case
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name

TIMEOUT = 1800.0  # seconds
TOLERANCE = 1e-9
Pixels = set[tuple[int, int]]


def explain_pq(worker: Verifier, source: Run | Path, split: str, image: int) -> dict[str, Any]:
    """Return how the panoptic quality of an image is computed.

    Args:
        worker: The process that has PyTorch.
        source: A run, or the file of a case.
        split: The split of a run's data.
        image: Number of the image of the split.

    Returns:
        `pairs`, each pair of segments of one class that overlap, with `predicted`, `target`, `class`, `intersection`,
        `union` (without void), `iou`, and whether they are a `match`; `false_positives`, `false_negatives` and
        `ignored`, each with `id` and `class`; `classes`, each with `class`, `iou` (the sum), `tp`, `fp`, `fn`, `sq`,
        `rq`, `pq`; `pq`, `sq` and `rq`, the means over the classes; `library`, the metric's value, and whether they
        `agree`; the two maps as visualizations; of a run also its id and checkpoint.

    Raises:
        UserError: If the run or the file can't be used.
    """
    result: dict[str, Any] = {}
    if isinstance(source, Run):
        if split not in data.SPLITS:
            raise unknown_name("split", split, data.SPLITS)
        request = dict(job="explain", method="pq", folder=str(source.folder), split=split, image=image)
        try:
            result = worker.ask(request, TIMEOUT)
        except ScriptError as error:
            raise UserError(f"This can't be explained: {error} See 'workbench doctor'.") from None
        case = result.pop("case")
        for origin in ("target", "predicted"):  # keys of JSON are texts
            case[origin]["classes"] = {int(key): label for key, label in case[origin]["classes"].items()}
    else:
        case = panoptic_case.read(source)
    steps = compute(case)
    library = by_metric(case)
    agree = all(abs(library[name] - steps[name]) < TOLERANCE for name in library)
    visualizations = [
        {**result.get("image", {}), **visualize(case[name], case["stuff"], name)} for name in ("predicted", "target")
    ]
    result.pop("image", None)
    return {
        **result,
        "method": "pq",
        **steps,
        "library": library,
        "agree": agree,
        "visualizations": visualizations,
    }


def compute(case: dict[str, Any]) -> dict[str, Any]:
    """Return the steps for a case, by sets of pixels."""
    predicted, target = case["predicted"], case["target"]
    own, true = find_pixels(predicted), find_pixels(target)
    void = true.pop(0, set())
    own.pop(0, None)
    pairs = []
    for number, pixels in own.items():
        for other, other_pixels in true.items():
            intersection = len(pixels & other_pixels)
            if intersection and predicted["classes"][number] == target["classes"][other]:
                union = len((pixels | other_pixels) - void)
                is_crowd, iou = other in target["crowds"], intersection / union
                pairs.append(
                    {
                        "predicted": number,
                        "target": other,
                        "class": target["classes"][other],
                        "intersection": intersection,
                        "union": union,
                        "iou": iou,
                        "match": iou > 0.5 and not is_crowd,
                    }
                )
    matches = [pair for pair in pairs if pair["match"]]
    errors: list[dict[str, Any]] = []
    ignored: list[dict[str, Any]] = []
    for number, pixels in own.items():
        if all(pair["predicted"] != number for pair in matches):
            label, excused = predicted["classes"][number], set(void)
            for crowd in target["crowds"]:
                if target["classes"][crowd] == label:
                    excused |= true[crowd]
            is_ignored = len(pixels & excused) > len(pixels) / 2
            (ignored if is_ignored else errors).append({"id": number, "class": label})
    matched = {*target["crowds"], *(pair["target"] for pair in matches)}
    missed = [{"id": number, "class": target["classes"][number]} for number in true if number not in matched]
    classes = []
    for label in sorted({*target["classes"].values(), *predicted["classes"].values()}):
        ious = [pair["iou"] for pair in matches if pair["class"] == label]
        fp, fn = (sum(row["class"] == label for row in rows) for rows in (errors, missed))
        if total := len(ious) + fp / 2 + fn / 2:
            sq, rq = sum(ious) / len(ious) if ious else 0.0, len(ious) / total
            row = {"class": label, "iou": sum(ious), "tp": len(ious), "fp": fp, "fn": fn}
            classes.append({**row, "sq": sq, "rq": rq, "pq": sum(ious) / total})
    if not classes:
        raise UserError("There is no segment to compare: all pixels are void or crowd. Take another image.")
    means = {name: sum(row[name] for row in classes) / len(classes) for name in ("pq", "sq", "rq")}
    return {
        "pairs": pairs,
        "false_positives": errors,
        "false_negatives": missed,
        "ignored": ignored,
        "classes": classes,
        **means,
    }


def find_pixels(segments: dict[str, Any]) -> dict[int, Pixels]:
    """Return the pixels of each segment, and under 0 those that are void."""
    pixels: dict[int, Pixels] = {}
    for y, row in enumerate(segments["map"]):
        for x, number in enumerate(row):
            pixels.setdefault(number, set()).add((y, x))
    return pixels


def by_metric(case: dict[str, Any]) -> dict[str, float]:
    """Return `pq`, `sq` and `rq` as the metric computes them."""
    import numpy as np

    from workbench.tasks.panoptic_quality import PanopticMap, PanopticQuality

    names = sorted({label for origin in ("target", "predicted") for label in case[origin]["classes"].values()})
    predicted, target = (
        PanopticMap(
            np.array(case[origin]["map"]),
            {number: names.index(label) for number, label in case[origin]["classes"].items()},
            case[origin]["crowds"],
        )
        for origin in ("predicted", "target")
    )
    quality = PanopticQuality([True] * len(names))
    quality.update(predicted, target)
    metrics = quality.compute()
    return {name: metrics[name] for name in ("pq", "sq", "rq")}


def visualize(segments: dict[str, Any], stuff: list[str], caption: str) -> dict[str, Any]:
    """Return a map as a visualization of the kind `segments`, without an image behind."""
    rows = segments["map"]
    return {
        "kind": "segments",
        "caption": caption,
        "ids": rows,
        "segments": [
            {"id": number, "class": label, "thing": label not in stuff, "sign": str(number)}
            for number, label in segments["classes"].items()
        ],
    }
