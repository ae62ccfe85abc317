"""Fixtures and settings of all tests: a temporary data directory, one thread, and reproducible examples."""

import gc
import io
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported: with small steps, threads only wait for each other
# This process and those it starts cache compiled modules, because compiling PyTorch's takes ten seconds each time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
sys.pycache_prefix = os.environ.setdefault(
    "PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "workbench-pycache")
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a shell's background; processes of tests inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile(
    "workbench",
    derandomize=True,
    deadline=None,
    database=None,
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("workbench")


def pytest_xdist_auto_num_workers() -> int:
    """Use one worker more than there are processors, because a test of the app waits for a third of its time."""
    return (os.cpu_count() or 1) + 1


_modules = 0  # number of imported modules when the garbage collector was last frozen


def pytest_runtest_setup() -> None:
    """Exclude imported libraries from garbage collection, which otherwise takes a third of the time."""
    global _modules
    if len(sys.modules) > _modules + 100:
        gc.collect()
        gc.freeze()
        _modules = len(sys.modules)


def pytest_sessionfinish() -> None:
    """Include the libraries again, so that they can release everything at exit."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory for the test, so that tests never read or write the user's own. It does not exist yet."""
    folder = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(folder))
    return folder


class Result(NamedTuple):
    """The exit code and the output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A function that runs a command in this process, in an empty folder."""
    from workbench.cli.main import main

    def run(*args: object, input: str = "", env: dict[str, str] | None = None, terminal: bool = False) -> Result:
        streams = [io.TextIOWrapper(io.BytesIO(text), encoding="utf-8") for text in (input.encode(), b"", b"")]
        with monkeypatch.context() as patch:
            patch.chdir(tmp_path)
            patch.setattr(sys, "argv", ["workbench", *map(str, args)])
            for name, stream in zip(("stdin", "stdout", "stderr"), streams, strict=True):
                patch.setattr(sys, name, stream)
                patch.setattr(stream, "isatty", lambda: terminal)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as end:
                main()
        texts = []
        for stream in streams[1:]:
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        return Result(end.value.code or 0, *texts)

    return run


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Result]:
    """A function that runs a command in its own process, for behavior that a call in this process would not show."""

    def run(*args: str, input: str = "", env: dict[str, str] | None = None) -> Result:
        finished = subprocess.run(
            [sys.executable, "-P", "-m", "workbench.cli.main", *args],
            input=input,
            env={**os.environ, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )
        return Result(finished.returncode, finished.stdout, finished.stderr)

    return run
