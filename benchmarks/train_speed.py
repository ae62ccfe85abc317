"""Training steps per second compared with a minimal PyTorch loop and with Lightning, and the cost of watching a run.

    python benchmarks/train_speed.py [ROUNDS] [--dry]

All loops have the same network, initial weights, data, batches, memory format and fused Adam, on one thread. The
minimal loop and ours take turns every few steps, so that a busy machine slows both equally; the result is the median of
the ratios of these turns. Evaluation and checkpoints, which the minimal loop does not do, are off; ours still reports
and writes its events to a file. Lightning, if it is installed (`uv run --group bench`), runs with a DataLoader and
without logger, progress bar or checkpoints; whole Lightning runs are compared with whole minimal runs. Workers that are
watched are compared with unwatched ones, with evaluation and checkpoints. Targets: ours 0.97 of minimal, watched 0.90
of unwatched.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles

import _options
import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, events, start
from workbench.engine.loop import Fit

TURNS, LIGHTNING_TURNS = 50, 12  # turns of our race, and the length of a run of Lightning in turns
STEPS = {"mlp": 80, "lenet5-modern": 20}  # steps per turn
WATCHED_EPOCHS = {"mlp": 150, "lenet5-modern": 20}
BATCH, LR = 32, 3e-3


def setup(name):
    """Return the network with its initial weights, and its training set."""
    torch.manual_seed(0)
    network = models.build(name, "mini").to(memory_format=torch.channels_last)  # like our loop on a CPU
    return network, tasks.get("digits").splits(network.input_shape, 0)["train"]


def minimal_loop(name, network, samples):
    """Train with a minimal loop, and yield after every turn."""
    x, y = samples
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    generator, step = torch.Generator().manual_seed(0), 0
    while True:
        order = torch.randperm(len(x), generator=generator)
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            optimizer.zero_grad()
            loss = F.cross_entropy(network(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            step += 1
            if step % STEPS[name] == 0:
                yield


class Unevaluated(Fit):
    """Our loop without evaluation."""

    def _evaluate(self):
        return iter(())


def our_loop(name, fit, writer):
    """Train with our loop, and yield after every turn."""
    next_turn = STEPS[name]
    for event in fit.run():
        writer.write(event)
        if event["event"] == "metric" and event["step"] == next_turn:
            yield
            next_turn += STEPS[name]


def race(name, turns):
    """Return the steps per second of the minimal loop and of ours, turn by turn."""
    network, samples = setup(name)
    fit = Unevaluated(RunSpec(name, steps=turns * STEPS[name], batch_size=BATCH, lr=LR, device="cpu"))
    assert STEPS[name] % fit.report_every == 0, "a turn ends with a report"
    table = []
    with tempfile.TemporaryDirectory() as folder:
        writer = events.Writer(Path(folder) / "events.jsonl", run=name, seed=0)
        loops = [minimal_loop(name, network, samples), our_loop(name, fit, writer)]
        for turn in range(turns):
            row = [0.0, 0.0]
            for k in (0, 1) if turn % 2 else (1, 0):
                started = time.perf_counter()
                next(loops[k])
                row[k] = STEPS[name] / (time.perf_counter() - started)
            table.append(row)
        writer.close()
    for a, b in zip(network.parameters(), fit.network.parameters(), strict=True):
        assert torch.equal(a, b), "the two loops didn't do the same"
    return table[2:]  # the first turns are warmup, and ours computes the baseline in them


def minimal_speed(name, turns):
    loop = minimal_loop(name, *setup(name))
    started = time.perf_counter()
    for _ in range(turns):
        next(loop)
    return turns * STEPS[name] / (time.perf_counter() - started)


def lightning_speed(name, turns):
    import lightning as L

    class Module(L.LightningModule):
        def __init__(self, network):
            super().__init__()
            self.network = network

        def training_step(self, batch, _):
            return F.cross_entropy(self.network(batch[0]), batch[1])

        def configure_optimizers(self):
            return torch.optim.Adam(self.parameters(), lr=LR, fused=True)

    class Clock(L.Callback):
        def on_train_start(self, *_):
            self.started = time.perf_counter()

        def on_train_end(self, *_):
            self.seconds = time.perf_counter() - self.started

    network, samples = setup(name)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*samples), batch_size=BATCH, shuffle=True, drop_last=True
    )
    clock = Clock()
    quiet = dict(logger=False, enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False)
    steps = turns * STEPS[name]
    L.Trainer(max_steps=steps, accelerator="cpu", callbacks=[clock], **quiet).fit(Module(network), loader)
    return steps / clock.seconds


def worker_speed(name, is_watched, epochs):
    """Return the steps per second of a run in a worker process, with or without a process that reads its events."""
    run = start(RunSpec(name, epochs=epochs, device="cpu"))
    watch = [sys.executable, "-P", "-m", "workbench.cli.main", "runs", "watch", run.id, "--json"]
    watcher = subprocess.Popen(watch, stdout=subprocess.DEVNULL) if is_watched else None
    while run.status() == "running":
        time.sleep(0.25)
    if watcher:
        watcher.wait()
    run.join(30)
    return run.last_event()["steps_per_second"]


def main(rounds: int, dry: bool) -> None:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    has_lightning = find_spec("lightning") is not None
    if has_lightning:
        import lightning.pytorch  # noqa: F401  (it sets its own level when it is imported)

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; steps/s, medians")
    print(f"{'':16}{'minimal':>8}{'ours':>8}{'ours/minimal':>13} (quartiles){'Lightning':>11}{'Lightning/minimal':>19}")
    turns, lightning_turns = (4, 1) if dry else (TURNS, LIGHTNING_TURNS)
    for name in STEPS:
        pairs = [pair for _ in range(rounds) for pair in race(name, turns)]
        low, middle, high = quantiles([b / a for a, b in pairs], n=4)
        speeds = [median(column) for column in zip(*pairs, strict=True)]
        print(f"{name:16}{speeds[0]:8.0f}{speeds[1]:8.0f}{middle:13.3f} ({low:.2f}, {high:.2f})", end="", flush=True)
        if has_lightning:
            speeds = [
                (minimal_speed(name, lightning_turns), lightning_speed(name, lightning_turns)) for _ in range(rounds)
            ]
            print(f"{median(b for _, b in speeds):11.0f}{median(b / a for a, b in speeds):19.3f}")
        else:
            print("  Lightning: not installed")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        for name in list(STEPS)[: 1 if dry else None]:
            epochs = 1 if dry else WATCHED_EPOCHS[name]
            pairs = [(worker_speed(name, False, epochs), worker_speed(name, True, epochs)) for _ in range(rounds)]
            unwatched, watched = (median(column) for column in zip(*pairs, strict=True))
            ratio = median(b / a for a, b in pairs)
            print(f"{name:16}unwatched {unwatched:8.0f}  watched {watched:8.0f}  ratio {ratio:.3f}")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 4, dry=1)
    main(options.count, options.dry)
