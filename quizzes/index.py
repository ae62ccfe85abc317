"""The entries of lists: drills, cards and formulas, read from the files of a topic without importing them."""

import ast
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from quizzes.static import Derived, Formula, SourceFile, Sources
from workbench.errors import DeclarationError, unknown_name


class DrillEntry(NamedTuple):
    """The part of a drill that lists show, and where it is declared; `joins` are further topics that it belongs to."""

    id: str
    type: str
    topic: str
    title: str
    tier: int
    kinds: list[str]
    joins: list[str]
    file: str
    line: int


class CardEntry(NamedTuple):
    """The part of a card that lists show, and where it is declared."""

    id: str
    topic: str
    kind: str
    prompt: str
    file: str
    line: int


class FormulaEntry(NamedTuple):
    """The part of a formula that lists show, and where it is declared."""

    id: str
    topic: str
    title: str
    equations: list[str]
    file: str
    line: int


Entry: TypeAlias = DrillEntry | CardEntry | FormulaEntry


def read_drills(sources: Sources, path: Path) -> list[DrillEntry]:
    """Return the drills of a file.

    Raises:
        DeclarationError: If one can't be read without running it.
    """
    file = sources.file(path)
    return [_drill(file, function, call) for function, call in file.functions()]


def _drill(file: SourceFile, function: ast.FunctionDef, call: ast.Call) -> DrillEntry:
    formula = file.value(call.args[0]) if call.args else None
    if not isinstance(formula, Formula):
        raise file.error(call, f"drill {function.name}: its first argument must be a formula")
    arguments = file.arguments(call, {"id", "asks", "tier", "joins"})
    asks, kinds = arguments.get("asks", ()), set()
    for one in [asks] if isinstance(asks, str | Derived) else asks:
        name = one.name if isinstance(one, Derived) else one
        if (kind := formula.answer_kind(name)) is None:
            unknown = unknown_name(f"symbol of {formula.id}", name, formula.symbols)
            raise file.error(call, f"drill {function.name}: {unknown}")
        kinds.add("expression" if isinstance(one, Derived) else kind)
    id = arguments.get("id") or function.name.replace("_", "-")
    title = (ast.get_docstring(function, clean=False) or "").strip().rstrip(".")
    line = min(decorator.lineno for decorator in function.decorator_list)
    tier = arguments.get("tier", 1)
    joins = [*arguments.get("joins", ())]
    return DrillEntry(id, id.partition(":")[0], formula.topic, title, tier, sorted(kinds), joins, str(file.path), line)


def read_formulas(sources: Sources, path: Path) -> list[FormulaEntry]:
    """Return the formulas of a file.

    Raises:
        DeclarationError: If one can't be read without running it.
    """
    return [
        FormulaEntry(formula.id, formula.topic, formula.title, [*formula.equations], str(path), call.lineno)
        for formula, call in sources.file(path).formulas()
    ]


def read_cards(sources: Sources, path: Path) -> list[CardEntry]:
    """Return the cards of a file.

    Raises:
        DeclarationError: If it is not valid TOML, or a card lacks its id, kind or prompt.
    """
    text = path.read_text(encoding="utf-8")
    topic = path.parent.name.replace("_", "-")
    lines = [number for number, line in enumerate(text.split("\n"), 1) if line.strip() == "[[card]]"]
    try:
        tables = tomllib.loads(text)["card"]
        rows = [(f"{topic}/{table['id']}", topic, table["kind"], table["prompt"]) for table in tables]
        return [CardEntry(*row, str(path), line) for row, line in zip(rows, lines, strict=True)]
    except (tomllib.TOMLDecodeError, KeyError, ValueError) as error:
        raise DeclarationError(f"{path}: {error}") from None


READERS: dict[str, Callable[[Sources, Path], list[DrillEntry] | list[CardEntry] | list[FormulaEntry]]] = {
    "drills.py": read_drills,
    "cards.toml": read_cards,
    "formulas.py": read_formulas,
}
