"""What every task answers; one that is unlike the others overrides what differs."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from workbench import data

Batch = tuple[Tensor, ...]
EVAL_BATCH = 512  # samples at once when nothing has to be kept for the backward pass


@dataclass(frozen=True)
class Floor:
    """What a method without depth reaches on the same parts: a network that stays below it has learnt little."""

    method: str
    metric: str
    value: float


class Task(ABC):
    """Data, loss, metrics, floor and pictures of one thing to learn.

    Attributes:
        title: What is learnt, in a few words.
        data: The name of its data set.
        metric: The metric that tells which checkpoint is best: higher is better.
    """

    title: str
    data: str
    metric = "accuracy"

    def splits(self, input_shape: tuple[int, ...], seed: int) -> dict[str, Batch]:
        """The parts of the data, as tensors that a network of this input shape can read.

        Raises:
            BadInput: Such a network can't read this data.
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

    @torch.inference_mode()
    def evaluate(self, network: nn.Module, samples: Batch) -> dict[str, float]:
        """Loss and metrics over all samples: each sample weighs the same."""
        network.eval()
        totals: dict[str, float] = {}
        for batch in in_batches(samples, EVAL_BATCH):
            outputs = self.forward(network, batch)
            means = {"loss": self.loss(outputs, batch).item(), **self.metrics(outputs, batch)}
            for name, mean in means.items():
                totals[name] = totals.get(name, 0.0) + mean * len(batch[0])
        network.train()
        return {name: total / len(samples[0]) for name, total in totals.items()}

    @abstractmethod
    def floor(self, seed: int) -> Floor:
        """Computed, on the parts that a run of this seed sees."""

    @abstractmethod
    def pictures(self, network: nn.Module, samples: Batch) -> list[dict[str, Any]]:
        """What the network now says of each sample, as plain data that a screen can draw."""


def in_batches(samples: Batch, size: int) -> Iterator[Batch]:
    """The samples in order, `size` at a time; the last batch may be smaller."""
    for start in range(0, len(samples[0]), size):
        yield tuple(column[start : start + size] for column in samples)
