"""A procedure that can be stepped through: a sequence of states, each with a caption, values and a drawing.

    @procedure("nms", NMS, title="Non-maximum suppression, box by box", example=dict(boxes=[...], scores=[...]))
    def nms(boxes: list[Box], scores: list[Number], tau: Number) -> Iterator[State]:
        \"\"\"Visit the boxes by decreasing score; ...\"\"\"
        yield State("Sort the boxes by score: ...", dict(order=order), Visualization("suppression", {...}))

The values and the data of a drawing are copied when a state is yielded, so they may be lists that grow.

It belongs to a formula, whose id, inputs and source it has, or declares its own inputs like a formula. The values of
its last state are its result, and contain the outputs of the formula.
"""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from fractions import Fraction
from itertools import islice
from math import isfinite
from typing import Any, TypeAlias

from quizzes.expressions.parser import write
from quizzes.expressions.tree import Num, Op, Tree, UndefinedValue, Value, Values, substitute
from quizzes.formula import Formula
from quizzes.question import Params, Visualization, to_json, value_text
from quizzes.symbols import Symbol
from workbench.errors import DeclarationError, UserError

MAX_STATES = 10_000
MAX_NUMBERS = 2_000_000  # in the values and drawings of all states together
DECIMALS = 4  # of numbers in captions
MAX_LISTED = 10  # numbers of a list in a caption
SMALL, LARGE = 0.001, 1e9  # beyond them, numbers have an exponent


@dataclass(frozen=True)
class State:
    """One state of a procedure, as plain data.

    Attributes:
        caption: What happened and why, with its numbers, each of which is among the values or the inputs.
        values: The values so far, by name.
        visualization: What to draw; None for nothing.
    """

    caption: str
    values: Params = field(default_factory=dict)
    visualization: Visualization | None = None

    def to_json(self, number: int) -> Params:
        """Return the state as JSON data, with its number, counted from 1."""
        return {"state": number, **asdict(self)}


NEGATIVE_OPERAND = re.compile(r"(?<=[-+*/] )-\d[\d.]*(?:e-?\d+)?")

Generator: TypeAlias = Callable[..., Iterator[State]]


class Procedure:
    """A procedure; see the module's docstring for how one is declared.

    Attributes:
        id: Its name on the command line.
        title: A few words.
        formula: The formula that it belongs to, or one without equations that holds its own inputs.
        symbols: Its inputs by name, each with a default or optional.
        generate: Yields the states, from the inputs by name.
    """

    def __init__(self, id: str, formula: Formula, title: str, example: Mapping[str, Value], generate: Generator):
        self.id, self.formula, self.title, self.generate = id, formula, title, generate
        self._check(example)
        own = {name: formula.symbols[name] for name in formula.inputs}
        try:
            self.symbols = {
                name: replace(symbol, default=symbol.check(symbol.exact(example[name]))) if name in example else symbol
                for name, symbol in own.items()
            }
        except UserError as error:
            raise self.error(f"the example can't be used: {error}") from None

    def error(self, problem: str) -> DeclarationError:
        """Return the error for a problem of the declaration."""
        return _error(self.generate, self.id, problem)

    def _check(self, example: Mapping[str, Value]) -> None:
        """Check that the inputs, the example and the parameters of the generator fit each other.

        Raises:
            DeclarationError: If they don't.
        """
        formula, inputs = self.formula, ", ".join(self.formula.inputs)
        if not self.title.strip():
            raise self.error("it has no title")
        if formula.id != self.id:
            raise self.error(f"its id must be that of its formula, {formula.id}")
        if not inspect.isgeneratorfunction(self.generate):
            raise self.error("it must be a function that yields states")
        for name in example:
            if name not in formula.inputs:
                raise self.error(f"the example has {name!r}, which is not an input: {inputs}")
            if formula.symbols[name].default is not None:
                raise self.error(f"the example has {name!r}, whose default is that of the formula; leave it out")
        for name in formula.inputs:
            if formula.symbols[name].is_required and name not in example:
                raise self.error(f"the input {name} has no default. Add it to example=dict({name}=...)")
        parameters = inspect.signature(self.generate).parameters.values()
        accepted = {p.name for p in parameters if p.kind is not p.VAR_KEYWORD}
        if unknown := sorted(accepted - set(formula.inputs)):
            raise self.error(f"the parameter {unknown[0]} is not an input: {inputs}")
        if len(accepted) == len(parameters) and (missing := [n for n in formula.inputs if n not in accepted]):
            raise self.error(f"the function has no parameter {missing[0]}")

    @property
    def topic(self) -> str:
        """The syllabus topic."""
        return self.formula.topic

    @property
    def source(self) -> str:
        """A reference, or the derivation."""
        return self.formula.source

    def input_text(self, values: Values | None = None) -> str:
        """Return the inputs as a line that `symbols.split_assignments` splits; optional ones only if they are given."""
        inputs = {name: symbol.default for name, symbol in self.symbols.items()} | dict(values or {})
        texts = {name: value_text(to_json(value)) for name, value in inputs.items() if value is not None}
        return " ".join(f"{name}={text.replace('e-0', 'e-')}" for name, text in texts.items())

    def complete(self, values: Values) -> dict[str, Value]:
        """Return the inputs, exact and checked; those that are not given are those of the example.

        Raises:
            UserError: If an input is unknown or outside its domain.
        """
        defaults = {name: symbol.default for name, symbol in self.symbols.items() if symbol.default is not None}
        return self.formula.complete({**defaults, **values})

    def states(self, values: Values | None = None) -> list[State]:
        """Return all states for some inputs.

        Raises:
            UserError: If the inputs can't be used, a value is undefined, or there are too many states.
        """
        states: list[State] = []
        numbers = 0
        try:
            for state in islice(self.generate(**self.complete(values or {})), MAX_STATES + 1):
                visualization = state.visualization and replace(
                    state.visualization, data=_plain(state.visualization.data, is_rounded=True)
                )
                states.append(State(state.caption, _plain(state.values), visualization))
                numbers += _count(states[-1].values) + (_count(visualization.data) if visualization else 0)
                if len(states) > MAX_STATES or numbers > MAX_NUMBERS:
                    raise UserError(
                        f"{self.id} has more states than can be stepped through ({MAX_STATES:,} states, or "
                        f"{MAX_NUMBERS:,} numbers in them). Use smaller inputs."
                    )
        except UndefinedValue as reason:
            raise UserError(f"{self.id} has no value there: {reason}.") from None
        except OverflowError:
            raise UserError(f"The values of {self.id} grow beyond all bounds. Use smaller inputs.") from None
        return states

    def result(self, values: Values | None = None) -> Params:
        """Return the values of the last state.

        Raises:
            UserError: As `states` does.
        """
        return self.states(values)[-1].values


def _error(generate: Generator, id: str, problem: str) -> DeclarationError:
    code = generate.__code__
    return DeclarationError(f"{code.co_filename}:{code.co_firstlineno}: procedure {id}: {problem}")


def procedure(
    id: str,
    formula: Formula | None = None,
    *,
    title: str,
    source: str = "",
    example: Mapping[str, Value] | None = None,
    **symbols: Symbol,
) -> Callable[[Generator], Procedure]:
    """Declare a procedure; it decorates the generator of its states.

    The id and the title are literals, because lists read them without importing the file.

    Args:
        id: Its name on the command line; that of the formula, if it belongs to one.
        formula: The formula that it belongs to: it has its inputs and its source. None if it declares its own.
        title: A few words.
        source: A reference, or "derivation: ...", if it belongs to no formula.
        example: The inputs that have no default in the formula.
        symbols: Its inputs by name, each with a default, if it belongs to no formula.
    """

    def declare(generate: Generator) -> Procedure:
        if bool(formula) == bool(symbols):
            raise _error(generate, id, "it needs either a formula or inputs of its own")
        if bool(formula) == bool(source):
            raise _error(generate, id, "it needs a source, unless it belongs to a formula, whose source it has")
        if formula:
            return Procedure(id, formula, title, example or {}, generate)
        inputs: dict[str, Any] = dict(symbols)
        topic = generate.__module__.split(".")[-2].replace("_", "-")
        try:
            holder = Formula(id, "", title=title, source=source, topic=topic, **inputs)
        except DeclarationError as error:
            raise _error(generate, id, str(error).partition(f"formula {id}: ")[2]) from None
        return Procedure(id, holder, title, example or {}, generate)

    return declare


def number_text(value: Value, unlike: Value = None) -> str:
    """Write a number as in a caption: to 4 decimal places, and a very small or large one with an exponent.

    Args:
        value: The number.
        unlike: A number that it is compared with: if both look the same, further decimal places are written.
    """
    if value == int(value) and abs(value) < LARGE:
        return str(int(value))
    size = abs(float(value))
    if size < SMALL or size >= LARGE:
        digits, exponent = f"{float(value):.3e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(exponent)}"
    texts = (f"{float(value):.{decimals}f}".rstrip("0").rstrip(".") for decimals in range(DECIMALS, 16))
    return next((text for text in texts if unlike is None or value == unlike or float(text) != unlike), str(value))


def with_numbers(tree: Tree, values: Values) -> str:
    """Write an expression with numbers in place of its symbols, as a caption does."""
    text = write(substitute(tree, {name: _number_tree(value) for name, value in values.items()}))
    return NEGATIVE_OPERAND.sub(r"(\g<0>)", text)


def _number_tree(value: Value) -> Tree:
    number = Num(Fraction(abs(value)), number_text(abs(value)))
    return Op("neg", (number,)) if value < 0 else number


def in_parentheses(value: Value) -> str:
    """Write a number that follows an operator: a negative one in parentheses."""
    return f"({number_text(value)})" if value < 0 else number_text(value)


def list_text(values: list[Value]) -> str:
    """Write numbers as a list; the middle of a long one is left out."""
    texts = list(map(number_text, values))
    if len(texts) > MAX_LISTED:
        texts = [*texts[: MAX_LISTED - 2], "...", texts[-1]]
    return f"[{', '.join(texts)}]"


def _plain(value: Any, is_rounded: bool = False) -> Any:
    """Return a value as JSON data, with decimals as they are or as a caption writes them.

    Raises:
        OverflowError: If a number is not finite.
    """
    if isinstance(value, dict):
        return {key: _plain(item, is_rounded) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, is_rounded) for item in value]
    number = to_json(value)
    if isinstance(number, float):
        if not isfinite(number):
            raise OverflowError
        rounded = float(number_text(number)) if is_rounded else number
        return rounded if isfinite(rounded) else number
    return number


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return sum(map(_count, value.values()))
    return sum(map(_count, value)) if isinstance(value, list) else 1
