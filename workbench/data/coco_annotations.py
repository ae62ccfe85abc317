"""Annotation files in COCO's format: JSON with images, categories, and a box for each object.

    {"images": [{"id": 7, "file_name": "a.jpg", "width": 640, "height": 480}, ...],
     "categories": [{"id": 18, "name": "dog"}, ...],
     "annotations": [{"id": 1, "image_id": 7, "category_id": 18, "bbox": [x, y, width, height]}, ...]}

Ids are integers or texts, in any order and with gaps. An annotation may have its `area`, which decides whether the
object counts as small, medium or large; without it, that is the area of the box. One with `iscrowd` 1 is a group of
objects: nothing is learned from it, and detections in it are not counted. All other keys are ignored.
"""

import json
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from pathlib import Path
from typing import Any

from workbench.data.picture_file import named
from workbench.errors import UserError
from workbench.untrusted import printable

MAX_BYTES = 1_000_000_000
MAX_PIXELS = 10**6  # of a coordinate

Corners = tuple[float, float, float, float]


@dataclass(frozen=True)
class Object:
    """An object in an image.

    Attributes:
        id: The id of its annotation, for messages.
        category: The name of its category.
        box: Corners x1, y1, x2, y2 in pixels.
        area: In pixels.
        is_crowd: Whether it is a group of objects.
    """

    id: str
    category: str
    box: Corners
    area: float
    is_crowd: bool


@dataclass(frozen=True)
class AnnotatedImage:
    """An image with its objects.

    Attributes:
        id: Its id in the file.
        name: The name of its file, as the annotations have it.
        size: Width and height in pixels; None if the annotations have none.
        objects: Its objects; there may be none.
    """

    id: int | str
    name: str
    size: tuple[int, int] | None
    objects: tuple[Object, ...]


@dataclass(frozen=True)
class Annotations:
    """The content of an annotation file.

    Attributes:
        categories: The name of each category, in the order of their ids.
        images: All images that it lists.
    """

    categories: tuple[str, ...]
    images: tuple[AnnotatedImage, ...]


def read(file: Path) -> Annotations:
    """Return the content of an annotation file.

    Raises:
        UserError: If it can't be read, is not in COCO's format, or has a box that is impossible.
    """
    try:
        status = file.stat()
    except (OSError, ValueError) as error:
        raise UserError(f"There is no annotation file {named(file)}: write coco:IMAGES:ANNOTATIONS.") from error
    return _read(file, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4)
def _read(file: Path, time: int, size: int) -> Annotations:
    where = printable(file.name)
    if size > MAX_BYTES:
        raise UserError(f"{where} has more than {MAX_BYTES / 1e9:.0f} GB. Divide it.")
    try:
        content = json.loads(file.read_bytes())
    except OSError as error:
        raise UserError(f"{named(file)} can't be read: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{where} is damaged, it is not JSON ({printable(str(error))[:80]}). Export it again."
        ) from error
    if not isinstance(content, dict):
        raise UserError(f"{where} is not in COCO's format: it must be an object with images, annotations, categories.")
    lists: dict[str, list[dict[str, Any]]] = {}
    for key in ("images", "annotations", "categories"):
        rows = content.get(key)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise UserError(f"{where} is not in COCO's format: {key!r} must be a list of objects.")
        lists[key] = rows
    names = _categories(where, lists["categories"])
    objects: dict[Any, list[Object]] = {}
    for row in lists["images"]:
        if _id(where, "image", row) in objects:
            raise UserError(f"{where} has two images with the id {_show(row['id'])}. Give each its own.")
        objects[row["id"]] = []
    for row in lists["annotations"]:
        about = f"Annotation {_show(row.get('id'))} of {where}"
        image = row.get("image_id")
        if not _is_id(image) or image not in objects:
            raise UserError(f"{about} is of image {_show(image)}, which the file does not list. Add or remove it.")
        objects[image].append(_object(about, row, names))
    images = tuple(_image(where, row, objects[row["id"]]) for row in lists["images"])
    return Annotations(tuple(names[key] for key in sorted(names, key=lambda key: (isinstance(key, str), key))), images)


def _categories(where: str, rows: list[dict[str, Any]]) -> dict[int | str, str]:
    names: dict[int | str, str] = {}
    for row in rows:
        key, name = _id(where, "category", row), row.get("name")
        if key in names:
            raise UserError(f"{where} has two categories with the id {_show(key)}. Give each its own.")
        if not isinstance(name, str) or not name.strip() or not name.isprintable():
            raise UserError(f"Category {_show(key)} of {where} needs a name that can be printed.")
        names[key] = name
    if not names:
        raise UserError(f"{where} has no categories. Add one for each class.")
    name, count = Counter(names.values()).most_common(1)[0]
    if count > 1:
        raise UserError(f"{where} has {count} categories called {name!r}. Give each its own name.")
    return names


def _object(about: str, row: dict[str, Any], names: dict[int | str, str]) -> Object:
    category, box = row.get("category_id"), row.get("bbox")
    if not _is_id(category) or category not in names:
        existing = ", ".join(_show(key) for key in list(names)[:8]) + (", ..." if len(names) > 8 else "")
        raise UserError(f"{about} is of category {_show(category)}, and there are {existing}. Correct or remove it.")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise UserError(f"{about} has the bbox {_show(box)}: it must be 4 finite numbers, x, y, width, height.")
    x, y, width, height = map(float, box)
    if width <= 0 or height <= 0:
        raise UserError(f"{about} has a box of {width:g}x{height:g} pixels, without area. Correct or remove it.")
    area, crowd = row.get("area"), row.get("iscrowd", 0)
    if area is not None and (not _is_number(area) or area < 0):
        raise UserError(f"{about} has the area {_show(area)}: it must be a number of pixels. Correct or remove it.")
    if crowd not in (0, 1, None):
        raise UserError(f"{about} has iscrowd {_show(crowd)}: it must be 0 or 1.")
    return Object(
        id=_show(row.get("id")),
        category=names[category],
        box=(x, y, x + width, y + height),
        area=width * height if area is None else float(area),
        is_crowd=bool(crowd),
    )


def _image(where: str, row: dict[str, Any], objects: list[Object]) -> AnnotatedImage:
    name: Any = row.get("file_name")
    size: tuple[Any, Any] = row.get("width"), row.get("height")
    about = f"Image {_show(row['id'])} of {where}"
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise UserError(f"{about} has no file_name. Add it.")
    if size == (None, None):
        return AnnotatedImage(row["id"], name, None, tuple(objects))
    if not all(_is_number(side) and side > 0 and side == int(side) for side in size):
        raise UserError(f"{about} has the size {_show(size[0])}x{_show(size[1])}: width and height must be positive.")
    width, height = (int(side) for side in size)
    return AnnotatedImage(row["id"], name, (width, height), tuple(objects))


def _id(where: str, noun: str, row: dict[str, Any]) -> int | str:
    value: int | str | None = row.get("id")
    if value is None or not _is_id(value):
        article = "an" if noun[0] in "aeiou" else "a"
        raise UserError(f"{where} has {article} {noun} with the id {_show(value)}: use an integer or a text.")
    return value


def _is_id(value: object) -> bool:
    return isinstance(value, (int, str)) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """Return whether a value is a finite number of a size that pixels can have."""
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return False
    return abs(value) < MAX_PIXELS**2 and isfinite(value)


def _show(value: object) -> str:
    return printable(json.dumps(value))[:60]
