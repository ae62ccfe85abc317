"""Seconds of a forward pass, and of a forward and a backward pass, compared with torchvision's or timm's networks.

    python benchmarks/zoo.py [PAIRS] [NAME ...] [--dry]

Both networks have the same weights and read the same four images, on one thread. They run in turn, so that a busy
machine slows both alike. The result is the median of the ratios of all pairs; below 1, ours is faster. Target: at most
1.05.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import _options
import torch
import torchvision
from torch import nn

import models

TIMM = {"vit-b16": "vit_base_patch16_224", "swin-tiny": "swin_tiny_patch4_window7_224"}
NAMES = ["resnet18", "resnet50", "vgg16", "mobilenet-v2", "efficientnet-b0", "convnext-tiny", *TIMM]
BATCH_SIZE, WARMUPS = 4, 3
DRY = (1, 1)  # batch size and warmups of a dry run


Work = Callable[[nn.Module, torch.Tensor], None]


def forward(network: nn.Module, images: torch.Tensor) -> None:
    """Run a forward pass in evaluation mode."""
    with torch.inference_mode():
        network.eval()(images)


def forward_and_backward(network: nn.Module, images: torch.Tensor) -> None:
    """Run a forward and a backward pass in training mode."""
    network.train()(images).sum().backward()
    network.zero_grad()


def measure(work: Work, network: nn.Module, images: torch.Tensor) -> float:
    """Return the seconds that a network takes."""
    start = time.perf_counter()
    work(network, images)
    return time.perf_counter() - start


def reference(name: str) -> tuple[nn.Module, dict[str, Any]]:
    """Return the other library's network, and the options with which ours is the same."""
    if name in TIMM:
        import timm

        options = {"stochastic_depth_prob": 0.1} if name.startswith("swin") else {}  # timm's default
        return timm.create_model(TIMM[name]), options
    return getattr(torchvision.models, name.replace("-", "_"))(weights=None), {}


def compare(name: str, work: Work, pairs: int, batch_size: int, warmups: int) -> list[tuple[float, float]]:
    """Return the seconds of our network and of the other library's, for each pair."""
    torch.manual_seed(0)
    theirs, options = reference(name)
    ours: Any = models.build(name, **options)
    ours.load_reference(theirs.state_dict())
    images = torch.randn(batch_size, *ours.input_shape)
    times = []
    for turn in range(warmups + pairs):
        order = [ours, theirs] if turn % 2 else [theirs, ours]
        seconds = {network: measure(work, network, images) for network in order}
        times.append((seconds[ours], seconds[theirs]))
    return times[warmups:]


def main(pairs: int, names: list[str], batch_size: int, warmups: int) -> None:
    """Print a row per network and kind of pass."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    print(f"{'':38}{'ours':>10}{'reference':>14}{'ratio':>9} (quartiles)")
    for name in names:
        for work in (forward, forward_and_backward):
            times = compare(name, work, pairs, batch_size, warmups)
            low, ratio, high = quantiles([ours / theirs for ours, theirs in times], n=4)
            ours, theirs = (1000 * median(column) for column in zip(*times, strict=True))
            label = f"{name}, {work.__name__.replace('_', ' ')}"
            print(f"{label:38}{ours:7.0f} ms{theirs:11.0f} ms{ratio:9.3f} ({low:.2f}, {high:.2f})", flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 20, dry=2, names=NAMES, dry_names=["mobilenet-v2"])
    main(options.count, options.names, *(DRY if options.dry else (BATCH_SIZE, WARMUPS)))
