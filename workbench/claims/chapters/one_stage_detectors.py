"""Claims about one-stage detectors."""

from math import sqrt
from typing import TYPE_CHECKING, cast

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired
from workbench.claims.small_detectors import shape_scenes

if TYPE_CHECKING:
    from torch import Tensor

    from models.detection.ssd import SSD

KINDS = ("circle", "square", "triangle", "star")  # of shape-scenes


def manual_sizes() -> np.ndarray:
    """Return widths and heights (9, 2) in images of 64 pixels: Faster R-CNN has 128, 256 and 512 in 600 pixels."""
    areas = 64 / 600 * np.array([128, 256, 512])
    return np.array([(size / sqrt(ratio), size * sqrt(ratio)) for size in areas for ratio in (0.5, 1, 2)])


def mean_best_iou(seed: int, *, anchors: str, boxes: str) -> float:
    """Return the mean IoU of a test box with its best anchor, both at a common corner, in points.

    Args:
        seed: Seed of the split.
        anchors: `kmeans`, five of the training boxes; `euclidean`, five by k-means of widths and heights; `manual`.
        boxes: `scenes`; `spread`, of log-normal areas; `manual`, those anchors with 5% of noise.
    """
    import torch

    from models.layers.kmeans_anchors import kmeans_anchors, size_iou

    rng = np.random.default_rng(seed)
    training, test = (sample_sizes(rng, boxes, split, seed) for split in ("train", "test"))
    if anchors == "kmeans":
        anchor_sizes = kmeans_anchors(training, 5, torch.Generator().manual_seed(seed))
    elif anchors == "euclidean":
        from sklearn.cluster import KMeans

        anchor_sizes = torch.from_numpy(KMeans(5, n_init=10, random_state=seed).fit(training.numpy()).cluster_centers_)
    else:
        anchor_sizes = torch.from_numpy(manual_sizes())
    return 100 * float(size_iou(test, anchor_sizes).amax(dim=1).mean())


def sample_sizes(rng: np.random.Generator, boxes: str, split: str, seed: int) -> "Tensor":
    """Return widths and heights (n, 2), float64, in pixels, of boxes as in `mean_best_iou`."""
    import torch

    if boxes == "scenes":
        _, corners, labels = shape_scenes(split, seed)
        objects = corners[labels >= 0].double()
        return objects[:, 2:] - objects[:, :2]
    if boxes == "spread":
        size, ratio = 40 * np.exp(0.8 * rng.normal(size=2000)), np.exp(0.3 * rng.normal(size=2000))
        return torch.from_numpy(np.stack([size * ratio, size / ratio], axis=1))
    anchor_sizes = manual_sizes()[rng.integers(0, 9, size=2000)]
    return torch.from_numpy(anchor_sizes * np.exp(0.05 * rng.normal(size=anchor_sizes.shape)))


YOLO_LEARNS_ANCHORS = Empirical(
    id="yolo-learns-anchors",
    statement=(
        "Five anchors by k-means with the distance 1 - IoU fit the boxes of a dataset better than nine hand-made ones "
        "of three sizes and three ratios: the mean IoU with the best anchor is at least 5 points higher."
    ),
    topic="one-stage",
    arms=dict(
        kmeans=trial(mean_best_iou, anchors="kmeans", boxes="scenes"),
        manual=trial(mean_best_iou, anchors="manual", boxes="scenes"),
    ),
    control=dict(boxes="manual"),
    measure="iou",
    decider=Paired(min_effect=5.0, unit="points of IoU"),
    expected="holds",
    source="Redmon, Farhadi, YOLO9000 (2016), section 2, Dimension Clusters",
    note=(
        "YOLO v2 and v3 cluster the training boxes once, before training: the network does not learn its anchors. "
        "YOLO v1 has none, and SSD's are set by hand. On VOC and COCO, five clusters were as good as nine hand-made "
        "anchors in the paper. In the control, the boxes are hand-made anchors themselves."
    ),
)

ANCHOR_DISTANCE = Empirical(
    id="anchor-distance",
    statement=(
        "For boxes of very different sizes, k-means with the distance 1 - IoU gives anchors with a mean best IoU at "
        "least 1 point above that of k-means with the Euclidean distance of widths and heights."
    ),
    topic="one-stage",
    arms=dict(
        iou=trial(mean_best_iou, anchors="kmeans", boxes="spread"),
        euclidean=trial(mean_best_iou, anchors="euclidean", boxes="spread"),
    ),
    control=dict(boxes="scenes"),
    measure="iou",
    decider=Paired(min_effect=1.0, unit="points of IoU"),
    expected="holds",
    source="Redmon, Farhadi, YOLO9000 (2016), section 2, Dimension Clusters",
    note=(
        "By Euclidean distance, large boxes have large errors and draw the anchors to themselves. In the control, the "
        "largest box is only three times as wide as the smallest, and both distances lead to about the same anchors."
    ),
)

BOXES_PER_MAP = (5776, 2166, 600, 150, 36, 4)  # of SSD300


def matched_share(seed: int, *, is_multiscale: bool, smallest: float, largest: float) -> float:
    """Return the share of 500 random boxes that a default box of SSD300 overlaps with an IoU of 0.5 or more, in points.

    Args:
        seed: Seed of the boxes.
        is_multiscale: Whether the default boxes of all maps count, or those of the one map that has most matches.
        smallest: Smallest square root of an area, in an image of 300 pixels; their logarithms are uniform.
        largest: The largest one.
    """
    import torch

    import models
    from models.layers.boxes import paired_iou

    rng = np.random.default_rng(seed)
    sizes, ratios = np.exp(rng.uniform(np.log(smallest), np.log(largest), 500)), np.exp(rng.uniform(-0.7, 0.7, 500))
    extent = np.minimum(np.stack([sizes * np.sqrt(ratios), sizes / np.sqrt(ratios)], axis=1), 300)
    first = rng.uniform(0, 300 - extent)
    boxes = torch.from_numpy(np.concatenate([first, first + extent], axis=1)).float()
    # The default boxes don't depend on the channels.
    extras = ((1, 1, 2), (1, 1, 2), (1, 1, 1), (1, 1, 1))
    network = cast("SSD", models.build("ssd300", channels=1, fc_channels=1, extras=extras))
    is_matched = paired_iou(boxes[:, None], network.default_boxes) >= 0.5
    if is_multiscale:
        return 100 * float(is_matched.any(dim=1).float().mean())
    maps = is_matched.split(BOXES_PER_MAP, dim=1)
    return 100 * max(float(own.any(dim=1).float().mean()) for own in maps)


SSD_MULTISCALE = Empirical(
    id="ssd-multiscale",
    statement=(
        "The default boxes of SSD300's six maps match at least 30 points more of the objects from 20 to 280 pixels "
        "than those of any one of these maps: each map is for objects of its own size."
    ),
    topic="one-stage",
    arms=dict(
        several_maps=trial(matched_share, is_multiscale=True, smallest=20.0, largest=280.0),
        one_map=trial(matched_share, is_multiscale=False, smallest=20.0, largest=280.0),
    ),
    control=dict(smallest=45.0, largest=60.0),
    measure="matched objects",
    decider=Paired(min_effect=30.0, unit="points"),
    expected="holds",
    source="Liu et al., SSD (2015), sections 2.2 and 3.2",
    note=(
        "An object is matched if its IoU with a default box is 0.5 or more; heights are 0.5 to 2 times the widths. "
        "What no default box matches is still learned by the best one, but from far away. In the control, all objects "
        "have the size of one map. On VOC, SSD300 had an mAP of 74.3 with its maps from 38x38 to 1x1, and of 62.4 with "
        "that of 19x19 alone (Table 3)."
    ),
)
