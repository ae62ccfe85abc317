"""The user's own text: `text:PATH`, a file in UTF-8."""

from functools import lru_cache
from pathlib import Path

from workbench.data import text
from workbench.data.dataset import DataSet
from workbench.errors import UserError
from workbench.untrusted import printable

PREFIX = "text:"
MAX_BYTES = 10_000_000
MAX_VOCABULARY = 4096
MIN_CHARACTERS = 1000  # so that each split has more than a context of 64


def info(name: str) -> DataSet:
    """Return the description of a text. The name in it holds the whole path: it is valid in any folder.

    Raises:
        UserError: If there is no such file, or it can't be learned from.
    """
    file = find(name)
    content = _read(*status(file))
    shown = printable(file.name)
    return DataSet(
        name=f"{PREFIX}{file}",
        title=f"the next character of {shown}",
        row="one character of a text",
        samples=len(content),
        shape=(),
        target="the next character",
        source=str(file),
        licence="your own",
        declared_modality="text",
        sizes=dict(vocabulary=len(text.vocabulary(content, MAX_VOCABULARY))),
    )


def load(name: str) -> str:
    """Return a text. Raises as `info` does."""
    return _read(*status(find(name)))


def state(name: str) -> list[object]:
    """Return what tells that a text has changed. Raises as `info` does."""
    return state_of(find(name))


def find(name: str, prefix: str = PREFIX) -> Path:
    """Return the file of a name, `text:PATH` or with another prefix.

    Raises:
        UserError: If there is no such file.
    """
    where = name.removeprefix(prefix)
    shown = printable(where[:200])
    try:
        file = Path(where or ".").expanduser()
        if not file.exists():
            raise UserError(f"There is no file {shown}. Write {prefix}PATH with the path of a text file.")
        if file.is_dir():
            raise UserError(f"{printable(str(file))} is a folder. Give a text file in it.")
        if not file.is_file():
            raise UserError(f"{printable(str(file))} is not an ordinary file. Save the text as one.")
        return file.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~ of an unknown user; ValueError: a \0
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown} can't be read: {printable(str(error))}.") from error


def status(file: Path) -> tuple[Path, int, int]:
    """Return a file with its time and size, which differ once it has changed."""
    entry = file.stat()
    return file, entry.st_mtime_ns, entry.st_size


def state_of(file: Path) -> list[object]:
    """Return the same as plain data."""
    file, *changed = status(file)
    return [str(file), *changed]


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> str:
    """Return the text of a file in its present state: it is read again when its time or size has changed."""
    content = read(file, size)
    _check(content, printable(file.name))
    return content


def read(file: Path, size: int) -> str:
    """Return the text of a file of this size in bytes, with `\\n` at the end of each line.

    Raises:
        UserError: If it is too large, or not in UTF-8.
    """
    name = printable(file.name)
    if size > MAX_BYTES:
        raise UserError(
            f"{name} has {size / 1e6:.0f} MB, and at most {MAX_BYTES / 1e6:.0f} are supported. Use a part of it."
        )
    try:
        with file.open("rb") as stream:
            content = stream.read(MAX_BYTES)
    except OSError as error:
        raise UserError(f"{name} can't be read: {error.strerror}.") from error
    try:
        decoded = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{name} is not a text in UTF-8: byte {error.start:,} (in line {line:,}) is 0x{content[error.start]:02x}. "
            "Save it again as UTF-8."
        ) from None
    return decoded.replace("\r\n", "\n").replace("\r", "\n")


def _check(content: str, name: str) -> None:
    if not content.strip():
        raise UserError(f"{name} is empty. Use a text of at least {MIN_CHARACTERS:,} characters.")
    if len(content) < MIN_CHARACTERS:
        raise UserError(
            f"{name} has {len(content)} characters, too few to train, validate and test. "
            f"Use a text of at least {MIN_CHARACTERS:,}."
        )
    if len(set(content)) == 1:
        raise UserError(f"{name} has only one distinct character. Use a text with several.")
    if len(text.vocabulary(content, MAX_VOCABULARY)) < 3:
        raise UserError(f"{name} has fewer than 2 characters that occur {text.MIN_COUNT} times. Use a longer text.")
