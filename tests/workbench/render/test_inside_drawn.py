"""Drawings of what is inside a network: within their width, with signs that do without colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from workbench.render.framed import framed

from workbench.render import inside
from workbench.render.halfblock import stretched, wall

ABOUT = dict(run="lenet5-0001", model="lenet5", checkpoint="best", step=9, classes=["cat", "dog"])
GREY = [[(x * y) % 7 / 7 for x in range(8)] for y in range(8)]
SAMPLE = dict(sample=4, pixels=GREY, target=0, predicted=1, probability=0.875, all_layers=["c1"])
FILTERS = ABOUT | dict(picture="filters", layer="c1", type="Conv2d", shape=[3, 1, 8, 8], filters=[GREY] * 3)
MAPS = ABOUT | SAMPLE | dict(picture="maps")
MAPS["layers"] = [
    dict(layer="c1", type="Conv2d", shape=[5, 8, 8], maps=[dict(channel=3, strength=0.5, pixels=GREY)] * 2),
    dict(layer="c2", type="Conv2d", shape=[1, 1, 1], maps=[dict(channel=0, strength=2.0, pixels=[[1.0]])]),
]
ERRORS = ABOUT | dict(picture="errors", tested=50, wrong=2, errors=[{**SAMPLE, "true_probability": 0.1}] * 2)
FIELD = ABOUT | SAMPLE | dict(picture="field", layer="c1", type="Conv2d", shape=[5, 8, 8], unit=[4, 4])
FIELD |= dict(
    theoretical=dict(size=[3, 3], first=[3, 3]), effective=dict(gradients=GREY, samples=8, pixels=4, side=2.0)
)
EVERY = [FILTERS, MAPS, ERRORS, FIELD]


def text(rows):
    return ["".join(segment.text for segment in row).rstrip() for row in rows]


@pytest.mark.parametrize("colour", [True, False])
@pytest.mark.parametrize("found", EVERY, ids=lambda found: found["picture"])
@pytest.mark.parametrize("size", [(40, 10), (78, 19), (118, 35), (200, 60)])
def test_no_row_is_wider_than_it_may_be(found, size, colour):
    rows = inside.draw(found, *size, colour)
    assert rows and max(map(Segment.get_line_length, rows)) <= size[0]


def test_every_picture_is_drawn_and_told_in_words():
    assert sum("0:" in line or "1:" in line or "2:" in line for line in text(inside.draw(FILTERS, 78, 30))) >= 1
    said = "\n".join(text(inside.draw(MAPS, 78, 30)))
    assert "cat ✗ dog 88%" in said and "c1  5x8x8  Conv2d: the strongest 2 of 5" in said and "3: 0.5" in said
    assert "1x1x1  Conv2d: all" in said
    said = "\n".join(text(inside.draw(ERRORS, 78, 30)))
    assert "2 of 50" in said and said.count("4: cat ✗ dog 88%") == 2
    assert "None of the 50" in "\n".join(text(inside.draw(ERRORS | dict(errors=[], wrong=0), 78, 30)))
    said = "\n".join(text(inside.draw(FIELD, 78, 30)))
    assert "rows 3 to 5, columns 3 to 5" in said and "44% of the border's area" in said  # 4 of 9 pixels


def test_a_field_that_is_everything_or_reaches_beyond_says_so():
    whole = FIELD | dict(theoretical=dict(size=[None, None], first=[None, None]))
    assert "whole picture of 8x8" in " ".join(text(inside.draw(whole, 78, 30)))
    beyond = FIELD | dict(theoretical=dict(size=[11, 11], first=[-1, -1]))
    rows = text(inside.draw(beyond, 78, 30, colour=False))
    assert "beyond the picture" in " ".join(rows) and not set("┌┐└┘│─") & set("".join(rows))


@pytest.mark.parametrize("colour", [True, False])
def test_the_frame_stands_on_the_outermost_pixels_within(colour):
    pixels = stretched([[0.0] * 8 for _ in range(8)])
    rows = text(framed(pixels, (2, 1), (6, 7), 16, 8, colour))  # a pixel is two columns wide, one row high
    assert [row.rstrip()[2:14] if k in range(2, 6) else "" for k, row in enumerate(rows)] == [
        *["", ""],
        "┌──────────┐",
        *["│" + ("▀" if colour else " ") * 10 + "│"] * 2,
        "└──────────┘",
        *["", ""],
    ]
    open_above = text(framed(pixels, (-3, 1), (6, 9), 16, 8, colour))
    assert "┌" not in "".join(open_above) and "┘" not in "".join(open_above) and "└" in "".join(open_above)


@given(
    st.integers(2, 40),
    st.integers(2, 40),
    st.tuples(st.integers(-50, 50), st.integers(-50, 50)),
    st.tuples(st.integers(1, 99), st.integers(1, 99)),
    st.booleans(),
)
def test_any_frame_over_any_picture_fits(tall, wide, first, size, colour):
    pixels = stretched([[float(x + y) for x in range(wide)] for y in range(tall)])
    rows = framed(pixels, first, (first[0] + size[0], first[1] + size[1]), 30, 12, colour)
    assert len({Segment.get_line_length(row) for row in rows}) == 1 and Segment.get_line_length(rows[0]) <= 80


def test_colours_are_stretched_together():
    assert stretched([[[-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]]) == [[(0, 128, 255), (255, 255, 255)]]
    assert stretched([[2.0, 2.0]]) == [[(0, 0, 0)] * 2]


@pytest.mark.parametrize("count", [1, 6, 64])
def test_a_wall_has_all_pictures_as_large_as_fit(count):
    from workbench.render.canvas import PLAIN

    pictures = [(stretched(GREY), f"#{k}", PLAIN) for k in range(count)]
    rows = wall(pictures, 78, 40)
    said = " ".join(text(rows)).replace("▀", "").split()
    assert said == [f"#{k}" for k in range(count)]
    # 64 of 8x8: seven in a row of 78, each 8 cells and a gap, four rows of cells and one of words
    assert len(rows) <= 40 or count == 64
