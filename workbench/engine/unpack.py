"""Unpacking a file with runs. It may not be from `engine.pack`, so nothing in it is trusted.

Everything is checked before anything is unpacked: the names and kinds of the entries, their sizes as they are declared
in the zip file and in the manifest, and the free space. Only files of a run are written, under their usual
names, to a hidden folder. It becomes a run folder when all checksums are correct.
"""

import os
import re
import shutil
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from workbench import untrusted
from workbench.engine import runs
from workbench.engine.pack import CHUNK, MANIFEST, MAX_SIZES, SCHEMA, SPEC
from workbench.engine.run import Run
from workbench.errors import UserError
from workbench.untrusted import printable

MAX_RUNS = 1000
MAX_ENTRIES = MAX_RUNS * len(MAX_SIZES) + 1
MAX_MANIFEST = 4_000_000  # bytes
MAX_DIRECTORY = 4_000_000  # bytes of the zip file's list of entries
MAX_TOTAL = 1 << 37  # bytes of all files of a pack
RESERVE = 100_000_000  # bytes of the disk that stay free
# From this size on, a file that expands more than this is a bomb: only weights are that large, and they don't shrink.
BOMB_SIZE, BOMB_RATIO = 100_000_000, 200
END_RECORD = b"PK\x05\x06"  # begins the last 22 bytes of a zip file, before its comment of at most 65,535 bytes
MAX_TAIL = 22 + 65_535 + 76
LARGE_RECORD, LARGE_LOCATOR = b"PK\x06\x06", b"PK\x06\x07"  # 56 and 20 bytes before the end record
CHECKSUM = re.compile(r"[0-9a-f]{64}")
# What `zipfile` raises for damaged files; of a kind of compression that it doesn't know, a RuntimeError.
DAMAGES = (BadZipFile, zlib.error, struct.error, EOFError, ValueError, RuntimeError, LookupError, OverflowError)

Manifest = dict[str, dict[str, dict[str, Any]]]  # run -> file -> size and sha256


@dataclass(frozen=True)
class Unpacked:
    """A run that was unpacked.

    Attributes:
        name: Its name in the pack.
        run: The run folder that it has now.
        size: Bytes of its files.
        device: The device that its spec named, which is `auto` now; None if the spec is unchanged.
    """

    name: str
    run: Run
    size: int
    device: str | None


def unpack(path: Path) -> list[Unpacked]:
    """Unpack the runs of a file.

    Raises:
        UserError: If the file is not a pack of runs, or damaged, or too large. Then nothing is left of it.
    """
    with _archive(path) as archive, runs.draft() as draft:
        manifest = _manifest(path, archive)
        _measure(path, archive, manifest)
        for name, files in manifest.items():
            (draft / name).mkdir()
            for file, entry in files.items():
                with _damages(path), archive.open(f"{name}/{file}") as source:
                    _extract(source, draft / name / file, entry)
        specs = {name: Run(draft / name).spec for name in manifest}
        places: dict[str, Run] = {}
        changed: dict[str, str | None] = {}
        for name in _donors_first({name: spec.origin for name, spec in specs.items()}):
            changed[name] = _adapt(Run(draft / name), {donor: run.id for donor, run in places.items()})
            places[name] = runs.place(draft / name, name)
    sizes = {name: sum(entry["size"] for entry in files.values()) for name, files in manifest.items()}
    return [Unpacked(name, places[name], sizes[name], changed[name]) for name in manifest]


@contextmanager
def _archive(path: Path) -> Iterator[ZipFile]:
    """Open a zip file, once its list of entries is known to be short enough to be read.

    Raises:
        UserError: If it isn't there, or not a zip file.
    """
    try:
        if not path.is_file():
            raise UserError(f"{path} is not a file. Name a file that 'workbench runs pack' wrote.")
        with path.open("rb") as file:
            _check_directory(path, file)
            with _damages(path):
                archive = ZipFile(file)
            with archive:
                yield archive
    except OSError as error:
        raise UserError(f"{path} can't be read ({error.strerror or error}).") from error


def _check_directory(path: Path, file: BinaryIO) -> None:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - MAX_TAIL))
    tail = file.read()
    start = tail.rfind(END_RECORD)
    if start < 0 or len(tail) - start < 22:
        raise UserError(f"{path} is not a zip file, or it is cut off. Pack the runs again.")
    entries = int.from_bytes(tail[start + 10 : start + 12], "little")
    length = int.from_bytes(tail[start + 12 : start + 16], "little")
    if start >= 20 and tail[start - 20 : start - 16] == LARGE_LOCATOR:  # of a file of more than 2 GiB: longer numbers
        record = tail[start - 76 : start - 20]
        if start < 76 or not record.startswith(LARGE_RECORD):
            raise UserError(f"{path} is damaged: its list of entries can't be found. Pack the runs again.")
        entries, length = int.from_bytes(record[32:40], "little"), int.from_bytes(record[40:48], "little")
    if entries > MAX_ENTRIES or length > MAX_DIRECTORY:
        raise UserError(f"{path} has too many entries to be a pack of runs.")


@contextmanager
def _damages(path: Path) -> Iterator[None]:
    """Raise what `zipfile` says about a damaged file as a user error."""
    try:
        yield
    except UserError:
        raise
    except DAMAGES as error:
        raise UserError(f"{path} is damaged ({printable(str(error))[:100]}). Pack the runs again.") from error


def _manifest(path: Path, archive: ZipFile) -> Manifest:
    """Read the manifest.

    Raises:
        UserError: If there is none, or it isn't one.
    """
    with _damages(path):
        if MANIFEST not in archive.namelist():
            raise UserError(f"{path} is not a pack of runs: it has no {MANIFEST}.")
        info = archive.getinfo(MANIFEST)
        _check_entry(path, info)
        with archive.open(info) as file:
            content = file.read(MAX_MANIFEST + 1)
        if len(content) > MAX_MANIFEST:
            raise UserError(f"{path} is not a pack of runs: its {MANIFEST} is too long.")
        record = untrusted.parse(content)
    if isinstance(record, dict) and type(record.get("schema")) is int and record["schema"] > SCHEMA:
        raise UserError(f"{path} was packed by a newer version of the workbench. Update the workbench to unpack it.")
    if not isinstance(record, dict) or record.get("schema") != SCHEMA or not _is_manifest(record.get("runs")):
        raise UserError(f"{path} is damaged: its {MANIFEST} is not that of a pack of runs. Pack the runs again.")
    manifest: Manifest = record["runs"]
    return manifest


def _is_manifest(value: Any) -> bool:
    return isinstance(value, dict) and 0 < len(value) <= MAX_RUNS and all(map(_is_run, value.items()))


def _is_run(item: tuple[str, Any]) -> bool:
    name, files = item
    if (
        not runs.NAME.fullmatch(name)
        or not isinstance(files, dict)
        or SPEC not in files
        or not files.keys() <= MAX_SIZES.keys()
    ):
        return False
    return all(
        isinstance(entry, dict)
        and type(entry.get("size")) is int
        and isinstance(entry.get("sha256"), str)
        and CHECKSUM.fullmatch(entry["sha256"])
        for entry in files.values()
    )


def _measure(path: Path, archive: ZipFile, manifest: Manifest) -> None:
    """Check the entries of an archive against the manifest, and their sizes against the limits and the free space.

    Raises:
        UserError: If something is not as it must be.
    """
    entries = archive.infolist()
    expected = {f"{name}/{file}": entry["size"] for name, files in manifest.items() for file, entry in files.items()}
    names = [info.filename for info in entries if info.filename != MANIFEST]
    if len(names) + 1 != len(entries) or len(set(names)) != len(names):
        raise UserError(f"{path} is damaged: it has an entry twice.")
    if unknown := sorted(set(names) ^ expected.keys()):
        raise UserError(f"{path} is damaged: {printable(unknown[0])[:80]!r} is in the file or in its manifest alone.")
    for info in entries:
        _check_entry(path, info)
        if info.filename == MANIFEST:
            continue
        if info.file_size != expected[info.filename]:
            raise UserError(f"{path} is damaged: {info.filename} does not have the size that the manifest says.")
        if info.file_size > MAX_SIZES[info.filename.partition("/")[2]]:
            raise UserError(f"{path} can't be unpacked: {info.filename} is too large.")
    total, size = sum(expected.values()), path.stat().st_size
    if total > MAX_TOTAL or sum(info.compress_size for info in entries) > size:
        raise UserError(f"{path} can't be unpacked: its files are larger than they can be.")
    if total + RESERVE > _free_space():
        raise UserError(f"The disk has too little space for the {total:,} bytes of {path}. Make room for them.")


def _check_entry(path: Path, info: ZipInfo) -> None:
    """Check that an entry is a file that can be unpacked.

    Raises:
        UserError: If it is a link or a folder, encrypted, or a bomb.
    """
    name = printable(info.filename)[:80]
    if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG) or info.is_dir():
        raise UserError(f"{path} is damaged: {name} is not a file.")
    if info.flag_bits & 1 or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise UserError(f"{path} can't be unpacked: {name} is encrypted, or compressed in an unknown way.")
    if info.file_size > BOMB_SIZE and info.file_size > BOMB_RATIO * info.compress_size:
        raise UserError(f"{path} can't be unpacked: {name} expands to {info.file_size:,} bytes.")


def _free_space() -> int:
    return shutil.disk_usage(runs.folder()).free


def _extract(source: Any, target: Path, entry: dict[str, Any]) -> None:
    """Write an entry to a file.

    Raises:
        ValueError: If it doesn't have the size or the checksum of the manifest.
    """
    digest, size = sha256(), 0
    with target.open("wb") as file:
        while chunk := source.read(CHUNK):
            size += len(chunk)
            if size > entry["size"]:
                break
            digest.update(chunk)
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
    if size != entry["size"] or digest.hexdigest() != entry["sha256"]:
        raise ValueError(f"{target.parent.name}/{target.name} does not have the checksum of the manifest")


def _donors_first(origins: dict[str, str | None]) -> list[str]:
    """Return names in such an order that a run comes after the one whose weights it began with."""
    order: list[str] = []
    rest = dict(origins)
    while rest:
        ready = [name for name, origin in rest.items() if origin not in rest]
        ready = ready or list(rest)[:1]  # real runs are never in a cycle, but the specs in a file may be
        order += ready
        for name in ready:
            del rest[name]
    return order


def _adapt(run: Run, ids: dict[str, str]) -> str | None:
    """Change the parts of a spec that belong to another machine: the device, and the run with the initial weights.

    Args:
        run: The run, in the draft.
        ids: Name in the pack -> id here, of the runs before it.

    Returns:
        The device that the spec named; None if it is unchanged.
    """
    spec = run.spec
    device = None if spec.runtime.device in ("auto", "cpu") else spec.runtime.device
    origin = spec.origin
    if origin and runs.NAME.fullmatch(origin):  # a run with that name on this machine is another one
        origin = ids.get(origin, f"{origin} (not in the pack)")
    if device or origin != spec.origin:
        changes = {"device": "auto" if device else spec.runtime.device, "origin": origin}
        run.replace_spec(spec.with_options(**changes))
    return device
