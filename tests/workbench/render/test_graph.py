"""Computation graphs in characters: each edge once, gradients that add up, and room for long texts."""

import pytest

from quizzes import bank
from quizzes.expressions.graph import build_graph, describe_nodes, run_passes
from quizzes.expressions.tree import exact
from workbench.render import visualizations
from workbench.render.graph import format_number, render_graph, render_notes, render_table


def nodes_of(text, **values):
    graph = build_graph(text)
    result = run_passes(graph, {name: exact(value) for name, value in values.items()}) if values else None
    return describe_nodes(graph, result), result.kinks if result else []


def test_a_table_has_a_row_for_each_node_but_the_constants():
    nodes, _ = nodes_of("2*x + sigmoid(w)", x=3, w=0)
    rows = [line.split() for line in render_table(nodes).splitlines()]
    assert rows[0] == ["node", "operation", "value", "gradient", "kind"]
    assert rows[1:3] == [["x", "3", "2", "leaf"], ["w", "0", "0.25", "leaf"]]
    assert rows[-1] == ["v3", "=", "v1", "+", "v2", "6.5", "1", "root"]
    assert len(rows) == 1 + 5


def test_decimal_points_are_aligned():
    nodes, _ = nodes_of("x*y + z", x=-12.5, y=0.25, z=100)
    lines = render_table(nodes).splitlines()
    column = lines[0].index("value")
    assert {line[column:].partition(".")[0].rstrip("0123456789-").count(" ") for line in lines[1:3]} == {0, 2}
    assert {line.index(".") for line in lines[1:3]} == {column + 3}


def test_each_edge_is_a_line_and_a_shared_node_shows_each_contribution():
    nodes, _ = nodes_of("u = x*y; v = u + x; f = u*v", x=3, y=-2)
    drawing = render_graph(nodes)
    assert len(drawing.splitlines()) == 1 + 1 + sum(len(node["operands"]) for node in nodes)
    assert "-3 of -9" in drawing and "-6 of -9" in drawing and "18 of 12" in drawing and "-6 of 12" in drawing
    assert "df/du = v = -3" in drawing
    assert render_notes(nodes, []).splitlines() == [
        "Gradient of x: 18 through u + (-6) through v = 12.",
        "Gradient of u: (-6) through v + (-3) through f = -9.",
    ]


def test_notes_include_kinks():
    nodes, kinks = nodes_of("relu(x)", x=0)
    assert kinks and render_notes(nodes, kinks, width=1000) == "\n".join(kinks)


@pytest.mark.parametrize(
    "text",
    [
        "+".join(f"x{k}*2" for k in range(37)),  # a graph 37 deep
        "max(" * 20 + "x" + ", 1)" * 20,
        "a_name_that_is_far_longer_than_any_column * (another_name_that_is_as_long + 123456789.123456)",
        "x*1e30*1e20",
    ],
)
@pytest.mark.parametrize("width", [78, 66, 40])
def test_every_line_fits_and_no_value_is_lost(text, width):
    graph = build_graph(text)
    nodes, _ = nodes_of(text, **{leaf: k + 0.123456 for k, leaf in enumerate(graph.leaves)})
    for drawing in (render_graph(nodes, width), render_table(nodes, width)):
        assert max(map(len, drawing.splitlines())) <= width
    if width == 78:
        values = [format_number(node["value"]) for node in nodes if node["kind"] != "constant"]
        assert all(value in render_graph(nodes, width) for value in values)


def test_unknown_values_are_question_marks():
    nodes, _ = nodes_of("f = x*y")
    assert [line.split()[-2:] for line in render_graph(nodes).splitlines()[1:]] == [["?", "?"]] * 3


@pytest.mark.parametrize("id", ["autograd-dag", "autograd-dag:shared-node"])
def test_the_graph_of_a_drill_shows_only_what_is_given(id):
    for seed in range(1, 20):
        question = bank.draw(id, seed)
        lines = visualizations.draw(question.visualization, 30, 9).splitlines()
        assert len(lines) <= 9 and max(map(len, lines)) <= 30
        for line in lines[1:]:
            *label, value, gradient = line.split()
            name = next(word for word in label if word.isalnum())
            assert gradient == "?"
            assert value == str(question.params.get(name, "?"))
