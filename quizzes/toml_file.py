"""A TOML file of cards, or of a pack: its tables, whose methods check what they return, and its problems by line."""

import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from quizzes.text_checks import identifier_problem, integer_problem, text_problem
from quizzes.toml_lines import KeyPath, line_numbers
from workbench.errors import unknown_name

MAX_SHORT_TEXT = 100  # characters
POSITION = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)")  # at the end of tomllib's messages


@dataclass(frozen=True, order=True)
class Problem:
    """A problem of a file.

    Attributes:
        file: The file's name.
        line: The line, counted from 1.
        message: What is wrong and what to do.
    """

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        """Return the problem with its place. Further lines, such as an equation with a caret, are indented."""
        return f"{self.file}:{self.line}: " + self.message.replace("\n", "\n    ")


class TomlFile:
    """A file.

    Args:
        name: Its name for messages: the path, of a pack within the pack, such as `drills/sizes.toml`.
        text: Its content.

    Attributes:
        problems: The problems so far.
        root: The table of its top-level keys; empty if the text is not valid TOML.
    """

    def __init__(self, name: str, text: str):
        self.name, self.text = name, text
        self.problems: list[Problem] = []
        self.root = Table(self, (), self._parse())

    def report(self, message: str, line: int) -> None:
        """Add a problem."""
        self.problems.append(Problem(self.name, line, message))

    @cached_property
    def line_numbers(self) -> dict[KeyPath, int]:
        """The line of every table and key."""
        return line_numbers(self.text) if self.root.data else {(): 1}

    def _parse(self) -> dict[str, Any]:
        lines = self.text.split("\n")
        try:
            return tomllib.loads(self.text)
        except RecursionError:
            deepest = max(range(len(lines)), key=lambda k: lines[k].count("[") + lines[k].count("{"))
            self.report("Brackets are nested too deep. Use fewer levels.", deepest + 1)
        except tomllib.TOMLDecodeError as error:
            message, position = str(error), POSITION.search(str(error))
            message = message[: position.start()] if position else message
            column = f", at column {position[2]}" if position and position[2] else ""
            line = int(position[1]) if position and position[1] else len(self.text.rstrip().split("\n"))
            self.report(
                f"This is not valid TOML: {message[:1].lower()}{message[1:]}{column}. "
                "Write texts in double quotes and lists in square brackets.",
                line,
            )
        except ValueError:  # Python reads no integer with thousands of digits
            longest = max(range(len(lines)), key=lambda k: sum(map(str.isdigit, lines[k])))
            self.report("A number on this line has thousands of digits. Write a smaller one.", longest + 1)
        return {}


class Table:
    """A table of a file. A method that reads a key reports a problem and returns an empty value if it is not valid.

    Args:
        file: The file.
        path: The table's path in the file.
        data: Its content, from `tomllib`.

    Attributes:
        expected_keys: The keys that were read so far.
        is_valid: Whether no problem of the table was reported.
    """

    def __init__(self, file: TomlFile, path: KeyPath, data: dict[str, Any]):
        self.file, self.path, self.data = file, path, data
        self.expected_keys: list[str] = []
        self.is_valid = True

    def report(self, message: str, *path: str | int) -> None:
        """Report a problem of the table, or of the key at a path inside it."""
        self.is_valid = False
        self.file.report(message, self.line(*path))

    def line(self, *path: str | int) -> int:
        """Return the line of the table, or of the key at a path inside it."""
        place = (*self.path, *path)
        while place not in self.file.line_numbers:
            place = place[:-1]
        return self.file.line_numbers[place]

    def value(self, key: str, required: bool = True, header: str = "") -> object:
        """Return the value of a key, of any type; None if it is missing.

        Args:
            key: The key.
            required: Whether a missing key is a problem.
            header: The line to add if the key is missing; empty for `key = ...`.
        """
        self.expected_keys.append(key)
        if required and key not in self.data:
            self.report(f"{key} is missing. Add a line {header or f'{key} = ...'}")
        return self.data.get(key)

    def rename(self, old: str, new: str) -> None:
        """Rename a key that has its former name. Problems of the new key are reported on the line of the old one."""
        if old in self.data and new not in self.data:
            self.data[new] = self.data.pop(old)
            lines, prefix = self.file.line_numbers, (*self.path, old)
            for path in [path for path in lines if path[: len(prefix)] == prefix]:
                lines[(*self.path, new, *path[len(prefix) :])] = lines[path]

    def text(self, key: str, required: bool = True) -> str:
        """Return a text that is not blank."""
        value = self.value(key, required)
        if key not in self.data:
            return ""
        if problem := text_problem(value):
            self.report(f"{key} {problem}.", key)
            return ""
        return str(value)

    def short_text(self, key: str) -> str:
        """Return a text of one line for lists and headings, which may read square brackets as markup."""
        text = self.text(key)
        if "\n" in text or len(text) > MAX_SHORT_TEXT or set(text) & set("[]"):
            message = f"{key} must be one line of at most {MAX_SHORT_TEXT} characters, without square brackets."
            self.report(message, key)
        return text

    def identifier(self, key: str) -> str:
        """Return a name of lowercase letters, digits and hyphens."""
        text = self.text(key)
        if text and (problem := identifier_problem(text)):
            self.report(f"{key} {problem}.", key)
        return text

    def one_of(self, key: str, options: Collection[str], required: bool = True) -> str:
        """Return a text that is one of the options."""
        text = self.text(key, required)
        if text and text not in options:
            self.report(str(unknown_name(key, text, options)), key)
            return ""
        return text

    def integer(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """Return an integer from low to high. The key is required if there is no default."""
        value = self.value(key, required=default is None)
        if key not in self.data:
            return low if default is None else default
        if problem := integer_problem(value, low, high):
            self.report(f"{key} {problem}.", key)
            return low
        return value if isinstance(value, int) else low

    def text_list(self, key: str, min_length: int = 1, max_length: int = 12) -> list[str]:
        """Return a list of texts that are not blank."""
        value = self.value(key)
        if key not in self.data:
            return []
        if not isinstance(value, list) or not min_length <= len(value) <= max_length:
            self.report(f'{key} must be a list of {min_length} to {max_length} texts, such as ["one", "two"].', key)
            return []
        for text in value:
            if problem := text_problem(text):
                self.report(f"Each item of {key} {problem}.", key)
        return value

    def tables(self, key: str, max_count: int) -> list["Table"]:
        """Return the tables of an array of tables, `[[key]]`."""
        header = f"[[{self.header(key)}]]"
        value = self.value(key, header=header)
        if key not in self.data:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.report(f"{key} must be a table. Begin each {key} with a line {header}.", key)
            return []
        if len(value) > max_count:
            self.report(
                f"There are {len(value)} tables {header}, and the limit is {max_count}. "
                "Remove some, or move them to another file.",
                key,
            )
            return []
        return [Table(self.file, (*self.path, key, k), item) for k, item in enumerate(value)]

    def header(self, key: str) -> str:
        """Return the text between the brackets of the header of a table inside this one, such as `drill.ranges`."""
        return ".".join([*(part for part in self.path if isinstance(part, str)), key])

    def report_unknown_keys(self) -> None:
        """Report each key that was not read."""
        for key in self.data:
            if key not in self.expected_keys:
                self.report(str(unknown_name("key", key, self.expected_keys)), key)
