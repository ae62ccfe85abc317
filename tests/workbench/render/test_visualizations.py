"""Visualizations of questions: their size, their data, and that they do not reveal the answer."""

import math
import re
from itertools import pairwise

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from quizzes.question import Visualization
from tests.workbench.render.cells import dots_of
from workbench.render import visualizations
from workbench.render.visualizations import curves, flows, learning, lines, matrices, networks, windows
from workbench.render.visualizations.grid import Grid, place_labels
from workbench.render.visualizations.plot import Plot

SIZES = [(30, 9), (44, 14)]
NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
small = st.integers(-99, 99)


def test_unknown_values_are_question_marks():
    assert "? x ? x 8" in visualizations.draw(Visualization("flow: {n} x {n} x {c} > conv > {o}", {"c": 8}))
    assert visualizations.drawing_data(Visualization("scatter x y w=w0 b=0", {"x": [1], "w0": 2}))[1] == dict(
        x=[1], y=None, w=2, b=0
    )


TORCH = {
    "relu": F.relu,
    "leaky": lambda z: F.leaky_relu(z, 0.1),
    "elu": lambda z: F.elu(z, 1.5),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "silu": F.silu,
    "gelu": F.gelu,
    "softplus": F.softplus,
    "huber": lambda d: F.huber_loss(d, torch.zeros_like(d), reduction="none", delta=0.8),
    "smooth-l1": lambda d: F.smooth_l1_loss(d, torch.zeros_like(d), reduction="none", beta=0.8),
    "cubic": lambda x: torch.from_numpy(np.polyval([0.1, 1.2, 0, 0], x.numpy())),
}


@pytest.mark.parametrize("name", curves.FUNCTIONS)
def test_functions_match_torch(name):
    xs = torch.linspace(-5, 5, 41, dtype=torch.float64)
    data = dict(a=0.1, alpha=1.5, beta=0.8, b=1.2)
    ours = [curves.FUNCTIONS[name][1](x, data) for x in xs.tolist()]
    np.testing.assert_allclose(ours, TORCH[name](xs).numpy(), atol=1e-12)


scores = st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, max_size=8)


@given(scores, scores)
def test_roc_and_precision_recall_match_scikit_learn(pos, neg):
    from sklearn.metrics import precision_recall_curve, roc_curve

    targets, values = [1] * len(pos) + [0] * len(neg), [*pos, *neg]
    false, true, _ = roc_curve(targets, values, drop_intermediate=False)
    np.testing.assert_allclose(curves.roc_points(pos, neg), np.column_stack([false, true]))
    precision, recall, _ = precision_recall_curve(targets, values)
    expected = np.column_stack([recall, precision])[:-1][::-1]  # without the last point, which has no threshold
    np.testing.assert_allclose(curves.precision_recall_points(pos, neg), expected)
    for kind in ("roc", "precision-recall"):
        visualization = Visualization(kind, dict(pos=pos, neg=neg))
        for width, height in SIZES:
            rows = visualizations.draw(visualization, width, height).split("\n")
            assert len(rows) <= height and max(map(len, rows)) <= width
        assert "(1, " in visualizations.describe(visualization)


def torch_lrs(make_scheduler, steps):
    sgd = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.4)
    scheduler = make_scheduler(sgd)
    lrs = []
    for _ in range(steps):
        lrs.append(sgd.param_groups[0]["lr"])
        sgd.step()
        scheduler.step()
    return lrs


def test_schedules_match_torch():
    schedulers = torch.optim.lr_scheduler
    torch_schedules = {
        "cosine": (dict(eta_min=0.1, T=20, t=5), lambda sgd: schedulers.CosineAnnealingLR(sgd, 20, 0.1)),
        "step": (dict(gamma=0.5, s=3, t=19), lambda sgd: schedulers.StepLR(sgd, 3, 0.5)),
        "exponential": (dict(gamma=0.8, t=19), lambda sgd: schedulers.ExponentialLR(sgd, 0.8)),
        "warm-up": (
            dict(T_w=5, T_c=15, t_a=2, t_b=9),
            lambda sgd: schedulers.SequentialLR(
                sgd,
                [schedulers.LinearLR(sgd, 1e-12, total_iters=5), schedulers.CosineAnnealingLR(sgd, 15)],
                milestones=[5],
            ),
        ),
    }
    for name, (data, make_scheduler) in torch_schedules.items():
        _, lr_at, _ = learning._schedule(dict(eta0=0.4, text=name) | data)
        np.testing.assert_allclose(
            [lr_at(t) for t in range(20)], torch_lrs(make_scheduler, 20), atol=1e-10, err_msg=name
        )


def test_an_unknown_learning_rate_or_decay_factor_is_not_drawn():
    data = dict(eta=0.025, gamma=0.5, s=10, t=25)
    unknown_lr = visualizations.draw(Visualization("learning-rate: step", data))
    assert "eta0 = ?" in unknown_lr and "┤" not in unknown_lr
    unknown_factor = visualizations.draw(Visualization("learning-rate: exponential", dict(eta0=0.1, eta=0.05, t=3)))
    assert unknown_factor.count("●") == 2 and not dots_of(unknown_factor.split("\n"))


@given(st.lists(st.tuples(small, small), min_size=2, max_size=6, unique=True), st.integers(20, 60), st.integers(5, 20))
def test_points_are_marked_to_scale(points, width, height):
    plot = Plot([x for x, _ in points], [y for _, y in points], width, height, has_numbers=False)
    for point in points:
        plot.mark(*point, "●")
    rows = plot.text().split("\n")[:-1]
    marks = {(x - 1, y) for y, row in enumerate(rows) for x, sign in enumerate(row) if sign == "●"}

    def place(value, values, cells):
        low, high = min(values), max(values)
        return ((value - low) / (high - low) if high > low else 0.5) * cells

    for x, y in points:
        column = place(x, [x for x, _ in points], width - 2)
        row = height - 2 - place(y, [y for _, y in points], height - 2)
        assert any(abs(column - dx) <= 1 and abs(row - dy) <= 1 for dx, dy in marks)


@given(st.lists(st.tuples(st.integers(0, 39), st.text("abc", min_size=1, max_size=9)), max_size=8))
def test_labels_of_an_axis_never_touch(labels):
    row = place_labels(labels, 40)
    assert len(row) == 40
    assert all(word in {text for _, text in labels} for word in row.split())
    assert not labels or labels[0][1] in row.split()


@given(st.lists(small, min_size=1, max_size=6), st.lists(small, min_size=1, max_size=6), st.sampled_from(SIZES))
def test_a_number_line_marks_every_value_to_scale(pos, neg, size):
    rows = visualizations.draw(Visualization("number-line pos neg", dict(pos=pos, neg=neg)), *size).split("\n")
    assert len(rows) <= size[1] and max(map(len, rows)) <= size[0]
    columns = {sign: sorted(x for row in rows for x, c in enumerate(row) if c == sign) for sign in "●○"}
    low, high = min(*pos, *neg), max(*pos, *neg)
    for sign, values in (("●", pos), ("○", neg)):
        assert len(columns[sign]) <= len(values)
        for value in values:
            at = 4 + ((value - low) / (high - low) if high > low else 0.5) * (size[0] - 5)
            assert any(abs(at - column) <= 0.5 for column in columns[sign])
    description = lines.describe_number_line(dict(pos=pos, neg=neg))
    assert list(map(int, NUMBER.findall(description))) == sorted([*pos, *neg])


def test_equal_values_are_stacked_and_thresholds_drawn_with_both_signs():
    drawing = visualizations.draw(Visualization("number-line y", dict(y=[3, 3, 5])))
    assert [row.count("●") for row in drawing.split("\n")[:2]] == [1, 2]
    rows = visualizations.draw(Visualization("number-line w ±lam", dict(w=[1, -1], lam=0.5))).split("\n")
    assert rows[0].count("┊") == 2 and "-0.5" in rows[-1] and " 0.5" in rows[-1]


@given(st.integers(2, 5), st.integers(2, 5), st.integers(1, 3), st.integers(1, 3), st.data())
def test_a_box_surrounds_exactly_its_window(high, wide, k, s, data):
    X = data.draw(st.lists(st.lists(small, min_size=wide, max_size=wide), min_size=high, max_size=high))
    k = min(k, high, wide)
    first = data.draw(st.integers(0, high - k)), data.draw(st.integers(0, wide - k))
    rows = windows.draw_windows(X, [first], k)
    inside = [re.search("│(.*)│", row).group(1).split() for row in rows if row.count("│") == 2]
    y, x = first
    assert inside == [[str(v) for v in row[x : x + k]] for row in X[y : y + k]]
    assert sorted(NUMBER.findall(" ".join(rows))) == sorted(str(v) for row in X for v in row)


def test_pooling_has_an_output_for_every_window():
    X = [[1, 2, 3, 4, 5]] * 5
    for k, s in ((2, 2), (2, 1), (3, 1), (2, 3)):
        drawing = visualizations.draw(Visualization("pooling X k s", dict(X=X, k=k, s=s)))
        assert drawing.count("?") == F.max_pool2d(torch.zeros(1, 5, 5), k, s).numel()


def test_a_confusion_matrix_adds_up():
    C = np.random.default_rng(0).integers(0, 30, (3, 3))
    rows = visualizations.draw(Visualization("confusion C", {"C": C.tolist()})).split("\n")[2:]
    table = np.array([[int(text) for text in row.split()[1 + row.startswith("true") :]] for row in rows])
    np.testing.assert_array_equal(table[:3, :3], C)
    np.testing.assert_array_equal(table[:3, 3], C.sum(1))
    np.testing.assert_array_equal(table[3], [*C.sum(0), C.sum()])
    description = matrices.describe_confusion({"C": C.tolist()})
    assert [int(n) for n in NUMBER.findall(description)] == [*C.sum(1), *C.sum(0)]


def test_confusion_matrix_has_the_order_of_scikit_learn():
    from sklearn.metrics import confusion_matrix

    targets, predictions = [0] * 7 + [1] * 8, [0] * 5 + [1] * 2 + [0] * 3 + [1] * 5
    (tn, fp), (fn, tp) = confusion_matrix(targets, predictions).tolist()
    rows = visualizations.draw(Visualization("confusion", dict(TN=tn, FP=fp, FN=fn, TP=tp))).split("\n")
    assert rows[2].split()[2:4] == [str(tn), str(fp)] and rows[3].split()[2:4] == [str(fn), str(tp)]


@given(st.lists(small, min_size=1, max_size=6).filter(any), st.sampled_from(SIZES))
def test_bars_are_drawn_to_scale(z, size):
    rows = visualizations.draw(Visualization("bars z", dict(z=z)), *size).split("\n")
    assert max(map(len, rows)) <= size[0] and all(
        row.endswith(str(v)) for row, v in zip(map(str.rstrip, rows), z, strict=True)
    )
    bars = [(row.count("▇"), abs(v)) for row, v in zip(rows, z, strict=True) if v]
    assert max(bar / v for bar, v in bars) < min((bar + 1) / v for bar, v in bars) + 1e-9  # one scale for all bars
    assert all(("▇│" in row, "│▇" in row) in ((v < 0, v > 0), (False, False)) for row, v in zip(rows, z, strict=True))


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
def test_the_boundary_is_at_score_zero(w1, w2, b):
    rows = visualizations.draw(Visualization("boundary", dict(w=[w1, w2], b=b, x=[1, 2])), 44, 14).split("\n")[1:-1]
    left = 1 + max(row.find(bar) for row in rows for bar in "│┤")
    size = 2 * (44 - left) - 1, 4 * 12 - 1
    for column, row in dots_of([line[left:] for line in rows]):
        x1, x2 = 8 * column / size[0] - 4, 4 - 8 * row / size[1]
        slack = abs(w1) * 8 / size[0] + abs(w2) * 8 / size[1]  # one dot in each direction
        assert abs(w1 * x1 + w2 * x2 + b) <= slack + 1e-9


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 5))
def test_contours_have_a_constant_loss(c1, c2, w1, w2):
    data = dict(c1=c1, c2=c2, w1_0=w1, w2_0=w2)
    rows = visualizations.draw(Visualization("contour", data), 60, 25).split("\n")[1:-1]
    left = 1 + max(row.find(bar) for row in rows for bar in "│┤")
    columns, deep = 2 * (60 - left) - 1, 4 * len(rows) - 1
    for column, row in dots_of([line[left:] for line in rows]):
        # In units of the semi-axes of the outer ellipse, the contours are circles.
        x, y = 1.25 * (2 * column / columns - 1), 1.25 * (1 - 2 * row / deep)
        assert min(abs(math.hypot(x, y) - math.sqrt(fraction)) for fraction in (0.1, 0.4, 1)) < 0.06


def test_every_edge_of_a_network_connects_its_units():
    for counts in ([2, 2, 1], [3, 1], [2, 3, 2]):
        units = [[f"({column}{k})" for k in range(count)] for column, count in enumerate(counts)]
        for before, after in ((a, b) for a in range(counts[0]) for b in range(counts[1])):
            weights = [[[None] * count for _ in range(more)] for count, more in pairwise(counts)]
            weights[0][after][before] = 7.5
            rows = networks.draw_units(units, weights, 44, 14, {}).split("\n")
            [(y, x)] = [(y, row.index("7.5") + 1) for y, row in enumerate(rows) if "7.5" in row]
            (y1, x1), (y2, x2) = (
                next((y, row.index(name)) for y, row in enumerate(rows) if name in row)
                for name in (f"(0{before})", f"(1{after})")
            )
            fraction = (x - x1 - 4) / (x2 - x1 - 5)
            assert abs(y - (y1 + fraction * (y2 - y1))) <= 1


def test_boxes_are_drawn_to_scale():
    visualization = Visualization("boxes", dict(A=[0, 0, 40, 20], B=[20, 0, 60, 40]))
    rows = visualizations.draw(visualization, 61, 40).split("\n")
    assert (len(rows[0]), len(rows)) == (61, 21)  # a cell is twice as high as it is wide
    assert sum(row.count("░") for row in rows) == 19 * 9  # 20x20 pixels without the borders of both boxes


def test_a_flow_has_boxes_only_if_they_fit():
    data = dict(text="8 x 8 > conv > ? > pool > ?")
    tall, low, flat = (flows.draw_flow(data, 30, height) for height in (11, 9, 4))
    assert tall.count("┌") == 3 and low.count("[") == 3 and low.count("↓") == 2 and len(flat.split("\n")) == 3


def test_frames_that_touch_are_joined():
    grid = Grid(5, 3)
    grid.draw_frames([(0, 0, 2, 2), (2, 0, 4, 2)])
    assert grid.text() == "┌─┬─┐\n│ │ │\n└─┴─┘"


def test_a_program_is_drawn_whole_whatever_room_there_is():
    source = "\n".join(f"    line{k} = {k}" for k in range(1, 12))
    drawing = visualizations.draw(Visualization("code program", {"program": source}), 5, 3)
    assert drawing.split("\n") == [f"{k:>2}  line{k} = {k}" for k in range(1, 12)]
    assert visualizations.describe(Visualization("code program", {"program": source})) == drawing
    filled = Visualization("code:\n    x = {x}\n    if x:\n        print({{1: x}})\n", {"x": [1, 2]})
    assert visualizations.draw(filled) == "1  x = [1, 2]\n2  if x:\n3      print({1: x})"


@given(st.lists(st.floats(-5, 5), min_size=2, max_size=8), st.sampled_from(SIZES))
def test_a_line_chart_marks_its_points_and_describes_them(values, size):
    visualization = Visualization("line-chart loss=v x=t", dict(v=values, t=[2 * k for k in range(len(values))]))
    rows = visualizations.draw(visualization, *size).split("\n")
    assert rows[0] == "● loss" and len(rows) <= size[1] and max(map(len, rows)) <= size[0]
    assert 1 <= sum(row.count("●") for row in rows[1:]) <= len(values)
    points = re.findall(r"\((.*?), (.*?)\)", visualizations.describe(visualization))
    assert [(int(x), float(y)) for x, y in points] == [
        (2 * k, pytest.approx(value, abs=1e-6)) for k, value in enumerate(values)
    ]


def test_several_curves_have_signs_of_their_own():
    visualization = Visualization("line-chart train validation", dict(train=[3, 2, 1], validation=[3.5, 3, 4]))
    drawing = visualizations.draw(visualization)
    assert drawing.startswith("● train  ○ validation\n") and drawing.count("○") == 4
    assert visualizations.describe(visualization).splitlines() == [
        "train: (1, 3), (2, 2), (3, 1)",
        "validation: (1, 3.5), (2, 3), (3, 4)",
    ]


def test_a_table_is_its_own_description():
    visualization = Visualization("table model accuracy", dict(model=["mlp", "cnn"], accuracy=[0.9, 0.97]))
    assert visualizations.describe(visualization) == visualizations.draw(visualization)
    assert [row.split() for row in visualizations.draw(visualization).split("\n")[1:]] == [
        ["model", "mlp", "cnn"],
        ["accuracy", "0.9", "0.97"],
    ]


def test_ranked_detections_are_points_of_precision_over_recall():
    points = curves.ranked_points([1, 0, 1, 1, 0, 1], 5)
    expected = [(0.2, 1), (0.2, 1 / 2), (0.4, 2 / 3), (0.6, 3 / 4), (0.6, 3 / 5), (0.8, 2 / 3)]
    np.testing.assert_allclose(points, expected)
    data = dict(hits=[1, 0, 1], n=2, envelope=[1, 2 / 3, 2 / 3])
    for width, height in SIZES:
        rows = visualizations.draw(Visualization("precision-recall", data), width, height).split("\n")
        assert len(rows) <= height and max(map(len, rows)) <= width and "●" in "".join(rows)


def test_boxes_in_a_frame_stay_in_place_and_to_scale():
    for left in (0, 10, 40):
        data = dict(A=[left, 0, left + 20, 20], B=[30, 10, 60, 20], frame=[0, 0, 60, 40])
        rows = visualizations.draw(Visualization("boxes", data), 61, 40).split("\n")
        assert len(rows) == 21 and rows[0].index("┌") == left and rows[5].count("B") == 1


def test_anchors_are_drawn_around_one_center_with_their_letters():
    data = dict(anchors=[[30, 30], [20, 40], [40, 20]], boxes=[[10, 10]])
    for width, height in SIZES:
        legend, *rows = visualizations.draw(Visualization("anchors", data), width, height).split("\n")
        assert "anchors" in legend and "boxes" in legend
        assert len(rows) < height and max(map(len, rows)) <= width
        assert {"A", "B", "C", "1"} <= set("".join(rows))


def test_a_region_lies_on_the_cells_of_its_map():
    data = dict(X=[[0] * 7] * 5, roi=[16, 32, 80, 64], s=16)
    for width, height in SIZES:
        rows = visualizations.draw(Visualization("roi-grid", data), width, height).split("\n")
        assert len(rows) <= height and max(map(len, rows)) <= width
        across, down = max(1, min(6, (width - 4) // 7)), max(1, min(2, (height - 2) // 5))
        top, bottom = rows[1 + 2 * down], rows[1 + 4 * down]
        assert (
            (top.index("┏"), top.index("┓")) == (3 + across, 3 + 5 * across) == (bottom.index("┗"), bottom.index("┛"))
        )
