"""The start of a worker process, which runs `engine.worker`."""

import os
import sys
from subprocess import Popen
from typing import Any

WORKER = "workbench.engine.worker"


def spawn(*words: str, module: str = WORKER, **streams: Any) -> "Popen[Any]":
    """Start a worker process in a new session, so that Ctrl-C in the terminal doesn't reach it.

    Args:
        *words: The worker's arguments.
        module: The module of the worker.
        **streams: `stdin`, `stdout`, `stderr` and `encoding`, as `Popen` takes them.

    Raises:
        OSError: If there is not enough memory, or there are too many processes.
    """
    command = [sys.executable, "-P", "-m", module, *words]
    return Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, start_new_session=True, **streams)
