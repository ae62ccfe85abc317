"""Several seeds at once: what 5 seeds cost by a loop, by vmap and with a seed axis, against one seed.

    python benchmarks/seeds.py [ROUNDS]

CPU time of one thread, medians of rounds in which all take turns; each trains the same updates.
"""

import statistics
import sys
import time

import torch

from workbench.engine import RunSpec
from workbench.engine.training.race import BACKENDS, choose, possible
from workbench.engine.training.state import SeedState

SEEDS, UPDATES = 5, 100
NETWORKS = {
    "mlp": dict(model="mlp", options={"hidden_sizes": [64, 64]}),
    "lenet5-modern": dict(model="lenet5-modern"),
}


def states(options: dict, count: int) -> list[SeedState]:
    """Return the states of the first seeds."""
    spec = dict(optimizer="adam", lr=1e-3, batch_size=32, steps=UPDATES, device="cpu", task="digits", **options)
    return [SeedState(RunSpec.create(**spec, use_recipe=False, seed=seed)) for seed in range(count)]


def seconds(backend: str, options: dict, count: int) -> float:
    """Return the CPU seconds of all updates."""
    created = states(options, count)
    updater = BACKENDS[backend](created)
    active = list(range(count))
    for _ in range(5):
        updater.update(active)
    start = time.process_time()
    for _ in range(UPDATES):
        updater.update(active)
    return time.process_time() - start


def main(rounds: int, dry: bool = False) -> None:
    """Print a row for each network: every backend against the loop, and against one seed."""
    global UPDATES
    if dry:
        UPDATES = 2
    torch.set_num_threads(1)
    print(f"{SEEDS} seeds, CPU time; in brackets against one seed")
    for name, options in list(NETWORKS.items())[: 1 if dry else None]:
        names = possible(states(options, 2))
        times: dict[str, list[float]] = {key: [] for key in ("one", *names)}
        for _ in range(rounds):
            times["one"].append(seconds("loop", options, 1))
            for backend in names:
                times[backend].append(seconds(backend, options, SEEDS))
        middle = {key: statistics.median(values) for key, values in times.items()}
        cells = [f"{key} {middle[key] / middle['loop']:.2f} ({middle[key] / middle['one']:.1f})" for key in names]
        print(f"{name:16}", "  ".join(cells), f" chosen: {choose(states(options, SEEDS))}")


if __name__ == "__main__":
    main(int(next((word for word in sys.argv[1:] if word.isdigit()), 5)), "--dry" in sys.argv)
