"""The braille line chart as a widget."""

from dataclasses import replace

from textual.strip import Strip
from textual.widget import Widget

from workbench.show.chart import LineChart


class Chart(Widget):
    """Draws a `LineChart` as large as it is itself, row by row."""

    DEFAULT_CSS = "Chart { height: 1fr; min-height: 6; }"

    def __init__(self, name: str):
        super().__init__(name=name)
        self._chart = LineChart([], title=name)
        self._rows: list[Strip] = []

    def show(self, chart: LineChart) -> None:
        """Draw another chart."""
        self._chart = chart
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if width > 0 and height > 0:
            chart = replace(self._chart, height=height, width=width)
            self._rows = [Strip(row).adjust_cell_length(width, self.rich_style) for row in chart.rows(width)]
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        return self._rows[y].apply_style(self.rich_style)
