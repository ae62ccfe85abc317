"""Find a learning rate, from the Lab: the chart, the line that the arrows move, and Enter, which fills in the form."""

import pytest
from textual.pilot import Pilot

from tests.workbench.tui.seeing import settled, shown, until
from tests.workbench.tui.test_lab import command, fill, opened
from workbench.engine import RunSpec, Verifier, lr_finder, runs
from workbench.tui.screens.find_lr import FindLR
from workbench.tui.screens.lab import Lab
from workbench.tui.widgets.chart import Chart
from workbench.tui.widgets.problem import Problem


@pytest.fixture
def specs(monkeypatch):
    """The specs that were tested, in this process, because it has imported torch."""
    specs = []

    def ask(verifier, job, timeout, on_progress):
        specs.append(RunSpec.from_json(job["spec"]))
        return lr_finder.compute(specs[-1], 40, on_progress)

    monkeypatch.setattr(Verifier, "ask", ask)
    return specs


async def test_enter_puts_the_learning_rate_into_the_form(pilot: Pilot, specs) -> None:
    lab = await opened(pilot)
    await fill(pilot, optimizer="sgd", seed="3", task="iris")
    await pilot.press("ctrl+l")
    await pilot.pause()
    await settled(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, FindLR) and specs == [RunSpec.create("mlp", task="iris", optimizer="sgd", seed=3)]
    suggestion = screen.result["steepest"]
    assert f"Suggestion: lr {suggestion:g}" in shown(pilot) and "┊" in shown(pilot) and screen.lr == suggestion
    await pilot.press("right", "right")
    await pilot.pause()
    moved = screen.lr
    assert moved > suggestion and screen.query_one(Chart).cursor in screen.result["lrs"]
    await pilot.press("enter")
    await pilot.pause()
    assert pilot.app.screen is lab and f"--lr {moved:g}" in command(lab) and runs.every() == []
    assert lab.focused is lab.query_one("#lr")


async def test_escape_leaves_the_form_as_it_was(pilot: Pilot, specs) -> None:
    lab = await opened(pilot)
    await fill(pilot, lr="0.5")
    await pilot.press("ctrl+l")
    await pilot.pause()
    await settled(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Lab) and "--lr 0.5" in command(lab)


async def test_what_cannot_be_trained_is_a_sentence(pilot: Pilot, specs) -> None:
    lab = await opened(pilot)
    await fill(pilot, epochs="two")
    await pilot.press("ctrl+l")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Problem) and not specs
    await pilot.press("escape")
    await fill(pilot, epochs="", batch_size="5000")
    await pilot.press("ctrl+l")
    await until(pilot, lambda: "larger than" in shown(pilot))
    assert isinstance(pilot.app.screen, FindLR)
    await pilot.press("enter", "escape")  # there is nothing to take
    await pilot.pause()
    assert pilot.app.screen is lab
