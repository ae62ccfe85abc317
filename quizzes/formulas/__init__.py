"""All formulas, in one file per chapter. `formula` declares a formula, `get` looks one up by id."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from quizzes.expressions.parser import parse
from quizzes.expressions.tree import Name
from quizzes.formula import Formula, equation
from quizzes.symbol import symbol
from workbench.errors import lookup

_declared: dict[str, Formula] = {}


def formula(
    id: str,
    equations: str,
    *,
    topic: str,
    title: str,
    source: str,
    conventions: str = "",
    procedure: Callable[..., dict[str, Any]] | None = None,
    procedure_outputs: str = "",
    integer_constraints: str = "",
    shapes: str = "",
    **symbols: str,
) -> Formula:
    """Declare a formula.

    Args:
        id: Its name on the command line.
        equations: One per line (or separated by semicolons), in the grammar of `expressions.parser`. Each may use the
            symbols that earlier ones define.
        topic: The id of its topic in the syllabus.
        title: A short title.
        source: A reference, or "derivation: ..." with the derivation.
        conventions: Paragraphs on conventions that differ between sources.
        procedure: A function for what equations can't express, such as counting. It takes the inputs and returns
            further values by name, for the equations to use.
        procedure_outputs: The names of these values, separated by spaces.
        integer_constraints: Expressions of the inputs whose values must be integers, separated by commas.
        shapes: Shapes of input arrays that don't follow from the equations, separated by semicolons: `X[n, d]; u[3]`.
        symbols: For each symbol `kind low..high = default; meaning [unit]`; see `quizzes.symbol`.

    Raises:
        ValueError: If another formula has the id.
    """
    lines = tuple(equation(line) for line in equations.replace(";", "\n").splitlines() if line.strip())
    declared = Formula(
        id,
        title,
        lines,
        {name: symbol(name, text) for name, text in symbols.items()},
        source,
        topic,
        "\n\n".join(" ".join(paragraph.split()) for paragraph in conventions.split("\n\n")),
        procedure,
        tuple(procedure_outputs.split()),
        tuple(filter(None, map(str.strip, integer_constraints.split(",")))),
        tuple(shape for text in shapes.split(";") if text and isinstance(shape := parse(text), Name)),
    )
    if _declared.setdefault(id, declared) is not declared:
        raise ValueError(f"Two formulas have the id {id}.")
    return declared


def _chapter_files() -> list[Path]:
    return sorted(Path(__file__).parent.glob("[a-z]*.py"))


def all_formulas() -> dict[str, Formula]:
    """Return every formula by id, in the order of the chapters' files."""
    modules = [import_module(f"{__name__}.{file.stem}") for file in _chapter_files()]
    formulas = (value for module in modules for value in vars(module).values() if isinstance(value, Formula))
    # The order of `_declared` depends on what was imported first; this one must not.
    return {formula.id: formula for formula in formulas} | _declared


def get(id: str) -> Formula:
    """Return the formula with that id.

    Raises:
        UserError: If there is none; the message names the closest ids.
    """
    if id not in _declared:
        for file in _chapter_files():  # load only the chapters whose text declares it
            if f'"{id}"' in file.read_text(encoding="utf-8"):
                import_module(f"{__name__}.{file.stem}")
    return _declared.get(id) or lookup("formula", id, all_formulas())
