"""Keys changed by the user, the help that is made from them, and copying."""

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import HelpPanel

from tests.workbench.tui.seeing import settled, shown
from workbench.errors import UserError
from workbench.store import Store
from workbench.tui import keys
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.home import Home
from workbench.tui.screens.runs import Runs


def write(text: str) -> None:
    keys.path().parent.mkdir(parents=True, exist_ok=True)
    keys.path().write_text(text, encoding="utf-8")


async def test_a_changed_key_does_what_the_old_one_did(home: Path) -> None:
    write('"home.runs" = "f8"\n')
    app = WorkbenchApp(Store())
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.press("r")
        await pilot.pause()
        assert isinstance(app.screen, Home)
        await pilot.press("f8")
        await pilot.pause()
        assert isinstance(app.screen, Runs)


DAMAGED = {  # what the file says, and what is said of it
    '"home.run" = "x"': "home.runs",  # Did you mean
    '"home.runs" = "ctrl+nonsense"': "is no key",
    '"home.runs" = 7': "is no key",
    '"home.runs" = ""': "is no key",
    '"home.runs" = ': "mend the file, or delete it",
}


async def test_a_damaged_file_is_said_and_loses_nothing(home: Path) -> None:
    for text, sentence in DAMAGED.items():
        write(text)
        with pytest.raises(UserError) as refusal:
            keys.load()
        assert sentence in str(refusal.value), text
    app = WorkbenchApp(Store())
    async with app.run_test() as pilot:
        await pilot.pause()
        assert sentence.split()[0] in shown(pilot).replace("\n", " ")
        await pilot.press("escape", "r")
        await pilot.pause()
        assert isinstance(app.screen, Runs)


def test_every_action_of_a_screen_has_its_own_id() -> None:
    known = keys.actions()
    assert {"home.runs", "run.stop", "practice.hint", "help", "copy"} <= known


async def test_help_shows_the_keys_that_work_here(pilot: Pilot) -> None:
    await pilot.press("f1")
    await settled(pilot)
    assert pilot.app.screen.query(HelpPanel)
    assert "Practise" in shown(pilot)
    await pilot.press("f1")
    await pilot.pause()
    assert not pilot.app.screen.query(HelpPanel)


async def test_a_question_is_copied_as_it_stands(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await pilot.press("ctrl+y")
    assert pilot.app.clipboard == pilot.app.screen.question.prompt


async def test_lists_know_the_keys_of_vim(pilot: Pilot) -> None:
    await pilot.press("j", "j", "k")
    listed = pilot.app.screen.query_one("#list")
    assert listed.highlighted == 1
    await pilot.press("G")
    assert listed.highlighted == max(n for n, option in enumerate(listed.options) if not option.disabled)
    await pilot.press("g")
    assert listed.highlighted == 0
