"""The network of a run: one of the registry, sized to the data of its task, with the options that the spec asks for."""

from math import isqrt, prod
from typing import Any

import models
from workbench import data, tasks
from workbench.engine.spec import RunSpec


def build(spec: RunSpec) -> Any:
    """The spec's network, fresh from torch's random state.

    Raises:
        UserError: It has no such option.
    """
    asked = {name: getattr(spec, name) for name in ("dropout", "batch_norm") if getattr(spec, name) is not None}
    fitted = sized(usual(spec.model, spec.preset), tasks.info(spec.task))
    return models.build(spec.model, preset=spec.preset, **(fitted | asked | spec.options))


def usual(model: str, preset: str) -> dict[str, Any]:
    """The arguments that a network is built with where nothing else is said."""
    return {**models.arguments(model), **models.info(model).presets[preset]}


def fits(model: str, preset: str, task: str) -> bool:
    """Whether a network can learn a task, as far as that is known without building it; its own task it always can.

    What is read: a row of a table by a network that is sized to it, or that reads as many numbers; a picture by one
    that reads pictures of whatever size, or a square number of pixels. What is said: as many scores as there are
    classes, or one number.
    """
    architecture, known = models.info(model), tasks.info(task)
    if task == architecture.task:
        return True
    arguments = usual(model, preset)
    arguments |= sized(arguments, known)
    sizes = arguments.get("sizes", ())
    reads = (arguments.get("features") or sizes[0],) if "features" in arguments or sizes else architecture.input
    if len(known.inputs) == 3:
        readable = len(reads) == 3 or (len(reads) == 1 and isqrt(reads[0]) ** 2 == reads[0])
    else:
        readable = reads == known.inputs
    says = arguments.get("classes") or (sizes[-1] if sizes else prod(architecture.output))
    classes = len(data.info(known.data).classes)
    return readable and (says >= classes or (says, classes) == (1, 2) if classes else says == 1)


def sized(usual: dict[str, Any], task: tasks.TaskInfo) -> dict[str, Any]:
    """The arguments of a network that differ from the usual ones where it is to fit a task.

    A row of a table needs a network that reads as many numbers; pictures are resized to what is read.

    Args:
        usual: What the network is otherwise built with: `features` or the first of `sizes` is what it reads, `classes`
            or the last of `sizes` what it says.
        task: What it is to learn.
    """
    row = prod(task.inputs) if len(task.inputs) == 1 else None
    wanted: dict[str, Any] = {}
    if "features" in usual:
        wanted["features"] = row or usual["features"]
    if "classes" in usual:
        wanted["classes"] = max(2, task.outputs)
    if "sizes" in usual:
        first, *hidden, last = usual["sizes"]
        # Between two classes, one number or two scores will do.
        outputs = last if (last, task.outputs) == (2, 1) else task.outputs
        wanted["sizes"] = (row or first, *hidden, outputs)
    return {name: value for name, value in wanted.items() if value != usual[name]}
