"""What only PyTorch can say: jobs go to a warm worker process, so that torch is imported once, and never here."""

import json
import subprocess
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from quizzes.question import Check
from workbench.engine import process
from workbench.errors import UserError

TIMEOUT = 120.0  # seconds; the first answer waits for torch's import


class ScriptError(RuntimeError):
    """A job of the worker failed or gave no answer; the message is one line."""


class Verifier:
    """Has jobs done in a worker process, started with the first and ended by `close`.

    As a context manager it closes itself. Several threads may ask; they are answered one after the other.
    """

    def __init__(self) -> None:
        self._worker: subprocess.Popen[str] | None = None
        self._asking = threading.Lock()
        self._interrupted = False

    def __enter__(self) -> "Verifier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def warm(self) -> None:
        """Start the worker now, without waiting for it."""
        with self._asking:
            self._running()

    def values(self, check: Check, names: list[str], timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return what a drill's check computes.

        Args:
            check: The check with its arguments.
            names: The names of the values.
            timeout: Seconds.

        Returns:
            Name -> a number, a text, or lists of them: a tensor's values, a shape's sides.

        Raises:
            ScriptError: If the check failed, took too long, or computes no such value.
        """
        return self.ask({"job": "verify", **asdict(check), "names": names}, timeout)

    def gradients(self, nodes: list[dict[str, Any]], timeout: float = TIMEOUT) -> dict[str, dict[str, float | None]]:
        """The value and the gradient at each node of a computation graph; see `engine.autograd`.

        Raises:
            ScriptError: It failed or took too long.
        """
        return self.ask({"job": "autograd", "nodes": nodes}, timeout)

    def ask(
        self, job: dict[str, Any], timeout: float = TIMEOUT, told: Callable[[float], None] = lambda share: None
    ) -> dict[str, Any]:
        """What comes of a job.

        Args:
            job: As `engine.worker` knows it.
            timeout: Seconds.
            told: Takes the share that is done, 0 to 1, as often as the worker says it.

        Raises:
            UserError: The worker refused the job.
            ScriptError: It failed, took too long, or was interrupted.
        """
        request = json.dumps(job)
        with self._asking:
            self._interrupted = False
            # A worker that died since the last answer shows it only now: then another gets the same question.
            answer = self._ask(request, timeout, told) or self._ask(request, timeout, told)
        if answer is None:
            raise ScriptError("The worker died during this job.")
        if "refused" in answer:
            raise UserError(answer["refused"])
        if "error" in answer:
            raise ScriptError(answer["error"])
        values: dict[str, Any] = answer["values"]
        return values

    def interrupt(self) -> None:
        """End the job that is being done, whatever it is: nobody wants it any more."""
        if self._asking.locked() and (worker := self._worker):
            self._interrupted = True
            worker.kill()

    def close(self) -> None:
        """End the worker. The next question starts another."""
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()  # it holds nothing that could be lost
        with suppress(BrokenPipeError):
            worker.communicate()  # waits for it, and closes both pipes

    def _ask(self, request: str, timeout: float, told: Callable[[float], None]) -> dict[str, Any] | None:
        """The worker's answer; None where it died instead."""
        worker = self._running()
        assert worker.stdin and worker.stdout
        late = threading.Timer(timeout, worker.kill)
        late.start()
        try:
            worker.stdin.write(request + "\n")
            worker.stdin.flush()
            while (line := worker.stdout.readline()).startswith('{"share"'):
                told(json.loads(line)["share"])
        except BrokenPipeError:
            line = ""
        finally:
            was_late = not late.is_alive()
            late.cancel()
        if line.endswith("\n"):
            reply: dict[str, Any] = json.loads(line)
            return reply
        self.close()
        if self._interrupted:
            return {"error": "It was interrupted."}
        return {"error": f"It took longer than {timeout:g} seconds."} if was_late else None

    def _running(self) -> subprocess.Popen[str]:
        if self._worker is not None and self._worker.poll() is not None:
            self.close()
        if self._worker is None:
            self._worker = process.spawn(
                "--serve",
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a screen may be drawn where this process writes
                encoding="utf-8",
            )
        return self._worker
