"""The layers of a network, without torch: computed once in a process of its own, then read from a cache.

A cached summary has a digest of itself and of the sources of `models`. If any network has changed or the file is
damaged, the summary is computed again.
"""

import json
import subprocess
import sys
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import models
from models.summary import ModelSummary
from workbench import files
from workbench.errors import UserError, lookup
from workbench.paths import cache_dir, make_private


def summarize(name: str, preset: str = "paper") -> ModelSummary:
    """Return the layers of a network of the registry.

    Raises:
        UserError: If there is no network of that name.
        UserError: If it has no such preset, or torch can't be run here.
    """
    lookup(f"preset of {name}", preset, models.info(name).presets)
    file = cache_dir() / "layers" / f"{name}-{preset}.json"
    record = read_cache(file)
    if record is None:
        record = compute(name, preset)
        write_cache(file, record)
    return ModelSummary.from_dict(record)


def compute(name: str, preset: str) -> dict[str, Any]:
    """Return the summary as plain data, from a process that imports torch and ends.

    Raises:
        UserError: If the process fails.
    """
    command = [sys.executable, "-P", "-m", "models.cost", name, preset]
    process = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    if process.returncode:
        *_, reason = process.stderr.strip().splitlines() or [f"exit code {process.returncode}"]
        raise UserError(f"The layers of {name} can't be counted: {reason}")
    record: dict[str, Any] = json.loads(process.stdout)
    return record


def read_cache(file: Path) -> dict[str, Any] | None:
    """Return a cached summary; None if there is none, the sources have changed, or the file is damaged."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        content = json.loads(file.read_text(encoding="utf-8"))
        record: dict[str, Any] = content["summary"]
        if content["digest"] == digest(record):
            return record
    return None


def write_cache(file: Path, record: dict[str, Any]) -> None:
    """Write a summary to the cache in one step, so that no reader finds half of it; do nothing if that fails."""
    with suppress(OSError):
        make_private(file.parent)
        files.write(file, json.dumps({"digest": digest(record), "summary": record}).encode())


def digest(record: dict[str, Any]) -> str:
    """Return a digest of a summary and of the sources that it was computed from."""
    return sha256((sources_digest() + json.dumps(record)).encode()).hexdigest()


@cache
def sources_digest() -> str:
    """Return a digest of every file of `models`, because a network may use layers from other files."""
    root = Path(models.__file__).parent
    hasher = sha256()
    for file in sorted(root.rglob("*.py")):
        hasher.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return hasher.hexdigest()
