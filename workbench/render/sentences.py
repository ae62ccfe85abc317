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


def draw_masked_words(
    selected: list[dict[str, Any]], everything: list[dict[str, Any]], width: int, height: int, color: bool
) -> Rows:
    """Render sentences, and below each the most probable words where it is masked."""
    rows: Rows = []
    for answer in selected:
        lines = [*describe_unknown(answer, width), *_masked_sentence(answer, width)]
        for number, blank in enumerate(answer["blanks"], 1):
            lines += _filled(number, blank, width) if "target" in blank else _candidates(number, blank, width)
        if "next" in answer:
            lines += _relation(answer["next"], width)
        rows += [*([[]] if rows else []), *lines]
    return rows[:height]


def _masked_sentence(answer: dict[str, Any], width: int) -> Rows:
    """Return the rows of a sentence, with the numbers of the words to predict."""
    numbers = {blank["position"]: f"({number})" for number, blank in enumerate(answer["blanks"], 1)}
    words = [printable(word) + numbers.get(k, "") for k, word in enumerate(answer["sentence"])]
    return [[Segment(line)] for line in wrap(" ".join(words), width)]


def _candidates(number: int, blank: dict[str, Any], width: int) -> Rows:
    """Return a bar for each of the most probable words of one place."""
    names = [printable(word) for word in blank["words"]]
    left = min(max(map(len, names)), MAX_NAME)
    room = max(1, min(MAX_BAR, width - left - 15))
    rows: Rows = []
    for k, (name, probability) in enumerate(zip(names, blank["probabilities"], strict=True)):
        text = f"{f'({number})' if k == 0 else '':>4} {name[:left]:<{left}} {bar(probability, room)} {probability:6.1%}"
        rows.append([Segment(text[:width], PLAIN if k else BEST)])
    return rows


def _filled(number: int, blank: dict[str, Any], width: int) -> Rows:
    """Return the most probable word of one place next to the true one."""
    word, target = printable(blank["words"][0]), printable(blank["target"])
    is_correct = word == target
    text = f"({number}) {'✓' if is_correct else '✗'} {word} {blank['probabilities'][0]:.0%}"
    text += "" if is_correct else f" (true: {target})"
    return [[Segment(text[:width], CORRECT if is_correct else INCORRECT)]]


def _relation(relation: dict[str, Any], width: int) -> Rows:
    """Return whether the second sentence follows the first, as predicted."""
    probability, target = relation["probability"], relation.get("target")
    is_correct = target is None or target == (probability > 0.5)
    sign = "" if target is None else "✓ " if is_correct else "✗ "
    text = f"{sign}The second sentence follows the first: {probability:.1%}"
    return [[Segment(text[:width], PLAIN if target is None else CORRECT if is_correct else INCORRECT)]]


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
