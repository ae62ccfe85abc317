"""The training loop: one network, one task, one seed.

    for each step:  outputs = network(batch);  loss = task.loss(outputs, batch);  loss.backward();  optimizer.step()

Around these four lines: what is reported and when, what is kept, and when it ends. The order of the samples, the first
weights and the parts of the data come from the seed alone, and reports are made at fixed steps: on a CPU the same spec
gives the same numbers, whether the run went through at once or was taken up again from a checkpoint.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.engine import checkpoints, schedules
from workbench.engine.best import Best
from workbench.engine.learner import Learner
from workbench.engine.spec import RunSpec

REPORTS = 200  # metric events a run, about: a chart of 100 cells has as many columns of dots
WINDOW = 50  # steps between two reports, at most: a loss that is no number is noticed by then
SAVE_EVERY = 5.0  # seconds between two checkpoints, at least ...
SAVE_SHARE = 0.05  # ... and no larger share of the time than this


class Fit:
    """One run in the making.

    Args:
        spec: What was ordered.
        stopped: Asked before every step: has somebody asked to stop?
        folder: Where checkpoints go; without one nothing is kept.
        show: Takes the pictures that are made with every checkpoint.
        sync: Called before a checkpoint is put in place: all events so far must be on the disk when it returns, for a
            run that goes on from there doesn't tell them again.
        resume: Whether to go on from the folder's last checkpoint.

    Attributes:
        learner: The network with its data and its optimiser.
        network: The network, in its present state.
        task: What it learns.

    Raises:
        UserError: The device isn't there, the network can't read the data, a batch is larger than the data, or there is
            no checkpoint of this network to go on from.
    """

    def __init__(
        self,
        spec: RunSpec,
        stopped: Callable[[], bool] = lambda: False,
        folder: Path | None = None,
        show: Callable[[list[dict[str, Any]]], None] = lambda pictures: None,
        resume: bool = False,
        sync: Callable[[], None] = lambda: None,
    ):
        self.spec, self._stopped, self._folder, self._show, self._sync = spec, stopped, folder, show, sync
        self.learner = Learner(spec, fresh=not resume)
        self.network, self.task, self.splits = self.learner.network, self.learner.task, self.learner.splits
        self.steps_per_epoch = self.learner.order.steps_per_epoch
        self.total = spec.steps or (spec.epochs or 0) * self.steps_per_epoch
        self.report_every = min(WINDOW, math.ceil(self.total / REPORTS))
        self.step = 0
        self.metrics: dict[str, float] = {}  # of the test part, last time it was evaluated
        self.best = Best()
        # What each update said since the last report: read together, so that a GPU is waited for but once.
        self.window: dict[str, list[Tensor]] = {}
        self._seconds = 0.0  # of all that came before this process took the run up
        self._save_after = -math.inf
        self.resumed = resume
        if resume:
            self._restore()
        self._began = time.monotonic()

    def run(self) -> Iterator[dict[str, Any]]:
        """Train, and say what happens: `start`, then `metric`, `eval` and `checkpoint`, at last `end`."""
        yield self._event(
            "start",
            **({"resumed": True} if self.resumed else {}),
            time=time.time(),
            steps=self.total,
            steps_per_epoch=self.steps_per_epoch,
            epochs=self.total / self.steps_per_epoch,
            model=self.spec.model,
            task=self.spec.task,
            preset=self.spec.preset,
            params=sum(weight.numel() for weight in self.network.parameters()),
            trainable=sum(weight.numel() for weight in self.network.parameters() if weight.requires_grad),
            device=str(self.learner.device),
            floor=asdict(self.task.floor(self.spec.seed)),
            metrics={},
        )
        self._began = time.monotonic()  # the floor's own training is no part of ours
        yield from self._steps()

    def _steps(self) -> Iterator[dict[str, Any]]:
        batches = iter(self.learner.order)
        varies = schedules.changes(self.spec)
        while self.step < self.total and not self._stopped() and not self._waited_enough():
            if varies:
                self.learner.set_rate(schedules.rate(self.spec, self.step, self.total))
            batch, outputs, said = self.learner.update(next(batches))
            for name, value in said.items():
                self.window.setdefault(name, []).append(value)
            self.step += 1

            epoch_over = self.step % self.steps_per_epoch == 0 or self.step == self.total
            if self.step % self.report_every == 0 or epoch_over:
                said_so_far, wrong = self._read_window()
                if wrong:
                    yield from self._diverged(wrong)
                    return
                with torch.no_grad():
                    metrics = {**said_so_far, **self.task.metrics(outputs, batch), "lr": self.learner.rate}
                yield self._event("metric", split="train", metrics=metrics)
                if epoch_over:
                    yield from self._evaluate()
                if time.monotonic() >= self._save_after:
                    yield from self._save()
        if self._not_finite():  # since the last report; what is saved must be sound
            yield from self._diverged(self._read_window()[1])
            return
        if self._waited_enough():
            yield from self._restore_best()
            return
        yield from self._save()
        yield self._end("done" if self.step == self.total else "stopped")

    def _read_window(self) -> tuple[dict[str, float], int]:
        """The means since the last report, and the first step whose loss was no finite number, or else 0."""
        values = {name: torch.stack(said).tolist() for name, said in self.window.items()}
        self.window = {}
        losses = values["loss"]
        bad = next((place for place, loss in enumerate(losses) if not math.isfinite(loss)), None)
        if bad is not None:
            return {}, self.step - len(losses) + 1 + bad
        return {name: sum(said) / len(said) for name, said in values.items()}, 0

    def _not_finite(self) -> bool:
        return bool(self.window) and not torch.stack(self.window["loss"]).isfinite().all()

    def _diverged(self, step: int) -> Iterator[dict[str, Any]]:
        yield from self._save_best()  # the last weights are spoilt
        reason = (
            f"The loss was no finite number any more at step {step}: the updates overshoot. "
            f"Try a smaller learning rate than {self.spec.lr:g}."
        )
        yield self._end("diverged", reason=reason)

    def _evaluate(self) -> Iterator[dict[str, Any]]:
        held_out = len(self.splits["test"][0])
        seen = {}
        for part, samples in self.splits.items():
            # Of the training part as many as are tested: how well it is known doesn't need every sample.
            seen[part] = self.task.evaluate(self.network, tuple(column[:held_out] for column in samples))
            yield self._event("eval", split=part, metrics=seen[part])
        self.metrics = seen["test"]
        validation = seen["validation"]
        if self.best.beaten((validation[self.task.metric], -validation["loss"]), self.step):
            self.best.test = self.metrics
            self.best.weights, self.best.about = checkpoints.snapshot(self.network), self._about(validation)
            self.best.saved = False

    def _waited_enough(self) -> bool:
        return self.spec.patience is not None and self.best.waited >= self.spec.patience

    def _restore_best(self) -> Iterator[dict[str, Any]]:
        """End by early stopping, with the best weights in the network and in both checkpoints."""
        if self.best.weights is None and self._folder is not None:
            self.best.weights, _ = checkpoints.load(self._folder / "best.safetensors")
        self.network.load_state_dict(self.best.weights or {})
        self.metrics = self.best.test
        yield from self._save()
        reason = (
            f"Early stopping: the validation part has seen nothing better in {self.best.waited} evaluations, "
            f"and the weights of step {self.best.step} are restored."
        )
        yield self._end("done", early_stopping={"restored_step": self.best.step}, reason=reason)

    def _save(self) -> Iterator[dict[str, Any]]:
        if self._folder is None:
            return
        began = time.monotonic()
        # The best goes first: whoever is killed in between goes on from an older last one, and finds the same best.
        yield from self._save_best()
        tensors, plain = self._training()
        self._sync()
        checkpoints.write(
            self._folder / "last.safetensors",
            checkpoints.snapshot(self.network),
            self._about(self.metrics) | {"training": plain},
            tensors,
        )
        yield self._event("checkpoint", checkpoint="last", metrics=self.metrics)
        self.learner.aside(self._draw)
        now = time.monotonic()
        self._save_after = now + max(SAVE_EVERY, (now - began) / SAVE_SHARE)

    def _draw(self) -> None:
        samples = tuple(column.cpu() for column in self.splits["test"])
        self._show(self.task.pictures(self.network, samples))

    def _save_best(self) -> Iterator[dict[str, Any]]:
        if self._folder is None or self.best.saved or self.best.weights is None:
            return
        self._sync()
        checkpoints.write(self._folder / "best.safetensors", self.best.weights, self.best.about)
        self.best.saved = True
        yield self._event("checkpoint", checkpoint="best", metrics=self.best.about["metrics"])

    def _training(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the rest of the run depends on, besides the weights."""
        window = {name: [float(value) for value in said] for name, said in self.window.items()}
        plain = dict(seconds=self._elapsed(), window=window, best=self.best.to_json(), total=self.total)
        return self.learner.state(self.step), plain

    def _restore(self) -> None:
        assert self._folder is not None
        path = self._folder / "last.safetensors"
        weights, tensors, about = checkpoints.load_all(path)
        self.learner.restore(path, weights, tensors, about.get("step", 0))
        plain = about["training"]
        self.step, self.metrics, self._seconds = about["step"], about["metrics"], plain["seconds"]
        self.best = Best.from_json(plain["best"])
        self.window = {
            name: [torch.tensor(value, device=self.learner.device) for value in said]
            for name, said in plain["window"].items()
        }

    def _about(self, metrics: dict[str, float]) -> dict[str, Any]:
        epoch = round(self.step / self.steps_per_epoch, 4)
        return dict(model=self.spec.model, preset=self.spec.preset, step=self.step, epoch=epoch, metrics=metrics)

    def _elapsed(self) -> float:
        return round(self._seconds + time.monotonic() - self._began, 4)

    def _event(self, event: str, **said: Any) -> dict[str, Any]:
        epoch = round(self.step / self.steps_per_epoch, 4)
        return dict(event=event, step=self.step, epoch=epoch, seconds=self._elapsed(), **said)

    def _end(self, status: str, **said: Any) -> dict[str, Any]:
        end = self._event("end", status=status, metrics=self.metrics, steps=self.step, **said)
        return end | {"steps_per_second": self.step / end["seconds"] if end["seconds"] else 0.0}
