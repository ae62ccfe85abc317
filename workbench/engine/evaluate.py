"""The losses and metrics of a trained network on a split of its data, or on another task that it can read.

`evaluate` asks the worker, the only process that imports torch; there, `compute` asks the run's task.
"""

from typing import TYPE_CHECKING, Any

from workbench import data, tasks
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from workbench.data.sources import Source
    from workbench.engine.trained import TrainedNetwork

TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


ALL = "all"  # samples of another task: a network has seen none of them


def evaluate(
    worker: Verifier, run: Run, split: str = "test", task: str | None = None, crf: bool = False
) -> dict[str, Any]:
    """Return the losses and metrics of a run's best checkpoint, or its last if there is no best one, on a split.

    Args:
        worker: The process that computes them.
        run: The run.
        split: `train`, `validation` or `test`; of another task also `all`.
        task: Another task with the same inputs and classes, or the same target. By default the run's own. The inputs
            are scaled as they were in training, by the training set of the run.
        crf: Whether a fully connected CRF refines the classes of pixels.

    Returns:
        The run's id, the model, the checkpoint and its step; `task`; `trained_on`, the run's own task; `split` and the
        number of its `samples`; `crf`; `metrics`: the loss, its terms and the metrics by name; for the test set also
        the `baseline` of the task: its `method`, `metric` and `value`; the `reason` if a better checkpoint is there but
        damaged.

    Raises:
        UserError: If there is no such split or task, the task doesn't fit, or no checkpoint can be loaded.
    """
    task = check(run, split, task)
    try:
        return worker.ask(dict(job="evaluate", folder=str(run.folder), split=split, task=task, crf=crf), TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The metrics can't be computed: {error} See 'workbench doctor'.") from None


def check(run: Run, split: str, task: str | None) -> str | None:
    """Check the names of a split and a task, and return the name of the other task; None if it is the run's own.

    Raises:
        UserError: If there is no such split or task.
    """
    other = None if task is None else tasks.info(task).name
    if other == run.spec.data.task or (other is not None and other == tasks.info(run.spec.data.task).name):
        other = None
    splits = data.SPLITS if other is None else (*data.SPLITS, ALL)
    if split not in splits:
        raise unknown_name("split", split, splits)
    return other


def compute(run: Run, split: str, task: str | None = None, crf: bool = False) -> dict[str, Any]:
    """Return the same as `evaluate`, computed in this process. Imports torch."""
    from dataclasses import asdict

    from workbench.engine.trained import load
    from workbench.tasks.baselines import baseline

    other = check(run, split, task)
    trained = load(run)
    source = trained.sources[split] if other is None else _adapted(trained, other, split)
    detailed = trained.task.in_detail()
    evaluator = detailed.with_crf(trained.spec.seed) if crf else detailed
    metrics = evaluator.evaluate(trained.network, source)
    result = dict(
        **trained.info,
        task=other or trained.spec.data.task,
        trained_on=trained.spec.data.task,
        split=split,
        samples=len(source),
        crf=crf,
        metrics=metrics,
    )
    if split == "test":
        evaluated = trained.task if other is None else tasks.get(other)
        result["baseline"] = asdict(baseline(evaluated, trained.spec.seed))
    return result


def _adapted(trained: "TrainedNetwork", task: str, split: str) -> "Source":
    """Return the samples of another task as the network's own task reads them.

    Raises:
        UserError: If they don't fit.
    """
    import numpy as np

    name, seed = tasks.info(task).data, trained.spec.seed
    splits = data.load(name, seed)
    if split == ALL:
        columns = tuple(np.concatenate(parts) for parts in zip(*splits.values(), strict=True))
    else:
        columns = splits[split]
    return trained.task.adapt(trained.network, name, columns, seed)
