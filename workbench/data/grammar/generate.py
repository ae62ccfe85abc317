"""Sentences from the templates, always the same ones."""

import re
from dataclasses import dataclass
from functools import cache
from random import Random

from workbench.data.grammar.lexicon import LISTS, TABLES
from workbench.data.grammar.templates import ENTITIES, FACTS, OPINIONS, POLAR, QUESTIONS, RULES

# Split -> opinions, questions and facts.
SIZES = {"train": (2400, 300, 4500), "validation": (400, 50, 450), "test": (800, 100, 700)}
SLOT = re.compile(r"\{((?:[a-z]+)\d?)(?:\.([a-z]+))?([=!]?)\}")
SENTIMENTS = {1: "positive", 0: "neutral", -1: "negative"}


@dataclass(frozen=True)
class Sentence:
    """A sentence of the corpus.

    Attributes:
        words: Its words and punctuation marks.
        tags: The BIO tag of each word.
        sentiment: `positive`, `neutral` or `negative`.
        template: The template of the whole sentence.
        kind: `opinion`, `question` or `fact`.
    """

    words: tuple[str, ...]
    tags: tuple[str, ...]
    sentiment: str
    template: str
    kind: str


@cache
def sentences(split: str) -> tuple[Sentence, ...]:
    """Return the sentences of a split, in random order; no two are equal, also not in different splits."""
    rng = Random(f"corpus {split}")
    others = sentences("train") if split != "train" else ()
    known = {sentence.words for sentence in others}
    corpus: list[Sentence] = []
    kinds = {"opinion": OPINIONS, "question": QUESTIONS, "fact": FACTS}
    for (kind, templates), size in zip(kinds.items(), SIZES[split], strict=True):
        count = 0
        while count < size:
            template = templates[split][rng.randrange(len(templates[split]))]
            polarity = 1 if count % 2 else -1
            words, tags = Expansion(rng, polarity).expand(template)
            if tuple(words) in known:
                continue
            known.add(tuple(words))
            sentiment = SENTIMENTS[polarity if kind == "opinion" else 0]
            corpus.append(Sentence(tuple(words), tuple(tags), sentiment, template, kind))
            count += 1
    rng.shuffle(corpus)
    return tuple(corpus)


class Expansion:
    """The expansion of one sentence: which words and rows its slots have so far.

    Args:
        rng: The RNG.
        polarity: 1 for a positive sentence, -1 for a negative one.
    """

    def __init__(self, rng: Random, polarity: int):
        self.rng, self.polarity = rng, polarity
        self.rows: dict[str, dict[str, str]] = {}
        self.used: set[str] = set()

    def expand(self, template: str, polarity: int | None = None) -> tuple[list[str], list[str]]:
        """Return the words of a template and their tags."""
        polarity = self.polarity if polarity is None else polarity
        words: list[str] = []
        tags: list[str] = []
        for part in template.split():
            match = SLOT.fullmatch(part)
            if match is None:
                more, more_tags = [part], ["O"]
            else:
                more, more_tags = self._fill(match[1], match[2] or "", polarity * (-1 if match[3] == "!" else 1))
            if words and words[-1] == "a" and more[0][0] in "aeiou":
                words[-1] = "an"
            words += more
            tags += more_tags
        return words, tags

    def _fill(self, name: str, column: str, polarity: int) -> tuple[list[str], list[str]]:
        entity = ENTITIES.get(f"{name}.{column}" if column else name)
        if name in POLAR:
            name = POLAR[name][0 if polarity > 0 else 1]
            if column:  # a verb: each occurrence has a row of its own
                return [self._unused([row[column] for row in TABLES[name]])], ["O"]
        if name in RULES:
            words, tags = self.expand(self.rng.choice(RULES[name]), polarity)
        elif column:
            words, tags = [self._row(name)[column]], ["O"]
        else:
            words, tags = [self._unused(LISTS[name])], ["O"]
        return words, [f"B-{entity}"] + [f"I-{entity}"] * (len(words) - 1) if entity else tags

    def _row(self, name: str) -> dict[str, str]:
        """Return the row of a table that the sentence is about; `country2` is another one than `country`."""
        if name not in self.rows:
            rows = [row for row in TABLES[name.rstrip("2")] if row not in self.rows.values()]
            self.rows[name] = self.rng.choice(rows)
        return self.rows[name]

    def _unused(self, words: list[str]) -> str:
        """Return a word that the sentence doesn't have yet."""
        word = self.rng.choice([word for word in words if word not in self.used])
        self.used.add(word)
        return word
