"""Workers that start at once, or as the program starts them."""

import pytest

from tests import forked
from workbench.engine import process


@pytest.fixture(autouse=True)
def forked_workers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker is forked from a process that has imported PyTorch, but where a test asks for `real_workers`."""
    if "real_workers" not in request.fixturenames:
        monkeypatch.setattr(process, "spawn", forked.Worker)


@pytest.fixture
def real_workers() -> None:
    """Workers are started as the program starts them, a Python and its imports each."""
