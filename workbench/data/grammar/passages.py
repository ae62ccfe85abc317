"""Passages: sentences that belong together, because they name the same row of a table or have the same sentiment."""

from functools import cache
from random import Random

from workbench.data.grammar.generate import SLOT, Expansion
from workbench.data.grammar.templates import FACTS, OPINIONS

PASSAGES = {"train": 3000, "validation": 300, "test": 600}  # split -> passages
LONGEST = 4  # sentences of a passage about a row, at most
LONGEST_OPINION = 3  # sentences of a passage of opinions, which are longer
TOPICS = ("country", "pair", "noun")  # tables

Passage = tuple[tuple[str, ...], ...]


@cache
def passages(split: str) -> tuple[Passage, ...]:
    """Return the words of each sentence of each passage of a split, always the same ones. No two are equal."""
    earlier = {"train": (), "validation": ("train",), "test": ("train", "validation")}[split]
    known = {passage for other in earlier for passage in passages(other)}
    rng = Random(f"passages {split}")
    texts: list[Passage] = []
    while len(texts) < PASSAGES[split]:
        passage = _opinions(rng) if len(texts) % 2 else _facts(rng)
        if passage not in known:
            known.add(passage)
            texts.append(passage)
    return tuple(texts)


def _facts(rng: Random) -> Passage:
    """Return different sentences about one row of a table."""
    topic = rng.choice(TOPICS)
    templates = [
        template
        for template in FACTS["train"]
        if any(match[1] == topic for match in map(SLOT.fullmatch, template.split()) if match)
    ]
    expansion = Expansion(rng, polarity=1)
    chosen = rng.sample(templates, rng.randint(2, LONGEST))
    return tuple(tuple(expansion.expand(template)[0]) for template in chosen)


def _opinions(rng: Random) -> Passage:
    """Return sentences with the same sentiment."""
    polarity = rng.choice((1, -1))
    chosen = rng.sample(OPINIONS["train"], rng.randint(2, LONGEST_OPINION))
    return tuple(tuple(Expansion(rng, polarity).expand(template)[0]) for template in chosen)
