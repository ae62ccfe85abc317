"""Home, the ways from it, and a run watched in the Lab."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Button, Input

from tests.workbench.tui.seeing import settled, shown, until
from workbench import syllabus
from workbench.engine import runs
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.home import Home
from workbench.tui.screens.lab import Lab
from workbench.tui.screens.practice import Practice
from workbench.tui.widgets.problem import Problem


async def test_the_first_start_greets_and_leads_to_a_question(pilot: Pilot) -> None:
    assert "Begin with a first question" in shown(pilot)
    assert "fresh numbers" in shown(pilot)
    await pilot.press("enter")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Practice)
    await pilot.press("escape", "escape")
    assert isinstance(pilot.app.screen, Home)


async def test_a_chapter_opens_its_own_questions(pilot: Pilot) -> None:
    pilot.app.practise("backpropagation")
    await pilot.pause()
    assert syllabus.get(pilot.app.screen.question.topic).chapter == "backpropagation"


async def test_home_shows_what_was_answered(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    await pilot.press(*str(pilot.app.screen.question.parts[0].answer), "enter")
    await pilot.pause()
    await pilot.press("escape")
    await pilot.pause()
    assert "fresh numbers" not in shown(pilot)
    assert "100%" in shown(pilot)


async def test_a_run_is_started_and_watched_to_its_end(pilot: Pilot) -> None:
    pilot.app.lab("mlp")
    await pilot.pause()
    lab = pilot.app.screen
    assert isinstance(lab, Lab)
    lab.query_one("#epochs", Input).value = "1"
    await pilot.press("ctrl+s")
    await until(pilot, lambda: not lab.view.running)
    assert runs.every()[-1].status() == "done"
    assert "done: test loss" in shown(pilot)
    assert "baseline" in shown(pilot)


@pytest.mark.full
async def test_a_run_goes_on_when_the_lab_is_left_and_is_stopped_from_another(pilot: Pilot) -> None:
    pilot.app.lab("mlp")
    await pilot.pause()
    pilot.app.screen.query_one("#epochs", Input).value = "9999"
    await pilot.press("ctrl+s")
    await until(pilot, lambda: pilot.app.screen.view.watcher.state.metrics())
    await pilot.press("escape")
    await pilot.pause()
    assert "running" in shown(pilot)
    await pilot.press("l")
    await pilot.pause()
    lab = pilot.app.screen
    assert lab.view.running
    assert not lab.query_one("#stop", Button).disabled
    await pilot.press("ctrl+x")
    await until(pilot, lambda: not lab.view.running)
    assert runs.every()[-1].status() == "stopped"


async def test_a_bad_order_is_refused_in_a_dialog(pilot: Pilot) -> None:
    pilot.app.lab()
    await pilot.pause()
    pilot.app.screen.query_one("#epochs", Input).value = "0"
    await pilot.press("ctrl+s")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Problem)
    assert runs.every() == []
    await pilot.press("escape")
    assert isinstance(pilot.app.screen, Lab)


@pytest.mark.full
async def test_every_screen_fits_and_survives_resizing() -> None:
    app = WorkbenchApp(Store())
    async with app.run_test(size=(120, 40)) as pilot:
        for open_screen in (lambda: None, lambda: app.practise("iou"), app.lab):
            open_screen()
            for size in ((120, 40), (80, 24), (60, 16), (20, 5), (80, 24)):
                await pilot.resize_terminal(*size)
                await pilot.pause()
                assert ("larger" in shown(pilot)) == (size == (20, 5))
            await settled(pilot)
            assert "▏^p" in shown(pilot) or "palette" in shown(pilot)
