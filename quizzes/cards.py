"""Flashcards: one TOML file per topic, one question without parameters per `[[card]]`.

    kind = "choice"    prompt, answer, wrong = [...]
    kind = "choices"   prompt, right = [...], wrong = [...]
    kind = "match"     prompt, pairs = [[left, right], ...]
    kind = "order"     prompt, steps = [...] in the correct order
    kind = "cloze"     prompt with ___ for the gap, accept = [...]

Every card has an `id` within its topic, `explanation` (one line) and `source` (or "derivation: ...").
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from quizzes import content
from quizzes.answers.labels import letters, parse_number
from quizzes.question import Part, Question
from workbench.errors import lookup

# The fields that each kind of card needs in addition to those of every card.
NEEDS = {
    "choice": ("answer", "wrong"),
    "choices": ("right", "wrong"),
    "match": ("pairs",),
    "order": ("steps",),
    "cloze": ("accept",),
}


@dataclass(frozen=True)
class Card:
    """One flashcard. Its id is `topic/id`, and its tier is that of the easiest drills."""

    id: str
    topic: str
    kind: str
    prompt: str
    explanation: str
    source: str
    content: Mapping[str, Any]
    tier: int = 1

    @property
    def topics(self) -> list[str]:
        """The topics that it belongs to."""
        return [self.topic]

    def draw(self, seed: int) -> Question:
        """Return the card as a question, with its choices shuffled by the seed."""
        rng = Random(f"{self.id}/{seed}")
        part = getattr(self, f"_{self.kind}")(rng)
        return Question(
            drill=self.id,
            seed=seed,
            topic=self.topic,
            tier=0,
            title="",
            prompt=self.prompt,
            params={},
            parts=[part],
            explanation=self.explanation,
            source=self.source,
        )

    def _choice(self, rng: Random) -> Part:
        choices = _shuffle([self.content["answer"], *self.content["wrong"]], rng)
        answer = letters(choices)[choices.index(self.content["answer"])]
        return Part("answer", "choice", "correct choice", answer, choices=choices)

    def _choices(self, rng: Random) -> Part:
        choices = _shuffle([*self.content["right"], *self.content["wrong"]], rng)
        correct = [
            letter for letter, text in zip(letters(choices), choices, strict=True) if text in self.content["right"]
        ]
        return Part("answer", "choices", "all correct choices", correct, choices=choices)

    def _match(self, rng: Random) -> Part:
        items = _shuffle([left for left, _ in self.content["pairs"]], rng)
        choices = _shuffle(list(dict.fromkeys(right for _, right in self.content["pairs"])), rng)
        partner = dict(self.content["pairs"])
        answer = {letter: choices.index(partner[item]) + 1 for letter, item in zip(letters(items), items, strict=True)}
        return Part("answer", "match", "matching pairs", answer, items=items, choices=choices)

    def _order(self, rng: Random) -> Part:
        choices = _shuffle(self.content["steps"], rng)
        answer = [letters(choices)[choices.index(step)] for step in self.content["steps"]]
        return Part("answer", "order", "first to last", answer, choices=choices)

    def _cloze(self, rng: Random) -> Part:
        answer, *others = self.content["accept"]
        label = "missing word" if parse_number(answer) is None else "missing number"
        return Part("answer", "text", label, answer, other_answers=others)


def _shuffle(items: list[str], rng: Random) -> list[str]:
    return rng.sample(items, len(items))


@cache
def all_cards() -> dict[str, Card]:
    """Return every card by id."""
    cards: dict[str, Card] = {}
    for topic in content.topic_folders():
        for card in of_topic(topic):
            if cards.setdefault(card.id, card) is not card:
                raise ValueError(f"two cards have the id {card.id}")
    return cards


@cache
def of_topic(topic: str) -> list[Card]:
    """Return the cards of a topic; none if it has no file."""
    folder = content.topic_folders().get(topic)
    file = folder / "cards.toml" if folder else None
    return read_cards(file, topic) if file and file.is_file() else []


def read_cards(file: Path, topic: str) -> list[Card]:
    """Return the cards of a topic's file."""
    return [_card(topic, dict(entry)) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["card"]]


def _card(topic: str, entry: dict[str, Any]) -> Card:
    id, kind, prompt, explanation, source = (
        entry.pop(key) for key in ("id", "kind", "prompt", "explanation", "source")
    )
    if sorted(entry) != sorted(NEEDS[kind]):
        raise ValueError(
            f"card {topic}/{id}: a {kind} card has {', '.join(NEEDS[kind])}, but this one has {', '.join(entry)}"
        )
    return Card(f"{topic}/{id}", topic, kind, prompt, explanation, source, entry)


def get(id: str) -> Card:
    """Return the card with an id.

    Raises:
        UserError: If no card has this id; the message offers the nearest ids.
    """
    return lookup("card", id, all_cards())
