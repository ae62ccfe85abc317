"""All runs: where their folders are, and how a new one gets its name."""

import re
import shutil
from pathlib import Path
from uuid import uuid4

from workbench import files, tasks
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError, lookup
from workbench.paths import data_dir, make_private


def folder() -> Path:
    """Where the run folders stand."""
    return data_dir() / "runs"


def create(spec: RunSpec) -> Run:
    """A new run folder, complete from the moment it is seen, under a name that no other process can get.

    Raises:
        UserError: The folder can't be written, or the spec's task is a table that can't be learnt from.
    """
    tasks.info(spec.task)
    draft = folder() / f".new-{uuid4().hex}"
    try:
        make_private(draft)
        files.write(draft / "spec.json", spec.to_json().encode(), sync=True)
        Run(draft).beat()  # whoever creates a run answers for it until the worker beats
        return Run(_named(draft, spec.model))
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        raise UserError(
            f"Runs can't be written to {folder()} ({error.strerror}): make room or set WORKBENCH_HOME elsewhere."
        ) from error


def get(run_id: str) -> Run:
    """The run of that id.

    Raises:
        UserError: There is none.
    """
    return lookup("run", run_id, {run.id: run for run in every()})


def every() -> list[Run]:
    """All runs, the oldest first, those with damaged folders among them."""
    try:
        found = [Run(run) for run in folder().iterdir() if run.is_dir() and not run.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=lambda run: (run.made(), run.id))


def _named(draft: Path, model: str) -> Path:
    """Rename a draft to the model's next free number."""
    pattern = re.compile(rf"{re.escape(model)}-(\d+)")
    number = max((int(match[1]) for run in folder().iterdir() if (match := pattern.fullmatch(run.name))), default=0)
    while True:
        number += 1
        place = folder() / f"{model}-{number:04d}"
        try:
            return draft.rename(place)  # refused where a folder with something in it stands: another was faster
        except OSError:
            if not place.exists():
                raise
