"""What a line chart shows, as plain data."""

from collections.abc import Sequence
from dataclasses import dataclass, field


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
class ChartData:
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
