"""The order of the training samples. It depends only on the seed, and can be resumed at any step."""

from collections.abc import Iterator

import torch
from torch import Tensor

from workbench.data.sources import Rows


class BatchSampler:
    """Endless batches of sample numbers, in a new order each epoch.

    Samples that don't fill a batch are left out in that epoch, so that all batches have the same size.

    Args:
        samples: Number of samples.
        size: Samples per batch.
        seed: Seed of the order. The order has its own RNG, so that it is the same for all networks, whatever they draw
            for initial weights or dropout.
    """

    def __init__(self, samples: int, size: int, seed: int):
        self.steps_per_epoch = samples // size
        self._samples, self._size = samples, size
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch_start = self._generator.get_state()
        self._skip = 0

    def __iter__(self) -> Iterator[Rows]:
        if self._size == self._samples:
            while True:
                yield slice(None)  # all of them, in any order
        while True:
            self._epoch_start = self._generator.get_state()
            order = torch.randperm(self._samples, generator=self._generator)
            batches = order[: self.steps_per_epoch * self._size].split(self._size)
            skip, self._skip = self._skip, 0
            yield from batches[skip:]

    def state(self, step: int) -> Tensor:
        """Return the RNG state that the order of a step's epoch is drawn from."""
        return self._epoch_start if step % self.steps_per_epoch else self._generator.get_state()

    def restore(self, state: Tensor, step: int) -> None:
        """Continue after a number of steps, with their `state`. To be called before the first batch is drawn."""
        self._generator.set_state(state)
        self._skip = step % self.steps_per_epoch
