"""The Lab's form: what it shows, what it orders, and that nothing written is lost."""

import json
import os
import shlex
import signal
import time

import pytest
from textual.pilot import Pilot
from textual.widgets import Static

from tests.patience import PATIENCE
from tests.workbench.engine.test_option_texts import ordered
from tests.workbench.tui.seeing import shown, until
from workbench.engine import RunSpec, heartbeat, runs
from workbench.engine.executor import processors
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.home import Home
from workbench.tui.screens.lab import Lab
from workbench.tui.widgets.field import Choice, Field
from workbench.tui.widgets.form import OWN, Form
from workbench.tui.widgets.problem import Problem


async def opened(pilot: Pilot, model: str = "mlp") -> Lab:
    pilot.app.lab(model)
    await pilot.pause()
    assert isinstance(pilot.app.screen, Lab)
    return pilot.app.screen


async def fill(pilot: Pilot, **texts: str) -> None:
    for name, text in texts.items():
        field = pilot.app.screen.query_one(f"#{name}-field", Field)
        field.text = text
    await pilot.pause()


def fields(lab: Lab) -> dict[str, Field]:
    """The fields that are shown."""
    return {field.field: field for field in lab.query(Field) if field.display}


def command(lab: Lab) -> str:
    return str(lab.query_one("#command", Static).render())


async def test_only_what_means_something_is_shown(pilot: Pilot) -> None:
    lab = await opened(pilot)
    there = set(fields(lab))
    assert {"beta1", "eps", "batch_size", "dropout", "batch_norm"} <= there
    assert not {"momentum", "decay", "init_scale", "augment"} & there
    await fill(pilot, optimizer="gd", schedule="step", init="normal", model="lenet5")
    there = set(fields(lab))
    assert {"decay", "decay_every", "init_scale", "augment"} <= there
    assert not {"beta1", "batch_size", "dropout", "batch_norm", "momentum"} & there


@pytest.mark.full
async def test_tasks_are_those_that_fit(pilot: Pilot) -> None:
    lab = await opened(pilot, "lenet5")
    task = lab.query_one("#task", Choice)
    assert (task.prompt, task.names) == ("digits", ["cifar10", "mnist", "mnist-5k", "shapes", OWN])
    await fill(pilot, model="linear-regression")
    assert task.prompt == "diabetes" and "moons" in task.names and "digits" not in task.names


@pytest.mark.full
async def test_ones_own_data_are_ordered_by_their_path(pilot: Pilot, tmp_path) -> None:
    lab = await opened(pilot, "lenet5")
    assert "own" not in fields(lab)
    await fill(pilot, task=OWN)
    assert command(lab).startswith("? Say where your own data are: folder:PATH")
    lab.query_one("#lr").focus()
    await pilot.press("enter")
    assert lab.focused is fields(lab)["own"].editor and runs.every() == []
    await pilot.press("enter")  # the sentence was read
    await fill(pilot, own=str(tmp_path))
    assert fields(lab)["own"].has_class("wrong")
    await fill(pilot, own=f"folder:{tmp_path}/my pets", origin="lenet5-0001")
    spec, _ = lab.query_one(Form).order()
    assert spec == RunSpec.create("lenet5", task=f"folder:{tmp_path}/my pets", origin="lenet5-0001")
    assert ordered(shlex.split(command(lab))[2:]) == spec
    await fill(pilot, task="shapes")  # what was written is kept, and not ordered
    assert "own" not in fields(lab) and command(lab) == "workbench train lenet5 --task shapes --from lenet5-0001"


@pytest.mark.full
async def test_what_is_usual_stands_where_nothing_is_written(pilot: Pilot) -> None:
    lab = await opened(pilot)
    line = lab.query_one("#lr")
    assert (line.placeholder, lab.query_one("#epochs").placeholder) == ("0.003", "20")
    await fill(pilot, optimizer="momentum")
    assert (line.placeholder, lab.query_one("#momentum").placeholder) == ("0.05", "0.9")
    await fill(pilot, steps="100")
    assert lab.query_one("#epochs").placeholder == ""


async def test_the_command_line_orders_what_the_form_orders(pilot: Pilot) -> None:
    lab = await opened(pilot)
    assert command(lab) == "workbench train mlp"
    await fill(pilot, task="wine", epochs="3", optimizer="nesterov", momentum="0.5", batch_norm="yes", seed="7")
    await fill(pilot, options="activation=tanh hidden_sizes=[8]", schedule="step", decay="0.3", init="uniform")
    spec, seeds = lab.query_one(Form).order()
    assert seeds == [7] and (spec.data.task, spec.optimizer.momentum, spec.network.options["hidden_sizes"]) == (
        "wine",
        0.5,
        [8],
    )
    assert ordered(shlex.split(command(lab))[2:]) == spec
    await fill(pilot, seed="0..4")
    assert command(lab).endswith("--seeds 0..4")


@pytest.mark.full
async def test_what_does_not_apply_is_kept_and_not_ordered(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, optimizer="momentum", momentum="0.7", dropout="0.2")
    assert "--momentum 0.7" in command(lab)
    await fill(pilot, optimizer="", model="lenet5")
    assert command(lab) == "workbench train lenet5"
    await fill(pilot, optimizer="momentum", model="mlp")
    assert "--momentum 0.7" in command(lab) and "--dropout 0.2" in command(lab)


IMPOSSIBLE = [  # what is written, what is said of it, the field that is marked
    ({"epochs": "two"}, "epochs must be an integer of at least 1, not 'two'", "epochs"),
    ({"lr": "-1"}, "lr must be a number above 0", "lr"),
    ({"options": "tanh"}, "name=value", "options"),
    ({"seed": "4..0"}, "Seeds are written 0..4", "seed"),
    ({"epochs": "1", "steps": "1"}, "not both", None),
]


async def test_what_cannot_be_is_said_beside_the_form_and_starts_nothing(pilot: Pilot) -> None:
    lab = await opened(pilot)
    for texts, sentence, marked in IMPOSSIBLE:
        await fill(pilot, **texts)
        assert sentence in command(lab) and command(lab).startswith("? ")
        assert [name for name, field in fields(lab).items() if field.has_class("wrong")] == [marked] * bool(marked)
        lab.query_one("#device").focus()
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(pilot.app.screen, Problem) and runs.every() == []
        await pilot.press("escape")
        await pilot.pause()
        assert pilot.app.screen is lab
        assert {name: lab.query_one(f"#{name}-field", Field).text for name in texts} == texts
        if marked:
            assert lab.focused is lab.query_one(f"#{marked}")
        await fill(pilot, **dict.fromkeys(texts, ""))
        assert command(lab) == "workbench train mlp"


@pytest.mark.full
async def test_nothing_is_lost_by_leaving_and_coming_back(pilot: Pilot) -> None:
    lab = await opened(pilot, "lenet5")
    await fill(pilot, optimizer="momentum", momentum="0.x", augment="shift", preset="paper", task="mnist-5k")
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Home)
    await pilot.press("l")
    await pilot.pause()
    again = pilot.app.screen
    assert again is not lab
    kept = {field.field: field.text for field in again.query(Field)}
    assert kept["momentum"] == "0.x" and kept["augment"] == "shift"
    assert (kept["model"], kept["task"], kept["preset"], kept["optimizer"]) == (
        "lenet5",
        "mnist-5k",
        "paper",
        "momentum",
    )


@pytest.mark.full
async def test_the_keyboard_reaches_every_field_and_says_what_it_is(pilot: Pilot) -> None:
    lab = await opened(pilot)
    assert lab.focused is lab.query_one("#model")
    seen = []
    while (name := lab.focused.id) not in seen:
        seen.append(name)
        if name in fields(lab):
            assert str(lab.query_one("#about", Static).render()) == fields(lab)[name].about
        await pilot.press("tab")
        await pilot.pause()
    assert set(fields(lab)) <= set(seen)
    lab.query_one("#epochs").focus()
    await pilot.press("down")
    assert lab.focused.id == "monitor"
    await pilot.press("up")
    assert lab.focused.id == "epochs"
    lab.query_one("#optimizer").focus()
    await pilot.press("right")
    await pilot.pause()
    assert lab.query_one("#optimizer").value == "gd" and "--optimizer gd" in command(lab)
    await pilot.press("left", "left")
    await pilot.pause()
    assert command(lab) == "workbench train mlp"


async def test_seeds_are_runs_that_are_drawn_together(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, steps="20", seed="3,5")
    await pilot.press("ctrl+s")
    await pilot.pause()
    assert runs.every()[0].spec.seed == 3
    await until(pilot, lambda: lab.is_compared)
    one, two = runs.every()
    assert (one.status(), two.status(), two.spec.seed) == ("done", "done", 5)
    assert one.spec == RunSpec.create("mlp", steps=20, seed=3)
    assert lab.view.run == two and not lab.view.running
    assert shown(pilot).count(one.id) and list(lab.view.beside) == [one.id]
    assert lab.view.beside[one.id].start["seed"] == 3 and len(lab.view.beside[one.id].metrics()) > 0


@pytest.mark.full
async def test_a_run_whose_worker_is_killed_is_watched_to_its_end(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, steps="20000")
    await pilot.press("ctrl+s")
    await until(pilot, lambda: lab.view.run and (lab.view.run.folder / "last.safetensors").exists())
    os.kill(json.loads((lab.view.run.folder / "worker.json").read_text())["pid"], signal.SIGKILL)
    await until(pilot, lambda: lab.view.status == "done")
    assert lab.view.run.last_event()["step"] == 20000 and len(runs.every()) == 1


@pytest.mark.full
async def test_leaving_the_app_leaves_its_run_to_its_end() -> None:
    app = WorkbenchApp(Store())
    async with app.run_test(size=(80, 24)) as pilot:
        lab = await opened(pilot)
        await fill(pilot, steps="3000")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: lab.view.watcher.state.metrics())
        [run] = runs.every()
        pid = json.loads((run.folder / "worker.json").read_text())["pid"]
        assert run.status() == "running"
    assert run.wait(PATIENCE) == "done"
    late = time.monotonic() + PATIENCE
    while heartbeat._exists(pid):
        assert time.monotonic() < late
        os.sched_yield()


@pytest.mark.full
async def test_stopping_ends_the_seeds_that_wait(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, epochs="9999", seed="0..3")
    await pilot.press("ctrl+s")
    await until(pilot, lambda: lab.view.watcher.state.metrics())
    waiting = max(0, 4 - processors())
    await until(pilot, lambda: pilot.app.orders.waiting == waiting)
    if waiting:
        await until(pilot, lambda: f"{waiting} more to come" in shown(pilot))
    await pilot.press("ctrl+x")
    await until(pilot, lambda: not lab.view.running and pilot.app.orders.is_done)
    pilot.app.orders.look()
    assert [run.status() for run in runs.every()] == ["stopped"] * (4 - waiting)


@pytest.mark.full
async def test_a_refusal_of_the_worker_ends_them_too_and_shows_the_form(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, batch_size="5000", seed="0..1")
    await pilot.press("ctrl+s")
    await until(pilot, lambda: isinstance(pilot.app.screen, Problem))
    assert "larger than" in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    await until(pilot, lambda: pilot.app.orders.is_done)
    pilot.app.orders.look()
    assert runs.every() == [] and lab.query_one(Form).display
    assert lab.query_one("#batch_size-field", Field).text == "5000"


@pytest.mark.full
async def test_in_a_low_terminal_form_and_run_take_turns(pilot: Pilot) -> None:
    lab = await opened(pilot)
    await fill(pilot, steps="5")
    await pilot.press("ctrl+s")
    await pilot.pause()
    assert lab.view.display and not lab.query_one(Form).display
    await until(pilot, lambda: not lab.view.running)
    await pilot.press("ctrl+o")
    await pilot.pause()
    assert lab.query_one(Form).display and lab.focused is lab.query_one("#model")
    await pilot.resize_terminal(120, 40)
    await pilot.pause()
    assert lab.view.display and lab.query_one(Form).display
