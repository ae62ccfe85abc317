"""Declarations read from source files without running them, so that lists of networks and datasets are fast."""

import ast
import re
from pathlib import Path
from typing import Any

NEXT_STATEMENT = re.compile(r"^[^\s)\]}#]", re.MULTILINE)


def literal(file: Path, name: str) -> dict[str, Any] | None:
    """Return the keyword arguments of a module's top-level assignment `name = Something(key=value, ...)`.

    The assignment may be annotated. `Something` is not called: only its arguments are read, in which `dict(a=1)` is
    another way to write `{"a": 1}`.

    Args:
        file: A Python source file.
        name: The variable's name.

    Returns:
        The arguments by keyword; None if the module assigns no such variable.

    Raises:
        ValueError: If the variable is assigned anything else. The message gives the file and the line.
    """
    source = file.read_text(encoding="utf-8")
    start = re.search(rf"^{name}\s*[:=]", source, re.MULTILINE)
    if start is None:
        return None
    end = NEXT_STATEMENT.search(source, start.end())
    where = f"{file}:{source.count(chr(10), 0, start.start()) + 1}"
    try:
        statement = ast.parse(source[start.start() : end.start() if end else None]).body[0]
    except SyntaxError as error:
        raise ValueError(f"{where}: {name} can't be read: {error.msg}.") from None
    call = statement.value if isinstance(statement, ast.Assign | ast.AnnAssign) else None
    if not isinstance(call, ast.Call) or call.args:
        raise ValueError(f"{where}: {name} must be a call with keyword arguments, such as dict(a=1).")
    try:
        return {str(keyword.arg): ast.literal_eval(_DictCalls().visit(keyword.value)) for keyword in call.keywords}
    except ValueError:
        raise ValueError(f"{where}: the arguments of {name} must be literals.") from None


class _DictCalls(ast.NodeTransformer):
    """Replaces `dict(a=1)` by `{"a": 1}`, which `ast.literal_eval` reads."""

    def visit_Call(self, call: ast.Call) -> ast.expr:
        self.generic_visit(call)
        if not (isinstance(call.func, ast.Name) and call.func.id == "dict" and not call.args):
            return call
        return ast.Dict([ast.Constant(key.arg) for key in call.keywords], [key.value for key in call.keywords])
