"""Makes the screenshots of the README from the app, in a temporary data directory.

    python docs/screenshots.py

It takes about ten seconds, because two networks are trained for the screenshot of the runs.
"""

import asyncio
import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from unittest.mock import patch

from textual.pilot import Pilot
from textual.widgets import Input

from quizzes.question import value_text
from workbench.engine import RunSpec, start
from workbench.render.layers import summarize
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.practice import Practice

FOLDER = Path(__file__).parent / "screenshots"
SIZE = (100, 30)  # columns and rows


async def practice(app: WorkbenchApp, pilot: Pilot) -> None:
    """Show an incorrect answer whose mistake is recognized, with the steps."""
    app.practise("conv-out-size")
    await pilot.pause()
    assert isinstance(app.screen, Practice) and app.screen.question
    question = app.screen.question
    [answer] = [mistake.answer for mistake in question.mistakes if mistake.mistake == "no-plus-one"]
    app.screen.query(Input).first().value = value_text(answer)
    await pilot.press("enter")
    await app.workers.wait_for_complete()


async def formulas(app: WorkbenchApp, pilot: Pilot) -> None:
    """Show the calculator, solving for an unknown."""
    app.formulas("conv-out-size")
    await pilot.pause()
    for line in app.screen.query("#calculator Input").results(Input):
        line.value = {"o": "112", "f": "7", "p": "3", "s": "2"}.get(line.name or "", "")
    line.focus()
    await pilot.press("enter")
    await app.workers.wait_for_complete()


async def models(app: WorkbenchApp, pilot: Pilot) -> None:
    """Show a network, layer by layer."""
    for preset in ("paper", "mini"):
        summarize("resnet18", preset)  # counted now, so that the screen has it at once
    app.models("resnet18")
    await pilot.pause()
    await app.workers.wait_for_complete()


async def runs(app: WorkbenchApp, pilot: Pilot) -> None:
    """Show a run with its curves and its predictions for test samples."""
    for model in ("mlp", "lenet5-modern"):
        start(RunSpec.create(model, epochs=12)).wait(120)
    app.runs()
    await pilot.pause(1.0)
    await pilot.press("p")


async def take(screen: Callable[[WorkbenchApp, Pilot], Awaitable[None]]) -> None:
    """Open a screen and save a screenshot of it."""
    app = WorkbenchApp(Store())
    async with app.run_test(size=SIZE) as pilot:
        await pilot.pause()
        await screen(app, pilot)
        await pilot.pause(0.5)
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{screen.__name__}.svg").write_text(app.export_screenshot(title="workbench"), encoding="utf-8")


def main() -> None:
    """Take every screenshot."""
    with (
        tempfile.TemporaryDirectory() as home,
        patch.dict(os.environ, WORKBENCH_HOME=home),
        patch("workbench.tui.screens.practice.Random", lambda: Random(4)),
    ):
        for screen in (practice, formulas, models, runs):
            asyncio.run(take(screen))


if __name__ == "__main__":
    main()
