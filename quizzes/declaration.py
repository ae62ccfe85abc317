"""The declaration of a drill: its formula, what it asks, and the mistakes that it recognizes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from random import Random
from string import Formatter
from typing import TypeAlias

from quizzes.answer_symbols import AnswerSymbol
from quizzes.answers.forms import form_problem
from quizzes.check_source import CheckSource, read_checks
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import CONSTANTS, Value, names
from quizzes.formula import DeclarationError, Equation, Formula, Replacement, equation
from quizzes.question import Params, Step
from workbench.errors import UserError, unknown_name

Inputs: TypeAlias = Params
Generator: TypeAlias = Callable[[Random], Inputs]


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
        hint: A sentence that helps.
        mistakes: The mistakes that it recognizes.
        decimals: The decimal places of decimal answers; None for exact vectors and matrices.
        digits: The significant digits of the decimals that are rounded to these instead, by symbol.
        joins: Further topics that it belongs to.
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
    derived: Mapping[str, Derive] = field(default_factory=dict)
    digits: Mapping[str, int] = field(default_factory=dict)
    joins: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the declaration.

        Raises:
            DeclarationError: If it names what there isn't, or a mistake can't be read.
        """
        options = ", ".join(self.formula.symbols)
        for name in self.asks:
            if name not in self.formula.symbols:
                raise self.error(f"it asks for {name!r}, which is not a symbol of {self.formula.id}: {options}")
        inputs = [name for name in self.asks if name in self.formula.inputs and not self.draws_answer(name)]
        if self.one_of is False and len(self.asks) > 1 and inputs:
            raise self.error(
                f"it asks for several symbols, so each must be an output: {', '.join(self.formula.outputs)}"
            )
        for text in self._texts():
            for name in {name for _, name, _, _ in Formatter().parse(text) if name is not None}:
                if not name.isidentifier():
                    raise self.error(f"the prompt's field {{{name}}} must be a name")
        for derived in self.derived.values():
            self._check_derived(derived)
        self._check_joins()
        for name in (name for name in self.digits if name not in self.asks):
            raise self.error(f"digits: it does not ask for {name!r}")
        for mistake in self.mistakes:
            self._check_mistake(mistake)

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a problem of the declaration."""
        code = getattr(self.generate, "__code__", None)
        place = f"{code.co_filename}:{code.co_firstlineno}: " if code else ""
        return DeclarationError(f"{place}drill {self.id}: {problem}")

    def draws_answer(self, name: str) -> bool:
        """Return whether a symbol is an input whose value the drill draws and asks for, such as the wrong line."""
        return name in self.formula.inputs and isinstance(self.formula.symbols[name], AnswerSymbol)

    def _texts(self) -> Iterator[str]:
        """Yield the texts whose fields are filled in."""
        yield self.prompt
        for symbol in (self.formula.symbols[name] for name in self.asks):
            if isinstance(symbol, AnswerSymbol):
                yield from symbol.texts

    def _check_derived(self, derived: Derive) -> None:
        """Check that an equation defines a symbol that is asked for as an expression, and its forms.

        Raises:
            DeclarationError: If there is a problem.
        """
        if not any(eq.name == derived.name and not eq.index for eq in self.formula.equations):
            raise self.error(f"it asks for an expression of {derived.name!r}, and no equation defines it")
        for name in derived.in_terms_of:
            if name not in self.formula.symbols:
                raise self.error(f"{derived.name} in terms of {name!r}, which is not a symbol of {self.formula.id}")
        for problem in filter(None, map(form_problem, derived.form)):
            raise self.error(f"{derived.name}: {problem}")

    def _check_joins(self) -> None:
        """Check that the drill joins the topics of all formulas that its formula joins.

        Raises:
            DeclarationError: If one is missing.
        """
        if missing := sorted(set(getattr(self.formula, "topics", ())) - {self.topic, *self.joins}):
            raise self.error(f"its formula joins more topics. Add them to joins: {', '.join(missing)}")

    def _check_mistake(self, mistake: Mistake) -> None:
        """Check that a mistake redefines symbols that the formula defines, in terms of symbols that it has.

        Raises:
            DeclarationError: If it doesn't.
        """
        try:
            replaced = self._replaced(mistake.wrong)
        except (FormatError, TypeError) as error:
            raise self.error(f"mistake {mistake.name}: {error}") from None
        defined = ", ".join(self.formula.outputs)
        for name, replacement in replaced.items():
            symbol = self.formula.symbols.get(name)
            if isinstance(symbol, AnswerSymbol) and not isinstance(mistake.wrong, str):
                self._check_answer(mistake, symbol, mistake.wrong[name])
            if name in self.asks and self.draws_answer(name):
                continue
            if name not in self.formula.outputs:
                raise self.error(
                    f"mistake {mistake.name}: nothing defines {name!r}; {self.formula.id} defines {defined}"
                )
            if isinstance(replacement, Equation):
                for used in sorted(names(replacement.tree) - {*replacement.index, *CONSTANTS, *self.formula.symbols}):
                    raise self.error(
                        f"mistake {mistake.name}: {used!r} is not a symbol of {self.formula.id}: "
                        + ", ".join(self.formula.symbols)
                    )

    def _check_answer(self, mistake: Mistake, symbol: AnswerSymbol, value: Value) -> None:
        """Check the value that a mistake gives for a choice, an order or a line, unless a function computes it.

        Raises:
            DeclarationError: If it can't be an answer.
        """
        try:
            if not callable(value):
                symbol.check(value)
        except UserError as error:
            raise self.error(f"mistake {mistake.name}: {error}") from None

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
        """The module of its check: `checks`, next to the drill's own."""
        return f"{self.generate.__module__.rpartition('.')[0]}.checks"

    @cached_property
    def check(self) -> CheckSource | None:
        """The check that computes the answers by PyTorch or another library; None if there is none."""
        return read_checks(self.check_module).get(self.generate.__name__)


def _constant(value: Value) -> Callable[..., Value]:
    """Return a function of any inputs that has always the same value."""
    return lambda **_: value


def check_pairs(file: Path, drills: Iterable[Declaration]) -> None:
    """Check that each drill of a topic has a check, each public function among the checks a drill, and topics to join.

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
        for topic in drill.joins:
            options = [folder.parent.name.replace("_", "-") for folder in file.parents[2].glob("*/*/__init__.py")]
            if topic not in options:
                raise drill.error(str(unknown_name("topic", topic, options)))
        if name not in checks:
            raise drill.error(f"it has no check; define a function {name} in {file}")
    for name in checks:
        if name not in own and not name.startswith("_"):
            raise DeclarationError(f"{file}: {name} is not the check of a drill; the drills are {', '.join(own)}")
