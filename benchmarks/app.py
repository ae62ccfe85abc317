"""The app beside the smallest one that Textual allows: how soon it is there, and how soon keys are answered.

    python benchmarks/app.py [ROUNDS] [--dry]

Both start in a terminal of their own, in turns; what counts is the median of the pairs' ratios of the time until their
first text is on the screen. Then the arrows choose now a run that goes on, now one that is done: the time from a
key until the run's name is written anew, marked. Targets: 1.3 times the smallest app; 95 of 100 keys within 50 ms.
"""

import os
import pty
import select
import struct
import sys
import tempfile
import termios
import time
from fcntl import ioctl
from statistics import median, quantiles

import _options

SMALLEST = """
from textual.app import App
from textual.widgets import Footer, OptionList, Static
class Smallest(App):
    def compose(self):
        yield Static("hello"); yield OptionList("one", "two"); yield Footer()
Smallest().run()
"""
WORKBENCH = ["-P", "-m", "workbench.cli.main"]
KEYS = 100


class Terminal:
    """A command in a terminal of 120 columns and 40 rows, with a home of its own."""

    def __init__(self, arguments: list[str], home: str):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40", WORKBENCH_HOME=home)
            os.execv(sys.executable, [sys.executable, *arguments])
        ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def until(self, text: bytes, patience: float = 60.0) -> float:
        """Seconds until a text is written."""
        began, seen = time.perf_counter(), b""
        while text not in seen:
            if time.perf_counter() - began > patience:
                raise TimeoutError(f"{text!r} never came, but {seen[-2000:]!r}")
            if select.select([self.descriptor], [], [], 0.05)[0]:
                seen += os.read(self.descriptor, 65536)
        return time.perf_counter() - began

    def quiet(self, seconds: float) -> None:
        """Read what is written until nothing more comes for so long, or for ten times that."""
        late = time.perf_counter() + 10 * seconds
        while select.select([self.descriptor], [], [], seconds)[0] and time.perf_counter() < late:
            os.read(self.descriptor, 65536)

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def close(self) -> None:
        os.kill(self.pid, 15)
        while True:
            try:
                if not os.read(self.descriptor, 65536):
                    break
            except OSError:
                break
        os.waitpid(self.pid, 0)
        os.close(self.descriptor)


def first_text(arguments: list[str], text: bytes, home: str) -> float:
    terminal = Terminal(arguments, home)
    seconds = terminal.until(text)
    terminal.close()
    return seconds


def answers(home: str, keys: int) -> list[float]:
    """Milliseconds from an arrow key until its run is marked, beside one that is shown as it goes on."""
    terminal = Terminal(WORKBENCH, home)
    terminal.until(b"Chapter")
    terminal.press(b"r")
    terminal.until(b"epoch ")
    waits = []
    for place in range(keys):
        terminal.quiet(0.03)
        down = place % 2 == 0
        terminal.press(b"\x1b[B" if down else b"\x1b[A")
        waits.append(1000 * terminal.until(b"mlp-0001" if down else b"lenet5-modern-0001"))
    terminal.close()
    return waits


def main(rounds: int, keys: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        pairs = [
            (first_text(WORKBENCH, b"Chapter", home), first_text(["-c", SMALLEST], b"hello", home))
            for _ in range(rounds)
        ]
        ours, smallest = (median(column) for column in zip(*pairs, strict=True))
        ratios = [one / other for one, other in pairs]
        low, _, high = quantiles(ratios, n=4)
        print(f"first text   workbench {1000 * ours:.0f} ms   smallest app {1000 * smallest:.0f} ms   ", end="")
        print(f"ratio {median(ratios):.2f} ({low:.2f}, {high:.2f})")

        sys.stdout.flush()
        os.environ["WORKBENCH_HOME"] = home
        from workbench.engine import RunSpec, start

        start(RunSpec("mlp")).wait(120)
        shown = start(RunSpec("lenet5-modern", epochs=100_000))
        try:
            waits = answers(home, keys)
        finally:
            shown.stop()
            shown.join(60)
        print(f"keys beside a run that is shown   median {median(waits):.0f} ms   95 of 100 within ", end="")
        print(f"{quantiles(waits, n=20)[-1]:.0f} ms")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 7, dry=2)
    main(options.count, 4 if options.dry else KEYS)
