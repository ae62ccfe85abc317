"""Steps a second of our loop against the plainest loop in PyTorch: same network, data, batches and optimiser.

    python benchmarks/train_speed.py [STEPS] [PAIRS]

Ours reports, evaluates every epoch and writes events and checkpoints, as a worker does; the plain one does nothing of
it. The two run in turns, so that what else the machine does falls on both; the ratio is the median over the pairs.
"""

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, events
from workbench.engine.loop import OPTIMIZERS, Fit


def ours(spec: RunSpec) -> float:
    """Steps a second of a whole run."""
    with TemporaryDirectory() as place:
        writer = events.Writer(Path(place) / "events.jsonl", run="benchmark", seed=spec.seed)
        told = Fit(spec, folder=Path(place)).run()
        writer.write(next(told))  # the start: the floor is computed before it
        began = time.perf_counter()
        for event in told:
            writer.write(event)
        seconds = time.perf_counter() - began
        writer.close()
    return spec.steps / seconds


def plain(spec: RunSpec, fused: bool) -> float:
    """Steps a second of forward, backward and update."""
    torch.manual_seed(spec.seed)
    network = models.build(spec.model, spec.preset)
    x, y = tasks.get(spec.task).splits(network.input_shape, spec.seed)["train"]
    optimizer = OPTIMIZERS[spec.optimizer](network.parameters(), lr=spec.lr, fused=fused)
    began, step = time.perf_counter(), 0
    while step < spec.steps:
        order = torch.randperm(len(x))
        for start in range(0, len(x) - spec.batch_size + 1, spec.batch_size):
            rows = order[start : start + spec.batch_size]
            optimizer.zero_grad()
            F.cross_entropy(network(x[rows]), y[rows]).backward()
            optimizer.step()
            step += 1
            if step == spec.steps:
                break
    return spec.steps / (time.perf_counter() - began)


def main(steps: int = 1000, pairs: int = 7) -> None:
    """Print a row for each network and optimiser."""
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {steps} steps, median of {pairs} interleaved pairs\n")
    print(
        f"{'network':22}{'optimiser':11}{'ours/s':>8}{'plain/s':>9}{'fused/s':>9}{'ours:plain':>12}{'ours:fused':>12}"
    )
    for model in ("mlp", "lenet5-modern"):
        for optimizer in OPTIMIZERS:
            spec = RunSpec(model, steps=steps, optimizer=optimizer)
            ours(RunSpec(model, steps=20, optimizer=optimizer))  # imports and first calls
            rows = [(ours(spec), plain(spec, False), plain(spec, True)) for _ in range(pairs)]
            mine, bare, fused = (statistics.median(column) for column in zip(*rows, strict=True))
            to_bare = statistics.median(row[0] / row[1] for row in rows)
            to_fused = statistics.median(row[0] / row[2] for row in rows)
            name = f"{model} ({spec.preset})"
            print(f"{name:22}{optimizer:11}{mine:8.0f}{bare:9.0f}{fused:9.0f}{to_bare:12.2f}{to_fused:12.2f}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:3]))
