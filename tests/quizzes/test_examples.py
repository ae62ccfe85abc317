"""No format hint and no error message of any drill or card reveals an answer by its example."""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from quizzes import bank, cards
from quizzes.answers import KINDS
from quizzes.expressions.parser import FormatError
from quizzes.marking import read_part
from quizzes.question import Part

SEEDS = range(3)
TYPED = ["?", "e", "x", "a", "zz, yy", "[1, [2]]", "[[1], [2, 3]]", "a=0", "sqrt(2)", "50%", "1.5x2", "a, a"]
EXACT = {
    "integer",
    "decimal",
    "expression",
    "choice",
    "text",
}  # a lone `a` or `2` in a sentence is not an example of these


def parts() -> Iterator[tuple[str, Part]]:
    """Yield every part of every drill and card for some seeds."""
    for item in [*bank.all_drills().values(), *cards.all_cards().values()]:
        for seed in SEEDS:
            for part in item.draw(seed).parts:
                yield f"{item.id} {seed} {part.part}", part


def sentences(part: Part) -> Iterator[str]:
    """Yield the hints on how to write the answer, before and after an unreadable one."""
    yield KINDS[part.kind].format_hint(part)
    for text in TYPED:
        try:
            read_part(part, text)
        except FormatError as error:
            sentence, _, labels = error.sentence.replace(repr(text), "").partition("choose among ")
            yield sentence
            with pytest.raises(FormatError):  # all labels in a row can't be read as an answer
                read_part(part, labels)


@cache
def values(sentence: str, kind: str, choices: tuple[str, ...], items: tuple[str, ...]) -> list[Any]:
    """Read any sequence of words of a sentence as an answer."""
    part, words, readings = Part("", kind, "", None, choices=[*choices], items=[*items]), sentence.split(), []
    for start, end in combinations(range(len(words) + 1), 2):
        with suppress(FormatError):
            readings.append(read_part(part, " ".join(words[start:end]).strip(" .,;:?")).value)
    return readings


def reveals(sentence: str, part: Part) -> bool:
    """Return whether a sentence contains the answer, or the reverse of an order."""
    correct = [part.answer, *([part.answer[::-1]] if part.kind in ("order", "sequence") else [])]
    readings = values(sentence, part.kind, tuple(part.choices), tuple(part.items))
    return any(KINDS[part.kind].score(value, answer, part) == 1 for value in readings for answer in correct)


def test_no_example_is_an_answer():
    problems = []
    for name, part in parts():
        if part.kind in EXACT:
            assert "such as" not in KINDS[part.kind].format_hint(part)
        else:
            problems += [f"{name}: {s!r} reveals {part.answer}" for s in sentences(part) if reveals(s, part)]
    assert problems == []


def test_an_example_would_be_found():
    part = Part("a", "order", "", ["a", "b", "d", "c"], choices=list("wxyz"))
    assert reveals("the letters in order, such as c, d, b, a", part) and reveals("as in abdc.", part)
    assert not reveals("the letters in order, such as a, c, b, d", part)
    assert reveals("a fraction such as 7/9", Part("f", "fraction", "", "7/9"))
    with pytest.raises(FormatError):
        read_part(part, "a, b")
