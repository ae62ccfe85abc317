"""A small case of panoptic segmentation: a predicted and a true map, from a file in JSON.

    {"target":    {"map": [[1, 1, 2], [1, 0, 2]], "classes": {"1": "sky", "2": "cat"}, "crowds": []},
     "predicted": {"map": [[1, 1, 1], [1, 1, 2]], "classes": {"1": "sky", "2": "cat"}},
     "stuff": ["sky"]}

A map has the id of a segment per pixel, 0 for void, and `classes` the class of each segment. `crowds`, ids of segments
of the true map that are crowds, and `stuff`, the classes without instances, may be left out.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.untrusted import printable

MAX_BYTES, MAX_PIXELS, MAX_SEGMENTS = 10_000_000, 512 * 512, 500
MAX_ID = 2**24 - 1  # COCO's ids have three bytes
FORM = '{"target": {"map": [[1, 0]], "classes": {"1": "cat"}}, "predicted": {...}}'


def read(file: Path) -> dict[str, Any]:
    """Return the case of a file: `target` and `predicted`, each with `map`, `classes` and `crowds`, and `stuff`.

    Raises:
        UserError: If it can't be read or is not such a case; the message says where.
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
        raise UserError(f"{name} is not JSON. Write {FORM}.") from error
    if not isinstance(content, dict) or not {"target", "predicted"} <= content.keys():
        raise UserError(f"{name} needs a target and a predicted map. Write {FORM}.")
    case = {origin: _read_map(f"The {origin} map of {name}", content[origin]) for origin in ("target", "predicted")}
    sizes = [f"{len(one['map'])}x{len(one['map'][0])}" for one in case.values()]
    if sizes[0] != sizes[1]:
        raise UserError(f"The target map of {name} has {sizes[0]} pixels, and the predicted one {sizes[1]}.")
    names = {label for one in case.values() for label in one["classes"].values()}
    stuff = content.get("stuff", [])
    if not isinstance(stuff, list) or any(label not in names for label in stuff if isinstance(label, str)):
        unknown = next((label for label in stuff if label not in names), stuff) if isinstance(stuff, list) else stuff
        raise UserError(f"The stuff of {name} must be classes of its segments, and {unknown!r} is none.")
    return {**case, "stuff": [str(label) for label in stuff]}


def _read_map(about: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("classes"), dict):
        raise UserError(f'{about} needs a map and classes: write {{"map": [[1, 0]], "classes": {{"1": "cat"}}}}.')
    rows = value.get("map")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) and row for row in rows):
        raise UserError(f"{about} must be rows of ids, such as [[1, 1], [1, 0]].")
    if len(rows) * max(map(len, rows)) > MAX_PIXELS or len(value["classes"]) > MAX_SEGMENTS:
        raise UserError(f"{about} may have {MAX_PIXELS:,} pixels and {MAX_SEGMENTS} segments. Take a part of it.")
    if len({len(row) for row in rows}) > 1:
        raise UserError(f"{about} has rows of different lengths.")
    classes = _read_classes(about, value["classes"])
    for row in rows:
        for number in row:
            if isinstance(number, bool) or not isinstance(number, int) or (number and number not in classes):
                raise UserError(f"{about} has the id {number!r}, whose class is unknown. Add it to classes.")
    present = {number for row in rows for number in row}
    if empty := next((number for number in classes if number not in present), None):
        raise UserError(f"{about} has no pixel of segment {empty}. Remove it from classes.")
    crowds = value.get("crowds", [])
    if not isinstance(crowds, list) or any(number not in classes for number in crowds):
        raise UserError(f"The crowds of {about[0].lower()}{about[1:]} must be ids of its segments.")
    return {"map": rows, "classes": classes, "crowds": crowds}


def _read_classes(about: str, classes: Mapping[Any, Any]) -> dict[int, str]:
    result = {}
    for key, label in classes.items():
        if not (str(key).isdecimal() and 0 < int(key) <= MAX_ID):
            raise UserError(f"{about} has the segment {printable(str(key))!r}: ids are 1 to {MAX_ID:,}, and 0 is void.")
        if not isinstance(label, str) or not label.strip() or not label.isprintable():
            raise UserError(f"{about} has a segment {key} whose class is not a name.")
        result[int(key)] = label[:80]
    return result
