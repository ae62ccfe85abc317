"""How the worker's process is started; what it does is in `engine.worker`."""

import os
import sys
from subprocess import Popen
from typing import Any

WORKER = "workbench.engine.worker"


def spawn(*words: str, module: str = WORKER, **streams: Any) -> "Popen[Any]":
    """Start a worker in a process and a session of its own: Ctrl-C is for its user.

    Args:
        *words: The worker's arguments.
        module: The module of the worker.
        **streams: `stdin`, `stdout`, `stderr` and `encoding`, as `Popen` takes them.

    Raises:
        OSError: There is no memory or no process left for it.
    """
    command = [sys.executable, "-P", "-m", module, *words]
    return Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True, **streams)
