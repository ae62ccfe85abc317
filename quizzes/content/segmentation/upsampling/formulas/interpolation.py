"""Nearest-neighbor and bilinear interpolation: formulas."""

from typing import Any

from quizzes.content.cnn.shared import Map, check_maps
from quizzes.content.segmentation.upsampling.maps import linear_samples, resize_bilinear, resize_nearest
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Matrix, Real, Vector, Word

RESIZE = "PyTorch documentation, torch.nn.functional.interpolate"

ALIGN_CORNERS = (
    "With aligned corners, output index i is at i(n - 1)/(m - 1) of an input of size n; otherwise the pixel centers "
    "agree with (i + 1/2) n/m - 1/2, and at least 0. Indices count from 0."
)


BILINEAR_VALUE = Formula(
    "bilinear-value",
    "v = (1 - x)*(1 - y)*f00 + x*(1 - y)*f10 + (1 - x)*y*f01 + x*y*f11",
    title="Bilinear interpolation between four pixels",
    source="derivation: interpolate linearly along x in both rows, (1 - x) f00 + x f10 and (1 - x) f01 + x f11, and "
    "then along y between the two values",
    conventions="f10 is the right neighbor of f00, and f01 the one below; x grows to the right, y downward.",
    f00=Real(-1000000, 1000000, "value at x = 0, y = 0"),
    f10=Real(-1000000, 1000000, "value at x = 1, y = 0"),
    f01=Real(-1000000, 1000000, "value at x = 0, y = 1"),
    f11=Real(-1000000, 1000000, "value at x = 1, y = 1"),
    x=Real(0, 1, "distance from the left pixels"),
    y=Real(0, 1, "distance from the upper pixels"),
    v=Real(meaning="interpolated value"),
)


BILINEAR_SLOPE = Formula(
    "bilinear-slope",
    """
    slope_x = (1 - y)*(f10 - f00) + y*(f11 - f01)
    slope_y = (1 - x)*(f01 - f00) + x*(f11 - f10)
    """,
    title="Derivatives of a bilinearly interpolated value by its place",
    source="derivation: v is linear in x, so its derivative is the value at x = 1 minus the value at x = 0, both at "
    "height y; likewise for y",
    conventions="f10 is the right neighbor of f00, and f01 the one below; x grows to the right, y downward.",
    f00=Real(-1000, 1000, "value at x = 0, y = 0"),
    f10=Real(-1000, 1000, "value at x = 1, y = 0"),
    f01=Real(-1000, 1000, "value at x = 0, y = 1"),
    f11=Real(-1000, 1000, "value at x = 1, y = 1"),
    x=Real(0, 1, "distance from the left pixels"),
    y=Real(0, 1, "distance from the upper pixels"),
    slope_x=Real(meaning="derivative of the value by x"),
    slope_y=Real(meaning="derivative of the value by y"),
)


BILINEAR_PIXEL = Formula(
    "bilinear-pixel",
    """
    y = max(0, (i + 1/2)*h/H - 1/2)
    x = max(0, (j + 1/2)*w/W - 1/2)
    top = min(floor(y), h - 1)
    left = min(floor(x), w - 1)
    bottom = min(top + 1, h - 1)
    right = min(left + 1, w - 1)
    upper = (left + 1 - x)*X[top + 1, left + 1] + (x - left)*X[top + 1, right + 1]
    lower = (left + 1 - x)*X[bottom + 1, left + 1] + (x - left)*X[bottom + 1, right + 1]
    v = (top + 1 - y)*upper + (y - top)*lower
    """,
    title="Pixel of a bilinearly interpolated map, without aligned corners",
    source=f"{RESIZE}, mode='bilinear', align_corners=False",
    conventions="Rows and columns are numbered from 0. The centers of the corner pixels of both maps don't agree; "
    "their outer edges do.",
    X=Matrix(meaning="map"),
    h=Int(1, 64, "rows of the map", length_of="X"),
    w=Int(1, 64, "columns of the map"),
    H=Int(1, 64, "height of the new map"),
    W=Int(1, 64, "width of the new map"),
    i=Int(0, 63, "row of the pixel, from 0"),
    j=Int(0, 63, "column of the pixel, from 0"),
    y=Real(meaning="row coordinate in X"),
    x=Real(meaning="column coordinate in X"),
    top=Int(meaning="row above"),
    left=Int(meaning="column to the left"),
    bottom=Int(meaning="row below"),
    right=Int(meaning="column to the right"),
    upper=Real(meaning="value at x in the row above"),
    lower=Real(meaning="value at x in the row below"),
    v=Real(meaning="value of the pixel"),
)


NEAREST_VALUE = Formula(
    "nearest-value",
    """
    r = floor(i*h/H)
    c = floor(j*w/W)
    v = X[r + 1, c + 1]
    """,
    title="Pixel of a map that is enlarged by its nearest neighbors",
    source=f"{RESIZE}, mode='nearest': the coordinates are rounded down",
    conventions="Rows and columns are numbered from 0.",
    X=Matrix(meaning="map"),
    h=Int(1, 64, "rows of the map", length_of="X"),
    w=Int(1, 64, "columns of the map"),
    H=Int(1, 64, "height of the new map"),
    W=Int(1, 64, "width of the new map"),
    i=Int(0, 63, "row of the pixel, from 0"),
    j=Int(0, 63, "column of the pixel, from 0"),
    r=Int(0, meaning="row of X"),
    c=Int(0, meaning="column of X"),
    v=Real(meaning="value of the pixel"),
)


def interpolate_row(x: list[Value], m: int, is_aligned: bool) -> list[Value]:
    """Return a row of m values, interpolated linearly."""
    return [x[s.first] * (1 - s.weight) + x[s.second] * s.weight for s in linear_samples(len(x), m, is_aligned)]


LINEAR_ROW = Formula(
    "linear-row",
    "",
    title="Linear interpolation of a row, with and without aligned corners",
    source=f"{RESIZE}, mode='linear', align_corners",
    conventions=ALIGN_CORNERS,
    procedure=lambda x, m: {"u": interpolate_row(x, m, True), "v": interpolate_row(x, m, False)},
    procedure_outputs="u v",
    x=Vector(meaning="row"),
    m=Int(1, 64, "size of the new row"),
    u=Vector(meaning="new row with aligned corners"),
    v=Vector(meaning="new row without aligned corners"),
)


def _interpolate(X: Map, H: int, W: int, mode: str, align: str) -> dict[str, Any]:
    check_maps(X=X)
    return {"O": resize_nearest(X, H, W) if mode == "nearest" else resize_bilinear(X, H, W, align == "yes")}


INTERPOLATION = Formula(
    "interpolation",
    "",
    title="Interpolation of a map: nearest neighbor or bilinear",
    source=f"{RESIZE}, modes nearest and bilinear, align_corners",
    conventions=f"""
{ALIGN_CORNERS} A bilinear value is interpolated along the row and along the column.

Nearest-neighbor interpolation reads the pixel at floor(i n/m), without centers, and has no aligned corners.
""",
    procedure=_interpolate,
    procedure_outputs="O",
    X=Matrix(meaning="map"),
    H=Int(1, 64, "height of the new map"),
    W=Int(1, 64, "width of the new map"),
    mode=Word(words=("bilinear", "nearest"), meaning="mode", default="bilinear"),
    align=Word(words=("no", "yes"), meaning="aligned corners", default="no"),
    O=Matrix(meaning="new map"),
)
