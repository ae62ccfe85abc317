"""The declaration of a drill: its formula, what it asks, and the mistakes that it recognizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import TypeAlias

from quizzes.check_source import CheckSource, read_checks
from quizzes.expressions.tree import Value
from quizzes.formula import Formula, Replacement, equation
from quizzes.question import Params, Step

Inputs: TypeAlias = Params
Generator: TypeAlias = Callable[[Random], Inputs]


@dataclass(frozen=True)
class Mistake:
    """A mistake as a drill declares it.

    Attributes:
        name: Its name, the same in every variant.
        wrong: The incorrect equations (`a = ...; b = ...`), or for each symbol that it gets wrong a function of the
            inputs.
        feedback: What to tell a student who made it.
    """

    name: str
    wrong: str | Mapping[str, Callable[..., Value]]
    feedback: str


@dataclass(frozen=True)
class MistakeRule:
    """A mistake, parsed.

    Attributes:
        name: Its name, the same in every variant.
        replaced: What the mistake uses in place of the correct equation, for each symbol that it gets wrong.
        feedback: What to tell a student who made it.
    """

    name: str
    replaced: Mapping[str, Replacement]
    feedback: str


@dataclass(frozen=True)
class OneOf:
    """The symbols of which a question asks for one."""

    names: tuple[str, ...]


def one_of(*names: str) -> OneOf:
    """Ask for one of several symbols, chosen by the seed."""
    return OneOf(names)


@dataclass(frozen=True, eq=False)
class Declaration:
    """A drill's declaration.

    Attributes:
        id: The drill's id; `type:flavor` for a further drill of one type.
        title: A few words.
        formula: The formula that it drills.
        generate: Draws the inputs by symbol, and whatever else the prompt names.
        tier: The level, 1 (one formula), 2 (several steps) or 3 (a small exam problem).
        asks: The symbols that it asks for: all of them, or one of them.
        prompt: The text of the question, with `{symbol}` for a value.
        hint: A sentence that helps.
        mistakes: The mistakes that it recognizes.
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        visualization: The kind of visualization next to it; empty for none.
        steps: values -> worked steps, if the equations alone don't explain the solution; else None.
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
    mistakes: tuple[Mistake, ...]
    decimals: int | None = 4
    visualization: str = ""
    steps: Callable[..., list[Step]] | None = None

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

    @cached_property
    def mistake_rules(self) -> list[MistakeRule]:
        """The mistakes with their equations parsed."""
        return [MistakeRule(m.name, self._replaced(m.wrong), m.feedback) for m in self.mistakes]

    def _replaced(self, wrong: str | Mapping[str, Callable[..., Value]]) -> Mapping[str, Replacement]:
        if not isinstance(wrong, str):
            return wrong
        return {eq.name: eq for text in wrong.split(";") for eq in self.formula.expand(equation(text))}

    @property
    def check_module(self) -> str:
        """The module of its check: `checks`, next to the drill's own."""
        return f"{self.generate.__module__.rpartition('.')[0]}.checks"

    @cached_property
    def check(self) -> CheckSource | None:
        """The check that computes the answers by PyTorch or another library; None if there is none."""
        return read_checks(self.check_module).get(self.generate.__name__)
