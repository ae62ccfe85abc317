"""Stories of two travelers, made by code, and facts about their journeys: a language to learn.

    anna left rome by train. ben left paris by bus. anna ate soup. ben ate rice. ben reached lima. anna reached oslo.
    anna liked the soup. it is far from paris to lima. the train of anna was late.

The last sentences repeat facts of the first ones in other words, so that a network learns to look them up. Names,
towns, food and vehicles are drawn independently of each other.

`story-questions` and `story-summaries` are about other stories of the same kind, with the same tokens.
"""

from functools import cache
from random import Random
from typing import NamedTuple

from workbench.data import byte_pairs
from workbench.data.byte_pairs import BytePairs

SET = dict(
    title="the next byte pair of stories of travelers",
    row="one character of a text",
    samples=600_000,
    shape=(),
    target="the next byte pair",
    source="made by code: stories of two travelers",
    licence="MIT",
    synthetic=True,
    modality="byte-pairs",
    sizes=dict(vocabulary=512),
)
SIZE, VOCABULARY = 600_000, 512  # characters and, at most, tokens
OTHER_WORDS = " question: where did what how eat? come from? go? travel? answer: by summary: went from and"
NAMES = "anna ben clara david emma felix grace henry iris jonas karla leo mia noah olga paul".split()
TOWNS = "rome paris oslo lima cairo delhi quito tokyo dakar sofia hanoi perth berlin madrid vienna dublin".split()
FOODS = "soup rice bread fish cake salad pizza beans cheese pasta fruit eggs".split()
VEHICLES = "train bus plane boat car bike truck tram".split()


class Journey(NamedTuple):
    """What a story tells of one traveler."""

    name: str
    start: str
    goal: str
    food: str
    vehicle: str


def journeys(rng: Random) -> list[Journey]:
    """Return two journeys that have nothing in common."""
    names, towns = rng.sample(NAMES, 2), rng.sample(TOWNS, 4)
    foods, vehicles = rng.sample(FOODS, 2), rng.sample(VEHICLES, 2)
    return [Journey(names[k], towns[k], towns[2 + k], foods[k], vehicles[k]) for k in (0, 1)]


def story(travelers: list[Journey], rng: Random) -> str:
    """Return a story of journeys: each traveler leaves, eats, and arrives, in turns of random order."""
    sentences = [
        f"{name} {deed}"
        for deed_of in (_leaves, _eats, _arrives)
        for name, deed in rng.sample([(each.name, deed_of(each)) for each in travelers], len(travelers))
    ]
    return " ".join(f"{sentence}." for sentence in sentences)


def _leaves(journey: Journey) -> str:
    return f"left {journey.start} by {journey.vehicle}"


def _eats(journey: Journey) -> str:
    return f"ate {journey.food}"


def _arrives(journey: Journey) -> str:
    return f"reached {journey.goal}"


def memories(travelers: list[Journey], rng: Random) -> str:
    """Return three sentences that tell something of the journeys in other words."""
    possible = [
        sentence
        for each in travelers
        for sentence in (
            f"{each.name} liked the {each.food}.",
            f"the {each.vehicle} of {each.name} was late.",
            f"{each.name} came home to {each.start}.",
            f"{each.name} has friends in {each.goal}.",
            f"it is far from {each.start} to {each.goal}.",
        )
    ]
    return " ".join(rng.sample(possible, 3))


@cache
def load() -> str:
    """Return stories with memories, a line each, 600,000 characters in all."""
    rng, lines, length = Random(0), [], 0
    while length < SIZE:
        travelers = journeys(rng)
        lines.append(f"{story(travelers, rng)} {memories(travelers, rng)}\n")
        length += len(lines[-1])
    return "".join(lines)[:SIZE]


@cache
def tokenizer() -> BytePairs:
    """Return a tokenizer that is trained on the first stories and on the words of questions and summaries."""
    return byte_pairs.train(load()[:100_000] + 100 * OTHER_WORDS, VOCABULARY)
