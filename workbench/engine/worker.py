"""The worker process, the only one that imports torch.

    python -P -m workbench.engine.worker RUN_FOLDER        train the run of the folder's spec.json, then end
    python -P -m workbench.engine.worker RUN_FOLDER SPEC   continue it from its last checkpoint with this spec
    python -P -m workbench.engine.worker --serve [runs]    do jobs, one JSON line each on stdin, until it closes

With `runs`, the modules that a run needs are imported before the first job, so that it starts at once. SIGTERM stops a
run with a checkpoint, and ends an idle worker. If the process that started it has ended, a worker finishes its run.

`-P` keeps the current directory out of the import path: a `models.py` there must not shadow ours. Each worker has one
thread, because a second one makes small steps many times slower if its core is busy.
"""

import inspect
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from quizzes.question import Check
from workbench.engine import run_job
from workbench.engine.client import ScriptError
from workbench.engine.run import Run
from workbench.errors import UserError

OnProgress = Callable[[float], None]


def check_values(check: Check, names: list[str]) -> dict[str, Any]:
    """Call a drill's check, and return the values that it computes.

    The default dtype is float64 during the call, because float32 would round too much.

    Args:
        check: The check with its arguments. Lists are converted to tensors if the function takes tensors.
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
    """Return a tensor, an array, a shape or a number as plain data.

    Raises:
        TypeError: If the value is something else.
    """
    if hasattr(value, "tolist"):
        return value.tolist()  # a number if it has no dimensions
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"a {type(value).__name__} is not plain data")


class Stop:
    """The handler of SIGTERM in a worker that does jobs.

    Attributes:
        event: It is set if the current run must stop, or one that was sent before the worker was ready.
        is_idle: Whether the worker is waiting for a job.
    """

    def __init__(self) -> None:
        self.event = threading.Event()
        self.is_idle = False
        signal.signal(signal.SIGTERM, self._on_signal)

    def begin_waiting(self) -> None:
        """Record that the worker is ready for jobs.

        Raises:
            SystemExit: If there was a signal, and no job is waiting that it could be meant for.
        """
        self.is_idle = True
        if self.event.is_set() and not _has_input():
            sys.exit(0)

    def begin_job(self) -> None:
        """Record that a job begins."""
        self.is_idle = False

    def end_job(self) -> None:
        """Record that a job has ended. A signal that was too late for it has no effect."""
        self.is_idle = True
        self.event.clear()

    def _on_signal(self, *_: object) -> None:
        if self.is_idle and not _has_input():
            sys.exit(0)
        self.event.set()


def _has_input() -> bool:
    """Return whether a job is waiting on stdin."""
    return os.name != "nt" and bool(select.select([0], [], [], 0)[0])


def serve(makes_runs: bool, more: "Jobs | None" = None) -> int:
    """Read jobs from stdin, one JSON line each, and write a JSON line with the reply of each, until stdin closes.

    Args:
        makes_runs: Whether to import the modules that runs need before the first job.
        more: Additional jobs by name.
    """
    stop = Stop()
    jobs = JOBS | (more or {}) | {"run": lambda request, on_progress: _run(request, on_progress, stop.event)}
    # Replies are written to a copy of stdout. What a check prints goes to stderr, so it can't be confused with one.
    with suppress(BrokenPipeError), os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1) as replies:
        os.dup2(2, 1)
        import torch

        torch.set_num_threads(1)
        if makes_runs:
            run_job.prepare()

        def report_progress(progress: float) -> None:
            print(json.dumps({"share": progress}), file=replies)

        stop.begin_waiting()
        for line in sys.stdin:
            stop.begin_job()
            reply = answer(line, report_progress, jobs)
            stop.end_job()
            with suppress(BrokenPipeError):  # the client has ended, and so has stdin
                print(json.dumps(reply), file=replies)
    return 0


Jobs = dict[str, Callable[[dict[str, Any], OnProgress], dict[str, Any]]]


def answer(line: str, on_progress: OnProgress = lambda progress: None, jobs: Jobs | None = None) -> dict[str, Any]:
    """Return the reply to a request: its `values`, or the message of an `error`, or of a user error as `refused`.

    Args:
        line: A JSON object with the name of a `job` and its arguments.
        on_progress: Called with the share that is done, 0 to 1, by jobs that take long.
        jobs: The jobs by name; by default `JOBS`.
    """
    jobs = jobs or JOBS
    try:
        request = json.loads(line)
        job = request["job"]
        if job not in jobs:
            return {"error": f"There is no job {job!r}."}
        return {"values": jobs[job](request, on_progress)}
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

    return dict(tasks.get(Run(Path(request["folder"])).spec.data.task).questions)


def _ask(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import ask

    return ask.answer(Run(Path(request["folder"])), request["question"])


def _predict(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import predict

    files = [Path(file) for file in request.get("files", ())]
    return predict.compute(Run(Path(request["folder"])), files, request.get("rows"), request.get("prompt"))


def _evaluate(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import evaluate

    return evaluate.compute(
        Run(Path(request["folder"])), request["split"], request.get("task"), request.get("crf", False)
    )


def _explain(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import explain_job

    return explain_job.compute(request)


def _profile(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import profile

    return profile.compute(Run(Path(request["folder"])))


def _find_lr(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import lr_finder
    from workbench.engine.spec import RunSpec

    return lr_finder.compute(RunSpec.from_json(request["spec"]), request["updates"], on_progress)


def _device(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import devices

    return {"kind": devices.available(request["device"]).type}


def _export(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import model_export

    return model_export.compute(Run(Path(request["folder"])), request["format"], Path(request["path"]))


def _sample(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import sample

    return sample.compute(Run(Path(request["folder"])), request["request"])


def _encode(request: dict[str, Any], on_progress: OnProgress) -> dict[str, Any]:
    from workbench.engine import encode

    return encode.compute(Run(Path(request["folder"])), Path(request["path"]), request["split"])


JOBS: Jobs = {
    "verify": _verify,
    "autograd": _autograd,
    "interpret": _interpret,
    "questions": _questions,
    "ask": _ask,
    "predict": _predict,
    "evaluate": _evaluate,
    "explain": _explain,
    "device": _device,
    "profile": _profile,
    "find_lr": _find_lr,
    "export": _export,
    "sample": _sample,
    "encode": _encode,
}


def _run(request: dict[str, Any], on_progress: OnProgress, stop: threading.Event) -> dict[str, Any]:
    """Train a run, or continue one, and return the code of `run_job.make_run`.

    The progress 0 is reported first: from then on, a signal stops the run.

    Raises:
        SystemExit: If the end could not be written. Then the run counts as crashed, not as still running.
    """
    run = Run(Path(request["folder"]))
    with suppress(BrokenPipeError):  # the client has ended
        on_progress(0.0)
    with _output_to(run.folder / "stderr.txt"):
        code = run_job.make_run(run.folder, request.get("resume"), stop)
        run_job.clean_up()
    if code != run_job.LOCKED and (run.folder / "worker.json").exists():
        sys.exit(1)
    return {"code": code}


@contextmanager
def _output_to(file: Path) -> Iterator[None]:
    """Redirect stdout and stderr to a file."""
    outputs = (sys.stdout.fileno(), sys.stderr.fileno())
    copies = [os.dup(output) for output in outputs]
    with file.open("wb") as stream:
        for output in outputs:
            os.dup2(stream.fileno(), output)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for copy, output in zip(copies, outputs, strict=True):
            os.dup2(copy, output)
            os.close(copy)


def main(words: list[str]) -> int:
    """Run a command line, see the docstring of the module, and return the exit code."""
    if words[0] == "--serve":
        return serve("runs" in words)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return run_job.make_run(Path(words[0]), words[1] if len(words) > 1 else None, stop)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
