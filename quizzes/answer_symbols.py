"""Symbols that only an answer gives: choices, orders, matches, and lines of a program.

    cause=Choice(options=dict(lr="the learning rate is too high", init="the weights start at 0"), meaning="cause"),
    fix=Line(meaning="the line, corrected", signatures=("F.relu(input, inplace=False)",)),

Such a symbol is an output, computed by an equation (a choice, by its number) or a procedure, or an input: then the
generator draws its value, and the drill may ask for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from itertools import islice
from random import Random
from typing import Self

from quizzes.answers.labels import letter_of
from quizzes.answers.lines import PYTORCH, parse_line, read_context
from quizzes.answers.orders import MAX_ITEMS, possible_orders
from quizzes.expressions.tree import Value, exact
from quizzes.question import Part
from quizzes.symbols import Text
from workbench.errors import UserError, unknown_name

MAX_ORDERS = 500  # that a mistake leads to


@dataclass(frozen=True)
class AnswerSymbol(Text):
    """A symbol whose value a question never shows. An input of this kind may be asked for, since the drill draws it."""

    _: KW_ONLY
    optional: bool = True  # equations rarely need it

    @property
    def texts(self) -> list[str]:
        """The texts whose fields are filled in."""
        return []

    def check(self, value: Value) -> Value:
        return value

    def candidates(self, value: Value) -> list[Value]:
        """Return the answers that a value stands for, the main one first."""
        return [value]

    def complete_part(self, part: Part, value: Value, texts: Mapping[str, str], rng: Random) -> Part:
        """Return the part of a question that asks for it, with what its kind of answer needs.

        Args:
            part: The part so far.
            value: The correct value.
            texts: The texts for fields such as `{n}`.
            rng: Shuffles the choices.
        """
        return part


@dataclass(frozen=True)
class Choice(AnswerSymbol):
    """One of several options: `Choice(options=dict(sgd="plain SGD", adam="Adam"), meaning="cheaper optimizer")`.

    Its value is the name of an option, or the number of one, from 1, if an equation computes it.

    Attributes:
        options: The text of each option by its name; `{n}` in it is the value of n.
        supported_by: The symbols, separated by spaces, without whose correct values the choice earns nothing.
    """

    kind, answer_kind, in_words = "choice", "choice", "one of the options"

    _: KW_ONLY
    options: Mapping[str, str] = field(default_factory=dict)
    supported_by: str = ""

    def __post_init__(self) -> None:
        _check_names(self.options)

    @property
    def texts(self) -> list[str]:
        return list(self.options.values())

    def check(self, value: Value) -> Value:
        if value not in self.options:
            raise unknown_name(self.meaning, str(value), self.options)
        return value

    def describe_domain(self) -> str:
        return f"one of {', '.join(f'{name} ({number})' for number, name in enumerate(self.options, 1))}"

    def complete_part(self, part: Part, value: Value, texts: Mapping[str, str], rng: Random) -> Part:
        order = rng.sample(list(self.options), len(self.options))
        numbers = {name: k for k, name in enumerate(self.options, 1)}
        return replace(
            part,
            choices=[self.options[name].format(**texts) for name in order],
            choice_values=[numbers[name] for name in order] if isinstance(value, int) else order,
            supported_by=self.supported_by.split(),
        )


@dataclass(frozen=True)
class Choices(Choice):
    """Several of several options; its value is the list of their names."""

    kind, answer_kind, in_words, depth = "choices", "choices", "some of the options", 1

    def check(self, value: Value) -> Value:
        return [super(Choices, self).check(name) for name in value]


@dataclass(frozen=True)
class Match(AnswerSymbol):
    """Items to match with options; its value has the name of an option for the name of each item.

    Attributes:
        items: The text of each item by its name; `{n}` in it is the value of n.
        options: The text of each option by its name.
    """

    kind, answer_kind, in_words = "match", "match", "a partner of each item"

    _: KW_ONLY
    items: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names([*self.items, *self.options])

    @property
    def texts(self) -> list[str]:
        return [*self.items.values(), *self.options.values()]

    def check(self, value: Value) -> Value:
        for item, option in value.items():
            if item not in self.items or option not in self.options:
                raise UserError(f"{item} = {option} is not an item and an option of {self.name}.")
        return value

    def complete_part(self, part: Part, value: Value, texts: Mapping[str, str], rng: Random) -> Part:
        items, options = (rng.sample(list(names), len(names)) for names in (self.items, self.options))
        return replace(
            part,
            items=[self.items[name].format(**texts) for name in items],
            item_values=items,
            choices=[self.options[name].format(**texts) for name in options],
            choice_values=options,
        )


@dataclass(frozen=True)
class Order(AnswerSymbol):
    """Items to put in order; its value is the list of their names, by default as they are declared.

    Attributes:
        items: The text of each item by its name; `{n}` in it is the value of n.
        distractors: The texts of items that don't belong, by name.
        after: For an item, the items, separated by spaces, that must come before it, if several orders are correct.
    """

    kind, answer_kind, in_words, depth = "order", "order", "items in order", 1

    _: KW_ONLY
    items: Mapping[str, str] = field(default_factory=dict)
    distractors: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        _check_names([*self.items, *self.distractors])
        for item in [*self.after, *" ".join(self.after.values()).split()]:
            if item not in self.items:
                raise unknown_name("item", item, self.items)
        if self.after and len(self.items) > MAX_ITEMS:
            raise ValueError(f"an order with several correct answers has at most {MAX_ITEMS} items")
        if self.after and not any(possible_orders(self._needs(self.items))):
            raise ValueError("no order of the items is possible, because they need each other")

    @property
    def texts(self) -> list[str]:
        return [*self.items.values(), *self.distractors.values()]

    def check(self, value: Value) -> Value:
        options = [*self.items, *self.distractors]
        needs = " ".join(filter(None, value.values())).split() if isinstance(value, Mapping) else []
        for name in (*value, *needs):
            if name not in options:
                raise unknown_name("item", name, options)
        return value

    def named(self, name: str) -> Self:
        return replace(self, name=name, default=self.default or list(self.items))

    def _needs(self, names: Iterable[str]) -> dict[str, list[str]]:
        """Return the items that must come before each item of an answer."""
        order = list(names)
        if not self.after:
            return {name: order[:k] for k, name in enumerate(order)}
        return {name: [other for other in self.after.get(name, "").split() if other in order] for name in order}

    def candidates(self, value: Value) -> list[Value]:
        """Return the order; of changed needs (see `declaration.Mistake`) every order that they allow."""
        if not isinstance(value, Mapping):
            return [value]
        needs = self._needs(self.items) | {name: (others or "").split() for name, others in value.items()}
        absent = {name for name, others in value.items() if others is None}
        remaining = {name: others for name, others in needs.items() if name not in absent}
        return list(islice(possible_orders(remaining), MAX_ORDERS))

    def complete_part(self, part: Part, value: Value, texts: Mapping[str, str], rng: Random) -> Part:
        items = {**self.items, **self.distractors}
        names = [*value, *self.distractors]
        order = names
        while order == names:
            order = rng.sample(names, len(names))
        part = replace(part, choices=[items[name].format(**texts) for name in order], choice_values=order)
        needs = self._needs(value).items() if self.after else ()
        before = [[letter_of(other, part), letter_of(name, part)] for name, others in needs for other in others]
        return replace(part, before=before)


@dataclass(frozen=True)
class Line(AnswerSymbol):
    """A line of a program; its value is the line, or a list of it and others that are accepted too.

    Attributes:
        imports: The import statements of the program.
        signatures: The signatures of functions that the line may call; see `answers.lines`.
    """

    kind, answer_kind, in_words = "line", "line", "a line of Python"

    _: KW_ONLY
    imports: tuple[str, ...] = PYTORCH
    signatures: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        read_context(self.imports, self.signatures)

    def check(self, value: Value) -> Value:
        for line in self.candidates(value):
            parse_line(line)
        return value

    def candidates(self, value: Value) -> list[Value]:
        return value if isinstance(value, list) else [value]

    def complete_part(self, part: Part, value: Value, texts: Mapping[str, str], rng: Random) -> Part:
        return replace(part, imports=list(self.imports), signatures=list(self.signatures))


class LineNumber(AnswerSymbol):
    """The number of a line, as a program is shown; its value is the number, or a list of it and others that fit too."""

    kind, answer_kind, in_words = "line-number", "integer", "the number of a line"

    def candidates(self, value: Value) -> list[Value]:
        return value if isinstance(value, list) else [value]


def _check_names(names: Iterable[str]) -> None:
    """Check that names of options or items are words, since a text that is a number becomes one.

    Raises:
        ValueError: If one is a number.
    """
    for name in names:
        if not isinstance(exact(name), str):
            raise ValueError(f"the name {name!r} of an option or item must be a word")
