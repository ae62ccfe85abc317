"""All drills and cards by id: `draw("conv-out-size", seed=7)`."""

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from quizzes import cards, drills, packs
from quizzes.cards import Card
from quizzes.drill import Drill
from quizzes.question import Question
from workbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

LARGEST_SEED = 2**63 - 1

Item = TypeVar("Item", Drill, Card)


@cache
def _own_drills() -> dict[str, Drill]:
    """Return the program's own drills by id, in the order of the chapters' folders and the topics' files."""
    result: dict[str, Drill] = {}
    root = Path(drills.__file__).parent
    for file in sorted(root.glob("*/[a-z]*.py")):
        module = import_module(f"{drills.__name__}.{file.parent.name}.{file.stem}")
        for value in vars(module).values():
            if isinstance(value, Drill) and result.setdefault(value.id, value) is not value:
                raise ValueError(f"two drills are called {value.id}")
    return result


@cache
def _drills_with(loaded: "tuple[Pack, ...]") -> dict[str, Drill]:
    return _own_drills() | {id: drill for pack in loaded for id, drill in pack.drills.items()}


@cache
def _cards_with(loaded: "tuple[Pack, ...]") -> dict[str, Card]:
    return cards.all_cards() | {id: card for pack in loaded for id, card in pack.cards.items()}


def all_drills() -> dict[str, Drill]:
    """Return every drill by id: the program's own in the order of the course, then those of packs."""
    return _drills_with(packs.valid_packs())


def all_cards() -> dict[str, Card]:
    """Return every card by id: the program's own, then those of packs."""
    return _cards_with(packs.valid_packs())


def everything() -> dict[str, Drill | Card]:
    """Return every drill and card by id: all that can be scheduled."""
    return {**all_drills(), **all_cards()}


def get(id: str) -> Drill:
    """Return the drill of that id.

    Raises:
        UserError: If there is none; the message gives the closest ids.
    """
    return _get("drill", id, all_drills())


def card(id: str) -> Card:
    """Return the card of that id.

    Raises:
        UserError: If there is none; the message gives the closest ids.
    """
    return _get("card", id, all_cards())


def _get(noun: str, id: str, items: dict[str, Item]) -> Item:
    if id not in items:
        raise packs.rejection(id) or unknown_name(noun, id, list(items))
    return items[id]


def draw(id: str, seed: int) -> Question:
    """Return the question of a drill (or a card) and a seed: the same two give the same question on every machine.

    Raises:
        UserError: If there is no such drill or card, or the seed is out of range.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"The seed must be an integer from 0 to {LARGEST_SEED}, not {seed}.")
    return find(id).draw(seed)


def find(id: str) -> Drill | Card:
    """Return the drill or the card of that id.

    Raises:
        UserError: If there is neither; the message gives the closest ids.
    """
    items = everything()
    if id not in items:
        raise packs.rejection(id) or unknown_name("drill or card", id, items)
    return items[id]
