"""Time of `workbench runs list` with 3,000 runs, relative to 3 runs, and of a list in a process that has the index.

    PYTHONPATH=. PYTHONPYCACHEPREFIX=/tmp/pycache python benchmarks/index.py [PAIRS] [--dry]

The run folders are copies of a small one, in two temporary data directories. The command runs in both in turn, so that
both meet the same load; the ratio is the median over the pairs. Targets: 1.5 at most; 100 ms in an open process.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import _options
from cli import processor_seconds

MANY, FEW, DRY_MANY = 3000, 3, 30
COMMAND = [sys.executable, "-P", "-m", "workbench.cli.main", "runs", "list"]
START = dict(event="start", step=0, seconds=0.0, steps=200, model="mlp", task="digits", preset="mini", params=2410)
START |= dict(device="cpu", monitor="accuracy", metrics={}, run="mlp-0001", seed=0)


def write_runs(home: Path, count: int) -> None:
    """Write run folders that differ in their name, seed, date and metrics."""
    os.environ["WORKBENCH_HOME"] = str(home)
    from workbench.engine import RunSpec, runs

    first = runs.create(RunSpec.create(model="mlp", epochs=2))
    (first.folder / "worker.json").write_text('{"pid": 999999999, "host": "elsewhere", "uptime": 1.0, "time": 1.0}')
    for number in range(1, count + 1):
        folder = home / "runs" / f"mlp-{number:04d}"
        if number > 1:
            shutil.copytree(first.folder, folder)
        metrics = {"loss": 1 / number, "accuracy": 1 - 1 / (number + 1)}
        events = [START | {"time": 1.7e9 + 1000 * number}]
        for step in range(1, 201):
            at = dict(step=step, epoch=step / 100, seconds=step / 50)
            events.append(dict(event="metric", split="train", metrics=metrics, **at))
        events.append(
            dict(event="end", status="done", step=200, steps=200, seconds=4.0, steps_per_second=50.0, metrics=metrics)
        )
        (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")


def command_time(home: Path) -> float:
    """Return the processor time of the command, in seconds."""
    os.environ["WORKBENCH_HOME"] = str(home)
    return processor_seconds(COMMAND)


def list_times(home: Path, count: int) -> list[float]:
    """Return the processor times of lists in this process, in seconds."""
    os.environ["WORKBENCH_HOME"] = str(home)
    from workbench.engine.index import RunIndex

    index, times = RunIndex(), []
    index.list()
    for _ in range(count):
        start = time.process_time()
        index.list(text="mlp", sort="metric")
        times.append(time.process_time() - start)
    return times


def main(pairs: int, many: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large", Path(folder) / "small"
        write_runs(large, many)
        write_runs(small, FEW)
        first = command_time(large)
        command_time(large), command_time(small)  # bytecode and caches are written
        times = [(command_time(large), command_time(small)) for _ in range(pairs)]
        larger, smaller = (median(column) * 1000 for column in zip(*times, strict=True))
        ratio = median(a / b for a, b in times)
        print(f"the first list of {many:,} runs {first * 1000:8.0f} ms")
        print(f"runs list   {many:,} runs {larger:6.0f} ms   {FEW} runs {smaller:6.0f} ms   ratio {ratio:.2f}")
        times_here = list_times(large, max(3, pairs))
        print(f"in an open process   {median(times_here) * 1000:6.1f} ms   longest {max(times_here) * 1000:6.1f} ms")


if __name__ == "__main__":
    options = _options.read(__doc__, "PAIRS", 15, dry=1)
    main(options.count, DRY_MANY if options.dry else MANY)
