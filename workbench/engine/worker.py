"""The worker process, the only one that imports torch.

    python -P -m workbench.engine.worker RUN_FOLDER        make the run that the folder's spec.json orders, then end
    python -P -m workbench.engine.worker RUN_FOLDER SPEC   go on from its last checkpoint, up to what this spec orders
    python -P -m workbench.engine.worker --serve           answer requests on stdin, a JSON line each, until it closes

`-P` keeps the folder that the user stands in out of the import path: a `models.py` there must not shadow ours. Threads
are one each: a second one beside a busy core makes small steps many times slower.
"""

import errno
import inspect
import json
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from quizzes.question import Check
from workbench import files
from workbench.engine import events, heartbeat, lock
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.engine.verify import ScriptError
from workbench.errors import UserError

OnProgress = Callable[[float], None]


def make_run(folder: Path, resume: str | None = None) -> int:
    """Make the run of a folder: events and checkpoints go into it.

    Args:
        folder: The run's.
        resume: The spec, as JSON, up to which it is to go on from its last checkpoint. It takes the old one's place
            once nothing speaks against it.

    Returns:
        The exit code: 0; 1 where it crashed; 2 where another worker is at it, and nothing is written.
    """
    try:
        with lock.held(folder):
            return _make(folder, resume)
    except BlockingIOError:
        print(f"Another worker is at {folder.name} already.", file=sys.stderr)
        return 2


def _make(folder: Path, resume: str | None) -> int:
    run = Run(folder)
    since, before = run.told(), run.last_event()
    stop = threading.Event()
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, lambda *_: stop.set())
    with beating(run, since) as every_beat:
        spec = run.spec if resume is None else RunSpec.from_json(resume)
        writer = events.Writer(folder / "events.jsonl", run=run.id, seed=spec.seed)
        every_beat.append(writer.flush)  # an event may not wait for the next when steps are slow
        seen = before
        try:
            import torch

            from models.startup import skip_compiler

            if not spec.compile:
                skip_compiler()
            from workbench.engine.training.trainer import SeedRun, Trainer

            torch.set_num_threads(1)

            def show(visualizations: list[dict[str, Any]]) -> None:
                files.write(folder / "visualizations.json", json.dumps(visualizations).encode())

            seed_run = SeedRun(spec, folder, show, writer.sync, resume is not None)
            if resume is not None:
                run.order(spec)
            for event in Trainer([seed_run], stop.is_set).run():
                seen = event
                writer.write(event)
            code = 0
        except Exception as error:
            end = crash(error, seen, spec)
            if resume is not None and end.get("refused") and before.get("event") == "end":
                end = before | {"reason": end["reason"], "refused": True}  # the run is as it was
            with suppress(OSError):  # a full disk; who looks finds it full
                traceback.print_exc()
                writer.write(end)
            code = 1
        with suppress(OSError):
            writer.close()
    return code


def crash(error: Exception, seen: dict[str, Any], spec: RunSpec) -> dict[str, Any]:
    """The end event of a run that an error ended, after the event that was `seen` last.

    It says `refused` where the order itself was bad.
    """
    step, seconds = seen.get("step", 0), seen.get("seconds", 0.0)
    speed = step / seconds if seconds else 0.0
    metrics = seen.get("metrics", {}) if seen.get("event") == "end" else {}
    end = dict(event="end", step=step, status="crashed", metrics=metrics, steps=step, seconds=seconds)
    end |= {"steps_per_second": speed}
    refused = isinstance(error, UserError)
    return end | {"reason": why(error, spec)} | ({"refused": True} if refused else {})


def why(error: Exception, spec: RunSpec) -> str:
    """What went wrong and what to do, in a sentence."""
    kind = type(error).__name__
    if kind == "OutOfMemoryError" or isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        smaller = ", or the mini preset" if spec.preset != "mini" else ""
        return (
            f"The memory was full with {spec.model} ({spec.preset}) and a batch_size of {spec.batch_size}: "
            f"try a smaller batch_size{smaller}."
        )
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"The disk is full ({error.strerror}): make room, then 'workbench runs resume' goes on from the last "
            "checkpoint, which is whole."
        )
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} can't be written ({error.strerror}): see that it can be, then resume the run."
    if spec.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
        return f"{spec.model} can't be compiled here ({kind}): leave --compile out."
    return f"{kind}: {error}".strip().splitlines()[0]


@contextmanager
def beating(run: Run, since: int = 0) -> Iterator[list[Callable[[], None]]]:
    """A heartbeat in a thread of its own, so that a long step isn't taken for death; calls what the list holds, too."""
    ended = threading.Event()
    every_beat: list[Callable[[], None]] = []

    def beat_once() -> None:
        run.beat(since)

    def beat() -> None:
        while not ended.wait(heartbeat.EVERY):
            for call in (beat_once, *every_beat):
                with suppress(OSError, ValueError):  # a full disk, or a writer just closed: the loop meets that itself
                    call()

    beat_once()
    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield every_beat
    finally:
        ended.set()
        thread.join()


def check_values(check: Check, names: list[str]) -> dict[str, Any]:
    """Call a drill's check, and look up the values that it returns.

    Floats are float64 meanwhile, so that rounding doesn't blur the check.

    Args:
        check: The check with its arguments: lists become tensors where the function takes tensors.
        names: The names of the values.

    Returns:
        Name -> plain data.

    Raises:
        ScriptError: If the check failed, or returned no such value; the message is one line.
    """
    import torch

    if not (check.module.startswith("quizzes.content.") and check.module.endswith(".checks")):
        raise ScriptError(f"{check.module[:80]!r} is not a module of checks.")  # a question may come from a file
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        function = getattr(import_module(check.module), check.name)
        tensors = [
            name for name, annotation in inspect.get_annotations(function).items() if "Tensor" in str(annotation)
        ]
        arguments = {
            name: torch.tensor(value, dtype=torch.float64) if name in tensors and value is not None else value
            for name, value in check.arguments.items()
        }
        result = function(**arguments)
        values = result if isinstance(result, dict) else {names[0]: result}
        if missing := [name for name in names if name not in values]:
            raise ScriptError(f"The check returns no {', '.join(missing)}.")
        return {name: plain(values[name]) for name in names}
    except ScriptError:
        raise
    except (Exception, SystemExit) as error:
        raise ScriptError(" ".join(f"{type(error).__name__}: {error}".split())) from None
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
    # Replies leave by a copy of stdout; what a check prints goes to stderr and can't be confused with one.
    with os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as replies:
        os.dup2(2, 1)
        import torch

        torch.set_num_threads(1)

        def report_progress(progress: float) -> None:
            print(json.dumps({"share": progress}), file=replies)

        for line in sys.stdin:
            print(json.dumps(answer(line, report_progress)), file=replies)
    return 0


def answer(line: str, on_progress: OnProgress = lambda progress: None) -> dict[str, Any]:
    """Return the reply to one request: its `values`, or why there are none, as `error` or as `refused`.

    Args:
        line: A JSON object with the name of a `job` and its arguments.
        on_progress: Called with the share that is done, 0 to 1, by jobs that take long.
    """
    try:
        request = json.loads(line)
        job = request["job"]
        if job not in JOBS:
            return {"error": f"There is no job {job!r}."}
        return {"values": JOBS[job](request, on_progress)}
    except ScriptError as error:
        return {"error": str(error)}
    except UserError as error:
        return {"refused": str(error)}
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        return {"error": f"This is not a request: {error!r}."}


# Each job imports what it needs, so that a check doesn't wait for the networks.


def _verify(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    return check_values(Check(request["module"], request["name"], request["arguments"]), request["names"])


def _autograd(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import autograd

    return autograd.gradients(request["nodes"])


def _interpret(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import interpret

    run = Run(Path(request["folder"]))
    return interpret.compute(run, request["kind"], request["layer"], request["sample"], on_progress)


def _questions(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench import tasks

    return dict(tasks.get(Run(Path(request["folder"])).spec.task).questions)


def _ask(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import ask

    return ask.answer(Run(Path(request["folder"])), request["question"])


def _predict(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import predict

    files = [Path(file) for file in request.get("files", ())]
    return predict.compute(Run(Path(request["folder"])), files, request.get("rows"))


def _evaluate(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import evaluate

    return evaluate.compute(Run(Path(request["folder"])), request["split"], request.get("task"))


def _profile(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import profile

    return profile.compute(Run(Path(request["folder"])))


def _find_lr(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import lr_finder

    return lr_finder.compute(RunSpec.from_json(request["spec"]), request["updates"], on_progress)


def _export(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import model_export

    return model_export.compute(Run(Path(request["folder"])), request["format"], Path(request["path"]))


JOBS: dict[str, Callable[[dict[str, Any], OnProgress], dict[str, Any]]] = {
    "verify": _verify,
    "autograd": _autograd,
    "interpret": _interpret,
    "questions": _questions,
    "ask": _ask,
    "predict": _predict,
    "evaluate": _evaluate,
    "profile": _profile,
    "find_lr": _find_lr,
    "export": _export,
}


def main(words: list[str]) -> int:
    """Do what the command line asks for; see the module's text."""
    return serve() if words == ["--serve"] else make_run(Path(words[0]), *words[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
