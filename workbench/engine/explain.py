"""Average precision and NMS of a small case, step by step, next to the result of the library that computes it.

The case is a file (`explain_case`), or some images of a run's data. The steps are computed here, without any library;
the worker, the only process that imports torch, computes the detections of a run and the libraries' results.
"""

from pathlib import Path
from typing import Any

from workbench import data
from workbench.engine import explain_case
from workbench.engine.explain_case import Case
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, lookup, unknown_name

TIMEOUT = 1800.0  # seconds
TOLERANCE = 1e-6  # of an average precision; pycocotools adds a tiny number to denominators


def explain_ap(
    worker: Verifier, source: Run | Path, iou: float, class_name: str | None, split: str, images: tuple[int, int]
) -> dict[str, Any]:
    """Return how the average precision of a class is computed.

    Args:
        worker: The process that has PyTorch.
        source: A run, or the file of a case.
        iou: Smallest IoU of a correct detection.
        class_name: The class; by default the one with the most objects.
        split: The split of a run's data.
        images: Numbers of the first image of the split and of the one after the last.

    Returns:
        `class`, `iou_threshold`, the number of `objects`; `rows`, a detection each with its `rank`, `image`, `score`,
        `iou`, the `object` that it is compared with, whether it is `correct` and why (`reason`), whether it is by VOC's
        rule (`correct_voc`), the numbers of `true_positives` and `false_positives` so far, `precision`, `recall` and
        `interpolated` precision; `ap` by convention: `voc2007`, `voc2010`, `coco`; `library`, pycocotools' value, and
        whether they `agree`; of a run also its id and checkpoint.

    Raises:
        UserError: If the run or the file can't be used, or there is no object of the class.
    """
    import numpy as np

    from workbench.tasks.precision_recall import PrecisionRecall, compute_iou, match

    result = _ask(worker, source, method="ap", iou=iou, split=split, images=images)
    case: Case = result.pop("case")
    name = _class(case, class_name)
    objects = [row for row in case["objects"] if row["class"] == name]
    order = {image: k for k, image in enumerate(dict.fromkeys(row["image"] for row in _rows(case)))}
    ranked = sorted(
        (row for row in case["detections"] if row["class"] == name),
        key=lambda row: (-row["score"], order[row["image"]]),
    )
    numbers = {image: [k for k, row in enumerate(objects) if row["image"] == image] for image in order}
    matched: dict[str, dict[str, set[int]]] = {rule: {image: set() for image in order} for rule in ("coco", "voc")}
    matches: dict[str, list[Any]] = {rule: [] for rule in matched}
    for row in ranked:
        ious = [compute_iou(row["box"], objects[k]["box"]) for k in numbers[row["image"]]]
        for rule, of_images in matched.items():
            matches[rule].append(match(ious, of_images[row["image"]], iou, rule))
    curves = {
        rule: PrecisionRecall(np.array([one.is_correct for one in matches[rule]], dtype=bool), len(objects))
        for rule in matched
    }
    coco, voc = curves["coco"], curves["voc"]
    columns = zip(
        *(ranked, matches["coco"], voc.is_correct, coco.correct, coco.precision, coco.recall, coco.interpolated),
        strict=True,
    )
    rows = [
        {
            "rank": rank,
            "image": row["image"],
            "score": row["score"],
            "box": row["box"],
            "iou": one.iou,
            "object": None if one.number is None else numbers[row["image"]][one.number] + 1,
            "correct": one.is_correct,
            "reason": one.reason,
            "correct_voc": bool(is_correct_voc),
            "true_positives": int(correct),
            "false_positives": rank - int(correct),
            "precision": float(precision),
            "recall": float(recall),
            "interpolated": float(interpolated),
        }
        for rank, (row, one, is_correct_voc, correct, precision, recall, interpolated) in enumerate(columns, start=1)
    ]
    averages = {"voc2007": voc.voc2007(), "voc2010": voc.voc2010(), "coco": coco.coco()}
    library = result.pop("library")[name]
    return {
        **{key: value for key, value in result.items() if key not in ("image", "size")},
        "method": "ap",
        "class": name,
        "iou_threshold": iou,
        "objects": len(objects),
        "rows": rows,
        "ap": averages,
        "library": {"pycocotools": library},
        "agree": abs(averages["coco"] - library) < TOLERANCE,
    }


def explain_nms(
    worker: Verifier, source: Run | Path, iou: float, class_name: str | None, split: str, image: int, min_score: float
) -> dict[str, Any]:
    """Return how NMS suppresses boxes, within each image and class.

    Args:
        worker: The process that has PyTorch.
        source: A run, or the file of a case.
        iou: Largest IoU of two boxes that remain.
        class_name: A class; by default all of them.
        split: The split of a run's data.
        image: Number of the image of the split.
        min_score: Smallest score of a box.

    Returns:
        `iou_threshold`; `boxes`, each with its `number`, `image`, `class`, `score`, `box`; `steps`, each with the
        number of the `box` that remains, and under `compared` the `number` and the `iou` of the others of its class
        that are left, and whether each is `suppressed`; the numbers that are `remaining`; `library`, those of
        torchvision, and whether they `agree`; of a run also its id and checkpoint, and a `visualization`.

    Raises:
        UserError: If the run or the file can't be used, or there are no boxes.
    """
    from workbench.tasks.precision_recall import compute_iou

    result = _ask(worker, source, method="nms", iou=iou, split=split, images=(image, image + 1), min_score=min_score)
    case: Case = result.pop("case")
    boxes: list[dict[str, Any]] = [
        {"number": number, **row}
        for number, row in enumerate(case["detections"], start=1)
        if row["score"] >= min_score and class_name in (None, row["class"])
    ]
    if not boxes:
        about = f" of the class {class_name!r}" if class_name else ""
        raise UserError(f"There are no boxes{about} with a score of {min_score:g} or more. Lower --min-score.")
    left = sorted(boxes, key=lambda row: -row["score"])
    steps = []
    while left:
        best, *others = left
        compared: list[dict[str, Any]] = [
            {"number": row["number"], "iou": compute_iou(best["box"], row["box"])}
            for row in others
            if (row["image"], row["class"]) == (best["image"], best["class"])
        ]
        for row in compared:
            row["suppressed"] = row["iou"] > iou
        suppressed = {row["number"] for row in compared if row["suppressed"]}
        steps.append({"box": best["number"], "compared": compared})
        left = [row for row in others if row["number"] not in suppressed]
    remaining = sorted(step["box"] for step in steps)
    numbers = {row["number"] for row in boxes}
    library = [number + 1 for number in result.pop("library") if number + 1 in numbers]
    return {
        **{key: value for key, value in result.items() if key not in ("image", "size")},
        "method": "nms",
        "iou_threshold": iou,
        "boxes": boxes,
        "steps": steps,
        "remaining": remaining,
        "library": {"torchvision": library},
        "agree": remaining == library,
        "visualization": _visualize(boxes, result.get("image"), result.get("size")),
    }


def _ask(worker: Verifier, source: Run | Path, **request: Any) -> dict[str, Any]:
    """Return what `explain_job.compute` does."""
    if request["split"] not in data.SPLITS:
        raise unknown_name("split", request["split"], data.SPLITS)
    origin: dict[str, Any] = (
        {"folder": str(source.folder)} if isinstance(source, Run) else {"case": explain_case.read(source)}
    )
    try:
        return worker.ask(dict(job="explain", **request, **origin), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"This can't be explained: {error} See 'workbench doctor'.") from None


def _rows(case: Case) -> list[Any]:
    return [*case["objects"], *case["detections"]]


def _class(case: Case, name: str | None) -> str:
    counts: dict[str, int] = {}
    for row in case["objects"]:
        counts[row["class"]] = counts.get(row["class"], 0) + 1
    if not counts:
        raise UserError("There are no objects, and average precision needs some. Add objects, or take other images.")
    if name is not None:
        lookup("class", name, counts)
        return name
    return max(counts, key=lambda one: counts[one])


def _visualize(boxes: list[Any], image: dict[str, Any] | None, size: int | None) -> dict[str, Any]:
    """Return the boxes of the first image as a visualization, over the image or, for a file, over an empty one."""
    of_image = [row for row in boxes if row["image"] == boxes[0]["image"]]
    classes = list(dict.fromkeys(row["class"] for row in of_image))
    if image is None:
        extent = max(max(row["box"]) for row in of_image)
        image, size = {"kind": "boxes", "pixels": [[[0.0] * 3] * BLANK] * BLANK, "missed": []}, extent
    factor = len(image["pixels"][0]) / (size or 1)
    predicted = [
        {
            "box": [value * factor for value in row["box"]],
            "label": classes.index(row["class"]),
            "score": row["score"],
            "correct": None,
            "number": row["number"],
        }
        for row in of_image
    ]
    return {**image, "classes": classes, "predicted": predicted}


BLANK = 64  # pixels of an empty image
