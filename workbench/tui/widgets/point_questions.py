"""A question about an object in an image file: the image, in which points are set by keys or mouse."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.events import MouseDown

from workbench.data import picture_file
from workbench.errors import UserError
from workbench.render.halfblock import Pixel, Rows, render_halfblocks
from workbench.tui.widgets.question_parts import Asked, Drawing, Values

MAX_PIXELS = 200  # of the longer line of the image as it is shown
CURSOR: Pixel = (255, 255, 255)
COLORS: dict[int, Pixel] = {1: (90, 230, 90), 0: (240, 80, 80)}  # of points inside the object, and outside


class PointImage(Drawing):
    """An image with a cursor and points, all in pixels of its file. Each change asks about it.

    Attributes:
        file: The file; empty if there is none.
        cursor: Column and row.
        points: Points that stay: column, row and 1 inside the object or 0 outside.
    """

    BINDINGS = [
        Binding("up", "move(0, -1)", "Move", show=False),
        Binding("down", "move(0, 1)", "Move", show=False),
        Binding("left", "move(-1, 0)", "Move", show=False),
        Binding("right", "move(1, 0)", "Move", show=False),
        Binding("shift+up", "move(0, -8)", "Move far", show=False),
        Binding("shift+down", "move(0, 8)", "Move far", show=False),
        Binding("shift+left", "move(-8, 0)", "Move far", show=False),
        Binding("shift+right", "move(8, 0)", "Move far", show=False),
        Binding("space", "add(1)", "Add point"),
        Binding("x", "add(0)", "Add outside"),
        Binding("c", "clear", "Clear"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self.file = ""
        self.file_size = (0, 0)  # width and height
        self.cursor = (0, 0)
        self.points: list[tuple[int, int, int]] = []
        self._shown: tuple[int, list[list[Pixel]]] = (0, [])  # the image at a size

    def load(self, file: str) -> None:
        """Show an image file, with the cursor in its middle; nothing if it can't be read."""
        if file == self.file:
            return
        self.file, self.file_size, self.points, self._shown = file, (0, 0), [], (0, [])
        if file:
            with suppress(UserError):  # the answer to the question says so
                width, height = self.file_size = picture_file.upright_size(Path(file).expanduser())
                self.cursor = width // 2, height // 2
        self.refresh()

    def prompt(self) -> str:
        """Return the points as `x,y,label`, with spaces between; the cursor is one that is inside."""
        if not all(self.file_size):
            return ""
        is_fixed = self.cursor in [(x, y) for x, y, _ in self.points]
        points = self.points if is_fixed else [*self.points, (*self.cursor, 1)]
        return " ".join(f"{x},{y},{label}" for x, y, label in points)

    def action_move(self, right: int, down: int) -> None:
        """Move the cursor, and ask about the point."""
        step = self._file_pixels()
        self._go(round(self.cursor[0] + right * step), round(self.cursor[1] + down * step))

    def action_add(self, label: int) -> None:
        """Let a point stay at the cursor."""
        self.points = [point for point in self.points if point[:2] != self.cursor]
        self.points.append((*self.cursor, label))
        self._go(*self.cursor)

    def action_clear(self) -> None:
        """Remove all points but the cursor."""
        self.points = []
        self._go(*self.cursor)

    def on_mouse_down(self, event: MouseDown) -> None:
        step = self._file_pixels()
        self._go(int((event.x + 0.5) * step), int((2 * event.y + 1) * step))

    def _go(self, column: int, row: int) -> None:
        if all(self.file_size):
            width, height = self.file_size
            self.cursor = min(max(column, 0), width - 1), min(max(row, 0), height - 1)
            self.refresh()
            self.post_message(Asked({"point": self.prompt()}, is_whole=False))

    def _file_pixels(self) -> float:
        """Return how many pixels of the file a pixel of the drawing stands for."""
        pixels = self._fit()
        return self.file_size[0] / len(pixels[0]) if pixels else 1.0

    def _fit(self) -> list[list[Pixel]]:
        """Return the image at the size that there is; empty if there is none."""
        width, height = self.file_size
        if not width or self.size.width < 2 or self.size.height < 2:
            return []
        size = int(max(width, height) * min(self.size.width / width, 2 * self.size.height / height))
        if self._shown[0] != size:
            pixels = picture_file.resized(Path(self.file).expanduser(), max(2, min(size, MAX_PIXELS)))
            self._shown = size, [[(int(r), int(g), int(b)) for r, g, b in row] for row in pixels.tolist()]
        return self._shown[1]

    def render_rows(self, width: int, height: int) -> Rows:
        if not (pixels := self._fit()):
            return []
        image, step = [list(row) for row in pixels], self._file_pixels()
        for x, y, color in (*((x, y, COLORS[label]) for x, y, label in self.points), (*self.cursor, CURSOR)):
            image[min(int(y / step), len(image) - 1)][min(int(x / step), len(image[0]) - 1)] = color
        return render_halfblocks(image)


class PointQuestions(Vertical):
    """An image, and below it a line for its file and one for each further value.

    Args:
        questions: Name -> its meaning.
    """

    def __init__(self, questions: Mapping[str, str]) -> None:
        super().__init__()
        self.image = PointImage()
        self.values = Values({name: meaning for name, meaning in questions.items() if name != "point"}, is_whole=False)

    def compose(self) -> ComposeResult:
        yield self.values
        yield self.image

    def on_asked(self, event: Asked) -> None:
        """Complete a question: the points with the file."""
        if event.is_whole:
            return
        event.stop()
        question: dict[str, Any] = self.values.entries()
        is_new = question.get("image", "") != self.image.file
        self.image.load(question.get("image", ""))
        if is_new and all(self.image.file_size):
            self.image.focus()
        if points := self.image.prompt():
            question["point"] = points
        self.post_message(Asked(question))
