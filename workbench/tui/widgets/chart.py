"""The braille line chart as a widget: read along it with the arrows or the mouse, and look closer."""

from dataclasses import replace

from textual.binding import Binding
from textual.events import Click, MouseScrollDown, MouseScrollUp
from textual.strip import Strip
from textual.widget import Widget

from workbench.render.chart import LineChart
from workbench.render.scale import Scale

STOPS = 100  # of the crosshair on its way along the chart, about


class Chart(Widget, can_focus=True):
    """Draws a `LineChart` as large as it is itself, row by row."""

    DEFAULT_CSS = """
    Chart { height: 1fr; min-height: 6; }
    Chart:focus { background: $surface; }
    """
    BINDINGS = [
        Binding("left,h", "read(-1)", "Read", key_display="←→"),
        Binding("right,l", "read(1)", show=False),
        Binding("plus,equals_sign", "zoom(0.5)", "Zoom", key_display="+-"),
        Binding("minus", "zoom(2)", show=False),
        Binding("0", "whole", "Whole"),
    ]

    def __init__(self, name: str):
        super().__init__(name=name)
        self._chart = LineChart([], title=name)
        self._rows: list[Strip] = []
        self.cursor: float | None = None
        self.window: tuple[float, float] | None = None

    def show(self, chart: LineChart) -> None:
        """Draw another chart; where one reads it and how closely stays."""
        self._chart = replace(chart, cursor=self.cursor, window=self.window)
        self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        width, height = self.size
        if width > 0 and height > 0:
            chart = replace(self._chart, height=height, width=width)
            self._rows = [Strip(row).adjust_cell_length(width, self.rich_style) for row in chart.rows(width)]
            self.refresh()

    def _look_at(self, cursor: float | None, window: tuple[float, float] | None) -> None:
        self.cursor, self.window = cursor, window
        self.show(self._chart)

    def action_read(self, way: int) -> None:
        """Move the crosshair to the next point; the first time it comes from the end that the way leads from."""
        if not (xs := self._chart.xs()):
            return
        if self.cursor is None:
            place = len(xs) - 1 if way < 0 else 0
        else:
            cursor = self.cursor
            now = min(range(len(xs)), key=lambda place: abs(xs[place] - cursor))
            place = min(max(now + way * -(-len(xs) // STOPS), 0), len(xs) - 1)
        self._look_at(xs[place], self.window)

    def action_zoom(self, share: float) -> None:
        """Show a share of what is shown now, around the crosshair or else at the end of the lines."""
        whole = replace(self._chart, window=None).xs()
        if len(whole) < 2:
            return
        axis = Scale(whole[0], whole[-1], self._chart.log_x)
        start, end = (axis.position(x) for x in self.window or (whole[0], whole[-1]))
        width = (end - start) * share
        if width >= 1:
            self._look_at(self.cursor, None)
            return
        middle = end if self.cursor is None else axis.position(self.cursor)
        start = min(max(middle - width / 2, 0), 1 - width)
        low, high = axis.number(start), axis.number(start + width)
        if sum(low <= x <= high for x in whole) > 1:  # closer there is nothing to see
            self._look_at(self.cursor, (low, high))

    def forget(self) -> None:
        """What is shown next is another line altogether: all of it, without the crosshair."""
        self.cursor = self.window = None

    def action_whole(self) -> None:
        """Show all of it, without the crosshair."""
        self._look_at(None, None)

    def on_click(self, event: Click) -> None:
        """Put the crosshair to where the mouse points, as nearly as the axis is known."""
        if (xs := self._chart.xs()) and self.size.width > 1:
            plot = self._plot()
            share = (event.x - plot.start) / max(1, len(plot) - 1)
            axis = Scale(*(self.window or (xs[0], xs[-1])), self._chart.log_x)
            self._look_at(axis.number(min(max(share, 0), 1)), self.window)

    def _plot(self) -> range:
        """The columns of the plot, between the axis and the names at the lines' ends."""
        return replace(self._chart, height=self.size.height).plot_columns(self.size.width)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        event.stop()
        self.action_zoom(0.5)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        event.stop()
        self.action_zoom(2)

    def render_line(self, y: int) -> Strip:
        if y >= len(self._rows):
            return Strip.blank(self.size.width, self.rich_style)
        return self._rows[y].apply_style(self.rich_style)
