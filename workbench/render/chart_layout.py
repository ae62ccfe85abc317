"""The layout of a line chart in a given number of cells, and its rows."""

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET, Canvas
from workbench.render.chart_spec import ChartSpec, Series
from workbench.render.downsampling import downsample, extreme_points, select_window
from workbench.render.scale import Scale, format_tick, is_drawable

COLORS = ("cyan", "yellow", "magenta", "green", "blue", "red", "bright_magenta", "bright_green")
POINTS_PER_CELL = 16  # more points would not change the drawing
GAP = "   "  # between two names in a row
MIN_PLOT_WIDTH = 8  # cells; if the names at the ends of the lines would leave less, they are written below
Label = tuple[str, float, Style]  # text, the y that it belongs to, color
Point = tuple[float, float]
Line = list[Point | None]  # None is a gap


class ChartLayout:
    """The scales, labels and plot of a chart that is `cells` wide.

    Attributes:
        left: Cells to the left of the plot, which hold the numbers of the y axis.
        width: Cells per row of the plot.
        height: Rows of the plot.
        ends: The ends of the y axis, if these are its numbers.
        legend: Rows of names below the plot; none if they are at the ends of the lines.
        cursor_x: The x of the point nearest to the cursor; None if there is no cursor.
    """

    def __init__(self, chart: ChartSpec, cells: int):
        self.chart, self.cells = chart, cells
        series = [downsample(select_window(line, chart.window), POINTS_PER_CELL * cells) for line in chart.series]
        self.lines = [to_points(line, chart.log, chart.log_x) for line in series]
        finite = [[point for point in line if point] for line in self.lines]
        xs = [x for line in finite for x, _ in line]
        self.cursor_x = None if chart.cursor is None else nearest(xs, chart.cursor)
        self.guides = {name: value for name, value in chart.guides.items() if is_drawable(value, chart.log)}
        self.x = Scale(*chart.window, chart.log_x) if chart.window else Scale.fit(xs, chart.log_x)
        self.y = Scale.fit([*(y for line in finite for _, y in line), *self.guides.values()], chart.log)
        self.styles = [Style(color=line.color or COLORS[k % len(COLORS)]) for k, line in enumerate(chart.series)]
        self.labels = self._labels(finite)

        # A narrow range may have no two round numbers for a few rows: then its ends are written.
        self.ends = [self.y.low, self.y.high] if len(self.y.ticks(max(2, chart.height // 2 - 1))) < 2 else []
        numbers = self.ends or self.y.ticks(chart.height)
        self.left = max((len(format_tick(tick)) for tick in numbers), default=0) + 1
        names = max((len(text) for text, _, _ in self.labels), default=0) + 1
        head = int(bool(chart.title))
        self.below = cells - self.left - names < MIN_PLOT_WIDTH or len(self.labels) > chart.height - 2 - head
        self.width = max(1, cells - self.left - (0 if self.below else names))
        self.legend = fill_rows(self.labels, cells) if self.below else []
        self.height = max(1, chart.height - 1 - head - len(self.legend))

    def _labels(self, lines: list[list[Point]]) -> list[Label]:
        """Return each line's name with its value, then those of the guides."""
        labels = []
        for series, points, style in zip(self.chart.series, lines, self.styles, strict=True):
            if points:
                value = value_at(points, self.cursor_x)
                labels.append((f"{series.name} {format_tick(value)}", value, style))
        return labels + [(f"{name} {format_tick(value)}", value, QUIET) for name, value in self.guides.items()]

    def rows(self) -> list[list[Segment]]:
        """Return the chart as rows of segments, each `cells` wide."""
        rows = [self._title()] if self.chart.title else []
        canvas = self._plot()
        numbers = self.ends or self.y.ticks(max(2, self.height // 2))
        ticks = {self._row(number): format_tick(number) for number in numbers}
        ends = {}
        if not self.below:
            ends = assign_rows([(self._row(y), text, style) for text, y, style in self.labels], self.height)
        for row in range(self.height):
            text, style = ends.get(row, ("", PLAIN))
            tick = Segment(ticks.get(row, "").rjust(self.left - 1) + ("┤" if row in ticks else "│"), QUIET)
            rows.append([tick, *canvas.row(row), Segment(f" {text}" if text else "", style)])
        rows.append([Segment(self._x_axis(), QUIET)])
        rows += self.legend
        return [Segment.adjust_line_length(row, self.cells) for row in rows]

    def _title(self) -> list[Segment]:
        cursor = "" if self.cursor_x is None else f"  {self.chart.x_name} {format_tick(self.cursor_x)}"
        return [Segment(self.chart.title, Style(bold=True)), Segment(cursor, QUIET)]

    def _plot(self) -> Canvas:
        """Return the lines on a canvas, with the guides and the cursor behind them."""
        canvas = Canvas(self.width, self.height)
        if self.cursor_x is not None:
            canvas.add_vertical_line(round(self.x.position(self.cursor_x) * (2 * self.width - 1)) // 2)
        for value in self.guides.values():
            canvas.add_horizontal_line(self._row(value))
        for series, line, style in zip(self.chart.series, self.lines, self.styles, strict=True):
            canvas.paint(to_dots(line, self.x, self.y, canvas), style, series.dotted)
        return canvas

    def _row(self, number: float) -> int:
        """Return the row of the cell that holds a number's dot; row 0 is at the top."""
        return (4 * self.height - 1 - round(self.y.position(number) * (4 * self.height - 1))) // 4

    def _x_axis(self) -> str:
        """Return the row below the plot: the ticks of the x axis, and its name if there is room for it."""
        axis, name = "", self.chart.x_name
        for tick in self.x.ticks(max(2, self.width // 10)):
            text = format_tick(tick)
            start = self.left + round(self.x.position(tick) * (self.width - 1)) - len(text) // 2
            start = min(max(self.left, start), self.left + self.width - len(text))
            if start > len(axis) or not axis:
                axis = axis.ljust(start) + text
        return f"{axis} {name}" if len(axis) + len(name) < self.left + self.width else axis


def to_points(series: Series, log: bool, log_x: bool = False) -> Line:
    """Return the points of a series, with None for each gap."""
    return [
        (x, y) if y is not None and is_drawable(x, log_x) and is_drawable(y, log) else None
        for x, y in zip(series.xs, series.ys, strict=True)
    ]


def nearest(xs: Sequence[float], x: float) -> float | None:
    """Return the number that is closest to `x`; None if there are no numbers."""
    return min(xs, key=lambda other: abs(other - x), default=None)


def value_at(line: list[Point], x: float | None) -> float:
    """Return the y of the point closest to `x`; of the last point if `x` is None."""
    return line[-1][1] if x is None else min(line, key=lambda point: abs(point[0] - x))[1]


def to_dots(line: Line, x_scale: Scale, y_scale: Scale, canvas: Canvas) -> Iterator[tuple[int, int] | None]:
    """Yield the canvas dots of a line's points; of those in one column only the first, last and extreme ones."""
    right, bottom = 2 * canvas.width - 1, 4 * canvas.height - 1
    column: list[tuple[int, int]] = []

    def reduced(column: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        return (column[index] for index in extreme_points([row for _, row in column]))

    for point in line:
        if point is None:
            yield from reduced(column)
            yield None
            column = []
            continue
        dot = (round(x_scale.position(point[0]) * right), bottom - round(y_scale.position(point[1]) * bottom))
        if column and column[0][0] != dot[0]:
            yield from reduced(column)
            column = []
        column.append(dot)
    yield from reduced(column)


def fill_rows(labels: list[Label], cells: int) -> list[list[Segment]]:
    """Return labels side by side in as few rows as their order allows."""
    rows: list[list[Segment]] = []
    room = 0
    for text, _, style in labels:
        if not rows or len(text) + len(GAP) > room:
            rows.append([Segment(text, style)])
            room = cells - len(text)
        else:
            rows[-1] += [Segment(GAP), Segment(text, style)]
            room -= len(GAP) + len(text)
    return rows


def assign_rows(labels: list[tuple[int, str, Style]], height: int) -> dict[int, tuple[str, Style]]:
    """Return each label by its row: the free row closest to its own, where earlier labels choose first."""
    rows: dict[int, tuple[str, Style]] = {}
    for row, text, style in labels:
        free = min((other for other in range(height) if other not in rows), key=lambda other: (abs(other - row), other))
        rows[free] = (text, style)
    return rows
