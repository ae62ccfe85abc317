"""Claims about non-maximum suppression in crowds, and about its alternatives.

The detections are simulated (`workbench.data.raw_detections`) from objects of known overlap: boxes and scores are all
that suppression sees. Every image has two pairs of boxes of one size, each pair of one class.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from models.layers.boxes import Detections

    Suppressor = Callable[[Detections], Detections]

SIZE = 100  # height and width of an image in pixels
CROWDED, APART = (0.4, 0.7), (0.0, 0.0)  # the smallest and the largest IoU of the two objects of a pair
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
IMAGES = 200  # of the validation and of the test set
TRAINING_IMAGES, STEPS, BATCH_SIZE = 2000, 600, 16  # of learned NMS


class Crowd:
    """Images of pairs of objects with their raw detections.

    Args:
        overlaps: The smallest and the largest IoU of a pair, for each class.
        images: Number of images.
        rng: Draws the objects and the detections.
    """

    def __init__(self, overlaps: tuple[tuple[float, float], ...], images: int, rng: np.random.Generator):
        import torch

        from workbench.data.raw_detections import simulate

        self.classes = len(overlaps)
        labels = rng.integers(0, self.classes, (images, 2))
        low, high = np.array(overlaps)[labels].transpose(2, 0, 1)
        iou, sizes = rng.uniform(low, high), rng.uniform(20, 28, (images, 2))
        shift = sizes * (1 - iou) / (1 + iou)  # along x, because two boxes of one size have an IoU of (s - d)/(s + d)
        left, top = rng.uniform(0, 40, (images, 2)), np.array([5, 60]) + rng.uniform(0, 8, (images, 2))
        x, y, sizes = np.concatenate([left, left + shift], axis=1), np.tile(top, 2), np.tile(sizes, 2)
        boxes = np.stack([x, y, x + sizes, y + sizes], axis=2).astype(np.float32)
        labels = np.tile(labels, 2)
        self.boxes, self.labels = torch.from_numpy(boxes), torch.from_numpy(labels)
        self.columns = [torch.from_numpy(column) for column in simulate(boxes, labels, self.classes, SIZE, rng)]

    def detections(self) -> list["Detections"]:
        """Return the raw detections of each image."""
        from models.layers.boxes import Detections

        boxes, scores, labels = self.columns
        rows = zip(boxes, scores, labels, labels >= 0, strict=True)
        return [Detections(box[mask], score[mask], label[mask]) for box, score, label, mask in rows]

    def densities(self, noise: float, generator: "torch.Generator") -> list["Tensor"]:
        """Return a density for each detection: the IoU of its object's pair, 0 if it is of no object; with noise."""
        import torch
        from torchvision.ops import box_iou

        from models.layers.suppression import densities

        result = []
        for detected, boxes in zip(self.detections(), self.boxes, strict=True):
            best, owner = box_iou(detected.boxes, boxes).max(dim=1)
            density = torch.where(best >= 0.5, densities(boxes)[owner], 0.0)
            result.append(density + noise * torch.randn(len(density), generator=generator))
        return result

    def measure(self, detections: list["Detections"]) -> dict[str, float]:
        """Return the recall at an IoU of 0.5 and the AP50 of detections, in percent."""
        import torch

        from workbench.tasks.average_precision import AveragePrecision
        from workbench.tasks.detection import match

        objects = list(zip(detections, self.boxes, self.labels, strict=True))
        is_missed = torch.stack([match(*one)[1] for one in objects])
        meter = AveragePrecision(self.classes)
        meter.update(detections, list(self.boxes), list(self.labels))
        return {"recall": 100 * (1 - is_missed.double().mean().item()), "ap50": 100 * meter.compute()["ap50"]}


def nms_by(thresholds: list[float]) -> "Suppressor":
    """Return NMS with a threshold per class."""
    import torch

    from models.layers.boxes import Detections
    from models.layers.suppression import class_nms

    def suppress(detected: "Detections") -> "Detections":
        rows = class_nms(detected.boxes, detected.scores, detected.labels, torch.tensor(thresholds))
        return Detections(*(column[rows] for column in detected))

    return suppress


def tuned_thresholds(crowd: Crowd, is_per_class: bool) -> list[float]:
    """Return the threshold of each class with the best AP50: one for all, or one for each."""
    if not is_per_class:

        def ap50(threshold: float) -> float:
            suppress = nms_by([threshold] * crowd.classes)
            return crowd.measure([suppress(one) for one in crowd.detections()])["ap50"]

        return [max(THRESHOLDS, key=ap50)] * crowd.classes
    from models.layers.boxes import Detections

    best = []
    for label in range(crowd.classes):

        def ap50_of_class(threshold: float, label: int = label) -> float:
            suppress = nms_by([threshold] * crowd.classes)
            remaining = [suppress(one) for one in crowd.detections()]
            own = [Detections(*(column[one.labels == label] for column in one)) for one in remaining]
            return crowd.measure(own)["ap50"]  # AP of the other classes is 0

        best.append(max(THRESHOLDS, key=ap50_of_class))
    return best


def soften(detected: "Detections") -> "Detections":
    """Return detections with the scores of Gaussian Soft-NMS within each class."""
    from models.layers.boxes import Detections
    from models.layers.suppression import soft_nms

    apart = detected.boxes + 2 * SIZE * detected.labels[:, None]  # so that boxes of different classes don't overlap
    rows, scores = soft_nms(apart, detected.scores)
    return Detections(detected.boxes[rows], scores, detected.labels[rows])


def learn(crowd: Crowd, seed: int) -> Callable[[Crowd], list["Detections"]]:
    """Return learned NMS, trained on a crowd."""
    import torch

    import models
    from models.detection.learned_nms import LearnedNms, Rescored

    torch.manual_seed(seed)
    network = models.build("learned-nms", "mini")
    assert isinstance(network, LearnedNms)
    optimizer = torch.optim.Adam(network.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.003, total_steps=STEPS)

    def rescore(columns: list["Tensor"]) -> Rescored:
        boxes, scores, labels = columns
        return Rescored(boxes, labels, network(boxes, scores, labels))

    for _ in range(STEPS):
        rows = torch.randint(0, len(crowd.boxes), (BATCH_SIZE,))
        labels = crowd.labels[rows]
        outputs = rescore([column[rows] for column in crowd.columns])
        optimizer.zero_grad()
        network.losses(outputs, crowd.boxes[rows], labels, labels >= 0)["scores"].backward()
        optimizer.step()
        schedule.step()
    network.eval()

    def suppress(other: Crowd) -> list["Detections"]:
        with torch.no_grad():
            return network.detect(rescore(other.columns))

    return suppress


def in_crowd(
    seed: int,
    *,
    method: str,
    overlaps: tuple[tuple[float, float], ...] = (CROWDED,),
    iou_threshold: float = 0.5,
    noise: float = 0.1,
) -> dict[str, float]:
    """Return recall and AP50 after suppression, in percent.

    Args:
        seed: The seed.
        method: none, nms, tuned nms (the threshold with the best AP50 on a validation set), class nms (the same per
            class), soft, adaptive or learned.
        overlaps: The smallest and the largest IoU of a pair, for each class.
        iou_threshold: Of `nms` and `adaptive`.
        noise: Standard deviation of the densities that `adaptive` reads, which the paper's detector predicts.
    """
    import torch

    from models.layers.boxes import Detections
    from models.layers.suppression import adaptive_nms

    crowd = Crowd(overlaps, IMAGES, np.random.default_rng([seed, 0]))
    raw = crowd.detections()
    if method == "none":
        return crowd.measure(raw)
    if method == "soft":
        return crowd.measure([soften(one) for one in raw])
    if method == "nms":
        return crowd.measure([nms_by([iou_threshold] * crowd.classes)(one) for one in raw])
    if method in ("tuned nms", "class nms"):
        validation = Crowd(overlaps, IMAGES, np.random.default_rng([seed, 1]))
        suppress = nms_by(tuned_thresholds(validation, is_per_class=method == "class nms"))
        return crowd.measure([suppress(one) for one in raw])
    if method == "adaptive":
        density = crowd.densities(noise, torch.Generator().manual_seed(seed))
        rows = [
            adaptive_nms(one.boxes, one.scores, own, iou_threshold, one.labels)
            for one, own in zip(raw, density, strict=True)
        ]
        return crowd.measure(
            [Detections(*(column[best] for column in one)) for one, best in zip(raw, rows, strict=True)]
        )
    training = Crowd(overlaps, TRAINING_IMAGES, np.random.default_rng([seed, 2]))
    return crowd.measure(learn(training, seed)(crowd))


NMS_SUPPRESSES_VALID = Empirical(
    id="nms-suppresses-valid",
    statement=(
        "NMS suppresses valid objects in crowds: with a threshold of 0.3, at least 5% of the objects with a neighbor "
        "at an IoU of 0.4 to 0.7 are lost."
    ),
    topic="nms",
    arms=dict(none=trial(in_crowd, method="none"), nms=trial(in_crowd, method="nms", iou_threshold=0.3)),
    control=dict(overlaps=(APART,)),
    measure="recall",
    decider=Paired(min_effect=5, unit="percentage points"),
    expected="holds",
    source="Bodla et al., Soft-NMS (arXiv:1704.04503), section 1",
    note="Without NMS every object has a detection, among many duplicates. Objects that only touch are not lost.",
)

SOFT_NMS_BETTER = Empirical(
    id="soft-nms-better",
    statement=(
        "In crowds, where objects overlap by an IoU of 0.4 to 0.7, Soft-NMS has a higher AP50 than NMS with a "
        "threshold of 0.5."
    ),
    topic="nms",
    arms=dict(soft=trial(in_crowd, method="soft"), nms=trial(in_crowd, method="nms")),
    control=dict(overlaps=(APART,)),
    measure="ap50",
    decider=Paired(min_effect=1, unit="percentage points"),
    expected="holds",
    source="Bodla et al., Soft-NMS (arXiv:1704.04503), section 5",
    note="Gaussian, with sigma = 0.5.",
)

SOFT_NMS_BETTER_THAN_TUNED = Empirical(
    id="soft-nms-better-than-tuned",
    statement="In crowds, Soft-NMS also has a higher AP50 than NMS with the threshold that is best on validation data.",
    topic="nms",
    arms=dict(soft=trial(in_crowd, method="soft"), tuned=trial(in_crowd, method="tuned nms")),
    control=dict(overlaps=(APART,)),
    measure="ap50",
    decider=Paired(min_effect=1, unit="percentage points"),
    expected="holds",
    source="Bodla et al., Soft-NMS (arXiv:1704.04503), section 5",
    note="Gaussian, with sigma = 0.5, which is not tuned.",
)

ADAPTIVE_NMS_WINS_BACK = Empirical(
    id="adaptive-nms-wins-back",
    statement=(
        "In crowds, a dynamic threshold, the density at the box that is kept but at least 0.5, finds at least 2% more "
        "of the objects than a threshold of 0.5."
    ),
    topic="nms",
    arms=dict(adaptive=trial(in_crowd, method="adaptive"), nms=trial(in_crowd, method="nms")),
    control=dict(overlaps=(APART,)),
    measure="recall",
    decider=Paired(min_effect=2, unit="percentage points"),
    expected="holds",
    source="Liu, Huang, Wang, Adaptive NMS (arXiv:1904.03629)",
    note=(
        "The paper's detector predicts the density. Here it is the IoU of the object with its neighbor, with noise of "
        "a standard deviation of 0.1."
    ),
)

ADAPTIVE_NMS_HIGHER_AP = Empirical(
    id="adaptive-nms-higher-ap",
    statement=(
        "In crowds where every object has one neighbor, a dynamic threshold also has a higher AP50 than the best "
        "threshold for all boxes."
    ),
    topic="nms",
    arms=dict(adaptive=trial(in_crowd, method="adaptive"), tuned=trial(in_crowd, method="tuned nms")),
    measure="ap50",
    decider=Paired(min_effect=1, unit="percentage points"),
    expected="does_not_hold",
    note=(
        "A threshold as high as the density keeps both objects, but also duplicates of each. It helps where crowds "
        "and single objects are in one image."
    ),
)

CLASS_NMS_WINS_BACK = Empirical(
    id="class-thresholds-win-back",
    statement=(
        "If objects of one class are crowded and those of another are not, a threshold per class has a higher mAP "
        "than the best threshold for both."
    ),
    topic="nms",
    arms=dict(
        per_class=trial(in_crowd, method="class nms", overlaps=(CROWDED, APART)),
        tuned=trial(in_crowd, method="tuned nms", overlaps=(CROWDED, APART)),
    ),
    control=dict(overlaps=(APART, APART)),
    measure="ap50",
    decider=Paired(min_effect=0.3, unit="percentage points"),
    expected="holds",
    note="Both are tuned on the same validation data. If both classes are alike, nothing is left to win.",
)
