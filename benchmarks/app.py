"""Start time of the app compared with a minimal Textual app, and its response time to keys.

    python benchmarks/app.py [ROUNDS] [--dry]

Both apps start in turns, each in its own terminal. The result is the median of the ratios of the times until their
first text is on the screen. Then arrow keys select alternately a run in progress and one that is done; the response
time is that from a key until the selected run is highlighted. Targets: 1.3 times the minimal app; 95% of keys within
50 ms.
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

MINIMAL = """
from textual.app import App
from textual.widgets import Footer, OptionList, Static
class Minimal(App):
    def compose(self):
        yield Static("hello"); yield OptionList("one", "two"); yield Footer()
Minimal().run()
"""
WORKBENCH = ["-P", "-m", "workbench.cli.main"]
KEYS = 100


class Terminal:
    """A command in a terminal of 120 columns and 40 rows."""

    def __init__(self, arguments: list[str], folder: str):
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLUMNS="120", LINES="40", WORKBENCH_HOME=folder)
            os.execv(sys.executable, [sys.executable, *arguments])
        ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def wait_for(self, text: bytes, timeout: float = 60.0) -> float:
        """Read the output until it contains a text, and return the seconds that took."""
        started, output = time.perf_counter(), b""
        while text not in output:
            if time.perf_counter() - started > timeout:
                raise TimeoutError(f"{text!r} was not written, but {output[-2000:]!r}")
            if select.select([self.descriptor], [], [], 0.05)[0]:
                output += os.read(self.descriptor, 65536)
        return time.perf_counter() - started

    def drain(self, seconds: float) -> None:
        """Read the output until there is none for some seconds, but for ten times as long at most."""
        deadline = time.perf_counter() + 10 * seconds
        while select.select([self.descriptor], [], [], seconds)[0] and time.perf_counter() < deadline:
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


def start_time(arguments: list[str], text: bytes, folder: str) -> float:
    terminal = Terminal(arguments, folder)
    seconds = terminal.wait_for(text)
    terminal.close()
    return seconds


def response_times(folder: str, keys: int) -> list[float]:
    """Return the milliseconds from each arrow key until its run is highlighted, while another run is in progress."""
    terminal = Terminal(WORKBENCH, folder)
    terminal.wait_for(b"Chapter")
    terminal.press(b"r")
    terminal.wait_for(b"epoch ")
    times = []
    for k in range(keys):
        terminal.drain(0.03)
        down = k % 2 == 0
        terminal.press(b"\x1b[B" if down else b"\x1b[A")
        times.append(1000 * terminal.wait_for(b"mlp-0001" if down else b"lenet5-modern-0001"))
    terminal.close()
    return times


def main(rounds: int, keys: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pairs = [
            (start_time(WORKBENCH, b"Chapter", folder), start_time(["-c", MINIMAL], b"hello", folder))
            for _ in range(rounds)
        ]
        ours, minimal = (median(column) for column in zip(*pairs, strict=True))
        ratios = [one / other for one, other in pairs]
        low, _, high = quantiles(ratios, n=4)
        print(f"first text   workbench {1000 * ours:.0f} ms   minimal app {1000 * minimal:.0f} ms   ", end="")
        print(f"ratio {median(ratios):.2f} ({low:.2f}, {high:.2f})")

        sys.stdout.flush()
        os.environ["WORKBENCH_HOME"] = folder
        from workbench.engine import RunSpec, start

        start(RunSpec.create("mlp")).wait(120)
        running = start(RunSpec.create("lenet5-modern", epochs=100_000))
        try:
            times = response_times(folder, keys)
        finally:
            running.stop()
            running.join(60)
        print(f"keys during a run   median {median(times):.0f} ms   95% within {quantiles(times, n=20)[-1]:.0f} ms")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 7, dry=2)
    main(options.count, 4 if options.dry else KEYS)
