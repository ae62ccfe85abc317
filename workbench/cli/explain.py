"""`workbench explain`: average precision, NMS, mIoU and panoptic quality of a small case, step by step."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, console, plural, print_json, print_rows, progress_note
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.engine.run import Run

IMAGES = 8  # of a run's data
MIN_SCORE = 0.3  # of a box before NMS
MAX_ROWS = 60  # printed
HEIGHT, CHART_HEIGHT = 30, 14  # rows

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    help="Show how average precision, NMS, mIoU or panoptic quality is computed, step by step.",
)

Source = Annotated[
    str,
    typer.Argument(
        metavar="RUN|FILE",
        help="Run id, or a JSON file with detections (and objects), as described above.",
        autocompletion=completion.runs,
    ),
]
ClassName = Annotated[str | None, typer.Option("--class", metavar="NAME", help="The class.")]
Split = Annotated[
    str,
    typer.Option(metavar="test|validation|train", help="Split of the run's data.", autocompletion=completion.splits),
]


@app.command(epilog="Example: workbench explain ap yolo-v1-0001 --iou 0.75")
def ap(
    source: Source,
    iou: Annotated[float, typer.Option(min=0.01, max=1.0, help="Smallest IoU of a correct detection.")] = 0.5,
    class_name: ClassName = None,
    split: Split = "test",
    first: Annotated[int, typer.Option(min=0, help="Number of the first image of the split.")] = 0,
    images: Annotated[int, typer.Option(min=1, max=100, help="Number of images.")] = IMAGES,
    as_json: Json = False,
) -> None:
    """Show how the average precision of a class is computed, from ranked detections to three conventions.

    The detections are those of a run for a few images of its data, or those of a file:
    {"objects": [{"image": 1, "class": "cat", "box": [x1, y1, x2, y2]}],
    "detections": [{"image": 1, "class": "cat", "box": [x1, y1, x2, y2], "score": 0.9}]}.
    The value at COCO's 101 recalls is compared with pycocotools.
    """
    from workbench.engine.explain import explain_ap

    result = _run(lambda worker: explain_ap(worker, _source(source), iou, class_name, split, (first, first + images)))
    if as_json:
        print_json(result)
    else:
        print_ap(result)
    if not result["agree"]:
        raise typer.Exit(1)


@app.command(epilog="Example: workbench explain miou unet-padded-0001 --images 2")
def miou(
    source: Source,
    split: Split = "test",
    first: Annotated[int, typer.Option(min=0, help="Number of the first image of the split.")] = 0,
    images: Annotated[int, typer.Option(min=1, max=100, help="Number of images.")] = IMAGES,
    as_json: Json = False,
) -> None:
    """Show how the mean IoU is computed, from the confusion matrix of all pixels to the mean over classes.

    The classes of pixels are those of a run for a few images of its data, or those of a file:
    {"classes": ["background", "cat"], "target": [[0, 1], [255, 1]], "predicted": [[0, 1], [0, 0]]},
    where 255 marks void pixels. The result is compared with scikit-learn.
    """
    from workbench.engine.explain_miou import explain_miou

    result = _run(lambda worker: explain_miou(worker, _source(source), split, (first, first + images)))
    if as_json:
        print_json(result)
    else:
        print_miou(result)
    if not result["agree"]:
        raise typer.Exit(1)


@app.command(epilog="Example: workbench explain nms yolo-v1-0001 --iou 0.3")
def nms(
    source: Source,
    iou: Annotated[float, typer.Option(min=0.0, max=1.0, help="Largest IoU of two boxes that remain.")] = 0.5,
    class_name: ClassName = None,
    split: Split = "test",
    image: Annotated[int, typer.Option(min=0, help="Number of the image of the split.")] = 0,
    min_score: Annotated[float, typer.Option(min=0.0, max=1.0, help="Smallest score of a box.")] = MIN_SCORE,
    as_json: Json = False,
) -> None:
    """Show how NMS suppresses boxes, one remaining box after another.

    The boxes are those that a run's detector has before NMS for one image of its data, or those of a file:
    {"detections": [{"class": "cat", "box": [x1, y1, x2, y2], "score": 0.9}]}.
    Boxes of different images or classes don't suppress each other. The result is compared with torchvision.
    """
    from workbench.engine.explain import explain_nms

    result = _run(lambda worker: explain_nms(worker, _source(source), iou, class_name, split, image, min_score))
    if as_json:
        print_json(result)
    else:
        print_nms(result)
    if not result["agree"]:
        raise typer.Exit(1)


@app.command(epilog="Example: workbench explain pq panoptic-fpn-0001 --image 3")
def pq(
    source: Source,
    split: Split = "test",
    image: Annotated[int, typer.Option(min=0, help="Number of the image of the split.")] = 0,
    as_json: Json = False,
) -> None:
    """Show how the panoptic quality of an image is computed: matches, errors, SQ, RQ and PQ of each class.

    The maps are those of a run for one image of its data, or those of a file, with the id of a segment per pixel,
    0 for void: {"target": {"map": [[1, 2], [1, 0]], "classes": {"1": "sky", "2": "cat"}},
    "predicted": {"map": [[1, 2], [1, 1]], "classes": {"1": "sky", "2": "cat"}}, "stuff": ["sky"]}.
    """
    from workbench.engine.explain_panoptic import explain_pq

    result = _run(lambda worker: explain_pq(worker, _source(source), split, image))
    if as_json:
        print_json(result)
    else:
        print_pq(result)
    if not result["agree"]:
        raise typer.Exit(1)


def _run(explain: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    from workbench.engine import Verifier

    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        return explain(worker)


def _source(name: str) -> "Run | Path":
    """Return the file of this name, or the run."""
    from workbench.engine.runs import get

    path = Path(name)
    return path if path.suffix or path.is_file() else get(name)


def print_ap(result: dict[str, Any]) -> None:
    """Print the ranked detections, the curve, and average precision in each convention."""
    from rich.table import Table

    from workbench.render.precision_recall import draw_precision_recall

    rows, objects = result["rows"], result["objects"]
    _print_origin(result)
    about = (
        f"{plural(len(rows), 'detection')}, {plural(objects, 'object')}, correct from IoU {result['iou_threshold']:g}"
    )
    print(printable(f"Class {result['class']}: {about}.") + "\n")
    heads = ("rank", "image", "score", "IoU", "object", "correct", "TP", "FP", "precision", "recall", "best from here")
    table = Table(*heads, box=None, header_style="bold", padding=(0, 1, 0, 0))
    for row in rows[:MAX_ROWS]:
        table.add_row(
            str(row["rank"]),
            printable(row["image"]),
            f"{row['score']:.3f}",
            f"{row['iou']:.3f}",
            str(row["object"] or "-"),
            "✓" if row["correct"] else "✗",
            str(row["true_positives"]),
            str(row["false_positives"]),
            *(f"{row[name]:.3f}" for name in ("precision", "recall", "interpolated")),
        )
    console().print(table)
    if (rest := len(rows) - MAX_ROWS) > 0:
        print(f"... and {rest:,} more. To see all of them, use --json.")
    print()
    for row in rows:
        if row["correct"] != row["correct_voc"]:
            verdict = "correct" if row["correct_voc"] else "not correct"
            print(
                f"Rank {row['rank']} is {verdict} by VOC's rule, which compares it with the object of the largest IoU."
            )
    if rows:
        curves = [
            {
                "name": "interpolated",
                "recall": [0.0, *(row["recall"] for row in rows)],
                "precision": [rows[0]["interpolated"], *(row["interpolated"] for row in rows)],
            },
            {
                "name": "precision",
                "recall": [row["recall"] for row in rows],
                "precision": [row["precision"] for row in rows],
                "dotted": True,
            },
        ]
        visualization = {"iou_threshold": result["iou_threshold"], "curves": curves}
        print_rows(lambda width, color: draw_precision_recall(visualization, width, CHART_HEIGHT, color))
        print()
    values = result["ap"]
    print(f"VOC 2007, the mean of 11 recalls          {values['voc2007']:.4f}")
    print(f"VOC 2010, every step times 1/{objects:<13}{values['voc2010']:.4f}")
    agrees = "equal" if result["agree"] else "NOT equal"
    print(f"COCO, the mean of 101 recalls             {values['coco']:.4f}   {agrees} to pycocotools")


def print_miou(result: dict[str, Any]) -> None:
    """Print the confusion matrix, the IoU of each class, and their mean."""
    from rich.table import Table

    _print_origin(result)
    classes = result["classes"]
    print(f"{result['pixels']:,} pixels, and {result['void']:,} void ones, which are left out.\n")
    print("Confusion matrix: pixels of each true class (row) by predicted class (column)")
    table = Table("true", *map(printable, classes), box=None, header_style="bold")
    for name, row in zip(classes, result["confusion"], strict=True):
        table.add_row(printable(name), *(f"{count:,}" for count in row))
    console().print(table)
    print("\nIoU = TP / (TP + FP + FN)")
    table = Table("class", "TP", "FP", "FN", "IoU", box=None, header_style="bold")
    for row in result["rows"]:
        counts = (f"{row[name]:,}" for name in ("true_positives", "false_positives", "false_negatives"))
        table.add_row(printable(row["class"]), *counts, "left out" if row["iou"] is None else f"{row['iou']:.4f}")
    console().print(table)
    if any(row["iou"] is None for row in result["rows"]):
        print("A class that no pixel has, neither true nor predicted, is left out of the mean.")
    agrees = "equal" if result["agree"] else "NOT equal"
    print(f"\nmIoU, the mean of {result['counted']} classes   {result['miou']:.4f}   {agrees} to scikit-learn")


def print_nms(result: dict[str, Any]) -> None:
    """Print the steps, then the first image before and after."""
    from workbench.render import predictions

    boxes = {row["number"]: row for row in result["boxes"]}
    _print_origin(result)
    print(f"{plural(len(boxes), 'box').replace('boxs', 'boxes')}, suppressed above IoU {result['iou_threshold']:g}.\n")
    for step, one in enumerate(result["steps"][:MAX_ROWS], start=1):
        row = boxes[one["box"]]
        print(
            printable(
                f"{step}. Box {row['number']} remains: {row['class']}, score {row['score']:.3f}, image {row['image']}."
            )
        )
        for other in one["compared"]:
            verdict = "suppressed" if other["suppressed"] else "left"
            print(f"   box {other['number']:<4} IoU {other['iou']:.3f}  {verdict}")
    if (rest := len(result["steps"]) - MAX_ROWS) > 0:
        print(f"... and {rest:,} more steps. To see all of them, use --json.")
    print()
    visualization = result["visualization"]
    for title, numbers in (("Before:", set(boxes)), ("After:", set(result["remaining"]))):
        selection = {
            **visualization,
            "predicted": [row for row in visualization["predicted"] if row["number"] in numbers],
        }
        print(title)
        print_rows(lambda width, color: predictions.draw([selection], "boxes", width, HEIGHT, color))  # noqa: B023
        print()
    agrees = "equal" if result["agree"] else "NOT equal"
    print(f"Remaining: {', '.join(map(str, result['remaining']))} ({agrees} to torchvision).")


def print_pq(result: dict[str, Any]) -> None:
    """Print the two maps, the pairs of segments, the errors, and the quality of each class."""
    from rich.table import Table

    from workbench.render import predictions

    _print_origin(result)
    maps = result["visualizations"]
    print_rows(lambda width, color: predictions.draw(maps, "segments", width, HEIGHT, color))
    print("\nA pair is a match if its IoU is above 0.5. Unions have no void pixels.\n")
    table = Table("predicted", "true", "class", "intersection", "union", "IoU", "match", box=None, header_style="bold")
    for pair in result["pairs"][:MAX_ROWS]:
        numbers = (str(pair[name]) for name in ("predicted", "target"))
        areas = (f"{pair[name]:,}" for name in ("intersection", "union"))
        table.add_row(*numbers, printable(pair["class"]), *areas, f"{pair['iou']:.4f}", "✓" if pair["match"] else "✗")
    console().print(table)
    if (rest := len(result["pairs"]) - MAX_ROWS) > 0:
        print(f"... and {rest:,} more. To see all of them, use --json.")
    print()
    for key, title in (
        ("false_positives", "FP, predicted segments without a match"),
        ("false_negatives", "FN, true segments without a match"),
        ("ignored", "Ignored, predicted segments that are mostly void or crowd"),
    ):
        rows = ", ".join(printable(f"{row['id']} ({row['class']})") for row in result[key][:MAX_ROWS])
        print(f"{title}: {rows or 'none'}.")
    print()
    table = Table("class", "IoU sum", "TP", "FP", "FN", "SQ", "RQ", "PQ = SQ * RQ", box=None, header_style="bold")
    for row in result["classes"]:
        counts = (str(row[name]) for name in ("tp", "fp", "fn"))
        table.add_row(
            printable(row["class"]), f"{row['iou']:.4f}", *counts, *(f"{row[name]:.4f}" for name in ("sq", "rq", "pq"))
        )
    console().print(table)
    agrees = "equal" if result["agree"] else "NOT equal"
    print("\nSQ = IoU sum / TP, RQ = TP / (TP + FP/2 + FN/2). Means over the classes:")
    print(f"SQ {result['sq']:.4f}   RQ {result['rq']:.4f}   PQ {result['pq']:.4f}   {agrees} to the metric")


def _print_origin(result: dict[str, Any]) -> None:
    if "run" in result:
        print(printable(f"Run {result['run']}, {result['checkpoint']} checkpoint, step {result['step']}."))
        if "reason" in result:
            print(printable(result["reason"]))
