"""Workers that start at once, or as the program starts them."""

import pytest

from tests import forked
from workbench.engine import process


@pytest.fixture(scope="session", autouse=True)
def forkserver() -> None:
    """Let the process that workers are forked from import PyTorch while other tests run."""
    forked.start()


@pytest.fixture(autouse=True)
def forked_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker is forked from a process that has imported PyTorch, but where a test asks for `real_workers`."""
    if "real_workers" not in request.fixturenames:
        monkeypatch.setattr(process, "spawn", forked.Worker)


@pytest.fixture
def real_workers() -> None:
    """Workers are started as the program starts them, a Python and its imports each."""
