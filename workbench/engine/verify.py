"""PyTorch's checks of questions, computed in a warm worker, because only workers import torch."""

from dataclasses import asdict
from typing import Any

from quizzes.question import Check
from workbench.engine.client import TIMEOUT, Client, ScriptError

__all__ = ["ScriptError", "Verifier"]


class Verifier(Client):
    """The client of a warm worker, with the jobs of questions."""

    def values(self, check: Check, names: list[str], timeout: float = TIMEOUT) -> dict[str, Any]:
        """Return the values that a drill's check computes.

        Args:
            check: The check with its arguments.
            names: The names of the values.
            timeout: Seconds.

        Returns:
            Name -> a number, a text, or (for tensors and shapes) lists of them.

        Raises:
            ScriptError: If the check failed, took too long, or computes no such value.
        """
        return self.ask({"job": "verify", **asdict(check), "names": names}, timeout)

    def gradients(self, nodes: list[dict[str, Any]], timeout: float = TIMEOUT) -> dict[str, dict[str, float | None]]:
        """Return the value and the gradient at each node of a computation graph; see `engine.autograd`.

        Raises:
            ScriptError: If it failed or took too long.
        """
        return self.ask({"job": "autograd", "nodes": nodes}, timeout)
