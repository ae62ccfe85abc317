"""Tolerance of shifts: how many test digits networks still read when all of them stand elsewhere.

    python benchmarks/shifts.py [SEEDS] [--dry]

Networks learn digits as they stand, with their usual options; then the pictures of the test part are moved by
sixteenths of their side, up, down, left and right, with nothing behind them. What is told is the accuracy's mean over
the four directions, with its mean and standard deviation over the seeds. The neocognitron chose its features without
labels, and a linear layer reads its last cells; the linear network reads the same 16x16 pixels.
"""

import os
import tempfile
from dataclasses import replace
from statistics import mean, stdev

import _options
import torch
from torch import Tensor

from workbench.engine import RunSpec, runs, train
from workbench.engine.inside import trained

SHIFTS = range(5)  # sixteenths of the side
NETWORKS = {
    "softmax-regression": RunSpec("softmax-regression", epochs=60, options={"in_features": 256}),
    "neocognitron": RunSpec("neocognitron"),
    "lenet5-modern": RunSpec("lenet5-modern"),
}


def moved(pictures: Tensor, down: int, right: int) -> Tensor:
    """Pictures (N, channels, side, side) moved by so many pixels; what they leave behind is 0."""
    rolled = pictures.roll((down, right), dims=(-2, -1))
    for dim, by in ((-2, down), (-1, right)):
        if by:
            rolled.narrow(dim, 0 if by > 0 else by, abs(by)).zero_()
    return rolled


@torch.no_grad()
def read(found: trained.Trained, shift: int) -> float:
    """The share of test pictures that is read when they are moved."""
    pictures = trained.as_read(found, found.samples)
    side = round(pictures[0].numel() ** 0.5)
    square, by = pictures.view(len(pictures), 1, side, side), shift * side // 16
    shares = []
    for down, right in ((by, 0), (-by, 0), (0, by), (0, -by)):
        scores = found.network(moved(square, down, right).view_as(pictures))
        shares.append((scores.argmax(dim=1) == found.samples[1]).double().mean().item())
    return mean(shares)


def main(seeds: int, dry: bool) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        print(f"{'sixteenths':20}" + "".join(f"{shift:>16}" for shift in SHIFTS))
        for name, spec in NETWORKS.items():
            rows = []
            for seed in range(seeds):
                *_, end = train(replace(spec, seed=seed, epochs=1 if dry else spec.epochs))
                found = trained.load(runs.get(end["run"]))
                rows.append([read(found, shift) for shift in SHIFTS])
            columns = list(zip(*rows, strict=True))
            told = [f"{mean(column):.3f} ± {stdev(column) if seeds > 1 else 0:.3f}" for column in columns]
            print(f"{name:20}" + "".join(f"{text:>16}" for text in told), flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "SEEDS", 3, dry=1)
    main(options.count, options.dry)
