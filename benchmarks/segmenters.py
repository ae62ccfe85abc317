"""Milliseconds per image of FCN on ResNet-50 and of DeepLab v3 against torchvision's, in evaluation.

    python benchmarks/segmenters.py [PAIRS] [NAME ...] [--dry]

Both networks have the same weights and read the same image of 3x256x256; the ratio is ours to torchvision's, by pair;
below 1, ours is faster. Target: at most 1.05. Times are CPU times. Both run in turn, on one thread, so that a busy
machine slows both alike.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import _options
import torch

import models

BUILDERS = {"fcn-resnet50": "fcn_resnet50", "deeplab-v3": "deeplabv3_resnet50"}
IMAGE_SIZE, DRY_IMAGE_SIZE = 256, 64


def cpu_ms(work: Callable[[], object]) -> float:
    """Return the CPU time of a call, in ms."""
    start = time.process_time()
    work()
    return 1000 * (time.process_time() - start)


def compare(name: str, pairs: int, image_size: int) -> None:
    """Print the ratio of the times of both networks, and how far their outputs differ."""
    from torchvision.models import segmentation

    torch.manual_seed(0)
    build = getattr(segmentation, BUILDERS[name])
    theirs = build(weights=None, weights_backbone=None, aux_loss=True).eval()
    ours: Any = models.build(name).eval()
    ours.load_reference(theirs.state_dict())
    images = torch.nn.functional.interpolate(torch.randn(1, 3, 8, 8), size=image_size, mode="bilinear")
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    networks = {"ours": ours, "theirs": theirs}
    with torch.inference_mode():
        outputs, expected = ours(images), theirs(images)
        difference = max((outputs[key] - expected[key]).abs().max().item() for key in expected)
        for pair in range(pairs):
            for kind in list(networks)[:: 1 if pair % 2 else -1]:
                times[kind].append(cpu_ms(lambda kind=kind: networks[kind](images)))  # type: ignore[misc]
    ratios = [a / b for a, b in zip(times["ours"], times["theirs"], strict=True)]
    low, ratio, high = quantiles(ratios, n=4)
    print(f"{name}, 1x3x{image_size}x{image_size}: ours {median(times['ours']):.0f} ms, ", end="")
    print(f"torchvision {median(times['theirs']):.0f} ms, ratio {ratio:.3f} ({low:.2f}, {high:.2f}), ", end="")
    print(f"largest difference {difference:.1e}", flush=True)


def main(pairs: int, names: list[str], is_dry: bool) -> None:
    """Print a line for each network."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    for name in names:
        compare(name, pairs, DRY_IMAGE_SIZE if is_dry else IMAGE_SIZE)


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 10, dry=2, names=list(BUILDERS), dry_names=list(BUILDERS))
    main(options.count, options.names, options.dry)
