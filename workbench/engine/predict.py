"""The predictions of a trained network for samples that are not part of its data: image files, or rows of tables.

`predict` asks the worker, the only process that imports torch; there, `compute` asks the run's task.
"""

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from workbench import data, files, tasks
from workbench.engine.prediction_inputs import STDIN, expand_folders, read_rows
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError
from workbench.untrusted import printable, spreadsheet_cell

CORNERS = ("x1", "y1", "x2", "y2")
FILES_AT_ONCE, ROWS_AT_ONCE = 250, 5000  # of one request to the worker
TIMEOUT = 1800.0  # seconds of one request: a network in its published size takes that long on one core

OnProgress = Callable[[float], None]  # takes the share that is done, 0 to 1


def predict(
    worker: Verifier,
    run: Run,
    paths: Sequence[str],
    stdin: BinaryIO | None = None,
    on_progress: OnProgress = lambda progress: None,
    prompt: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a run's network predicts for samples, by its best checkpoint, or its last if there is no best one.

    Args:
        worker: The process that computes it.
        run: A run whose task reads images or rows of a table.
        paths: Image files, or folders of them; for a table CSV files, or `-` for standard input. Images are
            center-cropped, but not for a detector, and resized to the size of the training images. The columns of a
            table are found by name.
        stdin: Standard input; none by default.
        on_progress: Called with the share that is done, if it takes long.
        prompt: What to segment, for a task on prompts, see `Task.predict_prompt`; None for other tasks.

    Returns:
        The run's id, the model, the checkpoint and its step; `target`, what is predicted; and under `predictions` for
        each sample its `file`, for a row also its `line` and under `columns` the cells that the network doesn't read;
        and what the task predicts: the most probable class as `class` with its `probability`, and `probabilities`,
        class -> number; or a number as `predicted`, in the target's unit; or for a detector the `width` and `height` of
        the image and its `detections`, each with `class`, `score`, and `box`, x1, y1, x2, y2 in pixels; with masks
        also `rle`, its run lengths, and for panoptic maps `stuff`, each with `class`, `area` and `rle`; for semantic
        segmentation its `segments`, each with `class`, `share` and `rle`; or for a prompt the `masks`.

    Raises:
        UserError: If the run's task reads no such samples, the run has no checkpoint, or a sample can't be read.
    """
    dataset = data.info(tasks.info(run.spec.data.task).data)
    if not paths:
        raise UserError("Name at least one file.")
    if dataset.features:
        rows = read_rows(paths, dataset.features, stdin or io.BytesIO())
        origins, key, at_once = [row.origin for row in rows], "rows", ROWS_AT_ONCE
        samples: list[Any] = [row.values for row in rows]
    else:
        images = expand_folders(paths)
        origins, key, at_once = [{"file": str(image)} for image in images], "files", FILES_AT_ONCE
        samples = [str(image.absolute()) for image in images]
    if prompt is not None:
        at_once = len(samples)  # the frames of a video belong together
    result: dict[str, Any] = {}
    predictions: list[dict[str, Any]] = []
    for start in range(0, len(samples), at_once):
        job = dict(job="predict", folder=str(run.folder)) | {key: samples[start : start + at_once], "prompt": prompt}
        try:
            result = worker.ask(job, TIMEOUT)
        except ScriptError as error:
            raise UserError(f"The predictions can't be computed: {error} See 'workbench doctor'.") from None
        for origin, prediction in zip(origins[start : start + at_once], result.pop("rows"), strict=True):
            predictions.append({**origin, **prediction})
        on_progress(len(predictions) / len(samples))
    return {"target": dataset.target, **result, "predictions": predictions}


def compute(
    run: Run,
    image_files: Sequence[Path] | None = None,
    rows: Sequence[Sequence[float]] | None = None,
    prompt: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the run and its checkpoint, and under `rows` the task's prediction for each sample. Imports torch.

    Args:
        run: The run.
        image_files: Image files.
        rows: Or rows of a table, in the order of the dataset's features.
        prompt: What to segment, for a task on prompts.
    """
    import numpy as np

    from workbench.engine.trained import load

    trained = load(run)
    if prompt is not None:
        predictions = trained.task.predict_prompt(trained.network, image_files or [], prompt, trained.spec.seed)
    elif rows is not None:
        values = np.array(rows, dtype=np.float64)
        predictions = trained.task.predict_rows(trained.network, values, trained.spec.seed)
    else:
        predictions = trained.task.predict_files(trained.network, image_files or [], trained.spec.seed)
    target = {"target": trained.task.predicts} if trained.task.predicts else {}
    return {**trained.info, **target, "rows": predictions}


def write_csv(result: dict[str, Any], path: Path, inputs: Sequence[str]) -> None:
    """Write predictions into a table with a row for each sample.

    Its columns are `file` and `line`, the columns that the network doesn't read, then the prediction: `class`,
    `probability` and `p(CLASS)` for every class, or `predicted`. Of a detector, every row is a detection: `class`,
    `score`, `x1`, `y1`, `x2` and `y2`; of a network for
    segmentation, a class with its `share` of the image. Texts are escaped, so that no spreadsheet takes one for a
    formula.

    Args:
        result: What `predict` returned.
        path: The file to write.
        inputs: The files that were read.

    Raises:
        UserError: If the file can't be written, or is one of those that were read.
    """
    if any(name != STDIN and Path(name).absolute() == path.absolute() for name in inputs):
        raise UserError(f"{printable(str(path))} is one of the files that are read: name another one.")
    if "detections" in result["predictions"][0]:
        header = ["file", "class", "score", *CORNERS]
        records = [
            {"file": one["file"], **row, **dict(zip(CORNERS, row["box"], strict=True))}
            for one in result["predictions"]
            for row in one["detections"]
        ]
    elif "segments" in result["predictions"][0]:
        header = ["file", "class", "share"]
        records = [
            {"file": one["file"], "class": segment["class"], "share": segment["share"]}
            for one in result["predictions"]
            for segment in one["segments"]
        ]
    else:
        records = [_to_record(prediction) for prediction in result["predictions"]]
        header = list(dict.fromkeys(name for record in records for name in record))
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([spreadsheet_cell(name) for name in header])
    for record in records:
        writer.writerow([_to_cell(record.get(name, "")) for name in header])
    try:
        files.write(path, text.getvalue().encode())
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror}): name a file in a folder that can.") from error


def _to_record(prediction: dict[str, Any]) -> dict[str, Any]:
    """Return a prediction as the cells of a row, by the names of their columns."""
    own = {name: value for name, value in prediction.items() if name not in ("columns", "probabilities")}
    own |= {f"p({name})": value for name, value in prediction.get("probabilities", {}).items()}
    columns = {f"{name} (input)" if name in own else name: cell for name, cell in prediction.get("columns", {}).items()}
    origin: dict[str, Any] = {name: own[name] for name in ("file", "line") if name in own}
    return {**origin, **columns, **{name: value for name, value in own.items() if name not in origin}}


def _to_cell(value: Any) -> str:
    return spreadsheet_cell(value) if isinstance(value, str) else repr(value)
