"""Drawings of words: sentences with their tags, and the words that are most similar to one."""

from textwrap import wrap
from typing import Any

from rich.segment import Segment
from rich.style import Style

from workbench.data.entity_tags import entities
from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows, render_gallery, to_pixels
from workbench.render.responses import BEST, MAX_BAR, bar, describe_unknown
from workbench.untrusted import printable

CORRECT, INCORRECT, ENTITY = Style(color="green"), Style(color="red", bold=True), Style(color="cyan", bold=True)
MAX_NAME = 20  # cells


def draw_tags(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render sentences with their predicted entities in brackets; below a wrong one, the true entities."""
    rows: Rows = []
    for sentence in answer["sentences"]:
        target = sentence["target"]
        is_correct = target is None or target == sentence["predicted"]
        sign = "" if target is None else "✓ " if is_correct else "✗ "
        style = CORRECT if is_correct else INCORRECT
        rows += _bracketed(sentence["words"], sentence["predicted"], sign, style, width)
        if not is_correct:
            rows += _bracketed(sentence["words"], target, "  true: ", QUIET, width)
    return [*describe_unknown(answer, width), *rows][:height]


def _bracketed(words: list[str], tags: list[str], start: str, style: Style, width: int) -> Rows:
    """Return the rows of a sentence, each entity as `[its words]TYPE`."""
    ends = {end: kind for kind, _, end in entities(tags)}
    starts = {first for _, first, _ in entities(tags)}
    inside = {k for _, first, end in entities(tags) for k in range(first, end)}
    rows: Rows = [[Segment(start, style)]]
    room = width - len(start)
    for k, word in enumerate(words):
        text = ("[" if k in starts else "") + printable(word) + (f"]{ends[k + 1]}" if k + 1 in ends else "")
        text = text[:width]
        if len(text) > room:
            rows.append([])
            room = width
        rows[-1].append(Segment(text + " " * (room > len(text)), ENTITY if k in inside else PLAIN))
        room -= len(text) + 1
    return rows


def draw_captions(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render numbered images, and below them their captions; a wrong one with a sentence that is true."""
    captions: Rows = []
    for k, image in enumerate(answer["images"], 1):
        is_correct = not image["references"] or image["caption"] in image["references"]
        sign = "" if not image["references"] else "✓ " if is_correct else "✗ "
        text = f"{k} {sign}{printable(' '.join(image['caption']))}"
        if not is_correct:
            text += f"  (true: {printable(' '.join(image['references'][0]))})"
        captions += [[Segment(line, CORRECT if is_correct else INCORRECT)] for line in wrap(text, width)]
    tiles = [(to_pixels(image["pixels"]), str(k), PLAIN) for k, image in enumerate(answer["images"], 1)]
    rows = render_gallery(tiles, width, max(3, height - len(captions) - 1), color)
    return [*rows, [], *captions]


def draw_neighbors(answer: dict[str, Any], width: int, height: int, color: bool) -> Rows:
    """Render words with a bar for the cosine similarity of each, below what was asked for."""
    rows: Rows = [[Segment(line, QUIET)] for line in wrap(printable(answer["question"]), width)]
    names = [printable(word) for word in answer["words"]][: max(1, height - len(rows))]
    left = min(max(map(len, names)), MAX_NAME)
    room = max(1, min(MAX_BAR, width - left - 10))
    for k, (name, cosine) in enumerate(zip(names, answer["cosines"], strict=False)):
        text = f"{name[:left]:<{left}} {bar(cosine, room)} {cosine:6.3f}"
        rows.append([Segment(text[:width], PLAIN if k else BEST)])
    return rows
