"""Taking a run up again: what can be gone on with, and up to where."""

import os
from pathlib import Path
from typing import Any

from workbench import untrusted
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

LONGEST_HEADER = 100_000_000  # bytes: what safetensors itself reads


def prolonged(run: Run, epochs: int | None = None, steps: int | None = None) -> RunSpec:
    """What a run is to become: its spec, by so many epochs or steps longer.

    Raises:
        UserError: There is nothing to go on from, or nothing left to do.
    """
    spec = run.spec
    status, last = run.status(), run.last_event()
    if status == "running":
        raise running(run)
    if status == "diverged":
        raise UserError(
            f"The run {run.id} diverged, and would again. Train from the beginning with a smaller learning rate."
        )
    if last is not None and "early_stopping" in last:
        raise UserError(f"The run {run.id} ended by early stopping. Train from the beginning with a larger patience.")
    about = header(run.folder / "last.safetensors")
    if "training" not in about:
        raise UserError(f"The last checkpoint of {run.id} has weights only. Train from the beginning.")
    for name, more in (("epochs", epochs), ("steps", steps)):
        if more is None:
            continue
        if more < 1:
            raise UserError(f"{name} must be a whole number of 1 or more, not {more}.")
        length = spec.options().get(name)
        if length is None:
            other = "steps" if name == "epochs" else "epochs"
            raise UserError(f"The run {run.id} was ordered in {other}: give more of those.")
        spec = spec.with_options(**{name: length + more})
    if status == "done" and spec == run.spec:
        raise UserError(f"The run {run.id} is done: say how much further it should go, such as --epochs 5.")
    return spec


def running(run: Run) -> UserError:
    """The refusal to set a second worker on a run."""
    return UserError(f"The run {run.id} is running: watch it with 'workbench runs watch {run.id}'.")


def header(path: Path) -> dict[str, Any]:
    """What is noted in a checkpoint, read without torch.

    Raises:
        UserError: There is none, or it is not whole.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            size = os.fstat(file.fileno()).st_size
            if not 0 < length <= size - 8:
                raise ValueError("it is cut off")
            if length > LONGEST_HEADER:
                raise ValueError("its header is too long")
            entries = untrusted.parse(file.read(length))
            about = untrusted.parse(entries.pop("__metadata__")["about"])
            ends = [entry["data_offsets"][1] for entry in entries.values()]
            if 8 + length + max(ends, default=0) != size or not isinstance(about, dict):
                raise ValueError("it is cut off")
            return about
    except FileNotFoundError:
        raise UserError(f"There is no checkpoint {path} to continue from. Train from the beginning.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"The checkpoint {path} is damaged ({error}). Train from the beginning.") from error
