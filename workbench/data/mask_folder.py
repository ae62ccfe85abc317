"""The user's own images with masks: `masks:IMAGES:MASKS`, two folders.

    IMAGES/1.jpg ... MASKS/1.png ...                   split by the seed
    IMAGES/train/1.jpg ... MASKS/train/1.png ...       split as the folders are: train, val, test

A mask is a PNG file of its image's name and size, with the number of each pixel's class, from 0, as gray level or index
of a palette; 255 is void. The file MASKS/classes.txt has the name of a class in each line; without it, classes are
named by their numbers.

Every image becomes a square of one size: the whole image, resized until its longer side fits, at the top left of a gray
square, which is void there. Its size is the median of the longer sides, at most 256 pixels, and smaller if many images
would not fit into memory otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from workbench.data.dataset import DataSet
from workbench.data.picture_file import LEAST_SIDE, named, upright_size
from workbench.data.segmented_images import VOID, read_mask, to_columns
from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    Columns = tuple[np.ndarray, ...]

PREFIX = "masks:"
SPLITS = {"train": "train", "val": "validation", "valid": "validation", "test": "test"}
NAMES_FILE = "classes.txt"
MIN_IMAGES = 10  # to train, to choose and to test by
MAX_IMAGES, MAX_SIZE, MAX_NUMBERS = 50_000, 256, 2**29  # numbers of all images together

Entry = tuple[str, Path, Path, tuple[int, ...]]  # split, image, mask, and their times and sizes


@dataclass(frozen=True)
class Folder:
    """Images and their masks.

    Attributes:
        images: The folder of the images.
        masks: The folder of the masks.
        names: The names of the classes; none if they are named by their numbers.
        entries: All images with their masks.
    """

    images: Path
    masks: Path
    names: tuple[str, ...]
    entries: tuple[Entry, ...]


def info(name: str) -> DataSet:
    """Return the description of images with masks. The name in it holds the whole paths: it is valid in any folder.

    Raises:
        UserError: If there is no such folder, images and masks don't match, or they can't be learned from.
    """
    return _describe(_find(name))


def load(name: str) -> "Columns | dict[str, Columns]":
    """Return the columns of `segmented_images.to_columns`; by split if the folders are.

    Raises:
        UserError: As `info`; or if an image is damaged.
    """
    return _load(_find(name))


def state(name: str) -> list[object]:
    """Return what tells that the images or their masks have changed. Raises as `info` does."""
    folder = _find(name)
    files = [(split, str(image), str(mask), *status) for split, image, mask, status in folder.entries]
    return [str(folder.images), str(folder.masks), *folder.names, files]


@lru_cache(maxsize=1)
def _load(folder: Folder) -> "Columns | dict[str, Columns]":
    import numpy as np

    files = [image for _, image, _, _ in folder.entries]
    masks = (read_mask(mask) for _, _, mask, _ in folder.entries)
    columns = to_columns(files, masks, _describe(folder).shape[1])
    splits = np.array([entry[0] for entry in folder.entries])
    if not splits[0]:
        return columns
    return {str(split): tuple(column[splits == split] for column in columns) for split in np.unique(splits)}


@lru_cache(maxsize=2)
def _describe(folder: Folder) -> DataSet:
    classes = folder.names or tuple(f"class {value}" for value in range(_count_classes(folder)))
    longer_sides = [_check_size(image, mask, classes) for _, image, mask, _ in folder.entries]
    fitting = isqrt(MAX_NUMBERS // (4 * len(folder.entries)))
    size = max(LEAST_SIDE, min(median_low(longer_sides), MAX_SIZE, fitting))
    return DataSet(
        name=f"{PREFIX}{folder.images}:{folder.masks}",
        title=f"which of {len(classes)} classes each pixel of images of {folder.images.name or folder.images} has",
        row=f"one image with the class of every pixel, {size}x{size} pixels",
        samples=len(folder.entries),
        shape=(3, size, size),
        target="the class of every pixel",
        source=f"{folder.images}, {folder.masks}",
        licence="your own",
        classes=classes,
        declared_modality="segmentation",
    )


def _check_size(image: Path, mask: Path, classes: Sequence[str]) -> int:
    """Return the longer side of an image, and check its mask."""
    width, height = upright_size(image)
    values = read_mask(mask)
    if values.shape != (height, width):
        raise UserError(
            f"{named(mask)} has {values.shape[1]}x{values.shape[0]} pixels, and its image {named(image)} has "
            f"{width}x{height}. Save the mask in the size of the image."
        )
    unknown = sorted({*_values(values)} - {*range(len(classes)), VOID})
    if unknown:
        raise UserError(
            f"{named(mask)} has pixels of the class {unknown[0]}, and there are {len(classes)} classes, from 0 to "
            f"{len(classes) - 1}. Add its name to {NAMES_FILE}, or use 255 for void pixels."
        )
    return max(width, height)


def _values(mask: "np.ndarray") -> list[int]:
    import numpy as np

    values: list[int] = np.flatnonzero(np.bincount(mask.ravel(), minlength=VOID + 1)).tolist()
    return values


def _count_classes(folder: Folder) -> int:
    """Return the number of classes of masks without names."""
    origins = {value: mask for _, _, mask, _ in folder.entries for value in _values(read_mask(mask)) if value != VOID}
    missing = [value for value in range(max(origins, default=0)) if value not in origins]
    if missing:
        highest = max(origins)
        raise UserError(
            f"{named(origins[highest])} has pixels of the class {highest}, and no mask has the class {missing[0]}. "
            f"Number the classes from 0 without gaps, or name all of them in {named(folder.masks / NAMES_FILE)}."
        )
    if len(origins) < 2:
        raise UserError(f"The masks in {named(folder.masks)} have fewer than two classes. Segmentation needs two.")
    return len(origins)


def _find(name: str) -> Folder:
    """Return the images and the masks of a name."""
    images, _, masks = name.removeprefix(PREFIX).rpartition(":")
    if not images or not masks:
        raise UserError("Name the images and their masks: masks:IMAGES:MASKS, such as masks:photos:photos-masks.")
    try:
        root, of_masks = Path(images).expanduser(), Path(masks).expanduser()
        for folder in (root, of_masks):
            if not folder.is_dir():
                raise UserError(f"There is no folder {named(folder)}: write masks:IMAGES:MASKS.")
        root, of_masks = root.resolve(), of_masks.resolve()
        entries = _entries(root, of_masks)
        return Folder(root, of_masks, _names(of_masks / NAMES_FILE), tuple(entries))
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # an unknown user's home; a null byte
        if isinstance(error, UserError):
            raise
        raise UserError(f"{named(Path(name[:200]))} can't be read: {error}.") from error


def _names(file: Path) -> tuple[str, ...]:
    if not file.is_file():
        return ()
    names = tuple(line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip())
    if not 2 <= len(names) <= VOID or len({*names}) < len(names) or not all(each.isprintable() for each in names):
        raise UserError(f"{named(file)} must have 2 to {VOID} different names of classes, one per line.")
    return names


def _entries(root: Path, of_masks: Path) -> list[Entry]:
    """Return all images with their masks, in the order of their paths."""
    files = [file for file in sorted(root.rglob("*")) if file.is_file() and _is_image(file, root, of_masks)]
    if len(files) > MAX_IMAGES:
        raise UserError(f"{named(root)} holds more than {MAX_IMAGES:,} images. Take a part of them.")
    entries: list[Entry] = []
    for file in files:
        place = file.relative_to(root)
        mask = of_masks / place.with_suffix(".png")
        if not mask.is_file():
            raise UserError(f"{named(file)} has no mask {named(mask)}. Add it, or remove the image.")
        status = tuple(value for each in (file, mask) for value in (each.stat().st_mtime_ns, each.stat().st_size))
        entries.append((SPLITS.get(place.parts[0].lower(), "") if len(place.parts) > 1 else "", file, mask, status))
    if not entries:
        raise UserError(f"{named(root)} holds no images. Put some into it, with a mask of the same name for each.")
    splits = {entry[0] for entry in entries}
    if splits != {""} and ("" in splits or "train" not in splits):
        raise UserError(f"The folders of {named(root)} must be train, val and test, or have none of these names.")
    if splits != {"train", "validation", "test"} and len(entries) < MIN_IMAGES:
        raise UserError(
            f"{named(root)} holds {len(entries)} images: to train, to choose and to test takes {MIN_IMAGES}."
        )
    return entries


def _is_image(file: Path, root: Path, of_masks: Path) -> bool:
    """Return whether a file may be an image; hidden files and the masks themselves are not."""
    parts = file.relative_to(root).parts
    is_mask = of_masks != root and of_masks.is_relative_to(root) and file.is_relative_to(of_masks)
    return (
        not is_mask and not any(part.startswith(".") for part in parts) and file.suffix.lower() not in (".txt", ".db")
    )
