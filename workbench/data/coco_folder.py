"""The user's own images with boxes, in COCO's format: `coco:IMAGES:ANNOTATIONS`.

    coco:photos:boxes.json          one file with annotations: the seed splits the images
    coco:images:annotations         a folder with instances_train.json, instances_val.json ...: split as the files are
    coco:pets:pets                  train/_annotations.coco.json, valid/_annotations.coco.json beside the images

IMAGES is a folder. An image is found by its `file_name` in it, or by the end of that path, or by its name alone if only
one file has it. `coco_annotations` says what such a file holds. Categories without objects are left out.

Every image becomes a square of one size: the whole image, resized until its longer side fits, at the top left of a gray
square, with boxes in pixels of the square. Its size is the median of the longer sides, at most 512 pixels, and smaller
if many images would not fit into memory otherwise.
"""

import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from pathlib import Path
from statistics import median_low
from typing import TYPE_CHECKING

from workbench.data import coco_annotations
from workbench.data.annotated_images import LabeledBox, clip, to_columns
from workbench.data.coco_annotations import AnnotatedImage, Object
from workbench.data.dataset import DataSet
from workbench.data.picture_file import LEAST_SIDE, named, upright_size
from workbench.errors import UserError

if TYPE_CHECKING:
    import numpy as np

    Columns = tuple[np.ndarray, ...]

PREFIX = "coco:"
SPLITS = {"train": "train", "valid": "validation", "val": "validation", "test": "test"}
MIN_IMAGES = 10  # to train, to choose and to test by
MAX_IMAGES, MAX_CLASSES, MAX_NUMBERS = 50_000, 1000, 2**29  # numbers of all images together
MAX_SIZE = 512  # of the square
TOLERANCE = 1.0  # pixels by which a box may exceed its image, since annotation tools round

# Split ("" if the seed decides), file, its time and size.
Entry = tuple[str, Path, int, int, AnnotatedImage]


@dataclass(frozen=True)
class Folder:
    """Annotated images.

    Attributes:
        images: The folder of the images.
        annotations: The annotation file, or a folder of such files.
        files: The annotation files by split; one under "" if the seed splits the images.
    """

    images: Path
    annotations: Path
    files: tuple[tuple[str, Path], ...]


def info(name: str) -> DataSet:
    """Return the description of annotated images. The name in it holds the whole paths: it is valid in any folder.

    Raises:
        UserError: If there is no such folder or file, they don't match, or they can't be learned from.
    """
    folder = _find(name)
    return _describe(folder, _entries(folder))


def load(name: str) -> "Columns | dict[str, Columns]":
    """Return the images and their objects; by split if the annotation files are.

    Returns:
        The columns of `annotated_images.to_columns`.

    Raises:
        UserError: As `info`; or if an image is damaged.
    """
    folder = _find(name)
    return _load(folder, _entries(folder))


def state(name: str) -> list[object]:
    """Return what tells that the images or their annotations have changed. Raises as `info` does."""
    folder = _find(name)
    annotations = [(str(file), file.stat().st_mtime_ns, file.stat().st_size) for _, file in folder.files]
    return [str(folder.images), annotations, [(str(file), *status) for _, file, *status, _ in _entries(folder)]]


@lru_cache(maxsize=1)
def _load(folder: Folder, entries: tuple[Entry, ...]) -> "Columns | dict[str, Columns]":
    import numpy as np

    dataset = _describe(folder, entries)
    labels = {name: label for label, name in enumerate(dataset.classes)}
    objects = [
        [
            LabeledBox(one.box, labels[one.category], one.area, one.is_crowd)
            for one in image.objects
            if one.category in labels  # of others there are only crowds
        ]
        for *_, image in entries
    ]
    columns = to_columns([entry[1] for entry in entries], objects, dataset.shape[1])
    splits = np.array([entry[0] for entry in entries])
    if not splits[0]:
        return columns
    return {str(split): tuple(column[splits == split] for column in columns) for split in np.unique(splits)}


def _describe(folder: Folder, entries: tuple[Entry, ...]) -> DataSet:
    used = {one.category for *_, image in entries for one in image.objects if not one.is_crowd}
    classes: dict[str, None] = {}
    for _, file in folder.files:
        classes |= dict.fromkeys(name for name in coco_annotations.read(file).categories if name in used)
    size = _square_size(entries)
    return DataSet(
        name=f"{PREFIX}{folder.images}:{folder.annotations}",
        title=f"where the objects are in images of {folder.images.name or folder.images}, and which of "
        f"{len(classes)} class{'es' * (len(classes) > 1)}",
        row=f"one image with its objects, {size}x{size} pixels",
        samples=len(entries),
        shape=(3, size, size),
        target="the box and the class of every object",
        source=f"{folder.images}, {folder.annotations}",
        licence="your own",
        classes=tuple(classes),
        declared_modality="detection",
    )


@lru_cache(maxsize=2)
def _square_size(entries: tuple[Entry, ...]) -> int:
    """Return the size of the squares, and check that annotations and files match.

    Raises:
        UserError: If they don't, or a file is not an image.
    """
    longer_sides = []
    for _, file, _, _, image in entries:
        width, height = upright_size(file)
        if image.size and image.size != (width, height):
            raise UserError(
                f"{named(file)} has {width}x{height} pixels, and its annotations are for "
                f"{image.size[0]}x{image.size[1]}. Export them again."
            )
        for one in image.objects:
            _check_inside(one, file, width, height)
        longer_sides.append(max(width, height))
    fitting = isqrt(MAX_NUMBERS // (3 * len(entries)))
    return max(LEAST_SIDE, min(median_low(longer_sides), MAX_SIZE, fitting))


def _check_inside(one: Object, file: Path, width: int, height: int) -> None:
    x1, y1, x2, y2 = one.box
    is_inside = min(x1, y1) >= -TOLERANCE and x2 <= width + TOLERANCE and y2 <= height + TOLERANCE
    x1, y1, x2, y2 = clip(one.box, width, height)
    if not is_inside or x1 >= x2 or y1 >= y2:
        corners = ", ".join(f"{value:g}" for value in one.box)
        raise UserError(
            f"The box ({corners}) of annotation {one.id} is not within {named(file)}, which has {width}x{height} "
            "pixels. Correct or remove it."
        )


def _find(name: str) -> Folder:
    """Return the folder and the annotation files of a name."""
    images, _, annotations = name.removeprefix(PREFIX).rpartition(":")
    if not images or not annotations:
        raise UserError(
            "Name the images and their annotations: coco:IMAGES:ANNOTATIONS, such as coco:photos:boxes.json."
        )
    try:
        root, file = Path(images).expanduser(), Path(annotations).expanduser()
        if not root.is_dir():
            raise UserError(f"There is no folder {named(root)}: write coco:IMAGES:ANNOTATIONS.")
        root, file = root.resolve(), file.resolve()
        if file.is_dir():
            return Folder(root, file, _files_by_split(file))
        if not file.is_file():
            raise UserError(f"There is no annotation file {named(file)}: write coco:IMAGES:ANNOTATIONS.")
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # RuntimeError: an unknown user's home; ValueError: a null byte
        if isinstance(error, UserError):
            raise
        raise UserError(f"{named(Path(name[:200]))} can't be read: {error}.") from error
    return Folder(root, file, (("", file),))


def _files_by_split(folder: Path) -> tuple[tuple[str, Path], ...]:
    """Return the annotation files of a folder by split, of which their paths have the name."""
    candidates = [file for file in sorted(folder.rglob("*.json")) if file.is_file()]
    if instances := [file for file in candidates if file.name.startswith("instances")]:  # beside captions, keypoints
        candidates = instances
    files: dict[str, Path] = {}
    for file in candidates:
        path = str(file.relative_to(folder)).lower()
        split = next((split for word, split in SPLITS.items() if word in path), None)
        if split is None:
            continue
        if split in files:
            raise UserError(f"{named(files[split])} and {named(file)} are both for {split}. Keep one of them.")
        files[split] = file
    if "train" not in files:
        raise UserError(f"{named(folder)} has no annotation file with train in its name. Name the file itself.")
    return tuple((split, files[split]) for split in dict.fromkeys(SPLITS.values()) if split in files)


def _entries(folder: Folder) -> tuple[Entry, ...]:
    """Return all images of all splits with their files."""
    entries: list[Entry] = []
    try:
        index = _Index(folder.images)
        for split, annotations in folder.files:
            images = coco_annotations.read(annotations).images
            if not images:
                raise UserError(f"{named(annotations)} lists no images. Add some.")
            if len(entries) + len(images) > MAX_IMAGES:
                raise UserError(f"{named(annotations)} lists more than {MAX_IMAGES:,} images. Take a part of them.")
            files = [index.find(image.name, split) for image in images]
            if missing := [image.name for image, file in zip(images, files, strict=True) if file is None]:
                raise UserError(
                    f"Of the {len(images)} images that {named(annotations)} lists, {len(missing)} "
                    f"{'is' if len(missing) == 1 else 'are'} not in {named(folder.images)}, such as "
                    f"{named(Path(missing[0][:100]))}. Add or remove them."
                )
            for image, file in zip(images, files, strict=True):
                assert file is not None
                status = file.stat()
                entries.append((split, file, status.st_mtime_ns, status.st_size, image))
    except OSError as error:
        raise UserError(f"{named(folder.images)} can't be read: {error}.") from error
    _check(folder, entries)
    return tuple(entries)


def _check(folder: Folder, entries: Sequence[Entry]) -> None:
    if "" in dict(folder.files) and len(entries) < MIN_IMAGES:
        raise UserError(
            f"{named(folder.annotations)} lists {len(entries)} images: to train, to choose and to test takes "
            f"{MIN_IMAGES} or more."
        )
    learned = {
        one.category
        for split, *_, image in entries
        if split in ("", "train")
        for one in image.objects
        if not one.is_crowd
    }
    if not learned:
        raise UserError(f"{named(folder.annotations)} has no object to learn from. Annotate some.")
    if len(learned) > MAX_CLASSES:
        raise UserError(f"{named(folder.annotations)} has {len(learned)} classes, and at most {MAX_CLASSES} fit.")


class _Index:
    """The files of a folder and its subfolders, which are found by the end of their path."""

    def __init__(self, folder: Path):
        self.by_name: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
        self.folder = folder
        for place, _, names in os.walk(folder):
            parts = Path(place).relative_to(folder).parts
            for name in names:
                self.by_name[name].append((*parts, name))

    def find(self, name: str, split: str) -> Path | None:
        """Return the file whose path has the longest common end with a name; None if there is none.

        If several do, it is the one in the folder of the split, or the one that the name alone says.
        """
        parts = tuple(part for part in name.replace("\\", "/").split("/") if part not in ("", ".", ".."))
        candidates = self.by_name.get(parts[-1], []) if parts else []
        if not candidates:
            return None
        longest = max(_common_end(candidate, parts) for candidate in candidates)
        closest = [candidate for candidate in candidates if _common_end(candidate, parts) == longest]
        if len(closest) > 1:
            of_split = [candidate for candidate in closest if split and _is_of_split(candidate, split)]
            closest = [parts] if parts in closest else of_split
        return self.folder.joinpath(*closest[0]) if len(closest) == 1 else None


def _common_end(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    length = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        length += 1
    return length


def _is_of_split(path: tuple[str, ...], split: str) -> bool:
    return any(word in part.lower() for part in path[:-1] for word, value in SPLITS.items() if value == split)
