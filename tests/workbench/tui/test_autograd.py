"""The Autograd screen: read while one types, drawn at once, and confirmed on request."""

import asyncio

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.workbench.tui.seeing import settled, shown
from workbench.tui.screens.autograd import Autograd, Line
from workbench.tui.screens.home import Home


def text(pilot: Pilot, place: str) -> str:
    return str(pilot.app.screen.query_one(place, Static).render())


async def opened(pilot: Pilot, expression: str = "") -> None:
    pilot.app.autograd(expression)
    await pilot.pause()


async def test_it_opens_on_an_example_and_leads_back(pilot: Pilot) -> None:
    await opened(pilot)
    assert isinstance(pilot.app.screen, Autograd)
    assert "v3 = sigmoid(v2)   0.182426" in shown(pilot)  # 1/(1 + e^1.5)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Home)


async def test_what_is_typed_is_read_asked_for_and_drawn(pilot: Pilot) -> None:
    await opened(pilot)
    await pilot.press(*"x*y^2")
    await pilot.pause()
    assert "I read this as  x * y^2" in shown(pilot)
    assert "A number is wanted for y." in shown(pilot)  # x keeps the value it had
    await pilot.press("enter")
    assert pilot.app.screen.focused.name == "y"
    await pilot.press(*"1/2")
    await pilot.pause()
    assert "I read this as  1 / 2 = 0.5" in shown(pilot)
    assert "dv2/dx = v1 = 0.25" in shown(pilot)


async def test_sympy_and_pytorch_answer_on_enter(pilot: Pilot) -> None:
    await opened(pilot)
    await pilot.press("enter")
    await settled(pilot)
    assert "✓ SymPy 0.298293, PyTorch 0.298293" in text(pilot, "#derivatives")
    assert "agree" in text(pilot, "#state")
    await pilot.press(*"x")
    await pilot.pause()
    assert not pilot.app.screen.query_one("#derivatives").display


async def test_enter_goes_to_a_line_of_the_expression_that_is_shown(pilot: Pilot) -> None:
    await opened(pilot, "p*q")
    screen = pilot.app.screen
    screen.query_one("#expression", Line).value = "u*v"
    while screen.expression != "u*v":  # until it was read: then the lines for p and q are on their way out
        await asyncio.sleep(0)
    screen.action_derive()
    await pilot.pause()
    assert [line.name for line in screen.query("#values Line")] == ["u", "v"]
    assert pilot.app.focused is screen.query("#values Line").first()


WRONG = {  # what is typed, and what is said of it
    "x +": "? Something is missing at the end",
    "softmx(x)": "? Unknown function 'softmx'",
    "ln(x)": "? v1 = ln(x) has no value at x = -1",
    "round(x": "? Unknown function",
    "floor(x)": "? No gradient goes through floor",
}


async def test_what_is_wrong_is_said_and_nothing_is_lost(pilot: Pilot) -> None:
    await opened(pilot)
    for typed, sentence in WRONG.items():
        pilot.app.screen.query_one("#expression", Line).focus().value = typed
        await pilot.pause()
        assert sentence in shown(pilot)
        await pilot.press("enter")
        assert pilot.app.screen.query_one("#expression", Line).value == typed
    pilot.app.screen.query_one("#expression", Line).focus().value = "w + x"
    await pilot.pause()
    assert [line.value for line in pilot.app.screen.query(Line)] == ["w + x", "2", "-1"]


@pytest.mark.full
async def test_both_sizes_have_room(pilot: Pilot) -> None:
    await opened(pilot, "u = x*y; v = u + x; f = u*v")
    for size in ((120, 40), (80, 24), (60, 16)):
        await pilot.resize_terminal(*size)
        await pilot.pause()
        assert "f = u * v" in shown(pilot) or size == (60, 16)
    assert pilot.app.screen.copied() == "workbench autograd 'u = x*y; v = u + x; f = u*v'"
