"""Resuming a run: whether that is possible, and the spec with which it continues."""

from workbench.engine.checkpoint_files import RESUMABLE, first_readable, header
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

__all__ = ["extend_spec", "header", "running_error"]


def extend_spec(run: Run, epochs: int | None = None, steps: int | None = None) -> RunSpec:
    """Return the spec with which a run continues.

    Args:
        run: The run.
        epochs: The number of additional epochs; None for none.
        steps: The number of additional steps; None for none.

    Raises:
        UserError: If the run can't be continued, there is no checkpoint, or nothing is left to do.
    """
    spec = run.spec
    status, last = run.status(), run.last_event()
    if status == "running":
        raise running_error(run)
    if status == "diverged":
        raise UserError(
            f"The run {run.id} diverged and would do so again. Train from the beginning with a smaller learning rate."
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
            raise UserError(f"{name} must be an integer of at least 1, not {more}.")
        length = spec.options().get(name)
        if length is None:
            other = "steps" if name == "epochs" else "epochs"
            raise UserError(f"The length of the run {run.id} is in {other}: use --{other}.")
        spec = spec.with_options(**{name: length + more})
    if status == "done" and spec == run.spec:
        raise UserError(f"The run {run.id} is done: give the number of additional epochs, such as --epochs 5.")
    return spec


def running_error(run: Run) -> UserError:
    """Return the error for a run that can't be resumed because it is running."""
    return UserError(f"The run {run.id} is running: watch it with 'workbench runs watch {run.id}'.")
