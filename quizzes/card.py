"""A flashcard: one question without parameters, a `[[card]]` in a TOML file.

    kind = "choice"    prompt, answer, wrong = [...]
    kind = "choices"   prompt, right = [...], wrong = [...]
    kind = "match"     prompt, pairs = [[left, right], ...]
    kind = "order"     prompt, steps = [...] in the correct order
    kind = "cloze"     prompt with ___ for the gap, accept = [...]

Every card has an `id` within its topic, `explanation` (one line) and `source` (or "derivation: ...").
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from quizzes.answers.labels import letters
from quizzes.answers.words import parse_number
from quizzes.question import Part, Question

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
        return Part("answer", "text", label, answer, other_answers=others, sentence=self.prompt)


def _shuffle(items: list[str], rng: Random) -> list[str]:
    return rng.sample(items, len(items))
