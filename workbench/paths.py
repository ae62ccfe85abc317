"""The folders in which the program keeps a user's data."""

import os
from pathlib import Path

from workbench.errors import UserError


def data_dir() -> Path:
    """Return the folder of the study file, the runs and the packs: `$WORKBENCH_HOME`, or the platform's default."""
    if folder := os.environ.get("WORKBENCH_HOME"):
        try:
            return Path(folder).expanduser()
        except RuntimeError:
            message = f"WORKBENCH_HOME is {folder}, but there is no such user. Give the full path instead."
            raise UserError(message) from None
    from platformdirs import user_data_path

    return user_data_path("workbench", appauthor=False)


def packs_dir() -> Path:
    """Return the folder of the installed packs."""
    return data_dir() / "packs"


def cache_dir() -> Path:
    """Return the folder of files that can be rebuilt or downloaded again.

    It is `cache` in `$WORKBENCH_HOME`, or the platform's default.
    """
    if os.environ.get("WORKBENCH_HOME"):
        return data_dir() / "cache"
    from platformdirs import user_cache_path

    return user_cache_path("workbench", appauthor=False)
