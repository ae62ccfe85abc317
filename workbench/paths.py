"""The folders in which the program keeps a user's data, and which it creates for their user alone.

Folders that are there already keep their permissions, as their owner may have opened them to others on purpose.
"""

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


def make_private(folder: Path) -> None:
    """Create a folder and its missing parents, which only their owner may open.

    Raises:
        OSError: If that is not possible.
    """
    if not folder.is_dir():
        if folder.parent != folder:
            make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
