"""Taking a run up again: what can be gone on with, and up to where."""

from workbench.engine.checkpoint_files import RESUMABLE, first_readable, header
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

__all__ = ["header", "prolonged", "running"]


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
    _, about, _ = first_readable(run.folder, RESUMABLE, header)
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
