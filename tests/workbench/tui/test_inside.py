"""Inside: every kind of picture of a run's network, sample by sample and layer by layer, and left without a wait."""

from threading import Event

import pytest
from textual.pilot import Pilot

from tests.patience import PATIENCE
from tests.trained_runs import train_run
from tests.workbench.tui.seeing import settled, shown, until
from workbench.engine import Run, Verifier
from workbench.tui.screens.inside import Inside
from workbench.tui.screens.runs import Runs


@pytest.fixture
def asked(monkeypatch):
    """Pictures are made in this process, which has torch already; the list says which."""
    from workbench.engine import inside

    asked = []

    def ask(verifier, order, timeout, told):
        asked.append((order["kind"], order["layer"], order["sample"]))
        told(0.5)
        return inside.made(Run(inside.Path(order["folder"])), order["kind"], order["layer"], order["sample"], told)

    monkeypatch.setattr(inside, "Path", __import__("pathlib").Path, raising=False)
    monkeypatch.setattr(Verifier, "ask", ask)
    return asked


async def opened(pilot: Pilot, run: Run) -> Inside:
    pilot.app.runs(run.id)
    await pilot.pause()
    await settled(pilot)
    await pilot.press("i")
    await settled(pilot)
    assert isinstance(pilot.app.screen, Inside)
    return pilot.app.screen


async def test_each_kind_is_a_key(pilot: Pilot, asked) -> None:
    screen = await opened(pilot, train_run("lenet5-modern", steps=3))
    assert "c1: 6 filters 5x5" in shown(pilot) and "Layer" not in shown(pilot)
    for key, said in (
        ("m", "6x16x16"),
        ("e", "test samples are misclassified"),
        ("r", "Theoretical receptive field: 14x14"),
        ("f", "filters"),
    ):
        await pilot.press(key)
        await settled(pilot)
        screen.query_one("#sheet").scroll_end(animate=False)
        assert said in shown(pilot), key
    assert [kind for kind, *_ in asked] == ["filters", "maps", "errors", "field", "filters"]
    assert screen.copied() == "workbench runs inspect lenet5-modern-0001 filters"


@pytest.mark.full
async def test_samples_and_layers_follow_one_another(pilot: Pilot, asked) -> None:
    screen = await opened(pilot, train_run("lenet5-modern", steps=3))
    for key in ("m", "n", "n", "N", "l", "l", "L", "L", "L"):
        await pilot.press(key)
        await settled(pilot)
    layers = [(layer, sample) for kind, layer, sample in asked if kind == "maps"]
    assert layers[:4] == [(None, 0), (None, 1), (None, 2), (None, 1)]
    assert layers[4:] == [("c1", 1), ("tanh1", 1), ("c1", 1), (None, 1), ("s4", 1)]
    assert screen.copied() == "workbench runs inspect lenet5-modern-0001 maps --layer s4 --sample 1"
    await pilot.press("r", "l")
    await settled(pilot)
    assert screen.found and screen.found["layer"] == "tanh3" and asked[-1] == ("field", "tanh3", 1)


@pytest.mark.parametrize("damage", ["no pictures", "no checkpoint", "no convolution"])
async def test_what_cannot_be_shown_is_a_sentence(pilot: Pilot, asked, damage) -> None:
    run = train_run("mlp", steps=3, **({"task": "iris"} if damage == "no pictures" else {}))
    if damage == "no checkpoint":
        for file in run.folder.glob("*.safetensors"):
            file.unlink()
    await opened(pilot, run)
    if damage == "no convolution":
        await pilot.press("m")
        await settled(pilot)
    assert damage in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs)


async def test_who_leaves_does_not_wait(pilot: Pilot, monkeypatch) -> None:
    entered, ended = Event(), Event()

    def ask(verifier, order, timeout, told):
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
    assert "Asking PyTorch" in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Runs) and ended.is_set()
    await settled(pilot)
