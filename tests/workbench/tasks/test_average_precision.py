"""Average precision on cases by hand, and against a computation with loops."""

import numpy as np
import pytest
import torch
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from models.layers.boxes import Detections
from workbench.tasks.average_precision import AveragePrecision
from workbench.tasks.precision_recall import PrecisionRecall

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


def random_case(seed, images=25, size=240, classes=3):
    """Return (detected, objects, is_crowd, areas) of images with objects of all sizes, some of them crowds."""
    generator = np.random.default_rng(seed)

    def box():
        width, height = generator.choice([12, 40, 110], 2) + generator.integers(0, 20, 2)
        x, y = generator.integers(0, size - 131, 2)
        return tuple(map(float, (x, y, x + width, y + height)))

    case = []
    for _ in range(images):
        objects = [(box(), int(generator.integers(0, classes))) for _ in range(generator.integers(0, 6))]
        moved = [(tuple(np.add(one, generator.integers(-6, 7, 4)).tolist()), label) for one, label in objects]
        false = [(box(), int(generator.integers(0, classes))) for _ in range(generator.integers(0, 4))]
        detected = [(one, float(generator.uniform()), label) for one, label in [*moved, *moved[:2], *false]]
        crowds = [bool(generator.uniform() < 0.15) for _ in objects]
        areas = [float(generator.uniform(0.5, 1.0)) * (b[2] - b[0]) * (b[3] - b[1]) for b, _ in objects]
        case.append((detected, objects, crowds, areas))
    return case


def measure_case(case, classes=3):
    meter = AveragePrecision(classes)
    for detected, objects, crowds, areas in case:
        boxes = torch.tensor([box for box, _ in objects], dtype=torch.float32).reshape(-1, 4)
        labels = torch.tensor([label for _, label in objects], dtype=torch.long)
        meter.update(
            [detections(*detected)], [boxes], [labels], [torch.tensor(areas)], [torch.tensor(crowds, dtype=torch.bool)]
        )
    return meter


def summarize(case, classes=3):
    """Return pycocotools' own summary: AP, AP50, AP75, small, medium, large."""
    truth, rows = COCO(), []
    annotations = []
    for image, (detected, objects, crowds, areas) in enumerate(case, start=1):
        for ((x1, y1, x2, y2), label), crowd, area in zip(objects, crowds, areas, strict=True):
            place = dict(id=len(annotations) + 1, image_id=image, category_id=label, iscrowd=int(crowd))
            annotations.append(place | dict(bbox=[x1, y1, x2 - x1, y2 - y1], area=area))
        rows += [[image, x1, y1, x2 - x1, y2 - y1, np.float32(s), label] for (x1, y1, x2, y2), s, label in detected]
    truth.dataset = dict(
        images=[dict(id=k) for k in range(1, len(case) + 1)],
        categories=[dict(id=k) for k in range(classes)],
        annotations=annotations,
    )
    truth.createIndex()
    evaluation = COCOeval(truth, truth.loadRes(np.array(rows)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return evaluation.stats[:6]


@pytest.mark.parametrize("seed", range(4))
def test_all_of_cocos_numbers_are_those_of_its_own_summary(seed):
    case = random_case(seed)
    metrics, names = measure_case(case).compute_all(), ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large")
    assert [metrics[name] for name in names] == pytest.approx(summarize(case).tolist(), abs=1e-12)
    assert measure_case(case).compute() == pytest.approx({name: metrics[name] for name in ("ap50", "ap")})


def voc_by_loops(case, label, points):
    """Return VOC's average precision of a class, as its development kit defines it, without the added pixel."""
    ranked = sorted(
        (
            (np.float32(score), image, box)
            for image, (detected, *_) in enumerate(case)
            for box, score, other in detected
            if other == label
        ),
        key=lambda row: -row[0],
    )
    truth = {
        image: [(box, crowd) for (box, other), crowd in zip(objects, crowds, strict=True) if other == label]
        for image, (_, objects, crowds, _) in enumerate(case)
    }
    total, used = sum(not crowd for rows in truth.values() for _, crowd in rows), set()
    true, false, recalls, precisions = 0, 0, [], []
    for _, image, box in ranked:
        best, place = 0.0, None
        for k, (other, crowd) in enumerate(truth[image]):
            overlap = brute_force_iou(box, other)
            if crowd:  # COCO's measure for a crowd: the share of the detection that is in it
                union = (box[2] - box[0]) * (box[3] - box[1]) + (other[2] - other[0]) * (other[3] - other[1])
                overlap = overlap / (1 + overlap) * union / ((box[2] - box[0]) * (box[3] - box[1]))
            if overlap > best:
                best, place = overlap, k
        if best >= 0.5 and truth[image][place][1]:
            continue
        if best >= 0.5 and (image, place) not in used:
            used.add((image, place))
            true += 1
        else:
            false += 1
        recalls.append(true / total)
        precisions.append(true / (true + false))
    if points:
        levels = [k / 10 for k in range(11)]
        return np.mean(
            [max((p for p, r in zip(precisions, recalls, strict=True) if r >= t - 1e-12), default=0) for t in levels]
        )
    area, before = 0.0, 0.0
    for k, recall in enumerate(recalls):
        area += (recall - before) * max(precisions[k:])
        before = recall
    return area


@pytest.mark.parametrize("seed", range(4))
def test_vocs_numbers_are_those_of_loops(seed):
    case = random_case(seed)
    metrics = measure_case(case).compute_all()
    for name, points in (("ap50_voc2007", 11), ("ap50_voc2010", None)):
        assert metrics[name] == pytest.approx(
            np.mean([voc_by_loops(case, label, points) for label in range(3)]), abs=1e-9
        )


def test_sizes_without_objects_have_no_number_and_without_detections_all_are_0():
    image = ([(BOX, 0.9, 0)], [(BOX, 0)], [False], [100.0])
    assert "ap_small" in measure_case([image]).compute_all() and "ap_large" not in measure_case([image]).compute_all()
    nothing = measure_case([([], *image[1:])]).compute_all()
    assert set(nothing) == set(measure_case([image]).compute_all()) and set(nothing.values()) == {0.0}
    crowd = ([(BOX, 0.9, 0)], [(BOX, 0)], [True], [100.0])
    assert measure_case([crowd]).compute_all() == measure_case([crowd]).compute() == {}


def test_by_vocs_rule_a_box_whose_best_object_is_taken_is_false_though_another_one_would_do():
    near = (0, 0, 10, 14)  # IoU 0.71 with the box, which both detections overlap most
    case = [([(BOX, 0.9, 0), ((0, 0, 10, 11), 0.8, 0)], [(BOX, 0), (near, 0)], [False] * 2, [100.0, 140.0])]
    metrics = measure_case(case).compute_all()
    assert metrics["ap50"] == pytest.approx(1) and metrics["ap50_voc2010"] == pytest.approx(0.5)
    assert metrics["ap50_voc2007"] == pytest.approx(6 / 11)


def test_the_three_conventions_of_a_ranked_list():
    curve = PrecisionRecall(np.array([True, False, True, False, False, True]), objects=4)
    assert curve.precision == pytest.approx([1, 1 / 2, 2 / 3, 2 / 4, 2 / 5, 3 / 6])
    assert curve.recall == pytest.approx([0.25, 0.25, 0.5, 0.5, 0.5, 0.75])
    assert curve.interpolated == pytest.approx([1, 2 / 3, 2 / 3, 1 / 2, 1 / 2, 1 / 2])
    assert curve.voc2007() == pytest.approx((3 * 1 + 3 * 2 / 3 + 2 * 1 / 2) / 11)
    assert curve.voc2010() == pytest.approx((1 + 2 / 3 + 1 / 2) / 4)
    assert curve.coco() == pytest.approx((26 * 1 + 25 * 2 / 3 + 25 * 1 / 2) / 101)
    none = PrecisionRecall(np.array([], bool), objects=4)
    assert none.voc2007() == none.voc2010() == none.coco() == 0
