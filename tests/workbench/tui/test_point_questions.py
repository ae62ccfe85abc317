"""The image on which points of an object are set, by keys and by the mouse."""

import pytest
from PIL import Image
from textual.app import App
from textual.widgets import Input

from workbench import data
from workbench.tui.widgets.ask_view import AskView
from workbench.tui.widgets.point_questions import PointImage, PointQuestions
from workbench.tui.widgets.question_parts import Asked

QUESTIONS = {"image": "an image file", "point": "x,y", "box": "x1,y1,x2,y2"}


class Harness(App):
    """An app that collects questions."""

    def __init__(self):
        super().__init__()
        self.questions = []

    def compose(self):
        yield AskView(data.info("shape-scenes"), QUESTIONS)

    def on_asked(self, message: Asked) -> None:
        self.questions.append(message.question)


@pytest.fixture
def file(tmp_path):
    image = Image.new("RGB", (200, 100), "navy")
    image.paste((220, 60, 40), (120, 20, 180, 80))
    image.save(tmp_path / "scene.png")
    return str(tmp_path / "scene.png")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_points_are_set_in_pixels_of_the_file(file, size):
    app = Harness()
    async with app.run_test(size=size) as pilot:
        view = app.query_one(AskView)
        assert isinstance(view.editor, PointQuestions) and [line.name for line in view.query(Input)] == ["image", "box"]
        view.query(Input).first().value = file
        await pilot.press("enter")
        await pilot.pause()
        assert app.questions == [{"image": file, "point": "100,50,1"}]
        image = app.query_one(PointImage)
        assert image.has_focus
        step = 200 / image.size.width
        await pilot.press("shift+right", "up")
        await pilot.pause()
        x, y, label = map(int, app.questions[-1]["point"].split(","))
        assert (x, label) == (pytest.approx(100 + 8 * step, abs=1.5), 1) and y == pytest.approx(50 - step, abs=1)
        await pilot.press("space", "shift+down", "x")
        await pilot.pause()
        first, second = app.questions[-1]["point"].split()
        assert first == f"{x},{y},1" and second.endswith(",0")
        await pilot.press("c")
        await pilot.click(image, offset=(2, 1))
        await pilot.pause()
        x, y, _ = map(int, app.questions[-1]["point"].split(","))
        assert (x, y) == (pytest.approx(2.5 * step, abs=1), pytest.approx(3 * step, abs=1))
        colors = {segment.style.color.name for row in image.render_rows(*image.size) for segment in row}
        assert len(colors) > 2
        await pilot.press(*["shift+left"] * 30)
        assert image.cursor[0] == 0  # it stays in the image


async def test_a_file_that_cannot_be_read_is_still_asked_about(tmp_path):
    app = Harness()
    async with app.run_test() as pilot:
        app.query(Input).first().value = str(tmp_path / "nowhere.png")
        await pilot.press("enter")
        await pilot.pause()
        assert app.questions == [{"image": str(tmp_path / "nowhere.png")}]
        await pilot.press("shift+right")
