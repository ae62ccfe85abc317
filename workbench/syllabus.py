"""The topics of the course, and the drills, cards and networks that cover each."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import models
from workbench import question_index
from workbench.errors import lookup

MIN_CARDS_PER_TOPIC = 4

# The command of each algorithm that is neither a network nor a method of a run.
ALGORITHMS = {
    "autograd-graph": "workbench autograd 'sigmoid(w*x + b)' w=2 x=-1 b=0.5",
    "nms": "workbench calc nms boxes=[[0,0,10,10],[3,0,13,10],[6,0,16,10]] scores=[0.9,0.8,0.7]",
    "bleu": "workbench calc bleu 'candidate=the cat sat on the mat' 'references=[the cat sat on a mat]'",
}


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


@dataclass(frozen=True)
class Coverage:
    """The material on a topic, and what is still missing.

    Attributes:
        topic: The topic's id.
        chapter: The id of its chapter.
        title: Its title.
        drills: Ids of its drills.
        cards: Ids of its flashcards.
        systems: Its architectures and methods that can be run.
        claims: Ids of its claims.
        missing: What the syllabus asks for and does not exist yet, in words.
    """

    topic: str
    chapter: str
    title: str
    drills: list[str]
    cards: list[str]
    systems: list[str]
    claims: list[str]
    missing: list[str]


@cache
def _file() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "syllabus.toml").read_text(encoding="utf-8"))


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


def systems(methods: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the kind (network, method or algorithm) and the command of every system that can be run, by name.

    Args:
        methods: The command of each method of a run, from the engine.
    """
    networks = {name: ("network", f"workbench train {name}") for name in models.names()}
    commands = {name: ("method", command) for name, command in methods.items()}
    return {**networks, **commands, **{name: ("algorithm", command) for name, command in ALGORITHMS.items()}}


def coverage(methods: Mapping[str, str]) -> list[Coverage]:
    """Return the coverage of each topic.

    Args:
        methods: As for `systems`.
    """
    drills, all_cards, runnable = question_index.drills(), question_index.cards(), systems(methods)
    rows = []
    for topic in topics().values():
        # A drill type that two topics name covers both; the drill itself belongs to one of them.
        covering = [d for d in drills if topic.topic in (d.topic, *d.joins) or d.type in topic.drills]
        cards = [c.id for c in all_cards if c.topic == topic.topic]
        types = {d.type for d in covering}
        missing = [f"drill {t}" for t in topic.drills if t not in types]
        if len(cards) < MIN_CARDS_PER_TOPIC and not topic.beyond:
            missing.append(f"cards ({len(cards)} of {MIN_CARDS_PER_TOPIC})")
        missing += [f"system {s}" for s in topic.systems if s not in runnable]
        if topic.experiment:
            missing.append("experiment")
        available = [s for s in topic.systems if s in runnable]
        rows.append(
            Coverage(topic.topic, topic.chapter, topic.title, [d.id for d in covering], cards, available, [], missing)
        )
    return rows
