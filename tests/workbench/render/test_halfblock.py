"""Images in characters, compared with their pixels."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.segment import Segment
from rich.style import Style

from workbench.render.halfblock import (
    render_all_tiles,
    render_gallery,
    render_halfblocks,
    render_shades,
    shrink,
    to_gray_pixels,
    to_pixels,
    to_stretched_pixels,
)

number = st.floats(-5, 5)
pixel = st.tuples(*[st.integers(0, 255)] * 3)


def grids(values, max_size=12):
    return st.integers(1, max_size).flatmap(
        lambda width: st.lists(st.lists(values, min_size=width, max_size=width), min_size=1, max_size=max_size)
    )


def pixels_of(rows):
    """Return the pixels that rows of half blocks show; None for the background."""
    pixels = []
    for row in rows:
        cells = [segment.style for segment in row for _ in segment.text]
        pixels.append([tuple(style.color.triplet) for style in cells])
        pixels.append([style.bgcolor and tuple(style.bgcolor.triplet) for style in cells])
    return pixels


@given(grids(pixel))
def test_every_pixel_has_its_half_of_a_cell(pixels):
    rendered = pixels_of(render_halfblocks(pixels))
    assert rendered[: len(pixels)] == pixels
    assert all(row == [None] * len(pixels[0]) for row in rendered[len(pixels) :])


@given(grids(number))
def test_gray_pixels_preserve_the_order_of_the_numbers(image):
    flat = sorted(
        (value, shade[0])
        for row, shades in zip(image, to_gray_pixels(image), strict=True)
        for value, shade in zip(row, shades, strict=True)
    )
    assert all(before[1] <= after[1] for before, after in pairwise(flat))
    assert flat[0][1] == 0 and (flat[-1][1] == 255 or flat[0][0] == flat[-1][0] or flat[-1][0] - flat[0][0] < 1e-300)


def test_nan_and_infinity_are_black():
    assert to_gray_pixels([[math.nan, 1.0], [math.inf, 3.0]]) == [[(0, 0, 0), (0, 0, 0)], [(0, 0, 0), (255, 255, 255)]]


def test_rgb_pixels():
    assert to_pixels([[[1.0, 0.0, 0.5]]]) == [[(255, 0, 128)]]


@given(grids(pixel, max_size=9), st.integers(1, 4))
def test_shrink_averages_squares(pixels, divisor):
    small = shrink(pixels, divisor)
    for y, row in enumerate(small):
        for x, mean in enumerate(row):
            square = [pixels[y * divisor + dy][x * divisor + dx] for dy in range(divisor) for dx in range(divisor)]
            assert all(abs(mean[c] - sum(p[c] for p in square) / divisor**2) <= 0.5 for c in range(3))


@given(st.integers(1, 40), st.integers(1, 6), st.integers(20, 100), st.integers(3, 30), st.booleans())
def test_a_gallery_fits_into_its_cells(size, count, width, height, color):
    tiles = [([[(9, 9, 9)] * size] * size, "7 ✓", Style())] * count
    rows = render_gallery(tiles, width, height, color)
    assert all(Segment.get_line_length(row) == width for row in rows)
    assert len(rows) <= max(height, size + 1 if not color else 0)


def test_brighter_pixels_are_denser_characters():
    assert render_shades(to_gray_pixels([[0.0, 1.0]])) == ["  @@"]


def test_a_character_of_a_large_image_covers_two_rows_of_pixels():
    diagonal = to_gray_pixels([[float(row == column) for column in range(18)] for row in range(18)])
    lines = render_shades(diagonal)
    assert len(lines) == 9 and all(line.strip(" ") == "@@" and line.index("@") == 2 * k for k, line in enumerate(lines))


def test_captions_are_below_their_images():
    ramp = to_gray_pixels([[0.0, 1.0], [1.0, 0.0]])
    rows = render_gallery([(ramp, "3 ✗ 5", Style()), (ramp, "4 ✓", Style())], 30, 5, color=False)
    assert ["".join(segment.text for segment in row).rstrip() for row in rows] == [
        "  @@     @@",
        "@@     @@",
        "3 ✗ 5  4 ✓",
    ]


def test_the_channels_of_a_pixel_are_stretched_together():
    assert to_stretched_pixels([[[-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]]]) == [[(0, 128, 255), (255, 255, 255)]]
    assert to_stretched_pixels([[2.0, 2.0]]) == [[(0, 0, 0)] * 2]


@pytest.mark.parametrize("count", [1, 6, 64])
def test_all_tiles_are_rendered_in_order(count):
    image = to_gray_pixels([[(x * y) % 7 / 7 for x in range(8)] for y in range(8)])
    rows = render_all_tiles([(image, f"#{k}", Style()) for k in range(count)], 78, 40)
    captions = " ".join("".join(segment.text for segment in row) for row in rows).replace("▀", "").split()
    assert captions == [f"#{k}" for k in range(count)]
    # 64 images of 8x8: seven per row of 78 cells, each 8 cells and a gap, four rows of cells and one of captions.
    assert len(rows) <= 40 or count == 64
