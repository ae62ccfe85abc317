"""The formula sheet: searched, computed, solved."""

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.widgets import HelpPanel, Input, OptionList, Static

from quizzes.formulas import all_formulas
from tests.workbench.tui.seeing import settled, shown
from workbench.tui.screens.formulas import Formulas
from workbench.tui.screens.home import Home


async def fill(pilot: Pilot, **values: str) -> str:
    """Put values into the calculator and press Enter; what it answers."""
    lines = list(pilot.app.screen.query("#calculator Input").results(Input))
    for line in lines:
        line.value = values.get(line.name or "", "")
    lines[-1].focus()
    await pilot.press("enter")
    await pilot.pause()
    return str(pilot.app.screen.query_one("#result", Static).render())


async def test_a_search_finds_a_formula_by_what_its_symbols_mean(pilot: Pilot) -> None:
    await pilot.press("f")
    await pilot.pause()
    await pilot.press("/", *"brevity")
    await pilot.pause()
    listed = pilot.app.screen.query_one("#found", OptionList)
    assert {"bleu", "bleu-from-precisions", "brevity-penalty"} <= {option.id for option in listed.options}
    assert "conv-out-size" not in {option.id for option in listed.options}


def keys(pilot: Pilot, *names: str) -> None:
    """Keys all at once, as a fast typist or a slow machine has it."""
    for name in names:
        pilot.app.post_message(Key(name, name if len(name) == 1 else "/" if name == "slash" else None))


async def writes(pilot: Pilot, formula: str) -> None:
    """Hold that the keyboard is in the first line of a formula's calculator, and that it lives."""
    await pilot.pause()
    await settled(pilot)
    screen = pilot.app.screen
    assert screen.formula.id == formula
    lines = list(screen.query("#calculator Input").results(Input))
    assert [line.name for line in lines] == [*screen.formula.symbols]
    assert pilot.app.focused is lines[0]
    await pilot.press("7", "escape")
    assert lines[0].value == "7" and pilot.app.focused is screen.query_one("#found")
    await pilot.press("f1")
    assert screen.query(HelpPanel)


async def test_a_click_on_another_formula_begins_to_fill_it_in(pilot: Pilot) -> None:
    pilot.app.formulas("conv-out-size")
    await pilot.pause()
    listed = pilot.app.screen.query_one("#found", OptionList)
    await pilot.click(listed, offset=(5, 4))
    assert listed.highlighted_option.id != "conv-out-size"
    await writes(pilot, listed.highlighted_option.id)


@pytest.mark.parametrize("downs", [1, pytest.param(5, marks=pytest.mark.full)])
async def test_another_formula_by_keys_faster_than_it_is_shown(pilot: Pilot, downs: int) -> None:
    pilot.app.formulas("conv-out-size")
    await pilot.pause()
    keys(pilot, *["down"] * downs, "enter")
    await writes(pilot, [*all_formulas()][[*all_formulas()].index("conv-out-size") + downs])


@pytest.mark.full
async def test_a_search_and_its_first_formula_by_keys_faster_than_they_are_shown(pilot: Pilot) -> None:
    pilot.app.formulas("conv-out-size")
    await pilot.pause()
    keys(pilot, "slash", *"brevity", "enter")
    await pilot.pause()
    keys(pilot, "enter")
    await writes(pilot, "brevity-penalty")


async def test_a_formula_that_sympy_cannot_draw_stays_as_it_is_written(pilot: Pilot, monkeypatch) -> None:
    def fails(*_: object) -> str:
        raise KeyError("lfloor")

    monkeypatch.setattr("quizzes.expressions.symbolic.pretty_text", fails)
    pilot.app.formulas("conv-out-size")
    await pilot.pause()
    assert all_formulas()["conv-out-size"].equations[0].text in shown(pilot)
    await pilot.press("down", "enter")
    await pilot.pause()
    assert pilot.app.is_running and pilot.app.focused in pilot.app.screen.query("#calculator Input")


@pytest.mark.full
async def test_what_is_found_first_is_filled_in_by_enter(pilot: Pilot) -> None:
    pilot.app.formulas("lenet-trace")
    await pilot.pause()
    for key in ("slash", *"output size of a conv"):  # faster than they can be looked at
        pilot.app.post_message(Key(key, key if len(key) == 1 else "/"))
    await pilot.pause()
    await pilot.press("enter", "enter", "/")
    assert isinstance(line := pilot.app.focused, Input)
    assert line.name == "o" and line.value == "/" and "Output size" in shown(pilot)


COMPUTED = [
    (dict(n="224", f="3"), "o = 222"),  # the course's own example: 224 px, 3 x 3, no padding
    (dict(o="112", f="3", p="1", s="2"), "n = 223 or 224"),
    (dict(o="109", n="224", f="7", s="2", p="3", d="?"), "d = 2"),
    (dict(o="5", n="9", f="3", s="0"), "must be an integer from 1"),
    (dict(n="2 2", f="3"), "number can't follow here"),
    (dict(), "needs n"),
]


async def test_what_is_filled_in_is_computed_or_solved(pilot: Pilot) -> None:
    pilot.app.formulas("conv-out-size")
    await pilot.pause()
    for values, answer in COMPUTED:
        for line in pilot.app.screen.query("#calculator Input").results(Input):
            line.value = ""
        assert answer in await fill(pilot, **values), values


async def test_the_equation_is_drawn_and_the_way_leads_back(pilot: Pilot) -> None:
    pilot.app.formulas("self-attention")
    await pilot.pause()
    await settled(pilot)
    assert "dₖ" in shown(pilot)
    assert isinstance(pilot.app.screen, Formulas)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Home)


async def test_a_procedure_shows_its_table_and_what_it_counts(pilot: Pilot) -> None:
    pilot.app.formulas("network-size")
    await pilot.pause()
    values = dict(layers="conv5x5-6,pool2,conv5x5-16,pool2,fc120,fc84,fc10", input="32x32x1")
    assert "P = 61706" in await fill(pilot, **values)  # LeNet-5 in today's form
    rows = str(pilot.app.screen.query_one("#table", Static).render()).splitlines()
    assert rows[-1].split()[:3] == ["fc10", "10", "850"]
    assert "two FLOPs" in str(pilot.app.screen.query_one("#conventions", Static).render())
    refused = await fill(pilot, layers="conv5x5-6,pol2", input="32x32x1")
    assert "Unknown layer 'pol'" in refused and refused.splitlines()[-1].index("^") == len("conv5x5-6,")
    assert not pilot.app.screen.query_one("#tables").display


@pytest.mark.full
async def test_settings_that_may_be_left_out_are_not_sought(pilot: Pilot) -> None:
    pilot.app.formulas("optimizer-steps")
    await pilot.pause()
    answer = await fill(pilot, f="x^2", start="[3]", lr="0.1", steps="2")
    assert "theta = [1.92]" in answer and "L = [9, 5.76, 3.6864]" in answer
