"""Time of a training step on a CPU in channels-last memory format, which runs use, and in channels-first format.

    python benchmarks/memory_format.py [PAIRS] [NAME ...] [--dry]

Two training states of the same spec take turns on one thread. The result is the median of the ratios of these turns,
which is below 1 if channels-last is faster.
"""

import os
import time
from statistics import median, quantiles

import _options
import torch

from workbench.engine import RunSpec
from workbench.engine.training.state import SeedState

NAMES = (
    *("lenet5-modern", "alexnet", "vgg16", "googlenet", "resnet18", "densenet121"),
    *("mobilenet-v1", "mobilenet-v2", "efficientnet-b0", "convnext-tiny"),
)
WARMUPS = 3


def race(name: str, pairs: int) -> list[tuple[float, float]]:
    """Return the seconds of a step in channels-last and in channels-first format, turn by turn."""
    channels_last, channels_first = (SeedState(RunSpec.create(name, device="cpu")) for _ in range(2))
    channels_first.network.to(memory_format=torch.contiguous_format)
    turns = []
    for turn in range(WARMUPS + pairs):
        times = {}
        for state in (channels_last, channels_first)[:: 1 if turn % 2 else -1]:  # neither always runs second
            started = time.perf_counter()
            state.update()
            times[state] = time.perf_counter() - started
        turns.append((times[channels_last], times[channels_first]))
    return turns[WARMUPS:]


def main(pairs: int, names: list[str]) -> None:
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; medians of {pairs} pairs")
    print(f"{'':18}{'last':>12}{'first':>10}{'ratio':>8} (quartiles)")
    for name in names:
        turns = race(name, pairs)
        low, ratio, high = quantiles([a / b for a, b in turns], n=4)
        times = [1000 * median(column) for column in zip(*turns, strict=True)]
        print(f"{name:18}{times[0]:9.1f} ms{times[1]:7.1f} ms{ratio:8.2f} ({low:.2f}, {high:.2f})", flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 40, dry=2, names=NAMES, dry_names=NAMES[:1])
    main(options.count, options.names)
