"""Sequences that test a memory: what the tasks on them have in common."""

from typing import Any

import torch
from torch import Tensor, nn

from models.tracing import example_inputs
from workbench.errors import UserError


def read_steps(network: nn.Module, example: Tensor, min_steps: int) -> int:
    """Return the number of steps of the sequences for a network: that of its example inputs.

    Args:
        network: The network.
        example: One input of the task, (1, steps, ...): its data type and its shape after the steps.
        min_steps: The smallest number of steps.

    Raises:
        UserError: If the network reads something else, or its sequences are too short.
    """
    inputs = example_inputs(network) if hasattr(network, "example_inputs") else ()
    expected = (example.dtype, tuple(example.shape[2:]))
    if [(each.dtype, tuple(each.shape[2:])) for each in inputs if each.dim() > 1] != [expected] or len(inputs) != 1:
        values = "tokens" if example.dtype == torch.int64 else f"{example.shape[2]} values per step"
        raise UserError(f"This network does not read {values}. Choose one for sequences, such as lstm.")
    steps = inputs[0].shape[1]
    if steps < min_steps:
        raise UserError(f"A sequence has at least {min_steps} steps, not {steps}. Set the network's steps to more.")
    return steps


def check_outputs(outputs: Any, size: int, name: str) -> Tensor:
    """Return the outputs of a network, one vector per step.

    Args:
        outputs: What a network returned.
        size: The smallest size of a vector.
        name: What the vectors are, for the message.

    Raises:
        UserError: If they are something else.
    """
    if not isinstance(outputs, Tensor) or outputs.dim() != 3 or outputs.shape[2] < size:
        raise UserError(f"This network does not return {name} for each step of a sequence. Choose another one.")
    return outputs
