"""Networks beside torchvision's: how long a forward pass takes, and a forward and a backward pass.

    python benchmarks/zoo.py [PAIRS] [NAME ...] [--dry]

Both have the same weights and read the same four pictures, on one thread; they take turns, so that a busy machine slows
both alike, and what counts is the median of the turns' ratios, below 1 where ours is faster. Target: at most 1.05.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles

import _options
import torch
import torchvision
from torch import nn

import models

NAMES = ["resnet18", "resnet50", "vgg16", "mobilenet-v2", "efficientnet-b0", "convnext-tiny"]
BATCH, WARM_UPS = 4, 3
DRY = (1, 1)  # of a dry run


def forward(network: nn.Module, pictures: torch.Tensor) -> None:
    with torch.inference_mode():
        network.eval()(pictures)


def forward_and_backward(network: nn.Module, pictures: torch.Tensor) -> None:
    network.train()(pictures).sum().backward()
    network.zero_grad()


def seconds(work: Callable, *given: object) -> float:
    began = time.perf_counter()
    work(*given)
    return time.perf_counter() - began


def race(name: str, work: Callable, pairs: int, batch: int, warm_ups: int) -> list[tuple[float, float]]:
    """Seconds of ours and of torchvision's, turn by turn."""
    torch.manual_seed(0)
    theirs = getattr(torchvision.models, name.replace("-", "_"))(weights=None)
    ours = models.build(name)
    ours.load_reference(theirs.state_dict())
    pictures = torch.randn(batch, *ours.input_shape)
    turns = []
    for turn in range(warm_ups + pairs):
        both = [ours, theirs] if turn % 2 else [theirs, ours]  # neither always comes second
        times = {network: seconds(work, network, pictures) for network in both}
        turns.append((times[ours], times[theirs]))
    return turns[warm_ups:]


def main(pairs: int, names: list[str], batch: int, warm_ups: int) -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    print(f"{'':38}{'ours':>10}{'torchvision':>14}{'ratio':>9} (quartiles)")
    for name in names:
        for work in (forward, forward_and_backward):
            turns = race(name, work, pairs, batch, warm_ups)
            low, ratio, high = quantiles([a / b for a, b in turns], n=4)
            times = [1000 * median(column) for column in zip(*turns, strict=True)]
            label = f"{name}, {work.__name__.replace('_', ' ')}"
            print(f"{label:38}{times[0]:7.0f} ms{times[1]:11.0f} ms{ratio:9.3f} ({low:.2f}, {high:.2f})", flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 20, dry=2, names=NAMES, dry_names=["mobilenet-v2"])
    main(options.count, options.names, *(DRY if options.dry else (BATCH, WARM_UPS)))
