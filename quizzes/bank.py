"""All drills and cards by id: `draw("conv-out-size", seed=7)`."""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from quizzes import cards, content, packs
from quizzes.cards import Card
from quizzes.drill import Drill
from quizzes.question import Question
from workbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

LARGEST_SEED = 2**63 - 1


def _drills_in(file: Path) -> dict[str, Drill]:
    result: dict[str, Drill] = {}
    for value in vars(content.load(file)).values():
        if isinstance(value, Drill) and result.setdefault(value.id, value) is not value:
            raise ValueError(f"two drills are called {value.id}")
    return result


@cache
def own_drills() -> dict[str, Drill]:
    """Return the program's own drills by id, in the order of the chapters' folders and the topics' files."""
    result: dict[str, Drill] = {}
    for file in content.files("drills.py"):
        for id, drill in _drills_in(file).items():
            if result.setdefault(id, drill) is not drill:
                raise ValueError(f"two drills are called {id}")
    return result


def _own_drill(id: str) -> Drill | None:
    """Return the program's own drill of that id; load only files whose text declares it."""
    if own_drills.cache_info().currsize:  # all are loaded
        return own_drills().get(id)
    declarations = (f'"{id}"', f"def {id.replace('-', '_')}(")
    for file in content.files("drills.py"):
        text = file.read_text(encoding="utf-8")
        if any(words in text for words in declarations) and (drill := _drills_in(file).get(id)):
            return drill
    return None


def _own_card(id: str) -> Card | None:
    """Return the program's own card of that id; load only its topic's file."""
    return next((card for card in cards.of_topic(id.partition("/")[0]) if card.id == id), None)


@cache
def _drills_with(loaded: "tuple[Pack, ...]") -> dict[str, Drill]:
    return own_drills() | {id: drill for pack in loaded for id, drill in pack.drills.items()}


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
    if drill := _drill(id):
        return drill
    raise _unknown("drill", id, all_drills())


def card(id: str) -> Card:
    """Return the card of that id.

    Raises:
        UserError: If there is none; the message gives the closest ids.
    """
    if card := _card(id):
        return card
    raise _unknown("card", id, all_cards())


def _drill(id: str) -> Drill | None:
    return _own_drill(id) or next((pack.drills[id] for pack in packs.valid_packs() if id in pack.drills), None)


def _card(id: str) -> Card | None:
    return _own_card(id) or next((pack.cards[id] for pack in packs.valid_packs() if id in pack.cards), None)


def _unknown(noun: str, id: str, options: Iterable[str]) -> UserError:
    return packs.rejection(id) or unknown_name(noun, id, options)


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
    if item := _drill(id) or _card(id):
        return item
    raise _unknown("drill or card", id, everything())
