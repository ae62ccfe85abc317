"""Average precision on cases by hand, and against a computation with loops."""

import numpy as np
import pytest
import torch

from models.layers.boxes import Detections
from workbench.tasks.average_precision import AveragePrecision

BOX, FAR = (0, 0, 10, 10), (30, 30, 40, 40)


def detections(*rows):
    """Return (box, score, label) as detections."""
    boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
    corners = torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4)
    return Detections(corners, torch.tensor(scores), torch.tensor(labels, dtype=torch.long))


def measure(*images, num_classes=2):
    """Return the metrics of images, each (detections, objects); an object is (box, label)."""
    meter = AveragePrecision(num_classes)
    for detected, objects in images:
        boxes = torch.tensor([box for box, _ in objects], dtype=torch.float32).reshape(-1, 4)
        meter.update([detections(*detected)], [boxes], [torch.tensor([label for _, label in objects])])
    return meter.compute()


def test_perfect_detections_have_an_average_precision_of_1():
    image = [(BOX, 0.9, 0), (FAR, 0.6, 1)], [(BOX, 0), (FAR, 1)]
    assert measure(image, image) == {"ap50": 1.0, "ap": 1.0}


def test_without_detections_it_is_0_and_without_objects_there_is_none():
    assert measure(([], [(BOX, 0)])) == {"ap50": 0.0, "ap": 0.0}
    assert measure(([(BOX, 0.9, 0)], [])) == {} and measure() == {}


def test_a_better_scoring_false_positive_halves_the_precision():
    assert measure(([(FAR, 0.9, 0), (BOX, 0.8, 0)], [(BOX, 0)]))["ap50"] == pytest.approx(0.5)
    assert measure(([(FAR, 0.7, 0), (BOX, 0.8, 0)], [(BOX, 0)]))["ap50"] == pytest.approx(1.0)


def test_half_of_the_objects_are_51_of_101_recalls():
    assert measure(([(BOX, 0.9, 0)], [(BOX, 0), (FAR, 0)]))["ap50"] == pytest.approx(51 / 101)


def test_a_box_counts_up_to_its_iou():
    loose = (0, 0, 10, 7.2)  # IoU 0.72: five of the ten thresholds 0.5, 0.55 ... 0.95
    assert measure(([(loose, 0.9, 0)], [(BOX, 0)])) == pytest.approx({"ap50": 1.0, "ap": 0.5})


def test_an_object_is_detected_once():
    twice = [(BOX, 0.9, 0), (BOX, 0.8, 0), (FAR, 0.7, 0)], [(BOX, 0), (FAR, 0)]
    assert measure(twice)["ap50"] == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_the_wrong_class_is_no_detection_and_classes_without_objects_do_not_count():
    assert measure(([(BOX, 0.9, 1)], [(BOX, 0)]))["ap50"] == 0
    assert measure(([(BOX, 0.9, 0), (FAR, 0.8, 1)], [(BOX, 0)]), num_classes=5)["ap50"] == pytest.approx(1)


def test_boxes_of_other_images_do_not_match():
    assert measure(([(BOX, 0.9, 0)], []), ([], [(BOX, 0)]))["ap50"] == 0


def brute_force_iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    return width * height / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - width * height)


def brute_force(images, threshold, label):
    """Return the average precision of one class."""
    ranked = sorted(
        ((score, k, box) for k, (detected, _) in enumerate(images) for box, score, own in detected if own == label),
        key=lambda row: -row[0],
    )
    objects = [[box for box, own in targets if own == label] for _, targets in images]
    total, left, hits, points = sum(map(len, objects)), [list(boxes) for boxes in objects], 0, []
    for count, (_, k, box) in enumerate(ranked, start=1):
        best = max(left[k], key=lambda other: brute_force_iou(box, other), default=None)
        if best is not None and brute_force_iou(box, best) >= threshold:
            left[k].remove(best)
            hits += 1
        points.append((hits / total, hits / count))
    # Half a step of rounding: recalls such as 0.29 are not exact.
    return np.mean([max((p for r, p in points if r >= k / 100 - 1e-9), default=0.0) for k in range(101)])


@pytest.mark.parametrize("seed", range(3))
def test_it_is_what_loops_compute(seed):
    generator = np.random.default_rng(seed)

    def box():
        x, y = generator.integers(0, 50, 2).tolist()
        width, height = generator.integers(5, 25, 2).tolist()
        return x, y, x + width, y + height

    images, scores = [], generator.permutation(1000) / 1000
    for k in range(30):
        objects = [(box(), int(generator.integers(0, 2))) for _ in range(generator.integers(0, 4))]
        moved = [(tuple(np.add(one, generator.integers(-2, 3, 4)).tolist()), label) for one, label in objects]
        false = [(box(), int(generator.integers(0, 2))) for _ in range(2)]
        detected = [(one, scores[10 * k + n], label) for n, (one, label) in enumerate([*moved, *false])]
        images.append((detected, objects))
    metrics = measure(*images)
    by_threshold = [
        np.mean([brute_force(images, threshold, label) for label in (0, 1)]) for threshold in np.linspace(0.5, 0.95, 10)
    ]
    assert metrics == pytest.approx({"ap50": by_threshold[0], "ap": np.mean(by_threshold)}, abs=1e-6)
    assert 0.1 < metrics["ap"] < metrics["ap50"] < 0.95
