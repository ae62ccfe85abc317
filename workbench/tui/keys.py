"""The keys that a user wants otherwise: `keys.toml` beside the study file, a line each such as `"run.stop" = "f8"`."""

import tomllib
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from textual.binding import Binding
from textual.dom import DOMNode
from textual.keys import Keys

from workbench.errors import UserError, unknown_name
from workbench.paths import data_dir

MODIFIERS = {"ctrl", "shift", "alt", "super", "meta", "hyper"}
NAMED = {key.value for key in Keys}


def path() -> Path:
    """Where they are kept."""
    return data_dir() / "keys.toml"


def load() -> dict[str, str]:
    """The keys by the ids of what they do; none where nothing was changed.

    Raises:
        UserError: The file can't be read, or names an action or a key that isn't there.
    """
    try:
        changed = tomllib.loads(path().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"The keys in {path()} can't be read ({error}): mend the file, or delete it.") from error
    known = actions()
    for action, key in changed.items():
        if action not in known:
            raise unknown_name("action", action, sorted(known))
        if not isinstance(key, str) or not all(map(is_key, key.split(","))):
            raise UserError(f"{action} = {key!r} in {path()} is no key: write one such as f8, ctrl+k or x.")
    return changed


def is_key(name: str) -> bool:
    """Whether Textual knows a key of that name."""
    *modifiers, key = name.strip().split("+") if name.strip() else [""]
    return set(modifiers) <= MODIFIERS and (key in NAMED or (len(key) == 1 and key.isprintable()))


def actions() -> set[str]:
    """The ids of all that can be put on another key."""
    from workbench.tui import screens, widgets

    for package in (screens, widgets):
        for module in iter_modules(package.__path__, package.__name__ + "."):
            import_module(module.name)
    bindings = [binding for place in _places(DOMNode) for binding in place.__dict__.get("BINDINGS", ())]
    return {binding.id for binding in bindings if isinstance(binding, Binding) and binding.id}


def _places(above: type) -> set[type]:
    """Every screen and widget of the workbench."""
    below: set[type] = set()
    kind: type
    for kind in above.__subclasses__():
        below |= {kind, *_places(kind)}
    return {kind for kind in below if kind.__module__.startswith("workbench.")}
