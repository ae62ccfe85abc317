"""Where everything of a line chart goes within its cells, and its rows drawn so."""

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET, Canvas
from workbench.render.chart_data import ChartData, Series
from workbench.render.downsampling import telling, thinned, within
from workbench.render.scale import Scale, is_shown, written

COLORS = ("cyan", "yellow", "magenta", "green", "blue", "red")
MOST = 16  # points a cell: more of them make no other picture
MIN_PLOT = 8  # cells; where the names at the lines' ends would leave less, they stand below
Label = tuple[str, float, Style]  # what it says, the y that it belongs to, its colour
Point = tuple[float, float]
Line = list[Point | None]  # None is a gap


class Layout:
    """A chart's scales, labels and plot for so many cells in a row.

    Attributes:
        left: Cells before the plot: the numbers of the y axis.
        width: Cells of the plot.
        height: Rows of the plot.
        read: The x that the values are read at; None where they are the last ones.
    """

    def __init__(self, chart: ChartData, cells: int):
        self.chart, self.cells = chart, cells
        series = [thinned(within(line, chart.window), MOST * cells) for line in chart.series]
        self.lines = [points(line, chart.log) for line in series]
        shown = [[point for point in line if point] for line in self.lines]
        xs = [x for line in shown for x, _ in line]
        self.read = None if chart.cursor is None else nearest(xs, chart.cursor)
        self.guides = {name: value for name, value in chart.guides.items() if is_shown(value, chart.log)}
        self.x = Scale(*chart.window) if chart.window else Scale.around(xs)
        self.y = Scale.around([*(y for line in shown for _, y in line), *self.guides.values()], chart.log)
        self.styles = [
            Style(color=line.color or COLORS[place % len(COLORS)]) for place, line in enumerate(chart.series)
        ]
        self.labels = self._labels(shown)

        self.left = max((len(written(tick)) for tick in self.y.ticks(chart.height)), default=0) + 1
        names = max((len(text) for text, _, _ in self.labels), default=0) + 1
        head = int(bool(chart.title))
        self.below = cells - self.left - names < MIN_PLOT or len(self.labels) > chart.height - 2 - head
        self.width = max(1, cells - self.left - (0 if self.below else names))
        self.height = max(1, chart.height - 1 - head - (len(self.labels) if self.below else 0))

    def _labels(self, shown: list[list[Point]]) -> list[Label]:
        """Each line's name with its value, then the guides'."""
        labels = []
        for line, known, style in zip(self.chart.series, shown, self.styles, strict=True):
            if known:
                value = value_at(known, self.read)
                labels.append((f"{line.name} {written(value)}", value, style))
        return labels + [(f"{name} {written(value)}", value, QUIET) for name, value in self.guides.items()]

    def rows(self) -> list[list[Segment]]:
        """The chart as rows of styled texts, each as many cells wide."""
        rows = [self._title()] if self.chart.title else []
        canvas = self._drawn()
        ticks = {self._row(tick): written(tick) for tick in self.y.ticks(max(2, self.height // 2))}
        ends = (
            {} if self.below else placed([(self._row(y), text, style) for text, y, style in self.labels], self.height)
        )
        for row in range(self.height):
            text, style = ends.get(row, ("", PLAIN))
            tick = Segment(ticks.get(row, "").rjust(self.left - 1) + ("┤" if row in ticks else "│"), QUIET)
            rows.append([tick, *canvas.row(row), Segment(f" {text}" if text else "", style)])
        rows.append([Segment(self._x_axis(), QUIET)])
        rows += [[Segment(text, style)] for text, _, style in self.labels if self.below]
        return [Segment.adjust_line_length(row, self.cells) for row in rows]

    def _title(self) -> list[Segment]:
        where = "" if self.read is None else f"  {self.chart.x_name} {written(self.read)}"
        return [Segment(self.chart.title, Style(bold=True)), Segment(where, QUIET)]

    def _drawn(self) -> Canvas:
        """The plot: the lines before the guides and the crosshair."""
        canvas = Canvas(self.width, self.height)
        if self.read is not None:
            canvas.stem(round(self.x.place(self.read) * (2 * self.width - 1)) // 2)
        for value in self.guides.values():
            canvas.rule(self._row(value))
        for line, known, style in zip(self.chart.series, self.lines, self.styles, strict=True):
            canvas.paint(dots(known, self.x, self.y, canvas), style, line.dotted)
        return canvas

    def _row(self, number: float) -> int:
        """The row of cells that a number's dot lies in; 0 is the top one."""
        return (4 * self.height - 1 - round(self.y.place(number) * (4 * self.height - 1))) // 4

    def _x_axis(self) -> str:
        """Round numbers under the plot, and what they count where there is room for it."""
        axis, name = "", self.chart.x_name
        for tick in self.x.ticks(max(2, self.width // 10)):
            text = written(tick)
            start = self.left + round(self.x.place(tick) * (self.width - 1)) - len(text) // 2
            start = min(max(self.left, start), self.left + self.width - len(text))
            if start > len(axis) or not axis:
                axis = axis.ljust(start) + text
        return f"{axis} {name}" if len(axis) + len(name) < self.left + self.width else axis


def points(line: Series, log: bool) -> Line:
    """A series' points; None where there is a gap."""
    return [
        (x, y) if y is not None and is_shown(x) and is_shown(y, log) else None
        for x, y in zip(line.xs, line.ys, strict=True)
    ]


def nearest(xs: Sequence[float], x: float) -> float | None:
    """The one of the numbers that is nearest to `x`."""
    return min(xs, key=lambda other: abs(other - x), default=None)


def value_at(line: list[Point], x: float | None) -> float:
    """The y of the point nearest to `x`; of the last one where no x is given."""
    return line[-1][1] if x is None else min(line, key=lambda point: abs(point[0] - x))[1]


def dots(line: Line, x_scale: Scale, y_scale: Scale, canvas: Canvas) -> Iterator[tuple[int, int] | None]:
    """A line's points as dots of the canvas; of those in one column the first, last and extremes."""
    right, bottom = 2 * canvas.width - 1, 4 * canvas.height - 1
    column: list[tuple[int, int]] = []

    def told(column: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
        return (column[place] for place in telling([row for _, row in column]))

    for point in line:
        if point is None:
            yield from told(column)
            yield None
            column = []
            continue
        dot = (round(x_scale.place(point[0]) * right), bottom - round(y_scale.place(point[1]) * bottom))
        if column and column[0][0] != dot[0]:
            yield from told(column)
            column = []
        column.append(dot)
    yield from told(column)


def placed(labels: list[tuple[int, str, Style]], height: int) -> dict[int, tuple[str, Style]]:
    """Each label in the free row nearest to its own; those that come first have the choice."""
    taken: dict[int, tuple[str, Style]] = {}
    for row, text, style in labels:
        free = min(
            (other for other in range(height) if other not in taken), key=lambda other: (abs(other - row), other)
        )
        taken[free] = (text, style)
    return taken
