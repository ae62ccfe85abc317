"""The series and settings of a line chart, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Series:
    """One named line. Its name and last value are written at its right end, so that color is never the only sign.

    Attributes:
        name: The text at its end.
        xs: Ascending numbers.
        ys: As long as `xs`; None, NaN and infinity are gaps.
        color: A color that Rich knows; None for the next one of `COLORS`.
        dotted: Whether the line is dashed.
    """

    name: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    color: str | None = None
    dotted: bool = False


@dataclass(frozen=True)
class ChartSpec:
    """Series over a common x axis, and how to draw them. Equal specs give equal cells.

    Attributes:
        series: Painted in this order; a cell that several lines cross shows the last of them.
        title: A line of text above the plot.
        width: Total width in cells; None for the console's width.
        height: Total height in rows.
        log: Whether the y axis is logarithmic. Values that are not positive are then gaps.
        log_x: Whether the x axis is logarithmic. Points whose x is not positive are then gaps.
        guides: Horizontal lines to compare with, by name.
        x_name: The name of the x axis.
        window: The first and the last x to show; None for the whole axis.
        cursor: An x at which to read the series: a vertical line there, and the values of the nearest points instead
            of the last ones. None for no cursor.
    """

    series: Sequence[Series]
    title: str = ""
    width: int | None = None
    height: int = 12
    log: bool = False
    log_x: bool = False
    guides: dict[str, float] = field(default_factory=dict)
    x_name: str = "step"
    window: tuple[float, float] | None = None
    cursor: float | None = None
