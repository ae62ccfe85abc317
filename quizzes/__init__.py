"""Formulas, drills and cards, and how an answer is read and graded.

quizzes.Bank.load(packs=["my-pack"]).draw("conv-out-size", seed=7)
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quizzes.bank import Bank

__all__ = ["Bank"]


def __getattr__(name: str) -> object:
    """Import the bank when it is used, so that importing the package takes no time."""
    if name == "Bank":
        from quizzes.bank import Bank

        return Bank
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
