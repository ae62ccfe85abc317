"""Axes around a canvas of braille: curves, with marks where points lie."""

from collections.abc import Callable, Iterable

from workbench.render.canvas import PLAIN, Canvas
from workbench.render.scale import Scale, written
from workbench.render.visualizations.grid import Grid, spread

Point = tuple[float, float]


class Plot:
    """A plot that just holds what it is to show.

    Args:
        xs: What the x axis must reach.
        ys: What the y axis must reach.
        width: Cells in a row, axis included.
        height: Rows, axis included.
        has_numbers: Whether numbers stand along the y axis.
    """

    def __init__(self, xs: Iterable[float], ys: Iterable[float], width: int, height: int, has_numbers: bool = True):
        self.x, self.y = Scale.around(list(xs)), Scale.around(list(ys))
        ticks = self.y.ticks(max(2, height // 3)) if has_numbers else []
        left = max((len(written(tick)) for tick in ticks), default=0) + 1
        self._canvas = Canvas(width - left, height - 1)
        self._ticks = {self._row(tick): written(tick) for tick in ticks}
        self._left = left
        self._marks: list[tuple[int, int, str]] = []
        self._uprights: list[int] = []
        self._labels: list[tuple[int, str]] = []

    def curve(self, points: Iterable[Point], dotted: bool = False) -> None:
        """Join points by straight lines; what lies outside is left out."""
        dots = [self._dot(*point) if self._holds(*point) else None for point in points]
        self._canvas.paint(dots, PLAIN, dotted)

    def function(self, f: Callable[[float], float], dotted: bool = False) -> None:
        """The curve of a function over the whole x axis."""
        steps = 4 * self._canvas.width
        xs = [self.x.low + (self.x.high - self.x.low) * k / steps for k in range(steps + 1)]
        self.curve([(x, f(x)) for x in xs], dotted)

    def mark(self, x: float, y: float, sign: str) -> None:
        """A character where a point lies."""
        column, row = self._dot(x, y)
        self._marks.append((column // 2, row // 4, sign))

    def upright(self, x: float, label: str) -> None:
        """A vertical line behind everything, named under the axis."""
        column = self._dot(x, self.y.low)[0] // 2
        self._uprights.append(column)
        self._labels.append((column, label))

    def text(self) -> str:
        """The rows of the plot and the x axis under them."""
        wide, high = self._canvas.width, self._canvas.height
        grid = Grid(self._left + wide, high + 1)
        for y in range(high):
            painted = "".join(segment.text for segment in self._canvas.row(y))
            grid.put(0, y, self._ticks.get(y, "").rjust(self._left - 1) + ("┤" if y in self._ticks else "│") + painted)
            for x in self._uprights:
                if painted[x] == " ":
                    grid.put(self._left + x, y, "┊")
        for x, y, sign in self._marks:
            grid.put(self._left + x, y, sign)
        numbers = [(self._dot(tick, self.y.low)[0] // 2, written(tick)) for tick in self.x.ticks(max(2, wide // 9))]
        grid.put(self._left, high, spread([*self._labels, *numbers], wide))
        return grid.text()

    def _holds(self, x: float, y: float) -> bool:
        slack = 1e-9 * (self.y.high - self.y.low)
        return self.x.low <= x <= self.x.high and self.y.low - slack <= y <= self.y.high + slack

    def _dot(self, x: float, y: float) -> tuple[int, int]:
        right, bottom = 2 * self._canvas.width - 1, 4 * self._canvas.height - 1
        return round(self.x.place(x) * right), bottom - round(self.y.place(y) * bottom)

    def _row(self, y: float) -> int:
        return self._dot(self.x.low, y)[1] // 4
