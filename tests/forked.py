"""Workers forked from a process that has PyTorch already: real processes without the seconds that its import takes.

`tests/workbench/engine/test_worker.py` starts them as the program does.
"""

import multiprocessing
import os
import subprocess
import sys
from multiprocessing import reduction
from multiprocessing.forkserver import ensure_running
from typing import Any

forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["tests.forked_preload"])


def start() -> None:
    """Start the process that workers are forked from; it goes on importing while this returns."""
    ensure_running()


class Stream:
    """A file descriptor that arrives in the child under a number of the child's."""

    def __init__(self, number: int):
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (reduction.DupFd(self.number),)


def _arrived(stream: Any) -> Stream:
    return Stream(stream.detach())


def _work(words: list[str], environment: dict[str, str], streams: list[Stream]) -> None:
    """The child: from here on it is what `python -m workbench.engine.worker` is."""
    os.setsid()
    os.environ.clear()
    os.environ.update(environment)
    for number, stream in enumerate(streams):
        os.dup2(stream.number, number)
        os.close(stream.number)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8")  # noqa: PTH123, SIM115  (they stay open as long as the process)
        for number, mode in enumerate("rww")
    )
    from workbench.engine import worker

    sys.exit(worker.main(words))


class Worker:
    """As much of `Popen` as the engine uses."""

    def __init__(self, *words: str, stdin: Any, stdout: Any, stderr: Any, encoding: str | None = None):
        self.stdin = self.stdout = None
        theirs = []
        for name, stream, mode in (("stdin", stdin, "w"), ("stdout", stdout, "r"), ("stderr", stderr, "r")):
            if stream == subprocess.PIPE:
                ends = os.pipe()
                mine, other = ends if mode == "r" else ends[::-1]
                setattr(self, name, open(mine, mode, encoding=encoding))  # noqa: PTH123, SIM115
                theirs.append(other)
            elif stream == subprocess.DEVNULL:
                theirs.append(os.open(os.devnull, os.O_RDWR))
            else:
                theirs.append(os.dup(stream if isinstance(stream, int) else stream.fileno()))
        arguments = (list(words), dict(os.environ), [Stream(number) for number in theirs])
        self._process = forkserver.Process(target=_work, args=arguments, daemon=True)
        self._process.start()
        for number in theirs:
            os.close(number)
        self.pid = self._process.pid
        self.kill, self.terminate = self._process.kill, self._process.terminate

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    poll = returncode.fget

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("worker", timeout or 0)
        return self.returncode

    def communicate(self) -> None:
        for stream in (self.stdin, self.stdout):
            if stream:
                stream.close()
        self.wait()
