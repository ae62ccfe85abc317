"""The screen on which a trained network is asked: a point that moves, a digit that is drawn, a row that is typed."""

import json

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.trained_runs import train_run
from tests.workbench.tui.seeing import settled, shown, until
from workbench.engine import Verifier, worker
from workbench.errors import UserError
from workbench.tui.screens.ask import Ask
from workbench.tui.widgets.ask_view import AskView, Pad, Plane, WordMap


@pytest.fixture
def questions(monkeypatch):
    """Questions are answered in this process, which has torch already; the list holds them."""
    asked = []

    def ask(verifier, job, timeout, on_progress=None):
        if job["job"] == "ask":
            asked.append(job["question"])
        answer = worker.answer(json.dumps(job))
        if "refused" in answer:
            raise UserError(answer["refused"])
        return answer["values"]

    monkeypatch.setattr(Verifier, "ask", ask)
    return asked


async def opened(pilot: Pilot, model: str = "mlp", **options) -> AskView:
    run = train_run(model, steps=20, **options)
    pilot.app.runs(run.id)
    await pilot.pause()
    await settled(pilot)
    await pilot.press("a")
    await until(pilot, lambda: isinstance(pilot.app.screen, Ask) and pilot.app.screen.query(AskView))
    return pilot.app.screen.query_one(AskView)


async def test_the_arrows_move_a_point_over_the_decision_regions(pilot: Pilot, questions) -> None:
    view = await opened(pilot, task="moons")
    plane = view.editor
    assert isinstance(plane, Plane)
    await until(pilot, lambda: plane.regions and "✚" in shown(pilot))
    before = shown(pilot)
    await pilot.press("shift+right", "right", "up")
    await until(pilot, lambda: len(questions) > 1 and view.answer and view.answer["point"][0] > 0)
    assert "%" in shown(pilot) and shown(pilot) != before
    low, high = plane.regions["x"]
    assert plane.point[0] == pytest.approx(9 * (high - low) / 31)
    for _ in range(6):
        await pilot.press("shift+right")
    assert plane.point[0] == high  # it stays in the plane


async def test_the_arrows_move_a_point_over_the_codes_of_an_autoencoder(pilot: Pilot, questions) -> None:
    view = await opened(pilot, "vae")
    plane = view.editor
    assert isinstance(plane, Plane)
    await until(pilot, lambda: plane.regions and "✚" in shown(pilot))
    before = list(plane.point)
    await pilot.press("shift+right", "up")
    await until(pilot, lambda: len(questions) > 1 and view.answer and view.answer["point"][0] > before[0])
    assert view.answer["point"] == pytest.approx(plane.point) and "z1" in shown(pilot) and "▀" in shown(pilot)


async def test_a_digit_is_drawn_by_keys_and_read(pilot: Pilot, questions) -> None:
    view = await opened(pilot)
    pad = view.query_one(Pad)
    assert isinstance(pad, Pad) and len(pad.pixels) == 8
    await pilot.press(*["shift+down"] * 4)
    await until(pilot, lambda: questions and sum(map(sum, json.loads(questions[-1]["pixels"]))) == 5)
    await until(pilot, lambda: view.answer and "%" in shown(pilot))
    assert "█" in shown(pilot) and len(view.answer["probabilities"]) == 10
    await pilot.press("space")
    assert sum(map(sum, pad.pixels)) == 4
    await pilot.press("c")
    await until(pilot, lambda: sum(map(sum, json.loads(questions[-1]["pixels"]))) == 0)


async def test_a_digit_is_drawn_by_the_mouse(pilot: Pilot, questions) -> None:
    pad = (await opened(pilot)).query_one(Pad)
    height = pad.size.height // 8  # of a pixel, which is twice as wide
    assert height >= 1
    await pilot.mouse_down(pad, offset=(3 * 2 * height + 1, 2 * height))
    await until(pilot, lambda: questions)
    assert pad.pixels[2][3] == 1.0 and sum(map(sum, pad.pixels)) == 1


async def test_a_row_is_typed_and_a_bad_value_is_one_sentence(pilot: Pilot, questions) -> None:
    view = await opened(pilot, task="iris")
    first = view.query(Input).first()
    await pilot.press(*"5.1", "enter")
    await until(pilot, lambda: view.answer)
    assert questions == [{first.name: "5.1"}] and "setosa" in shown(pilot)
    await pilot.press("x", "enter")
    await until(pilot, lambda: "must be a number" in shown(pilot))
    await pilot.press("escape")
    assert not isinstance(pilot.app.screen, Ask)


async def test_the_arrows_move_over_a_map_of_words(pilot: Pilot, questions, tmp_path) -> None:
    text = tmp_path / "animals.txt"
    text.write_text("the cat and the dog run . a bird and a fish swim . cats like fish .\n" * 20)
    view = await opened(pilot, "word2vec-skipgram", task=f"words:{text}")
    words = view.query_one(WordMap)
    await until(pilot, lambda: words.map and "PCA of" in shown(pilot))
    assert questions == [{"map": "pca"}] and len(words.map["words"]) == len(words.map["points"]) == 12
    before = words.cursor
    for key in ("right", "left", "up", "down"):
        if words.cursor == before:  # there may be no word in a direction
            await pilot.press(key)
    await until(pilot, lambda: words.cursor != before and view.answer)
    await until(pilot, lambda: questions[-1] == {"word": words.map["words"][words.cursor]})
    name = words.map["words"][words.cursor]
    await until(pilot, lambda: f"most similar to {name}" in shown(pilot) and f"{name} (word)" in shown(pilot))
    await pilot.press("t")
    await until(pilot, lambda: "t-SNE of" in shown(pilot))
    line = view.query(Input).first()
    line.focus()
    await pilot.press(*"cta", "enter")
    await until(pilot, lambda: "Did you mean cat" in shown(pilot))
