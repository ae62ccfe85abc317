"""How the worker's process is started; what it does is in `engine.worker`."""

import os
import sys
from subprocess import Popen
from typing import Any


def spawn(*words: str, **streams: Any) -> "Popen[Any]":
    """Start `python -m workbench.engine.worker` in a process and a session of its own: Ctrl-C is for its user.

    Args:
        *words: The worker's arguments.
        **streams: `stdin`, `stdout`, `stderr` and `encoding`, as `Popen` takes them.

    Raises:
        OSError: There is no memory or no process left for it.
    """
    command = [sys.executable, "-P", "-m", "workbench.engine.worker", *words]
    return Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True, **streams)
