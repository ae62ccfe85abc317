"""Claims about one-stage detectors."""

from math import sqrt
from typing import TYPE_CHECKING, cast

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical
from workbench.claims.deciders import Paired
from workbench.claims.small_detectors import ap50, draw, shape_scenes, train

if TYPE_CHECKING:
    from torch import Tensor

    from models.detection.ssd import SSD

KINDS = ("circle", "square", "triangle", "star")  # of shape-scenes


def one_pass_ap50(seed: int, *, is_one_pass: bool, steps: int) -> float:
    """Return the test AP50 of YOLO v1, or of regions proposed by color and classified one by one, in points."""
    import torch

    import models
    from workbench import tasks

    if not is_one_pass:
        return 100 * tasks.get("shape-scenes").compute_baseline(seed).value
    torch.manual_seed(seed)
    network = models.build("yolo-v1", "mini")
    train(network, shape_scenes("train", seed), seed, steps=steps, lr=0.006)
    return ap50(network, shape_scenes("test", seed), len(KINDS))


ONE_STAGE_SINGLE_PASS = Empirical(
    id="one-stage-single-pass",
    statement=(
        "One pass of a convolutional network predicts boxes and classes together: on scenes of shapes, a small YOLO v1 "
        "has an AP50 at least 5 points above that of regions proposed by color and classified one by one."
    ),
    topic="one-stage",
    arms=dict(
        one_pass=trial(one_pass_ap50, is_one_pass=True, steps=1000),
        two_steps=trial(one_pass_ap50, is_one_pass=False, steps=0),
    ),
    control=dict(steps=20),
    measure="ap50",
    decider=Paired(min_effect=5.0, unit="points"),
    expected="holds",
    source="Redmon et al., You only look once (2015), section 2",
    note="The network is not pretrained, and sees 32,000 images of 64x64 pixels. After 20 steps it detects nothing.",
)


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

# Square roots of the areas of the shapes, relative to the image, and SSD's scales for them.
SIZES, SCALES = (0.12, 0.5), (0.14, 0.24, 0.4, 0.62, 0.8)


def ssd_ap50(seed: int, *, is_multiscale: bool, smallest: float, steps: int) -> float:
    """Return the test AP50 of a small SSD, in points, on scenes whose shapes have sizes of `smallest` to 0.5."""
    import torch

    import models
    from workbench.data.scenes import Options

    options = Options(
        side=64, kinds=KINDS, sizes=(smallest, 0.5), turn=30, contrast=0.3, objects=(1, 3), clutter=(0, 2)
    )
    training, test = draw(options, 3000, 2 * seed), draw(options, 600, 2 * seed + 1)
    torch.manual_seed(seed)
    network = cast("SSD", models.build("ssd300", "mini", scales=SCALES))
    if not is_multiscale:
        move_to_one_map(network)
    train(network, training, seed, steps=steps, lr=0.006)
    return ap50(network, test, len(KINDS))


def move_to_one_map(network: "SSD") -> None:
    """Let an SSD predict the default boxes of all its scales from its second map alone, of 4x4 places."""
    import torch
    from torch import nn

    from models.detection.ssd import Head, default_shapes
    from models.layers.anchors import tile_anchors

    ratios = ((2,), (2, 3), (2,), (2,))  # of the mini
    shapes = torch.cat([default_shapes(SCALES[k], SCALES[k + 1], own) for k, own in enumerate(ratios)])
    channels, values = network.backbone.out_channels[1:2], {"classification": 1 + network.num_classes, "regression": 4}
    network.head = nn.ModuleDict({f"{name}_head": Head(channels, [len(shapes)], n) for name, n in values.items()})
    network.default_boxes = tile_anchors(64 * shapes, 4, 4, 16, offset=0.5)
    network.backbone.register_forward_hook(lambda module, inputs, maps: maps[1:2])


SSD_MULTISCALE = Empirical(
    id="ssd-multiscale",
    statement=(
        "On objects of very different sizes, an SSD that predicts small default boxes from a fine map and large ones "
        "from coarse maps has an AP50 at least 5 points above that of one with the same default boxes on one map."
    ),
    topic="one-stage",
    arms=dict(
        several_maps=trial(ssd_ap50, is_multiscale=True, smallest=0.12, steps=600),
        one_map=trial(ssd_ap50, is_multiscale=False, smallest=0.12, steps=600),
    ),
    control=dict(smallest=0.4),
    measure="ap50",
    decider=Paired(min_effect=5.0, unit="points"),
    expected="holds",
    source="Liu et al., SSD (2015), section 3.2, Table 3",
    note=(
        "Maps of 8x8, 4x4, 2x2 and 1x1 places, or the second alone, with the default boxes of all. On VOC, SSD300 with "
        "its maps from 38x38 to 1x1 had an mAP of 74.3, with that of 19x19 alone 62.4. In the control, all objects "
        "have about the same size."
    ),
)
