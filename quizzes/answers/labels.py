"""Answers made of labels: sequences, sets, choices, orders, matches, and words."""

import re
import unicodedata
from fractions import Fraction
from itertools import pairwise
from string import ascii_lowercase
from typing import Any

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.numbers import read_number
from quizzes.expressions.parser import LENGTH, FormatError
from quizzes.question import Part
from workbench.errors import UserError

ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
)
TENS = "thirty forty fifty sixty seventy eighty ninety"
WORDS = {word: n for n, word in enumerate(ONES.split())} | {word: n * 10 for n, word in enumerate(TENS.split(), 3)}
PARTS = {"half": 2, "halves": 2, "third": 3, "quarter": 4, "fourth": 4, "fifth": 5, "eighth": 8, "tenth": 10}
PARTS |= {f"{part}s": n for part, n in PARTS.items() if n > 2} | {"hundredth": 100, "hundredths": 100}


def _words(text: str) -> list[str]:
    """The labels of an answer, separated by commas, semicolons, arrows or spaces, with or without brackets around."""
    if len(text) > LENGTH:
        raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
    inside = text.strip().strip("[](){}")
    return [word for word in re.split(r"\s*(?:,|;|->|→|\s)\s*", inside) if word]


def _known(words: list[str], labels: list[str], text: str) -> list[str]:
    """The labels as the question writes them; small and capital letters are the same.

    Labels that all have one character may stand without anything between them: `dcba`.
    """
    by_fold = {label.casefold(): label for label in labels}
    single = all(len(fold) == 1 for fold in by_fold)
    found = []
    for word in words:
        fold = word.casefold()
        joined = single and all(letter in by_fold for letter in fold)
        if fold not in by_fold and not joined:
            at = max(0, text.find(word))
            raise FormatError(f"there is no {word[:30]!r} here: choose among {_all_of(labels)}", text, at)
        found += [by_fold[letter] for letter in fold] if joined else [by_fold[fold]]
    return found


def _all_of(labels: list[str]) -> str:
    """What there is to choose, in words that can't be taken for an answer."""
    return " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]])) if labels else "none"


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

    expected_format = "labels in order, with commas between"

    def read(self, text: str, part: Part) -> Reading:
        words = _once(_known(_words(text), part.choices, text), text)
        if not words:
            raise FormatError("there is no answer here yet", text, 0)
        return Reading(words, ", ".join(words))

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        return _common(value, truth) / max(len(value), len(truth))

    def write(self, value: Any, part: Part) -> str:
        return ", ".join(value)

    def to_json(self, value: Any) -> list[str]:
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

    expected_format = "labels in any order, with commas between"

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        return len(set(value) & set(truth)) / len(set(value) | set(truth))


class Choice(Kind):
    """One of several, by its letter or by its text."""

    def format_hint(self, part: Part) -> str:
        return f"a letter, a to {letters(part.choices)[-1]}"

    def read(self, text: str, part: Part) -> Reading:
        letter = self._letter(text.strip(), part, text)
        return Reading(letter, f"{letter}) {part.choices[letters(part.choices).index(letter)]}")

    def _letter(self, word: str, part: Part, text: str) -> str:
        for letter, choice in zip(letters(part.choices), part.choices, strict=True):
            if word.casefold().rstrip(").") == letter or _fold(word) == _fold(choice):
                return letter
        raise FormatError(f"answer with {self.format_hint(part)}", text[:LENGTH], 0)


class Choices(Choice):
    """Several of several: each right one counts, each wrong one takes one away."""

    def format_hint(self, part: Part) -> str:
        return "every right letter, with commas between"

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

    def format_hint(self, part: Part) -> str:
        return "every letter once, first to last"

    def read(self, text: str, part: Part) -> Reading:
        words = [word.rstrip(").") for word in _words(text)]
        placed = _once(_known(words, letters(part.choices), text), text)
        if len(placed) != len(part.choices):
            raise FormatError(f"put all {len(part.choices)} letters in order, each of them once", text, 0)
        return Reading(placed, ", ".join(placed))

    def score(self, value: list[str], truth: list[str], part: Part) -> float:
        pairs = set(pairwise(truth))
        return len(pairs & set(pairwise(value))) / len(pairs)


class Match(Kind):
    """Every item on the left with its number on the right; each right pair earns its share."""

    expected_format = "pairs letter=number, with commas between"

    def read(self, text: str, part: Part) -> Reading:
        if len(text) > LENGTH:
            raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
        pairs: dict[str, int] = {}
        for piece in re.split(r"[,;\s]+(?=[A-Za-z])", text.strip()):
            match = re.fullmatch(r"([A-Za-z])\s*(?:=|:|-|->)?\s*([0-9]{1,2})\s*[,;]?", piece, re.ASCII)
            at = max(0, text.find(piece))
            if not match:
                raise FormatError("write pairs letter=number, with commas between", text, at)
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
    """A word or two; `others` of the part are accepted as well. Case, hyphens and spaces don't count.

    Where a number is accepted, so is every way to write it: `0.90`, `9/10`, `90%`, `nine tenths` and `beta1 = 0.9`.
    """

    expected_format = "a word or two"

    def format_hint(self, part: Part) -> str:
        return self.expected_format if parse_number(part.answer) is None else "a number"

    def read(self, text: str, part: Part) -> Reading:
        if len(text) > LENGTH:
            raise FormatError(f"this has {len(text)} characters: up to {LENGTH} are read")
        if not _fold(text):
            raise FormatError("there is no answer here yet", text, 0)
        if (
            parse_number(part.answer) is not None
            and parse_number(text) is None
            and re.fullmatch(r"\s*-?\d+,\d+\s*", text, re.ASCII)
        ):
            read_number(text)  # refuses the comma, and asks which number is meant
        return Reading(text.strip(), text.strip())

    def score(self, value: str, truth: str, part: Part) -> float:
        return float(_fold(value) == _fold(truth) or _same_number(value, truth))


def _same_number(text: str, truth: str) -> bool:
    number = parse_number(truth)
    if number is None or parse_number(text) != number:
        return False
    return "%" not in text or "%" in truth or number != int(number)  # nobody counts layers in percent


def parse_number(text: str) -> Any:
    """The number that a text is, in words or digits, alone or behind a name and an equals sign; or None."""
    text = re.sub(r"^\s*[^\W\d][\w ]*=", "", text).strip()
    words = _fold(text).split()
    if words and words[-1] in PARTS and len(words) <= 2:
        count = {"a": 1, "an": 1}.get(words[0]) or (WORDS.get(words[0]) if len(words) == 2 else words[0] == "half")
        return Fraction(count, PARTS[words[-1]]) if count else None
    if words and all(word in WORDS for word in words):
        tens, *ones = (WORDS[word] for word in words)
        return tens + sum(ones) if not ones or (tens >= 20 and len(ones) == 1 and 0 < ones[0] < 10) else None
    if not any(map(str.isdigit, text)):  # a constant's name, such as e, is a word here
        return None
    if re.fullmatch(r"\d{1,3}(,\d{3})+", text, re.ASCII):
        text = text.replace(",", "")
    share = text.endswith("%")
    try:
        value, _ = read_number(text.removesuffix("%").rstrip("."))
    except UserError:
        return None
    return Fraction(value) / 100 if share else value


def _fold(text: str) -> str:
    # A hyphen joins two letters; before a number it is a minus, and a point before one is no full stop.
    joined = re.sub(r"(?<=[^\W\d])-(?=[^\W\d])|[\s_]+", " ", unicodedata.normalize("NFC", text))
    return joined.strip().rstrip(".").casefold()
