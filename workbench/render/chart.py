"""A line chart in braille, eight dots per cell: printed by Rich, or taken row by row."""

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment

from workbench.render.chart_layout import ChartLayout, to_points
from workbench.render.chart_spec import ChartSpec, Series
from workbench.render.downsampling import select_window

__all__ = ["LineChart", "Series"]


class LineChart(ChartSpec):
    """A chart that Rich can print."""

    def xs(self) -> list[float]:
        """Return every x in the window at which some series has a point, in ascending order."""
        lines = (to_points(select_window(line, self.window), self.log, self.log_x) for line in self.series)
        return sorted({point[0] for line in lines for point in line if point})

    def rows(self, width: int) -> list[list[Segment]]:
        """Return the chart as rows of segments, each `width` cells wide."""
        return ChartLayout(self, width).rows()

    def plot_columns(self, width: int) -> range:
        """Return the columns of the plot itself, between the y axis and the names at the ends of the lines."""
        layout = ChartLayout(self, width)
        return range(layout.left, layout.left + layout.width)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for row in self.rows(self.width or options.max_width):
            yield from row
            yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self.width or options.max_width, self.width or options.max_width)
