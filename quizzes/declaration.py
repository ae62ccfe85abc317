"""The declaration of a drill: its formula, what it asks, and the mistakes that it recognizes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TypeAlias

from quizzes.check_source import CheckSource, read_checks
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import Value
from quizzes.formula import Formula, Replacement, equation
from quizzes.mistake_equations import check_equation
from quizzes.question import Params, Step
from quizzes.text_checks import (
    MAX_DECIMALS,
    MAX_TIER,
    asks_problems,
    identifier_problem,
    integer_problem,
    mistakes_problems,
    prompt_problems,
    text_problem,
)
from quizzes.visualizations import visualization_problems
from workbench.errors import DeclarationError, UserError, unknown_name

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

    def __post_init__(self) -> None:
        """Check the declaration.

        Raises:
            DeclarationError: If it names what there isn't, or a mistake can't be read.
        """
        for problem in self._problems():
            raise self.error(problem)

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a problem of the declaration."""
        code = getattr(self.generate, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
        return DeclarationError(f"{place}drill {self.id}: {problem}")

    def _problems(self) -> Iterator[str]:
        """Yield the problems of a declaration that can be found without drawing a question."""
        yield from asks_problems(self.asks, self.one_of, self.formula)
        for key, text in (("title", self.title), ("prompt", self.prompt), ("hint", self.hint)):
            if problem := text_problem(text):
                yield f"{key} {problem}."
        yield from prompt_problems(self.prompt)
        if problem := integer_problem(self.tier, 1, MAX_TIER):
            yield f"tier {problem}."
        if self.decimals is not None and (problem := integer_problem(self.decimals, 0, MAX_DECIMALS)):
            yield f"decimals {problem}."
        for mistake in self.mistakes:
            yield from (f"mistake {mistake.name}: {problem}" for problem in self._mistake_problems(mistake))
        yield from mistakes_problems([mistake.name for mistake in self.mistakes])
        yield from visualization_problems(self.visualization)

    def _mistake_problems(self, mistake: Mistake) -> Iterator[str]:
        if problem := identifier_problem(mistake.name):
            yield f"name {problem}."
        if problem := text_problem(mistake.feedback):
            yield f"feedback {problem}."
        if not isinstance(mistake.wrong, str):
            outputs = self.formula.outputs
            yield from (str(unknown_name("output", name, outputs)) for name in mistake.wrong if name not in outputs)
            return
        for text in mistake.wrong.split(";"):
            try:
                check_equation(text, self.formula)
            except FormatError as error:
                yield error.message_with_caret()
            except UserError as error:
                yield str(error)

    def check_generated(self, extras: Collection[str]) -> None:
        """Check that the texts of a drill, and its check, use only names that have a value.

        Args:
            extras: The names of what its generator returns in addition to the symbols.

        Raises:
            DeclarationError: If they don't.
        """
        names = frozenset((*self.formula.symbols, *extras))
        if names in self._checked_names:
            return
        for problem in prompt_problems(self.prompt, names):
            raise self.error(problem)
        for problem in visualization_problems(self.visualization, names):
            raise self.error(problem)
        for name in self.check.parameters if self.check else ():
            if name not in names:
                raise self.error(f"the check in {self.check_module}: {unknown_name('parameter', name, names)}")
        self._checked_names.add(names)

    @cached_property
    def _checked_names(self) -> set[frozenset[str]]:
        """The names with which the texts were checked: those of one variant are usually those of all."""
        return set()

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
        """The module of its check: `checks`, next to `drills.py` or the folder `drills`."""
        package, _, _ = self.generate.__module__.rpartition(".")
        return f"{package.removesuffix('.drills')}.checks"

    @cached_property
    def check(self) -> CheckSource | None:
        """The check that computes the answers by PyTorch or another library; None if there is none."""
        return read_checks(self.check_module).get(self.generate.__name__)


def check_pairs(file: Path, drills: Iterable[Declaration]) -> None:
    """Check that each drill of a topic has a check, and each public function among the checks a drill.

    Args:
        file: The topic's `checks.py`.
        drills: The drills of the topic.

    Raises:
        DeclarationError: If one is missing.
    """
    own = {drill.generate.__name__: drill for drill in drills}
    if not own:
        return
    checks = read_checks(next(iter(own.values())).check_module)
    for name, drill in own.items():
        if name not in checks:
            raise drill.error(f"it has no check; define a function {name} in {file}")
    for name in checks:
        if name not in own and not name.startswith("_"):
            raise DeclarationError(f"{file}: {name} is not the check of a drill; the drills are {', '.join(own)}")
