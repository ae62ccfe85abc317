"""Which networks of the registry a test takes: the smallest of each family in the fast tier, the others in the full."""

from collections.abc import Iterable
from typing import Any

import pytest

import models


def smallest() -> set[str]:
    """The network of the fewest published parameters in each family."""
    families: dict[str, list[str]] = {}
    for name in models.names():
        families.setdefault(models.info(name).family, []).append(name)
    return {min(names, key=lambda name: models.info(name).params or 0) for names in families.values()}


def by_tier(names: Iterable[str]) -> list[Any]:
    """The names as a test's parameters."""
    fast = smallest()
    return [name if name in fast else pytest.param(name, marks=pytest.mark.full) for name in names]
