"""Drawings of a network's answers to questions: the probability of each class, a predicted value, a text."""

from textwrap import wrap
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.decision_regions import draw_decision_regions
from workbench.render.halfblock import Rows, render_gallery, to_pixels
from workbench.render.scale import format_tick
from workbench.untrusted import printable

BAR, BEST = "█", Style(color="green", bold=True)
EIGHTHS = " ▏▎▍▌▋▊▉"  # parts of a cell of a bar
MAX_BAR = 40  # cells


def draw_probabilities(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render a bar for each class, the predicted one first marked, and above it what was asked about."""
    classes, probabilities = answer["classes"], answer["probabilities"]
    order = list(range(len(classes)))
    if len(classes) > max(1, height - 4):  # the most probable ones
        order = sorted(order, key=lambda k: -probabilities[k])[: max(1, height - 4)]
    left = min(max(len(classes[k]) for k in order), 20)
    room = max(1, min(MAX_BAR, width - left - 12))
    rows: Rows = []
    if "pixels" in answer:
        rows += render_gallery(
            [(to_pixels(answer["pixels"]), "", PLAIN)], width, max(3, height - len(order) - 2), color
        )
        rows.append([])
    elif "regions" in answer:
        regions = {**answer["regions"], "point": answer.get("point")}
        rows += draw_decision_regions(regions, width, max(6, height - len(order) - 3), color)
        rows.append([])
    rows += _features(answer, width) + describe_unknown(answer, width)
    for k in order:
        is_predicted = k == answer["predicted"]
        style = BEST if is_predicted else PLAIN
        filled = bar(probabilities[k], room)
        mark = "▸" if is_predicted else " "
        rows.append([Segment(f"{mark} {classes[k][:left]:<{left}} {filled} {probabilities[k]:6.1%}"[:width], style)])
    return rows


def draw_value(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render a predicted number."""
    text = f"predicted {answer['unit']}: {format_tick(answer['predicted'])}"
    return [*_features(answer, width), [Segment(text[:width], BEST)]]


def draw_text(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render texts, each under its caption, in as many rows as there are."""
    rows: Rows = []
    for sample in answer["texts"]:
        rows.append([Segment(sample["caption"][:width], QUIET)])
        for line in sample["lines"]:
            rows += [[Segment(part)] for part in wrap(line, width, drop_whitespace=False) or [""]]
        rows.append([])
    return rows[:height]


def _features(answer: dict[str, Any], width: int) -> Rows:
    """Render the row that was asked about."""
    values = "  ".join(f"{name} {format_tick(value)}" for name, value in answer.get("features", {}).items())
    return [[Segment(line, QUIET)] for line in wrap(values, width)]


def describe_unknown(answer: dict[str, Any], width: int) -> Rows:
    """Render which words of a sentence the network doesn't know."""
    if not answer.get("unknown"):
        return []
    text = f"Unknown words, read as <unk>: {', '.join(map(printable, answer['unknown']))}"
    return [[Segment(line, QUIET)] for line in wrap(text, width)]


def bar(share: float, cells: int) -> str:
    """Return a bar over a number of cells, to an eighth of a cell."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * 8)
    text = BAR * (eighths // 8) + (EIGHTHS[eighths % 8] if eighths % 8 else "")
    return text.ljust(cells)
