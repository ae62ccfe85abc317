"""Checkpoints: safetensors files with the weights, and with metadata as JSON in their header.

The last checkpoint of a run also has, under names that begin with `training/`, all tensors that the run needs to
continue as if it had never stopped. It is written to a temporary file, which is then renamed, so that it is complete
whenever the worker is killed. The checkpoint before it is saved under another name, in case the last one is damaged.
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

TRAINING = "training/"  # no module has this name, so these tensors can't be confused with weights


def snapshot(network: nn.Module) -> dict[str, Tensor]:
    """Return a copy of the network's state dict on the CPU, which further training doesn't change."""
    return {  # one by one, so that tied weights become separate tensors, as the format requires
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
    """Write a checkpoint so that the file at `path` is complete at any time.

    Args:
        path: A path that ends in `.safetensors`; an existing file is replaced.
        weights: A state dict of contiguous tensors on the CPU.
        about: Metadata as plain data: step, epoch, metrics.
        training: The other tensors that a run needs to continue; None if it will not.
        previous: A path in the same folder at which the old checkpoint is saved; None to overwrite it.
    """
    more = {TRAINING + name: tensor.detach().cpu().contiguous() for name, tensor in (training or {}).items()}
    content = save({**weights, **more}, metadata={"about": json.dumps(about), "checksum": NO_CHECKSUM})
    files.write(path, lambda file: write_sealed(file, content), sync=True, previous=previous)


def load(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the state dict of a checkpoint, on the CPU, and its metadata.

    Raises:
        UserError: If there is no checkpoint, or it is damaged.
    """
    weights, _, about = load_all(path)
    return weights, about


def load_all(path: Path) -> tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Any]]:
    """Return the state dict, the other tensors that a run needs to continue, and the metadata of a checkpoint.

    Raises:
        UserError: If there is no checkpoint, or it is damaged.
    """
    try:
        verify(path)
        with safe_open(path, framework="pt") as file:
            about = json.loads((file.metadata() or {}).get("about", "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (safe_open has no iterator)
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
