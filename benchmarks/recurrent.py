"""Time of the readable recurrent layers over that of PyTorch's own, forward and backward, on one CPU core.

    python benchmarks/recurrent.py [ROUNDS] [--dry]

A batch of 32 sequences of 40 steps, with as many features as hidden units. The ratio is the median over rounds; in
each, both are measured one after the other, so that a busy machine slows both.
"""

from statistics import median
from time import process_time

import _options
import torch
from torch import Tensor, nn

from models.layers.recurrent import CELLS, recurrent_layers

BATCH, STEPS = 32, 40
SIZES = (32, 128)  # hidden units
REPEATS = 5  # of a measurement, whose minimum counts


def seconds(layers: nn.Module, x: Tensor) -> float:
    """Return the CPU time of a forward and a backward pass, in seconds."""
    times = []
    for _ in range(REPEATS):
        start = process_time()
        layers(x)[0].sum().backward()
        times.append(process_time() - start)
    return min(times)


def main(rounds: int) -> None:
    torch.set_num_threads(1)
    for cell in CELLS:
        for size in SIZES:
            x = torch.randn(BATCH, STEPS, size)
            fast, readable = (recurrent_layers(cell, size, size, fast=fast) for fast in (True, False))
            pairs = [(seconds(fast, x), seconds(readable, x)) for _ in range(rounds)]
            ratio = median(ours / theirs for theirs, ours in pairs)
            theirs, ours = (1000 * median(times) for times in zip(*pairs, strict=True))
            print(f"{cell:4}  {size:3} hidden units: {ratio:.2f} times  ({ours:.1f} ms, PyTorch's {theirs:.1f} ms)")


if __name__ == "__main__":
    main(_options.read(__doc__, "ROUNDS", 15, dry=1).count)
