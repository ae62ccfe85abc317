"""The training loop, for one seed or for several seeds of one spec.

    for each step:  outputs = network(batch);  loss = task.losses(outputs, batch)["loss"];  loss.backward();  step()

`SeedState` implements these steps. This module decides what is reported and saved, and when training ends. The order of
the samples, the initial weights and the splits depend only on the seed, and reports are made at fixed steps. So, on a
CPU, the same spec gives the same numbers, whether the run was resumed from a checkpoint or never stopped.

The validation set is evaluated every epoch, or at the interval of the spec. The test set is evaluated once, at the end,
so that no choice depends on it.
"""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from workbench.engine import checkpoints
from workbench.engine.checkpoint_files import RESUMABLE, DamagedError, first_readable
from workbench.engine.spec import RunSpec
from workbench.engine.spec.sections import Plateau, Steps
from workbench.engine.training import schedules
from workbench.engine.training.backends import Backend, Loop
from workbench.engine.training.best import Best, score
from workbench.engine.training.state import SeedState, Update, preserved_rng
from workbench.engine.training.window import LossWindow
from workbench.tasks.base import Metrics, Visualization
from workbench.tasks.baselines import baseline

REPORTS = 200  # approximate number of metric events: a chart of 100 cells has as many columns of dots
MAX_WINDOW = 50  # steps between two reports: a loss that is not a number is noticed by then
SAVE_EVERY = 5.0  # seconds between two checkpoints, at least ...
SAVE_SHARE = 0.05  # ... and no larger share of the time than this

Event = dict[str, Any]


class SeedRun:
    """The run of one seed: its reports, its checkpoints, and its end.

    Args:
        spec: The configuration.
        folder: The folder of its checkpoints; without one, nothing is saved.
        show: Called with the visualizations at every checkpoint.
        sync: Called before a checkpoint is written. All events so far must be on the disk when it returns, because a
            run that is resumed from the checkpoint does not report them again.
        resume: Whether to continue from the folder's last checkpoint.

    Attributes:
        state: The network with its data and its optimizer.
        is_active: Whether training continues.
    """

    def __init__(
        self,
        spec: RunSpec,
        folder: Path | None = None,
        show: Callable[[list[Visualization]], None] = lambda visualizations: None,
        sync: Callable[[], None] = lambda: None,
        resume: bool = False,
    ):
        self.spec, self._folder, self._show, self._sync = spec, folder, show, sync
        self.state = SeedState(spec, is_new=not resume)
        self.steps_per_epoch = self.state.sampler.steps_per_epoch
        self.total = self.state.context.total = self._length()
        self._report_every = min(MAX_WINDOW, math.ceil(self.total / REPORTS))
        self._evaluate_every = self._interval()
        self.validation: Metrics = {}  # of the last evaluation
        self.best = Best()
        self._window = LossWindow({}, self.state.device)
        self._plateau = 1.0, 0  # the factor of the learning rate, and evaluations without improvement
        self._seconds = 0.0  # until this process resumed the run
        self._save_after = -math.inf
        self._is_resumed = resume
        self._replaced: dict[str, str] = {}  # the checkpoint that was resumed from, and why, if it is not the last
        self.is_active = True
        self.sync_state: Callable[[], None] = lambda: (
            None
        )  # brings `state` up to date where a backend holds the weights
        if resume:
            self._restore()
        self._start_time = time.monotonic()

    @property
    def step(self) -> int:
        """The number of updates so far."""
        return self.state.context.step

    def _length(self) -> int:
        length = self.spec.length
        return length.steps if isinstance(length, Steps) else length.epochs * self.steps_per_epoch

    def _interval(self) -> int:
        every = self.spec.evaluation.evaluate_every
        return every if isinstance(every, int) else int(every.split()[0]) * self.steps_per_epoch

    def start(self) -> Event:
        """Return the first event, and start the clock."""
        network, spec = self.state.network, self.spec
        with preserved_rng(self.state.device):
            baseline_scores = asdict(baseline(self.state.task, spec.seed))
        event = self._event(
            "start",
            **({"resumed": True} if self._is_resumed else {}),
            **self._replaced,
            **({"initial_weights": self.state.transferred} if self.state.transferred else {}),
            time=time.time(),
            steps=self.total,
            steps_per_epoch=self.steps_per_epoch,
            epochs=self.total / self.steps_per_epoch,
            model=spec.network.model,
            task=spec.data.task,
            preset=spec.network.preset,
            params=sum(weight.numel() for weight in network.parameters()),
            trainable=sum(weight.numel() for weight in network.parameters() if weight.requires_grad),
            device=str(self.state.device),
            monitor=self.state.monitor,
            **({"terms": self.state.terms} if self.state.terms else {}),
            baseline=baseline_scores,
            metrics={},
        )
        self._start_time = time.monotonic()  # the baseline's own training doesn't count
        return event

    def before_update(self) -> None:
        """Set the learning rate of the next update."""
        if not schedules.is_constant(self.spec):
            factor, _ = self._plateau
            self.state.set_lr(factor * schedules.lr_at(self.spec, self.step, self.total))

    def record(self, update: Update) -> bool:
        """Store the losses of an update, and return whether it must be reported."""
        self._window.add(update.losses)
        step = self.step
        return step % self._report_every == 0 or step % self._evaluate_every == 0 or step == self.total

    def report(self, update: Update) -> Iterator[Event]:
        """Report the updates since the last report, and whatever else is due."""
        step = self.step
        is_evaluated = step % self._evaluate_every == 0 or step == self.total
        self.sync_state()
        losses = self._window.values()
        if wrong := self._wrong_loss(losses):
            yield from self._diverge(*wrong)
            return
        self._window.clear()
        means = {name: sum(values) / len(values) for name, values in losses.items()}
        with torch.no_grad():
            metrics = self.state.task.training_metrics(update.outputs, update.batch)
        yield self._event("metric", split="train", metrics={**means, **metrics, "lr": self.state.lr})
        if is_evaluated:
            yield from self._evaluate()
        if step == self.total or self._is_exhausted():
            yield from self._finish()
        elif time.monotonic() >= self._save_after:
            yield from self._save()

    def stop(self) -> Iterator[Event]:
        """Save a checkpoint and end before the last step."""
        self.sync_state()
        if wrong := self._wrong_loss(self._window.values()):  # since the last report; what is saved must be sound
            yield from self._diverge(*wrong)
            return
        yield from self._save()
        yield self._end("stopped")

    def finish_if_done(self) -> Iterator[Event]:
        """End a run without remaining steps, such as one that was resumed at its end."""
        if self.step >= self.total:
            yield from self._finish()

    def _wrong_loss(self, losses: dict[str, list[float]]) -> tuple[int, str] | None:
        """Return the step and the name of the first loss since the last report that is not finite; None if all are.

        If several are not at that step, it is a term of the loss: the loss itself is their sum.
        """
        index = next((k for k, value in enumerate(losses.get("loss", ())) if not math.isfinite(value)), None)
        if index is None:
            return None
        terms = [
            name
            for name, values in losses.items()
            if name not in ("loss", "grad_norm") and not math.isfinite(values[index])
        ]
        return self.step - len(losses["loss"]) + 1 + index, terms[0] if terms else "loss"

    def _diverge(self, step: int, name: str) -> Iterator[Event]:
        yield from self._save_best()  # the last weights are unusable
        what = "loss" if name == "loss" else f"loss term {name!r}"
        reason = (
            f"The {what} was not a finite number at step {step}: the updates overshoot. "
            f"Try a smaller learning rate than {self.spec.optimizer.lr:g}."
        )
        yield self._end("diverged", reason=reason)

    def _evaluate(self) -> Iterator[Event]:
        self.validation = self.state.evaluate("validation")
        yield self._event("eval", split="validation", metrics=self.validation)
        is_better = self.best.update_if_better(
            score(self.validation, self.state.monitor, self.state.maximize), self.step
        )
        if is_better:
            self.best.weights = checkpoints.snapshot(self.state.evaluated)
            self.best.metadata, self.best.is_saved = self._metadata(), False
        if isinstance(self.spec.schedule, Plateau):
            self._lower_lr_on_plateau(self.spec.schedule, is_better)

    def _lower_lr_on_plateau(self, schedule: Plateau, is_better: bool) -> None:
        factor, count = self._plateau
        count = 0 if is_better else count + 1
        if count > schedule.plateau_patience:
            factor, count = factor * schedule.decay, 0
        self._plateau = factor, count

    def _is_exhausted(self) -> bool:
        """Return whether early stopping ends the run."""
        patience = self.spec.evaluation.patience
        return patience is not None and self.best.evaluations_since >= patience

    def _finish(self) -> Iterator[Event]:
        """Evaluate the test set once, save, and end; after early stopping with the best weights."""
        about: dict[str, Any] = {}
        if self._is_exhausted():
            restored, weights = self.best.step, f"the weights of step {self.best.step} are restored"
            try:
                self._restore_best()
            except DamagedError as error:
                restored, weights = (
                    self.step,
                    f"the last weights remain, as the best checkpoint is damaged ({error.why})",
                )
            about["early_stopping"] = {"restored_step": restored}
            about["reason"] = (
                f"Early stopping: {self.best.evaluations_since} evaluations on the validation set brought no "
                f"improvement, and {weights}."
            )
        metrics: Metrics = {}
        for split in ("train", "test"):  # of the training set as many samples as are tested
            metrics = self.state.evaluate(split, len(self.state.sources["test"]))
            yield self._event("eval", split=split, metrics=metrics)
        yield from self._save()
        yield self._end("done", metrics, **about)

    def _restore_best(self) -> None:
        if self.best.weights is None and self._folder is not None:
            self.best.weights, self.best.metadata = checkpoints.load(self._folder / "best.safetensors")
        self.state.evaluated.load_state_dict(self.best.weights or {})
        self.validation = self.best.metadata.get("metrics", self.validation)

    def _save(self) -> Iterator[Event]:
        if self._folder is None:
            return
        start = time.monotonic()
        # The best is saved first: a run that is killed in between resumes from an older last one, with the same best.
        yield from self._save_best()
        tensors, plain = self._resumable()
        self._sync()
        checkpoints.write(
            self._folder / "last.safetensors",
            checkpoints.snapshot(self.state.evaluated),
            self._metadata() | {"training": plain},
            tensors,
            # A damaged last one doesn't take the place of a sound one.
            previous=None if self._replaced else self._folder / "previous.safetensors",
        )
        self._replaced = {}
        yield self._event("checkpoint", checkpoint="last", metrics=self.validation)
        with preserved_rng(self.state.device):
            self._visualize()
        now = time.monotonic()
        self._save_after = now + max(SAVE_EVERY, (now - start) / SAVE_SHARE)

    def _visualize(self) -> None:
        source = self.state.sources["validation"].to(torch.device("cpu"))
        self._show(self.state.task.visualize(self.state.evaluated, source))

    def _save_best(self) -> Iterator[Event]:
        if self._folder is None or self.best.is_saved or self.best.weights is None:
            return
        self._sync()
        checkpoints.write(self._folder / "best.safetensors", self.best.weights, self.best.metadata)
        self.best.is_saved = True
        yield self._event("checkpoint", checkpoint="best", metrics=self.best.metadata["metrics"])

    def _resumable(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return everything that the rest of the run depends on, besides the weights."""
        plain = dict(
            seconds=self._elapsed(),
            window=self._window.values(),
            best=self.best.to_json(),
            plateau=list(self._plateau),
            total=self.total,
        )
        return self.state.tensors(), plain

    def _restore(self) -> None:
        assert self._folder is not None
        for rest in self._folder.glob(".*.safetensors.*.partial"):
            rest.unlink(missing_ok=True)  # of a worker that was killed as it wrote
        name, (weights, tensors, metadata), reason = first_readable(self._folder, RESUMABLE, checkpoints.load_all)
        if reason:
            self._replaced = {"checkpoint": name, "reason": reason}
        self.state.restore(self._folder / f"{name}.safetensors", weights, tensors, metadata.get("step", 0))
        plain = metadata["training"]
        self.validation, self._seconds = metadata["metrics"], plain["seconds"]
        self.best = Best.from_json(plain["best"])
        if "plateau" in plain:
            self._plateau = plain["plateau"][0], plain["plateau"][1]
        self._window = LossWindow(plain["window"], self.state.device)

    def _metadata(self) -> dict[str, Any]:
        spec, epoch = self.spec, round(self.step / self.steps_per_epoch, 4)
        return dict(
            model=spec.network.model, preset=spec.network.preset, step=self.step, epoch=epoch, metrics=self.validation
        )

    def _elapsed(self) -> float:
        return round(self._seconds + time.monotonic() - self._start_time, 4)

    def _event(self, event: str, **fields: Any) -> Event:
        epoch = round(self.step / self.steps_per_epoch, 4)
        return dict(event=event, seed=self.spec.seed, step=self.step, epoch=epoch, seconds=self._elapsed(), **fields)

    def _end(self, status: str, metrics: Metrics | None = None, **about: Any) -> Event:
        self.is_active = False
        end = self._event(
            "end", status=status, metrics=metrics or {}, validation=self.validation, steps=self.step, **about
        )
        return end | {"steps_per_second": self.step / end["seconds"] if end["seconds"] else 0.0}


class Trainer:
    """Trains one or several seeds of the same spec together, step by step.

    Each seed has its own clipping, early stopping, best checkpoint and divergence. One that ends does not affect the
    others.

    Args:
        runs: The runs of the seeds.
        is_stopped: Called before every step; returns whether to stop.
        backend: Updates the states of the seeds; a loop over them by default.
    """

    def __init__(
        self,
        runs: Sequence[SeedRun],
        is_stopped: Callable[[], bool] = lambda: False,
        backend: Backend | None = None,
    ):
        self.runs, self._is_stopped = runs, is_stopped
        self.backend = backend or Loop([run.state for run in runs])
        for index, run in enumerate(runs):
            run.sync_state = partial(self.backend.sync, index)

    def run(self) -> Iterator[Event]:
        """Train, and yield the events of every seed: `start`; `metric`, `eval` and `checkpoint`; finally `end`."""
        runs = self.runs
        for run in runs:
            yield run.start()
            run.sync_state()
            yield from run.finish_if_done()
        active = [index for index, run in enumerate(runs) if run.is_active]
        while active:
            if self._is_stopped():
                for index in active:
                    yield from runs[index].stop()
                return
            for index in active:
                runs[index].before_update()
            has_ended = False
            for index, update in zip(active, self.backend.update(active), strict=True):
                if runs[index].record(update):  # a generator for each update would slow the next one
                    yield from runs[index].report(update)
                    has_ended |= not runs[index].is_active
            del update  # so that the next one uses the same memory
            if has_ended:
                active = [index for index in active if runs[index].is_active]


def train(specs: Sequence[RunSpec]) -> Iterator[Event]:
    """Train several seeds of one spec in this process, and yield their events; nothing is saved."""
    return Trainer([SeedRun(spec) for spec in specs]).run()
