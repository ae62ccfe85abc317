"""All built-in cards by id, from `cards.toml` in the folder of each topic."""

from functools import cache
from pathlib import Path

from quizzes import content
from quizzes.card import Card
from quizzes.card_tables import MAX_CARDS, read_card
from quizzes.toml_file import TomlFile
from workbench.errors import DeclarationError, lookup


@cache
def all_cards() -> dict[str, Card]:
    """Return every card by id.

    Raises:
        DeclarationError: If one has a problem.
    """
    return {card.id: card for topic in content.topic_folders() for card in of_topic(topic)}


@cache
def of_topic(topic: str) -> list[Card]:
    """Return the cards of a topic; none if it has no file.

    Raises:
        DeclarationError: If one has a problem.
    """
    folder = content.topic_folders().get(topic)
    file = folder / "cards.toml" if folder else None
    return read_cards(file, topic) if file and file.is_file() else []


def read_cards(path: Path, topic: str) -> list[Card]:
    """Return the cards of a topic's file.

    Raises:
        DeclarationError: If one has a problem.
    """
    file = TomlFile(str(path), path.read_text(encoding="utf-8"))
    cards: dict[str, Card] = {}
    for table in file.root.tables("card", MAX_CARDS) if not file.problems else ():
        card = read_card(table, topic)
        if card and cards.setdefault(card.id, card) is not card:
            table.report("Another card of the topic has the same id. Choose another id.", "id")
    file.root.report_unknown_keys()
    if file.problems:
        raise DeclarationError(str(min(file.problems)))
    return list(cards.values())


def get(id: str) -> Card:
    """Return the card with an id.

    Raises:
        UserError: If no card has this id; the message offers the nearest ids.
    """
    return lookup("card", id, all_cards())
