"""The app under Pilot, with the study file of a temporary home."""

from collections.abc import AsyncIterator
from functools import cache, partialmethod
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.patience import PATIENCE
from workbench.render import layers
from workbench.store import Store
from workbench.tui.app import WorkbenchApp


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait longer for a screen than Textual's 30 seconds, of which a busy machine needs many."""
    monkeypatch.setattr(Pilot, "_wait_for_screen", partialmethod(Pilot._wait_for_screen, timeout=PATIENCE))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Layers are counted in this process, which has torch already, and not in one that must import it."""
    monkeypatch.setattr(layers, "compute", _outline)


@cache
def _outline(name: str, preset: str) -> dict[str, Any]:
    from models import cost

    return cost.summarize(name, preset).to_dict()


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot]:
    """The app at 80x24, on Home."""
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None  # it starts when it is asked; before that it would only take a core from the test
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield pilot
