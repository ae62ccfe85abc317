"""The folders of all runs: creating, finding, renaming and deleting them."""

import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from workbench import files, tasks
from workbench.engine.heartbeat import SILENCE
from workbench.engine.lock import held
from workbench.engine.run import Run, children
from workbench.engine.spec import RunSpec
from workbench.errors import UserError, unknown_name
from workbench.paths import data_dir, make_private
from workbench.untrusted import printable

# A dot would make `--from NAME` a file.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
NUMBER = re.compile(r"-\d+$")
DRAFT, TRASH = ".new-", ".deleted-"  # prefixes of hidden folders
LEFTOVER_AGE = 86_400.0  # seconds after which a hidden folder belongs to a process that was killed


def folder() -> Path:
    """Return the folder of the run folders."""
    return data_dir() / "runs"


def create(spec: RunSpec) -> Run:
    """Create a run folder under a new name. It becomes visible only when it is complete.

    Raises:
        UserError: If the folder can't be written, or the spec's task is a table that can't be learned from.
    """
    tasks.info(spec.data.task)
    with draft() as path:
        files.write(path / "spec.json", spec.to_json().encode(), sync=True)
        Run(path).beat()  # the process that creates a run is its worker until the worker beats
        return Run(_number(path, spec.network.model))


@contextmanager
def draft() -> Iterator[Path]:
    """Create a hidden folder next to the run folders, to be filled and renamed; the rest is deleted at the end.

    Raises:
        UserError: If it can't be written.
    """
    path = folder() / f"{DRAFT}{uuid4().hex}"
    try:
        make_private(path)
        yield path
        files.sync_folder(folder())
    except OSError as error:
        raise UserError(
            f"Runs can't be written to {folder()} ({error.strerror}): make room, or set WORKBENCH_HOME to another one."
        ) from error
    finally:
        shutil.rmtree(path, ignore_errors=True)
        _delete_leftovers()


def place(path: Path, name: str) -> Run:
    """Rename a draft to a run's name, or to the next free number if that is taken.

    Raises:
        OSError: If it can't be renamed.
    """
    target = folder() / name
    if not os.path.lexists(target):
        try:
            return Run(path.rename(target))
        except OSError:
            if not os.path.lexists(target):
                raise
    return Run(_number(path, NUMBER.sub("", name)))


def names() -> list[str]:
    """Return the ids of all runs, in no order, without reading any of them."""
    try:
        with os.scandir(folder()) as entries:
            return [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_dir()]
    except OSError:
        return []


def find(run_id: str) -> Run | None:
    """Return the run with an id; None if there is none. No other folder is read."""
    is_name = run_id and run_id == Path(run_id).name and not run_id.startswith(".")
    return Run(folder() / run_id) if is_name and os.path.isdir(folder() / run_id) else None  # noqa: PTH112  never raises


def get(run_id: str) -> Run:
    """Return the run with an id.

    Raises:
        UserError: If there is none; the message suggests similar ids.
    """
    if (run := find(run_id)) is None:
        raise unknown_name("run", run_id, map(printable, names()))
    return run


def every() -> list[Run]:
    """Return all runs, oldest first, including damaged folders."""
    return sorted((Run(folder() / name) for name in names()), key=lambda run: (run.created(), run.id))


def running() -> list[Run]:
    """Return the runs that are running, oldest first. Of the others, only the time of the last heartbeat is read."""
    runs, now = [], time.time()
    for path in map(folder().joinpath, names()):
        with suppress(OSError):
            beat = os.stat(path / "worker.json").st_mtime  # noqa: PTH116  faster
            if abs(now - beat) < 2 * SILENCE or path in children:
                runs.append(Run(path))
    return sorted((run for run in runs if run.status() == "running"), key=lambda run: (run.created(), run.id))


def rename(run: Run, name: str) -> Run:
    """Give a run another name.

    Raises:
        UserError: If it is running, or the name is taken or can't be one.
    """
    if not NAME.fullmatch(name):
        raise UserError(
            f"A run's name has at most 80 letters, digits, - and _, and begins with a letter or digit, not "
            f"{printable(name)[:60]!r}."
        )
    target = folder() / name
    with _ended(run):
        if os.path.lexists(target):
            raise UserError(f"The name {name} is taken. Choose another one.")
        run.folder.rename(target)
    return Run(target)


def delete(run: Run) -> None:
    """Delete a run with all its files. It disappears at once, even if this process is killed before the end.

    Raises:
        UserError: If it is running, or its folder can't be changed.
    """
    trash = folder() / f"{TRASH}{uuid4().hex}"
    with _ended(run):
        run.folder.rename(trash)
    children.pop(run.folder, None)
    _remove(trash)


@contextmanager
def _ended(run: Run) -> Iterator[None]:
    """Keep workers away from a run that has ended.

    Raises:
        UserError: If it is running, or its folder can't be changed.
    """
    try:
        with held(run.folder):
            check_ended(run)
            yield
    except BlockingIOError:
        raise _running(run) from None
    except OSError as error:
        raise UserError(f"{run.folder} can't be changed ({error.strerror}). Allow writing there.") from error


def check_ended(run: Run) -> None:
    """Check that a run is not running.

    Raises:
        UserError: If it is.
    """
    if run.status() == "running":
        raise _running(run)


def _running(run: Run) -> UserError:
    return UserError(f"The run {printable(run.id)} is running. Stop it first: workbench runs stop {printable(run.id)}")


def _number(path: Path, stem: str) -> Path:
    """Rename a draft to the next free number of a stem, such as the model's name."""
    pattern = re.compile(rf"{re.escape(stem)}-(\d+)")
    number = max((int(match[1]) for name in names() if (match := pattern.fullmatch(name))), default=0)
    while True:
        number += 1
        target = folder() / f"{stem}-{number:04d}"
        try:
            return path.rename(target)  # fails if there is a folder with content: another process was faster
        except OSError:
            if not target.exists():
                raise


def _remove(path: Path) -> None:
    if path.is_symlink():  # a run folder that is elsewhere: only the link is ours
        with suppress(OSError):
            path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def _delete_leftovers() -> None:
    """Delete the hidden folders that killed processes left."""
    with suppress(OSError), os.scandir(folder()) as entries:
        for entry in entries:
            is_hidden = entry.name.startswith((DRAFT, TRASH))
            if is_hidden and time.time() - entry.stat(follow_symlinks=False).st_mtime > LEFTOVER_AGE:
                _remove(Path(entry.path))
