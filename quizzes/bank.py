"""The question bank: all drills and cards by id, built-in or from packs.

`draw("conv-out-size", seed=7)` returns a question.
"""

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from quizzes import cards, content, packs
from quizzes.cards import Card
from quizzes.declaration import check_pairs
from quizzes.drill import Drill
from quizzes.question import Question
from workbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

MAX_SEED = 2**63 - 1  # the largest integer of SQLite, in which seeds are stored


@cache
def _drills_of(folder: Path) -> dict[str, Drill]:
    """Import the drills of a topic's folder and return them by id."""
    result: dict[str, Drill] = {}
    for file in content.files("drills.py", folder):
        for value in vars(content.load(file)).values():
            if isinstance(value, Drill) and result.setdefault(value.id, value) is not value:
                raise ValueError(f"Two drills have the id {value.id}.")
    check_pairs(folder / "checks.py", result.values())
    return result


@cache
def builtin_drills() -> dict[str, Drill]:
    """Return the built-in drills by id, sorted by chapter and topic."""
    result: dict[str, Drill] = {}
    for folder in content.topic_folders().values():
        for id, drill in _drills_of(folder).items():
            if result.setdefault(id, drill) is not drill:
                raise ValueError(f"Two drills have the id {id}.")
    return result


def _builtin_drill(id: str) -> Drill | None:
    """Return the built-in drill with an id; None if there is none.

    Only the topics whose text declares the id are imported, because importing all of them takes long.
    """
    if builtin_drills.cache_info().currsize:  # all of them have been imported already
        return builtin_drills().get(id)
    declarations = (f'"{id}"', f"def {id.replace('-', '_')}(")
    for file in content.files("drills.py"):
        text = file.read_text(encoding="utf-8")
        is_declared = any(declaration in text for declaration in declarations)
        if is_declared and (drill := _drills_of(content.topic_folder(file)).get(id)):
            return drill
    return None


def _builtin_card(id: str) -> Card | None:
    """Return the built-in card with an id, reading only the file of its topic; None if there is none."""
    return next((card for card in cards.of_topic(id.partition("/")[0]) if card.id == id), None)


@cache
def _drills_with_packs(valid_packs: "tuple[Pack, ...]") -> dict[str, Drill]:
    return builtin_drills() | {id: drill for pack in valid_packs for id, drill in pack.drills.items()}


@cache
def _cards_with_packs(valid_packs: "tuple[Pack, ...]") -> dict[str, Card]:
    return cards.all_cards() | {id: card for pack in valid_packs for id, card in pack.cards.items()}


def all_drills() -> dict[str, Drill]:
    """Return every drill by id: the built-in drills, then those of packs."""
    return _drills_with_packs(packs.valid_packs())


def all_cards() -> dict[str, Card]:
    """Return every card by id: the built-in cards, then those of packs."""
    return _cards_with_packs(packs.valid_packs())


def all_drills_and_cards() -> dict[str, Drill | Card]:
    """Return every drill and card by id: everything that can be scheduled for review."""
    return {**all_drills(), **all_cards()}


def get_drill(id: str) -> Drill:
    """Return the drill with an id.

    Raises:
        UserError: If there is none; the message suggests the closest ids.
    """
    if drill := _find_drill(id):
        return drill
    raise _unknown_id("drill", id, all_drills())


def get_card(id: str) -> Card:
    """Return the card with an id.

    Raises:
        UserError: If there is none; the message suggests the closest ids.
    """
    if card := _find_card(id):
        return card
    raise _unknown_id("card", id, all_cards())


def _find_drill(id: str) -> Drill | None:
    return _builtin_drill(id) or next((pack.drills[id] for pack in packs.valid_packs() if id in pack.drills), None)


def _find_card(id: str) -> Card | None:
    return _builtin_card(id) or next((pack.cards[id] for pack in packs.valid_packs() if id in pack.cards), None)


def _unknown_id(noun: str, id: str, options: Iterable[str]) -> UserError:
    """Return the error for an id that can't be used: its pack has problems, or there is no such id."""
    return packs.rejection(id) or unknown_name(noun, id, options)


def draw(id: str, seed: int) -> Question:
    """Return the question that a drill generates for a seed, or a card with its choices shuffled by the seed.

    The same id and seed give the same question on every machine.

    Raises:
        UserError: If there is no such drill or card, or the seed is out of range.
    """
    if not 0 <= seed <= MAX_SEED:
        raise UserError(f"The seed must be an integer from 0 to {MAX_SEED}, not {seed}.")
    return find(id).draw(seed)


def find(id: str) -> Drill | Card:
    """Return the drill or card with an id.

    Raises:
        UserError: If there is none; the message suggests the closest ids.
    """
    if item := _find_drill(id) or _find_card(id):
        return item
    raise _unknown_id("drill or card", id, all_drills_and_cards())
