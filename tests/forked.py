"""Workers forked from a process that has imported PyTorch: real processes without the seconds of its import.

`tests/workbench/engine/test_worker.py` starts them like the program does.
"""

import multiprocessing
import os
import subprocess
import sys
from importlib import import_module
from multiprocessing import reduction
from multiprocessing.forkserver import ensure_running
from typing import Any

forkserver = multiprocessing.get_context("forkserver")
forkserver.set_forkserver_preload(["tests.forked_preload"])


def start() -> None:
    """Start the process that workers are forked from, without waiting for its imports."""
    ensure_running()


class Stream:
    """A file descriptor that is duplicated into the child process, which may give it another number."""

    def __init__(self, number: int):
        self.number = number

    def __reduce__(self) -> tuple[Any, ...]:
        return _receive, (reduction.DupFd(self.number),)


def _receive(stream: Any) -> Stream:
    return Stream(stream.detach())


def _work(module: str, words: list[str], environment: dict[str, str], streams: list[Stream]) -> None:
    """Run in the child what `python -m MODULE` runs."""
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
    sys.exit(import_module(module).main(words))


class Worker:
    """The part of the interface of `subprocess.Popen` that the engine uses."""

    def __init__(
        self,
        *words: str,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        encoding: str | None = None,
        module: str = "workbench.engine.worker",
    ):
        self.stdin = self.stdout = None
        descriptors = []
        for name, stream, mode in (("stdin", stdin, "w"), ("stdout", stdout, "r"), ("stderr", stderr, "r")):
            if stream == subprocess.PIPE:
                ends = os.pipe()
                own_end, child_end = ends if mode == "r" else ends[::-1]
                setattr(self, name, open(own_end, mode, encoding=encoding))  # noqa: PTH123, SIM115
                descriptors.append(child_end)
            elif stream == subprocess.DEVNULL:
                descriptors.append(os.open(os.devnull, os.O_RDWR))
            else:
                descriptors.append(os.dup(stream if isinstance(stream, int) else stream.fileno()))
        arguments = (module, list(words), dict(os.environ), [Stream(number) for number in descriptors])
        self._process = forkserver.Process(target=_work, args=arguments, daemon=True)
        self._process.start()
        for number in descriptors:
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
