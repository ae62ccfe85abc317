"""Steps a second beside the plainest loop that PyTorch allows, and beside Lightning; and what being watched costs.

    python benchmarks/train_speed.py [ROUNDS] [--dry]

The same network, first weights, data, batches, layout of the filters and fused Adam, on one thread. The plain loop and
ours take turns every few steps, so that a busy machine slows both alike; what counts is the median of the turns'
ratios. Evaluation and checkpoints, which the plain loop doesn't do, are off; ours still reports, and writes its events
to a file. Lightning, where it is installed (`uv run --group bench`), with a DataLoader and without logger, progress bar
or checkpoints, runs whole, each time beside a whole plain run; so do workers with and without somebody who watches,
with evaluation and checkpoints. Targets: ours 0.97 of plain, watched 0.90 of unwatched.
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

TURNS, WHOLE = 50, 12  # of a race, and of a run that goes through at once
STEPS = {"mlp": 80, "lenet5-modern": 20}  # of a turn
WATCHED_EPOCHS = {"mlp": 150, "lenet5-modern": 20}
BATCH, LR = 32, 3e-3


def parts(name):
    """The network with its first weights, and its training part."""
    torch.manual_seed(0)
    network = models.build(name, "mini").to(memory_format=torch.channels_last)  # as ours is on a CPU
    return network, tasks.get("digits").splits(network.input_shape, 0)["train"]


def plain(name, network, samples):
    """A loop by hand, that pauses after every turn."""
    x, y = samples
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    generator, done = torch.Generator().manual_seed(0), 0
    while True:
        order = torch.randperm(len(x), generator=generator)
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            optimizer.zero_grad()
            loss = F.cross_entropy(network(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            done += 1
            if done % STEPS[name] == 0:
                yield


class Unevaluated(Fit):
    """Our loop without what the plain one doesn't do either."""

    def _evaluate(self):
        return iter(())


def ours(name, fit, writer):
    """Our loop, that pauses after every turn."""
    turn = STEPS[name]
    for event in fit.run():
        writer.write(event)
        if event["event"] == "metric" and event["step"] == turn:
            yield
            turn += STEPS[name]


def race(name, turns):
    """Steps a second of the plain loop and of ours, turn by turn."""
    network, samples = parts(name)
    fit = Unevaluated(RunSpec(name, steps=turns * STEPS[name], batch_size=BATCH, lr=LR, device="cpu"))
    assert STEPS[name] % fit.report_every == 0, "a turn ends with a report"
    table = []
    with tempfile.TemporaryDirectory() as folder:
        writer = events.Writer(Path(folder) / "events.jsonl", run=name, seed=0)
        loops = [plain(name, network, samples), ours(name, fit, writer)]
        for turn in range(turns):
            row = [0.0, 0.0]
            for k in (0, 1) if turn % 2 else (1, 0):
                began = time.perf_counter()
                next(loops[k])
                row[k] = STEPS[name] / (time.perf_counter() - began)
            table.append(row)
        writer.close()
    for a, b in zip(network.parameters(), fit.network.parameters(), strict=True):
        assert torch.equal(a, b), "the two loops didn't do the same"
    return table[2:]  # the first turns warm up, and ours makes its floor there


def plain_whole(name, turns):
    loop = plain(name, *parts(name))
    began = time.perf_counter()
    for _ in range(turns):
        next(loop)
    return turns * STEPS[name] / (time.perf_counter() - began)


def by_lightning(name, turns):
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
            self.began = time.perf_counter()

        def on_train_end(self, *_):
            self.seconds = time.perf_counter() - self.began

    network, samples = parts(name)
    loader = torch.utils.data.DataLoader(
        torch.utils.data.TensorDataset(*samples), batch_size=BATCH, shuffle=True, drop_last=True
    )
    clock = Clock()
    quiet = dict(logger=False, enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False)
    steps = turns * STEPS[name]
    L.Trainer(max_steps=steps, accelerator="cpu", callbacks=[clock], **quiet).fit(Module(network), loader)
    return steps / clock.seconds


def in_a_worker(name, watched, epochs):
    """Steps a second of a run in its own process, with somebody who reads its events, or with nobody."""
    run = start(RunSpec(name, epochs=epochs, device="cpu"))
    watch = [sys.executable, "-P", "-m", "workbench.cli.main", "runs", "watch", run.id, "--json"]
    watcher = subprocess.Popen(watch, stdout=subprocess.DEVNULL) if watched else None
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
    print(f"{'':16}{'plain':>8}{'ours':>8}{'ours/plain':>13} (quartiles){'Lightning':>11}{'Lightning/plain':>17}")
    turns, whole = (4, 1) if dry else (TURNS, WHOLE)
    for name in STEPS:
        pairs = [pair for _ in range(rounds) for pair in race(name, turns)]
        low, middle, high = quantiles([b / a for a, b in pairs], n=4)
        speeds = [median(column) for column in zip(*pairs, strict=True)]
        print(f"{name:16}{speeds[0]:8.0f}{speeds[1]:8.0f}{middle:13.3f} ({low:.2f}, {high:.2f})", end="", flush=True)
        if has_lightning:
            wholes = [(plain_whole(name, whole), by_lightning(name, whole)) for _ in range(rounds)]
            print(f"{median(b for _, b in wholes):11.0f}{median(b / a for a, b in wholes):17.3f}")
        else:
            print("  Lightning: not installed")
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        for name in list(STEPS)[: 1 if dry else None]:
            epochs = 1 if dry else WATCHED_EPOCHS[name]
            pairs = [(in_a_worker(name, False, epochs), in_a_worker(name, True, epochs)) for _ in range(rounds)]
            alone, watched = (median(column) for column in zip(*pairs, strict=True))
            ratio = median(b / a for a, b in pairs)
            print(f"{name:16}unwatched {alone:8.0f}  watched {watched:8.0f}  ratio {ratio:.3f}")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 4, dry=1)
    main(options.count, options.dry)
