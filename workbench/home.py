"""Where a person's study and runs are kept."""

import os
from pathlib import Path


def home() -> Path:
    """The folder of all that is kept: `$WORKBENCH_HOME`, or else the platform's place for a user's data."""
    if place := os.environ.get("WORKBENCH_HOME"):
        return Path(place).expanduser()
    from platformdirs import user_data_path

    return user_data_path("workbench", appauthor=False)
