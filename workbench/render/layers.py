"""The layers of a network, without torch: made once in a process of its own, then kept in a file.

What is kept says of which sources it was made, and a digest of itself: after a change of any network, or where the file
is damaged, it is made again.
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
from models.layer import Outline
from workbench import files
from workbench.errors import UserError, lookup
from workbench.paths import cache_dir


def outline(name: str, preset: str = "paper") -> Outline:
    """The layers of a network of the registry.

    Raises:
        UserError: There is no network of that name.
        UserError: It has no such preset, or torch can't be run here.
    """
    lookup(f"preset of {name}", preset, models.info(name).presets)
    file = cache_dir() / "layers" / f"{name}-{preset}.json"
    plain = kept(file)
    if plain is None:
        plain = made(name, preset)
        keep(file, plain)
    return Outline.from_plain(plain)


def made(name: str, preset: str) -> dict[str, Any]:
    """The outline, by a process that imports torch and ends."""
    command = [sys.executable, "-P", "-m", "models.cost", name, preset]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    if done.returncode:
        *_, reason = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise UserError(f"The layers of {name} can't be counted: {reason}")
    return json.loads(done.stdout)


def kept(file: Path) -> dict[str, Any] | None:
    """What a file keeps; None where it isn't there, is of other sources, or isn't as it was written."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        record = json.loads(file.read_text(encoding="utf-8"))
        if record["digest"] == digest(record["outline"]):
            return record["outline"]
    return None


def keep(file: Path, plain: dict[str, Any]) -> None:
    """Put an outline in place in one step, so that no reader meets half of it. Where that can't be, it isn't kept."""
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        files.write(file, json.dumps({"digest": digest(plain), "outline": plain}).encode())


def digest(plain: dict[str, Any]) -> str:
    """A fingerprint of an outline and of the sources it was made of."""
    return sha256((sources() + json.dumps(plain)).encode()).hexdigest()


@cache
def sources() -> str:
    """A fingerprint of every file of `models`: a network may be made of other files' layers."""
    root = Path(models.__file__).parent
    found = sha256()
    for file in sorted(root.rglob("*.py")):
        found.update(file.relative_to(root).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return found.hexdigest()
