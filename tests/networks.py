"""Networks of the registry as test parameters: a few that build quickly in the fast tier, all in the full tier."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest

QUICK = {
    *("linear-regression", "logistic-regression", "softmax-regression", "mlp", "lenet5"),
    *("resnet18", "mobilenet-v2", "lstm"),
}


def by_tier(names: Iterable[str], fast: Collection[str] = QUICK) -> list[Any]:
    """Return the names as test parameters; those that are not in `fast` are marked `full`."""
    return [name if name in fast else pytest.param(name, marks=pytest.mark.full) for name in names]
