"""Everything that can be asked, found by id: `draw("conv-out-size", seed=7)`."""

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
def _our_drills() -> dict[str, Drill]:
    """The program's own drills by id, in the order of the chapters' folders and the topics' files."""
    found: dict[str, Drill] = {}
    root = Path(drills.__file__).parent
    for file in sorted(root.glob("*/[a-z]*.py")):
        module = import_module(f"{drills.__name__}.{file.parent.name}.{file.stem}")
        for value in vars(module).values():
            if isinstance(value, Drill) and found.setdefault(value.id, value) is not value:
                raise ValueError(f"two drills are called {value.id}")
    return found


@cache
def _drills_with(added: "tuple[Pack, ...]") -> dict[str, Drill]:
    return _our_drills() | {id: drill for pack in added for id, drill in pack.drills.items()}


@cache
def _cards_with(added: "tuple[Pack, ...]") -> dict[str, Card]:
    return cards.all_cards() | {id: card for pack in added for id, card in pack.cards.items()}


def all_drills() -> dict[str, Drill]:
    """Every drill by id: ours in the order of the course, then those of packs."""
    return _drills_with(packs.valid_packs())


def all_cards() -> dict[str, Card]:
    """Every card by id: ours, then those of packs."""
    return _cards_with(packs.valid_packs())


def everything() -> dict[str, Drill | Card]:
    """Every drill and card by id: all that can be scheduled."""
    return {**all_drills(), **all_cards()}


def get(id: str) -> Drill:
    """The drill of that id.

    Raises:
        UserError: Where there is none, with the nearest ids.
    """
    return _known("drill", id, all_drills())


def card(id: str) -> Card:
    """The card of that id.

    Raises:
        UserError: Where there is none, with the nearest ids.
    """
    return _known("card", id, all_cards())


def _known(noun: str, id: str, known: dict[str, Item]) -> Item:
    if id not in known:
        raise packs.rejection(id) or unknown_name(noun, id, list(known))
    return known[id]


def draw(id: str, seed: int) -> Question:
    """The question of a drill (or a card) and a seed: the same two give the same question, everywhere.

    Raises:
        UserError: Where there is no such drill, or the seed is out of range.
    """
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"The seed must be a whole number from 0 to {LARGEST_SEED}.")
    return find(id).draw(seed)


def find(id: str) -> Drill | Card:
    """The drill or the card of that id.

    Raises:
        UserError: Where there is neither, with the nearest ids.
    """
    for known in (all_drills(), all_cards()):
        if id in known:
            return known[id]
    raise packs.rejection(id) or unknown_name("drill or card", id, [*all_drills(), *all_cards()])
