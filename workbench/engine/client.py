"""The client of a warm worker, a process that imports torch once and then does one job after another."""

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self

from workbench.engine import process
from workbench.errors import UserError

TIMEOUT = 120.0  # seconds; the first reply waits for torch's import
EXITING = 5.0  # seconds that a worker may take to exit after its output has ended


class ScriptError(RuntimeError):
    """A job of the worker failed or gave no answer; the message is one line."""


class Client:
    """Sends jobs to a worker process, which starts with the first job and ends with `close`.

    As a context manager it closes itself. Several threads may use `ask`; their jobs are done one after another.

    Args:
        *words: Further arguments of the worker.
        module: The module of the worker.

    Attributes:
        exit_code: The exit code of the last worker that died, the negative number of the signal if one killed it; None
            if none did.
    """

    def __init__(self, *words: str, module: str = process.WORKER) -> None:
        self._words, self._module = words, module
        self._worker: subprocess.Popen[str] | None = None
        self._is_asking = threading.Lock()
        self._is_starting = threading.Lock()
        self._busy: subprocess.Popen[str] | None = None  # the one that has the current job
        self._is_interrupted = False
        self.exit_code: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self) -> int:
        """Start the worker if it isn't running, without waiting for it, and return its process id.

        Raises:
            OSError: If there is no memory or no process left for it.
        """
        return self._live_worker().pid

    def _live_worker(self) -> "subprocess.Popen[str]":
        with self._is_starting:  # one thread may warm the worker while another one asks it
            if self._worker is not None and self._worker.poll() is not None:
                self.close()
            if self._worker is None:
                self._worker = process.spawn(
                    "--serve",
                    *self._words,
                    module=self._module,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,  # stderr may be the terminal of the app
                    encoding="utf-8",
                )
            return self._worker

    def ask(
        self, job: dict[str, Any], timeout: float = TIMEOUT, on_progress: Callable[[float], None] = lambda share: None
    ) -> dict[str, Any]:
        """Return the result of a job.

        Args:
            job: A job of `engine.worker`.
            timeout: Seconds.
            on_progress: Called with the share that is done, 0 to 1, whenever the worker reports it.

        Raises:
            UserError: If the job can't be done with this input.
            ScriptError: If it failed, took too long, or was interrupted.
        """
        with self._is_asking:
            self._is_interrupted = False
            # The worker may have died since the last job. Then a new one gets this job.
            reply = self._ask(job, timeout, on_progress) or self._ask(job, timeout, on_progress)
        if reply is None:
            raise ScriptError("The worker died during this job.")
        return values(reply)

    def interrupt(self) -> None:
        """End the current job, if there is one, because its result isn't needed any more."""
        if self._is_asking.locked() and (worker := self._worker):
            self._is_interrupted = True
            worker.kill()

    def terminate(self) -> None:
        """Ask the worker to stop its run with a checkpoint."""
        if (worker := self._worker) is not None:
            worker.terminate()

    def kill(self) -> None:
        """Kill the worker. A call that waits for its reply returns."""
        if (worker := self._worker) is not None:
            worker.kill()

    def close(self) -> None:
        """End the worker. The next job starts another one."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()  # it has nothing that could be lost
        with suppress(BrokenPipeError):
            worker.communicate()  # waits for it, and closes both pipes
        self.exit_code = worker.returncode

    def release(self) -> None:
        """Send the worker no further job: it ends after the current one."""
        worker, self._worker = self._worker, None
        if worker is not None and worker.stdin is not None:
            with suppress(OSError):
                worker.stdin.close()

    def send(self, job: dict[str, Any]) -> None:
        """Send a job to the worker. Call `receive` next, which returns None if the worker died.

        Raises:
            OSError: If no worker can be started.
        """
        self._busy = worker = self._live_worker()
        assert worker.stdin is not None
        with suppress(BrokenPipeError, ValueError):  # it died, or was closed since
            worker.stdin.write(json.dumps(job) + "\n")
            worker.stdin.flush()

    def receive(self, on_progress: Callable[[float], None] = lambda share: None) -> dict[str, Any] | None:
        """Wait for the reply to the last job; None if the worker died instead."""
        worker = self._busy
        assert worker is not None and worker.stdout is not None
        line = ""
        with suppress(ValueError):  # it was closed since
            while (line := worker.stdout.readline()).startswith('{"share"'):
                on_progress(json.loads(line)["share"])
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        with suppress(subprocess.TimeoutExpired):  # so that its exit code is not that of the kill
            worker.wait(EXITING)
        if worker is self._worker:
            self.close()
        return None

    def _ask(self, job: dict[str, Any], timeout: float, on_progress: Callable[[float], None]) -> dict[str, Any] | None:
        """Return the worker's reply, or the error of a job that ended early; None if the worker died."""
        self.send(job)
        assert self._busy is not None
        late = threading.Timer(timeout, self._busy.kill)
        late.start()
        try:
            reply = self.receive(on_progress)
        finally:
            was_late = not late.is_alive()
            late.cancel()
        if reply is not None:
            return reply
        if self._is_interrupted:
            return {"error": "It was interrupted."}
        return {"error": f"It took longer than {timeout:g} seconds."} if was_late else None


def values(reply: dict[str, Any]) -> dict[str, Any]:
    """Return the result in a worker's reply.

    Raises:
        UserError: If the job can't be done with this input.
        ScriptError: If it failed.
    """
    if "refused" in reply:
        raise UserError(reply["refused"])
    if "error" in reply:
        raise ScriptError(reply["error"])
    result: dict[str, Any] = reply["values"]
    return result
