"""Packing runs into one zip file, which `engine.unpack` opens on another machine.

The file has `manifest.json` and, for each run, a folder with some of its files. The manifest names every file with its
size and its SHA-256. Weights are stored as they are, because they can't be compressed; everything else is deflated.
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from workbench import files
from workbench.engine import notes
from workbench.engine.index import read_state
from workbench.engine.run import Run
from workbench.engine.run_row import MAX_SPEC
from workbench.engine.runs import NAME, check_ended
from workbench.errors import UserError
from workbench.untrusted import printable

SCHEMA = 1  # of the manifest
MANIFEST = "manifest.json"
SPEC = "spec.json"
CHUNK = 1 << 20  # bytes
# The files of a run that are packed, each with the largest size that is unpacked, in bytes. Those of a worker are not:
# its heartbeat, its lock and its messages belong to the machine on which it ran.
MAX_SIZES = {
    SPEC: MAX_SPEC,
    "events.jsonl": 1 << 30,
    notes.FILE: notes.MAX_BYTES,
    "visualizations.json": 1 << 28,
    "pictures.json": 1 << 28,
    "last.safetensors": 1 << 36,
    "previous.safetensors": 1 << 36,
    "best.safetensors": 1 << 36,
}


def pack(runs: list[Run], path: Path) -> dict[str, dict[str, Any]]:
    """Write runs to one file.

    Args:
        runs: Runs that have ended.
        path: The file, which must not exist.

    Returns:
        The manifest's content: run -> file -> `size` and `sha256`.

    Raises:
        UserError: If a run is running or damaged, or the file exists or can't be written.
    """
    for run in runs:
        _check(run)
    if os.path.lexists(path):
        raise UserError(f"{path} exists. Choose another name with -o.")
    contents: dict[str, dict[str, Any]] = {}

    def write(file: BinaryIO) -> None:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            for run in runs:
                before = read_state(str(run.folder))
                contents[run.id] = _add(archive, run)
                if read_state(str(run.folder)) != before:
                    raise UserError(f"The run {run.id} changed while it was packed. Try again.")
            manifest = {"schema": SCHEMA, "runs": contents}
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))

    try:
        files.write(path, write)
    except OSError as error:
        raise UserError(f"The runs can't be packed into {path} ({error.strerror or error}).") from error
    return contents


def _check(run: Run) -> None:
    """Check that a run can be packed.

    Raises:
        UserError: If it is running or damaged, or its name can't be the name of a folder on every machine.
    """
    check_ended(run)
    _ = run.spec
    if not NAME.fullmatch(run.id):
        raise UserError(f"{printable(run.id)} can't be packed under this name. Rename it with 'workbench runs rename'.")


def _add(archive: ZipFile, run: Run) -> dict[str, Any]:
    """Add a run's files to an archive and return their sizes and checksums."""
    added = {}
    for name in MAX_SIZES:
        path = run.folder / name
        if path.is_file():
            info = ZipInfo(f"{run.id}/{name}")
            info.compress_type = ZIP_STORED if path.suffix == ".safetensors" else ZIP_DEFLATED
            info.external_attr = 0o600 << 16
            digest, size = sha256(), 0
            with path.open("rb") as source, archive.open(info, "w", force_zip64=True) as target:
                while chunk := source.read(CHUNK):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
            added[name] = {"size": size, "sha256": digest.hexdigest()}
    return added
