"""Inspect: every kind of visualization of a network, by sample and layer; leaving the screen does not wait."""

from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot

from tests.patience import PATIENCE
from tests.trained_runs import train_run
from tests.workbench.tui.seeing import settled, shown, until
from workbench.engine import Run, Verifier, interpret, profile
from workbench.tui.screens.inspect import Inspect
from workbench.tui.screens.runs import Runs


@pytest.fixture
def requests(monkeypatch):
    """The requested visualizations, which are computed in this process, because it has imported torch."""
    requests = []

    def ask(verifier, job, timeout, on_progress):
        selection = job["kind"], job["layer"], job["sample"]
        requests.append(selection)
        on_progress(0.5)
        return interpret.compute(Run(Path(job["folder"])), *selection, on_progress)

    monkeypatch.setattr(Verifier, "ask", ask)
    return requests


async def open_screen(pilot: Pilot, run: Run) -> Inspect:
    pilot.app.runs(run.id)
    await pilot.pause()
    await settled(pilot)
    await pilot.press("i")
    await settled(pilot)
    assert isinstance(pilot.app.screen, Inspect)
    return pilot.app.screen


async def test_each_kind_is_a_key(pilot: Pilot, requests) -> None:
    screen = await open_screen(pilot, train_run("lenet5-modern", steps=3))
    assert "c1: 6 filters 5x5" in shown(pilot) and "Layer" not in shown(pilot)
    for key, text in (
        ("m", "6x16x16"),
        ("e", "test samples are misclassified"),
        ("r", "Theoretical receptive field: 14x14"),
        ("w", "  sd "),
        ("v", "norm"),
        ("f", "filters"),
    ):
        await pilot.press(key)
        await settled(pilot)
        screen.query_one("#sheet").scroll_end(animate=False)
        assert text in shown(pilot), key
    assert [kind for kind, *_ in requests] == ["filters", "maps", "errors", "field", "weights", "gradients", "filters"]
    assert screen.copied() == "workbench runs inspect lenet5-modern-0001 filters"


async def test_a_run_without_images_begins_with_its_weights(pilot: Pilot, requests) -> None:
    screen = await open_screen(pilot, train_run("mlp", steps=3, task="iris"))
    assert screen.kind == "weights" and "layers.0.weight" in shown(pilot)
    await pilot.press("d")
    await settled(pilot)
    assert "32 units are dead" in shown(pilot) and "activations.0" in shown(pilot)


async def test_a_training_step_is_profiled(pilot: Pilot, monkeypatch) -> None:
    monkeypatch.setattr(Verifier, "ask", lambda verifier, job, *_: profile.compute(Run(Path(job["folder"]))))
    screen = await open_screen(pilot, train_run("mlp", steps=3, task="iris"))
    await pilot.press("p")
    await settled(pilot)
    assert "A training step of mlp (mini) on iris, batch of 32, on cpu" in shown(pilot)
    assert "activations.0" in shown(pilot) and screen.copied() == "workbench runs profile mlp-0001"


@pytest.mark.full
async def test_keys_go_through_samples_and_layers(pilot: Pilot, requests) -> None:
    screen = await open_screen(pilot, train_run("lenet5-modern", steps=3))
    for key in ("m", "n", "n", "N", "l", "l", "L", "L", "L"):
        await pilot.press(key)
        await settled(pilot)
    layers = [(layer, sample) for kind, layer, sample in requests if kind == "maps"]
    assert layers[:4] == [(None, 0), (None, 1), (None, 2), (None, 1)]
    assert layers[4:] == [("c1", 1), ("tanh1", 1), ("c1", 1), (None, 1), ("s4", 1)]
    assert screen.copied() == "workbench runs inspect lenet5-modern-0001 maps --layer s4 --sample 1"
    await pilot.press("r", "l")
    await settled(pilot)
    assert screen.visualization and screen.visualization["layer"] == "tanh3" and requests[-1] == ("field", "tanh3", 1)


@pytest.mark.parametrize("damage", ["no images", "no checkpoint", "no convolution"])
async def test_what_is_impossible_is_a_sentence(pilot: Pilot, requests, damage) -> None:
    run = train_run("mlp", steps=3, **({"task": "iris"} if damage == "no images" else {}))
    if damage == "no checkpoint":
        for file in run.folder.glob("*.safetensors"):
            file.unlink()
    await open_screen(pilot, run)
    if damage != "no checkpoint":
        await pilot.press("m" if damage == "no convolution" else "f")
        await settled(pilot)
    assert damage in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs)


async def test_leaving_does_not_wait(pilot: Pilot, monkeypatch) -> None:
    entered, ended = Event(), Event()

    def ask(verifier, job, timeout, on_progress):
        entered.set()
        assert ended.wait(PATIENCE)
        return {}

    monkeypatch.setattr(Verifier, "ask", ask)
    monkeypatch.setattr(Verifier, "interrupt", lambda verifier: ended.set())
    pilot.app.runs(train_run("lenet5-modern", steps=3).id)
    await pilot.pause()
    await settled(pilot)
    await pilot.press("i")
    await until(pilot, entered.is_set)
    assert "Running PyTorch" in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs) and ended.is_set()
    await settled(pilot)
