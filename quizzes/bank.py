"""The question bank: all drills and cards by id, built-in or from packs.

    Bank.load(packs=["my-pack"]).draw("conv-out-size", seed=7)

The functions of the module are those of the bank without packs: `bank.draw("conv-out-size", seed=7)`.
"""

from collections.abc import Iterable, Iterator
from os import PathLike
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from quizzes.builtin import CONTENT, Content
from quizzes.card import Card
from quizzes.drill import Drill
from quizzes.question import Question
from workbench import syllabus
from workbench.errors import UserError, unknown_name

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

MAX_SEED = 2**63 - 1  # the largest integer of SQLite, in which seeds are stored


class Bank:
    """All drills and cards: the built-in ones, then those of packs.

    Args:
        content: The built-in drills and cards.
        packs: The packs. They are iterated when an id is looked up that is not built-in. Drills and cards of packs
            with problems are not used.
    """

    def __init__(self, content: Content, packs: "Iterable[Pack]" = ()):
        self.content, self._iterable, self._lock = content, packs, Lock()
        self._packs: tuple[Pack, ...] | None = None

    @classmethod
    def load(cls, packs: Iterable[str | PathLike[str]] = ()) -> Self:
        """Return the bank of the built-in questions and of packs.

        Args:
            packs: The folders of the packs, each with its `pack.toml`.

        Raises:
            UserError: If there is no such folder.
        """
        folders = [Path(folder) for folder in packs]
        for folder in folders:
            if not folder.is_dir():
                raise UserError(f"There is no folder {folder}. Name the folder that contains pack.toml.")
        return cls(CONTENT, _Folders(folders))

    @property
    def packs(self) -> "tuple[Pack, ...]":
        """All packs, including those with problems."""
        with self._lock:  # screens look up questions in threads
            if self._packs is None:
                self._packs = tuple(self._iterable)
            return self._packs

    @property
    def valid_packs(self) -> "tuple[Pack, ...]":
        """The packs without problems. Only their drills and cards are used."""
        return tuple(pack for pack in self.packs if not pack.problems)

    def all_drills(self) -> dict[str, Drill]:
        """Return every drill by id: the built-in drills, then those of packs."""
        return {**self.content.drills, **{id: drill for pack in self.valid_packs for id, drill in pack.drills.items()}}

    def all_cards(self) -> dict[str, Card]:
        """Return every card by id: the built-in cards, then those of packs."""
        return {**self.content.cards, **{id: card for pack in self.valid_packs for id, card in pack.cards.items()}}

    def all_drills_and_cards(self) -> dict[str, Drill | Card]:
        """Return every drill and card by id: everything that can be scheduled for review."""
        return {**self.all_drills(), **self.all_cards()}

    def get_drill(self, id: str) -> Drill:
        """Return the drill with an id.

        Raises:
            UserError: If there is none; the message suggests the closest ids.
        """
        if drill := self._find_drill(id):
            return drill
        raise self._unknown_id("drill", id, self.all_drills())

    def get_card(self, id: str) -> Card:
        """Return the card with an id.

        Raises:
            UserError: If there is none; the message suggests the closest ids.
        """
        if card := self._find_card(id):
            return card
        raise self._unknown_id("card", id, self.all_cards())

    def find(self, id: str) -> Drill | Card:
        """Return the drill or card with an id.

        Raises:
            UserError: If there is none; the message suggests the closest ids.
        """
        if item := self._find_drill(id) or self._find_card(id):
            return item
        raise self._unknown_id("drill or card", id, self.all_drills_and_cards())

    def draw(self, id: str, seed: int) -> Question:
        """Return the question that a drill generates for a seed, or a card with its choices shuffled by the seed.

        The same id and seed give the same question on every machine.

        Raises:
            UserError: If there is no such drill or card, or the seed is out of range.
        """
        if not 0 <= seed <= MAX_SEED:
            raise UserError(f"The seed must be an integer from 0 to {MAX_SEED}, not {seed}.")
        return self.find(id).draw(seed)

    def _find_drill(self, id: str) -> Drill | None:
        built_in = self.content.find_drill(id)
        return built_in or next((pack.drills[id] for pack in self.valid_packs if id in pack.drills), None)

    def _find_card(self, id: str) -> Card | None:
        built_in = self.content.find_card(id)
        return built_in or next((pack.cards[id] for pack in self.valid_packs if id in pack.cards), None)

    def _unknown_id(self, noun: str, id: str, options: Iterable[str]) -> UserError:
        """Return the error for an id that can't be used: its pack has problems, or there is no such id."""
        name, slash, _ = id.partition("/")
        for pack in self.packs:
            if slash and pack.problems and name in (pack.name, pack.folder.name):
                return UserError(pack.summarize_problems())
        return unknown_name(noun, id, options)


class _Folders:
    """The packs in several folders, read when they are iterated."""

    def __init__(self, folders: list[Path]):
        self.folders = folders

    def __iter__(self) -> "Iterator[Pack]":
        """Read the packs.

        Raises:
            UserError: If two have the same name.
        """
        from quizzes.packs.pack import read_pack

        names: dict[str, Path] = {}
        for folder in self.folders:
            pack = read_pack(folder, syllabus.topics())
            if pack.name and names.setdefault(pack.name, folder) != folder:
                raise UserError(f"The packs in {names[pack.name]} and {folder} have the same name. Rename one of them.")
            yield pack


BUILTIN = Bank(CONTENT)

draw, find, get_drill, get_card = BUILTIN.draw, BUILTIN.find, BUILTIN.get_drill, BUILTIN.get_card
all_drills, all_cards, all_drills_and_cards = BUILTIN.all_drills, BUILTIN.all_cards, BUILTIN.all_drills_and_cards
