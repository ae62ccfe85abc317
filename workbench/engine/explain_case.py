"""A small case of detection: objects and scored boxes, from a file in JSON.

    {"objects":    [{"image": 1, "class": "cat", "box": [x1, y1, x2, y2]}, ...],
     "detections": [{"image": 1, "class": "cat", "box": [x1, y1, x2, y2], "score": 0.9}, ...]}

`image` is a number or a name, `class` a name; both may be left out if there is only one. NMS needs no objects.
"""

import json
from collections import Counter
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from workbench.errors import UserError
from workbench.untrusted import printable

MAX_BYTES, MAX_ROWS = 10_000_000, 2000
MAX_PER_IMAGE = 100  # detections of a class; COCO counts no more

Row = TypedDict("Row", {"image": str, "class": str, "box": list[float], "score": NotRequired[float]})
"""An object, or a detection with its score; the box is x1, y1, x2, y2."""


class Case(TypedDict):
    """Objects and detections of some images."""

    objects: list[Row]
    detections: list[Row]


def read(file: Path) -> Case:
    """Return the case of a file.

    Raises:
        UserError: If it can't be read or is not such a case; the message names the row.
    """
    name = printable(file.name)
    try:
        with file.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1)
        if len(text) > MAX_BYTES:
            raise UserError(f"{name} has more than {MAX_BYTES / 1e6:.0f} MB. Take a part of it.")
        content = json.loads(text)
    except OSError as error:
        raise UserError(f"{printable(str(file))} can't be read: {error.strerror or error}.") from error
    except (ValueError, RecursionError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f'{name} is not JSON. Write {{"objects": [...], "detections": [...]}}.') from error
    if not isinstance(content, dict) or "detections" not in content:
        raise UserError(f'{name} has no detections. Write {{"objects": [...], "detections": [...]}}.')
    case = Case(objects=_rows(name, content, "objects"), detections=_rows(name, content, "detections"))
    counts = Counter((row["image"], row["class"]) for row in case["detections"])
    if counts and max(counts.values()) > MAX_PER_IMAGE:
        raise UserError(f"{name} has more than {MAX_PER_IMAGE} detections of a class in one image. Take the best ones.")
    return case


def _rows(name: str, content: Mapping[str, Any], key: str) -> list[Row]:
    rows = content.get(key, [])
    if not isinstance(rows, list) or len(rows) > MAX_ROWS:
        raise UserError(f"{key} of {name} must be a list of at most {MAX_ROWS:,} rows.")
    return [_row(f"Row {k} of {key} in {name}", row, key == "detections") for k, row in enumerate(rows, start=1)]


def _row(about: str, row: Any, has_score: bool) -> Row:
    if not isinstance(row, dict):
        raise UserError(f"{about} must be an object with a box.")
    box = row.get("box")
    if not isinstance(box, list) or len(box) != 4 or not all(map(_is_number, box)):
        raise UserError(f"{about} has no box of 4 finite numbers: write [x1, y1, x2, y2].")
    if box[0] >= box[2] or box[1] >= box[3]:
        corners = ", ".join(f"{value:g}" for value in box)
        raise UserError(f"{about} has the box ({corners}) without area: x1 < x2 and y1 < y2 are needed.")
    result: Row = {"image": _name(about, row, "image", "1"), "class": _name(about, row, "class", "object"), "box": box}
    if has_score:
        if not _is_number(row.get("score")):
            raise UserError(f"{about} needs a score, a finite number.")
        result["score"] = row["score"]
    return result


def _name(about: str, row: Mapping[str, Any], key: str, default: str) -> str:
    value = row.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).isprintable():
        raise UserError(f"{about} has a {key} that is not a name or a number.")
    return str(value)[:80]


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9 and isfinite(value)
