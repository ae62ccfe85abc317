"""A line chart in braille: eight dots per cell, drawn by Rich or, row by row, by anything that draws cells."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from workbench.render.chart_data import ChartData, Series
from workbench.render.downsampling import within
from workbench.render.layout import Layout, points

__all__ = ["LineChart", "Series"]


class LineChart(ChartData):
    """A chart that Rich can print."""

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
