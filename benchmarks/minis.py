"""Test metrics and training time of the mini presets, with default options and several seeds, next to the baseline.

    python benchmarks/minis.py [SEEDS] [NAME ...] [--results FILE] [--dry]

Each row of the table in minis.md has a network, its task, its parameters, the mean and standard deviation of the test
metric over the seeds, the mean of the baseline on the same splits, and the median of the processor time in seconds,
with the start of the process, the evaluations and the visualizations. A run uses one core, and there are as many runs
at once as cores. With a file of results, one line of JSON per run, runs that it has are not repeated.
"""

import json
import os
import resource
import tempfile
from concurrent.futures import Future, ProcessPoolExecutor
from datetime import date
from pathlib import Path
from statistics import mean, median, stdev
from typing import Any

import _options
import torch

import models
from workbench.engine import RunSpec, train

HEAD = "| network | task | parameters | metric | test | baseline | CPU seconds |\n|---|---|---:|---|---:|---:|---:|"

Result = dict[str, Any]


def train_mini(name: str, seed: int, epochs: int | None) -> Result:
    """Train a network in a worker of this process; `epochs` is None for its default."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        start, *_, end = train(RunSpec.create(name, seed=seed, epochs=epochs))
    assert end["status"] == "done", end
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    metric, baseline = start["baseline"]["metric"], start["baseline"]["value"]
    return dict(
        name=name,
        seed=seed,
        task=start["task"],
        params=start["params"],
        metric=metric,
        test=end["metrics"][metric],
        baseline=baseline,
        cpu_seconds=after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
    )


def row(results: list[Result]) -> str:
    first, values = results[0], [result["test"] for result in results]
    deviation = f" ± {stdev(values):.3f}" if len(values) > 1 else ""
    baseline = mean(result["baseline"] for result in results)
    cells = [first["name"], first["task"], f"{first['params']:,}", first["metric"], f"{mean(values):.3f}{deviation}"]
    return f"| {' | '.join(cells)} | {baseline:.3f} | {median(result['cpu_seconds'] for result in results):.0f} |"


def main(seeds: int, names: list[str], epochs: int | None, file: Path | None) -> None:
    results: list[Result] = []
    if file and file.exists():
        results = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    done = {(result["name"], result["seed"]): result for result in results}
    # Each run has a process of its own, whose children are the workers of that run alone.
    with ProcessPoolExecutor(os.cpu_count(), max_tasks_per_child=1) as executor:
        print(f"{date.today()}, torch {torch.__version__}, {os.cpu_count()} cores, {seeds} seeds\n\n{HEAD}", flush=True)
        runs: dict[tuple[str, int], Future[Result]] = {
            (name, seed): executor.submit(train_mini, name, seed, epochs)
            for name in names
            for seed in range(seeds)
            if (name, seed) not in done
        }
        for name in names:
            for seed in range(seeds):
                if (name, seed) in runs:
                    done[name, seed] = runs[name, seed].result()
                    if file:
                        with file.open("a", encoding="utf-8") as lines:
                            lines.write(json.dumps(done[name, seed]) + "\n")
            print(row([done[name, seed] for seed in range(seeds)]), flush=True)


if __name__ == "__main__":
    options = _options.read(__doc__, "SEEDS", 3, dry=1, names=models.names(), dry_names=["mlp"], results=True)
    main(options.count, options.names, 1 if options.dry else None, options.results)
