"""Runs: what is ordered, the process that makes it, and the folder that all look at. Importing this imports no torch.

`train(spec)` gives a run's events as they come; `start(spec)` gives the `Run`, whose worker outlives who started it.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from workbench import BadInput
from workbench.engine import heartbeat, runs
from workbench.engine.run import Run, children
from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError, Verifier

__all__ = ["Run", "RunSpec", "ScriptError", "Verifier", "start", "train"]


def start(spec: RunSpec) -> Run:
    """Make a run folder and start a worker on it, which outlives this process.

    Raises:
        BadInput: The folder can't be written.
    """
    run = runs.create(spec)
    try:
        with (run.folder / "stderr.txt").open("wb") as said:
            children[run.folder] = subprocess.Popen(
                [sys.executable, "-P", "-m", "workbench.engine.worker", str(run.folder)],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is for whoever watches: they decide what becomes of the run
            )
    except OSError as error:
        raise BadInput(f"The worker can't be started ({error.strerror}): free some memory and try again.") from error
    return run


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


def accepted(run: Run) -> Iterator[dict[str, Any]]:
    """The events of a run that was just started.

    Raises:
        BadInput: The worker refused the order; the run's folder is removed.
    """
    for event in run.follow():
        if event["event"] == "end" and event.get("refused"):
            run.remove()
            raise BadInput(event["reason"])
        yield event
