"""What a person at the terminal would see, read from the picture that the app exports of itself."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from html import unescape

from textual.pilot import Pilot
from textual.worker import WorkerCancelled

from tests.patience import PATIENCE

CELL, LINE, TOP = 12.2, 24.4, 1.5  # of the picture: width of a cell, height of a row, and where the first begins
STYLE = re.compile(r"-(r\d+) \{ ([^}]*) \}")
TEXT = re.compile(r'<text class="\S+-(r\d+)" x="([\d.]+)" [^>]*-line-(\d+)\)">([^<\n]*)</text>')
GROUND = re.compile(r'<rect fill="(#\w{6})" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)"')

Cell = tuple[str, str, str]  # the character, its style as CSS, and the color behind it


def cells(pilot: Pilot) -> list[list[Cell]]:
    """The screen, row by row."""
    width, height = pilot.app.size
    rows: list[list[Cell]] = [[(" ", "", "")] * width for _ in range(height)]
    svg = pilot.app.export_screenshot()
    styles = dict(STYLE.findall(svg))
    for color, x, y, wide in GROUND.findall(svg):
        row, first = rows[round((float(y) - TOP) / LINE)], round(float(x) / CELL)
        for column in range(first, first + round(float(wide) / CELL)):
            row[column] = (" ", "", color)
    for style, x, line, text in TEXT.findall(svg):
        row, first = rows[int(line)], round(float(x) / CELL)
        for column, character in enumerate(unescape(text), first):
            row[column] = (character.replace("\xa0", " "), styles[style], row[column][2])
    return rows


def shown(pilot: Pilot) -> str:
    """The screen as text."""
    return "\n".join("".join(character for character, _, _ in row) for row in cells(pilot))


def colored(pilot: Pilot) -> str:
    """The screen with its colors, as a terminal shows it."""
    lines = []
    for row in cells(pilot):
        line, before = "", ("", "no color")
        for character, style, ground in row:
            now = (before[0] if character == " " else style, ground)  # of a blank only what is behind it is seen
            line += character if now == before else _sgr(*now) + character
            before = now
        lines.append(f"{line}\x1b[0m\n")
    return "".join(lines)


def _sgr(style: str, ground: str) -> str:
    """The escape sequence for a style and the color behind it."""
    codes = ["0"]
    for word, code in (("bold", "1"), ("italic", "3"), ("underline", "4"), ("line-through", "9")):
        codes += [code] * (word in style)
    if color := re.search(r"fill: #(\w{6})", style):
        codes += ["38;2", *(str(part) for part in bytes.fromhex(color[1]))]
    if ground:
        codes += ["48;2", *(str(part) for part in bytes.fromhex(ground[1:]))]
    return f"\x1b[{';'.join(codes)}m"


async def settled(pilot: Pilot) -> None:
    """Wait until background work is done and drawn."""
    while pilot.app.workers:
        with suppress(WorkerCancelled):  # by the next of its kind, which is waited for then
            await pilot.app.workers.wait_for_complete()
            break
        await pilot.pause()
    await pilot.pause()


async def until(pilot: Pilot, reached: Callable[[], object]) -> None:
    """Wait until something is so, and drawn."""
    late = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < late, f"it did not get there:\n{shown(pilot)}"
        await pilot.pause()
    await pilot.pause()
