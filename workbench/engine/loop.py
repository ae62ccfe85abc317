"""The training loop: one network, one task, one seed.

    for each step:  outputs = network(batch);  loss = task.loss(outputs, batch);  loss.backward();  optimizer.step()

Around these four lines: what is reported and when, what is kept, and when it ends. The order of the samples, the first
weights and the parts of the data come from the seed alone, and reports are made at fixed steps: on a CPU the same spec
gives the same numbers.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import models
from workbench import BadInput, tasks
from workbench.engine import checkpoints
from workbench.engine.spec import RunSpec
from workbench.tasks.task import Batch, Task

REPORTS = 500  # metric events a run, about: more than a screen has columns
WINDOW = 50  # steps between two reports, at most: a loss that is no number is noticed by then
PICTURES = 12
SAVE_EVERY = 5.0  # seconds between two checkpoints, at least ...
SAVE_SHARE = 0.05  # ... and no larger share of the time than this

OPTIMIZERS = {"adam": torch.optim.Adam, "sgd": torch.optim.SGD}


class Fit:
    """One run in the making.

    Args:
        spec: What was ordered.
        stopped: Asked before every step: has somebody asked to stop?
        folder: Where checkpoints go; without one nothing is kept.
        show: Takes the pictures that are made with every checkpoint.

    Attributes:
        network: The network, in its present state.
        task: What it learns.

    Raises:
        BadInput: The device isn't there, the network can't read the data, or a batch is larger than the data.
    """

    def __init__(
        self,
        spec: RunSpec,
        stopped: Callable[[], bool] = lambda: False,
        folder: Path | None = None,
        show: Callable[[list[dict[str, Any]]], None] = lambda pictures: None,
    ):
        self.spec, self._stopped, self._folder, self._show = spec, stopped, folder, show
        assert spec.task is not None and spec.lr is not None  # a spec fills in what wasn't given
        self.device = available(spec.device)
        self.task: Task = tasks.get(spec.task)
        torch.manual_seed(spec.seed)
        self.network = models.build(spec.model, preset=spec.preset)
        input_shape: Any = self.network.input_shape
        self.splits = {
            part: tuple(column.to(self.device) for column in samples)
            for part, samples in self.task.splits(input_shape, spec.seed).items()
        }
        self.network.to(self.device)
        self.optimizer = OPTIMIZERS[spec.optimizer](self.network.parameters(), lr=spec.lr, fused=True)

        samples = len(self.splits["train"][0])
        if spec.batch_size > samples:
            raise BadInput(f"A batch of {spec.batch_size} is larger than the {samples} training samples.")
        # What doesn't fill a batch waits for another epoch's order, so that every update averages over as many.
        self.steps_per_epoch = samples // spec.batch_size
        self.total = spec.steps or (spec.epochs or 0) * self.steps_per_epoch
        self.report_every = min(WINDOW, math.ceil(self.total / REPORTS))
        self.step = 0
        self._began = time.monotonic()
        self.metrics: dict[str, float] = {}  # of the test part, last time it was evaluated
        self._best: tuple[float, float] | None = None  # metric and negative loss on the validation part
        self._best_unsaved: tuple[dict[str, Tensor], dict[str, Any]] | None = None
        self._save_after = -math.inf

    def run(self) -> Iterator[dict[str, Any]]:
        """Train, and say what happens: `start`, then `metric`, `eval` and `checkpoint`, at last `end`."""
        yield self._event(
            "start",
            steps=self.total,
            steps_per_epoch=self.steps_per_epoch,
            epochs=self.total / self.steps_per_epoch,
            model=self.spec.model,
            task=self.spec.task,
            preset=self.spec.preset,
            params=sum(weight.numel() for weight in self.network.parameters()),
            device=str(self.device),
            floor=asdict(self.task.floor(self.spec.seed)),
            metrics={},
        )
        self._began = time.monotonic()  # the floor's own training is no part of ours
        yield from self._steps()

    def _steps(self) -> Iterator[dict[str, Any]]:
        batches = self._batches()
        losses: list[Tensor] = []  # since the last report: read together, so that a GPU is waited for but once
        while self.step < self.total and not self._stopped():
            batch = next(batches)
            self.optimizer.zero_grad()
            outputs = self.task.forward(self.network, batch)
            loss = self.task.loss(outputs, batch)
            loss.backward()
            self.optimizer.step()
            losses.append(loss.detach())
            self.step += 1

            epoch_over = self.step % self.steps_per_epoch == 0
            if len(losses) == self.report_every or epoch_over or self.step == self.total:
                values, losses = torch.stack(losses).tolist(), []
                for ago, value in zip(range(len(values) - 1, -1, -1), values, strict=True):
                    if not math.isfinite(value):
                        yield from self._save_best()  # the last weights are spoilt
                        yield self._end("diverged", reason=self._why_diverged(self.step - ago))
                        return
                reported = {"loss": sum(values) / len(values), **self.task.metrics(outputs.detach(), batch)}
                yield self._event("metric", split="train", metrics=reported)
                if epoch_over or self.step == self.total:
                    yield from self._evaluate()
                if time.monotonic() >= self._save_after:
                    yield from self._save()
        yield from self._save()
        yield self._end("done" if self.step == self.total else "stopped")

    def _batches(self) -> Iterator[Batch]:
        """Batches without end: a new order of all training samples every epoch."""
        samples, size = self.splits["train"], self.spec.batch_size
        # Its own generator: the order stays the same when another network draws other first weights.
        order_of = torch.Generator().manual_seed(self.spec.seed)
        while True:
            order = torch.randperm(len(samples[0]), generator=order_of).to(self.device)
            for start in range(0, self.steps_per_epoch * size, size):
                rows = order[start : start + size]
                yield tuple(column[rows] for column in samples)

    def _evaluate(self) -> Iterator[dict[str, Any]]:
        held_out = len(self.splits["test"][0])
        for part, samples in self.splits.items():
            # Of the training part as many as are tested: how well it is known doesn't need every sample.
            metrics = self.task.evaluate(self.network, tuple(column[:held_out] for column in samples))
            yield self._event("eval", split=part, metrics=metrics)
            if part == "validation":
                rank = (metrics[self.task.metric], -metrics["loss"])
                if self._best is None or rank > self._best:
                    self._best = rank
                    self._best_unsaved = (checkpoints.snapshot(self.network), self._about(metrics))
            elif part == "test":
                self.metrics = metrics

    def _save(self) -> Iterator[dict[str, Any]]:
        if self._folder is None:
            return
        began = time.monotonic()
        checkpoints.write(
            self._folder / "last.safetensors", checkpoints.snapshot(self.network), self._about(self.metrics)
        )
        self._show(self.task.pictures(self.network, tuple(column[:PICTURES] for column in self.splits["test"])))
        yield self._event("checkpoint", checkpoint="last", metrics=self.metrics)
        yield from self._save_best()
        now = time.monotonic()
        self._save_after = now + max(SAVE_EVERY, (now - began) / SAVE_SHARE)

    def _save_best(self) -> Iterator[dict[str, Any]]:
        if self._folder is None or self._best_unsaved is None:
            return
        weights, about = self._best_unsaved
        checkpoints.write(self._folder / "best.safetensors", weights, about)
        self._best_unsaved = None
        yield self._event("checkpoint", checkpoint="best", metrics=about["metrics"])

    def _about(self, metrics: dict[str, float]) -> dict[str, Any]:
        epoch = round(self.step / self.steps_per_epoch, 4)
        return dict(model=self.spec.model, preset=self.spec.preset, step=self.step, epoch=epoch, metrics=metrics)

    def _why_diverged(self, step: int) -> str:
        return (
            f"The loss was no finite number any more at step {step}: the updates overshoot. "
            f"Try a smaller learning rate than {self.spec.lr:g}."
        )

    def _event(self, event: str, **said: Any) -> dict[str, Any]:
        epoch = round(self.step / self.steps_per_epoch, 4)
        seconds = round(time.monotonic() - self._began, 4)
        return dict(event=event, step=self.step, epoch=epoch, seconds=seconds, **said)

    def _end(self, status: str, **said: Any) -> dict[str, Any]:
        end = self._event("end", status=status, metrics=self.metrics, steps=self.step, **said)
        return end | {"steps_per_second": self.step / end["seconds"] if end["seconds"] else 0.0}


def available(device: str) -> torch.device:
    """The device of that name.

    Raises:
        BadInput: This machine hasn't got it.
    """
    kind, _, index = device.partition(":")
    there = {
        "cpu": True,
        "mps": torch.backends.mps.is_available(),
        "cuda": torch.cuda.is_available() and int(index or 0) < torch.cuda.device_count(),
    }
    if not there[kind]:
        raise BadInput(f"There is no device {device} here: use --device cpu.")
    return torch.device(device)
