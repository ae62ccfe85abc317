"""The drills of a pack: declared in TOML over existing formulas, and drawn and graded like every other drill."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any, TypeVar

from quizzes import formulas
from quizzes.declaration import MAX_HINTS
from quizzes.drill import Drill, Mistake
from quizzes.expressions.parser import FormatError
from quizzes.expressions.tree import UndefinedValue
from quizzes.formula import Formula
from quizzes.mistake_equations import Condition, check_equation, parse_condition
from quizzes.packs.prompt_checks import answer_problems, missing_values, split_asks
from quizzes.packs.samplers import Sampler, make_sampler
from quizzes.question import Question
from quizzes.text_checks import MAX_DECIMALS, MAX_TIER, asks_problems, mistakes_problems, prompt_problems
from quizzes.toml_file import Table
from workbench.errors import UserError

MAX_TRIES = 1000  # draws of inputs until the condition is satisfied
MAX_MISTAKES = 12

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class PackDrill(Drill):
    """A drill of a pack. It has no check by another library, so its values are those of the formula.

    Attributes:
        topic_override: Its syllabus topic; empty for that of the formula.
    """

    topic_override: str = ""

    @property
    def topic(self) -> str:
        """The syllabus topic."""
        return self.topic_override or self.formula.topic

    def draw(self, seed: int) -> Question:
        """Return the question of a seed.

        Raises:
            UserError: If no usable inputs were found.
        """
        try:
            return super().draw(seed)
        except (UndefinedValue, RuntimeError):
            raise UserError(self.no_inputs_message()) from None

    def no_inputs_message(self) -> str:
        """Return the message for a drill whose ranges and condition give no usable inputs."""
        return (
            f"{self.id} finds no usable inputs. Widen its ranges or weaken its condition. Inputs are not usable if two "
            "mistakes give the same answer, or if fewer than two mistakes give an incorrect one."
        )


def read_drill(table: Table, pack: str, topics: Collection[str]) -> PackDrill | None:
    """Return a drill of a pack; None if it has problems, which are reported.

    Args:
        table: The drill's table.
        pack: The name of the pack.
        topics: The ids of the topics that the drill may use.
    """
    id, title = table.identifier("id"), table.short_text("title")
    prompt, hints = table.text("prompt"), _read_hints(table)
    topic = table.one_of("topic", topics, required=False)
    tier, decimals = table.integer("tier", 1, MAX_TIER), table.integer("decimals", 0, MAX_DECIMALS, default=4)
    asks, where = table.text("asks"), table.text("where", required=False)
    ranges, mistake_tables = _read_ranges(table), table.tables("mistake", MAX_MISTAKES)
    formula = _read_formula(table)
    table.report_unknown_keys()
    mistakes = [_read_mistake(mistake, formula) for mistake in mistake_tables]
    if not formula:
        return None
    _check_texts(table, formula, asks, prompt, ranges)
    samplers = _make_samplers(table, formula, ranges)
    condition = _try(table, partial(parse_condition, where, formula), "where") if where else None
    if not all(mistake.is_valid for mistake in mistake_tables):
        return None
    for message in mistakes_problems([name for name, _, _ in mistakes]) if "mistake" in table.data else ():
        table.report(message, "mistake")
    if not table.is_valid:
        return None
    return PackDrill(
        id=f"{pack}/{id}",
        title=title,
        formula=formula,
        generate=_make_generator(formula, samplers, condition),
        tier=tier,
        asks=split_asks(asks),
        one_of="|" in asks,
        prompt=prompt,
        hint="",
        hints=hints,
        mistakes=tuple(Mistake(*mistake) for mistake in mistakes),
        decimals=decimals,
        topic_override=topic,
        joins=tuple(name for name in formula.topics if name != (topic or formula.topic)),
    )


def _read_hints(table: Table) -> tuple[str, ...]:
    """Return the hints of a drill: a list `hints`, or one `hint`."""
    if "hints" not in table.data:
        hint = table.text("hint")
        table.expected_keys.append("hints")
        return (hint,) if hint else ()
    if table.value("hint", required=False) is not None:
        table.report("Write either hint or hints. The first of hints is the same as hint.", "hint")
    return tuple(table.text_list("hints", 1, MAX_HINTS))


def _read_formula(table: Table) -> Formula | None:
    id = table.text("formula")
    return _try(table, partial(formulas.get, id), "formula") if id else None


def _read_ranges(table: Table) -> dict[str, object]:
    header = f"[{table.header('ranges')}]"
    value = table.value("ranges", header=header)
    if isinstance(value, dict):
        return value
    if "ranges" in table.data:
        table.report(f'ranges must be a table. Write a line {header}, and below it lines such as n = "3..9".', "ranges")
    return {}


def _try(table: Table, read: Callable[[], T], *path: str) -> T | None:
    """Return the result of a function; None if it raises an error, which is reported at a path in the table."""
    try:
        return read()
    except FormatError as error:
        table.report(error.message_with_caret(), *path)
    except UserError as error:
        table.report(str(error), *path)
    return None


def _check_texts(table: Table, formula: Formula, asks: str, prompt: str, ranges: Collection[str]) -> None:
    """Report the problems of `asks` and `prompt`, unless they are empty, which was reported before."""
    names = split_asks(asks)
    for message in asks_problems(names, "|" in asks, formula) if asks else ():
        table.report(message, "asks")
    for message in answer_problems([name for name in names if name in formula.symbols], formula):
        table.report(message, "asks")
    needed = [name for name in formula.inputs if name in ranges or not formula.symbols[name].optional]
    if any(name in formula.inputs for name in names):
        needed += formula.outputs
    problems = list(prompt_problems(prompt, formula.symbols)) if prompt else []
    for message in problems or (missing_values(prompt, needed) if prompt else ()):
        table.report(message, "prompt")


def _make_samplers(table: Table, formula: Formula, ranges: dict[str, object]) -> dict[str, Sampler]:
    """Return the sampler of each input with a valid range."""
    samplers = {}
    for name, values in ranges.items():
        if name not in formula.inputs:
            listed = ", ".join(formula.inputs)
            table.report(f"{name[:30]!r} is not an input of {formula.id}. Its inputs are {listed}.", "ranges", name)
        elif sampler := _try(table, partial(make_sampler, values, formula.symbols[name]), "ranges", name):
            samplers[name] = sampler
    if "ranges" in table.data:
        for name in formula.inputs:
            if name not in ranges and formula.symbols[name].is_required:
                table.report(f'The input {name} has no range. Add a line {name} = "..."', "ranges")
    return samplers


def _make_generator(
    formula: Formula, samplers: dict[str, Sampler], condition: Condition | None
) -> Callable[[Random], dict[str, Any]]:
    """Return a function that draws inputs for which the formula has values that satisfy the condition."""

    def generate(rng: Random) -> dict[str, Any]:
        for _ in range(MAX_TRIES):
            inputs = {name: sample(rng) for name, sample in samplers.items()}
            try:
                values = formula.evaluate(formula.complete(inputs))
                if condition is None or condition(values):
                    return inputs
            except (ArithmeticError, LookupError, TypeError, ValueError):  # a procedure may not accept these inputs
                continue
        raise UndefinedValue("no inputs satisfy the condition")

    return generate


def _read_mistake(table: Table, formula: Formula | None) -> tuple[str, str, str]:
    """Return the name, the equations and the feedback of a mistake."""
    name, equations, feedback = table.identifier("name"), table.text("equation"), table.text("feedback")
    table.report_unknown_keys()
    if formula and equations:
        for equation in equations.split(";"):
            _try(table, partial(check_equation, equation, formula), "equation")
    return name, equations, feedback
