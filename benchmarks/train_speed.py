"""Steps a second beside the plainest loop that PyTorch allows, and beside Lightning; and what being watched costs.

    python benchmarks/train_speed.py [rounds]

The same network, first weights, data, batches and fused Adam, on one thread. Each round runs all of them one after the
other, so that a busy machine slows all alike; the table holds medians, and the median of the rounds' ratios. Evaluation
and checkpoints, which the plain loop doesn't do, are off; ours still reports, and writes its events to a file.
Lightning comes with a DataLoader, and without logger, progress bar or checkpoints. Targets: ours 0.97 of plain,
watched 0.90 of unwatched (with evaluation and checkpoints in both).
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, events, start
from workbench.engine.loop import Fit

STEPS = {"mlp": 2000, "lenet5-modern": 400}  # short, so that the rounds are many and each sees one kind of noise
WATCHED_EPOCHS = {"mlp": 200, "lenet5-modern": 40}
BATCH, LR = 32, 3e-3


def parts(name):
    """The network with its first weights, and its training part."""
    torch.manual_seed(0)
    network = models.build(name, "mini")
    return network, tasks.get("digits").splits(network.input_shape, 0)["train"]


def plain(name, steps):
    network, (x, y) = parts(name)
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    generator, done = torch.Generator().manual_seed(0), 0
    began = time.perf_counter()
    while done < steps:
        order = torch.randperm(len(x), generator=generator)
        for first in range(0, len(x) - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            optimizer.zero_grad()
            loss = F.cross_entropy(network(x[rows]), y[rows])
            loss.backward()
            optimizer.step()
            done += 1
            if done == steps:
                break
    return steps / (time.perf_counter() - began), network


class Unevaluated(Fit):
    """Our loop without what the plain one doesn't do either."""

    def _evaluate(self):
        return iter(())


def ours(name, steps):
    with tempfile.TemporaryDirectory() as folder:
        writer = events.Writer(Path(folder) / "events.jsonl", run=name, seed=0)
        fit = Unevaluated(RunSpec(name, steps=steps, batch_size=BATCH, lr=LR, device="cpu"))
        for event in fit.run():
            writer.write(event)
        writer.close()
    return event["steps_per_second"], fit.network


def by_lightning(name, steps):
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
    L.Trainer(max_steps=steps, accelerator="cpu", callbacks=[clock], **quiet).fit(Module(network), loader)
    return steps / clock.seconds, network


def in_a_worker(name, watched):
    """Steps a second of a run in its own process, with somebody who reads its events, or with nobody."""
    run = start(RunSpec(name, epochs=WATCHED_EPOCHS[name], device="cpu"))
    watch = [sys.executable, "-P", "-m", "workbench.cli.main", "runs", "watch", run.id, "--json"]
    watcher = subprocess.Popen(watch, stdout=subprocess.DEVNULL) if watched else None
    while run.status() == "running":
        time.sleep(0.25)
    if watcher:
        watcher.wait()
    run.join(30)
    return run.last_event()["steps_per_second"]


def main() -> None:
    rounds = int(sys.argv[1]) if sys.argv[1:] else 15
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    import lightning.pytorch  # noqa: F401  (it sets its own level when it is imported)

    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {rounds} rounds")
    print(f"{'':16}{'plain':>10}{'ours':>10}{'Lightning':>11}   ours/plain  Lightning/plain  steps/s, medians")
    for name, steps in STEPS.items():
        table = []
        for turn in range(rounds + 1):
            loops = [plain, ours, by_lightning]
            order = loops[turn % 3 :] + loops[: turn % 3]  # nobody always comes first
            said = {loop: loop(name, steps) for loop in order}
            for a, b in zip(said[plain][1].parameters(), said[ours][1].parameters(), strict=True):
                assert torch.equal(a, b), "the two loops didn't do the same"
            table.append([said[loop][0] for loop in loops])
        table = table[1:]  # the first round warms up
        speeds = [median(column) for column in zip(*table, strict=True)]
        ratios = [median(row[k] / row[0] for row in table) for k in (1, 2)]
        spread = [row[1] / row[0] for row in table]
        print(
            f"{name:16}{speeds[0]:10.0f}{speeds[1]:10.0f}{speeds[2]:11.0f}   {ratios[0]:10.3f}  {ratios[1]:15.3f}"
            f"  (ours/plain {min(spread):.3f} to {max(spread):.3f})"
        )
    with tempfile.TemporaryDirectory() as home:
        os.environ["WORKBENCH_HOME"] = home
        for name in STEPS:
            pairs = [(in_a_worker(name, False), in_a_worker(name, True)) for _ in range(max(3, rounds // 3))]
            alone, watched = (median(column) for column in zip(*pairs, strict=True))
            ratio = median(b / a for a, b in pairs)
            print(f"{name:16}unwatched {alone:8.0f}  watched {watched:8.0f}  ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
