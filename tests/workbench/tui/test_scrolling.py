"""Nothing that is longer than the screen is out of the keyboard's reach."""

import pytest
from textual.pilot import Pilot
from textual.widget import Widget
from textual.widgets import Footer, HelpPanel, Input

from tests.workbench.tui.seeing import settled, shown
from workbench.tui.screens.models import Models


async def steps(pilot: Pilot) -> Widget:
    """Practice after a wrong answer, with steps that are longer than the screen."""
    pilot.app.practise("conv-out-size")
    await pilot.pause()
    await pilot.press(*"1234", "enter")
    await settled(pilot)
    sheet = pilot.app.screen.scrollable
    assert sheet.max_scroll_y > 0
    sheet.scroll_home(animate=False)
    await pilot.pause()
    return sheet


async def test_steps_are_read_to_their_end_and_back(pilot: Pilot) -> None:
    sheet = await steps(pilot)
    for down, up in (("down", "up"), ("j", "k")):
        await pilot.press(down, down)
        assert sheet.scroll_y == 2
        await pilot.press(up, up)
        assert sheet.scroll_y == 0
    for forth, back in (("pagedown", "pageup"), ("space", "b"), ("end", "home"), ("G", "g")):
        presses = 0
        while sheet.scroll_y < sheet.max_scroll_y and presses < 9:
            await pilot.press(forth)
            presses += 1
        assert "Source:" in shown(pilot)
        await pilot.press(*[back] * presses)
        assert sheet.scroll_y == 0


async def test_a_long_question_scrolls_while_it_is_answered(pilot: Pilot) -> None:
    pilot.app.practise("trace-architecture:table")
    await pilot.resize_terminal(60, 16)
    await pilot.pause()
    screen = pilot.app.screen
    line = pilot.app.focused
    await pilot.press("pagedown", "b", "pagedown")
    assert screen.scrollable.scroll_y > 0 and pilot.app.focused is line and line.value == "b"
    await pilot.press(*["pageup"] * 5)
    assert screen.scrollable.scroll_y == 0


@pytest.mark.full
async def test_a_long_formula_is_read_from_its_list_and_from_its_calculator(pilot: Pilot) -> None:
    pilot.app.formulas("bleu")
    await pilot.pause()
    await settled(pilot)
    screen = pilot.app.screen
    chosen = screen.formula
    await pilot.press("space", "space")
    assert "Source:" in shown(pilot) and screen.formula is chosen
    await pilot.press("b", "b", "enter")
    assert isinstance(pilot.app.focused, Input)
    screen.scrollable.scroll_home(animate=False)
    await pilot.press("pagedown", "pagedown")
    assert "Source:" in shown(pilot)


@pytest.mark.full
async def test_the_keys_that_scroll_are_offered_where_there_is_something_to_scroll(pilot: Pilot) -> None:
    pilot.app.practise("conv-params")
    await pilot.pause()
    assert "Scroll" not in shown(pilot)
    await steps(pilot)
    assert "pgdn Scroll" in shown(pilot) and "esc Leave" in shown(pilot)
    await pilot.press("f1")
    await settled(pilot)
    listed = str(pilot.app.screen.query_one("BindingsTable").render_bindings_table().columns[1]._cells)
    assert all(words in listed for words in ("Scroll back", "Page down", "Line down", "To the end"))


@pytest.mark.parametrize(
    "where", [*(pytest.param(one, marks=pytest.mark.full) for one in ("home", "question")), "steps"]
)
async def test_the_help_is_read_to_its_end(pilot: Pilot, where: str) -> None:
    if where == "question":
        pilot.app.practise("conv-params")
        await pilot.pause()
    elif where == "steps":
        await steps(pilot)
    await pilot.press("f1")
    await settled(pilot)
    help = pilot.app.screen.query_one(HelpPanel)
    assert help.max_scroll_y > 0 and not help.query_one("KeyPanel").show_vertical_scrollbar
    await pilot.press(*["pagedown"] * 5)
    assert help.scroll_y == help.max_scroll_y
    assert "palette" in shown(pilot).splitlines()[-1] or "Open command" in shown(pilot)
    await pilot.press("pageup")
    assert help.scroll_y < help.max_scroll_y


@pytest.mark.full
async def test_whatever_scrolls_has_the_focus_holds_what_has_it_or_is_the_sheet(pilot: Pilot, monkeypatch) -> None:
    app = pilot.app
    monkeypatch.setattr(Models, "_count", lambda *_: None)  # it starts processes
    for way in (app.practise, app.formulas, app.autograd, app.models, app.lab, app.runs):
        way()
        await pilot.pause()
        for widget in app.screen.walk_children(Widget):
            if widget.styles.overflow_y == "auto" and not (
                widget is app.screen.scrollable or isinstance(widget, Footer)
            ):
                within = [one for one in widget.walk_children(Widget, with_self=True) if one.can_focus]
                assert within, f"{widget} on {app.screen} can't be scrolled by keys"
