"""What the minis learn: each with its usual options and several seeds, beside its floor, and how long that takes.

    python benchmarks/minis.py [SEEDS] [NAME ...] [--dry]

A row of the table in minis.md a network: its task, its parameters, the mean and standard deviation of the test metric
over the seeds, the mean of the floor (the same for the best method without depth, on the same parts), and the median
of the seconds in training. A run computes on one core; as many go at once as there are cores.
"""

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from statistics import mean, median, stdev

import _options
import torch

import models
from workbench.engine import RunSpec, train

HEAD = "| network | task | parameters | test | floor | seconds |\n|---|---|---:|---:|---:|---:|"


def reached(name: str, seed: int, epochs: int | None) -> tuple[dict, float, float]:
    """A run's first event, what it reached, and its seconds."""
    begun, *_, end = train(RunSpec(name, seed=seed, epochs=epochs))
    assert end["status"] == "done", end
    return begun, end["metrics"][begun["floor"]["metric"]], end["seconds"]


def row(name: str, runs: list[tuple[dict, float, float]]) -> str:
    begun, values, seconds = zip(*runs, strict=True)
    spread = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    floor = mean(start["floor"]["value"] for start in begun)
    told = (name, begun[0]["task"], f"{begun[0]['params']:,}", f"{mean(values):.3f}{spread}", f"{floor:.3f}")
    return f"| {' | '.join(told)} | {median(seconds):.0f} |"


def main(seeds: int, names: list[str], epochs: int | None) -> None:
    with tempfile.TemporaryDirectory() as home, ThreadPoolExecutor(os.cpu_count()) as cores:
        os.environ["WORKBENCH_HOME"] = home
        print(f"{date.today()}, torch {torch.__version__}, {os.cpu_count()} cores, {seeds} seeds\n\n{HEAD}")
        runs = {name: [cores.submit(reached, name, seed, epochs) for seed in range(seeds)] for name in names}
        for name, ordered in runs.items():
            print(row(name, [run.result() for run in ordered]), flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "SEEDS", 3, dry=1, names=models.names(), dry_names=["mlp"])
    main(options.count, options.names, 1 if options.dry else None)
