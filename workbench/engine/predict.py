"""What a trained network says of picture files that were no part of its data.

`predictions` asks the worker, the only process that imports torch; there `made` lets the run's network read them.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workbench import tasks
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError

MOST = 1000  # files at once
TIMEOUT = 1800.0  # seconds: a network as published takes its time on one core


def predictions(worker: Verifier, run: Run, files: Sequence[Path]) -> dict[str, Any]:
    """The chances of every class for each file, with the weights of a run's best checkpoint, or else of its last.

    Args:
        worker: Who computes them.
        run: One that learns to tell pictures apart.
        files: Pictures; they are cut square and made as large as those that were learnt from.

    Returns:
        The run's id, the checkpoint and its step; and under `predictions`, for each file, its path as `file`, the
        likeliest class as `class` with its `probability`, and `probabilities`, class -> number.

    Raises:
        UserError: The run learns no pictures or has no checkpoint, or a file is no picture.
    """
    if len(tasks.info(run.spec.task).inputs) != 3:
        raise UserError(f"{run.id} learns {run.spec.task}, which are no pictures: take a run on digits or shapes.")
    if not 1 <= len(files) <= MOST:
        raise UserError(f"Name 1 to {MOST} picture files, not {len(files)}.")
    order = dict(job="predict", folder=str(run.folder), files=[str(file.absolute()) for file in files])
    try:
        found = worker.ask(order, TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The network can't be asked: {error} See 'workbench doctor'.") from None
    rows = found.pop("rows")
    predictions = []
    for file, row in zip(files, rows, strict=True):
        likeliest = max(row, key=lambda name: row[name])
        told = {"class": likeliest, "probability": row[likeliest], "probabilities": row}
        predictions.append({"file": str(file), **told})
    return {**found, "predictions": predictions}


def made(run: Run, files: Sequence[Path]) -> dict[str, Any]:
    """What is known of the network, and under `rows` the chance of each class for each file. Imports torch."""
    from workbench.engine.inside.trained import load

    trained = load(run)
    task: Any = trained.task
    scores = task.scores(task.outputs(trained.network, (task.read(files, run.spec.seed),)))
    about = dict(run=run.id, model=run.spec.model, checkpoint=trained.checkpoint, step=trained.step)
    chances = scores.double().softmax(dim=1).tolist()
    return {**about, "rows": [dict(zip(task.known.classes, row, strict=True)) for row in chances]}
