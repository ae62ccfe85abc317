"""Panoptic quality: Kirillov, He, Girshick, Rother, Dollar, Panoptic segmentation (2018), section 4.

A predicted segment matches a true one of its class if their IoU is above 0.5; at most one can. For each class, TP are
the matches, FP the predicted segments without one, FN the true segments without one:

    PQ = (sum of the IoUs of the matches) / (TP + FP/2 + FN/2) = SQ * RQ
    SQ = mean IoU of the matches                 RQ = TP / (TP + FP/2 + FN/2), the F1 score

and then the mean over the classes that occur. As in the authors' panopticapi: pixels that are void in the true map
count in no union; a predicted segment without a match is not counted if more than half of it is void, or belongs to
a crowd of its class; a crowd (a group of things in one segment) matches nothing and is not missed.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from workbench.errors import UserError

VOID = 0  # id of pixels that belong to no segment
MIN_IOU = 0.5  # a match has more
MAX_TABLE = 2**24  # largest id for which a table is used: COCO's ids have three bytes


class PanopticMap(NamedTuple):
    """The segments of an image.

    Attributes:
        ids: The id of each pixel's segment, (height, width), integers; 0 is void.
        classes: Segment id -> class.
        crowds: Ids of segments that are crowds; only in true maps.
    """

    ids: np.ndarray
    classes: Mapping[int, int]
    crowds: Collection[int] = ()


class Match(NamedTuple):
    """A predicted and a true segment of one class.

    Attributes:
        predicted: Id of the predicted segment.
        target: Id of the true one.
        label: Their class.
        iou: Their IoU, above 0.5.
    """

    predicted: int
    target: int
    label: int
    iou: float


class Comparison(NamedTuple):
    """The matches of the segments of two maps, and the segments without one.

    Attributes:
        matches: The matches.
        false_positives: Ids of predicted segments without one.
        false_negatives: Ids of true segments without one.
        ignored: Ids of predicted segments without one that are mostly void or crowd.
    """

    matches: list[Match]
    false_positives: list[int]
    false_negatives: list[int]
    ignored: list[int]


def compare(predicted: PanopticMap, target: PanopticMap) -> Comparison:
    """Return the matches of an image.

    Raises:
        UserError: If the maps differ in size, a segment has no pixel, or a pixel has the id of no segment.
    """
    if predicted.ids.shape != target.ids.shape:
        sizes = ["x".join(map(str, one.ids.shape)) for one in (predicted, target)]
        raise UserError(f"The predicted map has {sizes[0]} pixels, and the true one {sizes[1]}. Make both equal.")
    predicted_ids, target_ids = ([VOID, *one.classes] for one in (predicted, target))
    columns, rows = _to_indices(predicted, "predicted"), _to_indices(target, "true")
    pairs = rows * len(predicted_ids) + columns
    overlap = np.bincount(pairs, minlength=len(target_ids) * len(predicted_ids)).reshape(len(target_ids), -1)
    areas, target_areas = overlap.sum(axis=0), overlap.sum(axis=1)
    _check_areas(areas, predicted_ids, "predicted")
    _check_areas(target_areas, target_ids, "true")
    union = areas - overlap[0] + target_areas[:, None] - overlap  # without void
    matches: list[Match] = []
    matched, matched_targets = set(), set()
    for row, column in np.argwhere(overlap[1:, 1:] * 2 > union[1:, 1:]) + 1:
        first, second = predicted_ids[column], target_ids[row]
        label = predicted.classes[first]
        if label == target.classes[second] and second not in target.crowds:
            matches.append(Match(first, second, label, float(overlap[row, column] / union[row, column])))
            matched.add(first)
            matched_targets.add(second)
    errors: list[int] = []
    ignored: list[int] = []
    for column, number in enumerate(predicted_ids[1:], start=1):
        if number not in matched:
            label = predicted.classes[number]
            crowds = [target_ids.index(one) for one in target.crowds if target.classes[one] == label]
            is_ignored = 2 * overlap[[0, *crowds], column].sum() > areas[column]
            (ignored if is_ignored else errors).append(number)
    missed = [number for number in target.classes if number not in matched_targets and number not in target.crowds]
    return Comparison(matches, errors, missed, ignored)


def _to_indices(segments: PanopticMap, name: str) -> np.ndarray:
    """Return for each pixel the index of its segment, 0 for void, (pixels,)."""
    ids, numbers = segments.ids.reshape(-1), np.array([VOID, *segments.classes], dtype=np.int64)
    if VOID in segments.classes:
        raise UserError(f"A segment of the {name} map has the id 0, which is void. Take another id.")
    if len(ids) and (ids.min() < 0 or ids.max() > max(MAX_TABLE, numbers.max())):
        raise UserError(f"A pixel of the {name} map has the id {ids.min()} or {ids.max()}, which no segment has.")
    if numbers.max() <= MAX_TABLE:
        table = np.full(int(max(ids.max(initial=0), numbers.max())) + 1, -1, np.int32)
        table[numbers] = np.arange(len(numbers))
        indices: np.ndarray = table[ids]
    else:
        order = numbers.argsort()
        indices = order[np.searchsorted(numbers, ids, sorter=order).clip(max=len(order) - 1)]
        indices[numbers[indices] != ids] = -1
    if len(ids) and indices.min() < 0:
        raise UserError(f"A pixel of the {name} map has the id {ids[indices.argmin()]}, which no segment has.")
    return indices


def _check_areas(areas: np.ndarray, ids: Sequence[int], name: str) -> None:
    if len(empty := np.flatnonzero(areas[1:] == 0)):
        raise UserError(f"Segment {ids[empty[0] + 1]} of the {name} map has no pixels. Remove it.")


class Quality(NamedTuple):
    """The quality of a class.

    Attributes:
        pq: Panoptic quality, from 0 to 1.
        sq: Segmentation quality; 0 without a match.
        rq: Recognition quality.
    """

    pq: float
    sq: float
    rq: float


class PanopticQuality:
    """Accumulates the segments of images.

    Args:
        is_thing: For each class, whether it has instances.

    Attributes:
        iou: The sum of the IoUs of the matches of each class, (classes,).
        counts: TP, FP and FN of each class, (classes, 3).
    """

    def __init__(self, is_thing: Sequence[bool]):
        self.is_thing = np.array(is_thing, dtype=bool)
        self.iou = np.zeros(len(is_thing))
        self.counts = np.zeros((len(is_thing), 3), dtype=np.int64)

    def update(self, predicted: PanopticMap, target: PanopticMap) -> None:
        """Add an image.

        Raises:
            UserError: If the maps can't be compared, or a class is unknown.
        """
        for name, one in (("predicted", predicted), ("true", target)):
            for number, label in one.classes.items():
                if not 0 <= label < len(self.is_thing):
                    classes = f"0 to {len(self.is_thing) - 1}"
                    raise UserError(f"Segment {number} of the {name} map has the class {label}: use {classes}.")
        comparison = compare(predicted, target)
        for match in comparison.matches:
            self.iou[match.label] += match.iou
            self.counts[match.label, 0] += 1
        for number in comparison.false_positives:
            self.counts[predicted.classes[number], 1] += 1
        for number in comparison.false_negatives:
            self.counts[target.classes[number], 2] += 1

    def by_class(self) -> dict[int, Quality]:
        """Return the quality of each class that occurs."""
        labels = np.flatnonzero(self.counts.sum(axis=1)).tolist()
        return {label: quality(self.iou[label], *self.counts[label]) for label in labels}

    def compute(self) -> dict[str, float]:
        """Return `pq`, `sq` and `rq`, means over the classes that occur, and those of things and of stuff.

        What has no class that occurs is left out.
        """
        values = self.by_class()
        metrics: dict[str, float] = {}
        everything = np.ones_like(self.is_thing)
        for suffix, is_selected in (("", everything), ("_things", self.is_thing), ("_stuff", ~self.is_thing)):
            selection = [values[label] for label in values if is_selected[label]]
            if selection:
                means = np.mean(selection, axis=0).tolist()
                metrics |= {f"{name}{suffix}": value for name, value in zip(Quality._fields, means, strict=True)}
        return metrics


def quality(iou: float, true_positives: int, false_positives: int, false_negatives: int) -> Quality:
    """Return the quality of a class by the sum of the IoUs of its matches and the numbers of matches and errors."""
    denominator = true_positives + (false_positives + false_negatives) / 2
    segmentation = iou / true_positives if true_positives else 0.0
    return Quality(float(iou / denominator), float(segmentation), float(true_positives / denominator))
