"""Checkpoints: weights as safetensors, with what is known of them as JSON in the same file's header.

One file, written beside its place and then renamed into it: whenever the worker is killed, the last finished one is
whole.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from workbench import BadInput
from workbench.engine import atomic


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's state dict on the CPU, which further training leaves alone."""
    return {  # one by one, so that tied weights become separate tensors, as the format asks
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }


def write(path: Path, weights: dict[str, Tensor], about: dict[str, Any]) -> None:
    """Write a checkpoint so that `path` always holds a whole one.

    Args:
        path: Ends in `.safetensors`; what stands there is replaced.
        weights: A state dict of contiguous tensors.
        about: Plain data: step, epoch, metrics.
    """
    atomic.write(path, save(weights, metadata={"about": json.dumps(about)}), sync=True)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The state dict of a checkpoint, on the CPU, and what was noted about it.

    Raises:
        BadInput: There is no checkpoint, or it is damaged.
    """
    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, about  # noqa: SIM118  (it is no dict)
    except FileNotFoundError as error:
        raise BadInput(f"There is no checkpoint {path}.") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise BadInput(f"The checkpoint {path} can't be read: {error}.") from error
