"""Test metrics and training time of the mini presets, with default options and several seeds, next to the baseline.

    python benchmarks/minis.py [SEEDS] [NAME ...] [--dry]

Each row of the table in minis.md has a network, its task, its parameters, the mean and standard deviation of the test
metric over the seeds, the mean of the baseline on the same splits, and the median training time in seconds. A run uses
one core, and there are as many runs at once as cores.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from statistics import mean, median, stdev
from typing import Any

import _options
import torch

import models
from workbench.engine import RunSpec, train

HEAD = "| network | task | parameters | test | baseline | seconds |\n|---|---|---:|---:|---:|---:|"

Result = tuple[dict[str, Any], float, float]  # first event, test metric, seconds


def train_mini(name: str, seed: int, epochs: int | None) -> Result:
    """Train a network; `epochs` is None for its default."""
    start, *_, end = train(RunSpec.create(name, seed=seed, epochs=epochs))
    assert end["status"] == "done", end
    return start, end["metrics"][start["baseline"]["metric"]], end["seconds"]


def row(name: str, results: list[Result]) -> str:
    starts, values, seconds = zip(*results, strict=True)
    deviation = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    baseline = mean(start["baseline"]["value"] for start in starts)
    cells = [name, starts[0]["task"], f"{starts[0]['params']:,}", f"{mean(values):.3f}{deviation}", f"{baseline:.3f}"]
    return f"| {' | '.join(cells)} | {median(seconds):.0f} |"


def main(seeds: int, names: list[str], epochs: int | None) -> None:
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as executor:
        os.environ["WORKBENCH_HOME"] = folder
        print(f"{date.today()}, torch {torch.__version__}, {os.cpu_count()} cores, {seeds} seeds\n\n{HEAD}")
        runs = {name: [executor.submit(train_mini, name, seed, epochs) for seed in range(seeds)] for name in names}
        for name, futures in runs.items():
            print(row(name, [future.result() for future in futures]), flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "SEEDS", 3, dry=1, names=models.names(), dry_names=["mlp"])
    main(options.count, options.names, 1 if options.dry else None)
