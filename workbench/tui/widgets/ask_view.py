"""A question to a trained network, and its answer: a point, a drawn image, a word of a map, or values by name."""

import json
from collections.abc import Mapping
from typing import Any

from rich.segment import Segment, Segments
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.events import MouseDown, MouseMove, Resize
from textual.widgets import Input, Static

from workbench.data.dataset import DataSet
from workbench.render import predictions
from workbench.render.halfblock import Rows
from workbench.render.word_map import cell_places, draw_map, nearest
from workbench.tui.widgets.point_questions import PointQuestions
from workbench.tui.widgets.question_parts import Asked, Drawing, Values

MAX_PAD = 28  # pixels of an image that can be drawn by hand
MAX_ENLARGED = 3  # times, of an image that is drawn
MOVE = 1 / 31  # of the plane, for an arrow key
PAPER, INK, CURSOR = "·", "█", "▒"


class Plane(Drawing):
    """A plane, and a point in it that the arrow keys move.

    It shows the decision regions of a network with two inputs, or the codes of an autoencoder.
    """

    BINDINGS = [
        Binding("up", "move(0, 1)", "Move", show=False),
        Binding("down", "move(0, -1)", "Move", show=False),
        Binding("left", "move(-1, 0)", "Move", show=False),
        Binding("right", "move(1, 0)", "Move", show=False),
        Binding("shift+up", "move(0, 8)", "Move far", show=False),
        Binding("shift+down", "move(0, -8)", "Move far", show=False),
        Binding("shift+left", "move(-8, 0)", "Move far", show=False),
        Binding("shift+right", "move(8, 0)", "Move far", show=False),
    ]

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names
        self.regions: dict[str, Any] | None = None
        self.point = [0.0, 0.0]  # standardized
        self.mean = self.deviation = [0.0, 0.0]

    def on_mount(self) -> None:
        self.post_message(Asked({}))

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take the regions from the answer to an empty question."""
        if "regions" in answer:
            self.regions, self.point = answer["regions"], list(answer["point"])
            self.mean, self.deviation = answer["mean"], answer["deviation"]
            self.refresh()

    def action_move(self, right: int, up: int) -> None:
        """Move the point, and ask about it."""
        if self.regions is None:
            return
        for axis, (way, bounds) in enumerate(((right, self.regions["x"]), (up, self.regions["y"]))):
            low, high = bounds
            self.point[axis] = min(max(self.point[axis] + way * MOVE * (high - low), low), high)
        self.refresh()
        values = [m + d * p for m, d, p in zip(self.mean, self.deviation, self.point, strict=True)]
        self.post_message(Asked({name: repr(value) for name, value in zip(self.names, values, strict=True)}))

    def render_rows(self, width: int, height: int) -> Rows:
        if self.regions is None:
            return []
        regions = {**self.regions, "point": self.point}
        return predictions.draw([regions], regions["kind"], width, height)


class Pad(Drawing):
    """An image that is drawn by hand, pixel by pixel.

    Args:
        height: Pixels.
        width: Pixels.
    """

    BINDINGS = [
        Binding("up", "move(0, -1)", "Move", show=False),
        Binding("down", "move(0, 1)", "Move", show=False),
        Binding("left", "move(-1, 0)", "Move", show=False),
        Binding("right", "move(1, 0)", "Move", show=False),
        Binding("shift+up", "paint(0, -1)", "Paint", show=False),
        Binding("shift+down", "paint(0, 1)", "Paint", show=False),
        Binding("shift+left", "paint(-1, 0)", "Paint", show=False),
        Binding("shift+right", "paint(1, 0)", "Paint", show=False),
        Binding("space", "invert", "Paint/erase"),
        Binding("c", "clear", "Clear"),
    ]

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.pixels = [[0.0] * width for _ in range(height)]
        self.row, self.column = height // 4, width // 2

    def ask(self) -> None:
        """Ask about the image."""
        self.refresh()
        self.post_message(Asked({"pixels": json.dumps(self.pixels)}, is_whole=False))

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor."""
        self.row = min(max(self.row + down, 0), len(self.pixels) - 1)
        self.column = min(max(self.column + right, 0), len(self.pixels[0]) - 1)
        self.refresh()

    def action_paint(self, right: int, down: int) -> None:
        """Paint the pixel under the cursor, and the next one."""
        self._ink(self.row, self.column)
        self.action_move(right, down)
        self._ink(self.row, self.column)
        self.ask()

    def action_invert(self) -> None:
        """Paint the pixel under the cursor, or erase it."""
        self.pixels[self.row][self.column] = 0.0 if self.pixels[self.row][self.column] else 1.0
        self.ask()

    def action_clear(self) -> None:
        """Erase all pixels."""
        self.pixels = [[0.0] * len(row) for row in self.pixels]
        self.ask()

    def on_mouse_down(self, event: MouseDown) -> None:
        self._paint_at(event.x, event.y)

    def on_mouse_move(self, event: MouseMove) -> None:
        if event.button:
            self._paint_at(event.x, event.y)

    def _factor(self) -> int:
        """Return how many rows, and twice as many columns of characters, a pixel has."""
        fitting = min(self.size.width // (2 * len(self.pixels[0])), self.size.height // len(self.pixels))
        return min(max(fitting, 1), MAX_ENLARGED)

    def _paint_at(self, x: int, y: int) -> None:
        factor = self._factor()
        row, column = y // factor, x // (2 * factor)
        if row < len(self.pixels) and column < len(self.pixels[0]):
            self.row, self.column = row, column
            self._ink(row, column)
            self.ask()

    def _ink(self, row: int, column: int) -> None:
        """Paint a pixel; a pen is two pixels wide in a large image."""
        wide = 1 if len(self.pixels) <= MAX_PAD // 2 else 2
        for y in range(row, min(row + wide, len(self.pixels))):
            for x in range(column, min(column + wide, len(self.pixels[0]))):
                self.pixels[y][x] = 1.0

    def render_rows(self, width: int, height: int) -> Rows:
        factor = self._factor()
        first = max(0, min(self.row - height // 2, len(self.pixels) - height // factor))
        rows: Rows = []
        for y, row in list(enumerate(self.pixels))[first:]:
            pixels = [(INK if value else PAPER) * 2 * factor for value in row]
            if y == self.row:
                pixels[self.column] = CURSOR * factor + (INK if row[self.column] else PAPER) * factor
            rows += [[Segment("".join(pixels))]] * factor
        return rows


class ImageQuestions(Vertical):
    """An image that is drawn by hand, and below it a line for each further value, such as another image.

    Args:
        height: Pixels of the image.
        width: Pixels of the image.
        questions: Name -> its meaning.
    """

    OTHER_IMAGES = ("image", "sample")  # values that stand for an image, in place of the drawn one

    def __init__(self, height: int, width: int, questions: Mapping[str, str]) -> None:
        super().__init__()
        self.pad = Pad(height, width)
        self.values = Values({name: meaning for name, meaning in questions.items() if name != "pixels"}, is_whole=False)

    def compose(self) -> ComposeResult:
        yield self.pad
        yield self.values

    def on_asked(self, event: Asked) -> None:
        """Complete a question: the drawn image with the values, unless they name another image."""
        if event.is_whole:
            return
        event.stop()
        others = {name: value for name, value in self.values.entries().items() if name not in self.OTHER_IMAGES}
        question = {**event.question, **others}
        if not question.keys() & {"pixels", *self.OTHER_IMAGES}:
            question["pixels"] = json.dumps(self.pad.pixels)
        self.post_message(Asked(question))


class WordMap(Drawing):
    """A map of words; the arrow keys move to the nearest word in a direction, which is named.

    Attributes:
        cursor: The index of the word at the cursor.
    """

    BINDINGS = [
        Binding("up", "move(0, 1)", "Move", show=False),
        Binding("down", "move(0, -1)", "Move", show=False),
        Binding("left", "move(-1, 0)", "Move", show=False),
        Binding("right", "move(1, 0)", "Move", show=False),
        Binding("t", "switch", "PCA/t-SNE"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.map: dict[str, Any] | None = None
        self.cursor = 0

    def on_mount(self) -> None:
        self.post_message(Asked({"map": "pca"}))

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take the map from the answer to a question for one."""
        if answer.get("kind") == "map":
            self.map = dict(answer)
            self.refresh()

    def action_switch(self) -> None:
        """Ask for a map by the other method."""
        if self.map is not None:
            self.post_message(Asked({"map": "tsne" if self.map["method"] == "PCA" else "pca"}))

    def action_move(self, right: int, up: int) -> None:
        """Move to the nearest word in a direction, and ask for the words that are most similar to it."""
        if self.map is not None:
            self._select(nearest(self.map["points"], self.cursor, right, up))

    def on_mouse_down(self, event: MouseDown) -> None:
        if self.map is not None:
            width, height = self.size
            places = cell_places(self.map["points"], width, max(1, height - 1))
            distances = [abs(column - event.x) + 2 * abs(row - event.y) for column, row in places]
            self._select(distances.index(min(distances)))

    def _select(self, index: int) -> None:
        assert self.map is not None
        self.cursor = index
        self.refresh()
        self.post_message(Asked({"word": self.map["words"][index]}))

    def render_rows(self, width: int, height: int) -> Rows:
        if self.map is None:
            return []
        return draw_map(self.map, width, height, cursor=self.cursor)


class WordQuestions(Vertical):
    """A map of words, and below it a line for each value of a question about them.

    Args:
        questions: Name -> its meaning.
    """

    def __init__(self, questions: Mapping[str, str]) -> None:
        super().__init__()
        self.values = Values({name: meaning for name, meaning in questions.items() if name != "map"})

    def compose(self) -> ComposeResult:
        yield WordMap()
        yield self.values

    def take(self, answer: Mapping[str, Any]) -> None:
        """Take the map from the answer to a question for one."""
        self.query_one(WordMap).take(answer)


class AskView(Horizontal):
    """A question on the left, the network's answer on the right; below one another where it is narrow.

    Args:
        dataset: The dataset of the run.
        questions: What can be asked: name -> its meaning.
    """

    DEFAULT_CSS = """
    AskView { height: 1fr; }
    AskView #editor { width: 1fr; height: 1fr; }
    AskView #answer { width: 1fr; height: 1fr; margin-left: 2; }
    AskView .line { height: 1; }
    AskView .label { text-style: bold; }
    AskView .meaning { height: auto; margin-top: 1; color: $text-muted; }
    AskView Input { width: 1fr; }
    AskView Pad:focus, AskView Plane:focus { text-style: bold; }
    AskView WordMap { height: 1fr; }
    AskView WordQuestions Values, AskView ImageQuestions Values { height: auto; max-height: 60%; }
    AskView ImageQuestions Pad { height: 1fr; }
    AskView PointQuestions Values { height: auto; }
    AskView PointQuestions PointImage { height: 1fr; margin-top: 1; }
    """

    def __init__(self, dataset: DataSet, questions: Mapping[str, str]) -> None:
        super().__init__()
        self.answer: dict[str, Any] | None = None
        self.editor = make_editor(dataset, questions)

    def compose(self) -> ComposeResult:
        with Vertical(id="editor"):
            yield self.editor
        with VerticalScroll(id="answer", can_focus=False):
            yield Static(markup=False)

    def on_mount(self) -> None:
        starts: Any = self.editor.query(WordMap) or self.editor.query(Pad) or self.editor.query(Input)
        (starts.first() if starts else self.editor).focus()

    def show_answer(self, answer: dict[str, Any]) -> None:
        """Show the answer to the newest question."""
        if isinstance(self.editor, Plane | WordQuestions):
            self.editor.take(answer)
        if isinstance(self.editor, WordQuestions) and answer.get("kind") == "map":
            return  # it is on the left
        self.answer = answer
        self._draw()

    def on_resize(self, event: Resize) -> None:
        self.call_after_refresh(self._draw)

    def _draw(self) -> None:
        place = self.query_one("#answer")
        width, height = place.size
        if self.answer is None or width <= 1 or height <= 1:
            return
        # What stands on the left is not drawn again on the right.
        shown = {name: value for name, value in self.answer.items() if name not in ("pixels", "regions")}
        rows = predictions.draw([shown], str(self.answer.get("kind")), width - 1, height)
        cells = [segment for row in rows for segment in (*row, Segment.line())]
        place.query_one(Static).update(Segments(cells))


def make_editor(
    dataset: DataSet, questions: Mapping[str, str]
) -> Plane | Pad | ImageQuestions | PointQuestions | WordQuestions | Values:
    """Return what a question is put with: a plane for two features or for codes, a pad or points for images, a map."""
    if {"z1", "z2"} <= questions.keys():
        return Plane(["z1", "z2"])
    if {"image", "point"} <= questions.keys():
        return PointQuestions(questions)
    if dataset.modality == "words":
        return WordQuestions(questions)
    if dataset.shape == (2,) and dataset.classes:
        return Plane(list(questions))
    if len(dataset.shape) == 3 and dataset.shape[0] == 1 and max(dataset.shape[1:]) <= MAX_PAD:
        height, width = dataset.shape[1:]
        return Pad(height, width) if set(questions) == {"pixels"} else ImageQuestions(height, width, questions)
    return Values(questions)
