"""Visualizations of what a trained network computes, as plain data: filters, feature maps, errors, weights and others.

`visualize` asks the worker, the only process that imports torch; there, `compute` loads the run's network. Each kind is
a file with a function `compute`, which takes a `TrainedNetwork`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from workbench import data, tasks
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name

KINDS = {
    "filters": "the weights of the first convolution, or of the first dense layer",
    "maps": "the feature maps of layers for a test sample",
    "errors": "the most confident errors on the test set",
    "field": "the receptive field of the unit in the middle of a layer",
    "weights": "the histograms of the weights",
    "gradients": "the histograms of the gradient of the loss",
    "dead": "the units that are 0 for all samples, after each ReLU",
}
MODULES = {
    "filters": "filters",
    "maps": "feature_maps",
    "errors": "errors",
    "field": "receptive_field",
    "weights": "weights",
    "gradients": "gradients",
    "dead": "dead_units",
}
LAYER_KINDS = ("maps", "field")  # of one layer and one sample
IMAGE_KINDS = ("filters", "maps", "field")
TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core

OnProgress = Callable[[float], None]  # takes the share that is done, 0 to 1


def visualize(
    worker: Verifier,
    run: Run,
    kind: str,
    layer: str | None = None,
    sample: int | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> dict[str, Any]:
    """Return a visualization of a run's network at its best checkpoint, or its last if there is no best one.

    Args:
        worker: The process that computes it.
        run: The run.
        kind: One of `KINDS`.
        layer: The name of a layer, for maps and the field.
        sample: The number of a test sample, for maps and the field.
        on_progress: Called with the share that is done, if it takes long.

    Returns:
        The run's id, the model, the checkpoint and its step, the `kind`, the `classes` of the data, and what the
        kind's `compute` returns.

    Raises:
        UserError: If there is no such visualization of the run, or no checkpoint that can be loaded.
    """
    check(run, kind, layer, sample)
    job = dict(job="interpret", folder=str(run.folder), kind=kind, layer=layer, sample=sample)
    try:
        return worker.ask(job, TIMEOUT, on_progress)
    except ScriptError as error:
        raise UserError(f"This visualization can't be computed: {error} See 'workbench doctor'.") from None


def check(run: Run, kind: str, layer: str | None, sample: int | None) -> None:
    """Check without torch that a run can have a visualization.

    Raises:
        UserError: If it can't.
    """
    if kind not in KINDS:
        raise unknown_name("kind of visualization", kind, list(KINDS))
    for name, value in (("layer", layer), ("sample", sample)):
        if value is not None and kind not in LAYER_KINDS:
            raise UserError(
                f"The kind {kind} is not of one {name}: leave it out, or choose {' or '.join(LAYER_KINDS)}."
            )
    task = tasks.info(run.spec.data.task)
    if kind == "errors" and not data.info(task.data).classes:
        raise UserError(f"{run.id} learns {task.name}, which has no classes: choose a run on digits or iris.")
    if kind in IMAGE_KINDS and "image" not in task.inputs:
        raise UserError(f"{run.id} learns {task.name}, which has no images: choose a run on digits or shapes.")


def compute(
    run: Run,
    kind: str,
    layer: str | None = None,
    sample: int | None = None,
    on_progress: OnProgress = lambda progress: None,
) -> dict[str, Any]:
    """Return the same as `visualize`, computed in this process. Imports torch."""
    from workbench.engine.trained import load

    check(run, kind, layer, sample)
    trained = load(run)
    selection = dict(layer=layer, sample=sample) if kind in LAYER_KINDS else {}
    module = import_module(f"{__name__}.{MODULES[kind]}")
    result = module.compute(trained, on_progress=on_progress, **selection)
    return {**trained.info, "kind": kind, "classes": list(trained.task.dataset.classes), **result}
