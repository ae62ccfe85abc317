"""What learns: a network with its data, its optimiser and all that changes an update. It knows no time and no files."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from workbench import tasks
from workbench.engine import augmentation, devices, initialization, networks, optimizers, penalties, transfer
from workbench.engine.order import Order
from workbench.engine.spec import RunSpec
from workbench.errors import UserError
from workbench.tasks.task import Batch, Task


class Learner:
    """A network that can be updated, batch by batch.

    Args:
        spec: Says how.
        fresh: Whether it begins; otherwise `restore` gives it its weights, and what the spec begins with isn't read.

    Attributes:
        network: The network, in its present state.
        splits: The parts of the data.
        order: The batches of the training part.
        rate: The learning rate.

    Raises:
        UserError: If the device is missing, the network can't read the data or lacks what was asked for, or a batch is
            larger than the data.
    """

    def __init__(self, spec: RunSpec, fresh: bool = True):
        self.spec, self.rate = spec, spec.lr
        self.device = devices.available(spec.device)
        devices.check(self.device, spec.bf16, spec.compile)
        self.task: Task = tasks.get(spec.task)
        torch.manual_seed(spec.seed)
        self.network = networks.build(spec)
        if spec.init is not None:
            initialization.redraw(self.network, spec.init, spec.init_scale)
        if fresh:
            transfer.begin(self.network, spec)
        # Norms of a frozen backbone, which stay as if the network were in use.
        self._still = transfer.freeze(self.network) if spec.freeze else []
        input_shape: Any = self.network.input_shape
        self.splits: dict[str, Batch] = {
            part: tuple(column.to(self.device) for column in samples)
            for part, samples in self.task.splits(input_shape, spec.seed).items()
        }
        if spec.augment:
            augmentation.check(self.splits["train"], spec.model)
        self.order = Order(self.splits["train"], self._batch_size(), spec.seed)
        # Filters with their channels innermost: on a CPU a step takes 0.6 to 1 times as long, depthwise ones gain most.
        layout = torch.channels_last if self.device.type == "cpu" else torch.preserve_format
        self.network.to(self.device, memory_format=layout)
        self.task.check(self.network, self.splits["train"])
        self._weights = [weight for weight in self.network.parameters() if weight.requires_grad]
        layers = transfer.groups(self.network, spec.layer_decay) if spec.layer_decay else self._weights
        self.optimizer = optimizers.build(spec, layers, self.device)
        self.set_rate(spec.lr)
        self._penalised = penalties.weights(self.network) if spec.l1 or spec.l2 else []
        self._forward: Any = torch.compile(self.network) if spec.compile else self.network
        self._precision = torch.autocast(self.device.type, torch.bfloat16) if spec.bf16 else nullcontext()

    def update(self, batch: Batch) -> tuple[Batch, Any, dict[str, Tensor]]:
        """One update of the weights.

        Returns:
            The batch as the network saw it, what it made of it, and what is to be said of the update: the loss without
            penalties, the penalty, the norm of the gradients before they were clipped.
        """
        spec = self.spec
        if spec.augment:
            batch = (augmentation.augmented(batch[0], spec.augment), *batch[1:])
        for weight in self._weights:  # what zero_grad does, without its profiler's hooks: 10 µs of a step of 300
            weight.grad = None
        for norm in self._still:  # an evaluation since the last update has set all to training
            norm.training = False
        with self._precision:
            outputs = self.task.forward(self._forward, batch)
            loss = self.task.loss(outputs, batch)
        said = {"loss": loss.detach()}
        if self._penalised:
            penalty = penalties.penalty(self._penalised, spec.l1, spec.l2)
            said["penalty"] = penalty.detach()
            loss = loss + penalty
        loss.backward()
        if spec.clip_norm is not None:
            said["grad_norm"] = nn.utils.clip_grad_norm_(self._weights, spec.clip_norm)
        elif spec.clip_value is not None:
            slopes = [weight.grad for weight in self._weights if weight.grad is not None]
            said["grad_norm"] = nn.utils.get_total_norm(slopes)
            nn.utils.clip_grad_value_(self._weights, spec.clip_value)
        self.optimizer.step()
        return batch, outputs, said

    def set_rate(self, rate: float) -> None:
        """Set the learning rate of the next update."""
        self.rate = rate
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group.get("scale", 1.0)

    def state(self, step: int) -> dict[str, Tensor]:
        """All that later updates depend on, besides the weights."""
        return {
            "order": self.order.state(step),
            **{f"chance.{name}": state for name, state in devices.chance(self.device).items()},
            **{f"optimizer.{name}": value for name, value in optimizers.memory(self.optimizer).items()},
        }

    def restore(self, path: Path, weights: dict[str, Tensor], state: dict[str, Tensor], step: int) -> None:
        """Go on from a checkpoint after so many steps.

        Args:
            path: Where the checkpoint stands, for messages.
            weights: Its state dict.
            state: What `state` gave.
            step: Updates made so far.

        Raises:
            UserError: The checkpoint isn't this network's, or can't be gone on from.
        """
        if "order" not in state:
            raise UserError(f"The checkpoint {path} holds weights alone, and no training to go on with: train anew.")
        try:
            self.network.load_state_dict(weights)
            optimizers.remember(self.optimizer, beginning(state, "optimizer."))
        except (RuntimeError, ValueError, LookupError) as error:
            preset = f"{self.spec.model} ({self.spec.preset})"
            raise UserError(f"The checkpoint {path} isn't of this {preset} and its optimizer: train anew.") from error
        self.order.restore(state["order"], step)
        devices.restore_chance(self.device, beginning(state, "chance."))

    def aside(self, act: Callable[[], None]) -> None:
        """Do something that may draw random numbers, without changing those that training draws."""
        before = devices.chance(self.device)
        try:
            act()
        finally:
            devices.restore_chance(self.device, before)

    def _batch_size(self) -> int:
        samples, size = len(self.splits["train"][0]), self.spec.batch_size
        if size == "full":
            return samples
        if int(size) > samples:
            raise UserError(
                f"A batch of {size} is larger than the {samples} training samples: take {samples} or fewer, or full."
            )
        if size == 1 and any(isinstance(layer, nn.BatchNorm1d) for layer in self.network.modules()):
            raise UserError("Batch normalisation needs a batch of 2 or more: one sample has no variance.")
        return int(size)


def beginning(tensors: dict[str, Tensor], start: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, under the rest of their names."""
    return {name.removeprefix(start): tensor for name, tensor in tensors.items() if name.startswith(start)}
