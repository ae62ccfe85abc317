"""`workbench predict`: what a run's network says of pictures that it never saw."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.reply import Json, console, say_json
from workbench.untrusted import printable

SHOWN = 3  # classes of each picture

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench predict resnet18-0001 photo.jpg")
def predict(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="A run's id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pictures: JPEG, PNG, WEBP, GIF, BMP, TIFF.")],
    as_json: Json = False,
) -> None:
    """What pictures show, as a run's network sees it, with the weights of its best checkpoint, or else its last.

    The middle of a picture counts, made as large as what the run learnt from. It should look like that, too: digits,
    for one, are light on a dark ground.
    """
    from workbench.engine import Verifier
    from workbench.engine.predict import predictions
    from workbench.engine.runs import get

    run = get(run_id)
    if sys.stderr.isatty():
        print("Asking PyTorch ...", file=sys.stderr)
    with Verifier() as worker:
        found = predictions(worker, run, files)
    if as_json:
        say_json(found)
        return
    from rich.table import Table

    table = Table("picture", "class", "probability", "else", box=None, header_style="bold")
    for one in found["predictions"]:
        ranked = sorted(one["probabilities"].items(), key=lambda pair: -pair[1])
        others = ", ".join(f"{name} {chance:.3f}" for name, chance in ranked[1:SHOWN])
        table.add_row(printable(Path(one["file"]).name), one["class"], f"{one['probability']:.3f}", others)
    console().print(table)
    print(f"By {found['run']}, its {found['checkpoint']} checkpoint, step {found['step']}.")
