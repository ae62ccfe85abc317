"""Prompts as texts, such as `30,20` for a point, and drawings of their masks."""

from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any

from workbench.errors import UserError
from workbench.untrusted import printable

IMAGE_PIXELS = 64  # of the longer line of an image that is drawn
POINT_FORM = "--point is X,Y in pixels, or X,Y,LABEL with label 1 inside the object and 0 outside"


def parse(points: Sequence[str] | None, box: str | None, mask: Path | None) -> dict[str, Any] | None:
    """Return the prompt that the options state; None if there is none.

    Raises:
        UserError: If a point or the box is not of its form.
    """
    if not points and box is None and mask is None:
        return None
    corners = _numbers(box) if box is not None else None
    if corners is not None and len(corners) != 4:
        raise UserError(f"--box is X1,Y1,X2,Y2 in pixels, not {printable(str(box))!r}.")
    return {
        "points": [_parse_point(text) for text in points or ()],
        "box": corners,
        "mask": str(mask.absolute()) if mask is not None else None,
    }


def _parse_point(text: str) -> list[float]:
    values = _numbers(text)
    if len(values) == 2:
        values.append(1.0)
    if len(values) != 3 or values[2] not in (0.0, 1.0):
        raise UserError(f"{POINT_FORM}, not {printable(text)!r}.")
    return values


def _numbers(text: str) -> list[float]:
    """Return the numbers between the commas of a text; none if one of them can't be read."""
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        return []
    return values if all(map(isfinite, values)) else []


def draw_mask(prediction: Mapping[str, Any], mask: Mapping[str, Any], points: Sequence[Sequence[float]]) -> list[Any]:
    """Return a small image, as rows of red, green and blue from 0 to 1, with a mask in color and points in white."""
    import numpy as np

    from workbench.data import run_lengths
    from workbench.data.picture_file import thumbnail

    pixels = thumbnail(Path(prediction["file"]), IMAGE_PIXELS, mask.get("frame", 0)) / 255
    height, width = pixels.shape[:2]
    rows = (np.arange(height) + 0.5) * prediction["height"] / height
    columns = (np.arange(width) + 0.5) * prediction["width"] / width
    is_object = run_lengths.decode(mask["rle"])[rows.astype(int)[:, None], columns.astype(int)]
    gray = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    drawing = np.where(is_object[..., None], 0.4 * gray + 0.6 * np.array([1.0, 0.35, 0.35]), 0.8 * gray)
    for x, y, _ in points:
        drawing[int((y + 0.5) * height / prediction["height"]), int((x + 0.5) * width / prediction["width"])] = 1.0
    return np.round(drawing, 3).tolist()
