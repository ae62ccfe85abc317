"""The most probable next tokens of a text, as bars with the numbers by which they are picked."""

from textwrap import wrap
from typing import Any

from rich.segment import Segment

from workbench.render.canvas import PLAIN, QUIET
from workbench.render.halfblock import Rows
from workbench.render.responses import BEST, MAX_BAR, bar
from workbench.untrusted import printable_lines

MAX_LABEL = 20  # characters of a token
SIGNS = str.maketrans({" ": "␣", "\n": "↵", "\t": "⇥"})  # so that white space is visible


def draw_next_tokens(answer: dict[str, Any], width: int, height: int) -> Rows:
    """Render the end of the text so far, and a bar for each token, the most probable first."""
    lines = [part for line in printable_lines(answer["text"]).split("\n") for part in wrap(line, width) or [""]]
    count = min(len(answer["tokens"]), max(1, height - 3))
    rows: Rows = [[Segment(line)] for line in lines[-max(1, height - count - 1) :]]
    labels = [printable_lines(token.translate(SIGNS))[:MAX_LABEL] for token in answer["tokens"][:count]]
    left, digits = max(map(len, labels)), len(str(count))
    room = max(1, min(MAX_BAR, width - left - digits - 12))
    for place, (label, probability) in enumerate(zip(labels, answer["probabilities"], strict=False), 1):
        row = f"{place:>{digits}} {label:<{left}} {bar(probability, room)} {probability:6.1%}"
        rows.append([Segment(row[:width], BEST if place == 1 else PLAIN)])
    hint = f"pick=1 adds the first one; ␣ space, ↵ line break; temperature {answer['temperature']:g}"
    rows.append([Segment(hint[:width], QUIET)])
    return rows[:height]
