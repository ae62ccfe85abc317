"""Drawings of states: they fit their room, mark what the state is about, and show the numbers of its values."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes import procedures
from quizzes.procedure import State
from quizzes.question import Visualization
from tests.workbench.render.cells import dots_of
from workbench.render import visualizations
from workbench.render.states import draw_state, render_state, render_values

SIZES = [(30, 9), (44, 14), (76, 7), (116, 27)]


@pytest.mark.parametrize("id", procedures.entries())
def test_every_state_of_the_examples_fits_its_room(id):
    states = procedures.get(id).states()
    for state in states:
        assert max(map(len, render_state(state, 80).splitlines())) <= 80
        for width, height in SIZES:
            lines = draw_state(state, width, height).splitlines()
            assert len(lines) <= height and max(map(len, lines), default=0) <= width
            assert bool(lines) == bool(state.visualization)
            assert "None" not in "".join(lines)


def draw(kind, width=76, height=14, **data):
    return visualizations.draw(Visualization(kind, data), width, height)


def test_a_state_of_conv_values_frames_its_window():
    state = procedures.get("conv-values").states(dict(X=[[1, 2, 3], [4, 5, 6], [7, 8, 9]], K=[[1, 0], [0, 1]]))[4]
    assert draw_state(state, 40, 9).splitlines() == [
        "X         K         O",
        " 1 2 3    ⎡ 1 0 ⎤   ⎡  6  8 ⎤",
        "  ┌───┐   ⎣ 0 1 ⎦   ⎣ 12 14 ⎦",
        " 4│5 6│",
        " 7│8 9│",
        "  └───┘",
    ]


def test_dilation_hides_what_it_skips():
    state = procedures.get("conv-values").states(dict(X=[[1, 2, 3]] * 3, K=[[1, 1], [1, 1]], d=2))[1]
    rows = [line[:7] for line in draw_state(state, 40, 9).splitlines()[1:]]
    assert rows == ["┌─────┐", "│1 · 3│", "│· · ·│", "│1 · 3│", "└─────┘"]


@given(st.integers(8, 30), st.integers(8, 30), st.data())
@settings(max_examples=40, deadline=None)
def test_of_a_large_map_the_part_around_the_window_is_drawn(rows, columns, data):
    X = np.arange(rows * columns).reshape(rows, columns).tolist()
    top, left = data.draw(st.integers(0, rows - 3)), data.draw(st.integers(0, columns - 3))
    output = [[0] * (columns - 2)] * top + [[0] * left + [7]]
    place = dict(top=top, left=left, height=3, width=3, d=1, shape=[rows - 2, columns - 2])
    drawing = visualizations.draw(Visualization("sliding-window", dict(place, X=X, outputs=dict(O=output))), 76, 14)
    lines = drawing.splitlines()
    assert len(lines) <= 14 and max(map(len, lines)) <= 76 and "7" in drawing
    framed = [re.findall(r"│([^│]*)│", line)[0].split() for line in lines if line.count("│") >= 2]
    assert framed == [[str(v) for v in row[left : left + 3]] for row in X[top : top + 3]]


def test_suppression_draws_each_group_in_its_own_lines():
    boxes = [[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]
    drawing = draw("suppression", boxes=boxes, labels=["A", "B", "C"], current="B", keep=["A"], suppressed=["B"])
    legend, top, *_ = drawing.splitlines()
    assert legend == "╌╌ suppressed B   ── waiting C   ━━ kept A"
    assert re.fullmatch(r"┏A━+┓ +┌▸B╌+┐ +┌C─+┐", top)


def test_labels_of_suppression_do_not_overlap():
    boxes = [[0, 0, 40, 10], [1, 0, 41, 10], [2, 0, 42, 10]]
    drawing = draw("suppression", boxes=boxes, labels=["A", "B", "C"], current="A", keep=["A"], suppressed=[])
    assert all(f"{label}" in drawing.splitlines()[1] for label in "ABC")


def test_descent_marks_the_path_on_the_curve():
    drawing = draw("descent", f="w^2", weights=["w"], path=[[2], [1], [0.5]], bounds=[[-3, 3]])
    rows = drawing.splitlines()[1:-1]
    start, now = (next((y, row.index(sign)) for y, row in enumerate(rows) if sign in row) for sign in "●◆")
    assert start[0] < now[0] and start[1] > now[1] and "•" in drawing


def test_descent_marks_the_path_among_contours():
    drawing = draw("descent", f="x^2 + y^2", weights=["x", "y"], path=[[2, 2], [-1, -1]], bounds=[[-3, 3], [-3, 3]])
    rows = drawing.splitlines()[1:-1]
    start, now = (next((y, row.index(sign)) for y, row in enumerate(rows) if sign in row) for sign in "●◆")
    assert start[0] < now[0] and start[1] > now[1]
    assert "ln" not in draw("descent", f="ln(x) + y", weights=["x", "y"], path=[[2, 2]], bounds=[[-3, 3], [0, 3]])
    assert draw("descent", f="0*x + 0*y", weights=["x", "y"], path=[[2, 2]], bounds=[[-3, 3], [0, 3]])


def test_contours_are_where_a_function_passes_a_level():
    from workbench.render.visualizations.descent import LEVELS, _contours

    points = np.array(_contours("x^2 + y^2", (-1.0, 1.0), (-1.0, 1.0), 200, 200))
    levels = LEVELS * np.sqrt((points**2).sum(1) / 2)  # the largest value is 2, in the corners
    assert len(points) > 500 and np.abs(levels - np.round(levels)).max() < 0.1


def test_progress_marks_the_epoch_and_the_best_one():
    drawing = draw("progress", x="epoch", curves={"loss": [5, 3, 4, 4.5]}, first=1, at=2, marks={"best": 1})
    head, *rows = drawing.splitlines()
    assert head == "loss by epoch: ◆ epoch 3" and "best" in rows[-1]
    line = next(row.index("┊") for row in rows if "┊" in row)
    assert line < next(row.index("◆") for row in rows if "◆" in row)


def test_a_separating_line_divides_the_classes():
    X, y = [[2, 2], [3, 1], [-2, -2], [-1, -3]], [1, 1, -1, -1]
    drawing = draw("separating-line", X=X, y=y, w=[1, 1], b=0, current=0)
    head, *rows = drawing.splitlines()
    assert "line: w x + b = 0" in head
    signs = [sign for row in rows for sign in row if sign in "●○◆◇"]
    assert sorted(signs) == sorted("◆●○○")
    assert any(dots_of(row) for row in rows)
    assert "no line" in draw("separating-line", X=X, y=y, w=[0, 0], b=0, current=None)


def test_a_highlighted_table_keeps_its_row_in_sight():
    rows = [[f"row{k}", str(k)] for k in range(40)]
    for highlighted in (0, 17, 39):
        drawing = draw("highlighted-table", columns=["name", "value"], rows=rows, row=highlighted, height=10)
        lines = drawing.splitlines()
        assert len(lines) == 10 and "name" in lines[0]
        assert [line.split()[1] for line in lines if line.startswith("▸")] == [f"row{highlighted}"]
        hidden = re.search(r"\.\.\. (\d+) more", drawing)
        last = max(int(name) for name in re.findall(r"row(\d+)", drawing))
        assert (int(hidden[1]) if hidden else 0) == 39 - last


def test_passes_mark_the_node_that_is_computed():
    states = procedures.get("backprop-steps").states(dict(f="(x + y)*x", values=[2, 3]))
    highlighted = [[line for line in draw_state(state, 76, 14).splitlines() if line[0] == "▸"] for state in states]
    assert not highlighted[0] and all(highlighted[1:])
    assert "?" in draw_state(states[0], 76, 14) and "?" not in draw_state(states[-1], 76, 14)


def test_values_are_cut_off_at_the_width():
    values = dict(a=1, b=1 / 3, names=["x", "y"], gap=None, empty=[], table={"u": 0.25}, long=list(range(99)))
    lines = render_values(values, 40)
    assert lines[0] == "a = 1   b = 0.3333   names = [x, y]"
    assert lines[1] == "table = {u: 0.25}"
    assert lines[2].startswith("long = [0, 1,") and lines[2].endswith("…") and len(lines[2]) == 40
    assert render_state(State("Only words.", {}), 40).strip() == "Only words."
