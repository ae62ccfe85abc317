"""Coverage of the topics of the course by drills, cards, and systems that can be run."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import models
from workbench import question_index
from workbench.syllabus import topics

MIN_CARDS_PER_TOPIC = 4

# The command of each algorithm that is neither a network nor a method of a run.
ALGORITHMS = {
    "autograd-graph": "workbench autograd 'sigmoid(w*x + b)' w=2 x=-1 b=0.5",
    "nms": "workbench calc nms boxes=[[0,0,10,10],[3,0,13,10],[6,0,16,10]] scores=[0.9,0.8,0.7]",
    "soft-nms": "workbench calc soft-nms boxes=[[0,0,10,10],[1,1,11,11],[20,20,30,30]] scores=[0.9,0.8,0.7]",
    "adaptive-nms": (
        "workbench calc adaptive-nms boxes=[[0,0,10,10],[0,0,10,6],[20,20,30,30]] scores=[0.9,0.8,0.7] "
        "density=[0.7,0.7,0]"
    ),
    "kmeans-anchors": "workbench calc kmeans-anchors boxes=[[10,10],[20,20],[40,10]] anchors=[[12,12],[30,30]] steps=5",
    "selective-search": "workbench calc selective-search X=[[0,0,1],[0,2,2],[2,2,2]] R=[[0,0,1],[0,2,2],[2,2,2]]",
    "roi-pool": "workbench calc roi-pool X=[[1,2,3,4],[5,6,7,8],[9,10,11,12],[13,14,15,16]] roi=[0,0,3,3] s=1 k=2",
    "aspp": "workbench models diagram deeplab-v3",
    "dense-crf": "workbench evaluate deeplab-v1-0001 --crf",
    "roi-align": "workbench calc roi-align X=[[1,2],[3,4]] roi=[0,0,1,1] s=1 k=2 n=2",
    "hungarian-matching": "workbench calc hungarian-assign cost=[[4,1,3],[2,0,5],[3,2,2]]",
    "coco-map": "workbench explain ap yolo-v1-0001 --iou 0.5",
    "max-unpool": "workbench calc max-unpool X=[[1,6,2,0],[5,3,8,1]]",
    "transposed-conv": "workbench calc transposed-conv X=[[1,2],[3,4]] K=[[1,0],[1,1]] s=2",
    "interpolation": "workbench calc interpolation X=[[1,2],[3,4]] H=4 W=4 mode=bilinear",
    "tsne": "workbench ask word2vec-skipgram-0001 map=tsne",
    "bleu": "workbench calc bleu 'candidate=the cat sat on the mat' 'references=[the cat sat on a mat]'",
}


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


def systems(methods: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Return the kind (network, method or algorithm) and the command of every system that can be run, by name.

    Args:
        methods: The command of each method of a run, from the engine.
    """
    networks = {name: ("network", f"workbench train {name}") for name in models.names()}
    commands = {name: ("method", command) for name, command in methods.items()}
    return {**networks, **commands, **{name: ("algorithm", command) for name, command in ALGORITHMS.items()}}


def coverage(methods: Mapping[str, str], claims: Sequence[tuple[str, str, str, str]] = ()) -> list[Coverage]:
    """Return the coverage of each topic.

    Args:
        methods: As for `systems`.
        claims: The id, the topic, the kind and the expected verdict of each claim.
    """
    all_claims: defaultdict[str, list[str]] = defaultdict(list)  # by topic
    measured = set()  # the topics with a claim that is decided by an experiment
    for claim, name, kind, _ in claims:
        all_claims[name].append(claim)
        if kind in ("empirical", "scaling"):
            measured.add(name)
    drills, runnable = question_index.drills(), systems(methods)
    numbers: defaultdict[str, set[int]] = defaultdict(set)  # of the drills, by topic and by type
    for number, drill in enumerate(drills):
        for name in (drill.topic, *drill.joins):
            numbers[f"topic {name}"].add(number)
        numbers[f"type {drill.type}"].add(number)
    all_cards: defaultdict[str, list[str]] = defaultdict(list)  # by topic
    for card in question_index.cards():
        all_cards[card.topic].append(card.id)
    rows = []
    for topic in topics().values():
        # A drill type that two topics name covers both; the drill itself belongs to one of them.
        own = numbers[f"topic {topic.topic}"].union(*(numbers[f"type {type}"] for type in topic.drills))
        covering, cards = [drills[number] for number in sorted(own)], all_cards[topic.topic]
        types = {d.type for d in covering}
        missing = [f"drill {t}" for t in topic.drills if t not in types]
        if len(cards) < MIN_CARDS_PER_TOPIC and not topic.beyond:
            missing.append(f"cards ({len(cards)} of {MIN_CARDS_PER_TOPIC})")
        missing += [f"system {s}" for s in topic.systems if s not in runnable]
        if topic.experiment and topic.topic not in measured:
            missing.append("experiment")
        available = [s for s in topic.systems if s in runnable]
        rows.append(
            Coverage(
                topic.topic,
                topic.chapter,
                topic.title,
                [d.id for d in covering],
                cards,
                available,
                all_claims[topic.topic],
                missing,
            )
        )
    return rows
