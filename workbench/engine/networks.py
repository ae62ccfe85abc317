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
    reads = (arguments["in_features"],) if "in_features" in arguments else architecture.input_shape
    if len(known.inputs) == 3:
        readable = len(reads) == 3 or (len(reads) == 1 and isqrt(reads[0]) ** 2 == reads[0])
    else:
        readable = reads == known.inputs
    says = arguments.get("num_classes") or arguments.get("out_features") or prod(architecture.output_shape)
    classes = len(data.info(known.data).classes)
    return readable and (says >= classes or (says, classes) == (1, 2) if classes else says == 1)


def sized(usual: dict[str, Any], task: tasks.TaskInfo) -> dict[str, Any]:
    """The arguments of a network that differ from the usual ones where it is to fit a task.

    A row of a table needs a network that reads as many numbers; pictures are resized to what is read.

    Args:
        usual: What the network is otherwise built with: `in_features` is what it reads, `num_classes` or
            `out_features` what it says.
        task: What it is to learn.
    """
    row = prod(task.inputs) if len(task.inputs) == 1 else None
    wanted: dict[str, Any] = {}
    if "in_features" in usual:
        wanted["in_features"] = row or usual["in_features"]
    if "num_classes" in usual:
        wanted["num_classes"] = max(2, task.outputs)
    if "out_features" in usual:
        # Between two classes, one number or two scores will do.
        two = (usual["out_features"], task.outputs) == (2, 1)
        wanted["out_features"] = 2 if two else task.outputs
    return {name: value for name, value in wanted.items() if value != usual[name]}
