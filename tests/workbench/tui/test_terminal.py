"""The app in a real terminal: a pseudo-terminal that is typed into and read."""

import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from fcntl import ioctl

import pytest

from tests.patience import PATIENCE
from workbench.store import Store

ENTER_SCREEN, LEAVE_SCREEN = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    """A command in a terminal of 80 columns and 24 rows."""

    def __init__(self, *command: str):
        self.seen = b""
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.execv(sys.executable, [sys.executable, *command])
        ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def wait_for(self, text: bytes) -> None:
        """Read until something was written since the last wait."""
        late = time.monotonic() + PATIENCE
        fresh = b""
        while text not in fresh:
            assert time.monotonic() < late, f"{text!r} never came; the screen said {self.seen[-2000:]!r}"
            if select.select([self.descriptor], [], [], 0.1)[0]:
                try:
                    piece = os.read(self.descriptor, 65536)
                except OSError:
                    piece = b""
                assert piece, f"it ended before {text!r} came; the screen said {self.seen[-2000:]!r}"
                fresh += piece
                self.seen += piece

    def type(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def end(self) -> int:
        """Read to the end; the exit code."""
        while True:
            try:
                piece = os.read(self.descriptor, 65536)
            except OSError:
                break
            if not piece:
                break
            self.seen += piece
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def test_open_drill_and_quit() -> None:
    terminal = Terminal("-P", "-m", "workbench.cli.main")
    terminal.wait_for(b"first question")
    terminal.type(b"\r")
    terminal.wait_for(b"seed")
    terminal.type(b"\x1b")
    terminal.wait_for(b"Steps")
    terminal.type(b"s")
    terminal.wait_for(b"Next")
    terminal.type(b"\x1b")
    terminal.wait_for(b"Practise")
    terminal.type(b"q")
    assert terminal.end() == 0
    assert terminal.seen.count(ENTER_SCREEN) == terminal.seen.count(LEAVE_SCREEN) == 1
    assert b"Traceback" not in terminal.seen
    with Store() as store:
        [kept] = store.attempts()
    assert kept.mistakes == "given-up"


@pytest.mark.full
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGHUP])
def test_a_request_to_end_leaves_the_terminal_as_it_was(asked: signal.Signals) -> None:
    terminal = Terminal("-P", "-m", "workbench.cli.main")
    terminal.wait_for(b"first question")
    terminal.type(b"\r")
    terminal.wait_for(b"seed")
    os.kill(terminal.pid, asked)
    assert terminal.end() == 0
    assert terminal.seen.count(ENTER_SCREEN) == terminal.seen.count(LEAVE_SCREEN) == 1
    assert b"Traceback" not in terminal.seen


@pytest.mark.parametrize(
    "asked", [None, *(pytest.param(one, marks=pytest.mark.full) for one in (signal.SIGTERM, signal.SIGHUP))]
)
def test_it_ends_with_its_terminal(asked: signal.Signals | None) -> None:
    terminal = Terminal("-P", "-m", "workbench.cli.main")
    terminal.wait_for(b"first question")
    os.close(terminal.descriptor)  # the window was closed
    if asked:
        os.kill(terminal.pid, asked)
    late = time.monotonic() + PATIENCE
    ended = 0
    while not ended and time.monotonic() < late:
        ended, code = os.waitpid(terminal.pid, os.WNOHANG)
        select.select([], [], [], 0.05)
    if not ended:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    assert ended and os.waitstatus_to_exitcode(code) == 0


def test_without_a_terminal_it_says_what_to_use_instead() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workbench.cli.main"], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    assert done.returncode == 2 and "workbench --help" in done.stderr
