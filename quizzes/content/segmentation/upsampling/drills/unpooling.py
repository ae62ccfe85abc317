"""Upsampling: drills about unpooling."""

from random import Random

from quizzes.content.cnn.shared import Map
from quizzes.content.segmentation.upsampling.formulas.values import (
    MAX_UNPOOL,
    METHODS,
    UNPOOL_INDICES,
    WHICH_UPSAMPLING,
)
from quizzes.content.segmentation.upsampling.maps import (
    insert_zeros,
    pool_with_indices,
    resize_bilinear,
    resize_nearest,
    unpool,
)
from quizzes.drill import Inputs, Mistake, drill
from quizzes.expressions.tree import UndefinedValue, Value
from quizzes.question import Step


def _indices(X: Map) -> list[list[int]]:
    return [[cell.place for cell in row] for row in pool_with_indices(X, 2, 2)]


def _index_steps(X: Map, V: Map, I: Map, U: Map, **_: Value) -> list[Step]:
    width = len(X[0])
    places = ", ".join(
        f"{int(value)} to row {int(place) // width}, column {int(place) % width}"
        for values, row in zip(V, I, strict=True)
        for value, place in zip(values, row, strict=True)
    )
    return [
        Step(
            "Look up the maximum of each 2x2 window, and number the cells of X row by row, from 0.",
            [f"I = {[[int(v) for v in row] for row in I]}"],
        ),
        Step(
            f"Move the values of V to these places: {places}. All other cells are 0.",
            [f"U = {[[int(v) for v in row] for row in U]}"],
        ),
    ]


def _at_minimum(X: Map, V: Map, **_: Value) -> Map:
    return unpool(V, _indices([[-v for v in row] for row in X]), len(X), len(X[0]))


@drill(
    MAX_UNPOOL,
    tier=1,
    asks=("I", "U"),
    decimals=None,
    visualization="matrices X V",
    steps=_index_steps,
    prompt="SegNet's encoder pools the map X = {X} by 2x2 max pooling with stride 2 and remembers where the maxima "
    "were. Later, its decoder unpools the map V = {V} with these indices.\n"
    "What are the indices I, and what is the unpooled map U?\n"
    "Conventions: an index is the place in the flattened map X, counted from 0.",
    hints=(
        "Where in X is the maximum of each window? What is in the cells that no value is moved to?",
        "In a map of w columns, the cell in row r and column c has index r*w + c, with r and c counted from 0.",
    ),
    mistakes=[
        Mistake(
            "repeats",
            {"U": lambda V, **_: resize_nearest(V, 2 * len(V), 2 * len(V[0]))},
            "You repeated each value. That is nearest-neighbor interpolation; unpooling fills one cell per window.",
        ),
        Mistake(
            "top-left",
            {"U": lambda V, **_: insert_zeros(V, 2)},
            "You put each value at the top left of its window (bed of nails). It belongs where the maximum was.",
        ),
        Mistake(
            "maxima-restored",
            {"U": lambda X, **_: unpool([[c.value for c in row] for row in pool_with_indices(X, 2, 2)],
                                        _indices(X), len(X), len(X[0]))},
            "You restored the maxima of X. The indices come from X, and the values from V.",
        ),
        Mistake("at-minimum", {"U": _at_minimum}, "You used the place of the minimum of each window."),
        Mistake(
            "counted-from-1",
            {"I": lambda X, **_: [[place + 1 for place in row] for row in _indices(X)]},
            "You counted from 1. The first cell has index 0.",
        ),
        Mistake(
            "within-window",
            {"I": lambda X, **_: [[place // len(X[0]) % 2 * 2 + place % 2 for place in row] for row in _indices(X)]},
            "You counted within the window. The index is the place in the whole map.",
        ),
        Mistake(
            "column-first",
            {"I": lambda X, **_: [[p % len(X[0]) * len(X) + p // len(X[0]) for p in row] for row in _indices(X)]},
            "You numbered the cells column by column. Flattening goes row by row.",
        ),
    ],
)  # fmt: skip
def max_unpool(rng: Random) -> Inputs:
    """Max pooling with indices, and unpooling"""
    rows, columns = rng.choice([(4, 4), (4, 4), (4, 6), (2, 4), (2, 6), (4, 2)])
    X = [[rng.randint(0, 9) for _ in range(columns)] for _ in range(rows)]
    for y in range(0, rows, 2):
        for x in range(0, columns, 2):
            if len({X[y][x], X[y][x + 1], X[y + 1][x], X[y + 1][x + 1]}) < 4:
                raise UndefinedValue("the maximum must be unique")
    V = [[rng.choice([-3, -2, -1, 1, 2, 3, 4, 5]) for _ in range(columns // 2)] for _ in range(rows // 2)]
    return dict(X=X, k=2, s=2, V=V)


@drill(
    UNPOOL_INDICES,
    id="max-unpool:indices",
    tier=1,
    asks="U",
    decimals=None,
    prompt="nn.MaxPool2d(2, return_indices=True) returned the indices I = {I} for a {H}x{W} map. nn.MaxUnpool2d(2) "
    "gets them with the values V = {V}.\n"
    "Conventions: an index is the place in the flattened map, counted from 0.",
    hints=(
        "In which row and column is the cell with a given index?",
        "Index t is in row floor(t/{W}) and column t - {W}*floor(t/{W}), both counted from 0.",
    ),
    steps=lambda V, I, H, W, U: [
        Step(
            f"Divide each index by the width {W}: the quotient is the row, the remainder the column. "
            + ", ".join(f"{int(t)} is row {int(t) // W}, column {int(t) % W}" for row in I for t in row)
            + ".",
        ),
        Step("Put the values there, and 0 elsewhere.", [f"U = {[[int(v) for v in row] for row in U]}"]),
    ],
    mistakes=[
        Mistake(
            "row-and-column-swapped",
            {"U": lambda V, I, H, W: [list(r) for r in zip(*unpool(V, I, W, H), strict=True)]},
            "You numbered the cells column by column. Indices run along the rows.",
        ),
        Mistake(
            "counted-from-1",
            {"U": lambda V, I, H, W: unpool(V, [[t - 1 for t in row] for row in I], H, W)},
            "You counted from 1. The first cell has index 0.",
        ),
        Mistake(
            "repeats",
            {"U": lambda V, I, H, W: resize_nearest(V, H, W)},
            "You repeated each value. Unpooling leaves all other cells 0.",
        ),
        Mistake(
            "top-left",
            {"U": lambda V, I, H, W: insert_zeros(V, 2)},
            "You ignored the indices. They say where each value belongs.",
        ),
    ],
)
def unpool_indices(rng: Random) -> Inputs:
    """Unpooling by indices"""
    H, W = rng.choice([(4, 4), (4, 6), (6, 4), (2, 6), (6, 2), (4, 8)])
    I = [[(y + rng.randrange(2)) * W + x + rng.randrange(2) for x in range(0, W, 2)] for y in range(0, H, 2)]
    V = [[rng.choice([-2, -1, 1, 2, 3, 4, 5, 6, 7]) for _ in row] for row in I]
    if 0 in (t for row in I for t in row):
        raise UndefinedValue("index 0 has no place before it")
    return dict(V=V, I=I, H=H, W=W)


def _swap(first: str, second: str) -> Mistake:
    def swapped(**maps: Map) -> dict[str, str]:
        methods: dict[str, str] = WHICH_UPSAMPLING.evaluate(maps)["method"]
        return {k: {first: second, second: first}.get(name, name) for k, name in methods.items()}

    return Mistake(
        f"{first}-{second}",
        {"method": swapped},
        f"You confused {METHODS[first]} with {METHODS[second]}. Compare the positions of the zeros, and whether values "
        "repeat.",
    )


def _which_steps(method: dict[str, str], **_: Value) -> list[Step]:
    reasons = dict(
        unpool="one value per 2x2 window, at varying places, and zeros",
        nails="each value at the top left of its 2x2 window, and zeros",
        nearest="each value four times",
        bilinear="values between those of the corners",
    )
    return [Step(f"{name} has {reasons[one]}: {METHODS[one]}.") for name, one in method.items()]


@drill(
    WHICH_UPSAMPLING,
    id="max-unpool:which-method",
    tier=1,
    asks="method",
    steps=_which_steps,
    prompt="Four methods enlarged one 2x2 map to 4x4:\n  P1 = {P1}\n  P2 = {P2}\n  P3 = {P3}\n  P4 = {P4}",
    hints=(
        "Which maps contain zeros, and where? Which repeat values?",
        "A bed of nails has each value at the top left of its 2x2 window. Max unpooling has it where a maximum was, "
        "nearest-neighbor interpolation in all four cells, and bilinear interpolation mixes neighbors.",
    ),
    mistakes=[_swap("unpool", "nails"), _swap("nearest", "bilinear"), _swap("nails", "nearest")],
)
def which_upsampling(rng: Random) -> Inputs:
    """Method that enlarged a map"""
    V = [[rng.randint(1, 9) for _ in range(2)] for _ in range(2)]
    places = [[(2 * y + rng.randrange(2)) * 4 + 2 * x + rng.randrange(2) for x in range(2)] for y in range(2)]
    if len({v for row in V for v in row}) < 4 or places == [[0, 2], [8, 10]]:
        raise UndefinedValue("the maps must differ")
    is_aligned = False
    bilinear = [[float(v) for v in row] for row in resize_bilinear(V, 4, 4, is_aligned)]
    maps = [unpool(V, places, 4, 4), insert_zeros(V, 2), resize_nearest(V, 4, 4), bilinear]
    rng.shuffle(maps)
    return dict(zip(("P1", "P2", "P3", "P4"), maps, strict=True))
