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
        source: Its source, after that of the functions and constants of its module that it uses.
        imports: The import statements that these need, each on a line.
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
    definitions = {name: node for node in tree.body for name in _defined_names(node)}
    return {
        node.name: _check(node, text, imports, definitions) for node in tree.body if isinstance(node, ast.FunctionDef)
    }


def _defined_names(node: ast.stmt) -> list[str]:
    """Return the names that a statement of a module defines, besides its imports."""
    match node:
        case ast.FunctionDef(name) | ast.ClassDef(name):
            return [name]
        case ast.Assign(targets):
            return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]
        case ast.AnnAssign(ast.Name(name)):
            return [name]
    return []


def _names_in(node: ast.AST) -> set[str]:
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}


def _check(
    function: ast.FunctionDef,
    text: str,
    imports: list[ast.Import | ast.ImportFrom],
    definitions: dict[str, ast.stmt],
) -> CheckSource:
    parameters = {
        arg.arg: arg.annotation is not None and "Tensor" in ast.unparse(arg.annotation) for arg in function.args.args
    }
    used, pending = {"torch"}, _names_in(function)
    while pending:
        used |= pending
        pending = {name for each in pending if each in definitions for name in _names_in(definitions[each])} - used
    statements = [node for node in dict.fromkeys(definitions.values()) if used & set(_defined_names(node))]
    others = [node for node in statements if node is not function]
    sources = [ast.get_source_segment(text, node) or "" for node in (*others, function)]
    lines = [
        ast.unparse(node)
        for node in imports
        if any((alias.asname or alias.name).partition(".")[0] in used for alias in node.names)
    ]
    return CheckSource(parameters, "\n\n\n".join(sources), tuple(lines))


def script(check: CheckSource, name: str, arguments: dict[str, object]) -> str:
    """Return a check as a program that prints the answers for some arguments, and that runs as it stands."""
    values = [
        f"{parameter}={_tensor(value) if check.parameters[parameter] and value is not None else repr(value)}"
        for parameter, value in arguments.items()
    ]
    call = f"print({name}({', '.join(values)}))"
    imports = list(check.imports)
    if "torch." in call and "import torch" not in imports:
        imports.append("import torch")
    head = ["\n".join(imports)]
    if "import torch" in imports:
        head.append(DTYPE)
    return "\n\n\n".join(["\n\n".join(filter(None, head)), check.source, call]).lstrip()


def _tensor(value: object) -> str:
    return f"torch.tensor({_floats(value)})"


def _floats(value: object) -> object:
    return [_floats(element) for element in value] if isinstance(value, list) else float(value)  # type: ignore[arg-type]
