"""Robustness to shifts: the accuracy of networks on test digits that are shifted.

    python benchmarks/shifts.py [SEEDS] [--dry]

Networks are trained on digits with their default options. Then the test images are shifted up, down, left and right by
sixteenths of their size, and the pixels that become free are 0. The table has the mean and the standard deviation over
the seeds of the mean accuracy over the four directions. The neocognitron learned its features without labels, and a
linear layer classifies its last cells; softmax regression reads the same 16x16 pixels.
"""

import os
import tempfile
from dataclasses import replace
from statistics import mean, stdev

import _options
import torch
from torch import Tensor

from workbench.engine import RunSpec, runs, train
from workbench.engine.interpret.feature_maps import record
from workbench.engine.spec.sections import Epochs
from workbench.engine.trained import TrainedNetwork, load

SHIFTS = range(5)  # sixteenths of the image size
NETWORKS = {
    "softmax-regression": RunSpec.create("softmax-regression", epochs=60, options={"in_features": 256}),
    "neocognitron": RunSpec.create("neocognitron"),
    "lenet5-modern": RunSpec.create("lenet5-modern"),
}


def shift_images(images: Tensor, down: int, right: int) -> Tensor:
    """Return images (N, C, H, W) that are shifted by a number of pixels; pixels that become free are 0."""
    shifted = images.roll((down, right), dims=(-2, -1))
    for dim, shift in ((-2, down), (-1, right)):
        if shift:
            shifted.narrow(dim, 0 if shift > 0 else shift, abs(shift)).zero_()
    return shifted


@torch.no_grad()
def shifted_accuracy(trained: TrainedNetwork, sixteenths: int) -> float:
    """Return the mean accuracy on the test images over shifts in the four directions."""
    batch = trained.source.batch(slice(None))
    images, _ = record(trained.network, lambda: trained.forward(batch))
    size = round(images[0].numel() ** 0.5)
    square, shift = images.view(len(images), 1, size, size), sixteenths * size // 16
    accuracies = []
    for down, right in ((shift, 0), (-shift, 0), (0, shift), (0, -shift)):
        logits = trained.network(shift_images(square, down, right).view_as(images))
        accuracies.append((logits.argmax(dim=1) == batch["target"]).double().mean().item())
    return mean(accuracies)


def main(seeds: int, dry: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        print(f"{'sixteenths':20}" + "".join(f"{shift:>16}" for shift in SHIFTS))
        for name, spec in NETWORKS.items():
            rows = []
            for seed in range(seeds):
                *_, end = train(replace(spec, seed=seed, **({"length": Epochs(1)} if dry else {})))
                trained = load(runs.get(end["run"]))
                rows.append([shifted_accuracy(trained, shift) for shift in SHIFTS])
            columns = list(zip(*rows, strict=True))
            cells = [f"{mean(column):.3f} ± {stdev(column) if seeds > 1 else 0:.3f}" for column in columns]
            print(f"{name:20}" + "".join(f"{cell:>16}" for cell in cells), flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "SEEDS", 3, dry=1)
    main(options.count, options.dry)
