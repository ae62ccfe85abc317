"""The mean IoU of a small case, from the confusion matrix to the mean, next to scikit-learn's."""

import json
from pathlib import Path
from typing import Any

from workbench import data
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name
from workbench.untrusted import printable

TIMEOUT = 1800.0  # seconds
TOLERANCE = 1e-9
VOID = 255
MAX_BYTES = 10_000_000
FORM = '{"classes": ["background", "cat"], "target": [[0, 1]], "predicted": [[0, 0]]}'


def explain_miou(worker: Verifier, source: Run | Path, split: str, images: tuple[int, int]) -> dict[str, Any]:
    """Return how the mean IoU is computed.

    Args:
        worker: The process that has PyTorch.
        source: A run, or the file of a case.
        split: The split of a run's data.
        images: Numbers of the first image of the split and of the one after the last.

    Returns:
        The `classes`; the number of `pixels` and of `void` ones; the `confusion` matrix, true classes by row; `rows`, a
        `class` each with its `true_positives`, `false_positives`, `false_negatives` and `iou`, None if it doesn't
        occur; the number of classes `counted`, and `miou`; `library`, scikit-learn's value, and whether they `agree`;
        of a run also its id and checkpoint.

    Raises:
        UserError: If the run or the file can't be used.
    """
    from sklearn.metrics import jaccard_score

    case = _of_run(worker, source, split, images) if isinstance(source, Run) else read(source)
    classes = case.pop("classes")
    pixels = list(zip(case.pop("target"), case.pop("predicted"), strict=True))
    valid = [(true, predicted) for true, predicted in pixels if true != VOID]
    confusion = [[0] * len(classes) for _ in classes]
    for true, predicted in valid:
        confusion[true][predicted] += 1
    rows = []
    for k, name in enumerate(classes):
        hits = confusion[k][k]
        missed, wrong = sum(confusion[k]) - hits, sum(row[k] for row in confusion) - hits
        union = hits + missed + wrong
        counts = dict(true_positives=hits, false_positives=wrong, false_negatives=missed)
        rows.append({"class": name, **counts, "iou": hits / union if union else None})
    ious = [row["iou"] for row in rows if row["iou"] is not None]
    if not ious:
        raise UserError("All pixels are void: there is no IoU to explain. Choose other images.")
    mean = sum(ious) / len(ious)
    library = float(jaccard_score(*map(list, zip(*valid, strict=True)), average="macro"))
    return {
        **case,
        "method": "miou",
        "classes": classes,
        "pixels": len(valid),
        "void": len(pixels) - len(valid),
        "confusion": confusion,
        "rows": rows,
        "counted": len(ious),
        "miou": mean,
        "library": {"scikit-learn": library},
        "agree": abs(mean - library) < TOLERANCE,
    }


def _of_run(worker: Verifier, run: Run, split: str, images: tuple[int, int]) -> dict[str, Any]:
    if split not in data.SPLITS:
        raise unknown_name("split", split, data.SPLITS)
    job = dict(job="explain", method="miou", folder=str(run.folder), split=split, images=images)
    try:
        return worker.ask(job, TIMEOUT)
    except ScriptError as error:
        raise UserError(f"This can't be explained: {error} See 'workbench doctor'.") from None


def read(file: Path) -> dict[str, Any]:
    """Return the `classes` of a file, and the `target` and `predicted` classes of all pixels, one after another.

    Raises:
        UserError: If it can't be read or is not such a case.
    """
    name = printable(file.name)
    try:
        text = file.read_bytes()
        content = json.loads(text[:MAX_BYTES])
    except OSError as error:
        raise UserError(f"{printable(str(file))} can't be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{name} is not JSON of at most {MAX_BYTES / 1e6:.0f} MB. Write {FORM}.") from error
    if not isinstance(content, dict) or {"classes", "target", "predicted"} - content.keys():
        raise UserError(f"{name} needs classes, target and predicted. Write {FORM}.")
    classes = content["classes"]
    if not isinstance(classes, list) or not classes or not all(isinstance(each, str) for each in classes):
        raise UserError(f"The classes of {name} must be a list of names. Write {FORM}.")
    maps = {key: _flat(name, key, content[key], len(classes)) for key in ("target", "predicted")}
    if maps["target"][0] != maps["predicted"][0]:
        raise UserError(f"target and predicted of {name} must have rows of the same lengths.")
    return {"classes": classes, **{key: pixels for key, (_, pixels) in maps.items()}}


def _flat(name: str, key: str, rows: Any, classes: int) -> tuple[list[int], list[int]]:
    """Return the lengths of the rows of a map, and its pixels one after another."""
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise UserError(f"{key} of {name} must be rows of numbers of classes, such as [[0, 1], [1, 1]].")
    pixels = [value for row in rows for value in row]
    valid = {*range(classes), *([VOID] if key == "target" else [])}
    for value in pixels:
        if type(value) is not int or value not in valid:
            void = ", or 255 for void" if key == "target" else ""
            raise UserError(f"{key} of {name} has {value!r:.40}: a pixel has a class from 0 to {classes - 1}{void}.")
    return [len(row) for row in rows], pixels
