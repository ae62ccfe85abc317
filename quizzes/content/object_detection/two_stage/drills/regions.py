"""R-CNN, Fast R-CNN, Faster R-CNN: drills about regions, RoI pooling and the feature pyramid."""

from collections.abc import Callable
from fractions import Fraction
from math import ceil, floor
from random import Random

from quizzes.content.object_detection.two_stage.formulas import FPN_LEVEL, REGION_SIMILARITY, ROI_BINS, ROI_POOL
from quizzes.content.object_detection.two_stage.regions import roi_bins
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step

Grid = list[list[Value]]
Bins = list[tuple[int, int]]


def _pool(X: Grid, rows: Bins, columns: Bins, reduce: Callable[[list[Value]], Value] = max) -> Grid:
    """Return the value of each bin of a map.

    Raises:
        UndefinedValue: If a bin is empty.
    """
    if any(a >= b for a, b in [*rows, *columns]):
        raise UndefinedValue("a bin is empty")
    return [[reduce([X[i][j] for i in range(*row) for j in range(*column)]) for column in columns] for row in rows]


def _bins(X: Grid, roi: list[int], s: int, k: int) -> tuple[Bins, Bins]:
    return roi_bins(roi[1], roi[3], s, k, len(X)), roi_bins(roi[0], roi[2], s, k, len(X[0]))


def _mean(values: list[Value]) -> Value:
    mean = Fraction(sum(values), len(values))
    if 100 % mean.denominator:
        raise UndefinedValue("the mean has no finite decimals")
    return mean


def _without_last(X: Grid, roi: list[int], s: int, k: int) -> Grid:
    """Return the output if the cells of the second corner are left out."""
    rows, columns = _bins(X, [roi[0], roi[1], roi[2] - s, roi[3] - s], s, k)
    return _pool(X, rows, columns)


def _disjoint(X: Grid, roi: list[int], s: int, k: int) -> Grid:
    """Return the output if the end of a bin is rounded down."""
    rows, columns = _bins(X, roi, s, k)

    def cut(bins: Bins) -> Bins:
        return [(a, bins[n + 1][0] if n + 1 < len(bins) else b) for n, (a, b) in enumerate(bins)]

    return _pool(X, cut(rows), cut(columns))


def _swapped(X: Grid, roi: list[int], s: int, k: int) -> Grid:
    """Return the output if x counts rows and y columns."""
    rows, columns = _bins(X, [roi[1], roi[0], roi[3], roi[2]], s, k)
    return _pool(X, rows, columns)


def _whole_map(X: Grid, roi: list[int], s: int, k: int) -> Grid:
    """Return the output for the whole map."""
    height, width = len(X), len(X[0])
    rows, columns = ([(floor(i * n / k), ceil((i + 1) * n / k)) for i in range(k)] for n in (height, width))
    return _pool(X, rows, columns)


def _pool_steps(roi: list[int], s: int, k: int, rows: Grid, columns: Grid, O: Grid, **_: Value) -> list[Step]:
    def text(bins: Grid) -> str:
        """Return the first and the last index of each bin."""
        return " and ".join(f"{int(a)} to {int(b) - 1}" for a, b in bins)

    x1, y1, x2, y2 = (floor(Fraction(v) / s + Fraction(1, 2)) for v in roi)
    return [
        Step(
            f"Divide the corners by the stride {s} and round. The region has the columns {x1} to {x2} and the rows "
            f"{y1} to {y2} of the map, counted from 0: {x2 - x1 + 1} columns and {y2 - y1 + 1} rows."
        ),
        Step(
            "Bin i has the rows from floor(i n/k) to ceil((i + 1) n/k) of the region, without the last; bins overlap "
            f"if n is odd. Rows of the map: {text(rows)}. Columns: {text(columns)}."
        ),
        Step("Take the maximum of each bin.", [f"O = {[[int(v) for v in row] for row in O]}"]),
    ]


@drill(
    ROI_POOL,
    tier=2,
    asks="O",
    decimals=None,
    visualization="roi-grid X roi s",
    steps=_pool_steps,
    prompt="A feature map of stride {s} has the values X = {X}. Fast R-CNN pools the region of interest roi = {roi} "
    "(corners x1, y1, x2, y2 in px of the image) to {k}x{k} values.\n"
    "Conventions: the corners are divided by the stride and rounded, and the cells of both corners belong to the "
    "region. Rows and columns are numbered from 0. Of n rows or columns, bin i (from 0) has those from floor(i n/{k}) "
    "to ceil((i + 1) n/{k}), without the last.",
    hints=(
        "Which rows and columns of the map does the region have? How are they divided into bins?",
        "Divide x1 and x2 by the stride for the columns, y1 and y2 for the rows, and round. Each output is the maximum "
        "of its bin.",
    ),
    mistakes=[
        Mistake(
            "averaged",
            {"O": lambda X, roi, s, k: _pool(X, *_bins(X, roi, s, k), _mean)},
            "You averaged the bins. RoI pooling takes their maximum.",
        ),
        Mistake(
            "corner-left-out",
            {"O": _without_last},
            "You left out the last row and column. The cells of both corners belong to the region here.",
        ),
        Mistake(
            "disjoint-bins",
            {"O": _disjoint},
            "You rounded the end of a bin down. It is rounded up, so that bins may share a row or a column.",
        ),
        Mistake("swapped", {"O": _swapped}, "You swapped x and y. x counts columns, y counts rows."),
        Mistake("whole-map", {"O": _whole_map}, "You pooled the whole map. Only the cells of the region count."),
    ],
)
def roi_pool(rng: Random) -> Inputs:
    """RoI pooling of a small map"""
    rows, columns = rng.choice([(5, 6), (6, 6), (6, 7), (5, 7)])
    s, k = rng.choice([8, 16, 16, 32]), 2
    n, m = rng.choice([(3, 3), (3, 4), (3, 5), (4, 3), (5, 3), (5, 4), (4, 5)])
    if n > rows or m > columns:
        raise UndefinedValue("the region must fit")
    top, left = rng.randint(0, rows - n), rng.randint(0, columns - m)
    X = [[rng.randint(0, 9) for _ in range(columns)] for _ in range(rows)]

    def pixel(cell: int) -> int:
        return max(0, cell * s + rng.randint(-(s // 2) + 1, s // 2 - 1))

    roi = [pixel(left), pixel(top), pixel(left + m - 1), pixel(top + n - 1)]
    if min(roi[2] - roi[0], roi[3] - roi[1]) < s or all(v % s == 0 for v in roi):
        raise UndefinedValue("the region is too small, or nothing is rounded")
    return dict(X=X, roi=roi, s=s, k=k)


@drill(
    ROI_BINS,
    id="roi-pool:bins",
    tier=1,
    asks=("a", "b", "c"),
    prompt="RoI pooling divides a region of n = {n} rows into k = {k} rows of bins. Bin i, numbered from 0, has the "
    "rows from floor(i n/k) to ceil((i + 1) n/k), without the last.\n"
    "What is the first row of bin {i} (a), the row after its last one (b), and its number of rows (c)? Count the rows "
    "of the region from 0.",
    hint="Where does the bin begin before rounding, and where does it end?",
    mistakes=[
        Mistake(
            "bins-from-1",
            "a = floor((i - 1)*n/k); b = ceil(i*n/k)",
            "You counted the bins from 1. Bin 0 is the first one.",
        ),
        Mistake("end-rounded-down", "b = floor((i + 1)*n/k)", "You rounded the end down. It is rounded up."),
        Mistake("start-rounded-up", "a = ceil(i*n/k)", "You rounded the start up. It is rounded down."),
        Mistake(
            "equal-bins",
            "a = i*floor(n/k); b = (i + 1)*floor(n/k)",
            "You gave all bins floor(n/k) rows, so the last rows of the region are lost.",
        ),
        Mistake("last-counted", "c = b - a + 1", "You counted the row behind the bin as well."),
    ],
)
def roi_bin(rng: Random) -> Inputs:
    """Bins of RoI pooling"""
    k = rng.choice([3, 5, 6, 7, 7, 14])
    n = rng.choice([rows for rows in range(k + 1, 4 * k) if rows % k])
    return dict(n=n, k=k, i=rng.randint(1, k - 1))


@drill(
    FPN_LEVEL,
    tier=1,
    asks=("x", "level", "cells"),
    prompt="A detector with a feature pyramid has the levels {k_min} to {k_max}; level k has stride 2^k. A region of "
    "interest is {w} px wide and {h} px high. Its level is x = {k0} + log2(sqrt(wh)/224), rounded down and limited to "
    "the "
    "levels of the pyramid.\n"
    "What is x before rounding, and which level is it (level)? How many cells wide is the region on the map of that "
    "level (cells)?",
    hint="How large is the region compared with 224x224 px? By which factor must it grow to move one level up?",
    mistakes=[
        Mistake("no-root", "x = k0 + log2(w*h/224)", "You left out the square root of the area."),
        Mistake("decimal-logarithm", "x = k0 + log10(size/224)", "You used the logarithm with base 10. The base is 2."),
        Mistake("natural-logarithm", "x = k0 + ln(size/224)", "You used the natural logarithm. The base is 2."),
        Mistake("inverted", "x = k0 - log2(size/224)", "You inverted the ratio. Larger regions have higher levels."),
        Mistake("rounded-up", "level = max(k_min, min(k_max, ceil(x)))", "You rounded up. The level is rounded down."),
        Mistake("not-limited", "level = floor(x)", "The pyramid has no such level. Use the nearest one that it has."),
        Mistake("stride-of-level", "cells = w/level", "You divided by the number of the level. Its stride is 2^level."),
        Mistake("not-strided", "cells = w", "That is the width in px. Divide it by the stride of the level."),
    ],
)
def fpn_level(rng: Random) -> Inputs:
    """Level of a feature pyramid"""
    w, h = (round(20 * 60 ** rng.random() / 4) * 4 for _ in range(2))
    size = float(w * h) ** 0.5 / 224
    if any(abs(size - 2**k) < 0.02 * 2**k for k in range(-4, 4)) or not 0.2 < w / h < 5:
        raise UndefinedValue("too close to a border between two levels")
    return dict(w=w, h=h, k0=4, k_min=2, k_max=5)


@drill(
    REGION_SIMILARITY,
    id="selective-search",
    tier=2,
    asks=("color", "small", "fill", "S"),
    prompt="Selective search compares two neighboring regions of {a} and {b} px in an image of {N} px. Their color "
    "histograms are p = {p} and q = {q}, and the smallest box around both has {box} px.\n"
    "What are their similarities by color (color: the intersection of the histograms), by size (small: 1 minus their "
    "share of the image), by fill (fill: 1 minus the share of the image that the box has in addition to the regions), "
    "and their sum S?",
    hint="What do the histograms have in common? Which pixels of the box belong to neither region?",
    mistakes=[
        Mistake(
            "union-of-histograms",
            "color = sum(j, max(p[j], q[j]))",
            "You added the larger values. The intersection has the smaller one of each bin.",
        ),
        Mistake(
            "dot-product",
            "color = sum(j, p[j]*q[j])",
            "That is the dot product. The intersection adds the smaller value of each bin.",
        ),
        Mistake("share-itself", "small = (a + b)/N", "That is their share. Small regions should be merged first."),
        Mistake("first-only", "small = 1 - a/N", "Both regions count."),
        Mistake("box-only", "fill = 1 - box/N", "You subtracted the whole box. The regions fill a part of it."),
        Mistake(
            "filled-share",
            "fill = (a + b)/box",
            "That is the filled share of the box. The term compares the rest with the image.",
        ),
        Mistake("mean", "S = (color + small + fill)/3", "The terms are added, each with the weight 1."),
    ],
)
def selective_search(rng: Random) -> Inputs:
    """Similarity of two regions"""
    bins = rng.choice([3, 4])

    def histogram() -> list[float]:
        cuts = sorted(rng.sample(range(1, 20), bins - 1))
        return [(b - a) / 20 for a, b in zip([0, *cuts], [*cuts, 20], strict=True)]

    a, b = (10 * rng.randint(2, 40) for _ in range(2))
    box = a + b + 10 * rng.randint(2, 30)
    return dict(p=histogram(), q=histogram(), a=a, b=b, box=box, N=rng.choice([1000, 2000, 2400, 4000, 4096]))
