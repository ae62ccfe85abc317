"""The SQLite file of the study: all graded answers, and when each item is due."""

from workbench.store.file import Store
from workbench.store.rows import Attempt, ItemState

__all__ = ["Attempt", "ItemState", "Store"]
