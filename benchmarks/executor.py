"""Time of several seeds at once relative to one, of many small runs, and until the first point of a run.

    python benchmarks/executor.py [ROUNDS] [--dry]

Workers are warm: each made a run before. One seed of resnet18 and several of them take turns; the ratio of their times
is the median over the rounds. The first point is the first metric event of a run, from when it is submitted, read ten
times a second as in the app. Targets on two idle processors: 2 seeds 1.15 times one, 4 seeds 2.2 times; 60 runs of mlp
in 60 s; the first point within 1 s.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

import _options

from workbench.engine import RunSpec, runs
from workbench.engine.executor import Executor, Trial, processors
from workbench.engine.run import POLL_INTERVAL

SEEDS = (2, 4)
RUNS = 60


@contextmanager
def warm_executor(model: str) -> Iterator[Executor]:
    with Executor() as executor:
        list(executor.map([RunSpec.create(model, steps=2, device="cpu", seed=seed) for seed in range(processors())]))
        yield executor


def seconds(executor: Executor, specs: list[RunSpec]) -> float:
    """Train all, and return the time that it takes."""
    started = time.perf_counter()
    for trial in executor.map(specs):
        assert trial.end["status"] == "done", trial.end
    return time.perf_counter() - started


def seconds_to_first_point(executor: Executor, spec: RunSpec) -> float:
    """Return the time until the first metric of a run can be drawn."""
    started = time.perf_counter()
    trial = executor.submit(Trial(spec, run=runs.create(spec)))
    while not any(event["event"] == "metric" for event in trial.read()):
        time.sleep(POLL_INTERVAL)
    elapsed = time.perf_counter() - started
    trial.cancel()
    list(executor.completed([trial]))
    return elapsed


def main(rounds: int, length: dict[str, int], count: int) -> None:
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        print(f"{processors()} processors, {rounds} rounds")
        with warm_executor("resnet18") as executor:
            spec = RunSpec.create("resnet18", device="cpu", **length)
            for seeds in SEEDS:
                pairs = [
                    (seconds(executor, [replace(spec, seed=seed) for seed in range(seeds)]), seconds(executor, [spec]))
                    for _ in range(rounds)
                ]
                several, one = (median(column) for column in zip(*pairs, strict=True))
                ratio = median(a / b for a, b in pairs)
                print(f"resnet18, {seeds} seeds {several:6.1f} s   one {one:6.1f} s   ratio {ratio:.2f}", flush=True)
        with warm_executor("mlp") as executor:
            spec = RunSpec.create("mlp", device="cpu", **(length if count < RUNS else {}))
            elapsed = seconds(executor, [replace(spec, seed=seed) for seed in range(count)])
            print(f"mlp, {count} runs {elapsed:6.1f} s", flush=True)
            times = [seconds_to_first_point(executor, replace(spec, seed=seed)) for seed in range(rounds)]
            print(f"mlp, first point {median(times):6.2f} s (longest {max(times):.2f} s)")
        with Executor(1) as executor:  # as after opening the Lab: the worker is ready, and made no run before
            executor.warm()
            [worker] = executor._clients
            while worker._worker is None:
                time.sleep(POLL_INTERVAL)
            worker.ask({"job": "device", "device": "cpu"})
            print(f"mlp, first point of a new worker {seconds_to_first_point(executor, spec):6.2f} s")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 3, dry=1)
    main(options.count, {"steps": 2} if options.dry else {"epochs": 2}, 2 if options.dry else RUNS)
