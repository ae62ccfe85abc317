"""All procedures that can be stepped through; their list is read from the sources, without importing a topic."""

import ast
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from quizzes import content
from workbench.errors import lookup

if TYPE_CHECKING:
    from quizzes.procedure import Procedure

FILE, DECORATOR = "procedures.py", "procedure"


class ProcedureEntry(NamedTuple):
    """The part of a procedure that lists show, and whether it belongs to a formula of the bank."""

    id: str
    topic: str
    title: str
    has_formula: bool


@cache
def entries() -> dict[str, ProcedureEntry]:
    """Return an entry for every procedure by its id, in the order of the topics' folders.

    Raises:
        ValueError: If two procedures have the same id.
    """
    result: dict[str, ProcedureEntry] = {}
    for file in content.files(FILE):
        for entry in read_entries(file):
            if result.setdefault(entry.id, entry) is not entry:
                raise ValueError(f"Two procedures have the id {entry.id}.")
    return result


def read_entries(file: Path) -> list[ProcedureEntry]:
    """Return the entries of the procedures that a file declares, from its syntax tree.

    Raises:
        ValueError: If an id or a title is not a literal.
    """
    topic = file.parent.name.replace("_", "-")
    result = []
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        for call in node.decorator_list if isinstance(node, ast.FunctionDef) else ():
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == DECORATOR):
                continue
            texts = [*call.args[:1], *(word.value for word in call.keywords if word.arg == "title")]
            values = [text.value for text in texts if isinstance(text, ast.Constant) and isinstance(text.value, str)]
            if len(values) != 2:
                raise ValueError(f"{file}:{call.lineno}: the id and the title of a procedure must be literal texts")
            result.append(ProcedureEntry(values[0], topic, values[1], has_formula=len(call.args) > 1))
    return result


def of_topic(topic: str) -> list[ProcedureEntry]:
    """Return the entries of the procedures of a topic."""
    return [entry for entry in entries().values() if entry.topic == topic]


def get(id: str) -> "Procedure":
    """Return the procedure with an id; only its file is imported.

    Raises:
        UserError: If there is none; the message names the closest ids.
    """
    from quizzes.procedure import Procedure

    entry = lookup("procedure", id, entries())
    file = content.topic_folders()[entry.topic] / FILE
    declared = (value for value in vars(content.load(file)).values() if isinstance(value, Procedure))
    return next(value for value in declared if value.id == id)
