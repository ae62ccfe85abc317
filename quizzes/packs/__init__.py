"""Packs: drills and cards that users write in TOML, without Python (`docs/packs.md`).

Nothing in a pack is executed: its texts are displayed, its equations are read by `quizzes.expressions.parser`, and its
drills are drawn, graded and tested like the program's own. Ids begin with the pack's name: `mypack/conv-basics` is a
drill, `mypack/convolution/shared-weights` a card.

`configure` sets the folder of the packs. They are read when questions are first looked up.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UserError

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

_load: "Callable[[], list[Pack]]" = list
_packs: "tuple[Pack, ...] | None" = None


def configure(get_folder: Callable[[], Path], get_topics: Callable[[], Collection[str]]) -> None:
    """Set where packs are read from.

    Args:
        get_folder: Returns the folder that contains the packs, each in a folder of its name.
        get_topics: Returns the ids of the topics that packs may use.
    """
    global _load, _packs

    def load() -> "list[Pack]":
        if not (folder := get_folder()).is_dir():
            return []
        from quizzes.packs.library import load_all

        return load_all(folder, get_topics())

    _load, _packs = load, None


def all_packs() -> "tuple[Pack, ...]":
    """Return every pack in the folder, including those with problems."""
    global _packs
    if _packs is None:
        _packs = tuple(_load())
    return _packs


def valid_packs() -> "tuple[Pack, ...]":
    """Return the packs without problems. Only their drills and cards are used."""
    return tuple(pack for pack in all_packs() if not pack.problems)


def rejection(id: str) -> UserError | None:
    """Return the error for a drill or card of a pack that has problems; None if the id belongs to no such pack."""
    name, slash, _ = id.partition("/")
    packs = [pack for pack in all_packs() if slash and pack.name == name and pack.problems]
    return UserError(packs[0].summarize_problems()) if packs else None
