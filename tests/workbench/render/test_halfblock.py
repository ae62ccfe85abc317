"""Pixels in characters, against the pixels that they stand for."""

import math
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from workbench.render.halfblock import as_pixels, gallery, greys, halfblocks, shaded, shrunk

number = st.floats(-5, 5)
pixel = st.tuples(*[st.integers(0, 255)] * 3)


def grids(of, most=12):
    return st.integers(1, most).flatmap(
        lambda wide: st.lists(st.lists(of, min_size=wide, max_size=wide), min_size=1, max_size=most)
    )


def pixels_of(rows):
    """The pixels that rows of half blocks show; None where they leave the background."""
    shown = []
    for row in rows:
        cells = [segment.style for segment in row for _ in segment.text]
        shown.append([tuple(style.color.triplet) for style in cells])
        shown.append([style.bgcolor and tuple(style.bgcolor.triplet) for style in cells])
    return shown


@given(grids(pixel))
def test_every_pixel_has_its_half_of_a_cell(pixels):
    shown = pixels_of(halfblocks(pixels))
    assert shown[: len(pixels)] == pixels
    assert all(rest == [None] * len(pixels[0]) for rest in shown[len(pixels) :])


@given(grids(number))
def test_greys_keep_the_order_of_the_numbers(picture):
    flat = sorted(
        (value, shade[0])
        for row, shades in zip(picture, greys(picture), strict=True)
        for value, shade in zip(row, shades, strict=True)
    )
    assert all(before[1] <= after[1] for before, after in pairwise(flat))
    assert flat[0][1] == 0 and (flat[-1][1] == 255 or flat[0][0] == flat[-1][0] or flat[-1][0] - flat[0][0] < 1e-300)


def test_what_is_no_number_is_black_and_moves_nothing():
    assert greys([[math.nan, 1.0], [math.inf, 3.0]]) == [[(0, 0, 0), (0, 0, 0)], [(0, 0, 0), (255, 255, 255)]]


def test_a_coloured_picture_keeps_its_colours():
    assert as_pixels([[[1.0, 0.0, 0.5]]]) == [[(255, 0, 128)]]


@given(grids(pixel, most=9), st.integers(1, 4))
def test_a_smaller_picture_has_the_means_of_squares(pixels, times):
    small = shrunk(pixels, times)
    for y, row in enumerate(small):
        for x, mean in enumerate(row):
            square = [pixels[y * times + dy][x * times + dx] for dy in range(times) for dx in range(times)]
            assert all(abs(mean[c] - sum(p[c] for p in square) / times**2) <= 0.5 for c in range(3))


@given(st.integers(1, 40), st.integers(1, 6), st.integers(20, 100), st.integers(3, 30), st.booleans())
def test_a_gallery_keeps_within_its_cells(side, count, width, height, colour):
    pictures = [([[(9, 9, 9)] * side] * side, "7 ✓", Style())] * count
    rows = gallery(pictures, width, height, colour)
    assert all(Segment.get_line_length(row) == width for row in rows)
    assert len(rows) <= max(height, side + 1 if not colour else 0)


def test_without_colour_ink_is_told_by_characters():
    assert shaded(greys([[0.0, 1.0]])) == ["  @@"]


def test_large_pictures_have_two_rows_of_pixels_in_one_of_characters():
    diagonal = greys([[float(row == column) for column in range(18)] for row in range(18)])
    drawn = shaded(diagonal)
    assert len(drawn) == 9 and all(line.strip(" ") == "@@" and line.index("@") == 2 * k for k, line in enumerate(drawn))


def test_pictures_stand_side_by_side_over_what_is_said_of_them():
    ramp = greys([[0.0, 1.0], [1.0, 0.0]])
    rows = gallery([(ramp, "3 ✗ 5", Style()), (ramp, "4 ✓", Style())], 30, 5, colour=False)
    assert ["".join(segment.text for segment in row).rstrip() for row in rows] == [
        "  @@     @@",
        "@@     @@",
        "3 ✗ 5  4 ✓",
    ]
