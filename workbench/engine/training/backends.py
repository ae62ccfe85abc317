"""Backends: how several seeds of one spec are updated together.

A backend updates the states of the seeds that still train. It may hold their weights in a form of its own, stacked
along a seed axis for example, and writes them back when `sync` is called, before they are evaluated or saved.
"""

from collections.abc import Sequence
from typing import Protocol

from workbench.engine.training.state import SeedState, Update


class Backend(Protocol):
    """Updates several seeds."""

    def update(self, active: Sequence[int]) -> list[Update]:
        """Update the seeds with these indices once, each with its own batch, and return what each computed."""
        ...

    def sync(self, index: int) -> None:
        """Bring the state of one seed up to date: its weights, its optimizer's memory, and torch's RNG state."""
        ...


class Loop:
    """One seed after the other. Each draws from an RNG state of its own, as if it trained alone."""

    def __init__(self, states: Sequence[SeedState]):
        self.states = states

    def update(self, active: Sequence[int]) -> list[Update]:
        """Update the seeds with these indices once."""
        return [self._update(index) for index in active]

    def _update(self, index: int) -> Update:
        self.sync(index)
        update = self.states[index].update()
        if len(self.states) > 1:
            self.states[index].store_rng()
        return update

    def sync(self, index: int) -> None:
        """Set torch's RNG state to that of a seed; its state holds all else."""
        if len(self.states) > 1:  # otherwise nothing else draws, and a step is some µs faster
            self.states[index].restore_rng()
