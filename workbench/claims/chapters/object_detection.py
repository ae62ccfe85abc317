"""Claims about object detection: boxes, proposals, suppression, average precision."""

from collections.abc import Iterator
from contextlib import redirect_stdout
from io import StringIO
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import NonInferior, Paired, Slope
from workbench.claims.evidence import Evidence, equal, near, true, within

if TYPE_CHECKING:
    from torch import Tensor


def random_boxes(rng: np.random.Generator, count: int, size: int = 40) -> "Tensor":
    """Return corners (count, 4) with integer coordinates in an image of size x size pixels."""
    import torch

    first = rng.integers(0, size - 2, size=(count, 2))
    last = rng.integers(first + 1, size)
    return torch.as_tensor(np.concatenate([first, last], axis=1)).double()


def box_formats(seed: int) -> Iterator[Evidence]:
    from torchvision.ops import box_area, box_convert

    from models.layers.boxes import convert_to_centers, convert_to_corners

    corners = random_boxes(np.random.default_rng(seed), 20)
    for name in ("xywh", "cxcywh"):
        others = box_convert(corners, "xyxy", name)
        yield near(f"corners, and back from {name}", box_convert(others, name, "xyxy"), corners, 1e-9)
        yield near(f"areas, and width times height of {name}", others[:, 2] * others[:, 3], box_area(corners), 1e-9)
    centers = box_convert(corners, "xyxy", "cxcywh")
    yield near("centers and sizes of the detectors, and of torchvision", convert_to_centers(corners), centers, 1e-9)
    yield near("corners of the detectors, and of torchvision", convert_to_corners(centers), corners, 1e-9)
    yield near(
        "distance of the top-left corner and the center, and half of the size",
        centers[:, :2] - corners[:, :2],
        centers[:, 2:] / 2,
        1e-9,
    )


BOX_FORMAT = Exact(
    id="box-format",
    statement=(
        "Top-left corner and size, two corners, and center and size describe the same boxes, and are converted without "
        "loss."
    ),
    topic="boxes",
    evidence=box_formats,
    expected="holds",
    source="torchvision documentation, torchvision.ops.box_convert",
    note=(
        "The top-left corner with width and height is COCO's format, one of three. Pascal VOC has corners, YOLO and "
        "DETR centers with sizes relative to the image."
    ),
)


def window_counts(seed: int) -> list[tuple[float, float]]:
    """Return image sizes and the numbers of windows of 32x32 with a stride of 4."""
    import torch

    start = int(np.random.default_rng(seed).integers(1024, 1280)) // 4 * 4
    return [
        (float(n), float(torch.empty(1, n, n, device="meta").unfold(1, 32, 4).unfold(2, 32, 4)[0, :, :, 0, 0].numel()))
        for n in (start, 2 * start, 4 * start, 8 * start)
    ]


SLIDING_WINDOW_COST = Scaling(
    id="sliding-window-cost",
    statement=(
        "The number of windows that a sliding-window detector classifies grows with the square of the image size."
    ),
    topic="boxes",
    points=window_counts,
    decider=Slope(1.95, 2.05),
    expected="holds",
    note=(
        "Derivation: ((n - w)/s + 1)² windows, and as many again for each scale. At 1024 pixels, 32x32 windows with "
        "stride 4 are about 62,000."
    ),
)


def convolutional_windows(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    torch.manual_seed(seed)
    layers = [nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 3), nn.ReLU(), nn.Conv2d(8, 3, 4)]
    network, image = nn.Sequential(*layers).double().eval(), torch.randn(1, 1, 48, 48, dtype=torch.double)
    windows = image.unfold(2, 16, 2).unfold(3, 16, 2).reshape(-1, 1, 16, 16)
    with torch.no_grad():
        separate = network(windows)[:, :, 0, 0]
        together = network(image)[0].flatten(1).T
    yield near("scores of all windows one by one, and by one pass over the image", together, separate, 1e-10)
    ratio = trace(network, windows).total_macs / trace(network, image).total_macs
    yield true("one by one takes more than 10 times the MACs", ratio > 10, f"{ratio:.0f} times")


SLIDING_WINDOW_SHARES_CONVOLUTIONS = Exact(
    id="sliding-window-shares-convolutions",
    statement=(
        "One pass of a convolutional network over the image gives the scores of all windows, for less than a tenth of "
        "the MACs of classifying them one by one."
    ),
    topic="boxes",
    evidence=convolutional_windows,
    expected="holds",
    source="Sermanet et al., OverFeat (2013), section 3.5",
    note=(
        "Windows that overlap share their convolutions. Here 289 windows of 16x16 with stride 2, the product of the "
        "strides."
    ),
)


def log_detection_time(seed: int, *, is_shared: bool, proposals: int) -> float:
    """Return log2 of the CPU time of a detector, in ms, for an image of 256x256 and a number of proposals.

    R-CNN crops each proposal from the image, resizes it to 32x32 and runs the backbone on all crops as a batch. Fast
    R-CNN runs the backbone once on the image and crops from its map. Both then run the same head.
    """
    import torch
    from torch import nn
    from torchvision.ops import roi_align

    torch.manual_seed(seed)
    layers: list[nn.Module] = []
    for in_channels, out_channels in ((3, 8), (8, 16), (16, 32)):
        layers += [nn.Conv2d(in_channels, out_channels, 3, stride=2, padding=1), nn.ReLU()]
    backbone, head = nn.Sequential(*layers), nn.Linear(32 * 16, 4)
    image, first = torch.randn(1, 3, 256, 256), 192 * torch.rand(proposals, 2)
    boxes = [torch.cat([first, first + 16 + 48 * torch.rand(proposals, 2)], dim=1)]

    def rcnn() -> "Tensor":
        return head(backbone(roi_align(image, boxes, 32)).flatten(1))  # type: ignore[no-any-return]

    def fast_rcnn() -> "Tensor":
        return head(roi_align(backbone(image), boxes, 4, spatial_scale=1 / 8).flatten(1))  # type: ignore[no-any-return]

    with torch.no_grad():
        return log2(cpu_ms(fast_rcnn if is_shared else rcnn, repeats=3))


RCNN_VS_FAST_RCNN_SPEED = Empirical(
    id="rcnn-vs-fast-rcnn-speed",
    statement=(
        "For 500 proposals, Fast R-CNN, which runs the backbone once per image, is at least 4 times as fast as R-CNN, "
        "which runs it once per proposal."
    ),
    topic="two-stage",
    arms=dict(
        rcnn=trial(log_detection_time, is_shared=False, proposals=500),
        fast_rcnn=trial(log_detection_time, is_shared=True, proposals=500),
    ),
    control=dict(proposals=1),
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=2.0, unit="(log2)"),
    is_timed=True,
    expected="holds",
    source="Girshick, Fast R-CNN (2015), section 4.4",
    note=(
        "The crops of R-CNN are one batch here; one by one would be slower still. With a single proposal R-CNN is "
        "faster, because its crop is smaller than the image."
    ),
)


def roi_positions(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.ops import roi_align, roi_pool

    ramp = torch.arange(32.0).repeat(32, 1)[None, None]  # the value of a pixel is its column
    start = float(np.random.default_rng(seed).uniform(4, 8))

    def middle(pool: Any, offset: float, **options: Any) -> float:
        box = torch.tensor([[0, start + offset, 8, start + offset + 8, 16]], dtype=torch.float32)
        return float(pool(ramp, box, 1, **options))

    offsets = np.arange(0, 1.2, 0.05)
    aligned = [middle(roi_align, offset, aligned=True) for offset in offsets]
    pooled = [middle(roi_pool, offset) for offset in offsets]
    yield near("RoIAlign of a ramp, and the center of the box", aligned, start + offsets + 4 - 0.5, 1e-3)
    yield true(
        "RoI pooling has at most 3 values while the box moves by 1.15 pixels",
        len(set(pooled)) <= 3,
        f"{sorted(set(pooled))}",
    )
    steps = np.abs(np.diff(pooled))
    yield near("RoI pooling jumps by", steps.max(), 1.0, 1e-6)


ROI_POOL_VS_ALIGN = Exact(
    id="roi-pool-vs-align",
    statement=(
        "When a box moves by less than a pixel, RoIAlign's features move with it, while RoI pooling's stay the same "
        "and then jump."
    ),
    topic="two-stage",
    evidence=roi_positions,
    is_structural=True,
    expected="holds",
    source="He et al., Mask R-CNN (2017), section 3",
    note="RoI pooling rounds the box to cells of the map, which are 16 pixels or more in a deep network.",
)


def two_labels(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F

    torch.manual_seed(seed)
    classes = int(np.random.default_rng(seed).integers(3, 8))
    target = torch.zeros(1, classes)
    target[0, :2] = 1  # an object that is a person and a woman
    scores = {}
    for name in ("softmax", "sigmoid"):
        logits = torch.randn(1, classes).requires_grad_()
        optimizer = torch.optim.Adam([logits], lr=0.1)
        for _ in range(300):
            optimizer.zero_grad()
            if name == "softmax":
                F.cross_entropy(logits, target / 2).backward()
            else:
                F.binary_cross_entropy_with_logits(logits, target).backward()
            optimizer.step()
        scores[name] = logits.detach().softmax(dim=1) if name == "softmax" else logits.detach().sigmoid()
    yield within("scores of both labels by sigmoids", scores["sigmoid"][0, :2], 0.9, 1)
    yield within("scores of both labels by softmax, which share 1", scores["softmax"][0, :2], 0.4, 0.5 + 1e-3)


YOLOV3_IMPROVED_CLASSIFICATION = Exact(
    id="yolov3-improved-classification",
    statement=(
        "YOLO v3's independent sigmoids can give an object several labels with a score near 1; a softmax can't give "
        "two labels more than 0.5 each."
    ),
    topic="one-stage",
    evidence=two_labels,
    is_structural=True,
    expected="holds",
    source="Redmon, Farhadi, YOLOv3 (2018), section 2.2",
)


def iou_by_pixels(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.ops import box_iou, generalized_box_iou

    from models.layers.boxes import paired_iou

    rng = np.random.default_rng(seed)
    a, b = random_boxes(rng, 30), random_boxes(rng, 30)
    by_pixels = []
    for first, second in zip(a.int().tolist(), b.int().tolist(), strict=True):
        masks = np.zeros((2, 40, 40), dtype=bool)
        for mask, (x1, y1, x2, y2) in zip(masks, (first, second), strict=True):
            mask[y1:y2, x1:x2] = True
        by_pixels.append((masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum())
    yield near("IoU of torchvision, and counted pixel by pixel", box_iou(a, b).diagonal(), by_pixels, 1e-9)
    yield near("IoU of the detectors, and counted pixel by pixel", paired_iou(a, b), by_pixels, 1e-9)
    yield near("IoU of a with b, and of b with a", box_iou(a, b), box_iou(b, a).T, 1e-12)
    for name, function in (("IoU", box_iou), ("generalized IoU", generalized_box_iou)):
        box = torch.tensor([[0.0, 0, 5, 5]], requires_grad=True)
        function(box, torch.tensor([[10.0, 10, 15, 15]])).sum().backward()
        assert box.grad is not None
        has_gradient = bool(box.grad.any())
        yield equal(f"disjoint boxes have a gradient: {name}", has_gradient, name != "IoU")


IOU_FORMULA = Exact(
    id="iou-formula",
    statement=(
        "IoU is the area of the overlap over the area of the union: symmetric, and 0 without a gradient for disjoint "
        "boxes."
    ),
    topic="iou",
    evidence=iou_by_pixels,
    expected="holds",
    source="Rezatofighi et al., Generalized intersection over union (2019), section 3, for the missing gradient",
)


def greedy_nms(boxes: "Tensor", scores: "Tensor", threshold: float) -> list[int]:
    """Return the indices of the boxes that greedy suppression leaves, box by box."""
    left = sorted(range(len(scores)), key=lambda index: -float(scores[index]))
    remaining: list[int] = []
    while left:
        best, *left = left
        remaining.append(best)
        left = [index for index in left if _iou(boxes[best].tolist(), boxes[index].tolist()) <= threshold]
    return remaining


def _iou(a: list[float], b: list[float]) -> float:
    width, height = (max(0.0, min(a[k + 2], b[k + 2]) - max(a[k], b[k])) for k in (0, 1))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return width * height / (sum(areas) - width * height)


def suppression(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.ops import nms

    rng = np.random.default_rng(seed)
    for threshold in (0.3, 0.5, 0.7):
        first = 12 * rng.random((60, 2))
        boxes = torch.as_tensor(np.concatenate([first, first + 1 + 9 * rng.random((60, 2))], axis=1)).float()
        scores = torch.as_tensor(rng.permutation(60) / 60)
        remaining = nms(boxes, scores.float(), threshold)
        yield equal(
            f"boxes that torchvision's NMS leaves, and box by box, threshold {threshold}",
            remaining.tolist(),
            greedy_nms(boxes, scores, threshold),
        )
        again = nms(boxes[remaining], scores.float()[remaining], threshold)
        yield equal(f"a second NMS leaves all of them, threshold {threshold}", len(again), len(remaining))
        yield true(f"the box with the highest score remains, threshold {threshold}", int(scores.argmax()) in remaining)


NMS_ALGORITHM = Exact(
    id="nms-algorithm",
    statement=(
        "NMS takes the box with the highest score, removes all boxes whose IoU with it is above the threshold, and "
        "repeats."
    ),
    topic="nms",
    evidence=suppression,
    expected="holds",
    source="torchvision documentation, torchvision.ops.nms",
)


def evaluate(objects: list[dict[str, Any]], detections: np.ndarray) -> Any:
    """Return COCO's evaluation of detections in one image.

    Args:
        objects: Objects, each with `category_id`, `bbox` (x, y, width, height), `area`.
        detections: Rows of image id, x, y, width, height, score, class.
    """
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with redirect_stdout(StringIO()):  # it prints its progress
        truth = COCO()
        categories = sorted({row["category_id"] for row in objects})
        rows = [dict(id=k + 1, image_id=1, iscrowd=0, **row) for k, row in enumerate(objects)]
        truth.dataset = dict(images=[dict(id=1)], categories=[dict(id=k) for k in categories], annotations=rows)
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def random_detections(seed: int, classes: int = 3) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Return 24 objects on a grid, and detections: one near each object, and as many elsewhere."""
    rng = np.random.default_rng(seed)
    objects, rows = [], []
    for index in range(24):
        x, y = 60 * (index % 6), 60 * (index // 6)
        size = float(rng.uniform(15, 45))
        objects.append(dict(category_id=index % classes, bbox=[x, y, size, size], area=size * size))
        shift = rng.uniform(0, 0.35, size=2) * size
        rows.append([1, x + shift[0], y + shift[1], size, size, rng.uniform(), index % classes])
        rows.append([1, 400 + x, y, size, size, rng.uniform(), index % classes])
    return objects, np.array(rows)


def matches(objects: list[dict[str, Any]], detections: np.ndarray, category: int, threshold: float) -> list[bool]:
    """Return for a class's detections, with the highest score first, whether each finds an object."""
    targets = [row["bbox"] for row in objects if row["category_id"] == category]
    corners = [[x, y, x + width, y + height] for x, y, width, height in targets]
    hits, unmatched = [], set(range(len(corners)))
    for row in sorted((row for row in detections if row[6] == category), key=lambda row: -row[5]):
        box = [row[1], row[2], row[1] + row[3], row[2] + row[4]]
        best = max(unmatched, key=lambda index: _iou(box, corners[index]), default=-1)
        is_hit = best >= 0 and _iou(box, corners[best]) >= threshold
        if is_hit:
            unmatched.remove(best)
        hits.append(is_hit)
    return hits


def average_precision(hits: list[bool], objects: int, points: int | None) -> float:
    """Return AP: precision, made monotone, at a number of recalls from 0 to 1, or its whole area if that is None."""
    true_positives = np.cumsum(hits)
    precision, recall = true_positives / np.arange(1, len(hits) + 1), true_positives / objects
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if points is None:
        return float((np.diff(recall, prepend=0) * envelope).sum())
    at = np.searchsorted(recall, np.linspace(0, 1, points) - 1e-9)
    return float(np.append(envelope, 0.0)[at].mean())


def one_ap(seed: int) -> Iterator[Evidence]:
    objects, detections = random_detections(seed)
    areas = {
        points: np.mean([average_precision(matches(objects, detections, k, 0.5), 8, points) for k in range(3)])
        for points in (None, 11, 101)
    }
    yield near("area under the precision-recall curves, and COCO's 101 recalls", areas[None], areas[101], 1e-4)
    yield near("area under the precision-recall curves, and Pascal VOC 2007's 11 recalls", areas[None], areas[11], 1e-4)


MAP_DEFINITION = Exact(
    id="map-definition",
    statement=(
        "mAP is the area under the precision-recall curve, averaged over classes, so all benchmarks compute the same "
        "number."
    ),
    topic="map",
    evidence=one_ap,
    expected="does_not_hold",
    source="Everingham et al., The Pascal VOC challenge (2010), section 4.2; COCO detection evaluation",
    note=(
        "Pascal VOC averaged 11 recalls until 2009 and the whole area from 2010; COCO averages 101 recalls, and also "
        "the IoU thresholds from 0.50 to 0.95."
    ),
)


def coco_ap(seed: int) -> Iterator[Evidence]:
    objects, detections = random_detections(seed)
    stats = evaluate(objects, detections).stats
    thresholds = [0.5 + 0.05 * k for k in range(10)]
    table = [
        [average_precision(matches(objects, detections, k, threshold), 8, 101) for k in range(3)]
        for threshold in thresholds
    ]
    yield near("AP of pycocotools, and the mean over classes and ten thresholds", stats[0], np.mean(table), 1e-9)
    yield near("AP50 of pycocotools, and the mean over classes at 0.5", stats[1], np.mean(table[0]), 1e-9)
    yield near("AP75 of pycocotools, and the mean over classes at 0.75", stats[2], np.mean(table[5]), 1e-9)


COCO_AP_DEFINITION = Exact(
    id="coco-ap-definition",
    statement=(
        "COCO's AP is the mean over classes and over the IoU thresholds 0.50, 0.55, ... 0.95 of the precision at 101 "
        "recalls."
    ),
    topic="map",
    evidence=coco_ap,
    expected="holds",
    source="COCO detection evaluation, cocodataset.org",
)


def thresholds_of_ap(seed: int) -> Iterator[Evidence]:
    for part in range(4):
        stats = evaluate(*random_detections(4 * seed + part)).stats
        yield true("AP75 is at most AP50", stats[2] <= stats[1] + 1e-9, f"{stats[2]:.3f} and {stats[1]:.3f}")
        yield true(
            "AP, over thresholds from 0.5, is at most AP50",
            stats[0] <= stats[1] + 1e-9,
            f"{stats[0]:.3f} and {stats[1]:.3f}",
        )


AP75_LE_AP50 = Exact(
    id="ap75-le-ap50",
    statement="AP75 is at most AP50, because a match must have an IoU of 0.75 instead of 0.5.",
    topic="map",
    evidence=thresholds_of_ap,
    expected="holds",
    note=(
        "Derivation: a pair that matches at 0.75 may match at 0.5, too, so greedy matching finds no fewer objects "
        "among the first detections."
    ),
)


def size_bins(seed: int) -> Iterator[Evidence]:
    from pycocotools.cocoeval import Params

    ranges = dict(zip(Params("bbox").areaRngLbl, Params("bbox").areaRng, strict=True))
    yield equal(
        "bounds of the areas in pycocotools",
        [ranges[name] for name in ("small", "medium", "large")],
        [[0, 32**2], [32**2, 96**2], [96**2, 1e10]],
    )
    rng = np.random.default_rng(seed)
    for name, low, high, place in (("small", 8, 32, 3), ("medium", 33, 96, 4), ("large", 97, 300, 5)):
        width, height = (float(value) for value in rng.uniform(low, high, size=2))
        detection = np.array([[1, 0, 0, width, height, 0.9, 0]])
        stats = evaluate([dict(category_id=0, bbox=[0, 0, width, height], area=width * height)], detection).stats
        others = [stats[k] for k in (3, 4, 5) if k != place]
        values = [stats[place], *others]
        yield near(
            f"AP of the size of a {name} object that is detected, and -1 for the others", values, [1, -1, -1], 1e-9
        )


AP_SIZE_BINS = Exact(
    id="ap-size-bins",
    statement="APS, APM and APL count objects with an area below 32², from 32² to 96², and above 96² pixels.",
    topic="map",
    evidence=size_bins,
    is_structural=True,
    expected="holds",
    source="COCO detection evaluation, cocodataset.org",
)


def log_time_per_mac(seed: int, *, groups: int) -> float:
    """Return log2 of the CPU time per MAC of a 3x3 convolution of 64 channels, in units of a picosecond."""
    import torch
    from torch import nn

    from models.cost import trace

    torch.manual_seed(seed)
    layer, x = nn.Conv2d(64, 64, 3, padding=1, groups=groups), torch.randn(1, 64, 32, 32)
    with torch.no_grad():
        return log2(1e9 * cpu_ms(lambda: layer(x)) / trace(layer, x).total_macs)


FLOPS_PREDICT_SPEED = Empirical(
    id="flops-predict-speed",
    statement=(
        "FLOPs predict the time of inference: per FLOP, a depthwise convolution takes at most 1.5 times as long as a "
        "full one."
    ),
    topic="model-complexity",
    arms=dict(full=trial(log_time_per_mac, groups=1), depthwise=trial(log_time_per_mac, groups=64)),
    measure="log2 of the time per MAC",
    decider=NonInferior(margin=log2(1.5), unit="(log2)"),
    is_timed=True,
    expected="does_not_hold",
    source="Ma et al., ShuffleNet V2 (2018), section 1",
    note=(
        "FLOPs count computation, not access to memory. A MAC is 2 FLOPs, and many papers mean MACs when they write "
        "FLOPs."
    ),
)
