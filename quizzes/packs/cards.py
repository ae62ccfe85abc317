"""The cards of a pack: the same tables as in `quizzes/cards`, each looked at before anybody is asked it."""

from collections.abc import Iterator

from quizzes.answers import KINDS
from quizzes.answers.labels import letters
from quizzes.cards import NEEDS, Card
from quizzes.marking import mark
from quizzes.packs.page import Table, flaw

FORMER_KEYS = {"ask": "prompt", "why": "explanation"}  # as packs wrote them before version 2 of the program's JSON


def read_card(table: Table, pack: str, topic: str) -> Card | None:
    """A card of a pack; None where its problems leave none."""
    id, kind = table.word("id"), table.one_of("kind", NEEDS)
    for old, new in FORMER_KEYS.items():
        table.rename(old, new)
    prompt, explanation, source = (table.text(key) for key in ("prompt", "explanation", "source"))
    content = {key: _content(table, key) for key in NEEDS.get(kind, ())}
    if kind:
        table.close()
    if not table.sound:
        return None
    card = Card(f"{pack}/{topic}/{id}", topic, kind, prompt, explanation, source, content)
    for sentence in _flaws(card):
        table.report(sentence)
    return card if table.sound else None


def _content(table: Table, key: str) -> object:
    if key == "answer":
        return table.text(key)
    if key == "pairs":
        return _pairs(table)
    return table.texts(key, least=2 if key == "steps" else 1)


def _pairs(table: Table) -> list[list[str]]:
    value = table.value("pairs")
    pairs = value if isinstance(value, list) else []
    if "pairs" in table.data and not 2 <= len(pairs) <= 12:
        table.report('pairs is a list of 2 to 12 pairs, such as [["left", "right"], ["other", "right too"]].', "pairs")
        return []
    for pair in pairs:
        if not isinstance(pair, list) or len(pair) != 2 or any(map(flaw, pair)):
            table.report('Each of pairs is two texts: ["left", "right"].', "pairs")
            return []
    return pairs


def _flaws(card: Card) -> Iterator[str]:
    """What is wrong with a card whose fields are all there."""
    content = card.content
    shown = {
        "choice": lambda: [content["answer"], *content["wrong"]],
        "choices": lambda: [*content["right"], *content["wrong"]],
        "order": lambda: content["steps"],
        "match": lambda: [left for left, _ in content["pairs"]],
        "cloze": lambda: content["accept"],
    }[card.kind]()
    folded = [text.strip().casefold() for text in shown]
    if twice := {text for text, fold in zip(shown, folded, strict=True) if folded.count(fold) > 1}:
        yield f"{min(twice)[:60]!r} stands there twice: everything may stand on one side only, and once."
        return
    if card.kind == "match" and len({right for _, right in content["pairs"]}) < 2:
        yield "All pairs have the same right side, so there is nothing to match: use a card of another kind."
    if card.kind == "cloze":
        if "___" not in card.prompt:
            yield "The gap is missing: write ___ (three underscores) where the word goes in prompt."
        for word in content["accept"]:
            if word.casefold() in card.prompt.casefold():
                yield f"prompt gives the answer away: {word[:60]!r} stands in it."
    if card.kind == "choice" and (taken := set(folded) & set(letters(shown))):
        yield f"The choice {min(taken)!r} would be taken for a letter: word it otherwise."
    yield from _unmarked(card)


def _unmarked(card: Card) -> Iterator[str]:
    """The true answers that would not be marked right."""
    question = card.draw(1)
    part = question.parts[0]
    truth = KINDS[part.kind].write(part.answer, part)
    accepted: dict[str, list[str]] = {
        "cloze": card.content.get("accept", []),
        "choice": [card.content.get("answer", "")],
    }
    for text in accepted.get(card.kind, [truth]):
        if (given := mark(question, {"answer": text}).mark) != "right":
            yield f"The answer {text[:60]!r} would be marked {given}: word it otherwise."
