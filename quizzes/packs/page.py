"""One TOML file of a pack: its tables, asked for key by key, and all that is wrong with them, each at its line."""

import re
import tomllib
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quizzes.packs.lines import Path, places
from workbench.errors import unknown_name

LONGEST, LINE = 2000, 100  # characters of a text, and of a title
WORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
WORD_LENGTH = 60
AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")


@dataclass(frozen=True, order=True)
class Problem:
    """What is wrong in a pack, where (the line counts from 1), and what to do."""

    file: str
    line: int
    problem: str

    def shown(self) -> str:
        """One problem for reading: further lines, such as an equation with its caret, are moved in."""
        return f"{self.file}:{self.line}: " + self.problem.replace("\n", "\n    ")


class Page:
    """One file of a pack.

    Args:
        file: Its name within the pack.
        text: What it holds.
    """

    def __init__(self, file: str, text: str):
        self.file, self.text = file, text
        self.problems: list[Problem] = []
        self.table = Table(self, (), self._read())

    def report(self, sentence: str, line: int) -> None:
        """Note what is wrong on a line."""
        self.problems.append(Problem(self.file, line, sentence))

    @cached_property
    def places(self) -> dict[Path, int]:
        """The line of every table and key."""
        return places(self.text) if self.table.data else {(): 1}

    def _read(self) -> dict[str, Any]:
        lines = self.text.split("\n")
        try:
            return tomllib.loads(self.text)
        except RecursionError:
            deepest = max(range(len(lines)), key=lambda k: lines[k].count("[") + lines[k].count("{"))
            self.report("This is nested too deep to be read: write it flatter.", deepest + 1)
        except tomllib.TOMLDecodeError as error:
            sentence, at = str(error), AT.search(str(error))
            where = f", at column {at[2]}" if at and at[2] else ""
            line = int(at[1]) if at and at[1] else len(self.text.rstrip().split("\n"))
            said = sentence[: at.start()] if at else sentence
            self.report(
                f'This is no TOML: {said[:1].lower()}{said[1:]}{where}. Texts stand in " ", lists in [ ].', line
            )
        except ValueError:  # Python reads no whole number of thousands of digits
            longest = max(range(len(lines)), key=lambda k: sum(map(str.isdigit, lines[k])))
            self.report("A number here has thousands of digits: write a smaller one.", longest + 1)
        return {}


class Table:
    """A table of a page: a key that is read gives a value of the right kind, or an empty one and the problem is noted.

    Args:
        page: The page.
        path: Where it stands there.
        data: What `tomllib` read.
    """

    def __init__(self, page: Page, path: Path, data: dict[str, Any]):
        self.page, self.path, self.data = page, path, data
        self.keys: list[str] = []
        self.sound = True

    def report(self, sentence: str, *inside: str | int) -> None:
        """Note what is wrong with the table, or with what stands inside it."""
        self.sound = False
        path = (*self.path, *inside)
        while path not in self.page.places:
            path = path[:-1]
        self.page.report(sentence, self.page.places[path])

    def value(self, key: str, needed: bool = True, header: str = "") -> Any:
        """The value of a key, of whatever kind; None where it is missing. A table is written below a header."""
        self.keys.append(key)
        if needed and key not in self.data:
            self.report(f"{key} is missing: add a line {header or f'{key} = ...'}")
        return self.data.get(key)

    def rename(self, old: str, new: str) -> None:
        """Read a key that has a new name by its old one as well."""
        if old in self.data and new not in self.data:
            self.data[new] = self.data.pop(old)
            depth = len(self.path)
            for path, line in list(self.page.places.items()):
                if path[: depth + 1] == (*self.path, old):
                    self.page.places[(*self.path, new, *path[depth + 1 :])] = line

    def text(self, key: str, needed: bool = True) -> str:
        """A text that isn't empty."""
        value = self.value(key, needed)
        if key in self.data and (wrong := flaw(value)):
            self.report(f"{key} {wrong}.", key)
            return ""
        return value or ""

    def line(self, key: str) -> str:
        """A short text of one line, which may stand in lists and headings."""
        text = self.text(key)
        if "\n" in text or len(text) > LINE or set(text) & set("[]"):  # lists and headings may take [ ] for markup
            self.report(f"{key} is one line of up to {LINE} characters, without square brackets.", key)
        return text

    def word(self, key: str) -> str:
        """A name of small letters, digits and hyphens."""
        text = self.text(key)
        if text and (not WORD.fullmatch(text) or len(text) > WORD_LENGTH):
            self.report(
                f"{key} is a name of small letters, digits and hyphens, such as same-padding, "
                f"of up to {WORD_LENGTH} characters; this is {text[:WORD_LENGTH]!r}.",
                key,
            )
        return text

    def one_of(self, key: str, known: Collection[str], needed: bool = True) -> str:
        """One of the names that are known."""
        text = self.text(key, needed)
        if text and text not in known:
            self.report(str(unknown_name(key, text, list(known))), key)
            return ""
        return text

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number within bounds."""
        value = self.value(key, needed=default is None)
        if key not in self.data:
            return low if default is None else default
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            self.report(f"{key} is a whole number from {low} to {high}.", key)
            return low
        return value

    def texts(self, key: str, least: int = 1, most: int = 12) -> list[str]:
        """A list of texts that aren't empty."""
        value = self.value(key)
        if key not in self.data:
            return []
        if not isinstance(value, list) or not least <= len(value) <= most:
            self.report(f'{key} is a list of {least} to {most} texts, such as ["one", "another"].', key)
            return []
        for text in value:
            if wrong := flaw(text):
                self.report(f"A text of {key} {wrong}.", key)
        return value

    def tables(self, key: str, most: int, needed: bool = True) -> list["Table"]:
        """The tables of an array of tables, `[[key]]`."""
        header = f"[[{self.header(key)}]]"
        value = self.value(key, needed, header)
        if key not in self.data:
            return []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            self.report(f"{key} is a table of its own: begin each with a line {header}.", key)
            return []
        if len(value) > most:
            self.report(f"Up to {most} of {key} are read here, and there are {len(value)}: make several packs.", key)
            return []
        return [Table(self.page, (*self.path, key, k), one) for k, one in enumerate(value)]

    def header(self, key: str) -> str:
        """What stands in the brackets above a table that lies in this one."""
        return ".".join([*(str(part) for part in self.path if isinstance(part, str)), key])

    def close(self) -> None:
        """Refuse the keys that nobody has asked for."""
        for key in self.data:
            if key not in self.keys:
                self.report(str(unknown_name("key", key, self.keys)), key)


def flaw(value: Any) -> str:
    """What is wrong with a value that should be a text to be shown; empty where nothing is."""
    if not isinstance(value, str):
        return 'is a text: put it in " "'
    if not value.strip():
        return "is empty: write something"
    if len(value) > LONGEST:
        return f"has {len(value)} characters: write at most {LONGEST}"
    if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in value):
        return "has a control character, which a terminal would obey: leave it out"
    return ""
