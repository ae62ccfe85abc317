"""Questions about stories of travelers, with their answers, made by code: to fine-tune a language model.

anna left rome by train. ... anna reached oslo. question: where did anna go? answer: oslo
"""

from functools import cache
from random import Random

from workbench.data import stories
from workbench.data.byte_pairs import BytePairs
from workbench.data.completions import Completion
from workbench.data.stories import Journey, journeys, story

SET = dict(
    title="the answer to a question about a story",
    row="a story, a question and its answer",
    samples=3000,
    shape=(),
    target="the answer",
    source="made by code: workbench.data.stories",
    licence="MIT",
    synthetic=True,
    modality="completions",
    sizes=dict(vocabulary=512),
)
SAMPLES = 3000


def questions(journey: Journey) -> list[tuple[str, str]]:
    """Return the questions about a journey with their answers."""
    name = journey.name
    return [
        (f"where did {name} go?", journey.goal),
        (f"where did {name} come from?", journey.start),
        (f"what did {name} eat?", journey.food),
        (f"how did {name} travel?", f"by {journey.vehicle}"),
    ]


@cache
def load() -> list[Completion]:
    """Return prompts, a story with a question, and their answers."""
    rng, pairs = Random(1), []
    for _ in range(SAMPLES):
        travelers = journeys(rng)
        question, answer = rng.choice(questions(rng.choice(travelers)))
        pairs.append((f"{story(travelers, rng)} question: {question} answer:", f" {answer}\n"))
    return pairs


def tokenizer() -> BytePairs:
    """Return the tokenizer of `stories`."""
    return stories.tokenizer()
