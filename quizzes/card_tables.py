"""Cards read from tables of a TOML file, and their problems."""

from collections.abc import Iterator

from quizzes.answers import KINDS
from quizzes.answers.labels import letters
from quizzes.answers.words import tokens
from quizzes.card import NEEDS, Card
from quizzes.marking import mark
from quizzes.text_checks import text_problem
from quizzes.toml_file import Table

FORMER_KEYS = {"ask": "prompt", "why": "explanation"}  # packs of older versions of the program have them
MIN_PAIRS, MAX_PAIRS = 2, 12
MAX_CARDS = 1000  # of a file


def read_card(table: Table, topic: str, pack: str = "") -> Card | None:
    """Return a card; None if it has problems, which are reported.

    Args:
        table: The card's table.
        topic: The id of the topic.
        pack: The name of the pack; empty for a built-in card.
    """
    id, kind = table.identifier("id"), table.one_of("kind", NEEDS)
    for old, new in FORMER_KEYS.items():
        table.rename(old, new)
    prompt, explanation, source = (table.text(key) for key in ("prompt", "explanation", "source"))
    content = {key: _read_content(table, key) for key in NEEDS.get(kind, ())}
    if kind:  # without it, the other keys that the card needs are not known
        table.report_unknown_keys()
    if not table.is_valid:
        return None
    card = Card(f"{pack}/{topic}/{id}".lstrip("/"), topic, kind, prompt, explanation, source, content)
    for message in _card_problems(card):
        table.report(message)
    return card if table.is_valid else None


def _read_content(table: Table, key: str) -> object:
    if key == "answer":
        return table.text(key)
    if key == "pairs":
        return _read_pairs(table)
    return table.text_list(key, min_length=2 if key == "steps" else 1)


def _read_pairs(table: Table) -> list[list[str]]:
    value = table.value("pairs")
    if "pairs" not in table.data:
        return []
    if not isinstance(value, list) or not MIN_PAIRS <= len(value) <= MAX_PAIRS:
        example = '[["left", "right"], ["left 2", "right 2"]]'
        table.report(f"pairs must be a list of {MIN_PAIRS} to {MAX_PAIRS} pairs, such as {example}.", "pairs")
        return []
    for pair in value:
        if not isinstance(pair, list) or len(pair) != 2 or any(map(text_problem, pair)):
            table.report('Each item of pairs must be two texts: ["left", "right"].', "pairs")
            return []
    return value


def _options(card: Card) -> list[str]:
    """Return the texts of a card that must differ from each other."""
    content = card.content
    match card.kind:
        case "choice":
            return [content["answer"], *content["wrong"]]
        case "choices":
            return [*content["right"], *content["wrong"]]
        case "order":
            return list(content["steps"])
        case "match":
            return [left for left, _ in content["pairs"]]
        case _:
            return list(content["accept"])


def _card_problems(card: Card) -> Iterator[str]:
    """Yield the problems of a card whose keys are valid."""
    options = _options(card)
    folded = [text.strip().casefold() for text in options]
    if duplicates := {text for text, fold in zip(options, folded, strict=True) if folded.count(fold) > 1}:
        yield f"{min(duplicates)[:60]!r} occurs more than once. Remove or reword all but one."
        return
    if card.kind == "match" and len({right for _, right in card.content["pairs"]}) < 2:
        yield "All pairs have the same second text, so there is nothing to match. Use another kind of card."
    if card.kind == "cloze":
        if "___" not in card.prompt:
            yield "prompt has no gap. Write ___ (three underscores) in place of the missing word."
        for word in card.content["accept"]:
            if f" {' '.join(tokens(word))} " in f" {' '.join(tokens(card.prompt))} ":
                yield f"prompt contains the answer {word[:60]!r}. Reword it."
    if card.kind == "choice" and (ambiguous := set(folded) & set(letters(options))):
        yield f"The choice {min(ambiguous)!r} could be read as the letter of a choice. Reword it."


def grading_problems(card: Card) -> Iterator[str]:
    """Yield a problem for each correct answer that would not be graded as correct."""
    question = card.draw(1)
    part = question.parts[0]
    if card.kind == "cloze":
        answers = card.content["accept"]
    elif card.kind == "choice":
        answers = [card.content["answer"]]
    else:
        answers = [KINDS[part.kind].format_answer(part.answer, part)]
    for text in answers:
        if (result := mark(question, {"answer": text}).mark) != "right":
            yield f"The correct answer {text[:60]!r} would be graded as {result!r}, not as 'right'. Reword it."
