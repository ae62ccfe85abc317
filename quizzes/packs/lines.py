"""Where the tables and keys of a TOML text stand: `tomllib` reads their values and keeps no lines."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
DEEP = 6  # keys of a path; nothing of a pack stands deeper, and a file may hold a key of thousands

# What may hide a line's end, a bracket or a comment's sign; whatever else stands there is passed over.
PIECE = re.compile(
    r'"""(?:\\.|(?!""").)*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
KEY = re.compile(r'(?:"(?:\\.|[^"\\])*"|\'[^\']*\'|[^="\'])*')


def places(text: str) -> dict[Path, int]:
    """The line, from 1, of every table and key of a text that `tomllib` reads.

    What stands inside a list or an inline table, or very deep, has no entry of its own.

    Returns:
        For each path, such as `("drill", 0, "ranges", "n")`, its line.
    """
    found: dict[Path, int] = {(): 1}
    last: dict[Path, int] = {}  # for each array of tables, the number of its last one
    table: Path = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            head, array = tomllib.loads(statement), statement.startswith("[[")
            *above, name = _keys(head)
            table = (*_inside((), above, last), name)
            if array:
                last[table] = last.get(table, -1) + 1
            if table in last:
                table = (*table, last[table])
            path = table
        else:
            key = KEY.match(statement)
            assert key
            path = (*table, *_keys(tomllib.loads(f"{key[0]}=0")))
        for end in range(1, min(len(path), DEEP) + 1):
            found.setdefault(path[:end], line)
    return found


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """The headers and assignments of a text, each with the line on which it begins."""
    line, begins, start, depth = 1, 1, 0, 0
    for piece in PIECE.finditer(text):
        depth += (piece[0] in ("[", "{")) - (piece[0] in ("]", "}"))
        line += piece[0].count("\n")
        if piece[0] == "\n" and not depth:
            yield from _statement(begins, text[start : piece.start()])
            begins, start = line, piece.end()
    yield from _statement(begins, text[start:])


def _statement(line: int, text: str) -> Iterator[tuple[int, str]]:
    if (statement := text.strip()) and not statement.startswith("#"):
        yield line, statement


def _keys(table: Any) -> list[str]:
    """The keys that lead to the one value of nested tables."""
    keys = []
    while isinstance(table, dict) and table:
        [(key, table)] = table.items()
        keys.append(key)
    return keys[:DEEP]


def _inside(path: Path, keys: list[str], last: dict[Path, int]) -> Path:
    """A header's path: where one of its keys names an array of tables, its last table is meant."""
    for key in keys:
        path = (*path, key)
        if path in last:
            path = (*path, last[path])
    return path
