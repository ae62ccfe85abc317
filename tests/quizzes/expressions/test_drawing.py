"""Equations as on paper: brackets, roots, subscripts and powers as the books write them."""

import pytest

from quizzes.expressions.symbol_names import symbol_name
from quizzes.expressions.symbolic import pretty_text


@pytest.mark.parametrize(
    ("name", "index", "text"),
    [
        ("theta", (), "θ"),
        ("lam", (), "λ"),
        ("yhat", (), "y\u0302"),
        ("w1", (), "w₁"),
        ("w_2", (), "w₂"),
        ("fan_in", (), "fan_in"),  # a word, of which Unicode has only some letters as subscripts
        ("y_tanh", (), "y_tanh"),
        ("m_prior", (), "m_prior"),
        ("W_1", ("i", "k"), "W₁[i, k]"),
        ("x", ("i",), "xᵢ"),
        ("x", ("i", "k"), "xᵢₖ"),
        ("x", ("i", "j"), "x[i, j]"),  # no subscript j in most fonts
        ("x", ("i + 1",), "x[i + 1]"),
        ("σ²", ("i",), "σᵢ²"),
    ],
)
def test_names(name, index, text):
    assert symbol_name(name, index) == text


@pytest.mark.parametrize("operation", ["sum", "prod"])
def test_a_sum_within_a_reduction_is_in_parentheses(operation):
    assert "(1 + dᵢ)" in pretty_text(f"R = {operation}(i, 1 + d[i])")
    assert "(" not in pretty_text(f"R = {operation}(i, d[i])")
    outside = pretty_text(f"R = {operation}(i, d[i]) + lam")
    assert "+ λ" in outside and "(" not in outside


def test_a_root_has_a_bar_over_all_that_is_under_it():
    inside, outside = pretty_text("y = g/sqrt(v + c)"), pretty_text("y = g/(sqrt(v) + c)")
    assert inside != outside
    [bar, root] = [line for line in outside.splitlines() if "___" in line or "╱" in line]
    assert root.rstrip().endswith("+ c") and bar.rindex("_") < root.index("+")


def test_a_notation_replaces_a_name_everywhere():
    drawing = pretty_text("s2 = 1 - s2/R2[i]", notation={"s2": "σ²", "R2": "R²"})
    assert "σ²" in drawing and "Rᵢ²" in drawing and "s₂" not in drawing
