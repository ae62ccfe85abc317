"""An index of all drills, cards and formulas: their ids, topics and titles, without loading the questions themselves.

The index is a file in the cache folder. It holds the modification time and size of every source that it was made from:
if one of them changed, or the file is missing or damaged, the questions are loaded and the index is written again.
Packs are not part of the file; they are read each time.
"""

import json
import os
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

import quizzes
from quizzes import packs
from workbench import files
from workbench.paths import cache_dir

if TYPE_CHECKING:
    from quizzes.cards import Card
    from quizzes.drill import Drill

FILE = "questions.json"

Source = list[str | int]  # path, modification time in nanoseconds, size in bytes


class DrillEntry(NamedTuple):
    """The part of a drill that lists show."""

    id: str
    type: str
    topic: str
    title: str
    tier: int
    kinds: list[str]
    joins: list[str]


class CardEntry(NamedTuple):
    """The part of a card that lists show."""

    id: str
    topic: str
    kind: str
    prompt: str


class FormulaEntry(NamedTuple):
    """The part of a formula that lists show."""

    id: str
    topic: str
    title: str


class Index(NamedTuple):
    """The entries of the program's own drills, cards and formulas, in the order of the course."""

    drills: list[DrillEntry]
    cards: list[CardEntry]
    formulas: list[FormulaEntry]


def drills() -> list[DrillEntry]:
    """Return an entry for every drill: the program's own, then those of packs."""
    return _index().drills + [_drill_entry(drill) for pack in packs.valid_packs() for drill in pack.drills.values()]


def cards() -> list[CardEntry]:
    """Return an entry for every card: the program's own, then those of packs."""
    return _index().cards + [_card_entry(card) for pack in packs.valid_packs() for card in pack.cards.values()]


def formulas() -> list[FormulaEntry]:
    """Return an entry for every formula."""
    return _index().formulas


def load_index() -> Index:
    """Return the index from the cache, or load the questions and write it there."""
    path, sources = cache_dir() / FILE, _sources()
    index = _read(path, sources)
    if index is None:
        # A process that loaded questions earlier may have loaded older sources than there are now.
        is_current = not any(name.startswith("quizzes.content.") for name in sys.modules)
        index = build_index()
        if is_current:
            _write(path, sources, index)
    return index


def build_index() -> Index:
    """Load all questions and return their index."""
    from quizzes import bank
    from quizzes.cards import all_cards
    from quizzes.formulas import all_formulas

    return Index(
        [_drill_entry(drill) for drill in bank.builtin_drills().values()],
        [_card_entry(card) for card in all_cards().values()],
        [FormulaEntry(formula.id, formula.topic, formula.title) for formula in all_formulas().values()],
    )


@cache
def _index() -> Index:
    return load_index()


def _drill_entry(drill: "Drill") -> DrillEntry:
    return DrillEntry(drill.id, drill.type, drill.topic, drill.title, drill.tier, drill.kinds, list(drill.joins))


def _card_entry(card: "Card") -> CardEntry:
    return CardEntry(card.id, card.topic, card.kind, card.prompt)


def _sources() -> list[Source]:
    """Return every file that the index depends on."""
    paths = [__file__]
    for folder, _, names in os.walk(Path(quizzes.__file__).parent):
        paths += [f"{folder}/{name}" for name in names if name.endswith((".py", ".toml")) and not name.startswith(".")]
    return [[path, status.st_mtime_ns, status.st_size] for path in sorted(paths) for status in [Path(path).stat()]]


def _read(path: Path, sources: list[Source]) -> Index | None:
    """Return the index from a file; None if the file is missing, damaged or made from other sources."""
    try:
        checksum, _, content = path.read_bytes().partition(b"\n")
        if int(checksum, 16) != crc32(content):
            return None
        source_state, *entries = json.loads(content)
    except (OSError, ValueError):
        return None
    if source_state != sources:
        return None
    kinds = (DrillEntry, CardEntry, FormulaEntry)
    return Index(*([kind(*row) for row in rows] for kind, rows in zip(kinds, entries, strict=True)))


def _write(path: Path, sources: list[Source], index: Index) -> None:
    content = json.dumps([sources, *index]).encode()
    with suppress(OSError):  # without a cache, the questions are loaded the next time too
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, f"{crc32(content):08x}\n".encode() + content)
