"""Line numbers of the tables and keys of a TOML text, because `tomllib` returns only their values."""

import re
import tomllib
from collections.abc import Iterator
from typing import Any

KeyPath = tuple[str | int, ...]  # keys from the outside in, and indices into arrays of tables

MAX_DEPTH = 6  # keys of a path; packs need fewer, and a file may contain a key with thousands of dots

# Everything that may contain a line break, a bracket or a comment sign without its usual meaning, and these themselves.
TOKEN = re.compile(
    r'"""(?:\\.|(?!""").)*"{3,5}'
    r"|'''(?:(?!''').)*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
    r"|#[^\n]*"
    r"|[\[\]{}\n]",
    re.DOTALL,
)
KEY = re.compile(r'(?:"(?:\\.|[^"\\])*"|\'[^\']*\'|[^="\'])*')


def line_numbers(text: str) -> dict[KeyPath, int]:
    """Return the line, counted from 1, of every table and key.

    Keys inside a list or an inline table have no entry, nor have keys at a depth over `MAX_DEPTH`.

    Args:
        text: A text that `tomllib` can read.

    Returns:
        The line of each path, such as `("drill", 0, "ranges", "n")`. The path `()` is on line 1.
    """
    lines: dict[KeyPath, int] = {(): 1}
    last_index: dict[KeyPath, int] = {}  # of each array of tables
    table: KeyPath = ()
    for line, statement in _statements(text):
        if statement.startswith("["):
            *parents, name = _keys(tomllib.loads(statement))
            table = (*_resolve(parents, last_index), name)
            if statement.startswith("[["):
                last_index[table] = last_index.get(table, -1) + 1
            if table in last_index:
                table = (*table, last_index[table])
            path = table
        else:
            key = KEY.match(statement)
            assert key
            path = (*table, *_keys(tomllib.loads(f"{key[0]}=0")))
        for end in range(1, min(len(path), MAX_DEPTH) + 1):
            lines.setdefault(path[:end], line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Yield the headers and assignments of a text, each with the line on which it begins."""
    line, first_line, start, depth = 1, 1, 0, 0
    for token in TOKEN.finditer(text):
        depth += (token[0] in ("[", "{")) - (token[0] in ("]", "}"))
        line += token[0].count("\n")
        if token[0] == "\n" and not depth:
            yield from _statement(first_line, text[start : token.start()])
            first_line, start = line, token.end()
    yield from _statement(first_line, text[start:])


def _statement(line: int, text: str) -> Iterator[tuple[int, str]]:
    if (statement := text.strip()) and not statement.startswith("#"):
        yield line, statement


def _keys(table: Any) -> list[str]:
    """Return the keys that lead to the only value of nested tables."""
    keys = []
    while isinstance(table, dict) and table:
        [(key, table)] = table.items()
        keys.append(key)
    return keys[:MAX_DEPTH]


def _resolve(keys: list[str], last_index: dict[KeyPath, int]) -> KeyPath:
    """Return the path of the keys of a header; a key that names an array of tables means its last table."""
    path: KeyPath = ()
    for key in keys:
        path = (*path, key)
        if path in last_index:
            path = (*path, last_index[path])
    return path
