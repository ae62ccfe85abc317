"""The app under Pilot, with the study file of a temporary home."""

from collections.abc import AsyncIterator

import pytest
from textual.pilot import Pilot

from workbench.store import Store
from workbench.tui.app import WorkbenchApp


@pytest.fixture
async def pilot() -> AsyncIterator[Pilot]:
    """The app at 80x24, on Home."""
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None  # it starts when it is asked; before that it would only take a core from the test
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        yield pilot
