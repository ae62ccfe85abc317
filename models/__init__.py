"""What is run: the networks of the notes, in PyTorch.

`import models` costs nothing: `names`, `info` and `arguments` read sources as text, and only `build` and
`reference_names` import torch.
"""

from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.registry import Architecture, arguments, build, info, names, reference_names

__all__ = ["Architecture", "BadInput", "arguments", "build", "info", "names", "reference_names", "unknown"]


class BadInput(ValueError):
    """A network that was asked for can't be built; the message is one sentence that says what to do."""


def unknown(noun: str, name: object, known: list[str]) -> BadInput:
    """The refusal of a name that isn't there, with the names nearest to it."""
    near = get_close_matches(str(name), known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(sorted(known)[:8])}."
    return BadInput(f"There is no {noun} {str(name)[:60]!r}: {hint}")


def __getattr__(name: str):
    if name in ("Architecture", "arguments", "build", "info", "names", "reference_names"):
        return getattr(import_module("models.registry"), name)
    raise AttributeError(f"module 'models' has no attribute {name!r}")
