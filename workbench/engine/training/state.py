"""The training state of one seed: a network with its data, its optimizer, and everything that changes an update.

It is independent of wall-clock time and of the file system.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from workbench import tasks
from workbench.data.sources import Batch, Rows, Source
from workbench.engine import devices, networks, transfer
from workbench.engine.spec import RunSpec
from workbench.engine.spec.sections import ClipNorm, ClipValue
from workbench.engine.training import frozen, initialization, optimizers, penalties, training_set
from workbench.engine.training.sampler import BatchSampler
from workbench.errors import UserError
from workbench.tasks.base import Metrics, StepContext, Task


class Update(NamedTuple):
    """The results of an update.

    Attributes:
        losses: The mean loss without penalties and its terms, the penalty, and the norm of the gradient before
            clipping; each a tensor on the device.
        outputs: The outputs for its last batch.
        batch: That batch, as the network saw it.
    """

    losses: dict[str, Tensor]
    outputs: Any
    batch: Batch


class SeedState:
    """A network that can be updated, batch by batch.

    Args:
        spec: The configuration.
        is_new: Whether training begins. Otherwise `restore` sets the weights, and the initial weights that the spec
            names are not read.

    Attributes:
        network: The network.
        task: The task, with the options of its loss.
        sources: Each split of the data, on the device.
        sampler: The order of the training samples.
        lr: The learning rate.
        terms: The names of the terms of the loss; none if it has one only.
        transferred: The record of the loaded initial weights; empty if all are fresh.

    Raises:
        UserError: If the device is missing, the network can't read the data or lacks an option of the spec, or a batch
            is larger than the training set.
    """

    def __init__(self, spec: RunSpec, is_new: bool = True):
        self.spec, self.lr = spec, spec.optimizer.lr
        self.device = devices.available(spec.runtime.device)
        devices.check(self.device, spec.runtime.bf16, spec.runtime.compile)
        self.task: Task = tasks.get(spec.data.task).configure(**spec.regularization.of_labels())
        self.monitor = spec.evaluation.monitor or next(iter(self.task.info.metrics))
        self.maximize = self.task.info.mode(self.monitor) == "max"
        torch.manual_seed(spec.seed)
        self.network = networks.build(spec)
        self.task = self.task.for_network(self.network)
        if spec.initialization is not None:
            initialization.initialize_weights(self.network, spec.initialization)
        self.transferred = transfer.load_initial_weights(self.network, spec) if is_new else {}
        is_frozen = spec.initial_weights is not None and spec.initial_weights.freeze is not None
        self._frozen = transfer.freeze(self.network) if is_frozen else []
        sources = self.task.sources(self.network, spec.seed)
        if spec.data.train_samples is not None:
            sources["train"] = training_set.reduced(sources["train"], spec.data.train_samples, spec.seed)
        if spec.data.label_noise:
            classes = max(self.task.info.sizes["outputs"])
            sources["train"] = training_set.with_wrong_labels(
                sources["train"], spec.data.label_noise, classes, spec.seed
            )
        # Filters with their channels innermost: on a CPU, a step takes 0.6 to 1 times as long.
        layout = torch.channels_last if self.device.type == "cpu" else torch.preserve_format
        self.network.to(self.device, memory_format=layout)
        self.terms = self.task.check(self.network, sources["train"])
        if spec.data.augment:
            self._check_augmentation(sources["train"])
        self.sources = {split: source.to(self.device) for split, source in sources.items()}
        # The trained module and its inputs. With a frozen backbone, that is only the head, if possible.
        self._trained: nn.Module = self.network
        self._inputs = self.sources
        if is_frozen and not spec.data.augment:
            self._trained, self._inputs = frozen.with_cached_features(self.network, self.task, self.sources)
        self.sampler = BatchSampler(len(self.sources["train"]), self._samples_per_update(), spec.seed)
        self._rows = iter(self.sampler)
        self._weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        layer_decay = spec.initial_weights.layer_decay if spec.initial_weights else None
        layers = transfer.groups(self.network, layer_decay) if layer_decay else [{"params": self._weights}]
        self.optimizer = optimizers.build(spec, layers, self.device)
        self.set_lr(spec.optimizer.lr)
        self._penalized = penalties.weights(self.network) if spec.regularization.l1 or spec.regularization.l2 else []
        self._forward: Any = torch.compile(self._trained) if spec.runtime.compile else self._trained
        self.average = self._averaged()
        self.context = StepContext(generator=torch.Generator().manual_seed(spec.seed), is_training=True)
        self.store_rng()

    def store_rng(self) -> None:
        """Store torch's RNG state, from which the next update draws, while another seed is updated."""
        self._rng = devices.rng_state(self.device)

    def restore_rng(self) -> None:
        """Set torch's RNG state to the stored one."""
        devices.set_rng_state(self.device, self._rng)

    def _averaged(self) -> AveragedModel | None:
        decay = self.spec.regularization.ema
        if decay is None:
            return None
        return AveragedModel(self.network, multi_avg_fn=get_ema_multi_avg_fn(decay), use_buffers=False)

    @property
    def evaluated(self) -> nn.Module:
        """The network that is evaluated and saved: the one with the averaged weights, if there is one."""
        return self.network if self.average is None else self.average.module

    def precision(self) -> AbstractContextManager[Any]:
        """Return the context in which outputs are computed."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.spec.runtime.bf16 else nullcontext()

    def update(self) -> Update:
        """Update the weights once, with the next batch."""
        spec, rows = self.spec, next(self._rows)
        for weight in self._weights:  # as zero_grad does, without its profiler hooks: 10 µs of a step of 300
            weight.grad = None
        if spec.data.accumulate == 1:
            result = self._backward(rows, 1.0)
        else:
            result = self._accumulate(rows)
        losses = result.losses
        match spec.clipping:
            case ClipNorm(clip_norm):
                losses["grad_norm"] = nn.utils.clip_grad_norm_(self._weights, clip_norm)
            case ClipValue(clip_value):
                gradients = [weight.grad for weight in self._weights if weight.grad is not None]
                losses["grad_norm"] = nn.utils.get_total_norm(gradients)
                nn.utils.clip_grad_value_(self._weights, clip_value)
        self.optimizer.step()
        if self.average is not None:
            self._update_average(self.average)
        self.context.step += 1
        return result

    def batch_rows(self) -> Iterator[Rows]:
        """Return the iterator over the rows of training batches, which `update` also uses."""
        return self._rows

    @property
    def training_source(self) -> Source:
        """The training set, as the trained part of the network reads it."""
        return self._inputs["train"]

    def _backward(self, rows: Any, share: float) -> Update:
        """Add the gradient of a batch's mean loss, times its share of the update."""
        batch = self._inputs["train"].batch(rows)
        if self.spec.data.augment:
            batch = self.task.augment(batch, self.spec.data.augment)
        for module in self._frozen:  # an evaluation since the last update may have set all to training mode
            module.training = False
        with self.precision():
            outputs = self.task.forward(self._forward, batch, self.context)
            losses = self.task.losses(outputs, batch, self.context)
        loss = losses["loss"]
        if self._penalized:
            losses["penalty"] = penalties.penalty(
                self._penalized, self.spec.regularization.l1, self.spec.regularization.l2
            )
            loss = loss + losses["penalty"]
        (loss if share == 1.0 else loss * share).backward()
        return Update({name: value.detach() for name, value in losses.items()}, outputs, batch)

    def _accumulate(self, rows: Any) -> Update:
        """Add the gradients of the batches of an update; its losses are the means of theirs."""
        count = self.spec.data.accumulate
        numbers = torch.arange(len(self.sources["train"]))[rows] if isinstance(rows, slice) else rows
        updates = [self._backward(chunk, 1 / count) for chunk in numbers.chunk(count)]
        losses = {name: torch.stack([update.losses[name] for update in updates]).mean() for name in updates[0].losses}
        return updates[-1]._replace(losses=losses)

    def _update_average(self, average: AveragedModel) -> None:
        average.update_parameters(self.network)
        for own, other in zip(average.module.buffers(), self.network.buffers(), strict=True):
            own.copy_(other)  # the statistics of a norm are averages already

    def evaluate(self, split: str, limit: int | None = None) -> Metrics:
        """Return the losses and metrics on a split, or on its first samples."""
        with preserved_rng(self.device), self.precision():
            if self.average is not None:
                return self.task.evaluate(self.average.module, self.sources[split], limit)
            return self.task.evaluate(self._forward, self._inputs[split], limit)

    def set_lr(self, lr: float) -> None:
        """Set the learning rate of the next update."""
        self.lr = lr
        for group in self.optimizer.param_groups:
            group["lr"] = lr * group.get("scale", 1.0)

    def tensors(self) -> dict[str, Tensor]:
        """Return all tensors that later updates depend on, besides the weights that are evaluated."""
        average = {} if self.average is None else {"average.count": self.average.n_averaged}
        trained = {} if self.average is None else self.network.state_dict()
        return {
            "order": self.sampler.state(self.context.step),
            "generator": self.context.generator.get_state(),
            **{f"rng.{name}": state for name, state in devices.rng_state(self.device).items()},
            **{f"optimizer.{name}": value for name, value in optimizers.state_tensors(self.optimizer).items()},
            **{f"trained.{name}": value for name, value in trained.items()},
            **average,
        }

    def restore(self, path: Path, weights: dict[str, Tensor], tensors: dict[str, Tensor], step: int) -> None:
        """Continue from a checkpoint.

        Args:
            path: The path of the checkpoint, for messages.
            weights: Its weights.
            tensors: What `tensors` returned.
            step: The number of updates so far.

        Raises:
            UserError: If the checkpoint is of another network, or has only weights.
        """
        if "order" not in tensors:
            raise UserError(f"The checkpoint {path} has weights only. Train from the beginning.")
        rng = with_prefix(tensors, "rng.") or with_prefix(tensors, "chance.")  # its name in older runs
        try:
            if self.average is not None:
                self.average.module.load_state_dict(weights)
                self.average.n_averaged.copy_(tensors["average.count"])
                weights = with_prefix(tensors, "trained.")
            self.network.load_state_dict(weights)
            optimizers.load_state_tensors(self.optimizer, with_prefix(tensors, "optimizer."))
            self.sampler.restore(tensors["order"], step)
            if "generator" in tensors:
                self.context.generator.set_state(tensors["generator"])
            devices.set_rng_state(self.device, rng)
        except (RuntimeError, ValueError, LookupError, TypeError) as error:
            name = f"{self.spec.network.model} ({self.spec.network.preset})"
            raise UserError(
                f"The checkpoint {path} is not of this {name} and its optimizer. Train from the beginning."
            ) from error
        self.context.step = step
        self.store_rng()

    def _check_augmentation(self, source: Source) -> None:
        with preserved_rng(self.device):
            self.task.augment(source.batch(slice(0, 2)), self.spec.data.augment)

    def _samples_per_update(self) -> int:
        samples, size, count = len(self.sources["train"]), self.spec.data.batch_size, self.spec.data.accumulate
        if size == "full":
            if count > 1:
                raise UserError("A full batch is one update: leave accumulate out, or give a batch_size.")
            return samples
        if int(size) * count > samples:
            times = f" times {count} accumulated" if count > 1 else ""
            raise UserError(
                f"A batch of {size}{times} is larger than the {samples} training samples: use {samples // count} or "
                "fewer, or full."
            )
        if size == 1 and any(isinstance(layer, nn.BatchNorm1d) for layer in self.network.modules()):
            raise UserError("Batch normalization needs a batch of 2 or more: one sample has no variance.")
        return int(size) * count


@contextmanager
def preserved_rng(device: torch.device) -> Iterator[None]:
    """Restore the RNG state at the end of the block, so that the block doesn't change the training that follows."""
    before = devices.rng_state(device)
    try:
        yield
    finally:
        devices.set_rng_state(device, before)


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names have a prefix, under the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
