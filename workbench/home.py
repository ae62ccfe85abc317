"""Where a person's study and runs are kept."""

import os
from pathlib import Path

from workbench import BadInput


def home() -> Path:
    """The folder of all that is kept: `$WORKBENCH_HOME`, or else the platform's place for a user's data."""
    if place := os.environ.get("WORKBENCH_HOME"):
        try:
            return Path(place).expanduser()
        except RuntimeError:
            raise BadInput(f"WORKBENCH_HOME is {place}, and there is no such person: write the path in full.") from None
    from platformdirs import user_data_path

    return user_data_path("workbench", appauthor=False)


def packs() -> Path:
    """The folder of the packs that were added."""
    return home() / "packs"


def cache() -> Path:
    """The folder of what can be made or fetched again: `cache` in `$WORKBENCH_HOME`, or else the platform's place."""
    if os.environ.get("WORKBENCH_HOME"):
        return home() / "cache"
    from platformdirs import user_cache_path

    return user_cache_path("workbench", appauthor=False)
