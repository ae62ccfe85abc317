"""Which networks of the registry a test takes: a few that are quick to build in the fast tier, all in the full."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

QUICK = {
    *("linear-regression", "logistic-regression", "softmax-regression", "mlp", "lenet5"),
    *("resnet18", "mobilenet-v2"),
}


def by_tier(names: Iterable[str], fast: Collection[str] = QUICK) -> list[Any]:
    """The names as a test's parameters, of which those in `fast` run in the fast tier."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.full) for name in names]
