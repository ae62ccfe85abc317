"""Line charts: their dots against the geometry of the lines, and their labels."""

import io
import math
import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tests.workbench.render.cells import dots_of
from workbench.engine.events import RunState
from workbench.render.canvas import PLAIN, Canvas, line_dots
from workbench.render.chart import LineChart, Series
from workbench.render.curves import charted_metrics, charts, compare_runs
from workbench.render.downsampling import downsample, extreme_points, select_window

dot = st.tuples(st.integers(0, 60), st.integers(0, 60))


def text(rows):
    return ["".join(segment.text for segment in row) for row in rows]


@given(dot, dot)
def test_line_dots_are_within_half_a_dot_of_the_line(start, end):
    dots = list(line_dots(start, end))
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
        assert any(abs(at_x - dx) <= 0.51 and abs(at_y - dy) <= 0.51 for dx, dy in dots_of(plot)), (x, y)


@given(st.lists(st.integers(0, 40), min_size=1, max_size=200))
def test_extreme_points_of_a_column_draw_the_same_dots(rows):
    def draw(column):
        canvas = Canvas(1, 11)
        canvas.paint(column, PLAIN, dotted=False)
        return dots_of("".join(segment.text for segment in canvas.row(row)) for row in range(11))

    column = [(0, row) for row in rows]
    extremes = [column[index] for index in extreme_points(rows)]
    assert len(extremes) <= 4 and draw(extremes) == draw(column)
    assert (extremes[0], extremes[-1]) == (column[0], column[-1])


@given(st.lists(st.one_of(st.floats(-1e3, 1e3), st.just(None), st.just(math.nan)), min_size=1, max_size=3000))
def test_downsample_preserves_ends_extremes_and_gaps(ys):
    series = Series("y", range(len(ys)), ys)
    short = downsample(series, 100)
    assert {(series.xs[0], repr(ys[0])), (series.xs[-1], repr(ys[-1]))} <= {
        *zip(short.xs, map(repr, short.ys), strict=True)
    }
    assert list(short.xs) == sorted(set(short.xs))
    before, after = ([y for y in values if y is not None and not math.isnan(y)] for values in (ys, short.ys))
    assert bool(before) == bool(after) and (not before or (min(before), max(before)) == (min(after), max(after)))
    assert [repr(y) for y in short.ys].count("nan") == [repr(y) for y in ys].count("nan")


def test_a_million_points_are_drawn_from_few():
    series = Series("y", range(10**6), [math.sin(x / 10**5) for x in range(10**6)])
    assert len(downsample(series, 16 * 80).xs) <= 16 * 80 + 4
    assert list(select_window(series, (5.0, 8.5)).xs) == [5, 6, 7, 8]


@pytest.mark.parametrize("gap", [None, math.nan, math.inf, -math.inf])
def test_a_gap_interrupts_the_line_and_does_not_stretch_the_axis(gap):
    without_gap = text(LineChart([Series("y", range(5), [0, 1, 0.5, 1, 0])]).rows(60))
    with_gap = text(LineChart([Series("y", range(5), [0, 1, gap, 1, 0])]).rows(60))
    assert dots_of(with_gap) < dots_of(without_gap)
    columns = {column for column, _ in dots_of(with_gap)}
    middle = (min(columns) + max(columns)) // 2
    assert not columns & set(range(middle - 10, middle + 10))


def test_the_later_series_has_the_color_of_a_shared_cell():
    flat, rising = Series("flat", [0, 1], [1, 1], color="red"), Series("rising", [0, 1], [0, 2], color="blue")
    rows = LineChart([flat, rising], height=9).rows(60)
    colors = {segment.style.color.name for row in rows for segment in row if segment.style and segment.style.color}
    assert colors == {"red", "blue"}
    both = sum(len(segment.text) for row in rows for segment in row if segment.style == rows[0][-2].style)
    alone = LineChart([rising], height=9).rows(60)
    assert both and dots_of(text(alone)) <= dots_of(text(rows))


def test_a_dotted_line_has_holes_but_no_other_dots():
    solid, dotted = (LineChart([Series("y", [0, 9], [0, 1], dotted=is_)]).rows(60) for is_ in (False, True))
    assert 0.3 < len(dots_of(text(dotted))) / len(dots_of(text(solid))) < 0.7
    assert dots_of(text(dotted)) < dots_of(text(solid))


def test_lines_and_guides_are_labeled_with_their_values():
    loss = Series("train", range(10), [2 - x / 10 for x in range(10)])
    rows = text(LineChart([loss, Series("test", [0, 9], [2, 1.1])], guides={"baseline": 0.5}, title="loss").rows(70))
    assert rows[0].startswith("loss")
    [guide] = [row for row in rows if "baseline 0.5" in row]
    assert "╌╌╌" in guide
    assert sum("train 1.1" in row for row in rows) == sum("test 1.1" in row for row in rows) == 1
    assert not any("train" in row and "test" in row for row in rows)


def test_a_log_axis_has_powers_of_ten_and_omits_zero():
    rows = text(LineChart([Series("loss", range(4), [100, 10, 1, 0])], log=True, height=14).rows(60))
    assert [row.split("┤")[0].strip() for row in rows if "┤" in row] == ["100", "10", "1"]
    assert any(row.rstrip().endswith("loss 1") for row in rows)


@pytest.mark.parametrize("width", [5, 16, 24, 40, 80, 200])
@pytest.mark.parametrize("height", [4, 8, 30])
@pytest.mark.parametrize("ys", [[], [1.0], [None, None], [1e-30, 1e300], [0.5, 0.5, 0.5], [-1e9, 3]])
def test_a_chart_has_the_requested_size(width, height, ys):
    series = [Series(name, range(len(ys)), ys) for name in ("train", "validation", "test")]
    for log in (False, True):
        rows = text(LineChart(series, height=height, log=log, guides={"baseline": 0.3}).rows(width))
        assert {len(row) for row in rows} == {width}
        assert height - 1 <= len(rows) <= max(height, 7)


def test_names_of_many_lines_share_rows_below_the_chart_and_leave_room_for_the_lines():
    names = ["train", "validation", "test", "coordinates", "sizes", "objectness", "no_object", "classes"]
    series = [Series(name, [0, 1, 2], [k, k + 1, k + 0.5]) for k, name in enumerate(names)]
    rows = ["".join(segment.text for segment in row) for row in LineChart(series, height=9).rows(66)]
    assert len(rows) == 9 and all(len(row) == 66 for row in rows)
    assert all(any(name in row for row in rows[-3:]) for name in names)
    assert sum("│" in row or "┤" in row for row in rows) >= 5


def test_names_without_room_at_the_line_are_below_the_chart():
    rows = text(LineChart([Series("validation accuracy", [0, 1], [0, 1])], height=8).rows(26))
    assert rows[-1].startswith("validation accuracy 1") and len(rows) == 8


def test_a_chart_is_deterministic_and_plain_in_a_pipe():
    rng = random.Random(0)
    chart = LineChart([Series(str(n), range(500), [rng.random() for _ in range(500)]) for n in range(4)], height=30)
    assert chart.rows(100) == chart.rows(100)
    console = Console(file=io.StringIO(), width=100)
    console.print(chart)
    assert console.file.getvalue() == "".join(f"{row}\n" for row in text(chart.rows(100)))


def state_of(*events):
    state = RunState()
    for event in events:
        state.apply({"seconds": 0.0, **event})
    return state


def metric(step, **metrics):
    return {"event": "metric", "split": "train", "step": step, "metrics": metrics}


def evaluation(step, split, **metrics):
    return {"event": "eval", "split": split, "step": step, "metrics": metrics}


def test_curves_have_the_points_of_a_run_and_its_baseline():
    start = {"event": "start", "step": 0, "baseline": {"metric": "accuracy", "value": 0.9}}
    events = [metric(1, loss=2.0, lr=0.1), metric(2, loss=1.0, lr=0.1), evaluation(2, "test", accuracy=0.5)]
    curves = state_of(start, *events, evaluation(2, "train", loss=9.0))
    assert charted_metrics(curves) == ["loss", "accuracy"]  # the learning rate is constant
    assert (curves.points("loss", "train").steps, curves.points("loss", "train").values) == ([1, 2], [2.0, 1.0])
    assert curves.splits("accuracy") == ["test"]
    assert [chart.guides for chart in charts(curves)] == [{}, {"baseline": 0.9}]


def test_curves_of_a_resumed_run_drop_the_steps_that_are_repeated():
    events = [metric(1, loss=3.0), metric(2, loss=2.0), {"event": "start", "step": 1}, metric(2, loss=1.5)]
    points = state_of(*events).points("loss", "train")
    assert (points.steps, points.values) == ([1, 2], [3.0, 1.5])


def test_runs_are_compared_on_the_validation_set_if_it_was_evaluated():
    validated = state_of(metric(1, loss=2.0, norm=3.0), evaluation(1, "validation", loss=1.0))
    trained = state_of(metric(1, loss=2.0))
    loss, norm = compare_runs({"a": validated, "b": trained})
    assert (loss.title, [list(series.ys) for series in loss.series]) == ("validation loss", [[1.0], []])
    assert (norm.title, [list(series.ys) for series in norm.series]) == ("train norm", [[3.0], []])


@pytest.mark.parametrize("height", [3, 4, 5, 8, 12])
@pytest.mark.parametrize(("low", "high"), [(0.32, 0.81), (1.02, 1.98), (0.5, 0.50001), (-3.7, 12.1)])
def test_the_y_axis_has_two_numbers_also_in_few_rows(height, low, high):
    ys = [low + (high - low) * k / 30 for k in range(31)]
    chart = LineChart([Series("loss", [float(x) for x in range(31)], ys)], width=60, height=height)
    rows = ["".join(segment.text for segment in row) for row in chart.rows(60)]
    numbers = [float(row.partition("┤")[0]) for row in rows if "┤" in row]
    assert len(numbers) >= 2 and numbers == sorted(numbers, reverse=True)
    assert all(low - 0.01 <= number <= high + 0.01 for number in numbers)
