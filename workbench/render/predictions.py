"""Drawings of what a network predicts: samples, the confusion matrix, decision regions, predictions over targets.

Each function takes the visualizations of a task and returns rows of segments that fit into a number of cells. Correct
and incorrect predictions have different signs, and numbers are written out, so that color is never the only sign.
"""

from collections.abc import Callable
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render import autoencoding
from workbench.render.attention import draw_attention
from workbench.render.boxes import draw_boxes
from workbench.render.canvas import PLAIN, QUIET, Canvas
from workbench.render.decision_regions import draw_decision_regions
from workbench.render.forecasts import draw_forecasts
from workbench.render.halfblock import Rows, render_gallery, to_pixels
from workbench.render.next_token import draw_next_tokens
from workbench.render.pixel_classes import draw_pixel_classes
from workbench.render.precision_recall import draw_precision_recall
from workbench.render.responses import draw_probabilities, draw_text, draw_value
from workbench.render.scale import Scale, format_tick
from workbench.render.segments import draw_segments
from workbench.render.sentences import draw_captions, draw_masked_words, draw_neighbors, draw_tags
from workbench.render.translations import draw_lengths, draw_translations
from workbench.render.word_map import draw_map
from workbench.untrusted import printable

CORRECT, INCORRECT = Style(color="green"), Style(color="red", bold=True)
Visualizations = list[dict[str, Any]]
# Renders the visualizations of one kind, given all of a run, into a width and a height, with colors or without.
Renderer = Callable[[Visualizations, Visualizations, int, int, bool], Rows]


def draw(visualizations: Visualizations, kind: str, width: int, height: int, color: bool = True) -> Rows:
    """Render the visualizations of one kind; no rows if there are none.

    Args:
        visualizations: All visualizations of a run.
        kind: One of `kinds(visualizations)`.
        width: Number of cells per row.
        height: Number of rows.
        color: Whether colors can be shown; if not, shades and letters replace them.
    """
    selected = [visualization for visualization in visualizations if visualization.get("kind") == kind]
    try:
        return KINDS[kind][1](selected, visualizations, width, height, color) if selected else []
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # The file may come from another program.
        message = "This file is damaged. It is written again at the next checkpoint of the run."
        return [[Segment(message[:width], QUIET)]]


def kinds(visualizations: Visualizations) -> list[str]:
    """Return the kinds of visualizations that there are, in their order."""
    names = dict.fromkeys(str(visualization.get("kind")) for visualization in visualizations)
    return [kind for kind in names if kind in KINDS]


def draw_samples(selected: Visualizations, everything: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render test samples with their predictions, as many as there is room for."""
    classes = class_names(everything)
    if "pixels" not in selected[0]:
        return [_table_row(sample, classes, width) for sample in selected[:height]]
    tiles = [(to_pixels(sample["pixels"]), *_caption(sample, classes)) for sample in selected]
    return render_gallery(tiles, width, height, color)


def _caption(sample: dict[str, Any], classes: list[str]) -> tuple[str, Style]:
    target, predicted = (classes[sample[key]] if classes else str(sample[key]) for key in ("target", "predicted"))
    return (f"{target} ✓", CORRECT) if target == predicted else (f"{target} ✗ {predicted}", INCORRECT)


def _table_row(sample: dict[str, Any], classes: list[str], width: int) -> list[Segment]:
    """Render a sample that is a row of a table or a sentence: its target and prediction, then its features or words."""
    if isinstance(sample["target"], float):
        text = f"true {format_tick(sample['target'])}, predicted {format_tick(sample['predicted'])}"
        caption, style = text, PLAIN
    else:
        caption, style = _caption(sample, classes)
    if "words" in sample:
        features = " ".join(map(printable, sample["words"]))
    else:
        features = "  ".join(f"{value:7.2f}" for value in sample["values"])
    return list(Segment.adjust_line_length([Segment(f"{caption:<28}", style), Segment(features, QUIET)], width))


def class_names(visualizations: Visualizations) -> list[str]:
    """Return the names of the classes, from the first visualization that has them."""
    return next((visualization["classes"] for visualization in visualizations if "classes" in visualization), [])


def draw_confusion(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render the confusion matrix: true classes by row, predicted ones by column, larger counts on brighter cells."""
    classes, counts = selected[0]["classes"], selected[0]["counts"]
    largest = max(max(row) for row in counts) or 1
    left = min(max(4, *map(len, classes)), 14) + 1
    cell = len(str(largest)) + 2
    if left + len(classes) * cell > width or len(classes) + 1 > height:
        return _most_frequent_errors(classes, counts, width, height)
    heads = "".join(name[: cell - 1].rjust(cell) for name in classes)
    rows: Rows = [[Segment(f"{'true':<{left}}{heads}  predicted", QUIET)]]
    for i, row in enumerate(counts):
        cells = [_count_cell(count, largest, cell, is_correct=i == k) for k, count in enumerate(row)]
        total = sum(row)
        share = f"  {row[i] / total:.0%} of {total}" if total else "  none"
        if "f1" in selected[0] and total:
            share += f", F1 {selected[0]['f1'][i]:.2f}"
        if "iou" in selected[0] and total:
            share += f", IoU {selected[0]['iou'][i]:.2f}"
        rows.append([Segment(classes[i][: left - 1].ljust(left), QUIET), *cells, Segment(share, QUIET)])
    return rows


def _count_cell(count: int, largest: int, cell: int, is_correct: bool) -> Segment:
    """Render a count on its background color; 0 is a dot, so that errors stand out."""
    if not count:
        return Segment("·".rjust(cell), QUIET)
    share = 0.25 + 0.75 * count / largest
    hue = (40, 120, 80) if is_correct else (190, 70, 50)
    background = tuple(round(channel * share) for channel in hue)
    return Segment(str(count).rjust(cell), Style(color="white", bgcolor="#{:02x}{:02x}{:02x}".format(*background)))


def _most_frequent_errors(classes: list[str], counts: list[list[int]], width: int, height: int) -> Rows:
    """Render the largest counts off the diagonal, for a matrix that does not fit."""
    errors = sorted(
        ((count, i, k) for i, row in enumerate(counts) for k, count in enumerate(row) if i != k and count), reverse=True
    )
    rows: Rows = [[Segment("Most frequent errors" if errors else "No errors.", QUIET)]]
    for count, i, k in errors[: height - 1]:
        rows.append([Segment(f"{count:>6}  {classes[i]} predicted as {classes[k]}"[:width])])
    return rows


def draw_regions(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render the decision regions."""
    return draw_decision_regions(selected[0], width, height, color)


def draw_fit(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render predictions (vertical) over targets (horizontal); correct predictions are on the diagonal."""
    targets, predictions = selected[0]["target"], selected[0]["predicted"]
    scale = Scale.fit([*targets, *predictions])
    canvas = Canvas(min(width, 4 * height), max(1, height - 2))
    right, bottom = 2 * canvas.width - 1, 4 * canvas.height - 1
    canvas.paint([(0, bottom), (right, 0)], QUIET, dotted=False)
    dots: list[tuple[int, int] | None] = []
    for x, y in zip(targets, predictions, strict=True):
        dots += [(round(scale.position(x) * right), bottom - round(scale.position(y) * bottom)), None]
    canvas.paint(dots, Style(color="cyan"), dotted=False)
    axes = f"right: true {selected[0]['unit']}, {format_tick(scale.low)} to {format_tick(scale.high)}; up: predicted"
    return [*(list(canvas.row(row)) for row in range(canvas.height)), [], [Segment(axes[:width], QUIET)]]


def draw_detections(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render images with predicted boxes and missed objects."""
    return draw_boxes(selected, width, height, color)


def draw_segmented(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render images with segments."""
    return draw_segments(selected, width, height, color)


def draw_class_maps(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render images with the predicted and the true classes of their pixels."""
    return draw_pixel_classes(selected, width, height, color)


def draw_translated(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render translations."""
    return draw_translations(selected, width, height)


def draw_attentions(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render matrices of attention weights."""
    return draw_attention(selected, width, height)


def draw_series(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render forecasts of a time series."""
    return draw_forecasts(selected, width, height)


def draw_reconstructions(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
    """Render images next to their reconstructions."""
    return autoencoding.draw_reconstructions(selected, width, height, color)


def _of_first(render: Callable[[dict[str, Any], int, int, bool], Rows]) -> Renderer:
    """Return the renderer of a kind of which a run has one visualization."""

    def draw_first(selected: Visualizations, _: Visualizations, width: int, height: int, color: bool) -> Rows:
        return render(selected[0], width, height, color)

    return draw_first


# Kind -> its title, and its renderer.
KINDS: dict[str, tuple[str, Renderer]] = {
    "sample": ("samples", draw_samples),
    "confusion": ("confusion matrix", draw_confusion),
    "regions": ("decision regions", draw_regions),
    "fit": ("predictions over targets", draw_fit),
    "probabilities": ("probabilities", _of_first(draw_probabilities)),
    "value": ("prediction", _of_first(draw_value)),
    "text": ("generated text", _of_first(draw_text)),
    "next-token": (
        "next tokens",
        _of_first(lambda answer, width, height, color: draw_next_tokens(answer, width, height)),
    ),
    "forecast": ("forecasts", draw_series),
    "boxes": ("detected objects", draw_detections),
    "precision-recall": ("precision over recall", _of_first(draw_precision_recall)),
    "translation": ("translations", draw_translated),
    "attention": ("attention", draw_attentions),
    "lengths": ("scores by length", _of_first(lambda table, width, height, color: draw_lengths(table, width, height))),
    "reconstruction": ("reconstructions", draw_reconstructions),
    "codes": ("codes by class", _of_first(autoencoding.draw_codes)),
    "decoded-plane": ("plane of the codes", _of_first(autoencoding.draw_decoded_plane)),
    "interpolation": ("interpolation", _of_first(autoencoding.draw_interpolation)),
    "images": ("generated images", _of_first(autoencoding.draw_images)),
    "pixel-classes": ("classes of pixels", draw_class_maps),
    "masks": ("masks", _of_first(autoencoding.draw_images)),
    "segments": ("segments", draw_segmented),
    "image-attention": ("attention", _of_first(autoencoding.draw_images)),
    "positions": ("similarity of positions", _of_first(autoencoding.draw_images)),
    "decoded": ("decoded image", _of_first(autoencoding.draw_decoded)),
    "tags": ("tagged words", _of_first(draw_tags)),
    "captions": ("captions", _of_first(draw_captions)),
    "masked-words": ("masked words", draw_masked_words),
    "neighbors": ("most similar words", _of_first(draw_neighbors)),
    "map": ("map of words", _of_first(draw_map)),
}
