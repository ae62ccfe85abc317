"""The training of a run in a worker process, which writes events and checkpoints into the run's folder."""

import errno
import gc
import json
import random
import sys
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from workbench import files
from workbench.engine import content_key, events, heartbeat, lock
from workbench.engine.events import End
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError

DONE, CRASHED, LOCKED = 0, 1, 2  # exit codes


def make_run(folder: Path, resume: str | None = None, stop: threading.Event | None = None) -> int:
    """Train the run of a folder.

    Args:
        folder: The folder of the run.
        resume: The spec, as JSON, with which the run continues from its last checkpoint; None for a new run. After the
            checkpoint has been loaded, it replaces the old spec.
        stop: An event that asks the run to write a checkpoint and end.

    Returns:
        `DONE`, `CRASHED`, or `LOCKED` if another worker has the run; then nothing is written.
    """
    try:
        with lock.held(folder):
            return _make(folder, resume, stop or threading.Event())
    except BlockingIOError:
        print(f"Another worker is training {folder.name}.", file=sys.stderr)
        return LOCKED


def _make(folder: Path, resume: str | None, stop: threading.Event) -> int:
    run = Run(folder)
    since, before = run.event_bytes(), run.last_event()
    with beating(run, since) as every_beat:
        old_spec = run.spec
        spec = old_spec if resume is None else RunSpec.from_json(resume)
        writer = events.Writer(folder / "events.jsonl", run=run.id, seed=spec.seed)
        every_beat.append(writer.flush)  # with slow steps, an event must not wait for the next one
        latest: Mapping[str, Any] = before or {}
        try:
            prepare(spec.runtime.compile)
            reset()
            from workbench.engine.training.trainer import SeedRun, Trainer

            def show(visualizations: list[dict[str, Any]]) -> None:
                files.write(folder / "visualizations.json", json.dumps(visualizations).encode())

            seed_run = SeedRun(spec, folder, show, writer.sync, resume is not None)
            content_key.record(run, spec, seed_run.state.device.type, old_spec if resume is not None else None)
            if resume is not None:
                run.replace_spec(spec)
            for event in Trainer([seed_run], stop.is_set).run():
                latest = event
                writer.write(event)
            code = DONE
        except Exception as error:
            end = crash(error, latest, spec)
            if resume is not None and end.get("refused") and before is not None and before["event"] == "end":
                end = {**before, "reason": end["reason"], "refused": True}  # the run is unchanged
            with suppress(OSError):  # a full disk, which readers notice
                traceback.print_exc()
                writer.write(end)
            code = CRASHED
        with suppress(OSError):
            writer.close()
    if has_ended(run, since):  # its worker may live on
        with suppress(OSError):
            (folder / "worker.json").unlink()
    return code


def has_ended(run: Run, since: int) -> bool:
    """Return whether a run wrote its last event after a byte of its events."""
    last = run.last_event()
    return run.event_bytes() > since and last is not None and last["event"] == "end"


def prepare(is_compiling: bool = False) -> None:
    """Import the modules that a run needs.

    Args:
        is_compiling: Whether the process may compile networks. If not, it never can, but it starts faster.
    """
    import torch

    from models.startup import skip_compiler

    if not is_compiling:
        skip_compiler()
    torch.set_num_threads(1)
    import numpy.random  # noqa: F401

    import models
    import workbench.engine.training.trainer  # noqa: F401
    from workbench import tasks

    models.names(), tasks.names()  # their declarations are read once


def reset() -> None:
    """Reset the global state that an earlier run may have changed, so that a run starts as in a new process."""
    import numpy as np
    import torch

    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float32)
    torch.set_grad_enabled(True)
    # Runs have random number generators of their own; these seeds are for code that uses the global ones.
    torch.manual_seed(0)
    np.random.seed(0)
    random.seed(0)


def clean_up() -> None:
    """Release the memory of the last run."""
    import torch

    gc.collect()
    if torch.cuda.is_initialized():
        torch.cuda.empty_cache()


def crash(error: Exception, last: Mapping[str, Any], spec: RunSpec) -> End:
    """Return the end event of a run that an error ended; it is `refused` if the spec itself can't be run.

    Args:
        error: The error.
        last: The last event before; empty if there was none.
        spec: The spec of the run.
    """
    step, seconds = last.get("step", 0), last.get("seconds", 0.0)
    end = End(
        event="end",
        step=step,
        status="crashed",
        metrics=last.get("metrics", {}) if last.get("event") == "end" else {},
        steps=step,
        seconds=seconds,
        steps_per_second=step / seconds if seconds else 0.0,
        reason=why(error, spec),
    )
    if isinstance(error, UserError):
        end["refused"] = True
    return end


def why(error: Exception, spec: RunSpec) -> str:
    """Return what went wrong and what to do, in a sentence."""
    kind = type(error).__name__
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        smaller = ", or the mini preset" if spec.network.preset != "mini" else ""
        return (
            f"The memory was full with {spec.network.model} ({spec.network.preset}) and a batch_size of "
            f"{spec.data.batch_size}: try a smaller batch_size{smaller}."
        )
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full ({error.strerror}): make room, then continue from the last checkpoint with "
            "'workbench runs resume'."
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} can't be written ({error.strerror}): check its permissions, then resume the run."
    if spec.runtime.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return f"{spec.network.model} can't be compiled here ({kind}): leave --compile out."
    return f"{kind}: {error}".strip().splitlines()[0]


@contextmanager
def beating(run: Run, since: int = 0) -> Iterator[list[Callable[[], None]]]:
    """Write a heartbeat every second in another thread, so that a worker with a long step doesn't look dead.

    Yields:
        A list of functions that are called after every heartbeat; empty at first.
    """
    ended = threading.Event()
    every_beat: list[Callable[[], None]] = []

    def beat_once() -> None:
        run.beat(since)

    def beat() -> None:
        while not ended.wait(heartbeat.EVERY):
            for call in (beat_once, *every_beat):
                with suppress(
                    OSError, ValueError
                ):  # a full disk, or a closed writer, which the training loop notices too
                    call()

    beat_once()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield every_beat
    finally:
        ended.set()
        thread.join()
