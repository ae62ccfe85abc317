"""Every formula of the notes, once: a file per chapter. `formula` declares one, `get` finds it."""

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
        equations: One per line (or after a semicolon), in the grammar of `expressions.parser`; each may use the
            ones before it.
        topic: The syllabus topic.
        title: A few words.
        source: Where it was read, or "derivation: ..." with the derivation.
        conventions: What else must be known, where others count or name otherwise.
        procedure: What must be counted first: takes the inputs, gives further values by name.
        procedure_outputs: The names of those values.
        integer_constraints: Expressions of the inputs that must come out whole, separated by commas.
        shapes: Shapes of input arrays that the equations alone don't tell, separated by semicolons: `X[n, d]; u[3]`.
        symbols: For each symbol `kind low..high = default; meaning [unit]`; see `quizzes.symbol`.
    """
    lines = tuple(equation(line) for line in equations.replace(";", "\n").splitlines() if line.strip())
    described = {name: symbol(name, text) for name, text in symbols.items()}
    paragraphs = "\n\n".join(" ".join(paragraph.split()) for paragraph in conventions.split("\n\n"))
    counted, divided = (
        tuple(procedure_outputs.split()),
        tuple(filter(None, map(str.strip, integer_constraints.split(",")))),
    )
    sized = tuple(shape for text in shapes.split(";") if text and isinstance(shape := parse(text), Name))
    made = Formula(id, title, lines, described, source, topic, paragraphs, procedure, counted, divided, sized)
    if _declared.setdefault(id, made) is not made:
        raise ValueError(f"two formulas are called {id}")
    return made


def _chapter_files() -> list[Path]:
    return sorted(Path(__file__).parent.glob("[a-z]*.py"))


def all_formulas() -> dict[str, Formula]:
    """Every formula by id, in the order of the chapters' files."""
    modules = [import_module(f"{__name__}.{file.stem}") for file in _chapter_files()]
    ours = (value for module in modules for value in vars(module).values() if isinstance(value, Formula))
    # Whatever was imported before decides the order of `_declared`, and must not decide this one.
    return {made.id: made for made in ours} | _declared


def get(id: str) -> Formula:
    """The formula of that id.

    Raises:
        UserError: Where there is none, with the nearest ids.
    """
    if id not in _declared:
        for file in _chapter_files():  # load only the chapters whose text declares it
            if f'"{id}"' in file.read_text(encoding="utf-8"):
                import_module(f"{__name__}.{file.stem}")
    return _declared.get(id) or lookup("formula", id, all_formulas())
