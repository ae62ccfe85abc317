"""Images with boxes: numbers and signs tell what color tells."""

import pytest

from tests.workbench.render.cells import text_of
from workbench.render import predictions

KIND = "kind"


def image(predicted=(), missed=(), size=24):
    """Return a visualization; a prediction is (box, label, score, correct), a missed object (box, label)."""
    return {
        KIND: "boxes",
        "pixels": [[[0.2, 0.2, 0.2]] * size] * size,
        "classes": ["circle", "bar"],
        "predicted": [
            {"box": box, "label": label, "score": score, "correct": correct} for box, label, score, correct in predicted
        ],
        "missed": [{"box": box, "label": label} for box, label in missed],
    }


def draw(*images, width=80, height=20, color=True):
    return text_of(predictions.draw(list(images), "boxes", width, height, color))


@pytest.mark.parametrize("color", [True, False])
def test_boxes_are_at_their_pixels_with_their_numbers(color):
    rows = draw(image([((4, 4, 12, 10), 0, 0.934, True)]), color=color)
    background = "▀" if color else " "
    assert rows[2][4:12] == "1──────┐"
    assert rows[3][4:12] == "│" + background * 6 + "│"
    assert rows[4][4:12] == "└──────┘"
    lines = {(y, x) for y, row in enumerate(rows[:12]) for x, character in enumerate(row) if character in "1─│┐└┘"}
    assert {y for y, _ in lines} == {2, 3, 4} and {x for _, x in lines} == set(range(4, 12))
    assert rows[12] == "1 ✓ circle 0.93"


def test_incorrect_and_missed_ones_differ_without_color():
    rows = draw(image([((0, 0, 8, 8), 0, 0.5, False)], [((10, 10, 20, 20), 1)]), color=False)
    assert rows[12:14] == ["1 ✗ circle 0.50", "a missed bar"]
    assert rows[5][10:20] == "a┄┄┄┄┄┄┄┄┐" and rows[6][10] == rows[6][19] == "┆"


def test_predictions_without_known_objects_have_no_sign():
    assert draw(image([((0, 0, 8, 8), 1, 0.5, None)]))[12] == "1 bar 0.50"


def test_as_many_images_as_fit_are_in_a_row():
    two = [image([((0, 0, 8, 8), label, 0.5, True)]) for label in (0, 1)]
    assert len(draw(*two, width=80, height=14)) == 13 and draw(*two, width=80, height=14)[12].split() == [
        *("1", "✓", "circle", "0.50"),
        *("1", "✓", "bar", "0.50"),
    ]
    assert draw(*two, width=30, height=14)[12] == "1 ✓ circle 0.50"
    assert len(draw(*two, width=30, height=40)) == 26


def test_a_large_image_is_reduced_and_a_long_legend_is_cut():
    crowded = image([((8 * k, 0, 8 * k + 8, 8), 0, 0.5, True) for k in range(12)], size=96)
    rows = draw(crowded, width=60, height=20)
    assert len(rows) <= 20 and max(map(len, rows)) <= 60
    assert rows[-1].split() == ["and", "3", "more"] and rows[-2].split()[0] == "9"


def test_boxes_partly_outside_are_drawn_as_far_as_they_are_visible():
    rows = draw(image([((-5, -5, 8, 8), 0, 0.5, True)]))
    assert rows[3][7] == "┘" and rows[0][7] == "│"


def test_an_image_without_detections_says_so_and_a_damaged_one_too():
    assert draw(image())[12] == "nothing detected"
    assert "damaged" in draw({KIND: "boxes"})[0]
