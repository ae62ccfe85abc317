"""Every screen as it was looked at and found right: 80x24 and 120x40, dark and light.

A file under `screens/` holds a screen with its colours: `cat` shows it in a terminal. After a change that is wanted:
`UPDATE_SCREENS=1 pytest -m "full or not full" tests/workbench/tui/test_screens.py`, then look at what changed.
"""

import json
import os
import re
from difflib import unified_diff
from pathlib import Path
from random import Random

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.workbench.tui.seeing import colored, settled, shown, until
from workbench.engine import RunSpec, runs
from workbench.store import Store
from workbench.tui.app import WorkbenchApp

KEPT = Path(__file__).parent / "screens"
PLAIN = re.compile(r"\x1b\[[0-9;]*m")
THEMES = ["textual-dark", "textual-light"]


def made_run() -> None:
    """A run of four epochs that is always the same, without a worker."""
    run = runs.create(RunSpec.create(model="mlp", epochs=4))
    events = [
        dict(event="start", step=0, epochs=4.0, steps=156, model="mlp", task="digits", params=2410, seed=0, metrics={})
        | dict(run=run.id, seconds=0.0, preset="mini", device="cpu")
        | dict(baseline=dict(method="logistic regression", metric="accuracy", value=0.95))
    ]
    for step in range(3, 157, 3):
        metrics = dict(loss=2.3 * 0.985**step, accuracy=1 - 0.9 * 0.98**step)
        events.append(
            dict(event="metric", step=step, epoch=step / 39, seconds=step / 50, split="train", metrics=metrics)
        )
        if step % 39 == 0:
            metrics = dict(loss=2.4 * 0.987**step, accuracy=0.97 - 0.9 * 0.98**step)
            events.append(
                dict(event="eval", step=step, epoch=step / 39, seconds=step / 50, split="validation", metrics=metrics)
            )
    end = dict(event="end", step=156, steps=156, seconds=3.1, status="done", metrics=metrics, steps_per_second=50.0)
    (run.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in [*events, end]))
    (run.folder / "worker.json").unlink()
    counts = [[20 if row == column else (row * column) % 5 == 4 for column in range(10)] for row in range(10)]
    pictures = [
        {
            "kind": "sample",
            "pixels": [[(x * y) % 17 for x in range(8)] for y in range(8)],
            "target": 3,
            "predicted": 3,
        },
        {
            "kind": "sample",
            "pixels": [[(x + y) % 17 for x in range(8)] for y in range(8)],
            "target": 8,
            "predicted": 1,
        },
        {"kind": "confusion", "classes": [str(k) for k in range(10)], "counts": counts},
    ]
    (run.folder / "visualizations.json").write_text(json.dumps(pictures))


async def home(pilot: Pilot) -> None:
    """Where everybody begins."""


async def question(pilot: Pilot) -> None:
    pilot.app.practise("conv-out-size")


async def marked(pilot: Pilot) -> None:
    pilot.app.practise("iou")
    await pilot.pause()
    for line, text in zip(pilot.app.screen.query(Input), ("1200", "2700", "0.5"), strict=True):  # the last is wrong
        line.value = text
    await pilot.press("enter", "enter", "enter")
    await until(pilot, lambda: "Incorrect" in shown(pilot))


async def card(pilot: Pilot) -> None:
    pilot.app.practise("convolution/shared-weights")


async def formulas(pilot: Pilot) -> None:
    pilot.app.formulas("bleu")


async def lab(pilot: Pilot) -> None:
    pilot.app.lab("mlp")


async def models(pilot: Pilot) -> None:
    pilot.app.models("resnet18")


async def tree(pilot: Pilot) -> None:
    pilot.app.models("resnet18")
    await pilot.pause()
    await pilot.press("f")


async def inside(pilot: Pilot) -> None:
    made_run()
    pilot.app.verifier.ask = lambda *_: {
        **dict(run="mlp-0001", model="mlp", checkpoint="best", step=117, kind="field", classes=[*"0123456789"]),
        **dict(sample=0, pixels=[[x * y % 17 for x in range(16)] for y in range(16)], target=3, predicted=8),
        **dict(probability=0.75, all_layers=["c1"], layer="c1", type="Conv2d", shape=[6, 8, 8], unit=[4, 4]),
        "theoretical": dict(size=[7, 7], first=[5, 5]),
        "effective": dict(
            gradients=[[max(0, 4 - abs(x - 8)) * max(0, 4 - abs(y - 8)) for x in range(16)] for y in range(16)],
            **dict(samples=32, pixels=37, side=6.08),
        ),
    }
    pilot.app.runs()
    await until(pilot, lambda: "done: test" in shown(pilot))
    await pilot.press("i", "r")
    await until(pilot, lambda: "receptive field: 37 pixels" in shown(pilot))


async def run(pilot: Pilot) -> None:
    made_run()
    pilot.app.runs()
    await until(pilot, lambda: "done: test" in shown(pilot))


async def no_runs(pilot: Pilot) -> None:
    pilot.app.runs()


async def autograd(pilot: Pilot) -> None:
    pilot.app.autograd("sigmoid(w*x + b)")


SCREENS = [
    *(home, question, marked, formulas, lab, models, run, autograd),
    *(pytest.param(screen, marks=pytest.mark.full) for screen in (card, tree, inside, no_runs)),
]


@pytest.mark.parametrize("size", [(80, 24), pytest.param((120, 40), marks=pytest.mark.full)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.__name__)
async def test_a_screen_looks_as_it_should(screen, size, counted, monkeypatch) -> None:
    monkeypatch.setattr("workbench.tui.screens.practice.Random", lambda: Random(5))
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None
    changes = []
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        await screen(pilot)
        for theme in THEMES:
            app.theme = theme
            name = f"{screen.__name__}-{size[0]}x{size[1]}-{theme.removeprefix('textual-')}.txt"
            changes += compared(name, await at_rest(pilot))
    assert not changes, "\n".join(changes)


async def at_rest(pilot: Pilot) -> str:
    """The screen with its colors, once nothing moves any more."""
    before, looks = "", colored(pilot)
    while looks != before:
        for line in pilot.app.screen.query(Input):
            line.cursor_blink = False
        await settled(pilot)
        await pilot.wait_for_scheduled_animations()
        before, looks = looks, colored(pilot)
    return looks


def compared(name: str, looks: str) -> list[str]:
    """How a screen differs from what is kept of it; it is kept anew where that was asked for."""
    kept = KEPT / name
    if os.environ.get("UPDATE_SCREENS"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(looks, encoding="utf-8")
    expected = kept.read_text(encoding="utf-8")
    words, others = (PLAIN.sub("", text).splitlines() for text in (expected, looks))
    if words != others:
        return [f"{name}:", *unified_diff(words, others, "kept", "now", lineterm="", n=1)]
    return [f"{name}: the words are the same, the colors are not: cat {kept.name}"] * (looks != expected)
