"""The declaration of a drill: its formula, what it asks, and the mistakes that it recognizes."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from typing import TypeAlias

from quizzes.answer_symbols import AnswerSymbol
from quizzes.answers.forms import form_problem
from quizzes.check_source import CheckSource, read_checks
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import Value
from quizzes.formula import Formula, Replacement, equation
from quizzes.mistake_equations import check_equation
from quizzes.question import Params, Step
from quizzes.text_checks import (
    MAX_DECIMALS,
    MAX_DIGITS,
    MAX_TIER,
    asks_problems,
    draws_answer,
    identifier_problem,
    integer_problem,
    mistakes_problems,
    prompt_problems,
    text_problem,
    unknown_symbol,
)
from quizzes.visualizations import visualization_problems
from workbench import syllabus
from workbench.errors import DeclarationError, UserError, unknown_name

Inputs: TypeAlias = Params
Generator: TypeAlias = Callable[[Random], Inputs]

MAX_HINTS = 3  # the idea, the formula and the first step


@dataclass(frozen=True)
class Mistake:
    """A mistake as a drill declares it.

    Attributes:
        name: Its name, the same in every variant.
        wrong: The incorrect equations (`a = ...; b = ...`), or for each symbol that it gets wrong its value, or a
            function of the inputs. The value of a choice is the name of an option; that of an order a list of items, or
            for some items those that the student puts before them (None for an item that is left out).
        feedback: What to tell a student who made it.
    """

    name: str
    wrong: str | Mapping[str, Value | Callable[..., Value]]
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

    parts: "tuple[str | Derive, ...]"


def one_of(*parts: "str | Derive") -> OneOf:
    """Ask for one of several symbols, chosen by the seed."""
    return OneOf(parts)


@dataclass(frozen=True)
class Derive:
    """A symbol that a question asks for as an expression.

    Attributes:
        name: The symbol.
        form: The forms that the expression must have; see `answers.forms`.
        in_terms_of: The symbols of the expression: inputs, or values that earlier equations define; empty for the
            inputs without a number.
    """

    name: str
    form: tuple[str, ...] = ()
    in_terms_of: tuple[str, ...] = ()


def derive(name: str, *, in_terms_of: str = "", form: str | tuple[str, ...] = ()) -> Derive:
    """Ask for a symbol as an expression: `derive("g_w", in_terms_of="x h y", form="factored")`."""
    return Derive(name, (form,) if isinstance(form, str) else form, tuple(in_terms_of.split()))


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
        derived: Those that it asks for as expressions, by name.
        prompt: The text of the question, with `{symbol}` for a value.
        hint: The idea as a sentence or a question; empty if `hints` begins with it.
        mistakes: The mistakes that it recognizes.
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        digits: The significant digits of the decimals that are rounded to these instead, by symbol.
        joins: Further topics that it belongs to.
        visualization: The kind of visualization next to it; empty for none.
        steps: values -> worked steps, if the equations alone don't explain the solution; else None.
        hints: The idea, the formula and the first step, if those that are made of the formula and the steps say too
            little; one to three.
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
    hints: Sequence[str] = ()
    derived: Mapping[str, Derive] = field(default_factory=dict)
    digits: Mapping[str, int] = field(default_factory=dict)
    joins: tuple[str, ...] = ()

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
        for key, text in (("title", self.title), ("prompt", self.prompt)):
            if problem := text_problem(text):
                yield f"{key} {problem}."
        yield from self._hints_problems()
        yield from prompt_problems(self.prompt)
        for name, text in self._choice_texts():
            yield from prompt_problems(text, key=f"the text of {name}")
        if problem := integer_problem(self.tier, 1, MAX_TIER):
            yield f"tier {problem}."
        if self.decimals is not None and (problem := integer_problem(self.decimals, 0, MAX_DECIMALS)):
            yield f"decimals {problem}."
        yield from self._digits_problems()
        for derived in self.derived.values():
            yield from self._derived_problems(derived)
        for topic in self.joins:
            if topic not in syllabus.topics():
                yield f"joins: {unknown_name('topic', topic, syllabus.topics())}"
        if missing := sorted(set(self.formula.topics) - {self.formula.topic, self.topic, *self.joins}):
            yield f"its formula joins more topics. Add them to joins: {', '.join(missing)}"
        for mistake in self.mistakes:
            yield from (f"mistake {mistake.name}: {problem}" for problem in self._mistake_problems(mistake))
        yield from mistakes_problems([mistake.name for mistake in self.mistakes])
        yield from visualization_problems(self.visualization)

    def _choice_texts(self) -> Iterator[tuple[str, str]]:
        """Yield the texts of choices and items, whose fields are filled in like those of the prompt, by symbol."""
        for name in self.asks:
            if isinstance(symbol := self.formula.symbols[name], AnswerSymbol):
                yield from ((name, text) for text in symbol.texts)

    def _digits_problems(self) -> Iterator[str]:
        for name, digits in self.digits.items():
            if name not in self.asks:
                yield f"digits: {unknown_name('asked symbol', name, self.asks)}"
            elif problem := integer_problem(digits, 1, MAX_DIGITS):
                yield f"digits of {name} {problem}."

    def _derived_problems(self, derived: Derive) -> Iterator[str]:
        """Yield the problems of a symbol that is asked for as an expression."""
        if not any(eq.name == derived.name and not eq.index for eq in self.formula.equations):
            yield f"asks: derive({derived.name!r}) needs an equation that defines {derived.name} as one value."
        for name in derived.in_terms_of:
            if name not in self.formula.symbols:
                yield f"in_terms_of of {derived.name}: {unknown_symbol(name, self.formula)}"
        for problem in filter(None, map(form_problem, derived.form)):
            yield f"form of {derived.name}: {problem}"

    def draws_answer(self, name: str) -> bool:
        """Return whether a symbol is an input whose value the drill draws and asks for, such as the wrong line."""
        return draws_answer(name, self.formula)

    def _mistake_problems(self, mistake: Mistake) -> Iterator[str]:
        if problem := identifier_problem(mistake.name):
            yield f"name {problem}."
        if problem := text_problem(mistake.feedback):
            yield f"feedback {problem}."
        if not isinstance(mistake.wrong, str):
            options = [*self.formula.outputs, *filter(self.draws_answer, self.asks)]
            for name, value in mistake.wrong.items():
                if name not in options:
                    yield str(unknown_name("output", name, options))
                elif isinstance(symbol := self.formula.symbols[name], AnswerSymbol) and not callable(value):
                    yield from _answer_problems(symbol, value)
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
        for symbol, text in self._choice_texts():
            for problem in prompt_problems(text, names, f"the text of {symbol}"):
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

    def _hints_problems(self) -> Iterator[str]:
        """Yield what is wrong with the hints, which are one to three texts."""
        if isinstance(self.hints, str) or not isinstance(self.hints, Sequence):
            yield f"hints must be a tuple of texts, not {self.hints!r:.60}"
        elif bool(self.hint) == bool(self.hints):
            yield 'it needs either a hint or hints: write hint="...", or hints=(...) with up to three texts'
        elif len(self.author_hints) > MAX_HINTS:
            yield f"hints must have at most {MAX_HINTS} texts, not {len(self.hints)}"
        else:
            for hint in self.author_hints:
                if problem := text_problem(hint):
                    yield f"hint {problem}."

    @property
    def author_hints(self) -> Sequence[str]:
        """The hints that its author wrote, from the idea on."""
        return self.hints or (self.hint,)

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
        return sorted({self.answer_kind(name) for name in self.asks})

    @property
    def topics(self) -> list[str]:
        """The topics that it belongs to, its own first."""
        return [self.topic, *self.joins]

    def answer_kind(self, name: str) -> str:
        """Return the kind of answer for a symbol that it asks for."""
        return "expression" if name in self.derived else self.formula.symbols[name].answer_kind

    @cached_property
    def mistake_rules(self) -> list[MistakeRule]:
        """The mistakes with their equations parsed."""
        return [MistakeRule(m.name, self._replaced(m.wrong), m.feedback) for m in self.mistakes]

    def _replaced(self, wrong: str | Mapping[str, Value | Callable[..., Value]]) -> Mapping[str, Replacement]:
        if not isinstance(wrong, str):
            return {name: value if callable(value) else _constant(value) for name, value in wrong.items()}
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


def _answer_problems(symbol: AnswerSymbol, value: Value) -> Iterator[str]:
    """Yield what is wrong with the value that a mistake gives for a choice, an order or a line."""
    try:
        symbol.check(value)
    except UserError as error:
        yield str(error)


def _constant(value: Value) -> Callable[..., Value]:
    """Return a function of any inputs that has always the same value."""
    return lambda **_: value


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
