"""The checks of the drills, read without importing them: they use PyTorch, which only the worker imports.

The check of a drill is the function of its name in `checks.py` next to `drills.py`. It computes the answers by
calling an operation of PyTorch or of another library, or by brute force.
"""

import ast
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from workbench.errors import DeclarationError

DTYPE = "torch.set_default_dtype(torch.float64)"


@dataclass(frozen=True)
class CheckSource:
    """A check as its source defines it.

    Attributes:
        parameters: The names of its parameters; true for a tensor.
        source: Its source.
        imports: The import statements that it needs, each on a line.
    """

    parameters: dict[str, bool]
    source: str
    imports: tuple[str, ...]


@cache
def read_checks(module: str) -> dict[str, CheckSource]:
    """Return the checks of a module by name; none if there is no such module.

    Raises:
        DeclarationError: If it is not valid Python.
    """
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        return {}
    text = Path(spec.origin).read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise DeclarationError(f"{spec.origin}:{error.lineno}: {error.msg}") from None
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    return {node.name: _check(node, text, imports) for node in tree.body if isinstance(node, ast.FunctionDef)}


def _check(function: ast.FunctionDef, text: str, imports: list[ast.Import | ast.ImportFrom]) -> CheckSource:
    parameters = {
        arg.arg: arg.annotation is not None and "Tensor" in ast.unparse(arg.annotation) for arg in function.args.args
    }
    used = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)} | {"torch"}
    lines = [
        ast.unparse(node)
        for node in imports
        if any((alias.asname or alias.name).partition(".")[0] in used for alias in node.names)
    ]
    return CheckSource(parameters, ast.get_source_segment(text, function) or "", tuple(lines))


def script(check: CheckSource, name: str, arguments: dict[str, object]) -> str:
    """Return a check as a program that prints the answers for some arguments, and that runs as it stands."""
    values = [
        f"{parameter}={_tensor(value) if check.parameters[parameter] and value is not None else repr(value)}"
        for parameter, value in arguments.items()
    ]
    imports = "\n".join(check.imports)
    call = f"print({name}({', '.join(values)}))"
    return f"{imports}\n\n{DTYPE}\n\n\n{check.source}\n\n\n{call}"


def _tensor(value: object) -> str:
    return f"torch.tensor({_floats(value)})"


def _floats(value: object) -> object:
    return [_floats(element) for element in value] if isinstance(value, list) else float(value)  # type: ignore[arg-type]
