"""Prompts on the command line of `workbench predict`, and what a network segments by them."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Any

import typer

from workbench.cli.output import console, print_rows
from workbench.errors import UserError
from workbench.untrusted import printable

MAX_IMAGES, IMAGE_PIXELS, IMAGE_ROWS = 6, 64, 24  # images that are drawn, pixels of the longer side, rows of cells
MAX_PRINTED = 50  # masks
POINT_FORM = "--point is X,Y in pixels, or X,Y,LABEL with label 1 inside the object and 0 outside"

Points = typer.Option(
    metavar="X,Y[,LABEL]", help="Point of the object to segment, or outside it with label 0. May be repeated."
)
Box = typer.Option(metavar="X1,Y1,X2,Y2", help="Box around the object to segment, in pixels.")
Mask = typer.Option(metavar="FILE", help="Image of the same size in which the object is roughly white.")


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


def print_masks(result: dict[str, Any], points: Sequence[Sequence[float]]) -> None:
    """Print images with their masks, and a table of the masks."""
    from rich.table import Table

    from workbench.render import predictions

    rows = [(one, mask) for one in result["predictions"] for mask in one["masks"]]
    tiles = [_draw(one, mask, points) for one, mask in rows[:MAX_IMAGES]]
    visualization = {"kind": "masks", "caption": "masks, in the order of the table", "images": tiles}
    print_rows(lambda width, color: predictions.draw([visualization], "masks", width, IMAGE_ROWS, color))
    print()
    table = Table("image", "predicted IoU", "share of the image", "box", box=None, header_style="bold")
    for one, mask in rows[:MAX_PRINTED]:
        corners = ",".join(map(str, mask["box"])) if mask["box"] else "empty"
        table.add_row(printable(Path(one["file"]).name), f"{mask['iou']:.3f}", f"{mask['share']:.1%}", corners)
    console().print(table)
    if (rest := len(rows) - MAX_PRINTED) > 0:
        print(f"... and {rest:,} more. To see all of them, use --json.")


def _draw(prediction: dict[str, Any], mask: dict[str, Any], points: Sequence[Sequence[float]]) -> list[Any]:
    """Return a small image, as rows of red, green and blue from 0 to 1, with a mask in color and points in white."""
    import numpy as np

    from workbench.data import run_lengths
    from workbench.data.picture_file import thumbnail

    pixels = thumbnail(Path(prediction["file"]), IMAGE_PIXELS) / 255
    height, width = pixels.shape[:2]
    rows = (np.arange(height) + 0.5) * prediction["height"] / height
    columns = (np.arange(width) + 0.5) * prediction["width"] / width
    is_object = run_lengths.decode(mask["rle"])[rows.astype(int)[:, None], columns.astype(int)]
    gray = np.repeat(pixels.mean(axis=2, keepdims=True), 3, axis=2)
    drawing = np.where(is_object[..., None], 0.4 * gray + 0.6 * np.array([1.0, 0.35, 0.35]), 0.8 * gray)
    for x, y, _ in points:
        drawing[int((y + 0.5) * height / prediction["height"]), int((x + 0.5) * width / prediction["width"])] = 1.0
    return np.round(drawing, 3).tolist()  # type: ignore[no-any-return]
