"""What the app remembers from one start to the next: the theme."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from workbench.engine import atomic
from workbench.home import home


@dataclass(frozen=True)
class State:
    """What is remembered.

    Attributes:
        theme: The theme's name, as Textual knows it.
    """

    theme: str = "textual-dark"


def path() -> Path:
    """Where it is kept."""
    return home() / "app.json"


def load() -> State:
    """What was remembered; what is damaged, or not known any more, is as if it had never been."""
    try:
        kept = json.loads(path().read_text(encoding="utf-8"))
        known = {field.name for field in fields(State)}
        return State(**{name: value for name, value in kept.items() if name in known and isinstance(value, str)})
    except (OSError, ValueError, AttributeError):
        return State()


def save(state: State) -> None:
    """Remember; where nothing can be written the app goes on without."""
    try:
        path().parent.mkdir(parents=True, exist_ok=True)
        atomic.write(path(), json.dumps(asdict(state)).encode())
    except OSError:
        pass
