"""`workbench predict`: the predictions of a trained network for image files, or for rows of tables.

Those of a detector are boxes with classes and scores, in pixels of the image, and of some also masks; those of a
network for segmentation are the share of each class, and where it is.
"""

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from workbench.cli import completion, prompts
from workbench.cli.output import Json, console, plural, print_json, print_rows, progress_bar
from workbench.errors import UserError
from workbench.render.scale import format_tick
from workbench.untrusted import printable

MAX_CLASSES = 3  # printed for each sample
MAX_PRINTED = 50  # samples
MAX_IMAGES, IMAGE_PIXELS, IMAGE_ROWS = 3, 128, 30  # images with boxes, pixels of the longer side, and rows of cells
SEGMENT_PIXELS = 56  # of the longer side of an image with classes
MIN_SCORE = 0.3  # of a detection

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench predict resnet18-0001 photos --csv photos.csv")
def predict(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|-...",
            help="Image files (JPEG, PNG, WEBP, GIF, BMP or TIFF) or folders of them; for a run on a table CSV files, "
            "or - for rows on standard input.",
        ),
    ],
    csv: Annotated[
        Path | None, typer.Option(metavar="OUT", help="CSV file to write, with a row per image or row.")
    ] = None,
    min_score: Annotated[
        float | None,
        typer.Option(
            min=0.0, max=1.0, help=f"Smallest score of a detection. Default: {MIN_SCORE}.", show_default=False
        ),
    ] = None,
    point: Annotated[list[str] | None, prompts.Points] = None,
    box: Annotated[str | None, prompts.Box] = None,
    mask: Annotated[Path | None, prompts.Mask] = None,
    as_json: Json = False,
) -> None:
    """Run a trained network on image files, or on rows of a table.

    The weights are those of the run's best checkpoint, or of its last if there is no best one. For a classifier, each
    image is center-cropped and resized to the size of the training images; a detector reads the whole image. It should
    look like the training images: digits, for example, are light on a dark background. A table needs the columns that
    the run was trained on, under their names. A network that segments by a prompt needs points, a box or a mask.
    """
    from workbench.data.prompts import parse
    from workbench.engine import Verifier
    from workbench.engine.predict import predict as predict_samples
    from workbench.engine.predict import write_csv
    from workbench.engine.runs import get

    run, prompt = get(run_id), parse(point, box, mask)
    with Verifier() as worker, progress_bar("Running PyTorch") as report_progress:
        stdin = sys.stdin.buffer if "-" in paths else None
        result = predict_samples(worker, run, paths, stdin, report_progress, prompt)
    is_detection = "detections" in result["predictions"][0]
    if is_detection:
        select_detections(result, MIN_SCORE if min_score is None else min_score)
    elif min_score is not None:
        raise UserError(f"--min-score is for detectors, and {run.id} detects nothing. Leave it out.")
    is_segmentation = "segments" in result["predictions"][0]
    if csv is not None and prompt is not None:
        raise UserError("--csv is for predictions without masks: use --json.")
    if csv is not None:
        write_csv(result, csv, paths)
        count = len(result["predictions"])
        if as_json:
            print_json({"run": result["run"], "path": str(csv), "predictions": count})
        else:
            print(printable(f"{plural(count, 'prediction')} of {result['run']} written to {csv}."))
    elif as_json:
        print_json(result)
    else:
        if prompt is not None:
            prompts.print_masks(result, prompt["points"])
        else:
            printed = print_detections if is_detection else print_segments if is_segmentation else print_predictions
            printed(result)
        reason = f" {printable(result['reason'])}" if "reason" in result else ""
        print(f"Run {result['run']}, {result['checkpoint']} checkpoint, step {result['step']}.{reason}")


def print_predictions(result: dict[str, Any]) -> None:
    """Print a table of the predictions: of classes the most probable ones, of other predictions their values."""
    from rich.table import Table

    predictions = result["predictions"]
    percentile = ("percentile",) if "percentile" in predictions[0] else ()
    is_class = "probabilities" in predictions[0]
    headings = ("class", "probability", "next") if is_class else (result["target"], *percentile)
    table = Table("line" if "line" in predictions[0] else "image", *headings, box=None, header_style="bold")
    several = len({prediction["file"] for prediction in predictions}) > 1
    for one in predictions[:MAX_PRINTED]:
        table.add_row(_format_origin(one, several), *_format_prediction(one))
    console().print(table)
    if (rest := len(predictions) - MAX_PRINTED) > 0:
        print(f"... and {rest:,} more. To see all of them, use --csv OUT or --json.")


def select_detections(result: dict[str, Any], min_score: float) -> None:
    """Remove the detections with lower scores from the predictions, in place."""
    for one in result["predictions"]:
        one["detections"] = [row for row in one["detections"] if row["score"] >= min_score]


def print_detections(result: dict[str, Any]) -> None:
    """Print images with their boxes, and a table of all detections."""
    from rich.table import Table

    from workbench.render import predictions

    for one in result["predictions"][:MAX_IMAGES]:
        has_masks = "stuff" in one or any("rle" in row for row in one["detections"])
        visualization = to_segments(one) if has_masks else to_visualization(one)
        kind = visualization["kind"]
        print_rows(lambda width, color: predictions.draw([visualization], kind, width, IMAGE_ROWS, color))  # noqa: B023
        print()
    table = Table("image", "class", "score", "x1", "y1", "x2", "y2", box=None, header_style="bold")
    rows = [(one["file"], row) for one in result["predictions"] for row in one["detections"]]
    for file, row in rows[:MAX_PRINTED]:
        corners = (f"{value:.1f}" for value in row["box"])
        table.add_row(printable(Path(file).name), row["class"], f"{row['score']:.3f}", *corners)
    if rows:
        console().print(table)
    if (rest := len(rows) - MAX_PRINTED) > 0:
        print(f"... and {rest:,} more. To see all of them, use --csv OUT or --json.")
    for one in result["predictions"][:MAX_PRINTED]:
        if shares := [
            f"{row['class']} {row['area'] / one['width'] / one['height']:.0%}" for row in one.get("stuff", [])
        ]:
            print(printable(f"Stuff in {Path(one['file']).name}: {', '.join(shares)}."))
    if nothing := sum(not one["detections"] for one in result["predictions"]):
        print(f"Nothing detected in {plural(nothing, 'image')}. A lower --min-score shows more.")


def print_segments(result: dict[str, Any]) -> None:
    """Print images with the classes of their pixels, and a table of the share of each class."""
    from rich.table import Table

    from workbench.render import predictions

    for one in result["predictions"][:MAX_IMAGES]:
        visualization = to_pixel_classes(one)
        print_rows(lambda width, color: predictions.draw([visualization], "pixel-classes", width, IMAGE_ROWS, color))  # noqa: B023
        print()
    table = Table("image", "size", "class", "share", box=None, header_style="bold")
    rows = [(one, segment) for one in result["predictions"] for segment in one["segments"]]
    for one, segment in rows[:MAX_PRINTED]:
        size = f"{one['width']}x{one['height']}"
        table.add_row(printable(Path(one["file"]).name), size, segment["class"], f"{segment['share']:.1%}")
    console().print(table)
    if (rest := len(rows) - MAX_PRINTED) > 0:
        print(f"... and {rest:,} more. To see all of them, use --csv OUT or --json.")


def to_pixel_classes(prediction: dict[str, Any]) -> dict[str, Any]:
    """Return an image file with the classes of its pixels as a visualization of the kind `pixel-classes`."""
    import numpy as np

    from workbench.data.picture_file import thumbnail
    from workbench.data.run_lengths import decode

    pixels = thumbnail(Path(prediction["file"]), SEGMENT_PIXELS)
    height, width = pixels.shape[:2]
    rows, columns = (
        (np.arange(count) * 2 + 1) * size // (2 * count)
        for count, size in ((height, prediction["height"]), (width, prediction["width"]))
    )
    # Background has its own sign, whatever its place among the classes.
    classes = [segment["class"] for segment in sorted(prediction["segments"], key=lambda one: one["class"])]
    labels = np.zeros((prediction["height"], prediction["width"]), np.uint8)
    for segment in prediction["segments"]:
        labels[decode(segment["rle"])] = classes.index(segment["class"])
    return {
        "kind": "pixel-classes",
        "classes": classes,
        "pixels": (pixels / 255).tolist(),
        "predicted": labels[rows][:, columns].tolist(),
    }


def to_visualization(prediction: dict[str, Any]) -> dict[str, Any]:
    """Return an image file with its detections as a visualization of the kind `boxes`, small enough to be drawn."""
    from workbench.data.picture_file import thumbnail

    pixels = thumbnail(Path(prediction["file"]), IMAGE_PIXELS)
    factor = len(pixels[0]) / prediction["width"]
    classes = list(dict.fromkeys(row["class"] for row in prediction["detections"]))
    return {
        "kind": "boxes",
        "pixels": (pixels / 255).tolist(),
        "classes": classes,
        "predicted": [
            {
                "box": [value * factor for value in row["box"]],
                "label": classes.index(row["class"]),
                "score": row["score"],
                "correct": None,
            }
            for row in prediction["detections"]
        ],
        "missed": [],
    }


def to_segments(prediction: dict[str, Any]) -> dict[str, Any]:
    """Return an image file with its masks as a visualization of the kind `segments`, small enough to be drawn."""
    import numpy as np

    from workbench.data.picture_file import thumbnail
    from workbench.data.run_lengths import decode

    pixels = thumbnail(Path(prediction["file"]), IMAGE_PIXELS)
    rows = [*prediction["detections"], *prediction.get("stuff", [])]
    ids = np.zeros((prediction["height"], prediction["width"]), np.int64)
    for number in reversed(range(len(rows))):  # the best one on top
        ids[decode(rows[number]["rle"])] = number + 1
    places = (
        (np.arange(count) * size // count) for count, size in zip((len(pixels), len(pixels[0])), ids.shape, strict=True)
    )
    segments = [
        {"id": n, "class": row["class"], "thing": "score" in row, **{k: row[k] for k in ("score",) if k in row}}
        for n, row in enumerate(rows, start=1)
    ]
    return {
        "kind": "segments",
        "caption": Path(prediction["file"]).name,
        "pixels": (pixels / 255).tolist(),
        "ids": ids[np.ix_(*places)].tolist(),
        "segments": segments,
    }


def _format_origin(prediction: dict[str, Any], several: bool) -> str:
    """Return the name of an image file, or the line of a row, with its file if there are several."""
    name = printable(Path(prediction["file"]).name)
    if "line" not in prediction:
        return name
    return f"{name}:{prediction['line']}" if several else str(prediction["line"])


def _format_prediction(prediction: dict[str, Any]) -> tuple[str, ...]:
    if "probabilities" not in prediction:
        percentile = (f"{prediction['percentile']:.1f}",) if "percentile" in prediction else ()
        return (format_tick(prediction["predicted"]), *percentile)
    ranked = sorted(prediction["probabilities"].items(), key=lambda pair: -pair[1])
    others = ", ".join(f"{name} {probability:.3f}" for name, probability in ranked[1:MAX_CLASSES])
    return prediction["class"], f"{prediction['probability']:.3f}", others
