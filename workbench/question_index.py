"""The index of all drills, cards and formulas: their ids, topics and titles, without importing the questions.

The entries are read from the source files and stored in a file in the cache folder, with the modification time and size
of every file that they depend on. If a file changed, what depends on it is read again. Packs are not part of the file;
they are read each time.
"""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

import quizzes
from quizzes import content
from quizzes.index import READERS, CardEntry, DrillEntry, Entry, FormulaEntry
from quizzes.static import Sources
from workbench import files, syllabus
from workbench.errors import DeclarationError, unknown_name
from workbench.paths import cache_dir, make_private
from workbench.user_bank import user_packs

FILE = "questions.json"
# What all entries depend on, in `quizzes`.
READING = ("index", "static", "symbols", "answer_symbols", "formula", "chain", "derivation")
PROGRAM = [__file__, *(f"{quizzes.__path__[0]}/{name}.py" for name in READING)]

State = list[int]  # modification time in nanoseconds, size in bytes
AnyEntry = TypeVar("AnyEntry", DrillEntry, CardEntry, FormulaEntry)


class Index:
    """The entries of the built-in questions, in the order of the syllabus.

    Args:
        lines: The content of the file: the states of all files, the dependencies of each source, and for each kind of
            entry a line. A line is parsed when it is needed.
    """

    def __init__(self, lines: list[bytes]):
        self.lines = lines

    @cached_property
    def drills(self) -> list[DrillEntry]:
        """The drills."""
        return [DrillEntry(*row) for row in json.loads(self.lines[2])]

    @cached_property
    def cards(self) -> list[CardEntry]:
        """The cards."""
        return [CardEntry(*row) for row in json.loads(self.lines[3])]

    @cached_property
    def formulas(self) -> list[FormulaEntry]:
        """The formulas."""
        return [FormulaEntry(*row) for row in json.loads(self.lines[4])]


def drills() -> list[DrillEntry]:
    """Return an entry for every drill: the built-in drills, then those of packs."""
    entries = list(_index().drills)
    for pack in user_packs():
        if not pack.problems:
            for d in pack.drills.values():
                row = (d.id, d.type, d.topic, d.title, d.tier, d.kinds, [*d.joins])
                entries.append(DrillEntry(*row, *pack.place(d.id)))
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
    path, states = cache_dir() / FILE, dict(sorted(_states()))
    lines = _read(path)
    if not lines or lines[0] != _line(states):
        lines = _update(Index(lines) if lines else None, states)
        _write(path, lines)
    return Index(lines)


def _update(old: Index | None, states: dict[str, State]) -> list[bytes]:
    """Return the lines of the index, reading what changed since an older index.

    Raises:
        DeclarationError: If a source can't be read, or its topic is not in the syllabus.
    """
    sources, order = Sources(), {topic: number for number, topic in enumerate(syllabus.topics())}
    dependencies, cached_entries = _unchanged(old, states) if old else ({}, {})
    lines = []
    for name, read in READERS.items():
        entries: list[Entry] = []
        for file in map(str, content.files(name)):
            if file not in dependencies:
                cached_entries[file] = list(read(sources, Path(file)))
                dependencies[file] = list(map(str, sources.dependencies(Path(file))))
            entries += cached_entries[file]
        for entry in entries:
            for topic in (entry.topic, *(entry.joins if isinstance(entry, DrillEntry) else ())):
                if topic not in order:
                    raise DeclarationError(f"{entry.file}:{entry.line}: {unknown_name('topic', topic, order)}")
        lines.append(_line(sorted(entries, key=lambda entry: order[entry.topic])))
    return [_line(states), _line(dependencies), *lines]


def _unchanged(old: Index, states: dict[str, State]) -> tuple[dict[str, list[str]], dict[str, list[Entry]]]:
    """Return the dependencies and the entries of each source that an index has and that did not change."""
    old_states, dependencies = json.loads(old.lines[0]), json.loads(old.lines[1])
    if any(old_states.get(path) != states.get(path) for path in PROGRAM):
        return {}, {}
    entries: dict[str, list[Entry]] = {
        file: []
        for file, paths in dependencies.items()
        if all(old_states.get(path) == states.get(path) for path in paths)
    }
    old_entries: list[Entry] = [*old.drills, *old.cards, *old.formulas]
    for entry in old_entries:
        if entry.file in entries:
            entries[entry.file].append(entry)
    return {file: dependencies[file] for file in entries}, entries


def _states() -> Iterator[tuple[str, State]]:
    """Yield the path and the state of every file that an entry may depend on."""
    for path in (*PROGRAM, str(syllabus.FILE)):
        yield path, _state(path)
    for root in content.__path__:
        for folder, _, names in os.walk(root):
            for name in names:
                if name.endswith((".py", ".toml")) and name != "checks.py":
                    yield f"{folder}/{name}", _state(f"{folder}/{name}")


def _state(path: str) -> State:
    status = os.stat(path)  # noqa: PTH116  a Path for each file takes longer
    return [status.st_mtime_ns, status.st_size]


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"


def _read(path: Path) -> list[bytes]:
    """Return the lines of the file; none if it is missing, damaged or of another version."""
    try:
        with path.open("rb") as file:
            checksum, *lines = file
        is_whole = int(checksum, 16) == _checksum(lines) and len(lines) == 2 + len(READERS)
        return lines if is_whole else []
    except (OSError, ValueError):
        return []


def _write(path: Path, lines: list[bytes]) -> None:
    with suppress(OSError):  # without a cache, the sources are read the next time too
        make_private(path.parent)
        files.write(path, b"".join([b"%08x\n" % _checksum(lines), *lines]))


def _checksum(lines: list[bytes]) -> int:
    checksum = 0
    for line in lines:
        checksum = crc32(line, checksum)
    return checksum
