"""Backends, which update several seeds of one spec.

A backend updates the states of the seeds that still train. It may store their weights in another form, for
example stacked along a seed axis. `sync` writes them back before they are evaluated or saved.
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
        """Update the state of one seed: its weights, the state of its optimizer, and torch's RNG state."""
        ...


class Loop:
    """Updates one seed after another. Each has its own RNG state, as if it were trained alone."""

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
