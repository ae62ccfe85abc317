"""What a drill declares, as data: what is drilled, what is asked, and the wrong ways that are known."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from quizzes.formula import Formula
from quizzes.question import Step


@dataclass(frozen=True)
class MistakeRule:
    """A mistake as it is declared: the equations (or functions) it uses in place of the right ones."""

    name: str
    replaced: dict[str, Any]
    feedback: str


@dataclass(frozen=True)
class Declaration:
    """A drill's declaration.

    Attributes:
        id: The drill's id; `type:flavour` for a further drill of one type.
        title: A few words.
        formula: What is drilled.
        generate: Draws the inputs by symbol, beside whatever else the prompt names.
        tier: 1 (one formula), 2 (several steps), 3 (a small exam problem).
        asks: The symbols to be answered.
        one_of: Whether only one of them is asked for, chosen by the seed.
        prompt: The question, with `{symbol}` where a value goes.
        hint: One sentence that helps.
        decimals: How many decimals decimal answers have.
        visualization: The kind of picture drawn beside it.
        steps: values -> worked steps, where the equations alone don't tell.
        ways: The wrong ways that are recognised.
        scripts: Python that computes the answers by calling PyTorch.
    """

    id: str
    title: str
    formula: Formula
    generate: Callable[[Random], dict[str, Any]]
    tier: int
    asks: tuple[str, ...]
    one_of: bool
    prompt: str
    hint: str
    decimals: int | None
    visualization: str
    steps: Callable[..., list[Step]] | None
    mistake_rules: list[MistakeRule]
    scripts: list[str]

    @property
    def topic(self) -> str:
        """The syllabus topic."""
        return self.formula.topic

    @property
    def type(self) -> str:
        """The drill type it serves: the id up to a colon."""
        return self.id.partition(":")[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of answer it asks for."""
        return sorted({self.formula.symbols[name].answer_kind for name in self.asks})
