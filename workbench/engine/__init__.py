"""Runs: what is ordered, the process that makes it, and the folder that all look at. Importing this imports no torch.

`train(spec)` gives a run's events as they come; `start(spec)` gives the `Run`, whose worker outlives who started it;
`resume(run)` sets another worker on a run that has ended, and it goes on as if nothing had been.
"""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from workbench import BadInput
from workbench.engine import heartbeat, process, runs
from workbench.engine.methods import METHODS
from workbench.engine.resume import prolonged
from workbench.engine.run import Run, children
from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError, Verifier

__all__ = ["METHODS", "Run", "RunSpec", "ScriptError", "Verifier", "accepted", "resume", "start", "train"]


def start(spec: RunSpec) -> Run:
    """Make a run folder and start a worker on it, which outlives this process.

    Raises:
        BadInput: The folder can't be written.
    """
    run = runs.create(spec)
    _set_to_work(run)
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
        BadInput: There is nothing to go on from, or nothing left to do.
    """
    spec = prolonged(run, epochs, steps)
    since = run.told()
    try:
        run.beat(since)  # whoever takes a run up answers for it until the worker beats
    except OSError as error:
        raise BadInput(f"{run.folder} can't be written ({error.strerror}): make room there.") from error
    _set_to_work(run, spec.to_json())
    return since


def _set_to_work(run: Run, *order: str) -> None:
    try:
        with (run.folder / "stderr.txt").open("wb") as output:
            children[run.folder] = process.spawn(
                str(run.folder), *order, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
    except OSError as error:
        raise BadInput(f"The worker can't be started ({error.strerror}): free some memory and try again.") from error


def train(spec: RunSpec) -> Iterator[dict[str, Any]]:
    """Make a run and give its events as they come, up to `end`. Who leaves before stops the run.

    Raises:
        BadInput: The spec can't be run here: no such device, a batch larger than the data. Then no run is left.
    """
    run = start(spec)
    try:
        yield from accepted(run)
    finally:
        if run.alive():
            with suppress(BadInput):  # where it has ended meanwhile
                run.stop()
            run.join(heartbeat.SILENCE)


def accepted(run: Run, since: int | None = None) -> Iterator[dict[str, Any]]:
    """The events of a run that was just started, or taken up again since a byte of its events.

    Raises:
        BadInput: The worker refused the order. The folder of a new run is removed; one that was taken up is as it was.
    """
    for event in run.follow(run.tail(since or 0)):
        if event["event"] == "end" and event.get("refused"):
            if since is None:
                run.remove()
            raise BadInput(event["reason"])
        yield event
