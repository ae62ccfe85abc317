"""Seconds of SSD300 compared with torchvision's ssd300_vgg16, of its outputs alone and with the detections.

    python benchmarks/ssd300.py [PAIRS] [--dry]

Both networks have the same weights and read the same image of 300x300 pixels, on one thread. They run in turn, so that
a busy machine slows both alike. The result is the median of the ratios of all pairs; below 1, ours is faster. Target:
at most 1.05. With random weights every class of every default box is a candidate, so that suppression has the most to
do. torchvision's network resizes the image and subtracts the mean itself; ours has the time of the same transform.
"""

import os
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

import _options
import torch
from torchvision.models.detection import ssd300_vgg16

import models

WARMUPS = 2


def measure(work: Callable[[], object]) -> float:
    """Return the seconds that a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def compare(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> list[tuple[float, float]]:
    """Return the seconds of both, for each pair."""
    times = []
    for turn in range(WARMUPS + pairs):
        if turn % 2:
            own, other = measure(ours), measure(theirs)
        else:
            other, own = measure(theirs), measure(ours)
        times.append((own, other))
    return times[WARMUPS:]


def main(pairs: int) -> None:
    """Print a row for the outputs and one for the detections."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    theirs: Any = ssd300_vgg16(weights=None, weights_backbone=None, num_classes=21).eval()
    ours: Any = models.build("ssd300").eval()
    ours.load_reference(theirs.state_dict())
    images = [torch.rand(3, 300, 300)]

    def prepare() -> torch.Tensor:
        batch, _ = theirs.transform(images)
        pixels: torch.Tensor = batch.tensors
        return pixels

    prepared = prepare()
    works = {
        "outputs": (lambda: ours(prepared), lambda: theirs.head(list(theirs.backbone(prepared).values()))),
        "detections": (lambda: ours.detect(ours(prepare())), lambda: theirs(images)),
    }
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    print(f"{'':14}{'ours':>10}{'torchvision':>14}{'ratio':>9} (quartiles)")
    with torch.inference_mode():
        for label, (own_work, other_work) in works.items():
            times = compare(own_work, other_work, pairs)
            low, ratio, high = quantiles([own / other for own, other in times], n=4)
            own, other = (1000 * median(column) for column in zip(*times, strict=True))
            print(f"{label:14}{own:7.0f} ms{other:11.0f} ms{ratio:9.3f} ({low:.2f}, {high:.2f})", flush=True)


if __name__ == "__main__":
    main(_options.read(__doc__, "PAIRS", 20, dry=2).count)
