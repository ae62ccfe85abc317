"""The files of a pack, read as they lie there, whatever somebody has put into the folder."""

import re
from os.path import realpath
from pathlib import Path

from quizzes.packs.page import Page

LARGEST, ALL = 1_000_000, 4_000_000  # bytes of a file, and characters of a pack
WIDEST = 4000  # characters of a line: a key of many thousand dots would take tomllib minutes
MOST = 100  # files of cards, and of drills
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.toml")
KINDS = ("cards", "drills")


def pages(folder: Path) -> list[Page]:
    """Every file of a pack: `pack.toml`, then its cards and drills. What can't be read is a page with that problem."""
    found = [_page(folder, "pack.toml")]
    for kind in KINDS:
        files = sorted(file.name for file in (folder / kind).glob("*.toml"))
        if len(files) > MOST:
            found.append(_refused(kind, f"This folder has {len(files)} files, and up to {MOST} are read: join some."))
            continue
        for name in files:
            page = _page(folder, f"{kind}/{name}")
            found.append(page)
            if sum(len(one.text) for one in found) > ALL:
                return [_refused("pack.toml", "The pack is larger than 4 MB: make several packs of it.")]
    if len(found) == 1:
        found[0].report("The pack has no question: put cards into cards/TOPIC.toml, drills into drills/NAME.toml.", 1)
    return found


def _page(folder: Path, file: str) -> Page:
    path = folder / file
    if not NAME.fullmatch(path.name):
        shown = "".join(c if c.isprintable() else "?" for c in file)
        return _refused(shown, "Name the file with letters, digits and hyphens, such as padding.toml.")
    if not Path(realpath(path)).is_relative_to(realpath(folder)):  # Path.resolve fails on a link to itself
        return _refused(file, "This leads out of the pack's folder: put the file itself there.")
    if not path.is_file():
        return _refused(file, "There is no such file: a pack has its name and title in pack.toml.")
    try:
        with path.open("rb") as opened:
            data = opened.read(LARGEST + 1)
    except OSError as error:
        return _refused(file, f"This can't be read ({error.strerror}): allow reading it.")
    if len(data) > LARGEST:
        return _refused(file, "This is larger than 1 MB: make several files of it.")
    return _text(file, data)


def _text(file: str, data: bytes) -> Page:
    try:
        text = data.decode("utf-8-sig")  # some editors begin a file with a mark
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return _refused(file, "This is no text in UTF-8: save the file as UTF-8.", line)
    text = text.replace("\r\n", "\n")
    for number, line_text in enumerate(text.split("\n"), 1):
        if len(line_text) > WIDEST:
            return _refused(file, f"This line has {len(line_text)} characters, and up to {WIDEST} are read.", number)
    return Page(file, text)


def _refused(file: str, sentence: str, line: int = 1) -> Page:
    page = Page(file, "")
    page.report(sentence, line)
    return page
