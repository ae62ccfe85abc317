"""Claims about detectors."""

from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.boxes import random_boxes
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import NonInferior, Paired, Slope
from workbench.claims.evidence import Evidence, near, true, within

if TYPE_CHECKING:
    from torch import Tensor


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
