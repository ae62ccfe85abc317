"""Images with boxes: numbers and signs tell what color tells."""

import pytest

from tests.workbench.render.cells import text_of
from workbench.render import predictions
from workbench.render.boxes import draw_boxes
from workbench.render.precision_recall import draw_precision_recall

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


def test_a_wide_image_fits_and_boxes_may_have_numbers_of_their_own():
    box = {"box": [10, 5, 90, 35], "label": 0, "score": 0.5, "correct": None, "number": 7}
    image = {"pixels": [[[0.0] * 3] * 200] * 50, "classes": ["cat"], "predicted": [box], "missed": []}
    rows = draw_boxes([image], 80, 24, True)
    lines = ["".join(segment.text for segment in row) for row in rows]
    assert all(len(line) == 80 for line in lines) and len(rows) <= 24
    assert any(line.startswith("7 cat 0.50") for line in lines) and any("┐" in line for line in lines)


def test_curves_of_many_classes_are_drawn_with_their_names():
    recall = [k / 100 for k in range(101)]
    curves = [{"name": f"class {k}", "recall": recall, "precision": [1 - k / 10] * 60 + [0.0] * 41} for k in range(8)]
    rows = draw_precision_recall({"iou_threshold": 0.5, "curves": curves}, 80, 14, False)
    lines = ["".join(segment.text for segment in row) for row in rows]
    assert len(rows) == 14 and "IoU 0.5, 2 more classes" in lines[0]
    assert any("class 5" in line for line in lines) and not any("class 6" in line for line in lines)
