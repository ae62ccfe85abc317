"""Milliseconds per image of R-CNN, Fast and Faster R-CNN on the same proposals; Faster R-CNN against torchvision's.

    python benchmarks/detectors.py [PAIRS] [NAME ...] [--dry]

    mini, paper            the three detectors of that preset, on one image with the same random proposals. R-CNN runs
                           its network for each of them, Fast R-CNN once for the image, Faster R-CNN also proposes. The
                           proposals of the first two come from selective search, whose time is in a column of its own.
    faster-rcnn-r50-fpn    from images to detections, with the same weights and the same images of 3x320x320 as
                           torchvision's network; below 1, ours is faster. Target: at most 1.05

All run in turn, on one thread, so that a busy machine slows all alike. Times are medians.
"""

import os
import time
from collections.abc import Callable, Mapping
from statistics import median, quantiles
from typing import Any

import _options
import numpy as np
import torch
from torch import Tensor

import models
from models.layers.region_detector import RegionOutputs
from workbench.data import shape_scenes
from workbench.data.scenes import draw, scene
from workbench.data.selective_search import propose

PROPOSALS = {"mini": (1, 10, 100, 1000), "paper": (1, 10, 100)}
DRY_PROPOSALS = (1, 10)
FPN = "faster-rcnn-r50-fpn"
IMAGE_SIZE, DRY_IMAGE_SIZE = 320, 64
NAMES = ["mini", "paper", FPN]


def measure(work: Mapping[str, Callable[[], object]], turns: int) -> dict[str, list[float]]:
    """Return the milliseconds of each function in each turn, after a turn that is not counted."""
    times: dict[str, list[float]] = {name: [] for name in work}
    for turn in range(turns + 1):
        for name in list(work)[:: 1 if turn % 2 else -1]:
            start = time.perf_counter()
            with torch.inference_mode():
                work[name]()
            if turn:
                times[name].append(1000 * (time.perf_counter() - start))
    return times


def random_boxes(count: int, image_size: int) -> Tensor:
    """Return boxes (1, count, 4) of a tenth to a half of an image."""
    torch.manual_seed(0)
    first, sizes = torch.rand(1, count, 2) * 0.5, 0.1 + 0.4 * torch.rand(1, count, 2)
    return image_size * torch.cat([first, first + sizes], dim=2)


def compare_stages(preset: str, turns: int, counts: tuple[int, ...]) -> None:
    """Print a row for each number of proposals."""
    networks: dict[str, Any] = {
        name: models.build(name, preset).eval() for name in ("rcnn", "fast-rcnn", "faster-rcnn")
    }
    images = {name: torch.randn(1, *network.input_shape) for name, network in networks.items()}
    pixels = draw(scene(shape_scenes.options(), 0)).picture.transpose(2, 0, 1)
    print(f"\n{preset} preset, ms per image: a {'x'.join(map(str, pixels.shape))} image for selective search")
    print(
        f"{'proposals':>10}{'search':>10}{'R-CNN':>10}{'Fast':>10}{'Faster':>10}"
        f"{'R-CNN / Fast':>15}{'Fast / Faster':>15}"
    )
    for count in counts:
        mask = torch.ones(1, count, dtype=torch.bool)
        boxes = {name: random_boxes(count, network.input_shape[1]) for name, network in networks.items()}

        def faster(count: int = count, boxes: dict[str, Tensor] = boxes, mask: Tensor = mask) -> RegionOutputs:
            network, image = networks["faster-rcnn"], images["faster-rcnn"]
            features = (network.features(image),)
            network.rpn(features, *image.shape[2:])
            outputs: RegionOutputs = network.classify_proposals(RegionOutputs(features, boxes["faster-rcnn"], mask))
            return outputs

        def two_inputs(name: str, boxes: dict[str, Tensor] = boxes, mask: Tensor = mask) -> Callable[[], object]:
            return lambda: networks[name](images[name], boxes[name], mask)

        work = {
            "search": lambda: propose(np.ascontiguousarray(pixels)),
            "rcnn": two_inputs("rcnn"),
            "fast-rcnn": two_inputs("fast-rcnn"),
            "faster-rcnn": faster,
        }
        search, rcnn, fast, other = (median(times) for times in measure(work, turns).values())
        row = f"{count:10,}{search:10.1f}{rcnn:10.1f}{fast:10.1f}{other:10.1f}"
        print(f"{row}{(search + rcnn) / (search + fast):15.2f}{(search + fast) / other:15.2f}", flush=True)


def compare_with_torchvision(pairs: int, image_size: int) -> None:
    """Print the ratio of the times of both networks, and how far their detections differ."""
    from torchvision.models.detection import FasterRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops.misc import FrozenBatchNorm2d

    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d)
    plain = dict(min_size=image_size, max_size=image_size, image_mean=[0.0] * 3, image_std=[1.0] * 3)
    theirs = FasterRCNN(backbone, 91, **plain).eval()
    torch.nn.init.normal_(theirs.rpn.head.cls_logits.weight, std=0.1)
    torch.nn.init.normal_(theirs.roi_heads.box_predictor.cls_score.weight, std=2.0)
    ours: Any = models.build(FPN, image_size=image_size).eval()
    ours.load_reference(theirs.state_dict())
    images = torch.nn.functional.interpolate(torch.randn(1, 3, 8, 8), size=image_size, mode="bilinear")

    def detect() -> Any:
        batch, _ = theirs.transform(list(images))  # ours takes the time of the same transformation
        return ours.detect(ours(batch.tensors))

    work: dict[str, Callable[[], Any]] = {"ours": detect, "theirs": lambda: theirs(list(images))}
    with torch.inference_mode():
        (own,), (other,) = work["ours"](), work["theirs"]()
        difference = max(
            (own.boxes - other["boxes"]).abs().max().item(), (own.scores - other["scores"]).abs().max().item()
        )
        proposals = ours(images).boxes.shape[1]
    times = measure(work, pairs)
    ratios = [a / b for a, b in zip(times["ours"], times["theirs"], strict=True)]
    low, ratio, high = quantiles(ratios, n=4)
    print(f"\n{FPN}, 1x3x{image_size}x{image_size}, {proposals} proposals, {len(own.boxes)} detections")
    print(f"ours {median(times['ours']):.0f} ms, torchvision {median(times['theirs']):.0f} ms, ", end="")
    print(f"ratio {ratio:.3f} ({low:.2f}, {high:.2f}), largest difference {difference:.1e}", flush=True)


def main(pairs: int, names: list[str], is_dry: bool) -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} turns")
    for name in names:
        if name == FPN:
            compare_with_torchvision(pairs, DRY_IMAGE_SIZE if is_dry else IMAGE_SIZE)
        else:
            compare_stages(name, pairs, DRY_PROPOSALS if is_dry else PROPOSALS[name])


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 10, dry=2, names=NAMES, dry_names=["mini"])
    main(options.count, options.names, options.dry)
