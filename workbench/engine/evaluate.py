"""The losses and metrics of a trained network on a split of its data.

`evaluate` asks the worker, the only process that imports torch; there, `compute` asks the run's task.
"""

from typing import Any

from workbench import data
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name

TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def evaluate(worker: Verifier, run: Run, split: str = "test") -> dict[str, Any]:
    """Return the losses and metrics of a run's best checkpoint, or its last if there is no best one, on a split.

    Args:
        worker: The process that computes them.
        run: The run.
        split: `train`, `validation` or `test`.

    Returns:
        The run's id, the model, the checkpoint and its step; `task`; `split` and the number of its `samples`;
        `metrics`: the loss, its terms and the metrics by name; for the test set also the `baseline`: its `method`,
        `metric` and `value`; the `reason` if a better checkpoint is there but damaged.

    Raises:
        UserError: If there is no such split, or no checkpoint that can be loaded.
    """
    check_split(split)
    try:
        return worker.ask(dict(job="evaluate", folder=str(run.folder), split=split), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The metrics can't be computed: {error} See 'workbench doctor'.") from None


def check_split(split: str) -> None:
    """Check the name of a split.

    Raises:
        UserError: If there is no such split.
    """
    if split not in data.SPLITS:
        raise unknown_name("split", split, data.SPLITS)


def compute(run: Run, split: str) -> dict[str, Any]:
    """Return the same as `evaluate`, computed in this process. Imports torch."""
    from dataclasses import asdict

    from workbench.engine.trained import load
    from workbench.tasks.baselines import baseline

    check_split(split)
    trained = load(run)
    source = trained.sources[split]
    metrics = trained.task.evaluate(trained.network, source)
    result = dict(**trained.info, task=trained.spec.data.task, split=split, samples=len(source), metrics=metrics)
    if split == "test":
        result["baseline"] = asdict(baseline(trained.task, trained.spec.seed))
    return result
