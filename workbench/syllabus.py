"""Every topic of the course, and what covers it: read off the drills, cards and networks that are there."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import models
from workbench import question_index
from workbench.errors import lookup

CARDS_A_TOPIC = 4

# How an algorithm that is neither a network nor a method of a run is run.
ALGORITHMS = {
    "autograd-graph": "workbench autograd 'sigmoid(w*x + b)' w=2 x=-1 b=0.5",
    "nms": "workbench calc nms boxes=[[0,0,10,10],[3,0,13,10],[6,0,16,10]] scores=[0.9,0.8,0.7]",
    "bleu": "workbench calc bleu 'candidate=the cat sat on the mat' 'references=[the cat sat on a mat]'",
}


@dataclass(frozen=True)
class Topic:
    """A topic as the syllabus has it."""

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
    """What covers a topic, and what does not yet."""

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
    """The title of each chapter by id, in order."""
    return {chapter["id"]: chapter["title"] for chapter in _file()["chapter"]}


@cache
def topics() -> dict[str, Topic]:
    """Every topic by id, in the order of the course."""
    found = {}
    for chapter in _file()["chapter"]:
        for entry in chapter["topic"]:
            rest = {key: value for key, value in entry.items() if key != "id"}
            found[entry["id"]] = Topic(topic=entry["id"], chapter=chapter["id"], **rest)
    return found


def get(id: str) -> Topic:
    """The topic of that id.

    Raises:
        UserError: Where there is none, with the nearest ids.
    """
    return lookup("topic", id, topics())


def systems(methods: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Every system that runs: what it is (network, method or algorithm), and the command that runs it.

    Args:
        methods: The command of each method of a run, which the engine knows.
    """
    networks = {name: ("network", f"workbench train {name}") for name in models.names()}
    ways = {name: ("method", command) for name, command in methods.items()}
    return {**networks, **ways, **{name: ("algorithm", command) for name, command in ALGORITHMS.items()}}


def coverage(methods: Mapping[str, str]) -> list[Coverage]:
    """What covers each topic now; `methods` as for `systems`."""
    drills, recall, running = question_index.drills(), question_index.cards(), systems(methods)
    found = []
    for topic in topics().values():
        # A drill type that two topics name serves both; the drill itself belongs to one of them.
        serving = [d for d in drills if d.topic == topic.topic or d.type in topic.drills]
        asked = [c.id for c in recall if c.topic == topic.topic]
        types = {d.type for d in serving}
        missing = [f"drill {t}" for t in topic.drills if t not in types]
        if len(asked) < CARDS_A_TOPIC and not topic.beyond:
            missing.append(f"cards ({len(asked)} of {CARDS_A_TOPIC})")
        missing += [f"system {s}" for s in topic.systems if s not in running]
        if topic.experiment:
            missing.append("experiment")
        here = [s for s in topic.systems if s in running]
        found.append(
            Coverage(topic.topic, topic.chapter, topic.title, [d.id for d in serving], asked, here, [], missing)
        )
    return found
