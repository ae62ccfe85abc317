"""The drills of a pack: declared in TOML, over formulas that are there, and drawn and marked as every other drill."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import partial
from random import Random
from typing import Any

from quizzes import formulas
from quizzes.drill import Drill
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Formula
from quizzes.packs.asking import asked, flaws_of_asks, flaws_of_prompt
from quizzes.packs.equations import check_equation, condition
from quizzes.packs.page import Table
from quizzes.packs.ranges import Draw, reader
from quizzes.question import Question
from quizzes.variant import LEAST_MISTAKES
from workbench.errors import UserError

TRIES = 1000  # drawings of numbers until the condition holds
MISTAKES = 12


@dataclass(eq=False)
class PackDrill(Drill):
    """A drill of a pack; `about` is its topic, where that isn't the formula's. No library computes it a second time."""

    about: str = ""

    @property
    def topic(self) -> str:
        """The syllabus topic."""
        return self.about or self.formula.topic

    def draw(self, seed: int) -> Question:
        """The question of a seed.

        Raises:
            UserError: Where its ranges and its condition leave no numbers.
        """
        try:
            return replace(super().draw(seed), verify="")
        except (UndefinedValue, RuntimeError):
            raise UserError(self.dry()) from None

    def dry(self) -> str:
        """What is said where no numbers are found."""
        return (
            f"{self.id} finds no numbers to ask: make its ranges wider, or its condition weaker; numbers by which "
            "two mistakes, or a mistake and the truth, agree are left out."
        )


def read_drill(table: Table, pack: str, topics: Collection[str]) -> PackDrill | None:
    """A drill of a pack; None where its problems leave none."""
    id, title, prompt, hint = table.word("id"), table.line("title"), table.text("prompt"), table.text("hint")
    about = table.one_of("topic", topics, needed=False)
    tier, decimals = table.integer("tier", 1, 3), table.integer("decimals", 0, 10, default=4)
    asks, where = table.text("asks"), table.text("where", needed=False)
    ranges, mistakes = _table(table, "ranges"), table.tables("mistake", MISTAKES)
    formula = _formula(table)
    table.close()
    ways = [_mistake(one, formula) for one in mistakes]
    if not formula:
        return None
    _check_words(table, formula, asks, prompt, ranges)
    draws = _draws(table, formula, ranges)
    holds = _tried(table, partial(condition, where, formula), "where") if where else None
    if len(mistakes) < LEAST_MISTAKES and "mistake" in table.data:
        table.report(f"A drill knows at least {LEAST_MISTAKES} mistakes: add [[drill.mistake]].")
    if len({one.data.get("name") for one in mistakes if one.sound}) < sum(one.sound for one in mistakes):
        table.report("Two of its mistakes have the same name.", "mistake")
    if not table.sound or not all(one.sound for one in mistakes):
        return None
    made = PackDrill(
        id=f"{pack}/{id}",
        title=title,
        formula=formula,
        generate=_generator(formula, draws, holds or (lambda values: True)),
        tier=tier,
        asks=asked(asks),
        one_of="|" in asks,
        prompt=prompt,
        hint=hint,
        decimals=decimals,
        visualization="",
        steps=None,
        mistake_rules=[],
        scripts=[],
        about=about,
    )
    for name, equations, feedback in ways:
        made.mistake(name, equations, feedback)
    return made


def _formula(table: Table) -> Formula | None:
    known = formulas.all_formulas()
    return known.get(table.one_of("formula", known))


def _table(table: Table, key: str) -> dict[str, Any]:
    header = f"[{table.header(key)}]"
    value = table.value(key, header=header)
    if key in table.data and not isinstance(value, dict):
        table.report(f'{key} is a table: write a line {header}, and below it lines such as n = "3..9".', key)
    return value if isinstance(value, dict) else {}


def _tried(table: Table, read: Callable[[], Any], *inside: str) -> Any:
    """What is read; None where it is refused, and the problem is noted."""
    try:
        return read()
    except FormatError as error:
        table.report(error.message_with_caret(), *inside)
    except UserError as error:
        table.report(str(error), *inside)
    return None


def _check_words(table: Table, formula: Formula, asks: str, prompt: str, ranges: Collection[str]) -> None:
    """Look at what the drill asks for and says."""
    for sentence in flaws_of_asks(asks, formula) if asks else ():
        table.report(sentence, "asks")
    backwards = any(name in formula.inputs for name in asked(asks))
    needed = [name for name in formula.inputs if name in ranges or not formula.symbols[name].optional]
    needed += formula.outputs if backwards else ()
    for sentence in flaws_of_prompt(prompt, formula, needed) if prompt else ():
        table.report(sentence, "prompt")


def _draws(table: Table, formula: Formula, ranges: dict[str, Any]) -> dict[str, Draw]:
    """What draws each input."""
    draws = {}
    for name, value in ranges.items():
        if name not in formula.inputs:
            listed = ", ".join(formula.inputs)
            table.report(f"{name[:30]!r} is no input of {formula.id}: its inputs are {listed}.", "ranges", name)
        elif draw := _tried(table, partial(reader, value, formula.symbols[name]), "ranges", name):
            draws[name] = draw
    if "ranges" in table.data:
        for name in formula.inputs:
            if name not in ranges and formula.symbols[name].is_required:
                table.report(f'The input {name} has no range: add {name} = "...".', "ranges")
    return draws


def _generator(formula: Formula, draws: dict[str, Draw], holds: Callable[[dict], bool]) -> Callable[[Random], dict]:
    """What draws numbers for which the formula has a value and the condition holds."""

    def generate(rng: Random) -> dict[str, Any]:
        for _ in range(TRIES):
            drawn = {name: draw(rng) for name, draw in draws.items()}
            try:
                if holds(formula.evaluate(formula.complete(drawn))):
                    return drawn
            except (ArithmeticError, LookupError, TypeError, ValueError):  # a procedure may not be made for these
                continue
        raise UndefinedValue("no numbers fulfil the condition")

    return generate


def _mistake(table: Table, formula: Formula | None) -> tuple[str, str, str]:
    """A wrong way: its name, its equations and what is said to who goes it."""
    name, text, feedback = table.word("name"), table.text("equation"), table.text("feedback")
    table.close()
    if formula and text:
        for piece in text.split(";"):
            _tried(table, partial(check_equation, piece, formula), "equation")
    return name, text, feedback
