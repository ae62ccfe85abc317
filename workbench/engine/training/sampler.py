"""The order in which a run sees its samples: it depends on the seed alone, and can be resumed anywhere."""

from collections.abc import Iterator

import torch
from torch import Tensor

from workbench.data.sources import Rows


class BatchSampler:
    """Endless batches of sample numbers, in a new order each epoch.

    Samples that don't fill a batch are left for the order of another epoch, so that every update averages over equally
    many.

    Args:
        samples: Number of samples.
        size: Samples per batch.
        seed: Seed of the order. It has an RNG of its own, so that the order is the same when another network draws
            other initial weights, or drops other units.
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
