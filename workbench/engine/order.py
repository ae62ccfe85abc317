"""The order in which a run sees its samples: by the seed alone, new every epoch, and to be taken up anywhere."""

from collections.abc import Iterator

import torch
from torch import Tensor

from workbench.tasks.task import Batch


class Order:
    """Batches of the training part without end.

    What doesn't fill a batch waits for another epoch's order, so that every update averages over as many.

    Args:
        samples: The training part.
        size: Samples a batch.
        seed: Decides the order, through a generator of its own: it stays the same when another network draws other
            first weights, or drops other units.
    """

    def __init__(self, samples: Batch, size: int, seed: int):
        self.steps_per_epoch = len(samples[0]) // size
        self._samples, self._size = samples, size
        self._generator = torch.Generator().manual_seed(seed)
        self._epoch_began = self._generator.get_state()
        self._skip = 0

    def __iter__(self) -> Iterator[Batch]:
        samples, size = self._samples, self._size
        count = len(samples[0])
        while size == count:
            yield samples  # all of them, in any order
        while True:
            self._epoch_began = self._generator.get_state()
            order = torch.randperm(count, generator=self._generator).to(samples[0].device)
            batches = order[: self.steps_per_epoch * size].split(size)
            skipped, self._skip = self._skip, 0
            for rows in batches[skipped:]:
                yield tuple(column.index_select(0, rows) for column in samples)

    def state(self, step: int) -> Tensor:
        """What the order of the epoch of this step is drawn from."""
        return self._epoch_began if step % self.steps_per_epoch else self._generator.get_state()

    def restore(self, state: Tensor, step: int) -> None:
        """Go on after so many steps, from their `state`. Before the first batch is asked for."""
        self._generator.set_state(state)
        self._skip = step % self.steps_per_epoch
