"""What is inside a trained network, as pictures: plain data that the command line and the app draw.

`pictures` asks the worker, the only process that imports torch; there `made` looks into the run's network. Each kind of
picture is a file here with a function `look`.
"""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from workbench import tasks
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name

KINDS = {
    "filters": "the weights of the first convolution, or of the first dense layer",
    "maps": "what layers make of a test sample",
    "errors": "the most confident mistakes on the test part",
    "field": "what a unit in the middle of a layer sees of the input",
}
OF_A_LAYER = ("maps", "field")  # these can be asked for a layer and a sample
TIMEOUT = 1800.0  # seconds: a network as published takes its time on one core


def pictures(
    worker: Verifier,
    run: Run,
    kind: str,
    layer: str | None = None,
    sample: int | None = None,
    told: Callable[[float], None] = lambda share: None,
) -> dict[str, Any]:
    """Pictures of a run's network, with the weights of its best checkpoint, or else of its last.

    Args:
        worker: Who makes them.
        run: The run.
        kind: One of `KINDS`.
        layer: A layer's name, for maps and the field.
        sample: The number of a test sample, for maps and the field.
        told: Takes the share that is done, 0 to 1, where it takes long.

    Returns:
        The run's id, the checkpoint and its step, the kind under `picture`, and what `look` of that kind gives.

    Raises:
        UserError: The run has no such pictures, or no checkpoint that can be read.
    """
    check(run, kind, layer, sample)
    order = dict(job="pictures", folder=str(run.folder), kind=kind, layer=layer, sample=sample)
    try:
        return worker.ask(order, TIMEOUT, told)
    except ScriptError as error:
        raise UserError(f"These pictures can't be made: {error} See 'workbench doctor'.") from None


def check(run: Run, kind: str, layer: str | None, sample: int | None) -> None:
    """See, without torch, that there can be such pictures.

    Raises:
        UserError: There can't.
    """
    if kind not in KINDS:
        raise unknown_name("kind of picture", kind, list(KINDS))
    for word, given in (("layer", layer), ("sample", sample)):
        if given is not None and kind not in OF_A_LAYER:
            raise UserError(f"{kind} are not of one {word}: leave it out, or ask for {' or '.join(OF_A_LAYER)}.")
    spec = run.spec
    if len(tasks.info(spec.task).inputs) != 3:
        raise UserError(f"{run.id} learns {spec.task}, which are no pictures: look into a run on digits or mnist-5k.")


def made(
    run: Run, kind: str, layer: str | None, sample: int | None, told: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """As `pictures`, in this process: imports torch."""
    from workbench.engine.inside.trained import load

    check(run, kind, layer, sample)
    trained = load(run)
    chosen = dict(layer=layer, sample=sample) if kind in OF_A_LAYER else {}
    found = import_module(f"workbench.engine.inside.{kind}").look(trained, told=told, **chosen)
    about = dict(run=run.id, model=run.spec.model, checkpoint=trained.checkpoint, step=trained.step)
    return {**about, "picture": kind, "classes": list(trained.task.known.classes), **found}
