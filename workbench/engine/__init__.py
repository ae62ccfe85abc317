"""Runs: what is ordered, the process that makes it, and the folder that all look at. Importing this imports no torch.

`train(spec)` gives a run's events as they come; `start(spec)` gives the `Run`, whose worker outlives who started it;
`resume(run)` sets another worker on a run that has ended, and it goes on as if nothing had been.
"""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from workbench.engine import heartbeat, process, runs
from workbench.engine.events import Event
from workbench.engine.lock import held
from workbench.engine.methods import METHODS
from workbench.engine.resume import prolonged, running
from workbench.engine.run import POLL_INTERVAL, Run, children
from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError, Verifier
from workbench.engine.watcher import follow
from workbench.errors import UserError

__all__ = ["METHODS", "Run", "RunSpec", "ScriptError", "Verifier", "accepted", "resume", "start", "train"]

ENDING = 5.0  # seconds that a worker may take to exit after its end event


def start(spec: RunSpec) -> Run:
    """Make a run folder and start a worker on it, which outlives this process.

    Raises:
        UserError: The folder can't be written.
    """
    run = runs.create(spec)
    with _locked(run) as lock:
        _set_to_work(run, lock)
    return run


def resume(run: Run, epochs: int | None = None, steps: int | None = None) -> int:
    """Start a worker that goes on from a run's last checkpoint, in the same folder.

    Args:
        run: One that has ended, however it did.
        epochs: How many more than were ordered.
        steps: Or how many steps more.

    Returns:
        The byte at which its new events begin, for `run.tail`.

    Raises:
        UserError: There is nothing to go on from, or nothing left to do.
    """
    deadline = time.monotonic() + ENDING
    while True:
        prolonged(run, epochs, steps)  # what is refused leaves the folder as it is
        try:
            return _take_up(run, epochs, steps)
        except BlockingIOError:
            # A worker needs a moment to exit after its end event; one that resumes the run shows within that moment.
            if time.monotonic() > deadline:
                raise running(run) from None
            time.sleep(POLL_INTERVAL)


def _take_up(run: Run, epochs: int | None, steps: int | None) -> int:
    with _locked(run) as lock:
        spec = prolonged(run, epochs, steps)  # again: another may have taken it up until now
        since = run.event_bytes()
        try:
            run.beat(since)  # whoever takes a run up answers for it until the worker beats
        except OSError as error:
            raise _unwritable(run, error) from error
        _set_to_work(run, lock, spec.to_json())
    return since


@contextmanager
def _locked(run: Run) -> Iterator[int]:
    """Hold the run's lock, to be handed over to its worker."""
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(held(run.folder))
        except BlockingIOError:
            raise
        except OSError as error:
            raise _unwritable(run, error) from error
        yield lock


def _unwritable(run: Run, error: OSError) -> UserError:
    return UserError(f"{run.folder} can't be written ({error.strerror}): make room there.")


def _set_to_work(run: Run, lock: int, *order: str) -> None:
    """Start a worker on a run; the lock goes over to it as its stdin, which it doesn't read."""
    try:
        with (run.folder / "stderr.txt").open("wb") as output:
            stdin = subprocess.DEVNULL if os.name == "nt" else lock
            children[run.folder] = process.spawn(str(run.folder), *order, stdin=stdin, stdout=output, stderr=output)
    except OSError as error:
        raise UserError(f"The worker can't be started ({error.strerror}): free some memory and try again.") from error


def train(spec: RunSpec) -> Iterator[Event]:
    """Make a run and give its events as they come, up to `end`. Who leaves before stops the run.

    Raises:
        UserError: The spec can't be run here: no such device, a batch larger than the data. Then no run is left.
    """
    run = start(spec)
    try:
        yield from accepted(run)
    finally:
        if run.is_alive():
            with suppress(UserError):  # where it has ended meanwhile
                run.stop()
            run.join(heartbeat.SILENCE)


def accepted(run: Run, since: int | None = None) -> Iterator[Event]:
    """The events of a run that was just started, or taken up again since a byte of its events.

    Raises:
        UserError: The worker refused the order. The folder of a new run is removed; one that was taken up is as it was.
    """
    for event in follow(run, since or 0):
        if event["event"] == "end" and event.get("refused"):
            if since is None:
                run.remove()
            raise UserError(event["reason"])
        yield event
