"""What the app remembers from one start to the next."""

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from workbench.paths import data_dir, make_private


@dataclass(frozen=True)
class State:
    """What is remembered.

    Attributes:
        theme: The theme's name, as Textual knows it.
        formula: The formula that was looked at last.
        run: The run that was looked at last.
    """

    theme: str = "textual-dark"
    formula: str = ""
    run: str = ""


def path() -> Path:
    """Where it is kept."""
    return data_dir() / "app.json"


def load() -> State:
    """What was remembered; what is damaged, or not known any more, is as if it had never been."""
    try:
        kept = json.loads(path().read_text(encoding="utf-8"))
        known = {field.name for field in fields(State)}
        return State(**{name: value for name, value in kept.items() if name in known and isinstance(value, str)})
    except (OSError, ValueError, AttributeError):
        return State()


def remember(**changed: str) -> None:
    """Keep some of it anew; where nothing can be written the app goes on without."""
    state = load()
    if (new := replace(state, **changed)) == state:
        return
    from workbench import files

    try:
        make_private(path().parent)
        files.write(path(), json.dumps(asdict(new)).encode())
    except OSError:
        pass
