"""Drawings of autoencoders: reconstructions, codes, decoded points; each fits, with colors or without."""

import pytest
from rich.segment import Segment

from tests.workbench.render.cells import text_of
from workbench.render import autoencoding, predictions


def image(level: float, size: int = 8) -> list[list[float]]:
    return [[level] * size for _ in range(size)]


def sample(size: int = 8, **more: object) -> dict:
    images = {"clean": image(1, size), "noisy": image(0.5, size), "reconstruction": image(0.9, size)}
    return {"kind": "reconstruction", "images": images, "error": 0.0123, **more}


CODES = {
    "kind": "codes",
    "features": ["z1", "z2"],
    "classes": ["3", "8"],
    "x": [-1.0, 1.0],
    "y": [-2.0, 2.0],
    "samples": [[-0.99, -1.99, 0], [0.99, 1.99, 1]],
}
PLANE = {
    "kind": "decoded-plane",
    "x": [-1.0, 1.0],
    "y": [-2.0, 2.0],
    "columns": 7,
    "images": [image(k / 48) for k in range(49)],
}
PATH = {"kind": "interpolation", "ends": ["3", "8"], "images": [image(k / 7) for k in range(8)]}
GALLERY = {"kind": "images", "caption": "drawn", "images": [image(0.5, 28)] * 16}
DECODED = {"kind": "decoded", "decoded": image(0.5), "point": [0.5, -1.0], "features": {"z1": 0.5, "z2": -1.0}}
ALL = [sample(), sample(28), CODES, PLANE, PATH, GALLERY, DECODED, {**DECODED, "regions": CODES}]


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize(("width", "height"), [(80, 24), (44, 8), (120, 40), (20, 5)])
@pytest.mark.parametrize("number", range(len(ALL)))
def test_a_drawing_fits_into_its_place(number, width, height, color):
    one = ALL[number]
    rows = predictions.draw([one], one["kind"], width, height, color)
    assert rows and "damaged" not in "".join(text_of(rows))
    limit = max(height, 8)  # the smallest drawing of several images
    limit *= 1 if color else 2  # without colors, a row of pixels takes a whole row
    assert len(rows) <= limit and all(Segment.get_line_length(row) <= width for row in rows)


def test_images_are_stacked_if_there_is_room_and_in_a_row_if_not():
    high = text_of(predictions.draw([sample(target="7")] * 2, "reconstruction", 80, 24))
    assert high[-1] == "clean over noisy over reconstruction, with class and mean squared error"
    assert high[-2].split() == ["7", "0.0123"] * 2
    low = text_of(predictions.draw([sample()] * 2, "reconstruction", 80, 8))
    assert low[-1] == "clean | noisy | reconstruction, with mean squared error"


def test_levels_are_not_stretched():
    assert autoencoding.to_level_pixels([[0.5, 2.0, -1.0]]) == [[(128, 128, 128), (255, 255, 255), (0, 0, 0)]]
    assert autoencoding.to_level_pixels([[[1.0, 0.0, 0.5]]]) == [[(255, 0, 128)]]


def test_codes_are_at_their_coordinates_with_the_sign_of_their_class():
    rows = text_of(predictions.draw([CODES], "codes", 20, 7, color=False))
    assert rows[0] == " " * 19 + "8" and rows[4] == "3"
    assert rows[-2:] == ["each sign is a class", "right: z1, up: z2"]
    named = text_of(predictions.draw([{**CODES, "classes": ["cat", "dog"]}], "codes", 20, 7, color=False))
    assert named[-2] == "A cat   B dog" and named[4] == "A"
    pointed = text_of(predictions.draw([{**CODES, "point": [0.99, -1.99]}], "codes", 20, 7, color=False))
    assert pointed[4] == "3" + " " * 18 + "✚"


def test_a_plane_shows_its_corners_however_little_room_there_is():
    for width, height in ((56, 29), (40, 13)):
        rows = predictions.draw([PLANE], "decoded-plane", width, height)
        first, last = rows[0][0].style, rows[-2][-1].style
        assert first.color.triplet == (0, 0, 0) and last.bgcolor.triplet == (255, 255, 255)
    assert text_of(rows)[-1] == "right: z1 -1 to 1, up: z2 -2 to 2"


def test_a_path_always_has_both_ends():
    wide, narrow = (text_of(predictions.draw([PATH], "interpolation", width, 12, False)) for width in (150, 44))
    assert wide[-2].split() == ["3", *(f"{k / 7:.2f}" for k in range(1, 7)), "8"]
    assert narrow[-2].split()[0] == "3" and narrow[-2].split()[-1] == "8" and len(narrow[-2].split()) == 2
