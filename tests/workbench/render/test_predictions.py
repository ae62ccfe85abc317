"""Drawings of a network's predictions."""

import io

import pytest
from rich.console import Console
from rich.segment import Segment, Segments

from tests.workbench.render.cells import text_of
from workbench.render import predictions

CONFUSION = {"kind": "confusion", "classes": ["cat", "dog"], "counts": [[8, 2], [0, 5]]}
SAMPLES = [
    {"kind": "sample", "values": [0.5, -1.0], "target": 0, "predicted": 0, "probability": 0.9},
    {"kind": "sample", "values": [0.1, 1.0], "target": 1, "predicted": 0, "probability": 0.6},
]
REGIONS = {
    "kind": "regions",
    "features": ["x", "y"],
    "classes": ["low", "high"],
    "x": [-1.0, 1.0],
    "y": [-1.0, 1.0],
    "predicted": [[0] * 8] * 4 + [[1] * 8] * 4,  # class 0 for y below 0, class 1 above
    "probability": [[0.9] * 8] * 8,
    "samples": [[-0.9, -0.9, 0], [0.9, 0.9, 1]],
}
FIT = {"kind": "fit", "unit": "price", "target": [1.0, 2.0, 3.0], "predicted": [1.0, 2.0, 3.0]}


def test_a_confusion_matrix_has_a_row_per_true_class_with_its_recall():
    header, cat, dog = text_of(predictions.draw([CONFUSION], "confusion", 60, 10))
    assert header.split() == ["true", "ca", "do", "predicted"]
    assert cat.split() == ["cat", "8", "2", "80%", "of", "10"]
    assert dog.split() == ["dog", "·", "5", "100%", "of", "5"]


def test_a_confusion_matrix_without_room_lists_the_most_frequent_errors():
    assert text_of(predictions.draw([CONFUSION], "confusion", 30, 2)) == [
        "Most frequent errors",
        "     2  cat predicted as dog",
    ]


def test_samples_show_their_prediction_with_a_sign():
    correct, incorrect = text_of(predictions.draw([*SAMPLES, CONFUSION], "sample", 60, 10))
    assert correct.startswith("cat ✓") and incorrect.startswith("dog ✗ cat")


@pytest.mark.parametrize("color", [True, False])
def test_regions_have_their_samples_at_their_coordinates(color):
    rows = text_of(predictions.draw([REGIONS], "regions", 16, 6, color))
    assert rows[0].rstrip("b▀").endswith("B") and rows[3].lstrip("a▀").startswith("A")
    assert rows[-2] == "A low   B high" and rows[-1] == "right: x, up: y"


def test_regions_are_letters_without_color():
    rows = text_of(predictions.draw([REGIONS], "regions", 16, 6, color=False))
    assert set(rows[0].lower()) == {"b"} and set(rows[3].lower()) == {"a"}


@pytest.mark.parametrize(("predicted", "in_corner"), [([1.0, 3.0], False), ([3.0, 1.0], True)])
def test_a_prediction_above_its_target_is_above_the_diagonal(predicted, in_corner):
    rows = text_of(predictions.draw([{**FIT, "target": [1.0, 3.0], "predicted": predicted}], "fit", 20, 7))
    assert (rows[0][0] not in " ⠀") == in_corner  # the smallest target with the largest prediction


@pytest.mark.parametrize("kind", ["sample", "confusion", "regions", "fit"])
@pytest.mark.parametrize("size", [(30, 8), (70, 16), (120, 30)])
def test_drawings_fit_into_their_cells(kind, size):
    width, height = size
    rows = predictions.draw([*SAMPLES, CONFUSION, REGIONS, FIT], kind, width, height)
    assert 0 < len(rows) <= height
    assert all(Segment.get_line_length(row) <= width for row in rows)
    Console(file=io.StringIO(), width=width).print(*map(Segments, rows))


@pytest.mark.parametrize("kind", ["sample", "confusion", "regions", "fit"])
def test_damaged_data_is_reported(kind):
    assert "damaged" in text_of(predictions.draw([{"kind": kind}], kind, 90, 9))[0]
