"""A plot with axes: curves in braille, and characters that mark points."""

from collections.abc import Callable, Iterable

from workbench.render.canvas import PLAIN, Canvas
from workbench.render.scale import Scale, format_tick
from workbench.render.visualizations.grid import Grid, place_labels

Point = tuple[float, float]


class Plot:
    """A plot whose axes just cover the given values.

    Args:
        xs: Values that the x axis must cover.
        ys: Values that the y axis must cover.
        width: Number of cells per row, including the axis.
        height: Number of rows, including the axis.
        has_numbers: Whether the y axis has numbers.
    """

    def __init__(self, xs: Iterable[float], ys: Iterable[float], width: int, height: int, has_numbers: bool = True):
        self.x, self.y = Scale.fit(list(xs)), Scale.fit(list(ys))
        ticks = self.y.ticks(max(2, height // 3)) if has_numbers else []
        left = max((len(format_tick(tick)) for tick in ticks), default=0) + 1
        self._canvas = Canvas(width - left, height - 1)
        self._ticks = {self._row(tick): format_tick(tick) for tick in ticks}
        self._left = left
        self._marks: list[tuple[int, int, str]] = []
        self._vertical_lines: list[int] = []
        self._labels: list[tuple[int, str]] = []

    def curve(self, points: Iterable[Point], dotted: bool = False) -> None:
        """Connect points by straight lines; points outside the axes are gaps."""
        dots = [self._dot(*point) if self._is_inside(*point) else None for point in points]
        self._canvas.paint(dots, PLAIN, dotted)

    def dots(self, points: Iterable[Point]) -> None:
        """Draw points as single dots; points outside the axes are left out."""
        inside = (self._dot(*point) for point in points if self._is_inside(*point))
        self._canvas.paint([dot for point in inside for dot in (point, None)], PLAIN, dotted=False)

    def function(self, f: Callable[[float], float], dotted: bool = False) -> None:
        """Draw a function over the whole x axis."""
        steps = 4 * self._canvas.width
        xs = [self.x.low + (self.x.high - self.x.low) * k / steps for k in range(steps + 1)]
        self.curve([(x, f(x)) for x in xs], dotted)

    def mark(self, x: float, y: float, sign: str) -> None:
        """Write a character at a point."""
        column, row = self._dot(x, y)
        self._marks.append((column // 2, row // 4, sign))

    def add_vertical_line(self, x: float, label: str) -> None:
        """Draw a vertical line behind everything, with a label below the axis."""
        column = self._dot(x, self.y.low)[0] // 2
        self._vertical_lines.append(column)
        self._labels.append((column, label))

    def text(self) -> str:
        """Return the rows of the plot, and the x axis below them."""
        width, height = self._canvas.width, self._canvas.height
        grid = Grid(self._left + width, height + 1)
        for y in range(height):
            painted = "".join(segment.text for segment in self._canvas.row(y))
            grid.put(0, y, self._ticks.get(y, "").rjust(self._left - 1) + ("┤" if y in self._ticks else "│") + painted)
            for x in self._vertical_lines:
                if painted[x] == " ":
                    grid.put(self._left + x, y, "┊")
        for x, y, sign in self._marks:
            grid.put(self._left + x, y, sign)
        numbers = [
            (self._dot(tick, self.y.low)[0] // 2, format_tick(tick)) for tick in self.x.ticks(max(2, width // 9))
        ]
        grid.put(self._left, height, place_labels([*self._labels, *numbers], width))
        return grid.text()

    def _is_inside(self, x: float, y: float) -> bool:
        slack = 1e-9 * (self.y.high - self.y.low)
        return self.x.low <= x <= self.x.high and self.y.low - slack <= y <= self.y.high + slack

    def _dot(self, x: float, y: float) -> tuple[int, int]:
        right, bottom = 2 * self._canvas.width - 1, 4 * self._canvas.height - 1
        return round(self.x.position(x) * right), bottom - round(self.y.position(y) * bottom)

    def _row(self, y: float) -> int:
        return self._dot(self.x.low, y)[1] // 4
