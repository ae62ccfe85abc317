"""The index of all drills, cards and formulas: their ids, topics and titles, without importing the questions.

The entries are read from the source files and stored in a file in the cache folder, for each source with the
modification time and size of the files that they depend on. Only sources that changed are read again. Packs are not
part of the file; they are read each time.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, TypedDict, TypeVar
from zlib import crc32

import quizzes
from quizzes import content
from quizzes.index import READERS, CardEntry, DrillEntry, FormulaEntry
from quizzes.static import Sources
from workbench import files, syllabus
from workbench.errors import DeclarationError, unknown_name
from workbench.paths import cache_dir
from workbench.user_bank import user_packs

FILE = "questions.json"
# What the entries depend on besides the sources.
PROGRAM = [__file__, *(f"{quizzes.__path__[0]}/{name}.py" for name in ("index", "static", "symbols", "formula"))]

State = list[int]  # modification time in nanoseconds, size in bytes
AnyEntry = TypeVar("AnyEntry", DrillEntry, CardEntry, FormulaEntry)


class Source(TypedDict):
    """A source file in the cache: the states of the files that its entries depend on, and the entries."""

    states: dict[str, State]
    rows: list[list[Any]]


class Index(NamedTuple):
    """The entries of the built-in drills, cards and formulas, in the order of the syllabus."""

    drills: list[DrillEntry]
    cards: list[CardEntry]
    formulas: list[FormulaEntry]


def drills() -> list[DrillEntry]:
    """Return an entry for every drill: the built-in drills, then those of packs."""
    entries = list(_index().drills)
    for pack in user_packs():
        if not pack.problems:
            for d in pack.drills.values():
                entries.append(DrillEntry(d.id, d.type, d.topic, d.title, d.tier, d.kinds, *pack.place(d.id)))
    return entries


def cards() -> list[CardEntry]:
    """Return an entry for every card: the built-in cards, then those of packs."""
    entries = list(_index().cards)
    for pack in user_packs():
        if not pack.problems:
            entries += [CardEntry(c.id, c.topic, c.kind, c.prompt, *pack.place(c.id)) for c in pack.cards.values()]
    return entries


def formulas() -> list[FormulaEntry]:
    """Return an entry for every formula."""
    return _index().formulas


@cache
def _index() -> Index:
    return load_index()


def load_index() -> Index:
    """Return the index, reading the sources that changed since the cache was written.

    Raises:
        DeclarationError: If a source can't be read.
    """
    path, states, program = cache_dir() / FILE, dict(_states()), [_state(path) for path in PROGRAM]
    cached, current = _read(path, program), _Reader(states)
    sources = {
        str(file): current.source(name, file, cached.get(str(file))) for name in READERS for file in content.files(name)
    }
    if sources != cached:
        _write(path, program, sources)
    return Index(
        _entries(DrillEntry, "drills.py", sources),
        _entries(CardEntry, "cards.toml", sources),
        _entries(FormulaEntry, "formulas.py", sources),
    )


class _Reader:
    """Reads the sources that changed.

    Args:
        states: The current states of all files.
    """

    def __init__(self, states: dict[str, State]):
        self.states, self.parsed = states, Sources()

    def source(self, name: str, file: Path, cached: Source | None) -> Source:
        """Return a source as it is in the cache, or read it if a file that it depends on changed."""
        if cached and all(self.states.get(path) == state for path, state in cached["states"].items()):
            return cached
        rows = [list(entry) for entry in READERS[name](self.parsed, file)]
        paths = self.parsed.dependencies(file) if file.suffix == ".py" else [file]
        return Source(states={str(path): self.states[str(path)] for path in paths}, rows=rows)


def _entries(kind: type[AnyEntry], name: str, sources: dict[str, Source]) -> list[AnyEntry]:
    """Return the entries of all files of a name, in the order of the syllabus.

    Raises:
        DeclarationError: If the syllabus has no topic with the name of an entry's topic.
    """
    entries = [kind(*row) for file in content.files(name) for row in sources[str(file)]["rows"]]
    order = {topic: number for number, topic in enumerate(syllabus.topics())}
    for entry in entries:
        if entry.topic not in order:
            raise DeclarationError(f"{entry.file}:{entry.line}: {unknown_name('topic', entry.topic, order)}")
    return sorted(entries, key=lambda entry: order[entry.topic])


def _states() -> Iterator[tuple[str, State]]:
    """Yield the path and the state of every file that an entry may depend on."""
    for root in content.__path__:
        for folder, _, names in os.walk(root):
            for path in (f"{folder}/{name}" for name in names if name.endswith((".py", ".toml"))):
                yield path, _state(path)


def _state(path: str) -> State:
    status = os.stat(path)  # noqa: PTH116  a Path for each file takes longer
    return [status.st_mtime_ns, status.st_size]


def _read(path: Path, program: list[State]) -> dict[str, Source]:
    """Return the sources from a file; none if it is missing, damaged, or made by another version of the program."""
    try:
        checksum, _, text = path.read_bytes().partition(b"\n")
        if int(checksum, 16) != crc32(text):
            return {}
        made_by, sources = json.loads(text)
    except (OSError, ValueError):
        return {}
    return sources if made_by == program else {}


def _write(path: Path, program: list[State], sources: dict[str, Source]) -> None:
    text = json.dumps([program, sources]).encode()
    with suppress(OSError):  # without a cache, the sources are read the next time too
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, f"{crc32(text):08x}\n".encode() + text)
