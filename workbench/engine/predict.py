"""The predictions of a trained network for files that are not part of its data.

`predict` asks the worker, the only process that imports torch; there, `compute` asks the run's task.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError

MAX_FILES = 1000  # at once
TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def predict(worker: Verifier, run: Run, files: Sequence[Path]) -> dict[str, Any]:
    """Return what a run's network predicts for each file, by its best checkpoint, or its last if there is no best.

    Args:
        worker: The process that computes it.
        run: A run whose task reads files.
        files: The files. Images are center-cropped and resized to the size of the training images.

    Returns:
        The run's id, the model, the checkpoint and its step; and under `predictions`, for each file, its path as
        `file`, and what the task predicts: for images the most probable class as `class` with its `probability`, and
        `probabilities`, class -> number.

    Raises:
        UserError: If the run's task reads no files, the run has no checkpoint, or a file can't be read.
    """
    if not 1 <= len(files) <= MAX_FILES:
        raise UserError(f"Name 1 to {MAX_FILES} files, not {len(files)}.")
    job = dict(job="predict", folder=str(run.folder), files=[str(file.absolute()) for file in files])
    try:
        result = worker.ask(job, TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The predictions can't be computed: {error} See 'workbench doctor'.") from None
    rows = result.pop("rows")
    predictions = [{"file": str(file), **row} for file, row in zip(files, rows, strict=True)]
    return {**result, "predictions": predictions}


def compute(run: Run, files: Sequence[Path]) -> dict[str, Any]:
    """Return the run and its checkpoint, and under `rows` the task's prediction for each file. Imports torch."""
    from workbench.engine.trained import load

    trained = load(run)
    return {**trained.info, "rows": trained.task.predict_files(trained.network, files, trained.spec.seed)}
