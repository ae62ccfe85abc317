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
    file = _find(name)
    content = _read(*file_state(file))
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
    return _read(*file_state(_find(name)))


def state(name: str) -> list[object]:
    """Return what tells that a text has changed. Raises as `info` does."""
    file, *status = file_state(_find(name))
    return [str(file), *status]


def _find(name: str) -> Path:
    return find_file(name.removeprefix(PREFIX), "Write text:PATH with the path of a text file.")


def find_file(where: str, usage: str) -> Path:
    """Return the absolute path of a text file of the user's.

    Args:
        where: Its path.
        usage: What to do if there is no such file.

    Raises:
        UserError: If there is no such file.
    """
    shown = printable(where[:200])
    try:
        file = Path(where or ".").expanduser()
        if not file.exists():
            raise UserError(f"There is no file {shown}. {usage}")
        if file.is_dir():
            raise UserError(f"{printable(str(file))} is a folder. Give a text file in it.")
        if not file.is_file():
            raise UserError(f"{printable(str(file))} is not an ordinary file. Save the text as one.")
        return file.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~ of an unknown user; ValueError: a \0
        if isinstance(error, UserError):
            raise
        raise UserError(f"{shown} can't be read: {printable(str(error))}.") from error


def file_state(file: Path) -> tuple[Path, int, int]:
    """Return a file with its time in ns and its size in bytes, which change when its content does."""
    status = file.stat()
    return file, status.st_mtime_ns, status.st_size


@lru_cache(maxsize=1)
def _read(file: Path, changed: int, size: int) -> str:
    """Return the text of a file in its present state: it is read again when its time or size has changed."""
    decoded = read_utf8(file, size)
    _check(decoded, printable(file.name))
    return decoded


def read_utf8(file: Path, size: int) -> str:
    """Return the text of a file of so many bytes, with line breaks as in Unix.

    Raises:
        UserError: If it is too large, can't be read, or isn't in UTF-8.
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
