"""Boxes that are moved by keys and mouse: their IoU, GIoU and NMS, compared with torchvision."""

import re

import pytest
import torch
from textual.pilot import Pilot
from textual.widgets import Static

from tests.workbench.tui.seeing import shown
from workbench.store import Store
from workbench.tui.app import WorkbenchApp
from workbench.tui.screens.boxes import HEIGHT, WIDTH, Boxes, Canvas
from workbench.tui.screens.practice import Practice
from workbench.tui.screens.steps import Steps


async def open_boxes(pilot: Pilot, view: str = "iou") -> Boxes:
    pilot.app.boxes(view)
    await pilot.pause()
    return pilot.app.screen


def values(pilot: Pilot) -> str:
    return " ".join(str(pilot.app.screen.query_one("#values", Static).render()).split())


def assert_measures(pilot: Pilot, screen: Boxes) -> None:
    from torchvision.ops import box_iou, distance_box_iou, generalized_box_iou

    a, b = (torch.tensor([box]).double() for box in screen.view.boxes.values())
    for name, measure in (("IoU", box_iou), ("GIoU", generalized_box_iou), ("DIoU", distance_box_iou)):
        written = re.search(rf"(?<![A-Z]){name} (-?[\d.]+)", values(pilot))
        assert float(written[1]) == pytest.approx(float(measure(a, b)), abs=6e-5)


async def test_keys_move_and_resize_the_selected_box(pilot: Pilot) -> None:
    screen = await open_boxes(pilot)
    assert_measures(pilot, screen)
    await pilot.press("right", "right", "down", "shift+left", "tab", "up", "left")
    assert screen.view.boxes == {"A": [10, 5, 37, 19], "B": [23, 7, 53, 23]}
    assert "box B is selected" in shown(pilot)
    assert_measures(pilot, screen)
    await pilot.press(*["right"] * 40, *["up"] * 40, *["shift+down"] * 40)
    assert screen.view.boxes["B"] == [WIDTH - 30, 0, WIDTH, HEIGHT]
    assert_measures(pilot, screen)
    assert "IoU is 0 at any distance" in values(pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_the_mouse_moves_a_box_and_its_corner(size) -> None:
    app = WorkbenchApp(Store())
    async with app.run_test(size=size) as pilot:
        screen = await open_boxes(pilot)
        canvas = screen.query_one(Canvas)

        async def drag(start: tuple[int, int], end: tuple[int, int]) -> None:
            scale = min((canvas.size.width - 1) / WIDTH, 2 * (canvas.size.height - 1) / HEIGHT)
            cells = [(round(x * scale), round(y * scale / 2)) for x, y in (start, end)]
            await pilot.mouse_down(Canvas, offset=cells[0])
            await pilot.hover(Canvas, offset=cells[1])
            await pilot.mouse_up(Canvas, offset=cells[1])
            await pilot.pause()

        await drag((12, 10), (20, 10))
        x1, y1, x2, y2 = screen.view.boxes["A"]
        assert abs(x1 - 16) <= 1 and (y1, x2 - x1, y2 - y1) == (4, 28, 14)
        await drag((54, 24), (66, 20))
        x1, y1, x2, y2 = screen.view.boxes["B"]
        assert (x1, y1) == (24, 8) and abs(x2 - 66) <= 1 and abs(y2 - 20) <= 2
        assert_measures(pilot, screen)
        before = dict(screen.view.boxes)
        await drag((70, 2), (30, 10))
        assert screen.view.boxes == before


async def test_the_threshold_slides_and_boxes_are_kept_as_torchvision_keeps_them(pilot: Pilot) -> None:
    from torchvision.ops import nms

    screen = await open_boxes(pilot, "nms")
    kept = set()
    for key in [*["minus"] * 9, *["plus"] * 18]:
        await pilot.press(key)
        view = screen.view
        boxes, scores = (
            torch.tensor(list(view.boxes.values())).double(),
            torch.tensor(list(view.scores.values())).double(),
        )
        expected = [list(view.boxes)[k] for k in nms(boxes, scores, view.threshold)]
        assert re.findall(r"(\w) \(", values(pilot).partition("Suppressed")[0]) == expected
        assert f"threshold {view.threshold:.2f}" in shown(pilot)
        kept.add(tuple(expected))
    assert len(kept) > 2
    await pilot.click("#slider", offset=(16 + 30, 0))
    assert 0.4 < screen.view.threshold < 0.6


async def test_drill_and_steps_are_a_key_away(pilot: Pilot) -> None:
    await open_boxes(pilot)
    await pilot.press("right", "s")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Steps) and "A=[9, 4, 37, 18]" in pilot.app.screen.inputs
    await pilot.press("m")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Boxes)
    await pilot.press("o")
    assert pilot.app.screen.name_of_view == "nms"
    await pilot.press("p")
    await pilot.pause()
    assert isinstance(pilot.app.screen, Practice)
