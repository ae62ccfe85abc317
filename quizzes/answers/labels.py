"""Answers made of labels: sequences, sets, choices and matches."""

import re
import unicodedata
from string import ascii_lowercase

from quizzes.answers.kind import Kind, Reading
from quizzes.answers.notation import ascii_notation
from quizzes.expressions.parser import LENGTH, FormatError, check_length
from quizzes.expressions.tree import Value
from quizzes.question import Answer, Part

LETTER = re.compile(r"^(?:option|answer|choice)?\s*\(?([a-z])[).:]*$")
# Pairs of a match: a=2, b=1; a2b1; a -> 2 and b -> 1.
PAIRS = re.compile(r"(?:[,;\s]|\band\b|&)+(?=[A-Za-z]\b|[A-Za-z][0-9])|(?<=[0-9])(?=[A-Za-z])")
PAIR = re.compile(r"\(?([A-Za-z])[).]?\s*(?:=|:|[-=]+>|-|→|is)?\s*([0-9]{1,2})\s*[,;.]?", re.ASCII)
SEPARATORS = r"\s*(?:,|;|[-=]*>|→|&|\s(?:and|then)\s|\s)\s*"


def split_labels(text: str, labels: list[str]) -> list[str]:
    """Split an answer into words at commas, semicolons, arrows, spaces or `and`; brackets around it are dropped.

    Hyphens separate, too, if no label has one.
    """
    check_length(text)
    inside = ascii_notation(text).strip().strip("[](){}")
    hyphen = "" if any("-" in label for label in labels) else "|\\s*-\\s*"
    return [word for word in re.split(SEPARATORS + hyphen, inside) if word]


def read_labels(words: list[str], labels: list[str], text: str) -> list[str]:
    """Return the labels that words name, spelled as in the question; case doesn't matter.

    If every label is one character, a word may be several of them: `dcba`.
    """
    by_fold = {label.casefold(): label for label in labels}
    are_characters = all(len(fold) == 1 for fold in by_fold)
    result = []
    for word in words:
        fold = word.casefold()
        is_joined = are_characters and all(letter in by_fold for letter in fold)
        if fold not in by_fold and not is_joined:
            at = max(0, text.find(word))
            raise FormatError(f"there is no {word[:30]!r} here: choose among {_enumerate(labels)}", text, at)
        result += [by_fold[letter] for letter in fold] if is_joined else [by_fold[fold]]
    return result


def _enumerate(labels: list[str]) -> str:
    """List labels in words that can't be read as an answer."""
    return " or ".join(filter(None, [", ".join(labels[:-1]), labels[-1]])) if labels else "none"


def check_unique(words: list[str], text: str) -> list[str]:
    for word in words:
        if words.count(word) > 1:
            raise FormatError(f"{word!r} appears twice", text, max(0, text.rfind(word)))
    return words


def letters(choices: list[str]) -> list[str]:
    """Return the letters of choices: a, b, c, ..."""
    return list(ascii_lowercase[: len(choices)])


def letter_of(value: Value, part: Part) -> str:
    """Return the letter of the choice that has a value in equations and checks."""
    return letters(part.choices)[part.choice_values.index(value)]


class Sequence(Kind):
    """Labels in order; the score is the longest common subsequence as a share of the longer of the two answers.

    A label may be repeated only if the correct answer repeats one, as the tags of a sentence do.
    """

    expected_format = "labels in order, separated by commas"

    def read(self, text: str, part: Part) -> Reading:
        words = read_labels(split_labels(text, part.choices), part.choices, text)
        if not part.answer or len(set(part.answer)) == len(part.answer):
            check_unique(words, text)
        if not words:
            raise FormatError("this is empty: enter an answer", text, 0)
        return Reading(words, ", ".join(words))

    def score(self, value: list[str], expected: Answer, part: Part) -> float:
        if keeps_all(value, expected, part):
            return 0.0
        return _common_length(value, expected) / max(len(value), len(expected))

    def format_answer(self, value: Answer, part: Part) -> str:
        return ", ".join(value)

    def to_json(self, value: Value) -> Answer:
        return list(value)


def keeps_all(value: list[str], expected: Answer, part: Part) -> bool:
    """Return whether an answer names every label where some don't belong, so that it decides nothing.

    In NMS, these are all boxes, none of them suppressed.
    """
    return set(expected) < set(part.choices) == set(value) and len(set(value)) == len(value) > 1


def _common_length(a: list[str], b: list[str]) -> int:
    """Return the length of the longest common subsequence."""
    row = [0] * (len(b) + 1)
    for x in a:
        above, row = row, [0]
        for k, y in enumerate(b):
            row.append(above[k] + 1 if x == y else max(above[k + 1], row[k]))
    return row[-1]


class Set(Sequence):
    """Labels in any order; the score is the intersection over the union of the two sets."""

    expected_format = "labels in any order, separated by commas"

    def score(self, value: list[str], expected: Answer, part: Part) -> float:
        if keeps_all(value, expected, part):
            return 0.0
        return len(set(value) & set(expected)) / len(set(value) | set(expected))


class Choice(Kind):
    """One of several choices, by its letter or its text."""

    def format_hint(self, part: Part) -> str:
        return f"a letter, a to {letters(part.choices)[-1]}"

    def read(self, text: str, part: Part) -> Reading:
        letter = self._letter(text.strip(), part, text)
        return Reading(letter, f"{letter}) {part.choices[letters(part.choices).index(letter)]}")

    def _letter(self, word: str, part: Part, text: str) -> str:
        for letter, choice in zip(letters(part.choices), part.choices, strict=True):
            if LETTER.sub(r"\1", word.casefold()) == letter or _fold(word) == _fold(choice):
                return letter
        raise FormatError(f"answer with {self.format_hint(part)}", text[:LENGTH], 0)

    def answer(self, value: Value, part: Part) -> Answer:
        return letter_of(value, part)

    def equation_value(self, value: Value, part: Part) -> Value:
        return part.choice_values[letters(part.choices).index(value)] if part.choice_values else value


class Choices(Choice):
    """Several of several choices; an incorrect one cancels a correct one."""

    def format_hint(self, part: Part) -> str:
        return "every correct letter, separated by commas"

    @staticmethod
    def letters_in(text: str, part: Part) -> list[str]:
        """Return the letters that an answer names, in its order: `a, c`, `ca`, `a) and c)`."""
        labels = letters(part.choices)
        return read_labels([word.strip("().") for word in split_labels(text, labels)], labels, text)

    def read(self, text: str, part: Part) -> Reading:
        selection = sorted(check_unique(self.letters_in(text, part), text))
        if not selection:
            raise FormatError("this is empty: enter an answer", text, 0)
        return Reading(selection, ", ".join(selection))

    def score(self, value: list[str], expected: Answer, part: Part) -> float:
        correct, incorrect = len(set(value) & set(expected)), len(set(value) - set(expected))
        return max(0, correct - incorrect) / len(expected)

    def format_answer(self, value: Answer, part: Part) -> str:
        return ", ".join(value)

    def answer(self, value: Value, part: Part) -> Answer:
        return sorted(letter_of(key, part) for key in value)

    def equation_value(self, value: Value, part: Part) -> Value:
        return value


class Match(Kind):
    """Every item on the left with the number of its partner on the right; each correct pair earns credit."""

    expected_format = "pairs letter=number, separated by commas"

    def read(self, text: str, part: Part) -> Reading:
        check_length(text)
        pairs: dict[str, int] = {}
        for piece in PAIRS.split(ascii_notation(text).strip()):
            match = PAIR.fullmatch(piece)
            at = max(0, text.find(piece))
            if not match:
                raise FormatError(f"write {self.expected_format}", text, at)
            letter, number = match[1].lower(), int(match[2])
            read_labels([letter], letters(part.items), text)
            if not 1 <= number <= len(part.choices):
                raise FormatError(f"there is no {number}: the numbers are 1 to {len(part.choices)}", text, at)
            if letter in pairs:
                raise FormatError(f"{letter!r} appears twice", text, at)
            pairs[letter] = number
        if len(pairs) != len(part.items):
            raise FormatError(f"match all of {', '.join(letters(part.items))}", text, 0)
        pairs = dict(sorted(pairs.items()))
        return Reading(pairs, self.format_answer(pairs, part))

    def score(self, value: dict[str, int], expected: Answer, part: Part) -> float:
        return float(sum(value[k] == expected[k] for k in expected) / len(expected))

    def answer(self, value: Value, part: Part) -> Answer:
        numbers = {name: k for k, name in enumerate(part.choice_values, 1)}
        return {c: numbers[value[item]] for c, item in zip(letters(part.items), part.item_values, strict=True)}

    def format_answer(self, value: Answer, part: Part) -> str:
        return ", ".join(f"{k}={v}" for k, v in value.items())


def _fold(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).rstrip(".").casefold()
