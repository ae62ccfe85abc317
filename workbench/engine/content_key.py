"""Content keys: two runs with the same key have the same numbers, so that one need not be trained again.

The key of a run is in the file `key` of its folder. Runs of older versions have none, and are never reused.
"""

import hashlib
import json
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from workbench import data, files, tasks
from workbench.engine import runs
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.engine.spec.sections import FromRun, FromStateDict, Plateau
from workbench.engine.training.schedules import depends_on_length
from workbench.errors import UserError

RESULTS_VERSION = 1  # raise it when the numbers of a run change, so that older runs are not reused
CHUNK = 1 << 20  # bytes


def content_key(spec: RunSpec, device: str) -> str:
    """Return the key of a run: the SHA-256 of everything that its numbers depend on.

    Args:
        spec: The configuration.
        device: The kind of device that it is trained on: `cpu`, `cuda` or `mps`.

    Raises:
        UserError: If the data or the initial weights can't be read.
    """
    record = spec.to_record()
    del record["runtime"]["device"]  # it may be `auto`; the key has the actual kind
    if record["regularization"]["pixel_loss"] is None:  # runs from before there was this option keep their keys
        del record["regularization"]["pixel_loss"]
    parts = dict(
        results=RESULTS_VERSION,
        spec=record,
        data=data.fingerprint(tasks.info(spec.data.task).data),
        torch=version("torch"),
        device=device,
        weights=_initial_weights(spec),
    )
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _initial_weights(spec: RunSpec) -> str | None:
    """Return the hash of the file with the initial weights; None for fresh ones."""
    match spec.initial_weights:
        case None:
            return None
        case FromStateDict(weights):
            path = Path(weights)
        case FromRun(origin):
            path = Path(origin)
            if not path.is_absolute():
                path = runs.get(origin).folder / "best.safetensors"
    try:
        status = path.stat()
        return _hash(path, status.st_mtime_ns, status.st_size)
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror}). Give a run or a file with weights.") from error


@lru_cache(maxsize=16)
def _hash(path: Path, changed: int, size: int) -> str:
    """Return the hash of a file in its present state."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def can_extend(spec: RunSpec) -> bool:
    """Return whether a run that is extended after its end has the same numbers as a run with that length.

    It has not if the learning rate depends on the length, or on evaluations, because a run also evaluates at its end.
    """
    is_steady = not depends_on_length(spec) and not isinstance(spec.schedule, Plateau)
    return is_steady and spec.evaluation.patience is None


def record(run: Run, spec: RunSpec, device: str, old_spec: RunSpec | None = None) -> None:
    """Write the key of a run that begins, or of one that continues, if it has the numbers of an uninterrupted run.

    Args:
        run: The run.
        spec: Its configuration from now on.
        device: The kind of its device.
        old_spec: The configuration so far; None for a run that begins.
    """
    path, key = run.folder / "key", None
    with suppress(UserError):  # its data or its initial weights can't be read now
        is_as_before = old_spec is None or read(run) == content_key(old_spec, device)
        if is_as_before and (old_spec in (None, spec) or can_extend(spec)):
            key = content_key(spec, device)
    with suppress(OSError):  # without a key it is not reused
        path.unlink(missing_ok=True) if key is None else write(run, key)


def write(run: Run, key: str, next_key: str = "") -> None:
    """Write the key of a run, and the one that it will have when it has been extended."""
    files.write(run.folder / "key", f"{key}\n{next_key}".encode())


def read(run: Run) -> str | None:
    """Return the key of a run; None if it has none."""
    return _read(run)[0] or None


def _read(run: Run) -> tuple[str, str]:
    """Return the key of a run and the one that it will have; empty if it has none."""
    try:
        text = (run.folder / "key").read_text(encoding="ascii")
    except (OSError, ValueError):
        return "", ""
    key, _, next_key = text.partition("\n")
    return key, next_key


class Keys:
    """The runs by key. A folder is read when it is new, and again when a key that it had is looked up."""

    def __init__(self) -> None:
        self._folders: dict[str, set[Path]] = {}
        self._names: set[str] = set()

    def find(self, key: str) -> list[Run]:
        """Return the runs that have a key, and those that are being extended until they have it."""
        for folder in runs.folder().iterdir():
            if folder.name not in self._names and not folder.name.startswith("."):
                self.add(Run(folder))
        candidates = [Run(folder) for folder in sorted(self._folders.get(key, ()))]
        return [
            run
            for run in candidates
            if (keys := _read(run))[0] == key or (keys[1] == key and run.status() == "running")
        ]

    def add(self, run: Run) -> None:
        """Add the current keys of a run."""
        self._names.add(run.id)
        for key in filter(None, _read(run)):
            self._folders.setdefault(key, set()).add(run.folder)
