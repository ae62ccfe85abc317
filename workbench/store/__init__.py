"""The study's one SQLite file: what was answered, and when each item is due."""

from workbench.store.file import Store
from workbench.store.rows import Attempt, ItemState

__all__ = ["Attempt", "ItemState", "Store"]
