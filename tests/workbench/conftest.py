"""Workers that start fast, or like the program starts them."""

import pytest

from tests import forked
from workbench.engine import process


@pytest.fixture(scope="session", autouse=True)
def forkserver() -> None:
    """Import PyTorch in the process that workers are forked from while other tests run."""
    forked.start()


@pytest.fixture(autouse=True)
def forked_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fork workers from a process that has imported PyTorch, unless a test requests `real_workers`."""
    if "real_workers" not in request.fixturenames:
        monkeypatch.setattr(process, "spawn", forked.Worker)


@pytest.fixture
def real_workers() -> None:
    """Start workers like the program does: each is a new Python process with its own imports."""
