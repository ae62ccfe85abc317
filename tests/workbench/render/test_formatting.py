"""Computed values as text: aligned columns within a width, without losing digits of integers."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from workbench.render.formatting import format_table, format_value


def test_format_value():
    assert format_value(Fraction(1, 3)) == "0.333333"
    assert format_value([[1, Fraction(1, 2)], [2.0, -3]]) == "[[1, 0.5], [2, -3]]"
    assert format_value(["adam", 7]) == "[adam, 7]"


def test_a_table_with_a_shape_and_an_empty_cell():
    rows = [
        {"layer": "conv3-8", "output_shape": [4, 4, 8], "params": 1234567, "jump": 1},
        {"layer": "fc10", "output_shape": [10], "params": 80, "jump": None},
    ]
    assert format_table(rows) == [
        "         output",
        "layer     shape     params  jump",
        "────────────────────────────────",
        "conv3-8   4x4x8  1,234,567     1",
        "fc10         10         80",
    ]


COLUMNS = st.lists(st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9), min_size=3, max_size=3)


@given(st.text("ab c-", min_size=1, max_size=40), st.lists(COLUMNS, min_size=1, max_size=4), st.integers(60, 120))
def test_a_table_fits_its_width_and_keeps_integers_whole(word, columns, width):
    rows = [
        {"name": word.strip() or "x", **{f"c{k}": column[row] for k, column in enumerate(columns)}} for row in range(3)
    ]
    lines = format_table(rows, width)
    assert max(map(len, lines)) <= width
    body = [line for line in lines[2:] if line.split()]
    digits = "\n".join(body).replace(",", "")
    assert all(str(value) in digits for value in columns[-1] if isinstance(value, int))
