"""What every test gets: a home of its own, one thread, and examples that are the same every time."""

import gc
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE

os.environ["OMP_NUM_THREADS"] = "1"  # before anything imports torch: threads of small steps only wait for one another
# Compiled modules are kept, by this process and by those it starts: to compile PyTorch's anew takes ten seconds each.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
sys.pycache_prefix = os.environ.setdefault(
    "PYTHONPYCACHEPREFIX", str(Path(tempfile.gettempdir()) / "workbench-pycache")
)

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
    """One worker more than there are processors: a test of the app waits for a third of its time."""
    return (os.cpu_count() or 1) + 1


_modules = 0  # how many were imported when the garbage collector last set them aside


def pytest_runtest_setup() -> None:
    """Set large libraries aside once they are imported: to look through them for garbage takes a third of the time."""
    global _modules
    if len(sys.modules) > _modules + 100:
        gc.collect()
        gc.freeze()
        _modules = len(sys.modules)


def pytest_sessionfinish() -> None:
    """Take them back, so that libraries find nothing of theirs left over at the end."""
    gc.unfreeze()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of the test's own: nothing of the person who runs the tests is read or touched."""
    place = tmp_path / "home"
    monkeypatch.setenv("WORKBENCH_HOME", str(place))
    return place


class Result(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command line in this process, in a folder that holds nothing: what it prints, and its exit code."""
    from quizzes import packs
    from workbench.cli.main import main

    monkeypatch.setattr(packs, "_load", packs._load)  # the command says where packs lie; the next test must not know
    monkeypatch.setattr(packs, "_packs", packs._packs)

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
    """The command line as people call it, in a process of its own: for what only a whole process shows."""

    def run(*args: str, input: str = "", env: dict[str, str] | None = None) -> Result:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "workbench.cli.main", *args],
            input=input,
            env={**os.environ, **(env or {})},
            cwd=tmp_path,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    return run
