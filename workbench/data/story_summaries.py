"""Summaries of stories of travelers, made by code: to fine-tune a language model.

    anna left rome by train. ... summary: anna went from rome to oslo and ben went from paris to lima.

The traveler who left first is named first.
"""

from functools import cache
from random import Random

from workbench.data import stories
from workbench.data.byte_pairs import BytePairs
from workbench.data.completions import Completion
from workbench.data.stories import journeys, story

SET = dict(
    title="the summary of a story",
    row="a story and its summary",
    samples=3000,
    shape=(),
    target="the summary",
    source="made by code: workbench.data.stories",
    licence="MIT",
    synthetic=True,
    modality="completions",
    sizes=dict(vocabulary=512),
)
SAMPLES = 3000


@cache
def load() -> list[Completion]:
    """Return prompts, a story each, and their summaries."""
    rng, pairs = Random(2), []
    for _ in range(SAMPLES):
        travelers = journeys(rng)
        text = story(travelers, rng)
        first, second = sorted(travelers, key=lambda each: text.index(f"{each.name} left"))
        summary = (
            f"{first.name} went from {first.start} to {first.goal} and "
            f"{second.name} went from {second.start} to {second.goal}."
        )
        pairs.append((f"{text} summary:", f" {summary}\n"))
    return pairs


def tokenizer() -> BytePairs:
    """Return the tokenizer of `stories`."""
    return stories.tokenizer()
