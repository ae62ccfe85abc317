"""Samples of the network of a run: texts, images, captions, translations.

`sample` asks the worker, the only process that imports torch; there, `compute` asks the run's task.
"""

from dataclasses import asdict
from typing import Any

from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError
from workbench.tasks.sampling import SampleRequest, request_of

TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def sample(worker: Verifier, run: Run, request: SampleRequest) -> dict[str, Any]:
    """Return what a run's network generates, by its best checkpoint, or its last if there is no best one.

    Args:
        worker: The process that computes it.
        run: The run.
        request: What is asked for.

    Returns:
        The run's id, the model, the checkpoint and its step; `request`, what was asked for; `visualizations`, in which
        the samples are. The `reason` if a better checkpoint is there but damaged.

    Raises:
        UserError: If the run's task generates nothing, or not this, or no checkpoint can be loaded.
    """
    job = dict(job="sample", folder=str(run.folder), request=asdict(request))
    try:
        return worker.ask(job, TIMEOUT)
    except ScriptError as error:
        raise UserError(f"The network can't generate: {error} See 'workbench doctor'.") from None


def compute(run: Run, values: dict[str, Any]) -> dict[str, Any]:
    """Return the same as `sample`, computed in this process. Imports torch."""
    from workbench.engine.trained import load

    trained, request = load(run), request_of(values)
    visualizations = trained.task.sample(trained.network, request, trained.spec.seed)
    return {**trained.info, "request": asdict(request), "visualizations": visualizations}
