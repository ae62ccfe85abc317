"""The index of claims: their ids, topics and kinds, read from the sources without running them.

The entries are stored in the cache folder, with the times and sizes of the files that they were read from.
"""

import ast
import json
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from workbench import files
from workbench.claims.chapters import __path__ as chapters_path
from workbench.paths import cache_dir

KINDS = {"Exact": "exact", "Scaling": "scaling", "Empirical": "empirical"}
FILE = "claims.json"


class Entry(NamedTuple):
    """A claim.

    Attributes:
        claim: Its id.
        topic: Its topic.
        kind: Its kind; an exact claim may be structural.
        expected: The expected verdict.
    """

    claim: str
    topic: str
    kind: str
    expected: str


def entries() -> list[Entry]:
    """Return all claims, file by file."""
    sources = sorted(Path(chapters_path[0]).glob("[!_]*.py"))
    states = [[source.name, source.stat().st_mtime_ns, source.stat().st_size] for source in sources]
    path = cache_dir() / FILE
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(path.read_bytes())
        if stored["states"] == states:
            return [Entry(*row) for row in stored["entries"]]
    read = [entry for source in sources for entry in _read(source)]
    with suppress(OSError):  # without a cache folder, they are read each time
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write(path, json.dumps({"states": states, "entries": read}).encode())
    return read


def by_topic(topic: str) -> list[str]:
    """Return the ids of the claims of a topic."""
    return [entry.claim for entry in entries() if entry.topic == topic]


def _read(source: Path) -> list[Entry]:
    rows = []
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KINDS:
            fields = {
                keyword.arg: keyword.value.value for keyword in node.keywords if isinstance(keyword.value, ast.Constant)
            }
            if {"id", "topic", "expected"} <= fields.keys():
                kind = "structural" if fields.get("is_structural") else KINDS[node.func.id]
                rows.append(Entry(str(fields["id"]), str(fields["topic"]), kind, str(fields["expected"])))
    return rows
