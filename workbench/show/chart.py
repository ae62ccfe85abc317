"""A line chart in braille: eight dots a cell, drawn by Rich or, row by row, by whoever draws cells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from workbench.show.canvas import PLAIN, QUIET, Canvas
from workbench.show.scale import Scale, is_shown, written

COLORS = ("cyan", "yellow", "magenta", "green", "blue", "red")
MIN_PLOT = 8  # cells; where the names at the lines' ends would leave less, they stand below


@dataclass(frozen=True)
class Series:
    """One named line: its name and last value stand at its right end, so that its colour is never its only sign.

    Attributes:
        name: What it is.
        xs: Ascending.
        ys: As long as `xs`; None, NaN and infinity are gaps.
        color: A colour that Rich knows; one of `COLORS` by its place where none is given.
        dotted: Every other stretch of the line is left out.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    color: str | None = None
    dotted: bool = False


@dataclass(frozen=True)
class LineChart:
    """Series over a common x axis; the same input always gives the same cells.

    Attributes:
        series: Painted in this order; where two meet in a cell, the later one has it.
        title: A line above.
        width: Cells in all; what the console has where none is given.
        height: Rows in all.
        log: Whether the y axis is logarithmic; what isn't above 0 is then a gap.
        guides: Horizontal lines to compare with, by name.
        x_name: What x counts, in the last row.
    """

    series: Sequence[Series]
    title: str = ""
    width: int | None = None
    height: int = 12
    log: bool = False
    guides: dict[str, float] = field(default_factory=dict)
    x_name: str = "step"

    def rows(self, width: int) -> list[list[Segment]]:
        """The chart as rows of styled texts, each `width` cells wide."""
        lines = [points(line, self.log) for line in self.series]
        shown = [[point for point in line if point] for line in lines]
        guides = {name: value for name, value in self.guides.items() if is_shown(value, self.log)}
        x_scale = Scale.around([x for line in shown for x, _ in line])
        y_scale = Scale.around([*(y for line in shown for _, y in line), *guides.values()], self.log)
        styles = [Style(color=line.color or COLORS[place % len(COLORS)]) for place, line in enumerate(self.series)]
        labels = [
            (f"{line.name} {written(known[-1][1])}", known[-1][1], style)
            for line, known, style in zip(self.series, shown, styles, strict=True)
            if known
        ] + [(f"{name} {written(value)}", value, QUIET) for name, value in guides.items()]

        head = int(bool(self.title))
        ticks_room = max((len(written(tick)) for tick in y_scale.ticks(self.height)), default=0) + 1
        names_room = max((len(text) for text, _, _ in labels), default=0) + 1
        below = width - ticks_room - names_room < MIN_PLOT or len(labels) > self.height - 2 - head
        plot_width = max(1, width - ticks_room - (0 if below else names_room))
        plot_height = max(1, self.height - 1 - head - (len(labels) if below else 0))

        canvas = Canvas(plot_width, plot_height)
        for value in guides.values():
            canvas.rule(row_of(y_scale, value, plot_height))
        for line, known, style in zip(self.series, lines, styles, strict=True):
            canvas.paint(dots(known, x_scale, y_scale, canvas), style, line.dotted)

        ticks = {row_of(y_scale, tick, plot_height): written(tick) for tick in y_scale.ticks(max(2, plot_height // 2))}
        ends = (
            {}
            if below
            else placed([(row_of(y_scale, y, plot_height), text, st) for text, y, st in labels], plot_height)
        )
        rows = [[Segment(self.title, Style(bold=True))]] if self.title else []
        for row in range(plot_height):
            text, style = ends.get(row, ("", PLAIN))
            tick = Segment(ticks.get(row, "").rjust(ticks_room - 1) + ("┤" if row in ticks else "│"), QUIET)
            rows.append([tick, *canvas.row(row), Segment(f" {text}" if text else "", style)])
        rows.append([Segment(self._x_axis(x_scale, ticks_room, plot_width), QUIET)])
        rows += [[Segment(text, style)] for text, _, style in labels if below]
        return [Segment.adjust_line_length(row, width) for row in rows]

    def _x_axis(self, scale: Scale, left: int, width: int) -> str:
        """Round numbers under the plot, and what they count where there is room for it."""
        axis = ""
        for tick in scale.ticks(max(2, width // 10)):
            text = written(tick)
            start = left + round(scale.place(tick) * (width - 1)) - len(text) // 2
            start = min(max(left, start), left + width - len(text))
            if start > len(axis) or not axis:
                axis = axis.ljust(start) + text
        return f"{axis} {self.x_name}" if len(axis) + len(self.x_name) < left + width else axis

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows(self.width or options.max_width):
            yield from row
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width or options.max_width, self.width or options.max_width)


def points(line: Series, log: bool) -> list[tuple[float, float] | None]:
    """A series' points; None where there is a gap."""
    return [
        (x, y) if y is not None and is_shown(x) and is_shown(y, log) else None
        for x, y in zip(line.xs, line.ys, strict=True)
    ]


def dots(
    line: list[tuple[float, float] | None], x_scale: Scale, y_scale: Scale, canvas: Canvas
) -> Iterator[tuple[int, int] | None]:
    """A line's points as dots of the canvas; of those in one column the first, last and extremes."""
    right, bottom = 2 * canvas.width - 1, 4 * canvas.height - 1
    column: list[tuple[int, int]] = []
    for point in line:
        if point is None:
            yield from thinned(column)
            yield None
            column = []
            continue
        dot = (round(x_scale.place(point[0]) * right), bottom - round(y_scale.place(point[1]) * bottom))
        if column and column[0][0] != dot[0]:
            yield from thinned(column)
            column = []
        column.append(dot)
    yield from thinned(column)


def thinned(column: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """First, lowest, highest and last of the dots in one column, in their order: no more is to be seen of them."""
    if len(column) < 4:
        return column
    heights = [row for _, row in column]
    kept = {0, heights.index(min(heights)), heights.index(max(heights)), len(column) - 1}
    return [column[place] for place in sorted(kept)]


def row_of(scale: Scale, number: float, height: int) -> int:
    """The row of cells that a number's dot lies in; 0 is the top one."""
    return (4 * height - 1 - round(scale.place(number) * (4 * height - 1))) // 4


def placed(labels: list[tuple[int, str, Style]], height: int) -> dict[int, tuple[str, Style]]:
    """Each label in the free row nearest to its own; those that come first have the choice."""
    taken: dict[int, tuple[str, Style]] = {}
    for row, text, style in labels:
        free = min(
            (other for other in range(height) if other not in taken), key=lambda other: (abs(other - row), other)
        )
        taken[free] = (text, style)
    return taken
