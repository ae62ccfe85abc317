"""Runs: listed, watched, compared, stopped, and gone."""

import json
import shutil

import pytest
from textual.pilot import Pilot

from tests.trained_runs import train_run
from tests.workbench.tui.seeing import shown, until
from workbench.engine import RunSpec, notes, runs, start
from workbench.engine.spec.sections import FromRun
from workbench.tui.screens.runs import Runs
from workbench.tui.widgets.form import Form
from workbench.tui.widgets.run_view import RunView


async def test_no_runs_are_said_to_be_none(pilot: Pilot) -> None:
    await pilot.press("r")
    await pilot.pause()
    assert "No run was made yet" in shown(pilot)
    assert "Compare" not in shown(pilot)


async def test_runs_are_listed_newest_first_with_how_they_ended(pilot: Pilot) -> None:
    one, two = train_run(steps=40), train_run(steps=40, seed=1)
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: "done: test" in shown(pilot))
    text = shown(pilot)
    assert text.index(f"✓ {two.id}") < text.index(f"✓ {one.id}")
    assert "seed 1" in text
    await pilot.press("down")
    await until(pilot, lambda: "seed 0" in shown(pilot))


@pytest.mark.full
async def test_two_runs_are_drawn_in_one_chart(pilot: Pilot) -> None:
    one, two = train_run(steps=40), train_run(steps=40, seed=1)
    pilot.app.runs()
    await pilot.pause()
    await pilot.press("space", "down", "space")
    await until(pilot, lambda: f"+✓ {one.id}" in shown(pilot))
    view = pilot.app.screen.query_one(RunView)
    await until(pilot, lambda: {one.id, two.id} <= {view.run and view.run.id, *view.beside})
    assert shown(pilot).count(two.id) > 1  # in the list, and at its line's end


async def test_a_running_run_is_stopped(pilot: Pilot) -> None:
    run = start(RunSpec.create(model="mlp", epochs=9999))
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: pilot.app.screen.query_one(RunView).watcher.state.metrics())
    assert "Stop" in shown(pilot)
    await pilot.press("ctrl+x")
    await until(pilot, lambda: "stopped: validation" in shown(pilot))
    assert run.status() == "stopped"


async def test_a_folder_deleted_while_it_is_shown_goes_from_the_list(pilot: Pilot) -> None:
    run, other = train_run(steps=20), train_run(steps=20)
    pilot.app.runs(other.id)
    await pilot.pause()
    shutil.rmtree(other.folder)
    await until(pilot, lambda: other.id not in pilot.app.screen.listed)
    assert isinstance(pilot.app.screen, Runs)
    assert [r.id for r in runs.every()] == [run.id]
    await pilot.press("space", "y", "m")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs)


async def test_what_the_network_says_of_samples_takes_turns_with_the_chart(pilot: Pilot) -> None:
    train_run(steps=40)
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: "done: test" in shown(pilot))
    assert "accuracy" in shown(pilot)
    await pilot.press("p")
    await until(pilot, lambda: "samples" in shown(pilot))
    await pilot.press("p")
    await until(pilot, lambda: "confusion matrix" in shown(pilot))
    await pilot.press("p")
    await until(pilot, lambda: "confusion matrix" not in shown(pilot))
    await pilot.resize_terminal(160, 45)  # room for all of it at once
    await until(pilot, lambda: "confusion matrix" in shown(pilot) and "accuracy" in shown(pilot))


@pytest.mark.full
async def test_a_finished_run_goes_on_for_as_long_as_it_is_told(pilot: Pilot) -> None:
    run = train_run(epochs=1)
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: "done: test" in shown(pilot))
    await pilot.press("ctrl+r")
    await pilot.pause()
    assert "How many epochs more?" in shown(pilot)
    await pilot.press("backspace", "2", "enter")
    await until(pilot, lambda: run.spec.length.epochs == 3 and "done: test" in shown(pilot))
    steps = pilot.app.screen.query_one(RunView).watcher.state.points("loss", "validation")
    assert steps.steps == [step * run.last_event()["step"] // 3 for step in (1, 2, 3)]


@pytest.mark.full
async def test_how_long_must_be_a_number(pilot: Pilot) -> None:
    run = train_run(epochs=1)
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: "done: test" in shown(pilot))
    await pilot.press("ctrl+r", "backspace", "x", "enter")
    await until(pilot, lambda: "integer" in shown(pilot))
    await pilot.press("enter", "ctrl+r", "escape")
    await pilot.pause()
    assert run.spec.length.epochs == 1 and run.status() == "done"


@pytest.mark.full
async def test_another_run_begins_with_a_runs_weights(pilot: Pilot) -> None:
    one = train_run(steps=40, options={"hidden_sizes": [24]})
    pilot.app.runs()
    await pilot.pause()
    await until(pilot, lambda: "Transfer" in shown(pilot))
    await pilot.press("t")
    await until(pilot, lambda: f"--from {one.id}" in shown(pilot))
    freeze = pilot.app.screen.query_one("#freeze")
    freeze.focus()
    await pilot.press("right")  # the one thing that can be frozen
    await until(pilot, lambda: pilot.app.screen.query_one(Form).command().endswith("--freeze backbone"))
    await pilot.press("ctrl+s")
    await until(pilot, lambda: len(runs.every()) == 2 and runs.every()[1].status() == "done")
    spec = runs.every()[1].spec
    assert (spec.initial_weights, spec.network.options) == (FromRun(one.id, freeze="backbone"), {"hidden_sizes": [24]})
    head = 24 * 10 + 10
    await until(pilot, lambda: f"{head} trained" in shown(pilot))


async def test_damaged_folders_are_listed_beside_a_sound_one(pilot: Pilot) -> None:
    sound, deep, odd = (runs.create(RunSpec.create("mlp", seed=seed)) for seed in range(3))
    for run in (sound, deep, odd):
        (run.folder / "worker.json").write_text("[" * 100_000)
    (deep.folder / "spec.json").write_text("[" * 100_000)
    end = dict(event="end", status="crashed", step=1, steps=1, seconds=1.0, steps_per_second=1.0, metrics={"[/b]": 1.0})
    odd_lines = [{"event": "metric"}, end | {"metrics": [1]}, end | {"reason": "KeyError: [/b]"}]
    (odd.folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in odd_lines) + "[" * 100_000)
    odd.folder.rename(odd.folder.with_name("[red]x"))
    pilot.app.runs()
    await until(pilot, lambda: {sound.id, deep.id, "[red]x"} <= {*shown(pilot).split()})
    await pilot.press("down")
    await until(pilot, lambda: "KeyError: [/b]" in shown(pilot))
    await pilot.press("space", "down", "space")
    await until(pilot, lambda: "+✗ [red]x" in shown(pilot))


def make_runs(count: int, **event: object) -> list[runs.Run]:
    """Runs that have ended, the later ones newer, without training."""
    made = []
    for number in range(count):
        run = runs.create(RunSpec.create("mlp", seed=number))
        (run.folder / "worker.json").unlink()
        start = dict(event="start", run=run.id, seed=number, step=0, seconds=0.0, steps=40, model="mlp", task="digits")
        start |= dict(preset="mini", params=9, device="cpu", time=1.7e9 + number, monitor="accuracy", metrics={})
        end = dict(event="end", step=40, steps=40, seconds=65.0 - number, steps_per_second=1.0, status="done")
        end |= dict(metrics={"accuracy": [0.5, 0.9, 0.7][number % 3]})
        (run.folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in (start, end | event)))
        made.append(run)
    return made


async def opened(pilot: Pilot, chosen: str = "") -> Runs:
    pilot.app.runs(chosen)
    await until(pilot, lambda: isinstance(pilot.app.screen, Runs) and pilot.app.screen.listed)
    return pilot.app.screen


async def test_a_run_is_deleted_after_a_question(pilot: Pilot) -> None:
    one, two, three = make_runs(3)
    screen = await opened(pilot, two.id)
    await pilot.press("d")
    await until(pilot, lambda: f"Delete run {two.id}? This can't be undone." in shown(pilot))
    await pilot.press("enter")  # Cancel has the focus
    await pilot.pause()
    assert two.folder.exists()
    await pilot.press("d")
    await until(pilot, lambda: "Delete run" in shown(pilot))
    await pilot.press("escape", "d")
    await until(pilot, lambda: "Delete run" in shown(pilot))
    await pilot.press("shift+tab", "enter")
    await until(pilot, lambda: [*screen.listed] == [three.id, one.id])
    assert not two.folder.exists() and screen.chosen == one.id
    await until(pilot, lambda: screen.view.run == one)


async def test_the_last_run_is_deleted(pilot: Pilot) -> None:
    make_runs(1)
    await opened(pilot)
    await pilot.press("d")
    await until(pilot, lambda: "Delete run" in shown(pilot))
    await pilot.press("shift+tab", "enter")
    await until(pilot, lambda: "No run was made yet" in shown(pilot))
    await pilot.press("d", "n", "r", "s", "slash", "x", "escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs)


async def test_a_running_run_is_not_deleted_or_renamed(pilot: Pilot) -> None:
    run = runs.create(RunSpec.create("mlp"))
    await opened(pilot)
    await pilot.press("d")
    await until(pilot, lambda: "is running. Stop it first" in " ".join(shown(pilot).split()))
    await pilot.press("escape", "r", "x", "enter")
    await until(pilot, lambda: "is running. Stop it first" in " ".join(shown(pilot).split()))
    assert run.folder.exists()


async def test_notes_and_tags_are_written_and_shown(pilot: Pilot) -> None:
    [run] = make_runs(1)
    await opened(pilot)
    await pilot.press("n")
    await until(pilot, lambda: "Note about mlp-0001" in shown(pilot))
    await pilot.press(*"[/b] x", "enter")
    await until(pilot, lambda: "[/b] x" in shown(pilot))
    await pilot.press("number_sign", *"a b", "enter")
    await until(pilot, lambda: "#a #b [/b] x" in shown(pilot))
    assert notes.read(run) == notes.Notes("[/b] x", ("a", "b"))
    await pilot.press("n", "ctrl+u", "escape")
    await pilot.pause()
    assert notes.read(run).note == "[/b] x"
    await pilot.press("n", "ctrl+u", "enter")
    await until(pilot, lambda: notes.read(run) == notes.Notes("", ("a", "b")))
    await pilot.press("number_sign", "ctrl+u", *"a,b", "enter")
    await until(pilot, lambda: "A tag is a word" in shown(pilot))


async def test_a_run_is_renamed(pilot: Pilot) -> None:
    one, two = make_runs(2)
    screen = await opened(pilot, one.id)
    await pilot.press("space", "r", "ctrl+u", *"best", "enter")
    await until(pilot, lambda: [*screen.listed] == [two.id, "best"] and "+✓ best" in shown(pilot))
    assert screen.chosen == "best" and not one.folder.exists()
    await pilot.press("r", "ctrl+u", *two.id, "enter")
    await until(pilot, lambda: "is taken" in shown(pilot))


async def test_a_search_narrows_the_list(pilot: Pilot) -> None:
    one, two, three = make_runs(3)
    notes.set_note(two, "Twice the rate")
    screen = await opened(pilot)
    await pilot.press("slash", *"rate twice")
    await until(pilot, lambda: [*screen.listed] == [two.id])
    assert "1 fit" in shown(pilot)
    await pilot.press("enter", "space")
    await until(pilot, lambda: f"+✓ {two.id}" in shown(pilot))
    await pilot.press("slash", "x")
    await until(pilot, lambda: not screen.listed)
    assert "0 fit" in shown(pilot) and "No run was made yet" not in shown(pilot)
    await pilot.press("escape")
    await until(pilot, lambda: [*screen.listed] == [three.id, two.id, one.id])
    assert isinstance(pilot.app.screen, Runs)
    await pilot.press("escape")
    await pilot.pause()
    assert not isinstance(pilot.app.screen, Runs)


async def test_the_list_is_sorted_and_shows_more_where_there_is_room(pilot: Pilot) -> None:
    one, two, three = make_runs(3)
    screen = await opened(pilot)
    for order, ids in (("name", [one, two, three]), ("metric", [two, three, one]), ("duration", [one, two, three])):
        await pilot.press("s")
        await until(pilot, lambda order=order: f"by {order}" in shown(pilot))
        await until(pilot, lambda ids=ids: [*screen.listed] == [run.id for run in ids])
    await pilot.press("s")
    await until(pilot, lambda: [*screen.listed] == [three.id, two.id, one.id] and "by " not in shown(pilot))
    assert "1:05" not in shown(pilot)
    await pilot.resize_terminal(120, 40)
    await until(pilot, lambda: "1:05  accuracy 0.5000" in shown(pilot) and "2023-11-1" not in shown(pilot))
    await pilot.resize_terminal(160, 40)
    await until(pilot, lambda: "2023-11-1" in shown(pilot))


async def test_of_many_runs_the_newest_are_listed(pilot: Pilot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workbench.tui.screens.runs.MAX_LISTED", 3)
    made = make_runs(6)
    screen = await opened(pilot, made[0].id)
    await until(pilot, lambda: [*screen.listed] == [run.id for run in (*made[:2:-1], made[0])])
    assert "4 of 6" in shown(pilot)
