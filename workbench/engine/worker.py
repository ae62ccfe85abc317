"""The worker process, the only one that imports torch.

    python -P -m workbench.engine.worker RUN_FOLDER     make the run that the folder's spec.json orders, then end
    python -P -m workbench.engine.worker --serve        answer requests on stdin, a JSON line each, until it is closed

`-P` keeps the folder that the user stands in out of the import path: a `models.py` there must not shadow ours. Threads
are one each: a second one beside a busy core makes small steps many times slower.
"""

import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import models
from workbench import BadInput
from workbench.engine import atomic, events, heartbeat
from workbench.engine.run import Run


def make_run(folder: Path) -> int:
    """Make the run of a folder: events and checkpoints go into it. The exit code: 0, or 1 where it crashed."""
    run = Run(folder)
    stop = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: stop.set())
    with beating(run) as every_beat:
        spec = run.spec
        writer = events.Writer(folder / "events.jsonl", run=run.id, seed=spec.seed)
        every_beat.append(writer.flush)  # an event may not wait for the next when steps are slow
        step = 0
        try:
            import torch

            from workbench.engine.loop import Fit

            torch.set_num_threads(1)

            def show(pictures: list[dict[str, Any]]) -> None:
                atomic.write(folder / "pictures.json", json.dumps(pictures).encode())

            for event in Fit(spec, stopped=stop.is_set, folder=folder, show=show).run():
                step = event["step"]
                writer.write(event)
            code = 0
        except Exception as error:
            traceback.print_exc()
            writer.write(crash(error, step))
            code = 1
        writer.close()
    return code


def crash(error: Exception, step: int) -> dict[str, Any]:
    """The end event of a run that an error ended; `refused` where the order itself was bad."""
    kind = type(error).__name__
    reason = f"{kind}: {error}".strip().splitlines()[0]
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        reason = "The memory was full: try a smaller batch size, or the mini preset."
    elif isinstance(error, OSError) and error.filename:
        reason = f"{error.filename} can't be written ({error.strerror}): make room there."
    end = dict(event="end", step=step, status="crashed", metrics={}, steps=step, seconds=0.0, steps_per_second=0.0)
    if isinstance(error, (BadInput, models.BadInput)):
        return end | {"reason": str(error), "refused": True}
    return end | {"reason": reason}


@contextmanager
def beating(run: Run) -> Iterator[list[Callable[[], None]]]:
    """A heartbeat in a thread of its own, so that a long step isn't taken for death; calls what the list holds, too."""
    ended = threading.Event()
    every_beat: list[Callable[[], None]] = []

    def beat() -> None:
        while not ended.wait(heartbeat.EVERY):
            for call in (run.beat, *every_beat):
                with suppress(OSError, ValueError):  # a full disk, or a writer just closed: the loop meets that itself
                    call()

    run.beat()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield every_beat
    finally:
        ended.set()
        thread.join()


def run_script(script: str, names: list[str]) -> dict[str, Any]:
    """Execute a script of the program's own in a namespace of its own, and look up what it named.

    Floats are float64 meanwhile, so that a check isn't blurred by rounding.

    Args:
        script: Python source. It is executed as it stands: never a user's text.
        names: The variables wanted.

    Returns:
        {"values": {name: plain data}}, or {"error": one line}.
    """
    import torch

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    space: dict[str, Any] = {"__name__": "script"}
    try:
        exec(compile(script, "script", "exec"), space)
        if missing := [name for name in names if name not in space]:
            return {"error": f"The script defines no {', '.join(missing)}."}
        return {"values": {name: plain(space[name]) for name in names}}
    except (Exception, SystemExit) as error:
        return {"error": " ".join(f"{type(error).__name__}: {error}".split())}
    finally:
        torch.set_default_dtype(before)


def plain(value: Any) -> Any:
    """A tensor, an array, a shape or a number as plain data."""
    if hasattr(value, "tolist"):
        return value.tolist()  # of no dimensions: a number
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} is no plain data")


def serve() -> int:
    """Answer one JSON line with one JSON line, until stdin closes."""
    # Answers leave by a copy of stdout; what a script prints goes to stderr and can't be taken for one.
    with os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as answers:
        os.dup2(2, 1)
        import torch

        torch.set_num_threads(1)
        for line in sys.stdin:
            print(json.dumps(answer(line)), file=answers)
    return 0


def answer(line: str) -> dict[str, Any]:
    """The answer to one request."""
    try:
        request = json.loads(line)
        if request["job"] == "verify":
            return run_script(request["script"], request["names"])
        return {"error": f"There is no job {request['job']!r}."}
    except (ValueError, TypeError, KeyError) as error:
        return {"error": f"This is no request: {error!r}."}


if __name__ == "__main__":
    sys.exit(serve() if sys.argv[1:] == ["--serve"] else make_run(Path(sys.argv[1])))
