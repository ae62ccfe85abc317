"""The declaration of a drill: its formula, what it asks, and the mistakes that it recognizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from quizzes.formula import Formula, Replacement
from quizzes.question import Params, Step

Generator: TypeAlias = Callable[[Random], Params]


@dataclass(frozen=True)
class MistakeRule:
    """A mistake as a drill declares it.

    Attributes:
        name: Its name, the same in every variant.
        replaced: What the mistake uses in place of the correct equation, for each symbol that it gets wrong.
        feedback: What to tell a student who made it.
    """

    name: str
    replaced: Mapping[str, Replacement]
    feedback: str


@dataclass(eq=False)
class Declaration:
    """A drill's declaration; its mistakes and its check are added after it is created.

    Attributes:
        id: The drill's id; `type:flavor` for a further drill of one type.
        title: A few words.
        formula: The formula that it drills.
        generate: Draws the inputs by symbol, and whatever else the prompt names.
        tier: The level, 1 (one formula), 2 (several steps) or 3 (a small exam problem).
        asks: The symbols that it asks for.
        one_of: Whether a question asks for one of them, chosen by the seed, instead of all.
        prompt: The text of the question, with `{symbol}` for a value.
        hint: A sentence that helps.
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        visualization: The kind of visualization next to it; empty for none.
        steps: values -> worked steps, if the equations alone don't explain the solution; else None.
        mistake_rules: The mistakes that it recognizes.
        scripts: Python code that computes the answers by calling PyTorch.
    """

    id: str
    title: str
    formula: Formula
    generate: Generator
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
        """The drill type that it belongs to: the id up to a colon."""
        return self.id.partition(":")[0]

    @property
    def kinds(self) -> list[str]:
        """The kinds of answer that it asks for."""
        return sorted({self.formula.symbols[name].answer_kind for name in self.asks})
