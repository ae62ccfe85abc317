"""The tokenizers of others: a `tokenizer.json` of Hugging Face, or a folder with GPT-2's `vocab.json` and `merges.txt`.

Read are those of byte-pair encoding on bytes, with GPT-2's rule for words.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from workbench.data.byte_pairs import BytePairs
from workbench.errors import UserError
from workbench.untrusted import printable

MAX_BYTES = 50_000_000
MAX_TOKENS = 1_000_000
JSON, VOCABULARY, MERGES = "tokenizer.json", "vocab.json", "merges.txt"


def read(path: Path) -> BytePairs:
    """Return the tokenizer of a file `tokenizer.json`, or of a folder that has it, or `vocab.json` and `merges.txt`.

    Raises:
        UserError: If it is not there, or damaged, or of another kind.
    """
    files = _files(path)
    return _read(files, tuple(file.stat().st_mtime_ns for file in files))


def state(path: Path) -> list[object]:
    """Return what tells that a tokenizer has changed. Raises as `read` does."""
    return [[str(file), file.stat().st_mtime_ns, file.stat().st_size] for file in _files(path)]


def _files(path: Path) -> tuple[Path, ...]:
    """Return the files of a tokenizer: one, or the vocabulary and the merges."""
    try:
        if path.is_dir() and (path / JSON).is_file():
            return (path / JSON,)
        if path.is_file() and path.name != VOCABULARY and path.name != MERGES:
            return (path,)
        folder = path if path.is_dir() else path.parent
        files = folder / VOCABULARY, folder / MERGES
        missing = next((file for file in files if not file.is_file()), None)
    except (OSError, ValueError) as error:
        raise UserError(f"The tokenizer {printable(str(path)[:200])} can't be read: {printable(str(error))}.") from None
    if missing is not None:
        raise UserError(
            f"There is no tokenizer at {printable(str(path)[:200])}: give a {JSON}, or a folder with {VOCABULARY} and "
            f"{MERGES}."
        )
    return files


@lru_cache(maxsize=2)
def _read(files: tuple[Path, ...], changed: tuple[int, ...]) -> BytePairs:
    name = printable(files[0].name)
    content = _parse(files[0])
    if len(files) == 1:
        vocabulary, merges = _of_one_file(content, name)
    else:
        vocabulary, merges = _checked(content, name), _lines(files[1])
    try:
        return BytePairs(vocabulary, merges)
    except ValueError as error:
        raise UserError(f"The tokenizer {name} can't be used ({error}): download it again.") from None


def _parse(file: Path) -> Any:
    try:
        return json.loads(_text(file))
    except ValueError as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{printable(file.name)} is not JSON ({error}): download it again.") from None
    except RecursionError:
        raise UserError(f"{printable(file.name)} is not a tokenizer: download it again.") from None


def _text(file: Path) -> str:
    name = printable(file.name)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise UserError(f"{name} is larger than {MAX_BYTES / 1e6:.0f} MB, so it is not a tokenizer.")
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{name} is not a text in UTF-8: download it again.") from None
    except OSError as error:
        raise UserError(f"{name} can't be read: {error.strerror}.") from None


def _of_one_file(content: Any, name: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """Return the vocabulary and the merges of a `tokenizer.json`."""
    model = content.get("model") if isinstance(content, dict) else None
    if not isinstance(model, dict):
        raise UserError(f"{name} has no 'model', so it is not the {JSON} of a tokenizer: download it again.")
    if model.get("type", "BPE") != "BPE":
        raise UserError(f"{name} is a tokenizer of type {str(model.get('type'))[:40]!r}: use one of type 'BPE'.")
    splits = content.get("pre_tokenizer")
    is_plain = isinstance(splits, dict) and splits.get("type") == "ByteLevel" and splits.get("use_regex", True)
    if not is_plain or splits.get("add_prefix_space") or content.get("normalizer"):
        raise UserError(
            f"{name} doesn't split texts as GPT-2 does: use a tokenizer whose pre_tokenizer is ByteLevel without "
            "add_prefix_space, and which has no normalizer."
        )
    vocabulary = _checked(model.get("vocab"), name)
    for token in content.get("added_tokens") or []:
        if isinstance(token, dict) and isinstance(token.get("content"), str):
            vocabulary = _checked({**vocabulary, token["content"]: token.get("id")}, name)
    merges = model.get("merges")
    pairs = [tuple(each.split(" ")) if isinstance(each, str) else each for each in merges or []]
    for number, pair in enumerate(pairs, 1):
        if not (isinstance(pair, list | tuple) and len(pair) == 2 and all(isinstance(each, str) for each in pair)):
            raise UserError(f"Merge {number} of {name} is not a pair of tokens: download it again.")
    return vocabulary, [(left, right) for left, right in pairs]


def _checked(vocabulary: Any, name: str) -> dict[str, int]:
    """Return a vocabulary.

    Raises:
        UserError: If it doesn't give each token a number of its own.
    """
    if not isinstance(vocabulary, Mapping) or not vocabulary:
        raise UserError(f"{name} has no vocabulary, which gives each token a number: download it again.")
    numbers = list(vocabulary.values())
    if not all(type(number) is int and 0 <= number < MAX_TOKENS for number in numbers):
        raise UserError(f"{name} has a token without a number from 0 to {MAX_TOKENS - 1:,}: download it again.")
    if len(set(numbers)) < len(numbers):
        raise UserError(f"{name} has two tokens with one number: download it again.")
    return dict(vocabulary)


def _lines(file: Path) -> list[tuple[str, str]]:
    """Return the pairs of `merges.txt`, one in each line; the first line may state a version."""
    merges = []
    for number, line in enumerate(_text(file).split("\n"), 1):
        if not line.strip() or (number == 1 and line.startswith("#version")):
            continue
        left, _, right = line.rstrip("\r").partition(" ")
        if not (left and right) or " " in right:
            raise UserError(f"Line {number} of {printable(file.name)} is not a pair of tokens: download it again.")
        merges.append((left, right))
    return merges
