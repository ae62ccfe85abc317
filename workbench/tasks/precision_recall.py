"""Precision over recall of ranked detections of one class, and average precision in the conventions in use.

With c of the first k detections correct, the precision is c / k, and of n objects the recall is c / n. At a recall,
the interpolated precision is the largest precision at that recall or above, 0 if none reaches it. Average precision is

    VOC 2007   the mean of the interpolated precision at 11 recalls: 0, 0.1 ... 1
    VOC 2010   the area below the interpolated precision, to which every correct detection contributes 1 / n
    COCO       the mean at 101 recalls: 0, 0.01 ... 1; AP is also the mean over the thresholds 0.5, 0.55 ... 0.95 of IoU

Both begin with the highest score. A detection whose IoU with an object reaches the threshold is correct

    COCO       if one of those objects is not taken yet: it takes the one with the largest IoU
    VOC        if the object with the largest IoU of all is not taken yet

VOC's own program adds 1 to widths and heights, since its corners are pixels within the box. Here they are not added.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

COCO_RECALLS = np.linspace(0.0, 1.0, 101)  # floats, as pycocotools compares them
VOC_POINTS = 11


@dataclass(frozen=True)
class PrecisionRecall:
    """The curve of ranked detections.

    Attributes:
        is_correct: Whether each detection is correct, from the highest score down, (n,).
        objects: Number of objects.
    """

    is_correct: np.ndarray
    objects: int

    @property
    def correct(self) -> np.ndarray:
        """Number of correct detections among the first ones, (n,)."""
        counts: np.ndarray = np.cumsum(self.is_correct)
        return counts

    @property
    def precision(self) -> np.ndarray:
        """Precision after each detection, (n,)."""
        return self.correct / np.arange(1, len(self.is_correct) + 1)

    @property
    def recall(self) -> np.ndarray:
        """Recall after each detection, (n,)."""
        return self.correct / self.objects

    @property
    def interpolated(self) -> np.ndarray:
        """Largest precision after each detection or later ones, (n,)."""
        largest: np.ndarray = np.maximum.accumulate(self.precision[::-1])[::-1]
        return largest

    def voc2007(self) -> float:
        """Return the average precision at 11 recalls."""
        # in integers: a recall of 3/10 reaches 0.3, whatever both are as floats
        firsts = [np.argmax(10 * self.correct >= k * self.objects) for k in range(VOC_POINTS) if self._reaches(k)]
        return float(self.interpolated[firsts].sum() / VOC_POINTS)

    def _reaches(self, tenths: int) -> bool:
        return bool(len(self.is_correct)) and 10 * int(self.correct[-1]) >= tenths * self.objects

    def voc2010(self) -> float:
        """Return the average precision that is the area of every step."""
        return float(self.interpolated[self.is_correct.astype(bool)].sum() / self.objects)

    def coco(self) -> float:
        """Return the average precision at 101 recalls."""
        places = np.searchsorted(self.recall, COCO_RECALLS, side="left")
        return float(np.append(self.interpolated, 0.0)[places].mean())


def compute_iou(box: Sequence[float], other: Sequence[float]) -> float:
    """Return the intersection over union of two boxes x1, y1, x2, y2."""
    width = min(box[2], other[2]) - max(box[0], other[0])
    height = min(box[3], other[3]) - max(box[1], other[1])
    intersection = max(0.0, width) * max(0.0, height)
    areas = [(one[2] - one[0]) * (one[3] - one[1]) for one in (box, other)]
    union = sum(areas) - intersection
    return intersection / union if union > 0 else 0.0


@dataclass(frozen=True)
class Match:
    """The object that a detection is compared with.

    Attributes:
        number: The object that it takes, or, if it takes none, the one with the largest IoU; None without objects.
        iou: Their IoU.
        is_correct: Whether the detection is correct.
        reason: Why, in words.
    """

    number: int | None
    iou: float
    is_correct: bool
    reason: str


def match(ious: Sequence[float], matched: set[int], threshold: float, rule: str) -> Match:
    """Return the match of a detection; the object that it takes is added to `matched`.

    Args:
        ious: Its IoU with each object of its class in its image.
        matched: The objects that better-scoring detections have.
        threshold: Smallest IoU.
        rule: `coco` or `voc`, see above.
    """
    if not ious:
        return Match(None, 0.0, False, "no object of this class")
    best = max(range(len(ious)), key=lambda number: ious[number])
    number: int | None = best
    if rule == "coco":  # of equal ones the last, as pycocotools
        number = max(set(range(len(ious))) - matched, key=lambda number: (ious[number], number), default=None)
    if number is not None and ious[number] >= threshold and number not in matched:
        matched.add(number)
        return Match(number, ious[number], True, "correct")
    if ious[best] >= threshold:
        return Match(best, ious[best], False, "the object has a better-scoring detection")
    return Match(best, ious[best], False, f"IoU below {threshold:g}")
