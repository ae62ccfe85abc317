"""Seconds of Mask R-CNN compared with torchvision's maskrcnn_resnet50_fpn, from an image to its pasted masks.

    python benchmarks/mask_rcnn.py [PAIRS] [--dry]

Both networks have the same weights and read the same image of 320x320 pixels, on one thread. They run in turn, so that
a busy machine slows both alike. The result is the median of the ratios of all pairs; below 1, ours is faster. Target:
at most 1.05. With random weights all regions look alike, so the bias of a class is raised: there are 100 detections.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import _options
import torch
from torchvision.models.detection import MaskRCNN
from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
from torchvision.ops.misc import FrozenBatchNorm2d

import models
from models.layers.instances import paste

SIZE, WARMUPS = 320, 1
PLAIN: dict[str, Any] = dict(min_size=SIZE, max_size=SIZE, image_mean=[0.0] * 3, image_std=[1.0] * 3)


def measure(work: Callable[[], object]) -> float:
    """Return the seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main(pairs: int) -> None:
    """Print the medians and their ratio."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    backbone = resnet_fpn_backbone(backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d)
    theirs: Any = MaskRCNN(backbone, 91, **PLAIN).eval()
    theirs.roi_heads.box_predictor.cls_score.bias.data[1] = 5.0
    ours: Any = models.build("mask-rcnn", image_size=SIZE).eval()
    ours.load_reference(theirs.state_dict())
    image = torch.rand(1, 3, SIZE, SIZE)

    def segment() -> list[torch.Tensor]:
        return [paste(one, SIZE, SIZE) for one in ours.segment(ours(image))]

    times = []
    with torch.inference_mode():
        (own_masks,), (reference,) = segment(), theirs(list(image))
        assert torch.allclose(own_masks, reference["masks"][:, 0], atol=1e-4) and len(own_masks) > 10
        for turn in range(WARMUPS + pairs):
            if turn % 2:
                own, other = measure(segment), measure(lambda: theirs(list(image)))
            else:
                other, own = measure(lambda: theirs(list(image))), measure(segment)
            times.append((own, other))
    times = times[WARMUPS:]
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    low, ratio, high = quantiles([own / other for own, other in times], n=4)
    own, other = (median(column) for column in zip(*times, strict=True))
    print(f"{len(own_masks)} masks: ours {own:.2f} s, torchvision {other:.2f} s")
    print(f"ratio {ratio:.3f} (quartiles {low:.2f}, {high:.2f})")


if __name__ == "__main__":
    main(_options.read(__doc__, "PAIRS", 10, dry=2).count)
