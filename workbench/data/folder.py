"""The user's own pictures: `folder:PATH`, a folder with a folder of pictures for each class.

    PATH/cat/1.jpg ...  PATH/dog/1.png ...                      dealt into parts by the seed
    PATH/train/cat/1.jpg ...  PATH/val/cat/1.jpg ...            as they are divided; what is missing is dealt from train

Every picture becomes a square of one size: the usual one of the shorter sides, at most 224 pixels, and smaller where
many pictures would else not fit into memory.
"""

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from workbench.data.dataset import DataSet
from workbench.data.picture_file import LEAST_SIDE, header, named, square
from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    Part = tuple[np.ndarray, np.ndarray]

PREFIX = "folder:"
DIVISIONS = {"train": "train", "val": "validation", "valid": "validation", "validation": "validation", "test": "test"}
NOISE = {"thumbs.db", "desktop.ini", "__macosx"}  # what systems leave about, besides what is hidden
LEAST, LEAST_OF_A_CLASS = 20, 3  # to train, to choose and to test by
MOST, MOST_CLASSES = 50_000, 1000
MOST_NUMBERS = 2**28  # of all pictures together
MOST_SIDE = 224  # what most networks of the papers read

Entry = tuple[str, str, str, int, int]  # part, class, path; what tells that it has changed: time and size


@dataclass(frozen=True)
class Pictures:
    """What is known of a folder, and its files with part and class."""

    known: DataSet
    files: tuple[Entry, ...]


def info(name: str) -> DataSet:
    """What is known of a folder of pictures. The name in it holds the whole path: it is good in any folder.

    Raises:
        UserError: There is no such folder, or it can't be learnt from.
    """
    return _look(*_entries(name)).known


def load(name: str) -> "Part | dict[str, Part]":
    """Pictures (N, channels, side, side), uint8, and classes (N,); by part where the folder is divided.

    Raises:
        UserError: As `info`; or a picture is damaged.
    """
    return _load(*_entries(name))


def state(name: str) -> list[object]:
    """Return what tells that a folder has changed. Raises as `info` does."""
    root, entries = _entries(name)
    return [str(root), *entries]


@lru_cache(maxsize=1)
def _load(root: Path, entries: tuple[Entry, ...]) -> "Part | dict[str, Part]":
    import numpy as np

    found = _look(root, entries)
    channels, side, _ = found.known.shape
    pictures = np.empty((len(entries), channels, side, side), np.uint8)
    for k, (_, _, file, _, _) in enumerate(entries):
        pictures[k] = square(Path(file), side, channels)
    places = {kind: place for place, kind in enumerate(found.known.classes)}
    classes = np.array([places[kind] for _, kind, _, _, _ in entries], np.int64)
    parts = np.array([part for part, _, _, _, _ in entries])
    if not parts[0]:
        return pictures, classes
    return {str(part): (pictures[parts == part], classes[parts == part]) for part in np.unique(parts)}


@lru_cache(maxsize=2)
def _look(root: Path, entries: tuple[Entry, ...]) -> Pictures:
    """What is known of a folder in its present state: it is looked through again when that has changed."""
    classes = sorted({kind for _, kind, _, _, _ in entries})
    headers = [header(Path(file)) for _, _, file, _, _ in entries]
    channels = 1 if all(grey for _, grey in headers) else 3
    fitting = isqrt(MOST_NUMBERS // (len(entries) * channels))
    side = max(LEAST_SIDE, min(median_low([side for side, _ in headers]), MOST_SIDE, fitting))
    known = DataSet(
        name=f"{PREFIX}{root}",
        title=f"which of {len(classes)} classes a picture of {root.name or root} is of",
        row=f"one picture, its middle, {side}x{side} pixels",
        samples=len(entries),
        shape=(channels, side, side),
        target="class",
        source=str(root),
        licence="your own",
        classes=tuple(classes),
    )
    return Pictures(known, entries)


def _entries(name: str) -> tuple[Path, tuple[Entry, ...]]:
    """The folder of that name, and all of its pictures; the part is empty where it isn't divided."""
    where = name.removeprefix(PREFIX)
    try:
        root = Path(where or ".").expanduser()
        if not root.exists():
            raise UserError(f"There is no folder {named(Path(where[:200]))}: write folder:PATH.")
        root = root.resolve()
        if not root.is_dir():
            raise UserError(f"{named(root)} is no folder: give the one that holds a folder for each class.")
        divisions = _divisions(root)
        entries = [entry for part, place in divisions.items() for entry in _classes(part, place)]
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: ~somebody who isn't there; ValueError: a \0
        if isinstance(error, UserError):
            raise
        raise UserError(f"{named(Path(where[:200]))} can't be read: {error}.") from error
    _check(root, entries, divisions)
    return root, tuple(entries)


def _divisions(root: Path) -> dict[str, Path]:
    """Part -> its folder; the whole folder under an empty name where it isn't divided.

    Divided is what has a folder `train` that itself holds folders: one that holds pictures is a class of that name.
    """
    train = root / "train"
    if not train.is_dir() or not any(child.is_dir() for child in _visible(train)):
        return {"": root}
    found: dict[str, Path] = {}
    for child in _visible(root):
        part = DIVISIONS.get(child.name)
        if part is None:
            raise UserError(f"{named(child)} lies beside train, and is neither val nor test: move it away.")
        if part in found:
            raise UserError(f"{named(root)} holds {found[part].name} and {child.name}, which mean the same: keep one.")
        found[part] = child
    return found


def _classes(part: str, place: Path) -> list[Entry]:
    """Every picture of a part."""
    entries: list[Entry] = []
    for folder in _visible(place):
        if not folder.is_dir():
            raise UserError(f"{named(folder)} lies beside the classes' folders: move it into one of them, or away.")
        if not folder.name.isprintable():
            raise UserError(f"The name of the folder {named(folder)!r} can't be printed: give it another.")
        before = len(entries)
        for file in _visible(folder):
            if file.is_dir():
                raise UserError(f"{named(file)} is a folder inside a class: a class holds pictures alone.")
            if not file.is_file():
                raise UserError(f"{named(file)} is no ordinary file: move it away.")
            state = file.stat()
            entries.append((part, folder.name, str(file), state.st_mtime_ns, state.st_size))
            if len(entries) > MOST:
                raise UserError(
                    f"{named(place)} holds more than {MOST:,} pictures, which don't fit: take a part of it."
                )
        if len(entries) == before:
            raise UserError(f"The class {folder.name!r} is empty: put pictures into {named(folder)}, or remove it.")
    return entries


def _check(root: Path, entries: list[Entry], divisions: dict[str, Path]) -> None:
    classes = Counter(kind for part, kind, _, _, _ in entries if part in ("", "train"))
    if len(classes) < 2:
        where = named(divisions.get("train", root))
        raise UserError(
            f"{where} holds {len(classes) or 'no'} class folder{'s' * (not classes)}: it takes two or more."
        )
    if len(classes) > MOST_CLASSES:
        raise UserError(f"{named(root)} holds {len(classes)} class folders, and at most {MOST_CLASSES} fit.")
    for _, kind, file, _, _ in entries:
        if kind not in classes:
            raise UserError(f"{named(Path(file).parent)} is a class that train hasn't: add it there, or remove it.")
    for part, place in divisions.items():
        if not any(entry[0] == part for entry in entries):
            raise UserError(f"{named(place)} holds no pictures: put folders of pictures into it, or remove it.")
    if len(divisions) < 3:  # something is dealt from what trains
        if (count := classes.total()) < LEAST:
            few = f"{named(root)} holds {count} pictures to train with"
            raise UserError(f"{few}: to train, to choose and to test takes {LEAST} or more.")
        name, count = classes.most_common()[-1]
        if count < LEAST_OF_A_CLASS:
            raise UserError(f"The class {name!r} has too few pictures, {count}: it takes {LEAST_OF_A_CLASS} or more.")


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, in order; nothing that is hidden or that systems leave about."""
    children = sorted(folder.iterdir())
    return [child for child in children if not child.name.startswith(".") and child.name.lower() not in NOISE]
