"""Upsampling: drills about interpolation."""

from random import Random

from quizzes.content.cnn.shared import Map
from quizzes.content.segmentation.upsampling.formulas.interpolation import (
    BILINEAR_PIXEL,
    BILINEAR_SLOPE,
    BILINEAR_VALUE,
    INTERPOLATION,
    LINEAR_ROW,
    NEAREST_VALUE,
)
from quizzes.content.segmentation.upsampling.maps import linear_samples, nearest_indices, resize_bilinear
from quizzes.drill import Inputs, Mistake, drill, one_of
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.procedure import number_text
from quizzes.question import Step


def _corners(rng: Random) -> dict[str, int]:
    f00, f10, f01, f11 = rng.sample(range(0, 60, 2), 4)
    if f00 + f11 == f10 + f01:
        raise UndefinedValue("the values must not be in one plane")
    return dict(f00=f00, f10=f10, f01=f01, f11=f11)


@drill(
    BILINEAR_VALUE,
    tier=1,
    asks="v",
    prompt="Four neighboring pixels have the values f00 = {f00}, f10 = {f10} (to the right of f00), f01 = {f01} (below "
    "f00) and f11 = {f11} (below f10). The value at x = {x}, y = {y} is interpolated bilinearly.\n"
    "Conventions: x grows to the right and y downward, both from 0 at f00 to 1 at f11.",
    hint="Interpolate along x in both rows first. Which pixel is closest, so that it has the largest weight?",
    mistakes=[
        Mistake(
            "weights-swapped",
            "v = x*y*f00 + (1 - x)*y*f10 + x*(1 - y)*f01 + (1 - x)*(1 - y)*f11",
            "You swapped the weights. A pixel's weight grows as the place comes closer to it.",
        ),
        Mistake(
            "axes-swapped",
            "v = (1 - x)*(1 - y)*f00 + (1 - x)*y*f10 + x*(1 - y)*f01 + x*y*f11",
            "You swapped f10 and f01, or x and y. f10 is one pixel to the right.",
        ),
        Mistake(
            "nearest",
            "v = where(x < 1/2, where(y < 1/2, f00, f01), where(y < 1/2, f10, f11))",
            "That is the nearest pixel. Bilinear interpolation mixes all four.",
        ),
        Mistake("mean", "v = (f00 + f10 + f01 + f11)/4", "That is the value in the middle, at x = y = 1/2."),
        Mistake(
            "plane",
            "v = f00 + x*(f10 - f00) + y*(f01 - f00)",
            "You left out f11. A bilinear function also has a term with x*y.",
        ),
    ],
)
def bilinear_value(rng: Random) -> Inputs:
    """Bilinear interpolation between four pixels"""
    x, y = rng.sample([0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8, 0.9], 2)
    return _corners(rng) | dict(x=x, y=y)


@drill(
    BILINEAR_VALUE,
    id="bilinear-value:reverse",
    tier=2,
    asks=one_of("f11", "f00", "x", "y"),
    prompt="Four neighboring pixels have the values f00 = {f00}, f10 = {f10} (to the right of f00), f01 = {f01} (below "
    "f00) and f11 = {f11} (below f10). At x = {x}, y = {y}, the bilinearly interpolated value is {v}.\n"
    "Conventions: x grows to the right and y downward, both from 0 at f00 to 1 at f11.",
    hint="Write the value as a weighted sum of the four pixels. Which part of it is unknown?",
    mistakes=[
        Mistake(
            "weights-swapped",
            "v = x*y*f00 + (1 - x)*y*f10 + x*(1 - y)*f01 + (1 - x)*(1 - y)*f11",
            "You swapped the weights. A pixel's weight grows as the place comes closer to it.",
        ),
        Mistake(
            "axes-swapped",
            "v = (1 - x)*(1 - y)*f00 + (1 - x)*y*f10 + x*(1 - y)*f01 + x*y*f11",
            "You swapped f10 and f01, or x and y. f10 is one pixel to the right.",
        ),
        Mistake(
            "plane",
            "v = f00 + x*(f10 - f00) + y*(f01 - f00) + x*y*f11",
            "The coefficient of x*y is f00 - f10 - f01 + f11.",
        ),
    ],
)
def bilinear_reverse(rng: Random) -> Inputs:
    """Pixel or place that leads to a value"""
    x, y = rng.sample([0.2, 0.25, 0.4, 0.6, 0.75, 0.8], 2)
    corners = _corners(rng)
    f00, f10, f01, f11 = (corners[name] for name in ("f00", "f10", "f01", "f11"))
    slopes = [(1 - y) * (f10 - f00) + y * (f11 - f01), (1 - x) * (f01 - f00) + x * (f11 - f10)]
    if min(f10 - f00, f01 - f00) < 6 or min(map(abs, slopes)) < 0.5:
        raise UndefinedValue("the value must change along both axes")
    return corners | dict(x=x, y=y)


@drill(
    BILINEAR_SLOPE,
    id="bilinear-value:slope",
    tier=2,
    asks=("slope_x", "slope_y"),
    prompt="Four neighboring pixels have the values f00 = {f00}, f10 = {f10} (to the right of f00), f01 = {f01} (below "
    "f00) and f11 = {f11} (below f10). A network samples the bilinearly interpolated value at x = {x}, y = {y}, and "
    "its gradient moves this place.\n"
    "What are the derivatives of the value by x (slope_x) and by y (slope_y) there?\n"
    "Conventions: x grows to the right and y downward, both from 0 at f00 to 1 at f11.",
    hint="For a fixed y, the value is linear in x. How much does it change from x = 0 to x = 1?",
    mistakes=[
        Mistake("upper-row", "slope_x = f10 - f00", "That is the slope in the upper row. Mix it with the lower one."),
        Mistake("left-column", "slope_y = f01 - f00", "That is the slope in the left column. Mix both."),
        Mistake(
            "weights-swapped",
            "slope_x = y*(f10 - f00) + (1 - y)*(f11 - f01); slope_y = x*(f01 - f00) + (1 - x)*(f11 - f10)",
            "You swapped the weights of the two differences.",
        ),
        Mistake(
            "own-coordinate",
            "slope_x = (1 - x)*(f10 - f00) + x*(f11 - f01); slope_y = (1 - y)*(f01 - f00) + y*(f11 - f10)",
            "The slope along x depends on y, and the slope along y depends on x.",
        ),
    ],
)
def bilinear_slope(rng: Random) -> Inputs:
    """Slope of an interpolated value"""
    x, y = rng.sample([0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8, 0.9], 2)
    return _corners(rng) | dict(x=x, y=y)


def _random_map(rng: Random, rows: int, columns: int) -> Map:
    values = rng.sample(range(0, 40), rows * columns)
    return [values[k * columns : (k + 1) * columns] for k in range(rows)]


def _aligned(X: Map, H: int, W: int, i: int, j: int, **_: Value) -> Value:
    return resize_bilinear(X, H, W, True)[i][j]


def _nearest(X: Map, h: int, w: int, H: int, W: int, i: int, j: int) -> Value:
    return X[nearest_indices(h, H)[i]][nearest_indices(w, W)[j]]


@drill(
    BILINEAR_PIXEL,
    id="bilinear-value:pixel",
    tier=2,
    asks=("y", "x", "v"),
    visualization="matrices X",
    prompt="F.interpolate enlarges the map X = {X} bilinearly to {H}x{W}, with align_corners=False: pixel (i, j) of "
    "the new map reads X at y = (i + 1/2)*{h}/{H} - 1/2 and x = (j + 1/2)*{w}/{W} - 1/2, or at 0 if that is negative, "
    "because X has {h} rows and {w} columns.\n"
    "For pixel ({i}, {j}), what are y and x, and what is its value v?\n"
    "Conventions: rows and columns are numbered from 0; behind the last row or column, the last one is repeated.",
    hint="Between which rows and columns of X are y and x? How far is each away from the first of them?",
    mistakes=[
        Mistake(
            "corners-aligned",
            {
                "y": lambda X, H, i, **_: linear_samples(len(X), H, True)[i].place,
                "x": lambda w, W, j, **_: linear_samples(w, W, True)[j].place,
                "v": _aligned,
            },
            "That is align_corners=True. Here the pixel centers are half a pixel inside.",
        ),
        Mistake(
            "no-half-pixel",
            "y = i*h/H; x = j*w/W",
            "You left out the half pixels: the center of pixel i is at i + 1/2.",
        ),
        Mistake("nearest", {"v": _nearest}, "That is the nearest neighbor, rounded down. Mix four pixels."),
        Mistake("upper-row", "v = upper", "You interpolated along the row above only. Mix it with the row below."),
        Mistake(
            "weights-swapped",
            "v = (top + 1 - y)*lower + (y - top)*upper",
            "You swapped the weights of the two rows. The closer row counts more.",
        ),
    ],
)
def bilinear_pixel(rng: Random) -> Inputs:
    """Pixel of a bilinearly enlarged map"""
    h, w = rng.choice([(2, 2), (2, 2), (2, 3), (3, 2), (3, 3)])
    H, W = h * rng.choice([2, 4]), w * rng.choice([2, 4])
    i, j = rng.randrange(1, H - 1), rng.randrange(1, W - 1)
    if i == H // 2 and j == W // 2 and 2 * h == H:
        raise UndefinedValue("another pixel shows more")
    return dict(X=_random_map(rng, h, w), w=w, H=H, W=W, i=i, j=j, h=h)


def _row_steps(x: list[Value], m: int, u: list[Value], v: list[Value]) -> list[Step]:
    steps = []
    for name, values, is_aligned, text in (
        ("u", u, True, f"With aligned corners, output i is at i*{len(x) - 1}/{m - 1}"),
        ("v", v, False, f"Without, output i is at (i + 1/2)*{len(x)}/{m} - 1/2, at least 0"),
    ):
        places = ", ".join(number_text(s.place) for s in linear_samples(len(x), m, is_aligned))
        result = ", ".join(f"{float(value):.4g}" for value in values)
        steps.append(Step(f"{text}: {places}.", [f"{name} = [{result}]"]))
    return steps


@drill(
    LINEAR_ROW,
    id="bilinear-value:align-corners",
    tier=2,
    asks=("u", "v"),
    steps=_row_steps,
    prompt="A row x = {x} is interpolated linearly to {m} values. With align_corners=True, output index i is at "
    "i(n - 1)/(m - 1) of the input, and with align_corners=False at (i + 1/2) n/m - 1/2, or at 0 if that is negative.\n"
    "What is the new row with aligned corners (u), and without (v)?\n"
    "Conventions: n = {n} and m = {m} are the sizes, and i counts from 0; behind the last value, the last one is "
    "repeated.",
    hints=(
        "At which coordinates of the row are the new values? Which of them are exactly on an input?",
        "At coordinate t between the values a and b at the indices k and k + 1, the new value is a + (t - k)(b - a).",
    ),
    mistakes=[
        Mistake(
            "conventions-swapped",
            {
                "u": lambda x, m: _resized(x, m, False),
                "v": lambda x, m: _resized(x, m, True),
            },
            "You swapped the two conventions. With aligned corners, the first and the last value stay.",
        ),
        Mistake(
            "no-half-pixel",
            {"v": lambda x, m: _plain(x, m)},
            "You left out the half pixels. Output i has its center at i + 1/2.",
        ),
        Mistake(
            "repeated",
            {
                "u": lambda x, m: [x[k] for k in nearest_indices(len(x), m)],
            },
            "That is nearest-neighbor interpolation, which repeats values.",
        ),
    ],
)
def align_corners(rng: Random) -> Inputs:
    """Aligned corners or not"""
    n, m = rng.choice([(2, 4), (2, 5), (3, 5), (3, 6), (3, 4), (4, 7), (4, 6), (4, 8)])
    x = [4 * v for v in rng.sample(range(-3, 12), n)]
    return dict(x=x, m=m, n=n)


def _resized(x: list[Value], m: int, is_aligned: bool) -> list[Value]:
    row: list[Value] = resize_bilinear([x], 1, m, is_aligned)[0]
    return row


def _plain(x: list[Value], m: int) -> list[Value]:
    """Return the row if output i is at i n/m."""
    result = []
    for i in range(m):
        first, rest = divmod(i * len(x), m)
        second = min(first + 1, len(x) - 1)
        result.append((x[first] * (m - rest) + x[second] * rest) / m)
    return result


@drill(
    NEAREST_VALUE,
    tier=1,
    asks=("r", "c", "v"),
    decimals=2,
    visualization="matrices X",
    prompt="A map X = {X} is enlarged to {H}x{W} by nearest-neighbor interpolation: pixel (i, j) of the new map is the "
    "pixel at row floor(i*{h}/{H}) and column floor(j*{w}/{W}) of X, which has {h} rows and {w} columns.\n"
    "Which row r and column c of X does pixel ({i}, {j}) come from, and what is its value v?\n"
    "Conventions: rows and columns are numbered from 0.",
    hint="By which factor is the new map higher, and wider? Divide the indices, and round down.",
    mistakes=[
        Mistake("rounded", "r = floor(i*h/H + 1/2); c = floor(j*w/W + 1/2)", "Round down, not to the nearest."),
        Mistake("factors-swapped", "r = floor(i*w/W); c = floor(j*h/H)", "Rows have the factor of the heights."),
        Mistake("axes-swapped", "r = floor(j*w/W); c = floor(i*h/H)", "i is the row, and j is the column."),
        Mistake(
            "bilinear",
            {"v": lambda X, H, W, i, j, **_: resize_bilinear(X, H, W, False)[i][j]},
            "That is the bilinear value. Nearest-neighbor interpolation copies one pixel.",
        ),
    ],
)
def nearest_value(rng: Random) -> Inputs:
    """Pixel of a map enlarged by nearest neighbors"""
    h, w = rng.choice([(2, 2), (2, 3), (3, 2), (3, 3), (2, 4)])
    H, W = (n * k + rng.choice([0, 0, 1]) for n, k in ((h, rng.choice([2, 3, 4])), (w, rng.choice([2, 3]))))
    return dict(X=_random_map(rng, h, w), w=w, H=H, W=W, i=rng.randrange(1, H), j=rng.randrange(1, W), h=h)


def _rounded_map(X: Map, H: int, W: int, **_: Value) -> Map:
    rows, columns = (
        [min(n - 1, (2 * i * n + m) // (2 * m)) for i in range(m)] for n, m in ((len(X), H), (len(X[0]), W))
    )
    return [[X[i][j] for j in columns] for i in rows]


def _map_steps(X: Map, H: int, W: int, O: Map, **_: Value) -> list[Step]:
    return [
        Step(f"Rows 0 to {H - 1} of the new map come from the rows {nearest_indices(len(X), H)} of X."),
        Step(f"Columns 0 to {W - 1} come from the columns {nearest_indices(len(X[0]), W)}."),
        Step("Copy these pixels.", [f"O = {[[int(v) for v in row] for row in O]}"]),
    ]


@drill(
    INTERPOLATION,
    id="nearest-value:map",
    tier=2,
    asks="O",
    decimals=None,
    visualization="matrices X",
    steps=_map_steps,
    prompt="F.interpolate with mode='{mode}' resizes the map X = {X} to {H}x{W}.\n"
    "Conventions: pixel (i, j) reads row floor(i h/{H}) and column floor(j w/{W}) of X, which has h rows and w "
    "columns, all counted from 0.",
    hints=(
        "Which row of X does each new row come from?",
        "Write down floor(i h/{H}) for each new row i, and the same for the columns.",
    ),
    mistakes=[
        Mistake("rounded", {"O": _rounded_map}, "You rounded to the nearest row and column. Round down."),
        Mistake(
            "size-swapped",
            {"O": lambda X, H, W, **_: [[X[i][j] for j in nearest_indices(len(X[0]), H)]
                                        for i in nearest_indices(len(X), W)]},
            "You swapped height and width. The new map has H rows.",
        ),
        Mistake(
            "padded",
            {"O": lambda X, H, W, **_: [[X[min(i, len(X) - 1)][min(j, len(X[0]) - 1)] for j in range(W)]
                                        for i in range(H)]},
            "You repeated the last row and column only. All pixels are spread over the new map.",
        ),
    ],
)  # fmt: skip
def nearest_map(rng: Random) -> Inputs:
    """Map resized by nearest neighbors"""
    h, w = rng.choice([(2, 2), (2, 3), (3, 2)])
    H, W = rng.choice([(3, 4), (3, 5), (4, 5), (5, 4), (4, 3), (5, 3), (4, 6)])
    return dict(X=_random_map(rng, h, w), H=H, W=W, mode="nearest", align="no")
