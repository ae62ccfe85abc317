"""Answers made of labels: sequences, sets, choices, orders, matches, and words."""

import re
import unicodedata
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.question import Part
from quizzes.reading import LENGTH, FormatError


def _words(text: str) -> list[str]:
    """The labels of an answer, separated by commas, semicolons, arrows or spaces, with or without brackets around."""
    if len(text) > LENGTH:
        raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
    inside = text.strip().strip("[](){}")
    return [word for word in re.split(r"\s*(?:,|;|->|→|\s)\s*", inside) if word]


def _known(words: list[str], labels: list[str], text: str) -> list[str]:
    """The labels as the question writes them; small and capital letters are the same."""
    by_fold = {label.casefold(): label for label in labels}
    for word in words:
        if word.casefold() not in by_fold:
            offer = ", ".join(labels) if labels else "none"
            raise FormatError(f"there is no {word[:30]!r} here: choose among {offer}", text, max(0, text.find(word)))
    return [by_fold[word.casefold()] for word in words]


def _once(words: list[str], text: str) -> list[str]:
    for word in words:
        if words.count(word) > 1:
            raise FormatError(f"{word!r} stands there twice", text, max(0, text.rfind(word)))
    return words


def letters(choices: list[str]) -> list[str]:
    """The letters that stand before the choices: a, b, c ..."""
    return list(ascii_lowercase[: len(choices)])


class Sequence(Kind):
    """Labels in order; the score is the longest part in right order over the longer of the two."""

    wanted = "labels in order, such as A, C, B"

    def read(self, text: str, part: Part) -> Reading:
        words = _once(_known(_words(text), part.choices, text), text)
        if not words:
            raise FormatError("there is no answer here yet", text, 0)
        return Reading(words, ", ".join(words))

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        return _common(value, truth) / max(len(value), len(truth))

    def write(self, value: Any, part: Part) -> str:
        return ", ".join(value)

    def plain(self, value: Any) -> list[str]:
        return list(value)


def _common(a: list[str], b: list[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for k, y in enumerate(b):
            row.append(above[k] + 1 if x == y else max(above[k + 1], row[k]))
    return row[-1]


class Set(Sequence):
    """Labels in any order; the score is what the two sets share over all that stands in either."""

    wanted = "labels in any order, such as A, C"

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        return len(set(value) & set(truth)) / len(set(value) | set(truth))


class Choice(Kind):
    """One of several, by its letter or by its text."""

    def ask(self, part: Part) -> str:
        return f"a letter, a to {letters(part.choices)[-1]}"

    def read(self, text: str, part: Part) -> Reading:
        letter = self._letter(text.strip(), part, text)
        return Reading(letter, f"{letter}) {part.choices[letters(part.choices).index(letter)]}")

    def _letter(self, word: str, part: Part, text: str) -> str:
        for letter, choice in zip(letters(part.choices), part.choices, strict=True):
            if word.casefold().rstrip(").") == letter or _fold(word) == _fold(choice):
                return letter
        raise FormatError(f"answer with {self.ask(part)}", text[:LENGTH], 0)


class Choices(Choice):
    """Several of several: each right one counts, each wrong one takes one away."""

    def ask(self, part: Part) -> str:
        return f"every right letter, such as a, {letters(part.choices)[-1]}"

    def read(self, text: str, part: Part) -> Reading:
        words = [word.rstrip(").") for word in _words(text)]
        picked = sorted(_once(_known(words, letters(part.choices), text), text))
        if not picked:
            raise FormatError("there is no answer here yet", text, 0)
        return Reading(picked, ", ".join(picked))

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        right, wrong = len(set(value) & set(truth)), len(set(value) - set(truth))
        return max(0, right - wrong) / len(truth)

    def write(self, value: Any, part: Part) -> str:
        return ", ".join(value)


class Order(Choices):
    """All items in their order, by letter; the score is the share that follows directly upon its right predecessor."""

    def ask(self, part: Part) -> str:
        return f"the letters in order, such as {', '.join(reversed(letters(part.choices)))}"

    def read(self, text: str, part: Part) -> Reading:
        words = [word.rstrip(").") for word in _words(text)]
        placed = _once(_known(words, letters(part.choices), text), text)
        if len(placed) != len(part.choices):
            raise FormatError(
                f"put all {len(part.choices)} letters in order, such as {', '.join(letters(part.choices))}", text, 0
            )
        return Reading(placed, ", ".join(placed))

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        pairs = set(pairwise(truth))
        return len(pairs & set(pairwise(value))) / len(pairs)


class Match(Kind):
    """Every item on the left with its number on the right; each right pair earns its share."""

    wanted = "pairs such as a=2, b=1"

    def read(self, text: str, part: Part) -> Reading:
        if len(text) > LENGTH:
            raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
        pairs: dict[str, int] = {}
        for piece in re.split(r"[,;\s]+(?=[A-Za-z])", text.strip()):
            match = re.fullmatch(r"([A-Za-z])\s*(?:=|:|-|->)?\s*([0-9]{1,2})\s*[,;]?", piece, re.ASCII)
            at = max(0, text.find(piece))
            if not match:
                raise FormatError("write pairs such as a=2, b=1", text, at)
            letter, number = match[1].lower(), int(match[2])
            _known([letter], letters(part.items), text)
            if not 1 <= number <= len(part.choices):
                raise FormatError(f"there is no {number}: the numbers go from 1 to {len(part.choices)}", text, at)
            if letter in pairs:
                raise FormatError(f"{letter!r} stands there twice", text, at)
            pairs[letter] = number
        if len(pairs) != len(part.items):
            raise FormatError(f"match all of {', '.join(letters(part.items))}", text, 0)
        return Reading(dict(sorted(pairs.items())), self.write(dict(sorted(pairs.items())), part))

    def score(self, value: dict[str, int], truth: dict[str, int], part: Part) -> float:
        return sum(value[k] == truth[k] for k in truth) / len(truth)

    def write(self, value: Any, part: Part) -> str:
        return ", ".join(f"{k}={v}" for k, v in value.items())


class Text(Kind):
    """A word or two; `others` of the part are accepted as well. Case, hyphens and spaces don't count."""

    wanted = "a word or two"

    def read(self, text: str, part: Part) -> Reading:
        if len(text) > LENGTH:
            raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
        if not _fold(text):
            raise FormatError("there is no answer here yet", text, 0)
        return Reading(text.strip(), text.strip())

    def score(self, value: str, truth: str, part: Part) -> float:
        return float(_fold(value) == _fold(truth))


def _fold(text: str) -> str:
    # A hyphen joins two letters; before a number it is a minus, and a point before one is no full stop.
    joined = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])|[\s_]+", " ", unicodedata.normalize("NFC", text))
    return joined.strip().rstrip(".").casefold()
