"""Computed values as text: aligned columns within a width, and no figure lost."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from workbench.render.values import table, text


def test_numbers_words_and_lists():
    assert text(Fraction(1, 3)) == "0.333333"
    assert text([[1, Fraction(1, 2)], [2.0, -3]]) == "[[1, 0.5], [2, -3]]"
    assert text(["adam", 7]) == "[adam, 7]"


def test_a_table_by_hand():
    rows = [
        {"layer": "conv3-8", "output_shape": [4, 4, 8], "params": 1234567, "jump": 1},
        {"layer": "fc10", "output_shape": [10], "params": 80, "jump": None},
    ]
    assert table(rows) == [
        "         output",
        "layer     shape     params  jump",
        "────────────────────────────────",
        "conv3-8   4x4x8  1,234,567     1",
        "fc10         10         80",
    ]


COLUMNS = st.lists(st.integers(-(10**12), 10**12) | st.floats(-1e9, 1e9), min_size=3, max_size=3)


@given(st.text("ab c-", min_size=1, max_size=40), st.lists(COLUMNS, min_size=1, max_size=4), st.integers(60, 120))
def test_what_fits_keeps_within_the_width_and_aligns(word, columns, width):
    rows = [
        {"name": word.strip() or "x", **{f"c{k}": column[row] for k, column in enumerate(columns)}} for row in range(3)
    ]
    lines = table(rows, width)
    assert max(map(len, lines)) <= width
    body = [line for line in lines[2:] if line.split()]
    whole = [f"{value:,}" for value in columns[-1] if isinstance(value, int)]
    seen = "\n".join(body).replace(",", "")
    assert all(number.replace(",", "") in seen for number in whole)  # whole numbers are never cut
