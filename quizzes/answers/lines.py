"""Answers that are one line of a program. Lines are compared by structure, and never executed.

Python's own parser reads a line, so spaces, quotes, comments and redundant parentheses don't matter. Nor do the order
of named arguments, and the name under which the program imports a module: `F.relu` is `torch.nn.functional.relu`. Where
the signature of a function is declared, an argument may be given by position or by name, and its default left out.
"""

import ast
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from quizzes.answers.kind import Kind, Reading
from quizzes.expressions.parser import FormatError, check_length
from quizzes.question import Answer, Part

DEPTH = 40  # levels of nesting
PYTORCH = ("import torch", "from torch import nn", "import torch.nn.functional as F")  # as most programs begin


class Line(Kind):
    """A line of Python; `other_answers` are accepted too."""

    expected_format = "a line of Python"

    def read(self, text: str, part: Part) -> Reading:
        return Reading(text.strip(), _write(parse_line(text)))

    def score(self, value: str, expected: Answer, part: Part) -> float:
        return float(_structure(value, part) == _structure(expected, part))

    def are_indistinguishable(self, a: Answer, b: Answer, part: Part) -> bool:
        return _structure(a, part) == _structure(b, part)

    def near_miss_feedback(self, reading: Reading, expected: Answer, part: Part) -> str:
        line = parse_line(expected)
        if not isinstance(line, ast.Assign | ast.Return | ast.AugAssign) or line.value is None:
            return ""
        is_end = _structure(reading.value, part) == _structure(ast.unparse(line.value), part)
        return "Enter the whole line, also what is before this expression." if is_end else ""


def parse_line(text: str) -> ast.stmt:
    """Parse a line of Python, of an `if`, `for`, `with`, `def` or `class` the header alone.

    Raises:
        FormatError: If it is not a line of Python, with the position.
    """
    check_length(text)
    source = text.strip()
    start = len(text) - len(text.lstrip())
    for at, character in enumerate(text):
        if not character.isascii():
            raise FormatError(f"can't read {character!r}: use plain letters, signs and quotes", text, at)
        if not character.isprintable() and start <= at < start + len(source) and character != "\t":
            raise FormatError("enter a single line", text, at)
    body = _parse(source, text, start)
    if not body:
        raise FormatError("this is empty: enter a line of Python", text, 0)
    if len(body) > 1:
        raise FormatError("enter a single statement", text, start + body[1].col_offset)
    if _is_deeper(body[0], DEPTH):
        raise FormatError(f"this is nested more than {DEPTH} levels deep: simplify it", text, start)
    return body[0]


def _parse(source: str, text: str, start: int) -> list[ast.stmt]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # such as that on an unknown escape sequence
        try:
            return ast.parse(source).body
        except SyntaxError as error:
            try:
                return ast.parse(f"{source}\n    pass").body  # the header of a block
            except SyntaxError:
                at = start + min(max(0, (error.offset or 1) - 1), len(source))
                raise FormatError(f"Python can't read this ({error.msg})", text, at) from None
        except (ValueError, RecursionError, MemoryError):
            raise FormatError("this is nested too deeply: simplify it", text, start) from None


def _is_deeper(tree: ast.AST, levels: int) -> bool:
    """Return whether a tree has more than a number of levels, without recursion."""
    nodes: list[ast.AST] = [tree]
    for _ in range(levels):
        nodes = [child for node in nodes for child in ast.iter_child_nodes(node)]
    return bool(nodes)


def _write(statement: ast.stmt) -> str:
    """Return a statement as one line."""
    first, *block = ast.unparse(statement).removesuffix("\n    pass").splitlines()
    return " ".join(filter(None, [first, "; ".join(line.strip() for line in block)]))


@dataclass(frozen=True)
class Signature:
    """The parameters of a function, each with its default; None for none."""

    positional: tuple[str, ...]
    defaults: dict[str, ast.expr]


class Context(NamedTuple):
    """The program around a line: the modules that it imports by name, and signatures by the function's full name."""

    modules: dict[str, str]
    signatures: dict[str, Signature]


@lru_cache(maxsize=256)
def read_context(imports: tuple[str, ...], signatures: tuple[str, ...]) -> Context:
    """Read the declarations of a line's program.

    Args:
        imports: Import statements.
        signatures: Signatures such as `F.relu(input, inplace=False)`; that of a method begins with a point.

    Raises:
        FormatError: If one of them can't be read.
    """
    modules: dict[str, str] = {}
    for text in imports:
        statement = parse_line(text)
        if isinstance(statement, ast.Import):
            modules |= {(a.asname or a.name.partition(".")[0]): (a.name if a.asname else a.name.partition(".")[0])
                        for a in statement.names}  # fmt: skip
        elif isinstance(statement, ast.ImportFrom):
            modules |= {a.asname or a.name: f"{statement.module}.{a.name}" for a in statement.names}
        else:
            raise FormatError("this is not an import statement", text, 0)
    context = Context(modules, {})
    for text in signatures:
        name, parenthesis, parameters = text.partition("(")
        function = parse_line(f"def function({parameters}:")
        if not parenthesis or not isinstance(function, ast.FunctionDef):
            raise FormatError("this is not a signature such as relu(input, inplace=False)", text, 0)
        normalize = _Normalizer(context)
        method = name.strip().removeprefix(".")
        path = (
            f".{method}" if name.strip().startswith(".") else normalize.path(ast.parse(name.strip(), mode="eval").body)
        )
        arguments = function.args
        positional = [arg.arg for arg in [*arguments.posonlyargs, *arguments.args]]
        defaults = dict(zip(reversed(positional), reversed(arguments.defaults), strict=False))
        keywords = zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        defaults |= {arg.arg: default for arg, default in keywords if default is not None}
        context.signatures[path or name.strip()] = Signature(
            tuple(positional), {name: normalize.visit(default) for name, default in defaults.items()}
        )
    return context


def _structure(line: str, part: Part) -> str:
    """Return a text that is the same for all lines of one structure."""
    return _normalized(line, tuple(part.imports or PYTORCH), tuple(part.signatures))


@lru_cache(maxsize=1024)
def _normalized(line: str, imports: tuple[str, ...], signatures: tuple[str, ...]) -> str:
    (statement,) = _parse(line.strip(), line, 0)
    return ast.dump(_Normalizer(read_context(imports, signatures)).visit(statement))


class _Normalizer(ast.NodeTransformer):
    """Gives a tree full module names, and its calls arguments by name in alphabetical order."""

    def __init__(self, context: Context):
        self.context = context

    def path(self, node: ast.expr) -> str:
        """Return the full name that an expression is, such as `torch.nn.Linear`; empty if it is another expression."""
        if isinstance(node, ast.Name):
            return self.context.modules.get(node.id, "")
        if isinstance(node, ast.Attribute) and (module := self.path(node.value)):
            return f"{module}.{node.attr}"
        return ""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(self.path(node) or node.id, node.ctx)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if path := self.path(node):
            return ast.Name(path, node.ctx)
        self.generic_visit(node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        return ast.Constant(node.value)  # without the prefix u of a text

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if isinstance(node.func, ast.Attribute):
            name = f".{node.func.attr}"
        if signature := self.context.signatures.get(name):
            _name_arguments(node, signature)
        if all(keyword.arg for keyword in node.keywords):
            node.keywords.sort(key=lambda keyword: keyword.arg or "")
        return node


def _name_arguments(call: ast.Call, signature: Signature) -> None:
    """Give the arguments of a call by name, and leave out defaults; a call that doesn't fit stays as it is."""
    names = [*signature.positional[: len(call.args)], *(keyword.arg for keyword in call.keywords)]
    is_starred = None in names or any(isinstance(arg, ast.Starred) for arg in call.args)
    if is_starred or len(call.args) > len(signature.positional) or len(set(names)) < len(names):
        return
    values = [*call.args, *(keyword.value for keyword in call.keywords)]
    arguments = [ast.keyword(name, value) for name, value in zip(names, values, strict=True)]
    defaults = {name: ast.dump(default) for name, default in signature.defaults.items()}
    call.args = []
    call.keywords = [argument for argument in arguments if defaults.get(argument.arg or "") != ast.dump(argument.value)]
