"""The network of a run, with the sizes of its task's data and the options of its spec."""

from math import isqrt
from typing import Any

import models
from models.registry import Architecture
from models.tensor_spec import TensorSpec
from workbench import tasks
from workbench.engine.spec import RunSpec

DETECTOR_OUTPUT = "grid"  # the output of tasks that any detector can learn, whatever it outputs


def build(spec: RunSpec) -> Any:
    """Return the spec's network, with initial weights from torch's RNG state.

    Raises:
        UserError: If it has no such option.
    """
    return models.build(spec.network.model, preset=spec.network.preset, **build_arguments(spec))


def build_arguments(spec: RunSpec) -> dict[str, Any]:
    """Return the arguments of the spec's network that differ from its preset."""
    network = spec.network
    sized = adapt_to_task(network.model, default_arguments(network.model, network.preset), tasks.info(spec.data.task))
    return sized | network.options


def default_arguments(model: str, preset: str) -> dict[str, Any]:
    """Return the arguments that a network is built with if a spec gives none."""
    return {**models.arguments(model), **models.info(model).presets[preset]}


def adapt_to_task(model: str, arguments: dict[str, Any], task: tasks.TaskInfo) -> dict[str, Any]:
    """Return the arguments of a network that have to differ for a task.

    The network declares which sizes it can take from the data, and the task which of their values fit.

    Args:
        model: The network.
        arguments: Its arguments without the task.
        task: The task.
    """
    adapted: dict[str, Any] = {}
    for size, argument in models.info(model).sizes.items():
        values = task.sizes.get(size)
        if values and arguments[argument] not in values:
            adapted[argument] = values[0]
    return adapted


def is_compatible(model: str, preset: str, task_name: str) -> bool:
    """Return whether a network can learn a task, as far as that is known without building it.

    The tensors that both declare must agree once the network is sized to the data: their types, their dimensions, and
    the names of outputs that aren't vectors, such as a grid or an image. Images fit a network that reads images of any
    size, or a square number of pixels, since the task resizes them. What a detector outputs is its own affair.
    """
    architecture, task = models.info(model), tasks.info(task_name)
    if task_name == architecture.task:
        return True
    if DETECTOR_OUTPUT in task.outputs:
        return architecture.detector
    adapted = adapt_to_task(model, default_arguments(model, preset), task)
    sized = architecture.resolve(preset, **adapted)
    return _is_readable(sized, task) and _is_learnable(sized, task)


def _is_readable(network: Architecture, task: tasks.TaskInfo) -> bool:
    if "image" in task.inputs and len(network.inputs) == 1:
        (name, spec), *_ = network.inputs.items()
        is_square = name == "features" and isinstance(spec.dims[0], int) and isqrt(spec.dims[0]) ** 2 == spec.dims[0]
        return is_square or (name == "image" and len(spec.dims) == 3)
    return network.inputs.keys() == task.inputs.keys() and all(
        _agree(spec, task.inputs[name], task) for name, spec in network.inputs.items()
    )


def _is_learnable(network: Architecture, task: tasks.TaskInfo) -> bool:
    # As torchvision's, networks for segmentation may return a dict.
    outputs = {"logits" if name == "out" else name: spec for name, spec in network.outputs.items() if name != "aux"}
    if len(outputs) != len(task.outputs):
        return False
    return all(
        # A vector may be logits to one task and values to another.
        (name == other_name or len(own.dims) == 1) and _agree(own, other, task)
        for (name, own), (other_name, other) in zip(outputs.items(), task.outputs.items(), strict=True)
    )


def _agree(network: TensorSpec, task: TensorSpec, info: tasks.TaskInfo) -> bool:
    """Return whether a network's tensor can be a task's; outputs beyond the classes are left out."""
    if network.dtype != task.dtype or len(network.dims) != len(task.dims):
        return False
    for own, other in zip(network.dims, task.dims, strict=True):
        if isinstance(own, str) and isinstance(other, str) and own != other:
            return False  # both vary from batch to batch, independently of each other
        values = info.sizes.get(str(other), (other,) if isinstance(other, int) else ())
        if isinstance(own, int) and values and own not in values and not (other == "outputs" and own > max(values) > 1):
            return False
    return True
