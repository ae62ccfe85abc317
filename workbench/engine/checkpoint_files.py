"""Checkpoint files, read without torch: their metadata, their checksums, and the choice of one that isn't damaged.

A checkpoint is a safetensors file: the length of its header in 8 bytes, the header in JSON, the tensors. The header's
metadata are `about`, plain data as JSON, and `checksum`, the SHA-256 of the file with zeros in place of the checksum.
Older files have none.
"""

import os
import re
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, TypeVar

from workbench import untrusted
from workbench.errors import UserError

T = TypeVar("T")

RESUMABLE = ("last", "previous")  # a run is resumed from the first of these that is not damaged
LONGEST_HEADER = 100_000_000  # bytes: the limit of safetensors itself
CHECKSUM = re.compile(rb'"checksum":"([^"]*)"')
NO_CHECKSUM = "0" * sha256().digest_size * 2
CHUNK = 1 << 20  # bytes


class DamagedError(UserError):
    """A checkpoint is damaged.

    Attributes:
        why: What is wrong with it, such as `it is cut off`.
    """

    def __init__(self, path: Path, why: str):
        super().__init__(f"The checkpoint {path} is damaged ({why}). Train from the beginning.")
        self.why = why


def write_sealed(file: IO[bytes], content: bytes) -> None:
    """Write a safetensors file whose metadata have the checksum `NO_CHECKSUM`, with its real checksum."""
    start = 8 + int.from_bytes(content[:8], "little")
    header = content[8:start].replace(_entry(NO_CHECKSUM), _entry(sha256(content).hexdigest()))
    for piece in (content[:8], header, memoryview(content)[start:]):
        file.write(piece)


def _entry(checksum: str) -> bytes:
    return f'"checksum":"{checksum}"'.encode()


def verify(path: Path) -> None:
    """Check a file by its checksum, if it has one.

    Raises:
        DamagedError: If it is damaged.
        OSError: If it can't be read.
    """
    with path.open("rb") as file:
        header = _read_header(path, file)
        if (match := CHECKSUM.search(header)) is None:
            return
        digest = sha256(len(header).to_bytes(8, "little"))
        digest.update(header.replace(match[0], _entry(NO_CHECKSUM), 1))
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    if digest.hexdigest().encode() != match[1]:
        raise DamagedError(path, "its checksum is wrong")


def header(path: Path) -> dict[str, Any]:
    """Return the metadata of a checkpoint. Its size is checked, but not its checksum.

    Raises:
        UserError: If there is none, or it is damaged.
    """
    try:
        with path.open("rb") as file:
            content = _read_header(path, file)
            size = os.fstat(file.fileno()).st_size
        entries = untrusted.parse(content)
        about = untrusted.parse(entries.pop("__metadata__")["about"])
        ends = [entry["data_offsets"][1] for entry in entries.values()]
        if 8 + len(content) + max(ends, default=0) != size or not isinstance(about, dict):
            raise DamagedError(path, "it is cut off")
        return about
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"There is no checkpoint {path} to continue from. Train from the beginning.") from None
    except OSError as error:
        raise UserError(f"The checkpoint {path} can't be read ({error.strerror}). Check its permissions.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(path, str(error)) from error


def _read_header(path: Path, file: IO[bytes]) -> bytes:
    length = int.from_bytes(file.read(8), "little")
    if not 0 < length <= os.fstat(file.fileno()).st_size - 8:
        raise DamagedError(path, "it is cut off")
    if length > LONGEST_HEADER:
        raise DamagedError(path, "its header is too long")
    return file.read(length)


def first_readable(folder: Path, names: Sequence[str], read: Callable[[Path], T]) -> tuple[str, T, str | None]:
    """Read the first of a run's checkpoints that is there and not damaged.

    Args:
        folder: The run's folder.
        names: The names of checkpoints, without the suffix.
        read: Reads one.

    Returns:
        The name of the checkpoint, what `read` returned, and a sentence that says why it is not the first one; None if
        it is.

    Raises:
        UserError: If there is none; the message is about the first one.
    """
    problems: list[tuple[UserError, str]] = []
    for name in names:
        path = folder / f"{name}.safetensors"
        try:
            result = read(path)
        except UserError as error:
            if path.exists() and not isinstance(error, DamagedError):
                raise
            problems.append((error, error.why if isinstance(error, DamagedError) else "it is missing"))
        else:
            return name, result, replacement(names[0], problems[0][1], name) if problems else None
    raise problems[0][0]


def replacement(name: str, why: str, other: str) -> str:
    """Return a sentence that says which checkpoint is used in place of one that can't be used."""
    return f"The {name} checkpoint can't be used ({why}), so the {other} checkpoint is used."
