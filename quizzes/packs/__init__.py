"""Packs: drills and cards that anybody can write as TOML, in a folder, without Python (`docs/packs.md`).

Nothing in a pack is ever executed: its texts are shown, its equations are read by `expressions.parser`, and its drills
are drawn, graded and tested like every other drill. What a pack brings bears its name: `mypack/conv-basics` is a drill,
`mypack/convolution/shared-weights` a card.

Where packs lie is said once with `use`; they are read when questions are first looked up.
"""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.errors import UserError

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

_read: "Callable[[], list[Pack]]" = list
_every: "tuple[Pack, ...] | None" = None


def use(folder: Callable[[], Path], topics: Callable[[], Collection[str]]) -> None:
    """Say where packs lie.

    Args:
        folder: Gives the folder that holds them, a folder each.
        topics: Gives the ids of the topics that they may name.
    """
    global _read, _every

    def read() -> "list[Pack]":
        if not (place := folder()).is_dir():
            return []
        from quizzes.packs.shelf import shelved

        return shelved(place, topics())

    _read, _every = read, None


def every() -> "tuple[Pack, ...]":
    """Every pack that lies there, also those with problems."""
    global _every
    if _every is None:
        _every = tuple(_read())
    return _every


def sound() -> "tuple[Pack, ...]":
    """The packs whose drills and cards are asked: a pack with a problem is left out whole."""
    return tuple(pack for pack in every() if not pack.problems)


def left_out(id: str) -> UserError | None:
    """Why an id isn't there, where it belongs to a pack that is left out."""
    name, slash, _ = id.partition("/")
    return next((UserError(pack.trouble()) for pack in every() if slash and pack.name == name and pack.problems), None)
