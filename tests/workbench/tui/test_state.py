"""What the app remembers."""

from pathlib import Path

import pytest
from textual.pilot import Pilot

from workbench.store import Store
from workbench.tui import state
from workbench.tui.app import WorkbenchApp


async def test_a_theme_is_there_again_at_the_next_start(pilot: Pilot) -> None:
    pilot.app.theme = "textual-light"
    await pilot.pause()
    again = WorkbenchApp(Store())
    async with again.run_test() as second:
        await second.pause()
        assert again.theme == "textual-light"


@pytest.mark.parametrize("damage", ["", "{", "[]", "3", '{"theme": 7}', '{"theme": "no such theme"}', "\ud800"])
async def test_damage_is_forgotten(damage: str, home: Path) -> None:
    home.mkdir()
    state.path().write_bytes(damage.encode("utf-8", "surrogatepass"))
    app = WorkbenchApp(Store())
    async with app.run_test() as pilot:
        await pilot.pause()
        assert app.theme == "textual-dark"
