"""Drawings of what a network says of samples."""

import io

import pytest
from rich.console import Console
from rich.segment import Segment, Segments

from workbench.render import predictions


def text(rows):
    """The rows' characters."""
    return ["".join(segment.text for segment in row).rstrip() for row in rows]


CONFUSION = {"picture": "confusion", "classes": ["cat", "dog"], "counts": [[8, 2], [0, 5]]}
SAMPLES = [
    {"picture": "sample", "values": [0.5, -1.0], "target": 0, "predicted": 0, "probability": 0.9},
    {"picture": "sample", "values": [0.1, 1.0], "target": 1, "predicted": 0, "probability": 0.6},
]
REGIONS = {
    "picture": "regions",
    "features": ["x", "y"],
    "classes": ["low", "high"],
    "x": [-1.0, 1.0],
    "y": [-1.0, 1.0],
    "predicted": [[0] * 8] * 4 + [[1] * 8] * 4,  # below 0 the one, above it the other
    "probability": [[0.9] * 8] * 8,
    "samples": [[-0.9, -0.9, 0], [0.9, 0.9, 1]],
}
FIT = {"picture": "fit", "unit": "price", "target": [1.0, 2.0, 3.0], "predicted": [1.0, 2.0, 3.0]}


def test_the_confusion_matrix_has_true_classes_by_row_and_their_share():
    header, cat, dog = text(predictions.draw([CONFUSION], "confusion", 60, 10))
    assert header.split() == ["true", "ca", "do", "taken", "for"]
    assert cat.split() == ["cat", "8", "2", "80%", "of", "10"]
    assert dog.split() == ["dog", "·", "5", "100%", "of", "5"]


def test_where_it_has_no_room_the_commonest_mistakes_are_named():
    assert text(predictions.draw([CONFUSION], "confusion", 30, 2)) == [
        "Most often mistaken",
        "     2  cat taken for dog",
    ]


def test_samples_say_right_and_wrong_by_sign_and_by_name():
    right, wrong = text(predictions.draw([*SAMPLES, CONFUSION], "sample", 60, 10))
    assert right.startswith("cat ✓") and wrong.startswith("dog ✗ cat")


@pytest.mark.parametrize("colour", [True, False])
def test_regions_have_their_samples_where_they_lie(colour):
    rows = text(predictions.draw([REGIONS], "regions", 16, 6, colour))
    assert rows[0].rstrip("b▀").endswith("B") and rows[3].lstrip("a▀").startswith("A")
    assert rows[-2] == "A low   B high" and rows[-1] == "right: x, up: y"


def test_without_colour_regions_are_letters():
    rows = text(predictions.draw([REGIONS], "regions", 16, 6, colour=False))
    assert set(rows[0].lower()) == {"b"} and set(rows[3].lower()) == {"a"}


@pytest.mark.parametrize(("told", "corner"), [([1.0, 3.0], False), ([3.0, 1.0], True)])
def test_what_is_told_too_high_lies_above_the_diagonal(told, corner):
    rows = text(predictions.draw([{**FIT, "target": [1.0, 3.0], "predicted": told}], "fit", 20, 7))
    assert (rows[0][0] not in " ⠀") == corner  # the least true number, and the most told of it


@pytest.mark.parametrize("kind", ["sample", "confusion", "regions", "fit"])
@pytest.mark.parametrize("size", [(30, 8), (70, 16), (120, 30)])
def test_drawings_keep_within_their_cells(kind, size):
    width, height = size
    rows = predictions.draw([*SAMPLES, CONFUSION, REGIONS, FIT], kind, width, height)
    assert 0 < len(rows) <= height
    assert all(Segment.get_line_length(row) <= width for row in rows)
    Console(file=io.StringIO(), width=width).print(*map(Segments, rows))


@pytest.mark.parametrize("kind", ["sample", "confusion", "regions", "fit"])
def test_damaged_pictures_are_said_to_be_damaged(kind):
    assert "damaged" in text(predictions.draw([{"picture": kind}], kind, 90, 9))[0]
