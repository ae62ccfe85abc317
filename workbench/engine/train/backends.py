"""Backends: how several seeds of one spec are updated together.

A backend updates the states of the seeds that still train. It may hold their weights in a form of its own, stacked
along a seed axis for example, and writes them back when `sync` is called, before they are evaluated or saved.
"""

from collections.abc import Sequence
from typing import Protocol

from workbench.engine.train.state import SeedState, Update


class Backend(Protocol):
    """Updates several seeds."""

    def update(self, active: Sequence[int]) -> list[Update]:
        """Update the seeds with these indices once, each with its own batch, and return what each computed."""
        ...

    def sync(self, index: int) -> None:
        """Write the weights and the optimizer's memory of one seed into its state."""
        ...


class Loop:
    """One seed after the other."""

    def __init__(self, states: Sequence[SeedState]):
        self.states = states

    def update(self, active: Sequence[int]) -> list[Update]:
        """Update the seeds with these indices once."""
        return [self.states[index].update() for index in active]

    def sync(self, index: int) -> None:
        """Do nothing: the states hold the weights."""
