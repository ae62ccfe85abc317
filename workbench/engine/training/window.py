"""The losses of the updates since the last report."""

from collections.abc import Mapping

import torch
from torch import Tensor

BLOCK = 64  # updates for which memory is allocated at once


class LossWindow:
    """The losses of the updates since the last report, on the device.

    They are read together, so that the CPU waits for a GPU only once per report. Each is copied into memory that is
    reused after every report: a loss that stays allocated moves the memory of later updates, which makes the updates of
    a small network 4% slower.

    Args:
        losses: Name -> the losses so far, one per update.
        device: The device of the network.
    """

    def __init__(self, losses: Mapping[str, list[float]], device: torch.device):
        self._device = device
        self._cells: dict[str, list[Tensor]] = {}
        self._count = 0
        for values in zip(*losses.values(), strict=True):
            self.add({name: torch.tensor(value) for name, value in zip(losses, values, strict=True)})

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Copy the losses of an update."""
        for name, loss in losses.items():
            cells = self._cells.setdefault(name, [])
            if len(cells) <= self._count:
                cells += torch.empty(BLOCK, device=self._device).unbind()
            cells[self._count].copy_(loss)
        self._count += 1

    def clear(self) -> None:
        """Forget the losses."""
        self._count = 0

    def values(self) -> dict[str, list[float]]:
        """Return the losses by name, one per update."""
        if not self._count:
            return {}
        return {name: torch.stack(cells[: self._count]).tolist() for name, cells in self._cells.items()}
