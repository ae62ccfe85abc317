"""Training steps per second compared with a minimal PyTorch loop and with Lightning, and the cost of watching a run.

    python benchmarks/train_speed.py [ROUNDS] [NAME...] [--dry]

All loops have the same network, initial weights, data, batches, memory format and fused Adam, on one thread. The
minimal loop and ours take turns every few steps, so that a busy machine slows both equally; the result is the median of
the ratios of the CPU time of these turns. Evaluation and checkpoints, which the minimal loop does not do, are off; ours
still reports and writes its events to a file. The share of evaluation is that of one whole run.
Lightning, if it is installed (`uv run --group bench`), runs with a DataLoader and without logger, progress bar or
checkpoints; whole Lightning runs are compared with whole minimal runs. Workers that are watched are compared with
unwatched ones. Targets: ours at most 1.03 times the time of the minimal loop, evaluation at most 8% of resnet18's run,
watched at least 0.97 of unwatched.
"""

import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles

import _options
import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, events, networks, start
from workbench.engine.training.trainer import SeedRun, Trainer

TURNS, LIGHTNING_TURNS = 50, 12  # turns of our race, and the length of a run of Lightning in turns
STEPS = {"mlp": 80, "lenet5-modern": 20, "resnet18": 4, "lstm": 2, "yolo-v1": 4}  # steps per turn
WATCHED_EPOCHS = {"mlp": 150, "lenet5-modern": 20}
EVALUATED = {"resnet18": 20}  # epochs of the run whose share of evaluation is measured; it takes a minute
BATCH, LR = 32, 3e-3


def classification_loss(network, batch):
    return F.cross_entropy(network(batch["image"]), batch["target"])


def language_loss(network, batch):
    return F.cross_entropy(network(batch["tokens"]).flatten(0, 1), batch["targets"].flatten())


def detection_loss(network, batch):
    terms = network.losses(network(batch["image"]), batch["boxes"], batch["labels"], batch["boxes_mask"])
    return sum(terms.values())


LOSSES: dict[str, Callable] = {"lstm": language_loss, "yolo-v1": detection_loss}


def spec_of(name, steps):
    """Return a spec without anything that the minimal loop does not do."""
    options = dict(batch_size=BATCH, lr=LR, schedule="constant", label_smoothing=0.0, weight_decay=0.0, device="cpu")
    recipe = models.info(name).recipe
    if "clip_norm" in recipe:  # then the minimal loop clips, too
        options["clip_norm"] = recipe["clip_norm"]
    return RunSpec.create(name, steps=steps, evaluate_every=10**9, **options)


def setup(name):
    """Return the network with its initial weights, and its training set as whole tensors."""
    torch.manual_seed(0)
    network = networks.build(spec_of(name, 1)).to(memory_format=torch.channels_last)  # like our loop on a CPU
    source = tasks.get(models.info(name).task).sources(network, 0)["train"]
    return network, source.batch(slice(0, len(source)))


def minimal_loop(name, network, samples):
    """Train with a minimal loop, and yield after every turn."""
    optimizer = torch.optim.Adam(network.parameters(), lr=LR, fused=True)
    generator, step = torch.Generator().manual_seed(0), 0
    loss_of, clip = LOSSES.get(name, classification_loss), spec_of(name, 1).options().get("clip_norm")
    count = len(next(iter(samples.values())))
    while True:
        order = torch.randperm(count, generator=generator)
        for first in range(0, count - BATCH + 1, BATCH):
            rows = order[first : first + BATCH]
            batch = {key: column[rows] for key, column in samples.items()}
            optimizer.zero_grad()
            loss_of(network, batch).backward()
            if clip:
                torch.nn.utils.clip_grad_norm_(network.parameters(), clip)
            optimizer.step()
            step += 1
            if step % STEPS[name] == 0:
                yield


def our_loop(name, run, writer):
    """Train with our loop, and yield after every turn."""
    next_turn = STEPS[name]
    trainer = Trainer([run])
    for event in trainer.run():
        writer.write(event)
        if event["event"] == "metric" and event["step"] == next_turn:
            yield
            next_turn += STEPS[name]


def race(name, turns):
    """Return the steps per second of CPU time of the minimal loop and of ours, turn by turn."""
    network, samples = setup(name)
    run = SeedRun(spec_of(name, turns * STEPS[name] + 1))
    run._report_every = STEPS[name]  # a turn ends with a report
    table = []
    with tempfile.TemporaryDirectory() as folder:
        writer = events.Writer(Path(folder) / "events.jsonl", run=name, seed=0)
        loops = [minimal_loop(name, network, samples), our_loop(name, run, writer)]
        for turn in range(turns):
            row = [0.0, 0.0]
            for k in (0, 1) if turn % 2 else (1, 0):
                started = time.process_time()
                next(loops[k])
                row[k] = STEPS[name] / (time.process_time() - started)
            table.append(row)
        writer.close()
    for a, b in zip(network.parameters(), run.state.network.parameters(), strict=True):
        torch.testing.assert_close(a, b, msg="the two loops didn't do the same")
    return table[2:]  # the first turns are warmup, and ours computes the baseline in them


def evaluation_share(name, epochs):
    """Return the share of a run's CPU time that evaluation takes, at the default interval and at the end."""
    seconds = 0.0
    run = SeedRun(RunSpec.create(name, epochs=epochs, device="cpu"))
    evaluate = run.state.evaluate

    def timed(*args):
        nonlocal seconds
        started = time.process_time()
        metrics = evaluate(*args)
        seconds += time.process_time() - started
        return metrics

    run.state.evaluate = timed
    loop = Trainer([run]).run()
    next(loop)  # the start, with the baseline
    started = time.process_time()
    for _ in loop:
        pass
    return seconds / (time.process_time() - started)


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
    dataset = torch.utils.data.TensorDataset(samples["image"], samples["target"])
    loader = torch.utils.data.DataLoader(dataset, batch_size=BATCH, shuffle=True, drop_last=True)
    clock = Clock()
    quiet = dict(logger=False, enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False)
    steps = turns * STEPS[name]
    L.Trainer(max_steps=steps, accelerator="cpu", callbacks=[clock], **quiet).fit(Module(network), loader)
    return steps / clock.seconds


def worker_speed(name, is_watched, epochs):
    """Return the steps per second of a run in a worker process, with or without a process that reads its events."""
    run = start(RunSpec.create(name, epochs=epochs, device="cpu"))
    watch = [sys.executable, "-P", "-m", "workbench.cli.main", "runs", "watch", run.id, "--json"]
    watcher = subprocess.Popen(watch, stdout=subprocess.DEVNULL) if is_watched else None
    while run.status() == "running":
        time.sleep(0.25)
    if watcher:
        watcher.wait()
    run.join(30)
    return run.last_event()["steps_per_second"]


def main(rounds: int, names: list[str], dry: bool) -> None:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    has_lightning = find_spec("lightning") is not None
    if has_lightning:
        import lightning.pytorch  # noqa: F401  (it sets its own level when it is imported)

        logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    print(f"torch {torch.__version__}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    print("Steps per second of CPU time, medians:")
    print(f"{'':16}{'minimal':>8}{'ours':>8}{'minimal/ours':>13} (quartiles){'Lightning':>11}{'Lightning/minimal':>19}")
    turns, lightning_turns = (4, 1) if dry else (TURNS, LIGHTNING_TURNS)
    for name in names:
        pairs = [pair for _ in range(rounds) for pair in race(name, turns)]
        low, middle, high = quantiles([a / b for a, b in pairs], n=4)
        speeds = [median(column) for column in zip(*pairs, strict=True)]
        print(f"{name:16}{speeds[0]:8.0f}{speeds[1]:8.0f}{middle:13.3f} ({low:.2f}, {high:.2f})", end="", flush=True)
        if has_lightning and name in WATCHED_EPOCHS:
            speeds = [
                (minimal_speed(name, lightning_turns), lightning_speed(name, lightning_turns)) for _ in range(rounds)
            ]
            print(f"{median(b for _, b in speeds):11.0f}{median(b / a for a, b in speeds):19.3f}")
        else:
            print("" if has_lightning else "  Lightning: not installed")
        if name in EVALUATED:
            share = evaluation_share(name, 1 if dry else EVALUATED[name])
            print(f"{name:16}evaluation takes {share:.1%} of the run's time")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_HOME"] = folder
        for name in [name for name in names if name in WATCHED_EPOCHS][: 1 if dry else None]:
            epochs = 1 if dry else WATCHED_EPOCHS[name]
            pairs = [(worker_speed(name, False, epochs), worker_speed(name, True, epochs)) for _ in range(rounds)]
            unwatched, watched = (median(column) for column in zip(*pairs, strict=True))
            ratio = median(b / a for a, b in pairs)
            print(f"{name:16}unwatched {unwatched:8.0f}  watched {watched:8.0f}  ratio {ratio:.3f}")


if __name__ == "__main__":
    options = _options.read(__doc__, "ROUNDS", 4, dry=1, names=list(STEPS), dry_names=["mlp"])
    main(options.count, options.names, options.dry)
