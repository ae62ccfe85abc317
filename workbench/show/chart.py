"""A line chart in braille: eight dots a cell, drawn by Rich or, row by row, by whoever draws cells."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from workbench.show.layout import Layout, points
from workbench.show.thinning import within


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
        window: The part of the x axis that is shown; all of it where none is given.
        cursor: An x to read the values at: a line there, and the values of the nearest point instead of the last ones.
    """

    series: Sequence[Series]
    title: str = ""
    width: int | None = None
    height: int = 12
    log: bool = False
    guides: dict[str, float] = field(default_factory=dict)
    x_name: str = "step"
    window: tuple[float, float] | None = None
    cursor: float | None = None

    def xs(self) -> list[float]:
        """Every x within the window that has a point, ascending."""
        lines = (points(within(line, self.window), self.log) for line in self.series)
        return sorted({point[0] for line in lines for point in line if point})

    def rows(self, width: int) -> list[list[Segment]]:
        """The chart as rows of styled texts, each `width` cells wide."""
        return Layout(self, width).rows()

    def plot(self, width: int) -> range:
        """The columns that the plot takes, between the axis and the names at the lines' ends."""
        layout = Layout(self, width)
        return range(layout.left, layout.left + layout.width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows(self.width or options.max_width):
            yield from row
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width or options.max_width, self.width or options.max_width)
