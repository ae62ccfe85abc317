"""What every task answers; one that is unlike the others overrides what differs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import torch
from torch import Tensor, nn

from workbench import data

Batch = tuple[Tensor, ...]
SHOWN = 12  # samples that are shown one by one
# At once when nothing has to be kept for the backward pass: samples, and numbers that the network reads.
EVAL_BATCH, EVAL_NUMBERS = 512, 2**23


@dataclass(frozen=True)
class Floor:
    """What a method without depth reaches on the same parts: a network that stays below it has learnt little."""

    method: str
    metric: str
    value: float


class Task(ABC):
    """Data, loss, metrics, floor and pictures of one thing to learn. It has no state: one serves all seeds.

    Args:
        data: The name of its data set.
        title: What is learnt, in a few words.

    Attributes:
        metric: The metric that tells which checkpoint is best: higher is better.
    """

    metric = "accuracy"

    def __init__(self, data: str, title: str):
        self.data, self.title = data, title

    @cached_property
    def known(self) -> data.DataSet:
        """What is known of its data set: shape, names of features and classes."""
        return data.info(self.data)

    def splits(self, input_shape: tuple[int, ...], seed: int) -> dict[str, Batch]:
        """The parts of the data, as tensors that a network of this input shape can read.

        Raises:
            UserError: Such a network can't read this data.
        """
        return self.fit(data.load(self.data, seed), input_shape)

    @abstractmethod
    def fit(self, parts: dict[str, Any], input_shape: tuple[int, ...]) -> dict[str, Batch]:
        """Make arrays into tensors of the shape, and the scale, that the network reads."""

    def forward(self, network: nn.Module, batch: Batch) -> Any:
        """What the network says of a batch."""
        return network(batch[0])

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch) -> Tensor:
        """The mean loss of a batch: one number that can be differentiated."""

    @abstractmethod
    def metrics(self, outputs: Any, batch: Batch) -> dict[str, float]:
        """The mean metrics of a batch."""

    def measure(self, outputs: Any, samples: Batch) -> dict[str, float]:
        """Metrics that only many samples have, and that are no mean of those of batches. None, if a task needs none."""
        return {}

    @torch.inference_mode()
    def outputs(self, network: nn.Module, samples: Batch) -> Any:
        """What the network says of all samples, as when it is used, a batch at a time; on the samples' own device."""
        numbers = prod(getattr(network, "input_shape", samples[0].shape[1:]))
        size = max(1, min(EVAL_BATCH, EVAL_NUMBERS // numbers))
        training = network.training
        network.eval()
        here, there = samples[0].device, next(network.parameters(), samples[0]).device
        said = [
            self.forward(network, tuple(column.to(there) for column in batch)).to(here)
            for batch in in_batches(samples, size)
        ]
        network.train(training)
        return torch.cat(said)

    @torch.inference_mode()
    def evaluate(self, network: nn.Module, samples: Batch) -> dict[str, float]:
        """Loss and metrics over all samples: each sample weighs the same."""
        outputs = self.outputs(network, samples)
        loss = self.loss(outputs, samples).item()
        return {"loss": loss, **self.metrics(outputs, samples), **self.measure(outputs, samples)}

    def check(self, network: nn.Module, samples: Batch) -> None:
        """See that a network of the right input says something that can be learnt from.

        Raises:
            UserError: It does not: the sentence says what fits.
        """
        few = tuple(column[:2] for column in samples)
        self.loss(self.outputs(network, few), few)

    @abstractmethod
    def floor(self, seed: int) -> Floor:
        """Computed, on the parts that a run of this seed sees."""

    @abstractmethod
    def pictures(self, network: nn.Module, samples: Batch) -> list[dict[str, Any]]:
        """What the network now says of the samples, as plain data that a screen can draw.

        Args:
            network: On any device.
            samples: On the CPU: other devices may lack float64, in which numbers are rounded.

        Returns:
            Dictionaries that say under `picture` what they are: those of single samples (`sample`) come first, for
            some of the samples; then those of all of them together (`confusion`, `regions`, `fit`).
        """


def in_batches(samples: Batch, size: int) -> Iterator[Batch]:
    """The samples in order, `size` at a time; the last batch may be smaller."""
    for start in range(0, len(samples[0]), size):
        yield tuple(column[start : start + size] for column in samples)
