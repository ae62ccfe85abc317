"""Panoptic quality against a computation by sets of pixels, and cases by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.errors import UserError
from workbench.tasks.panoptic_quality import PanopticMap, PanopticQuality, compare, quality

CLASSES = 3
SIZES = st.tuples(st.integers(1, 6), st.integers(1, 6))


def pixels_of(segments, number):
    rows, columns = segments.ids.shape
    return {(y, x) for y in range(rows) for x in range(columns) if segments.ids[y, x] == number}


def by_sets(images):
    """Return the sum of IoUs, TP, FP and FN of each class, from sets of pixels, by the rules of panopticapi."""
    sums = {label: [0.0, 0, 0, 0] for label in range(CLASSES)}
    for predicted, target in images:
        void = pixels_of(target, 0)
        matched = set()
        for number, label in target.classes.items():
            if number in target.crowds:
                continue
            own, is_matched = pixels_of(target, number), False
            for other, other_label in predicted.classes.items():
                pixels = pixels_of(predicted, other)
                iou = len(own & pixels) / len((own | pixels) - void)
                if label == other_label and iou > 0.5:
                    sums[label][0] += iou
                    sums[label][1] += 1
                    is_matched = True
                    matched.add(other)
            sums[label][3] += not is_matched
        for other, label in predicted.classes.items():
            pixels, ignored = pixels_of(predicted, other), set(void)
            for crowd in target.crowds:
                if target.classes[crowd] == label:
                    ignored |= pixels_of(target, crowd)
            if other not in matched and len(pixels & ignored) <= len(pixels) / 2:
                sums[label][2] += 1
    return sums


@st.composite
def panoptic_maps(draw):
    """Return a predicted and a true map; the prediction differs from the truth in some pixels."""
    size = draw(SIZES)
    target = draw(arrays(np.int64, size, elements=st.sampled_from([0, 1, 2, 7, 40])))
    noise = draw(arrays(np.int64, size, elements=st.sampled_from([-1, -1, -1, 0, 1, 2, 7, 3000])))
    predicted = np.where(noise < 0, target, noise)
    labels = st.integers(0, CLASSES - 1)
    maps = []
    for ids in (predicted, target):
        classes = {number: draw(labels) for number in np.unique(ids).tolist() if number}
        maps.append(PanopticMap(ids, classes))
    crowds = draw(st.lists(st.sampled_from([0, *maps[1].classes]), max_size=2, unique=True))
    return maps[0], maps[1]._replace(crowds=[number for number in crowds if number])


@settings(deadline=None, max_examples=200)
@given(st.lists(panoptic_maps(), min_size=1, max_size=4))
def test_random_maps_have_the_quality_of_sets_of_pixels(images):
    measured = PanopticQuality([True, True, False])
    for predicted, target in images:
        measured.update(predicted, target)
    expected = by_sets(images)
    for label in range(CLASSES):
        iou, *counts = expected[label]
        assert measured.iou[label] == pytest.approx(iou) and measured.counts[label].tolist() == counts
    values = {}
    for label, (iou, tp, fp, fn) in expected.items():
        if tp + fp + fn:
            values[label] = (iou / (tp + fp / 2 + fn / 2), iou / tp if tp else 0, tp / (tp + fp / 2 + fn / 2))
    metrics = measured.compute()
    groups = {"": values, "_things": {k: v for k, v in values.items() if k < 2}}
    for suffix, group in groups.items():
        for position, name in enumerate(("pq", "sq", "rq")):
            if group:
                mean = sum(one[position] for one in group.values()) / len(group)
                assert metrics[name + suffix] == pytest.approx(mean)
            else:
                assert name + suffix not in metrics
    assert ("pq_stuff" in metrics) == (2 in values)


def test_the_golden_case():
    assert quality(0.9 + 0.8 + 0.6, 3, 1, 2) == pytest.approx((0.51111, 0.76667, 0.66667), abs=1e-5)


def test_the_segments_of_a_map_match_themselves():
    ids = np.random.default_rng(0).integers(1, 9, (40, 30))
    one = PanopticMap(ids, {number: number % CLASSES for number in range(1, 9)})
    measured = PanopticQuality([True] * CLASSES)
    measured.update(one, one)
    assert measured.compute() == dict.fromkeys(("pq", "sq", "rq", "pq_things", "sq_things", "rq_things"), 1.0)


def test_ids_of_three_bytes_and_larger_ones_are_compared():
    for number in (2**24 - 1, 2**40):
        ids = np.array([[number, number, 0, 5]])
        assert len(compare(*[PanopticMap(ids, {number: 0, 5: 1})] * 2).matches) == 2
        with pytest.raises(UserError, match="has the id 6, which no segment has"):
            compare(PanopticMap(np.array([[6, number]]), {number: 0}), PanopticMap(np.array([[1, 1]]), {1: 0}))


def test_an_iou_of_exactly_one_half_is_no_match():
    target, predicted = (PanopticMap(np.array([ids]), {1: 0}) for ids in ([1, 1, 0, 0], [1, 0, 0, 0]))
    assert compare(predicted, target).matches == []


ONE = PanopticMap(np.array([[1, 1], [1, 0]]), {1: 0})


@pytest.mark.parametrize(
    ("predicted", "message"),
    [
        (ONE._replace(ids=np.ones((3, 2), int)), "predicted map has 3x2 pixels, and the true one 2x2"),
        (ONE._replace(ids=np.array([[1, 4], [1, 0]])), "pixel of the predicted map has the id 4"),
        (ONE._replace(ids=np.array([[1, -1], [1, 0]])), "which no segment has"),
        (ONE._replace(classes={1: 0, 2: 1}), "Segment 2 of the predicted map has no pixels"),
        (ONE._replace(classes={0: 0, 1: 1}), "has the id 0, which is void"),
        (ONE._replace(classes={1: 5}), "Segment 1 of the predicted map has the class 5: use 0 to 2"),
    ],
)
def test_maps_that_cannot_be_compared_are_rejected(predicted, message):
    with pytest.raises(UserError, match=message):
        PanopticQuality([True] * CLASSES).update(predicted, ONE)
