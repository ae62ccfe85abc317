"""The network of a run: one of the registry, sized to the data of its task, with the options that the spec asks for."""

import inspect
from importlib import import_module
from math import prod
from typing import Any

import models
from workbench import BadInput, tasks
from workbench.engine.spec import RunSpec


def build(spec: RunSpec) -> Any:
    """The spec's network, fresh from torch's random state.

    Raises:
        BadInput: It has no such option.
    """
    architecture = models.info(spec.model)
    network = getattr(import_module(architecture.module), architecture.network)
    known = inspect.signature(network).parameters
    named = {"dropout": "dropout", "batch_norm": "batch normalisation"}
    asked = {name: getattr(spec, name) for name in named if getattr(spec, name) is not None}
    for name in asked:
        if name not in known:
            raise BadInput(f"{spec.model} has no {named[name]} to set: use a network that has, such as mlp.")
    preset = architecture.presets[spec.preset]
    usual = {name: preset.get(name, parameter.default) for name, parameter in known.items()}
    return models.build(spec.model, preset=spec.preset, **(sized(usual, tasks.info(spec.task)) | asked | spec.options))


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
