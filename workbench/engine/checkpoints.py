"""Checkpoints: weights as safetensors, with what is known of them as JSON in the same file's header.

The last one also holds, under names that begin with `training/`, all that a run needs to go on as if it had never
stopped. One file, written beside its place and then renamed into it: whenever the worker is killed, the last finished
one is whole. The one before it is kept under another name, for when the disk damages the last.
"""

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from workbench import files
from workbench.engine.checkpoint_files import NO_CHECKSUM, DamagedError, verify, write_sealed
from workbench.errors import UserError

TRAINING = "training/"  # no module is called so: what is no weight can't be taken for one


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """A copy of the network's state dict on the CPU, which further training leaves alone."""
    return {  # one by one, so that tied weights become separate tensors, as the format asks
        name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
        for name, tensor in network.state_dict().items()
    }


def write(
    path: Path,
    weights: dict[str, Tensor],
    about: dict[str, Any],
    training: dict[str, Tensor] | None = None,
    previous: Path | None = None,
) -> None:
    """Write a checkpoint so that `path` always holds a whole one.

    Args:
        path: Ends in `.safetensors`; what stands there is replaced.
        weights: A state dict of contiguous tensors on the CPU.
        about: Plain data: step, epoch, metrics.
        training: What a run needs besides, to go on from here.
        previous: Another path, at which the checkpoint stays that `path` held before.
    """
    more = {TRAINING + name: tensor.detach().cpu().contiguous() for name, tensor in (training or {}).items()}
    content = save({**weights, **more}, metadata={"about": json.dumps(about), "checksum": NO_CHECKSUM})
    files.write(path, lambda file: write_sealed(file, content), sync=True, previous=previous)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The state dict of a checkpoint, on the CPU, and what was noted about it.

    Raises:
        UserError: There is no checkpoint, or it is damaged.
    """
    weights, _, about = load_all(path)
    return weights, about


def load_all(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """The state dict, what a run needs besides to go on, and what was noted.

    Raises:
        UserError: There is no checkpoint, or it is damaged.
    """
    try:
        verify(path)
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
    except FileNotFoundError as error:
        raise UserError(f"There is no checkpoint {path}.") from error
    except UserError:
        raise
    except OSError as error:
        raise UserError(f"The checkpoint {path} can't be read: {error}.") from error
    except (SafetensorError, ValueError, RecursionError) as error:
        raise DamagedError(path, str(error)) from error
    training = {name.removeprefix(TRAINING): tensors.pop(name) for name in list(tensors) if name.startswith(TRAINING)}
    return tensors, training, about
