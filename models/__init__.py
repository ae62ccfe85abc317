"""The networks of the course, in PyTorch.

Importing `models` is cheap: `names`, `info` and `arguments` read the sources as text. Only `build` and
`reference_names` import torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from models.registry import Architecture, arguments, build, info, names, reference_names

__all__ = ["Architecture", "arguments", "build", "info", "names", "reference_names"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("models.registry"), name)
    raise AttributeError(f"module 'models' has no attribute {name!r}")
