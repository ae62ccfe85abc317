"""Recall cards: a TOML file per topic, each `[[card]]` one question without numbers.

    kind = "choice"    prompt, answer, wrong = [...]
    kind = "choices"   prompt, right = [...], wrong = [...]
    kind = "match"     prompt, pairs = [[left, right], ...]
    kind = "order"     prompt, steps = [...] in their true order
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

from quizzes.answers.labels import letters, number
from quizzes.question import Part, Question
from workbench.errors import lookup

NEEDS = {
    "choice": ("answer", "wrong"),
    "choices": ("right", "wrong"),
    "match": ("pairs",),
    "order": ("steps",),
    "cloze": ("accept",),
}


@dataclass(frozen=True)
class Card:
    """One recall card; its id is `topic/id`, and its tier that of the easiest drills."""

    id: str
    topic: str
    kind: str
    prompt: str
    explanation: str
    source: str
    content: Mapping[str, Any]
    tier: int = 1

    def draw(self, seed: int) -> Question:
        """The card as a question; the seed shuffles what there is to choose."""
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
        choices = _shuffled([self.content["answer"], *self.content["wrong"]], rng)
        answer = letters(choices)[choices.index(self.content["answer"])]
        return Part("answer", "choice", "one is right", answer, choices=choices)

    def _choices(self, rng: Random) -> Part:
        choices = _shuffled([*self.content["right"], *self.content["wrong"]], rng)
        right = [c for c, text in zip(letters(choices), choices, strict=True) if text in self.content["right"]]
        return Part("answer", "choices", "every one that is right", right, choices=choices)

    def _match(self, rng: Random) -> Part:
        items = _shuffled([left for left, _ in self.content["pairs"]], rng)
        choices = _shuffled(list(dict.fromkeys(right for _, right in self.content["pairs"])), rng)
        partner = dict(self.content["pairs"])
        answer = {c: choices.index(partner[item]) + 1 for c, item in zip(letters(items), items, strict=True)}
        return Part("answer", "match", "what belongs together", answer, items=items, choices=choices)

    def _order(self, rng: Random) -> Part:
        choices = _shuffled(self.content["steps"], rng)
        answer = [letters(choices)[choices.index(step)] for step in self.content["steps"]]
        return Part("answer", "order", "first to last", answer, choices=choices)

    def _cloze(self, rng: Random) -> Part:
        answer, *others = self.content["accept"]
        label = "the word in the gap" if number(answer) is None else "the number in the gap"
        return Part("answer", "text", label, answer, others=others)


def _shuffled(items: list[str], rng: Random) -> list[str]:
    return rng.sample(items, len(items))


@cache
def all_cards() -> dict[str, Card]:
    """Every card by id."""
    found: dict[str, Card] = {}
    for file in _topic_files():
        for card in of_topic(file.stem):
            if found.setdefault(card.id, card) is not card:
                raise ValueError(f"two cards are called {card.id}")
    return found


@cache
def of_topic(topic: str) -> list[Card]:
    """Return the cards of a topic; none if it has no file."""
    return [card for file in _topic_files() if file.stem == topic for card in read_cards(file)]


def _topic_files() -> list[Path]:
    return sorted(Path(__file__).parent.glob("*.toml"))


def read_cards(file: Path) -> list[Card]:
    """The cards of a topic's file, which bears the topic's id."""
    topic = file.stem
    return [_card(topic, dict(entry)) for entry in tomllib.loads(file.read_text(encoding="utf-8"))["card"]]


def _card(topic: str, entry: dict[str, Any]) -> Card:
    id, kind, prompt, explanation, source = (
        entry.pop(key) for key in ("id", "kind", "prompt", "explanation", "source")
    )
    if sorted(entry) != sorted(NEEDS[kind]):
        raise ValueError(
            f"card {topic}/{id}: a {kind} card has {', '.join(NEEDS[kind])}, and this has {', '.join(entry)}"
        )
    return Card(f"{topic}/{id}", topic, kind, prompt, explanation, source, entry)


def get(id: str) -> Card:
    """The card of that id.

    Raises:
        UserError: Where there is none, with the nearest ids.
    """
    return lookup("card", id, all_cards())
