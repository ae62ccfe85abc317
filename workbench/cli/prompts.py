"""Prompts on the command line of `workbench predict`, and what a network segments by them."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from workbench.cli.output import console, print_rows
from workbench.data.prompts import draw_mask
from workbench.untrusted import printable

MAX_IMAGES, IMAGE_ROWS = 6, 24  # images that are drawn, rows of cells
MAX_PRINTED = 50  # masks

Points = typer.Option(
    metavar="X,Y[,LABEL]", help="Point of the object to segment, or outside it with label 0. May be repeated."
)
Box = typer.Option(metavar="X1,Y1,X2,Y2", help="Box around the object to segment, in pixels.")
Mask = typer.Option(metavar="FILE", help="Image of the same size in which the object is roughly white.")


def print_masks(result: dict[str, Any], points: Sequence[Sequence[float]]) -> None:
    """Print images with their masks, and a table of the masks."""
    from rich.table import Table

    from workbench.render import predictions

    rows = [(one, mask) for one in result["predictions"] for mask in one["masks"]]
    tiles = [draw_mask(one, mask, points) for one, mask in rows[:MAX_IMAGES]]
    visualization = {"kind": "masks", "caption": "masks, in the order of the table", "images": tiles}
    print_rows(lambda width, color: predictions.draw([visualization], "masks", width, IMAGE_ROWS, color))
    print()
    table = Table("image", "predicted IoU", "share of the image", "box", box=None, header_style="bold")
    for one, mask in rows[:MAX_PRINTED]:
        corners = ",".join(map(str, mask["box"])) if mask["box"] else "empty"
        name = printable(Path(one["file"]).name)
        name = f"{name}:{mask['frame']}" if "frame" in mask else name
        table.add_row(name, f"{mask['iou']:.3f}", f"{mask['share']:.1%}", corners)
    console().print(table)
    if (rest := len(rows) - MAX_PRINTED) > 0:
        print(f"... and {rest:,} more. To see all of them, use --json.")
