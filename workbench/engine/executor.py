"""Training many runs at once, in warm workers: each imports torch once, and then makes one run after another.

    with Executor() as executor:
        for trial in executor.map([replace(spec, seed=seed) for seed in range(4)]):
            print(trial.run.id, trial.end["metrics"])

A run has the same numbers as if it were trained alone. A worker that is killed is replaced, and its run continues from
the last checkpoint. A run outlives the process that started it.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from signal import Signals
from typing import Any, Self

from workbench.engine import client, content_key, events, heartbeat, lock, run_job, runs
from workbench.engine.checkpoint_files import RESUMABLE, first_readable, header
from workbench.engine.events import End, Event
from workbench.engine.resume import running_error
from workbench.engine.run import POLL_INTERVAL, Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

RETRIES = 2  # the number of times that a run continues after its worker was killed
STOPPING = 30.0  # seconds that runs may take to write a checkpoint when the executor is closed
ENDED = ("done", "diverged")  # a run that diverged would do so again
CLAIM = 0.01  # seconds between two attempts to get the lock of the search for a run

OnEvent = Callable[["Trial", Event], None]


@dataclass(eq=False)
class Trial:
    """A spec to be trained.

    Attributes:
        spec: The configuration.
        is_reusing: Whether a run with the same content key is taken if it has ended, and continued if it was
            interrupted.
        run: The run; None until it is created or found. It may be set if its folder exists already.
        is_extending: Whether that run continues from its last checkpoint, up to the length of the spec.
        end: The last event of the run once it has ended; None before, and if the trial was cancelled.
        error: Why there is no run.
        is_reused: Whether the run had ended before.
        is_done: Whether it has ended, failed, or was cancelled.
    """

    spec: RunSpec
    is_reusing: bool = False
    run: Run | None = None
    is_extending: bool = False

    def __post_init__(self) -> None:
        self.end: End | None = None
        self.error: Exception | None = None
        self.is_reused = self.is_done = self.is_cancelled = False
        self._reader: events.Reader | None = None
        self._worker: client.Client | None = None  # the worker that is training the run now
        self._has_begun = False  # whether the worker handles signals already

    def cancel(self) -> None:
        """Don't train it; if it is training, stop it with a checkpoint. May be called by the handler of a signal."""
        self.is_cancelled = True
        if (worker := self._worker) is not None and self._has_begun:
            worker.terminate()

    def leave(self) -> None:
        """Don't train it, unless it is training."""
        self.is_cancelled = self.is_cancelled or self._worker is None

    def kill(self) -> None:
        """Don't train it; if it is training, end its worker at once."""
        self.is_cancelled = True
        if (worker := self._worker) is not None:
            worker.kill()

    def read(self) -> list[Event]:
        """Return the events since the last call, except `end`."""
        reader = self._reader
        return [event for event in reader.read() if event["event"] != "end"] if reader else []

    def watch(self, run: Run, since: int) -> None:
        """Read the events of a run from a byte on, unless it is watched already."""
        is_new = self.run != run or self._reader is None
        self.run = run
        if is_new:
            self._reader = run.reader(since)

    def train(self, worker: client.Client, job: dict[str, Any]) -> dict[str, Any] | None:
        """Let a worker train the run, and return its reply; None if the worker died.

        Raises:
            OSError: If no worker can be started.
        """
        self._worker, self._has_begun = worker, False
        try:
            worker.send(job)
            return worker.receive(lambda share: self._begin())
        finally:
            self._worker = None

    def _begin(self) -> None:
        self._has_begun = True
        if self.is_cancelled:
            self.cancel()


class Executor:
    """Trains runs in warm workers, one thread each.

    As a context manager, it stops unfinished runs with a checkpoint at the end, and ends all its processes.

    Args:
        workers: The number of runs at once; by default the number of processors.
    """

    def __init__(self, workers: int | None = None):
        self._size = workers or processors()
        self._waiting: SimpleQueue[Trial | None] = SimpleQueue()
        self._done: SimpleQueue[Trial] = SimpleQueue()
        self._unfinished: list[Trial] = []
        self._clients: list[client.Client] = []
        self._keys = content_key.Keys()
        self._kind_of_auto = ""
        self._is_stopped = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self.join(STOPPING)
        self.close()

    def warm(self) -> None:
        """Start a worker if there is none, without waiting for it."""
        if not self._clients:
            self._add_worker()

    def map(
        self, specs: Iterable[RunSpec], reuse: bool = False, on_event: OnEvent = lambda trial, event: None
    ) -> Iterator[Trial]:
        """Train specs, and yield their trials as they end.

        Args:
            specs: The configurations.
            reuse: Whether to take ended runs with the same content key, and continue interrupted ones.
            on_event: Called with each event of each run, the last of a run before it is yielded.

        Raises:
            UserError: If one of them can't be run. Then the others are stopped, and its folder is deleted if it is new.
        """
        return self.completed([self.submit(Trial(spec, reuse)) for spec in specs], on_event)

    def submit(self, trial: Trial) -> Trial:
        """Add a trial to the queue, and return it. After `stop`, it is cancelled."""
        trial.is_cancelled = trial.is_cancelled or self._is_stopped
        self._unfinished = [one for one in self._unfinished if not one.is_done] + [trial]
        self._waiting.put(trial)
        if len(self._clients) < min(self._size, len(self._unfinished)):
            self._add_worker()
        return trial

    def completed(self, trials: Iterable[Trial], on_event: OnEvent = lambda trial, event: None) -> Iterator[Trial]:
        """Yield trials as they end; see `map`. Those that were cancelled before they began are left out."""
        left, error = list(trials), None
        while left:
            with suppress(Empty):
                self._done.get(timeout=POLL_INTERVAL)
            for trial in list(left):
                is_done = trial.is_done  # asked before its events are read, so that none is missed
                while news := trial.read():
                    for event in news:
                        on_event(trial, event)
                if not is_done:
                    continue
                left.remove(trial)
                if problem := _problem(trial):
                    error = error or problem
                    for other in left:
                        other.cancel()
                elif trial.end:
                    on_event(trial, trial.end)
                    yield trial
        if error:
            raise error

    def stop(self) -> None:
        """Stop all runs with a checkpoint, and start no further one. May be called by the handler of a signal."""
        self._is_stopped = True
        for trial in self._unfinished:
            trial.cancel()

    def kill(self) -> None:
        """End all runs at once. May be called by the handler of a signal."""
        self._is_stopped = True
        for trial in self._unfinished:
            trial.kill()

    def join(self, timeout: float) -> None:
        """Wait until all runs have ended; kill the workers after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while not all(trial.is_done for trial in self._unfinished):
            if time.monotonic() > deadline:
                self.kill()
            time.sleep(CLAIM)

    def close(self) -> None:
        """End idle workers. The others end after their run."""
        is_training = any(not trial.is_done for trial in self._unfinished)
        for trial in self._unfinished:
            trial.leave()
        for worker in self._clients:
            worker.release() if is_training else worker.close()
            self._waiting.put(None)  # ends its thread
        self._clients = []

    def _add_worker(self) -> None:
        worker = client.Client("runs")
        self._clients.append(worker)
        threading.Thread(target=self._work, args=(worker,), daemon=True).start()

    def _work(self, worker: client.Client) -> None:
        """Train one trial after another; runs in a thread for each worker."""
        with suppress(OSError):  # reported with the first trial
            worker.warm()
        while (trial := self._waiting.get()) is not None:
            try:
                self._train(trial, worker)
            except OSError as error:
                place = error.filename or "A worker"
                trial.error = UserError(f"{place} can't be written or started ({error.strerror}): make room for it.")
            except Exception as error:
                trial.error = error
            trial.is_done = True
            self._done.put(trial)

    def _train(self, trial: Trial, worker: client.Client) -> None:
        if trial.is_cancelled:
            if trial.run is not None and not trial.is_extending:
                trial.run.remove()  # it never began
                trial.run = None
        elif trial.spec.runtime.compile:
            with client.Client() as compiling:  # a process of its own, because compiling changes the state of a process
                self._train_in(trial, compiling)
        else:
            self._train_in(trial, worker)

    def _train_in(self, trial: Trial, worker: client.Client) -> None:
        deaths = 0
        job = self._claim(trial, worker)
        while job is not None and trial.run is not None:
            since = trial.run.event_bytes()
            reply = trial.train(worker, job)
            if reply is not None and client.values(reply)["code"] == run_job.LOCKED:
                if not trial.is_reusing:
                    raise running_error(trial.run)
                job = self._claim(trial, worker)  # another process was faster
            elif reply is not None or run_job.has_ended(trial.run, since):
                trial.end = _last_end(trial.run)
                job = None
            elif trial.is_cancelled or deaths == RETRIES or not _was_killed(worker.exit_code):
                trial.end = trial.run.crash(trial.run.last_event())
                trial.end["reason"] = _death(worker.exit_code, deaths + 1) or trial.end["reason"]
                job = None
            else:
                deaths += 1
                job = self._assign(trial.run, worker, trial.spec if _has_checkpoint(trial.run) else None)
        if trial.run is not None:
            self._keys.add(trial.run)

    def _claim(self, trial: Trial, worker: client.Client) -> dict[str, Any] | None:
        """Choose the run of a trial; return the job of making it, or None if nothing is left to do."""
        if not trial.is_reusing:
            return self._begin(trial, worker)
        key = content_key.content_key(trial.spec, self._kind(trial.spec.runtime.device, worker))
        while not trial.is_cancelled:
            with _exclusive_claim():
                run, status = self._find(key)
                if run is None:
                    return self._begin(trial, worker, key)
                if status in ENDED:
                    trial.watch(run, run.event_bytes())
                    trial.end, trial.is_reused = _last_end(run), True
                    return None
                if status != "running":
                    trial.watch(run, run.event_bytes())
                    return self._assign(run, worker, trial.spec)
            trial.watch(run, 0)
            while run.status() == "running" and not trial.is_cancelled:  # another worker makes it
                time.sleep(POLL_INTERVAL)
        return None

    def _find(self, key: str) -> tuple[Run | None, str]:
        """Return the run with a key that has made the most progress, and its status; None if none can be used."""
        statuses = {run: run.status() for run in self._keys.find(key)}
        for status in (*ENDED, "running", "stopped", "crashed"):
            for run in statuses:
                if statuses[run] == status and (status in (*ENDED, "running") or _has_checkpoint(run)):
                    return run, status
        return None, ""

    def _begin(self, trial: Trial, worker: client.Client, key: str = "") -> dict[str, Any]:
        """Create a new run, or extend the run of the trial, and return the job."""
        run = trial.run or runs.create(trial.spec)
        trial.watch(run, run.event_bytes())
        if key:
            keys = (content_key.read(run) or "", key) if trial.is_extending else (key,)
            content_key.write(run, *keys)
        return self._assign(run, worker, trial.spec if trial.is_extending else None)

    def _assign(self, run: Run, worker: client.Client, resume: RunSpec | None) -> dict[str, Any]:
        """Record a worker as that of a run, and return the job for it."""
        heartbeat.leave(run.folder / "worker.json", run.event_bytes(), worker.warm())
        return {"job": "run", "folder": str(run.folder), "resume": resume.to_json() if resume else None}

    def _kind(self, device: str, worker: client.Client) -> str:
        """Return the kind of the device that a spec names."""
        if device != "auto":
            return device.partition(":")[0]
        if not self._kind_of_auto:
            self._kind_of_auto = str(worker.ask({"job": "device", "device": device})["kind"])
        return self._kind_of_auto


def processors() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _last_end(run: Run) -> End | None:
    last = run.last_event()
    return last if last is not None and last["event"] == "end" else None


def _has_checkpoint(run: Run) -> bool:
    try:
        _, about, _ = first_readable(run.folder, RESUMABLE, header)
        return "training" in about
    except UserError:
        return False


def _was_killed(exit_code: int | None) -> bool:
    """Return whether a worker was killed by a signal other than the one that stops it."""
    return exit_code is not None and exit_code < 0 and exit_code != -Signals.SIGTERM


def _death(exit_code: int | None, times: int) -> str:
    """Return a message about a worker that was killed by a signal; empty if it was not."""
    if not exit_code or exit_code > 0:
        return ""
    name = Signals(-exit_code).name
    cause = ", by hand or because the memory was full" if name == "SIGKILL" else ""
    how_often = f" {times} times" if times > 1 else ""
    return f"The worker was killed by {name}{how_often}{cause}."


def _problem(trial: Trial) -> Exception | None:
    """Return the error of a trial, None without one. The folder of a run whose spec was rejected is deleted."""
    if trial.end is not None and trial.end.get("refused"):
        if trial.run is not None and not trial.is_extending:
            trial.run.remove()
        return UserError(trial.end["reason"])
    return trial.error


@contextmanager
def _exclusive_claim() -> Iterator[None]:
    """Hold the lock of the search for a run, so that no two threads or processes train the same run."""
    folder = runs.folder()
    with ExitStack() as stack:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            while True:
                try:
                    stack.enter_context(lock.held(folder))
                    break
                except BlockingIOError:
                    time.sleep(CLAIM)
        except OSError as error:
            raise UserError(f"{folder} can't be written ({error.strerror}): make room there.") from error
        yield
