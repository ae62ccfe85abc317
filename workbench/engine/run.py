"""A run, which is a folder: everything about a run is read from its files, so a copy of the folder is the same run.

- spec.json: the configuration
- key: the content key, by which the run is reused
- worker.json: the heartbeat of the worker
- worker.lock: locked by the worker as long as it runs
- events.jsonl: the events
- last.safetensors: the newest checkpoint, with everything that is needed to continue from it
- previous.safetensors: the checkpoint before it, used if the last is damaged
- best.safetensors: the weights that were best on the validation set
- visualizations.json: the last predictions for the validation set
- notes.json: the note and the tags of the user
- stderr.txt: the messages of the worker
"""

import os
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen, TimeoutExpired
from typing import Any

from workbench import files
from workbench.engine import events, heartbeat
from workbench.engine.events import End, Event, RunState
from workbench.engine.spec import RunSpec
from workbench.errors import UserError
from workbench.untrusted import printable

MAX_SPEC = 1_000_000  # bytes
FULL = 1 << 20  # bytes: a disk with less is full
POLL_INTERVAL = 0.1  # seconds between two polls of a run without new events

# The workers that this process started. A dead child keeps its process id until its parent reaps it.
children: "dict[Path, Popen[Any]]" = {}


@dataclass(frozen=True)
class Run:
    """One run.

    Attributes:
        folder: Its folder.
    """

    folder: Path

    @property
    def id(self) -> str:
        """The id of the run, which is the name of its folder."""
        return self.folder.name

    @property
    def spec(self) -> RunSpec:
        """The configuration.

        Raises:
            UserError: If spec.json is missing or damaged.
        """
        path = self.folder / "spec.json"
        try:
            if not path.is_file() or path.stat().st_size > MAX_SPEC:  # a pipe would be waited for
                raise ValueError("it is missing, no file, or too long")
            return RunSpec.from_json(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:  # every package's UserError, and undecodable text, are ValueErrors
            raise UserError(f"The run {self.id} is damaged: its spec.json can't be read ({error}).") from error

    def replace_spec(self, spec: RunSpec) -> None:
        """Replace the spec. The time of the file doesn't change, because it is when the run was created."""
        path = self.folder / "spec.json"
        before = path.stat()
        files.write(path, spec.to_json().encode(), sync=True)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def created(self) -> float:
        """Return when the run was created, in seconds since 1970; 0 if its spec is missing."""
        try:
            return (self.folder / "spec.json").stat().st_mtime
        except OSError:
            return 0.0

    def reader(self, offset: int = 0) -> events.Reader:
        """Return a reader of the events, from a byte on."""
        return events.Reader(self.folder / "events.jsonl", offset)

    def event_bytes(self) -> int:
        """Return the size of the events so far, in bytes."""
        return events.size(self.folder / "events.jsonl")

    def last_event(self) -> Event | None:
        """Return the newest event; None before the first."""
        return events.last(self.folder / "events.jsonl")

    def state(self) -> RunState:
        """Return the state of the run after all its events so far."""
        state, reader = RunState(self.created()), self.reader()
        while batch := reader.read():
            for event in batch:
                state.apply(event)
        return state

    def beat(self, since: int = 0) -> None:
        """Write a heartbeat of this process; `since` is the size of the events in bytes when it took over the run."""
        heartbeat.leave(self.folder / "worker.json", since)

    def is_alive(self) -> bool:
        """Return whether the worker of the run is running."""
        if (child := children.get(self.folder)) is not None:
            return child.poll() is None
        worker = heartbeat.read(self.folder / "worker.json")
        return worker is not None and worker.alive()

    def status(self) -> str:
        """Return `running`, `done`, `stopped`, `diverged`, or `crashed` (the worker died without an end event)."""
        alive = self.is_alive()  # before the events are read: a worker that ends in between has written its end by then
        if alive and self._is_resumed():  # before as well: the worker may write its first event in between
            return "running"
        last = self.last_event()
        if last is not None and last["event"] == "end":
            return last["status"]
        return "running" if alive else "crashed"

    def _is_resumed(self) -> bool:
        """Return whether a worker was started on the run after its last event."""
        worker = heartbeat.read(self.folder / "worker.json")
        return worker is not None and 0 < self.event_bytes() <= worker.since

    def stop(self) -> None:
        """Ask the worker to write a checkpoint and end after the current step.

        Raises:
            UserError: If the run isn't running, or not on this machine.
        """
        worker = heartbeat.read(self.folder / "worker.json")
        if (status := self.status()) != "running":
            raise UserError(f"The run {self.id} isn't running: it is {status}.")
        if (child := children.get(self.folder)) is not None:
            child.terminate()
        elif worker is None or not worker.here:
            raise UserError(f"The run {self.id} runs on {worker.host if worker else 'another machine'}: stop it there.")
        else:
            with suppress(ProcessLookupError):  # it has just ended by itself
                os.kill(worker.pid, signal.SIGTERM)

    def kill(self) -> None:
        """End the worker at once, if this process started it."""
        if (child := children.get(self.folder)) is not None:
            child.kill()  # without waiting, because a signal handler may call this in the middle of another wait

    def join(self, timeout: float) -> None:
        """Wait until the worker that this process started has ended; kill it after `timeout` seconds."""
        if (child := children.get(self.folder)) is not None:
            try:
                child.wait(timeout)
            except TimeoutExpired:
                child.kill()
                child.wait()

    def wait(self, timeout: float) -> str:
        """Wait until the run isn't running any more, at most `timeout` seconds, and return its status."""
        late = time.monotonic() + timeout
        while (status := self.status()) == "running" and time.monotonic() < late:
            time.sleep(POLL_INTERVAL)
        return status

    def remove(self) -> None:
        """Delete the folder after the worker has ended."""
        self.join(heartbeat.SILENCE)
        children.pop(self.folder, None)
        shutil.rmtree(self.folder, ignore_errors=True)

    def crash(self, last: Event | None) -> End:
        """Return the end event of a run whose worker died without writing one.

        Args:
            last: The last event before; None if there was none.
        """
        step, seconds = (last["step"], last.get("seconds", 0.0)) if last else (0, 0.0)
        end = End(
            event="end",
            run=printable(self.id),
            step=step,
            status="crashed",
            metrics=last.get("metrics", {}) if last else {},
            steps=step,
            seconds=seconds,
            steps_per_second=step / seconds if seconds else 0.0,
            reason=self._crash_reason(),
        )
        if last and "seed" in last:
            end["seed"] = last["seed"]
        return end

    def summary(self) -> dict[str, Any]:
        """Return the run as a row of a table; that of a damaged folder has the status `damaged` and the `reason`."""
        try:
            spec = self.spec
        except UserError as error:
            return {"run": printable(self.id), "status": "damaged", "reason": printable(str(error))}
        status, last = self.status(), self.last_event()
        if status == "crashed" and (last is None or last["event"] != "end"):
            last = self.crash(last)
        row: dict[str, Any] = dict(run=printable(self.id), status=status, model=spec.network.model)
        row |= dict(task=printable(spec.data.task), preset=spec.network.preset, seed=spec.seed)
        row |= dict(step=last["step"] if last else 0, **_latest_metrics(last))
        return row | {"reason": last["reason"]} if last and "reason" in last else row

    def _crash_reason(self) -> str:
        """Return why the worker died: a signal, its last message, or a full disk."""
        child = children.get(self.folder)
        if child is not None and (child.poll() or 0) < 0:
            cause = ", by hand or because the memory was full" if child.returncode == -signal.SIGKILL else ""
            return f"The worker was killed by {signal.Signals(-child.returncode).name}{cause}."
        try:
            messages = (self.folder / "stderr.txt").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            messages = []
        if lines := [line.strip() for line in messages if line.strip()]:
            return printable(lines[-1])
        if self.folder.exists() and shutil.disk_usage(self.folder).free < FULL:
            return f"The disk is full: make room for {self.folder}, or set WORKBENCH_HOME to another disk."
        return "The worker ended without a message."


def _latest_metrics(event: Event | None) -> dict[str, Any]:
    """Return the metrics of a run's last event, and the split that they were measured on."""
    if event is None:
        return {"split": "test", "metrics": {}}
    if event["event"] == "end" and not event["metrics"] and event.get("validation"):
        return {"split": "validation", "metrics": event["validation"]}
    splits = {"metric": "train", "eval": event.get("split"), "checkpoint": "validation"}
    return {"split": splits.get(event["event"], "test"), "metrics": event.get("metrics", {})}
