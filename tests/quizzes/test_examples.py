"""No prompt and no refusal of the whole bank gives an answer away by its example."""

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
}  # a plain `a` or `2` in a sentence is no example of these


def parts() -> Iterator[tuple[str, Part]]:
    """Every part of every drill and card, as some seeds have it."""
    for item in [*bank.all_drills().values(), *cards.all_cards().values()]:
        for seed in SEEDS:
            for part in item.draw(seed).parts:
                yield f"{item.id} {seed} {part.part}", part


def sentences(part: Part) -> Iterator[str]:
    """What is said of how to write the answer, before and after something that isn't one."""
    yield KINDS[part.kind].format_hint(part)
    for text in TYPED:
        try:
            read_part(part, text)
        except FormatError as refused:
            said, _, offered = refused.sentence.replace(repr(text), "").partition("choose among ")
            yield said
            with pytest.raises(FormatError):  # all labels in a row are no answer either
                read_part(part, offered)


@cache
def values(sentence: str, kind: str, choices: tuple[str, ...], items: tuple[str, ...]) -> list[Any]:
    """What any run of the words of a sentence would be read as."""
    part, words, found = Part("", kind, "", None, choices=[*choices], items=[*items]), sentence.split(), []
    for start, end in combinations(range(len(words) + 1), 2):
        with suppress(FormatError):
            found.append(read_part(part, " ".join(words[start:end]).strip(" .,;:?")).value)
    return found


def gives(sentence: str, part: Part) -> bool:
    """Whether an answer stands in a sentence, or an order read backward."""
    truths = [part.answer, *([part.answer[::-1]] if part.kind in ("order", "sequence") else [])]
    readings = values(sentence, part.kind, tuple(part.choices), tuple(part.items))
    return any(KINDS[part.kind].score(value, truth, part) == 1 for value in readings for truth in truths)


def test_no_example_is_an_answer():
    found = []
    for name, part in parts():
        if part.kind in EXACT:
            assert "such as" not in KINDS[part.kind].format_hint(part)
        else:
            found += [f"{name}: {said!r} gives {part.answer}" for said in sentences(part) if gives(said, part)]
    assert found == []


def test_an_example_would_be_found():
    part = Part("a", "order", "", ["a", "b", "d", "c"], choices=list("wxyz"))
    assert gives("the letters in order, such as c, d, b, a", part) and gives("as in abdc.", part)
    assert not gives("the letters in order, such as a, c, b, d", part)
    assert gives("a fraction such as 7/9", Part("f", "fraction", "", "7/9"))
    with pytest.raises(FormatError):
        read_part(part, "a, b")
