"""Which networks of the registry a test takes: the smallest of each family in the fast tier, the others in the full."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

import models

LARGE = 12e6  # parameters: what takes seconds to build and run


def smallest() -> set[str]:
    """The network of the fewest published parameters in each family, but of families that are large throughout."""
    families: dict[str, list[str]] = {}
    for name in models.names():
        families.setdefault(models.info(name).family, []).append(name)
    firsts = (min(names, key=_params) for names in families.values())
    return {name for name in firsts if _params(name) < LARGE}


def _params(name: str) -> int:
    return models.info(name).params or 0


def by_tier(names: Iterable[str], fast: Collection[str] | None = None) -> list[Any]:
    """The names as a test's parameters; those in `fast`, the smallest of each family if none are named, run always."""
    fast = smallest() if fast is None else fast
    return [name if name in fast else pytest.param(name, marks=pytest.mark.full) for name in names]
