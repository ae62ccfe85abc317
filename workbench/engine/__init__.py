"""Training runs: their specs, the worker processes that train them, and their folders. No torch is imported.

`train(spec)` yields the events of a run as they are written. `start(spec)` returns a `Run`; its worker continues after
the process that started it has ended. `resume(run)` starts another worker on a run that has ended; the numbers are the
same as if the run had never stopped.
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
from workbench.engine.resume import extend_spec, running_error
from workbench.engine.run import POLL_INTERVAL, Run, children
from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError, Verifier
from workbench.engine.watcher import follow
from workbench.errors import UserError

__all__ = ["METHODS", "Run", "RunSpec", "ScriptError", "Verifier", "accepted", "resume", "start", "train"]

ENDING = 5.0  # seconds that a worker may take to exit after its end event


def start(spec: RunSpec) -> Run:
    """Create a run folder and start a worker on it, which outlives this process.

    Raises:
        UserError: If the folder can't be written.
    """
    run = runs.create(spec)
    with _locked(run) as lock:
        _start_worker(run, lock)
    return run


def resume(run: Run, epochs: int | None = None, steps: int | None = None) -> int:
    """Start a worker that continues a run from its last checkpoint, in the same folder.

    Args:
        run: A run that has ended for any reason.
        epochs: The number of additional epochs.
        steps: The number of additional steps, for a run whose length is in steps.

    Returns:
        The byte at which the new events begin, for `Run.reader`.

    Raises:
        UserError: If there is no checkpoint to continue from, or nothing left to do.
    """
    deadline = time.monotonic() + ENDING
    while True:
        extend_spec(run, epochs, steps)  # if this raises an error, the folder is unchanged
        try:
            return _restart(run, epochs, steps)
        except BlockingIOError:
            # A worker needs a moment to exit after its end event. If another one resumes the run, it shows by then.
            if time.monotonic() > deadline:
                raise running_error(run) from None
            time.sleep(POLL_INTERVAL)


def _restart(run: Run, epochs: int | None, steps: int | None) -> int:
    with _locked(run) as lock:
        spec = extend_spec(run, epochs, steps)  # again, because another process may have resumed it until now
        since = run.event_bytes()
        try:
            run.beat(since)  # this process is the run's worker until the worker writes a heartbeat
        except OSError as error:
            raise _unwritable(run, error) from error
        _start_worker(run, lock, spec.to_json())
    return since


@contextmanager
def _locked(run: Run) -> Iterator[int]:
    """Hold the run's lock, which its worker inherits."""
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


def _start_worker(run: Run, lock: int, *spec: str) -> None:
    """Start a worker on a run. It inherits the lock as its stdin, which it doesn't read."""
    try:
        with (run.folder / "stderr.txt").open("wb") as output:
            stdin = subprocess.DEVNULL if os.name == "nt" else lock
            children[run.folder] = process.spawn(str(run.folder), *spec, stdin=stdin, stdout=output, stderr=output)
    except OSError as error:
        raise UserError(f"The worker can't be started ({error.strerror}): free some memory and try again.") from error


def train(spec: RunSpec) -> Iterator[Event]:
    """Train a run and yield its events as they are written, up to `end`. Closing the iterator earlier stops the run.

    Raises:
        UserError: If the spec can't be run here: no such device, a batch larger than the data. Then no run is left.
    """
    run = start(spec)
    try:
        yield from accepted(run)
    finally:
        if run.is_alive():
            with suppress(UserError):  # it has ended meanwhile
                run.stop()
            run.join(heartbeat.SILENCE)


def accepted(run: Run, since: int | None = None) -> Iterator[Event]:
    """Yield the events of a run that was just started, or resumed.

    Args:
        run: The run.
        since: The byte at which the events of the resumed run begin; None for a new run.

    Raises:
        UserError: If the worker rejects the spec. Then a new run is deleted, and a resumed one is unchanged.
    """
    for event in follow(run, since or 0):
        if event["event"] == "end" and event.get("refused"):
            if since is None:
                run.remove()
            raise UserError(event["reason"])
        yield event
