"""The layers of a network, without torch: made once in a process of its own, then kept in a file.

What is kept says of which sources it was made, and a digest of itself: after a change of any network, or where the file
is damaged, it is made again.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import models
from models.layer import Outline
from workbench import BadInput
from workbench.home import home
from workbench.naming import unknown


def outline(name: str, preset: str = "paper") -> Outline:
    """The layers of a network of the registry.

    Raises:
        models.BadInput: There is no network of that name.
        BadInput: It has no such preset, or torch can't be run here.
    """
    presets = models.info(name).presets
    if preset not in presets:
        raise unknown(f"preset of {name}", preset, list(presets))
    file = folder() / f"{name}-{preset}.json"
    plain = kept(file)
    if plain is None:
        plain = made(name, preset)
        keep(file, plain)
    return Outline.from_plain(plain)


def folder() -> Path:
    """Where outlines are kept: in `$WORKBENCH_HOME/cache`, or else the platform's place for what can be made again."""
    if os.environ.get("WORKBENCH_HOME"):
        return home() / "cache" / "layers"
    from platformdirs import user_cache_path

    return user_cache_path("workbench", appauthor=False) / "layers"


def made(name: str, preset: str) -> dict[str, Any]:
    """The outline, by a process that imports torch and ends."""
    command = [sys.executable, "-P", "-m", "models.cost", name, preset]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8")
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise BadInput(f"The layers of {name} can't be counted: {said[-1] if said else f'exit code {done.returncode}'}")
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
        number, beside = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(number, "w", encoding="utf-8") as half:
                json.dump({"digest": digest(plain), "outline": plain}, half)
            Path(beside).replace(file)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise


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
