"""The chart's dots, against where a line must pass, and its words."""

import io
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from workbench.render.canvas import PLAIN, Canvas, between
from workbench.render.chart import LineChart, Series
from workbench.render.downsampling import telling, thinned, within

dot = st.tuples(st.integers(0, 60), st.integers(0, 60))


def lit(rows):
    """The dots that are set in rows of braille."""
    bits = [(0, 0, 1), (0, 1, 2), (0, 2, 4), (1, 0, 8), (1, 1, 16), (1, 2, 32), (0, 3, 64), (1, 3, 128)]
    return {
        (2 * x + dx, 4 * y + dy)
        for y, row in enumerate(rows)
        for x, character in enumerate(row)
        if 0x2800 <= ord(character) <= 0x28FF
        for dx, dy, bit in bits
        if (ord(character) - 0x2800) & bit
    }


def text(rows):
    return ["".join(segment.text for segment in row) for row in rows]


@given(dot, dot)
def test_a_line_keeps_within_half_a_dot_of_the_true_one(start, end):
    dots = list(between(start, end))
    assert dots[0] == start and dots[-1] == end
    (x0, y0), (x1, y1) = start, end
    for (x, y), (next_x, next_y) in pairwise(dots):
        assert max(abs(next_x - x), abs(next_y - y)) <= 1  # no hole
    for x, y in dots:
        if abs(x1 - x0) >= abs(y1 - y0):
            true_y = y0 + (y1 - y0) * (x - x0) / (x1 - x0) if x1 != x0 else y0
            assert abs(y - true_y) <= 0.5
        else:
            assert abs(x - (x0 + (x1 - x0) * (y - y0) / (y1 - y0))) <= 0.5


@given(
    st.lists(st.integers(-500, 500).map(lambda n: n / 100), min_size=2, max_size=60),
    st.integers(30, 70),
    st.integers(6, 20),
)
def test_every_point_of_a_series_has_its_dot(ys, width, height):
    rows = text(LineChart([Series("y", range(len(ys)), ys)], height=height).rows(width))
    left = 1 + max(row.find("│") if "│" in row else row.find("┤") for row in rows[:-1])
    plot = [row[left : row.rfind(" y ") if " y " in row else width] for row in rows[:-1]]
    ends = [row.rfind(" y ") for row in rows if " y " in row]
    columns = 2 * (ends[0] - left)
    low, high = min(ys), max(ys)
    if low == high:
        low, high = low - (abs(low) / 2 or 1), high + (abs(high) / 2 or 1)
    bottom = 4 * len(plot) - 1
    for x, y in enumerate(ys):
        at_x, at_y = x / (len(ys) - 1) * (columns - 1), bottom - (y - low) / (high - low) * bottom
        assert any(abs(at_x - dx) <= 0.51 and abs(at_y - dy) <= 0.51 for dx, dy in lit(plot)), (x, y)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
def test_thinning_a_column_moves_no_dot(rows):
    def drawn(column):
        canvas = Canvas(1, 11)
        canvas.paint(column, PLAIN, dotted=False)
        return lit("".join(segment.text for segment in canvas.row(row)) for row in range(11))

    column = [(0, row) for row in rows]
    kept = [column[place] for place in telling(rows)]
    assert len(kept) <= 4 and drawn(kept) == drawn(column)
    assert (kept[0], kept[-1]) == (column[0], column[-1])


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(None), st.just(math.nan)), min_size=1, max_size=3000))
def test_a_long_line_keeps_its_ends_its_extremes_and_its_gaps(ys):
    line = Series("y", range(len(ys)), ys)
    short = thinned(line, 100)
    assert {(line.xs[0], repr(ys[0])), (line.xs[-1], repr(ys[-1]))} <= {
        *zip(short.xs, map(repr, short.ys), strict=True)
    }
    assert list(short.xs) == sorted(set(short.xs))
    shown = [[y for y in of if y is not None and not math.isnan(y)] for of in (ys, short.ys)]
    assert [(min(of), max(of)) for of in shown if of][:1] == [(min(of), max(of)) for of in shown if of][1:]
    assert [repr(y) for y in short.ys].count("nan") == [repr(y) for y in ys].count("nan")


def test_a_run_of_a_million_points_is_drawn_from_few():
    line = Series("y", range(10**6), [math.sin(x / 10**5) for x in range(10**6)])
    assert len(thinned(line, 16 * 80).xs) <= 16 * 80 + 4
    assert list(within(line, (5.0, 8.5)).xs) == [5, 6, 7, 8]


@pytest.mark.parametrize("gap", [None, math.nan, math.inf, -math.inf])
def test_no_line_crosses_a_gap_nor_does_it_stretch_the_axis(gap):
    whole = text(LineChart([Series("y", range(5), [0, 1, 0.5, 1, 0])]).rows(60))
    torn = text(LineChart([Series("y", range(5), [0, 1, gap, 1, 0])]).rows(60))
    assert lit(torn) < lit(whole)
    columns = {column for column, _ in lit(torn)}
    middle = (min(columns) + max(columns)) // 2
    assert not columns & set(range(middle - 10, middle + 10))


def test_the_later_series_has_the_cells_where_two_meet():
    flat, rising = Series("flat", [0, 1], [1, 1], color="red"), Series("rising", [0, 1], [0, 2], color="blue")
    rows = LineChart([flat, rising], height=9).rows(60)
    colors = {segment.style.color.name for row in rows for segment in row if segment.style and segment.style.color}
    assert colors == {"red", "blue"}
    both = sum(len(segment.text) for row in rows for segment in row if segment.style == rows[0][-2].style)
    alone = LineChart([rising], height=9).rows(60)
    assert both and lit(text(alone)) <= lit(text(rows))


def test_a_dotted_line_has_holes_but_no_other_dots():
    solid, dotted = (LineChart([Series("y", [0, 9], [0, 1], dotted=is_)]).rows(60) for is_ in (False, True))
    assert 0.3 < len(lit(text(dotted))) / len(lit(text(solid))) < 0.7
    assert lit(text(dotted)) < lit(text(solid))


def test_each_line_is_named_with_its_last_value_and_the_guide_too():
    loss = Series("train", range(10), [2 - x / 10 for x in range(10)])
    rows = text(LineChart([loss, Series("test", [0, 9], [2, 1.1])], guides={"floor": 0.5}, title="loss").rows(70))
    assert rows[0].startswith("loss")
    [floor] = [row for row in rows if "floor 0.5" in row]
    assert "╌╌╌" in floor
    assert sum("train 1.1" in row for row in rows) == sum("test 1.1" in row for row in rows) == 1
    assert not any("train" in row and "test" in row for row in rows)


def test_a_log_axis_shows_decades_and_leaves_out_what_has_none():
    rows = text(LineChart([Series("loss", range(4), [100, 10, 1, 0])], log=True, height=14).rows(60))
    assert [row.split("┤")[0].strip() for row in rows if "┤" in row] == ["100", "10", "1"]
    assert any(row.rstrip().endswith("loss 1") for row in rows)


@pytest.mark.parametrize("width", [5, 16, 24, 40, 80, 200])
@pytest.mark.parametrize("height", [4, 8, 30])
@pytest.mark.parametrize("ys", [[], [1.0], [None, None], [1e-30, 1e300], [0.5, 0.5, 0.5], [-1e9, 3]])
def test_every_row_is_as_wide_as_asked_and_nothing_breaks(width, height, ys):
    series = [Series(name, range(len(ys)), ys) for name in ("train", "validation", "test")]
    for log in (False, True):
        rows = text(LineChart(series, height=height, log=log, guides={"floor": 0.3}).rows(width))
        assert {len(row) for row in rows} == {width}
        assert height - 1 <= len(rows) <= max(height, 7)


def test_names_that_find_no_room_beside_stand_below():
    rows = text(LineChart([Series("validation accuracy", [0, 1], [0, 1])], height=8).rows(26))
    assert rows[-1].startswith("validation accuracy 1") and len(rows) == 8


def test_the_same_numbers_give_the_same_cells_and_a_pipe_no_colours():
    chance = random.Random(0)
    chart = LineChart([Series(str(n), range(500), [chance.random() for _ in range(500)]) for n in range(4)], height=30)
    assert chart.rows(100) == chart.rows(100)
    console = Console(file=io.StringIO(), width=100)
    console.print(chart)
    assert console.file.getvalue() == "".join(f"{row}\n" for row in text(chart.rows(100)))
