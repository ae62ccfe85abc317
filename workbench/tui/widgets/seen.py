"""What a run's network says of test samples: one kind of picture at a time."""

from typing import Any

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from workbench.render import predictions


class Seen(Widget):
    """Draws one kind of a run's pictures, as large as it is itself."""

    DEFAULT_CSS = "Seen { height: 1fr; }"

    def __init__(self) -> None:
        super().__init__()
        self.kind = ""
        self._pictures: list[dict[str, Any]] = []
        self._rows: list[Strip] = []

    def show(self, pictures: list[dict[str, Any]], kind: str) -> None:
        """Draw a kind of these pictures; nothing where it is empty."""
        if pictures is not self._pictures or kind != self.kind:  # what stands is not drawn again at every look
            self._pictures, self.kind = pictures, kind
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        rows = []
        if self.kind and width > 0 and height > 1:
            heading = [Segment(predictions.KINDS[self.kind][0], Style(bold=True))]
            drawn = [heading, *predictions.draw(self._pictures, self.kind, width, height - 1)]
            rows = [Strip(row).adjust_cell_length(width, self.rich_style) for row in drawn]
        self._rows = rows
        self.refresh()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        return self._rows[y].apply_style(self.rich_style)
