"""Values of `calc` that come from files: `x=@data.csv`, `X=@image.png`, `text=@corpus.txt`."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    from quizzes.symbols import Symbol

MAX_BYTES, MAX_NUMBERS = 10_000_000, 40_000  # of a file, and of an array
KINDS = ("text", "texts", "vector", "matrix")  # of symbols that a file can hold
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")


def read_values(owner: str, symbols: "Mapping[str, Symbol]", words: Iterable[str]) -> dict[str, Any]:
    """Return the values by name, from words such as `n=3` or `x=@data.csv` that a user typed.

    Args:
        owner: The name of the formula or procedure, for messages.
        symbols: The symbols that may have a value, by name.
        words: The words. A value after `@` is read from a file: a text as it is (of several texts one per line);
            numbers from a CSV file, a .npy file, or an image, whose gray values are from 0 to 255.

    Raises:
        UserError: If a word or a file can't be used.
    """
    from quizzes import symbols as typed

    words = list(words)
    from_files = {name: path for name, sign, path in (word.partition("=@") for word in words) if sign and path}
    for name in from_files:
        if name in symbols and symbols[name].kind not in KINDS:
            raise UserError(f"{name} can't be read from a file. Type its value.")
    values = typed.read_values(owner, symbols, [_placeholder(word, symbols, from_files) for word in words])
    return values | {name: _read(symbols[name], Path(path)) for name, path in from_files.items() if name in values}


def _placeholder(word: str, symbols: "Mapping[str, Symbol]", from_files: Mapping[str, str]) -> str:
    """Return a word whose file is replaced by an example, so that names are checked as in any other word."""
    name, _, _ = word.partition("=@")
    if name not in from_files or name not in symbols:
        return word
    return f"{name}={getattr(symbols[name], 'example', 'text')}"


def _read(symbol: "Symbol", file: Path) -> Any:
    """Return the value of a symbol that a file holds."""
    name = printable(str(file))
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(f"{name} is larger than {MAX_BYTES // 1_000_000} MB. Use a smaller file.")
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"{name} can't be read: {error.strerror or error}.") from None
    if symbol.kind in ("vector", "matrix"):
        return _array(symbol, _numbers(file, content, name), name)
    text = _decode(content, name).strip()
    if not text:
        raise UserError(f"{name} is empty. Give a file with a text.")
    return [line.strip() for line in text.splitlines() if line.strip()] if symbol.kind == "texts" else text


def _decode(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not UTF-8 text. Save it as UTF-8.") from None


def _numbers(file: Path, content: bytes, name: str) -> list[list[float]]:
    """Return the rows of numbers of a file."""
    if file.suffix.lower() in (".npy", *IMAGES):
        return _load_array(file, content, name)
    rows = []
    for number, line in enumerate(_decode(content, name).splitlines(), 1):
        if not line.strip():
            continue
        try:
            rows.append([float(cell) for cell in line.replace(";", ",").split(",")])
        except ValueError:
            if rows or number > 1:
                raise UserError(f"Line {number} of {name} has a cell that is not a number.") from None  # no header
    return rows


def _load_array(file: Path, content: bytes, name: str) -> list[list[float]]:
    import io

    import numpy as np

    try:
        if file.suffix.lower() == ".npy":
            array = np.load(io.BytesIO(content), allow_pickle=False)
        else:
            from PIL import Image

            array = np.asarray(Image.open(io.BytesIO(content)).convert("L"))
        return [list(map(float, row)) for row in np.atleast_2d(array.astype(float))]
    except Exception:  # a damaged file can make a decoder raise nearly anything
        raise UserError(f"{name} is not a matrix or an image that can be read. Save it again.") from None


def _array(symbol: "Symbol", rows: list[list[float]], name: str) -> list[Any]:
    """Return rows as a vector or a matrix."""
    from math import isfinite

    count = sum(map(len, rows))
    if not count:
        raise UserError(f"{name} has no numbers.")
    if count > MAX_NUMBERS:
        raise UserError(f"{name} has {count:,} numbers, and at most {MAX_NUMBERS:,} can be used.")
    if not all(isfinite(value) for row in rows for value in row):
        raise UserError(f"{name} has a value that is not a finite number.")
    if symbol.kind == "matrix":
        return rows
    if len(rows) > 1 and any(len(row) > 1 for row in rows):
        raise UserError(f"{symbol.name} is a vector, so {name} must have one row or one column of numbers.")
    return [value for row in rows for value in row]
