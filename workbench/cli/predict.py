"""`workbench predict`: the predictions of a trained network for image files."""

from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, print_json, progress_note
from workbench.untrusted import printable

MAX_CLASSES = 3  # printed for each file

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench predict resnet18-0001 photo.jpg")
def predict(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Image files: JPEG, PNG, WEBP, GIF, BMP or TIFF.")
    ],
    as_json: Json = False,
) -> None:
    """Run a trained network on image files.

    The weights are those of the run's best checkpoint, or of its last if there is no best one. Each image is
    center-cropped and resized to the size of the training images. It should look like them: digits, for example, are
    light on a dark background.
    """
    from workbench.engine import Verifier
    from workbench.engine.predict import predict as predict_files
    from workbench.engine.runs import get

    run = get(run_id)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = predict_files(worker, run, files)
    if as_json:
        print_json(result)
        return
    print_predictions(result["predictions"])
    reason = f" {printable(result['reason'])}" if "reason" in result else ""
    print(f"Run {result['run']}, {result['checkpoint']} checkpoint, step {result['step']}.{reason}")


def print_predictions(predictions: list[dict[str, Any]]) -> None:
    """Print a table of the most probable classes of each file; of other predictions, their names and values."""
    if "probabilities" not in predictions[0]:
        for prediction in predictions:
            values = "  ".join(f"{name} {value}" for name, value in prediction.items() if name != "file")
            print(printable(f"{Path(prediction['file']).name}  {values}"))
        return
    from rich.table import Table

    table = Table("image", "class", "probability", "next", box=None, header_style="bold")
    for one in predictions:
        ranked = sorted(one["probabilities"].items(), key=lambda pair: -pair[1])
        others = ", ".join(f"{name} {probability:.3f}" for name, probability in ranked[1:MAX_CLASSES])
        table.add_row(printable(Path(one["file"]).name), one["class"], f"{one['probability']:.3f}", others)
    console().print(table)
