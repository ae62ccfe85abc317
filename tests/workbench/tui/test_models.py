"""Models: searched, counted without a wait, drawn, sorted, and taken to the Lab."""

import subprocess
import sys
from itertools import groupby
from threading import Event

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Input, OptionList, Static

import models
from tests.patience import PATIENCE
from tests.workbench.tui.seeing import settled, shown
from workbench.errors import UserError
from workbench.render import layers
from workbench.tui.screens.home import Home
from workbench.tui.screens.lab import Lab
from workbench.tui.screens.models import Models
from workbench.tui.widgets.network_table import NetworkTable


async def opened(pilot: Pilot, name: str = "") -> Models:
    pilot.app.models(name)
    await pilot.pause()
    assert isinstance(pilot.app.screen, Models)
    return pilot.app.screen


def listed(screen: Models) -> list[str]:
    return [option.id for option in screen.query_one("#found", OptionList).options]


async def test_networks_stand_in_the_order_of_their_years(pilot: Pilot, counted) -> None:
    screen = await opened(pilot)
    assert sorted(listed(screen)) == models.names()
    years = [models.info(name).year for name in listed(screen)]
    assert years == sorted(years) and years[0] == 1805
    groups = [key for key, _ in groupby((models.info(name).year, models.info(name).family) for name in listed(screen))]
    assert len(groups) == len(set(groups))  # a family stands together


SEARCHES = {
    "1998": ["lenet5", "lenet5-modern"],
    "RESIDUAL 2015 18": ["resnet18"],
    "legendre": ["linear-regression"],
    "softmax probabilities": ["softmax-regression"],
    "nothing of the kind": [],
}


async def test_a_search_looks_at_name_family_year_topic_and_idea(pilot: Pilot, counted) -> None:
    screen = await opened(pilot)
    for words, names in SEARCHES.items():
        await pilot.press("/")
        screen.query_one("#search", Input).value = words
        await pilot.pause()
        assert set(names) <= set(listed(screen)) and (len(listed(screen)) < 3 or not names)
        assert (listed(screen) == []) == (names == [])
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(pilot.app.screen, Models)


async def test_counts_come_when_they_are_there_and_nothing_waits(pilot: Pilot, monkeypatch) -> None:
    from models import cost

    go = Event()

    def slow(name: str, preset: str):
        assert go.wait(PATIENCE)
        return cost.summarize(name, preset).to_dict()

    monkeypatch.setattr(layers, "compute", slow)
    screen = await opened(pilot, "mlp")
    assert "counting ..." in shown(pilot) and "mlp · 1986" in shown(pilot)
    await pilot.press("up", "down")  # the screen still answers
    assert screen.chosen == "mlp"
    go.set()
    await settled(pilot)
    text = shown(pilot)
    assert "counting" not in text
    # 784*256 + 256 + 256*10 + 10 parameters and 784*256 + 256*10 products; the mini is 64-32-10
    for number in ("203,530", "203,264", "406,528", "2,410", "2,368", "4,736"):
        assert number in text


@pytest.mark.full
async def test_the_table_has_the_layers_of_the_preset_and_the_diagram_takes_its_place(pilot: Pilot, counted) -> None:
    screen = await opened(pilot, "lenet5-modern")
    await settled(pilot)
    table = screen.sheet.query_one(DataTable)
    rows = [[str(cell) for cell in table.get_row_at(k)] for k in range(table.row_count)]
    assert rows[0] == ["c1", "6x28x28", "156", "117,600", "Conv2d"]
    assert sum(int(row[2].replace(",", "") or 0) for row in rows) == 61_706
    await pilot.press("p")
    await settled(pilot)
    assert str(table.get_row_at(0)[1]) == "6x16x16"
    await pilot.press("d")
    await pilot.pause()
    assert not table.display and "c1: Conv2d 5x5, then Tanh" in shown(pilot)
    await pilot.press("l")
    await pilot.pause()
    assert "1998 lenet5" not in shown(pilot) and "6x16x16" in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert "1998 lenet5" in shown(pilot)
    await pilot.press("escape")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Home)


async def test_what_cannot_be_counted_is_said(pilot: Pilot, monkeypatch) -> None:
    def fails(name: str, preset: str):
        raise UserError("The layers of mlp can't be counted: no memory.")

    monkeypatch.setattr(layers, "compute", fails)
    screen = await opened(pilot, "mlp")
    await settled(pilot)
    assert "no memory" in str(screen.sheet.query_one("#counts", Static).render())


@pytest.mark.full
async def test_all_networks_are_sorted_in_a_table(pilot: Pilot, counted) -> None:
    screen = await opened(pilot, "mlp")
    screen.query_one("#search", Input).value = "regression"
    await settled(pilot)
    await pilot.press("t")
    await settled(pilot)
    table = screen.query_one(NetworkTable)

    def column(at: int) -> list[str]:
        return [str(table.get_row_at(k)[at]) for k in range(table.row_count)]

    assert set(column(0)) >= {"linear-regression", "logistic-regression", "softmax-regression"}
    table.order_by("name")
    assert column(0) == sorted(column(0))
    for name, at in (("params", 2), ("macs", 3)):
        table.order_by(name)
        numbers = [int(said.replace(",", "")) for said in column(at)]
        assert numbers == sorted(numbers) and len(set(numbers)) > 1
    table.order_by("macs")  # once more, as by a second click
    assert [int(said.replace(",", "")) for said in column(3)] == sorted(numbers, reverse=True)
    await pilot.press("S")
    assert [int(said.replace(",", "")) for said in column(3)] == sorted(numbers)
    await pilot.press("s")
    assert table.by == "idea" and column(4) == sorted(column(4))
    await pilot.press("s")
    assert table.by == "name" and column(0) == sorted(column(0))
    await pilot.press("escape")
    await pilot.pause()
    assert not screen.in_table and listed(screen)


@pytest.mark.full
async def test_a_click_on_a_head_sorts_by_its_column_and_a_second_turns_it_round(pilot: Pilot, counted) -> None:
    screen = await opened(pilot, "mlp")
    screen.query_one("#search", Input).value = "regression"  # so that few must be counted
    await settled(pilot)
    await pilot.press("t")
    await settled(pilot)
    table = screen.query_one(NetworkTable)
    for turned in (False, True):
        await pilot.click(NetworkTable, offset=(2, 0))
        await pilot.pause()
        names = [str(table.get_row_at(k)[0]) for k in range(table.row_count)]
        assert table.by == "name" and names == sorted(names, reverse=turned)


@pytest.mark.full
async def test_the_family_tree_takes_the_place_of_the_list(pilot: Pilot, counted) -> None:
    screen = await opened(pilot, "densenet121")
    await settled(pilot)
    await pilot.press("f")
    await settled(pilot)
    text = shown(pilot)
    assert screen.in_tree and "2016" in text and "● densenet: densenet121 to densenet201" in text
    await pilot.press("up")
    await pilot.pause()
    assert screen.chosen == "resnet18"
    await pilot.press("f")
    await pilot.pause()
    assert not screen.in_tree and screen.sheet.known and screen.sheet.known.name == "resnet18"
    screen.query_one("#search", Input).value = "densenet"
    await pilot.press("f")
    await settled(pilot)
    assert "mobilenet" not in shown(pilot)
    await pilot.press("t")
    await pilot.pause()
    assert screen.in_table
    await pilot.press("f", "enter")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Lab)


async def test_enter_takes_the_network_to_the_lab(pilot: Pilot, counted) -> None:
    await opened(pilot, "lenet5")
    await pilot.press("enter")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Lab)
    assert "workbench train lenet5" in shown(pilot)


PROGRAM = """
import asyncio, sys
from workbench.render import layers
from workbench.errors import UserError
def refuse(name, preset):
    raise UserError("Not now.")
layers.compute = refuse
from workbench.store import Store
from workbench.tui.app import WorkbenchApp

async def look():
    app = WorkbenchApp(Store())
    app.verifier.warm = lambda: None
    async with app.run_test() as pilot:
        for screen in (lambda: app.models("resnet18"), app.lab):
            screen()
            await pilot.pause()
            await app.workers.wait_for_complete()

asyncio.run(look())
sys.exit(bool({"torch", "torchvision"} & set(sys.modules)))
"""


def test_the_app_never_imports_torch(home) -> None:
    assert subprocess.run([sys.executable, "-c", PROGRAM], timeout=PATIENCE).returncode == 0


async def test_a_table_that_is_drawn_before_the_app_is_idle_keeps_its_columns_width(pilot: Pilot, counted) -> None:
    screen = await opened(pilot, "vgg11")
    await settled(pilot)
    screen.sheet.on_resize()  # fills the table anew
    shown(pilot)  # draws it
    await settled(pilot)
    assert "features.0" in shown(pilot)
