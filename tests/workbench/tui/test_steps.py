"""Procedures in the app: stepped by keys, played without waiting, with other inputs, at two sizes."""

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Static

from quizzes import procedures
from tests.workbench.tui.seeing import settled, shown, until
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens import steps
from workbench.tui.screens.formulas import Formulas
from workbench.tui.screens.home import Home
from workbench.tui.screens.steps import Steps


async def open_steps(pilot: Pilot, id: str, inputs: str = "") -> Steps:
    pilot.app.steps(id, inputs)
    await pilot.pause()
    await settled(pilot)
    return pilot.app.screen


def text(pilot: Pilot, place: str) -> str:
    return str(pilot.app.screen.query_one(place, Static).render())


def caption(pilot: Pilot) -> str:
    return " ".join(text(pilot, "#caption").split())


async def test_the_arrow_keys_step_and_home_and_end_jump(pilot: Pilot) -> None:
    await open_steps(pilot, "nms")
    states = procedures.get("nms").states()
    visited = []
    for key in ("right", "right", "left", "end", "right", "home", "left"):
        await pilot.press(key)
        visited.append(pilot.app.screen.index)
        state = states[visited[-1]]
        assert f"state {visited[-1] + 1} of {len(states)}" in shown(pilot)
        assert caption(pilot) == state.caption
    assert visited == [1, 2, 1, 5, 5, 0, 0]


async def test_it_plays_at_a_steady_pace_until_the_end_or_a_pause(pilot: Pilot, monkeypatch) -> None:
    monkeypatch.setattr(steps, "PACE", 1e6)  # the test ticks in the clock's place
    screen = await open_steps(pilot, "iou")
    last = len(screen.states) - 1
    screen.tick()
    assert screen.index == 0
    await pilot.press("space")
    assert "▶ state 1 of 7" in shown(pilot)
    screen.tick()
    assert screen.index == 1
    await pilot.press("space")
    screen.tick()
    assert screen.index == 1 and "▶" not in shown(pilot)
    await pilot.press("space")
    for _ in range(last):
        screen.tick()
    assert screen.index == last and not screen.is_playing
    screen.tick()
    assert screen.index == last
    await pilot.press("space")
    assert screen.index == 0 and screen.is_playing


async def test_other_inputs_begin_again_and_bad_ones_are_one_sentence(pilot: Pilot) -> None:
    await open_steps(pilot, "iou")
    await pilot.press("end", "i")
    line = pilot.app.focused
    assert isinstance(line, Input) and line.value == "A=[10, 10, 60, 50] B=[30, 20, 80, 70]"
    line.value = "A=[5, 5, 1, 1]"
    await pilot.press("enter")
    await settled(pilot)
    assert "? A must be x1, y1, x2, y2 with x1 < x2 and y1 < y2." in shown(pilot)
    assert "state 7 of 7" in shown(pilot) and pilot.app.focused is line
    line.value = "A=[0, 0, 2, 2] B=[1, 1, 3, 3]"
    await pilot.press("enter")
    await settled(pilot)
    assert "state 1 of 7" in shown(pilot) and "must be" not in shown(pilot) and pilot.app.focused is None
    await pilot.press("end")
    assert caption(pilot) == "Divide the intersection by the union: 1/7 = 0.1429."
    assert pilot.app.screen.copied() == "workbench calc iou 'A=[0, 0, 2, 2]' 'B=[1, 1, 3, 3]' --steps"


async def test_keys_typed_into_the_inputs_stay_there(pilot: Pilot) -> None:
    screen = await open_steps(pilot, "iou")
    await pilot.press("i", "end", "space", "o", "left")
    assert pilot.app.focused.value.endswith(" o") and screen.index == 0 and not screen.is_playing
    await pilot.press("escape")
    assert pilot.app.focused is None and pilot.app.screen is screen
    await pilot.press("escape")
    assert isinstance(pilot.app.screen, Home)


async def test_formulas_open_the_steps_with_the_values_that_are_filled_in(pilot: Pilot) -> None:
    pilot.app.formulas("nms")
    await until(pilot, lambda: "t Steps" in shown(pilot))
    line = next(one for one in pilot.app.screen.query("#calculator Input").results(Input) if one.name == "tau")
    line.value = "0.9"
    await pilot.press("t")
    await settled(pilot)
    assert isinstance(pilot.app.screen, Steps)
    await pilot.press("right", "right")
    assert "not above the threshold 0.9" in caption(pilot)
    await pilot.press("escape")
    assert isinstance(pilot.app.screen, Formulas) and pilot.app.screen.formula.id == "nms"


async def test_a_formula_without_procedure_opens_those_of_its_topic(pilot: Pilot) -> None:
    pilot.app.formulas("gd-quadratic")
    await until(pilot, lambda: "t Steps" in shown(pilot))
    await pilot.press("t")
    await settled(pilot)
    assert pilot.app.screen.procedure.id == "gd-steps"
    await pilot.press("o")
    await settled(pilot)
    assert pilot.app.screen.procedure.id == "learning-rate-schedule"
    assert [type(screen) for screen in pilot.app.screen_stack] == [Home, Formulas, Steps]
    pilot.app.formulas("batch-norm")
    await until(pilot, lambda: "t Steps" in shown(pilot))
    pilot.app.formulas("resnet-block")
    await until(pilot, lambda: pilot.app.screen.formula and pilot.app.screen.formula.id == "resnet-block")
    assert "t Steps" not in shown(pilot)


async def test_the_palette_opens_every_procedure(pilot: Pilot) -> None:
    commands = {command.title: command.callback for command in pilot.app.get_system_commands(pilot.app.screen)}
    for entry in procedures.entries().values():
        assert f"Steps: {entry.title} ({entry.id})" in commands
    commands["Steps: Intersection over union, from the corners to the ratio (iou)"]()
    await pilot.pause()
    await until(pilot, lambda: "state 1 of 7" in shown(pilot))


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.full)])
async def test_every_procedure_fits_the_screen(size: tuple[int, int], monkeypatch) -> None:
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        for id in procedures.entries():
            screen = await open_steps(pilot, id)
            for _ in range(4):
                await pilot.press("right")
            state = screen.states[screen.index]
            assert caption(pilot) == " ".join(state.caption.split())
            if state.visualization:
                drawing = text(pilot, "#drawing")
                assert drawing.strip() and max(map(len, drawing.splitlines())) <= size[0] - 4, id
                assert len(drawing.splitlines()) <= size[1]
            assert "esc Leave" in shown(pilot), id
            assert not screen.query_one("#sheet").show_vertical_scrollbar or size == (80, 24), id
            app.pop_screen()
