"""The syllabus: the topics of the course, by chapter."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from workbench.errors import lookup

FILE = Path(__file__).with_name("syllabus.toml")


@dataclass(frozen=True)
class Topic:
    """A topic of the syllabus.

    Attributes:
        topic: Its id.
        chapter: The id of its chapter.
        title: Its title.
        drills: The drill types that should cover it.
        systems: The architectures and methods that should be runnable.
        cards: What its flashcards should cover.
        experiment: What its experiment should measure.
        beyond: Whether it is not part of the course, but of real exams; such a topic needs no cards.
    """

    topic: str
    chapter: str
    title: str
    drills: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    cards: str = ""
    experiment: str = ""
    beyond: bool = False


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def chapters() -> dict[str, str]:
    """Return the title of each chapter by id, in order."""
    return {chapter["id"]: chapter["title"] for chapter in _file()["chapter"]}


@cache
def topics() -> dict[str, Topic]:
    """Return every topic by id, in the order of the course."""
    all_topics = {}
    for chapter in _file()["chapter"]:
        for entry in chapter["topic"]:
            rest = {key: value for key, value in entry.items() if key != "id"}
            all_topics[entry["id"]] = Topic(topic=entry["id"], chapter=chapter["id"], **rest)
    return all_topics


def get(id: str) -> Topic:
    """Return the topic with an id.

    Raises:
        UserError: If there is none. The message has the closest ids.
    """
    return lookup("topic", id, topics())
