"""Values of a source file, read from its syntax tree without running it: symbols, formulas, texts, and dicts of them.

A declaration that can't be read so is an error with its file and line, so that authors write it readable.
"""

import ast
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple

from quizzes import content
from workbench.errors import DeclarationError

CONTENT, SYMBOLS = "quizzes.content.", ("quizzes.symbols", "quizzes.answer_symbols")
FORMULAS = [("quizzes.formula", "Formula"), ("quizzes.chain", "Chain")]
HOW = "Write it as a literal, a symbol, dict(...), one_of(...), or the name of such a value."


class Symbol(NamedTuple):
    """A symbol of a formula.

    Attributes:
        answer_kind: The kind of answer that asks for it.
        default: Its value if the user gives none.
    """

    answer_kind: str
    default: Any = None

    @property
    def has_default(self) -> bool:
        """Return whether a chain can leave it out."""
        return self.default is not None


class Derived(NamedTuple):
    """A symbol that a drill asks for as an expression."""

    name: str


class Formula(NamedTuple):
    """A formula as its source file declares it."""

    id: str
    title: str
    topic: str
    equations: tuple[str, ...]
    symbols: dict[str, Symbol]
    repeated: bool = False  # over several steps, so that its symbols end in the number of the step

    def answer_kind(self, name: str) -> str | None:
        """Return the kind of answer that asks for a symbol; None if there is no such symbol."""
        symbol = self.symbols.get(name[:-1] if self.repeated and name not in self.symbols else name)
        return symbol.answer_kind if symbol else None


class Link(NamedTuple):
    """A formula within a chain, with other names for its symbols; None for an output that is left out."""

    formula: Formula
    names: dict[str, str | int | None]

    def equations(self) -> list[str]:
        """Return the equations in the names of the chain."""
        from quizzes.chain import rename
        from quizzes.expressions.tree import exact
        from quizzes.formula import equation

        defaults = {name: exact(symbol.default) for name, symbol in self.formula.symbols.items() if symbol.has_default}
        names = {name: str(text) for name, text in self.names.items() if text is not None}
        omitted = self.names.keys() - names.keys()
        equations = [eq for eq in map(equation, self.formula.equations) if eq.name not in omitted]
        return [eq.text for eq in rename(equations, names, defaults)]

    def symbols(self) -> dict[str, Symbol]:
        """Return the symbols that the chain has from the formula, under their names there."""
        symbols = {}
        for name, symbol in self.formula.symbols.items():
            new = self.names.get(name, "" if symbol.has_default else name)
            if isinstance(new, str) and new.isidentifier():
                symbols[new] = symbol
        return symbols


def declares_drill(path: Path, id: str) -> bool:
    """Return whether a file declares a drill with an id, by its generator's name or its argument `id`."""
    text = path.read_text(encoding="utf-8")
    name = id.replace("-", "_")
    if f'"{id}"' not in text and f"def {name}(" not in text:  # parsing takes longer
        return False
    for function, call in Sources().file(path).functions():
        own = next((key.value for key in call.keywords if key.arg == "id"), None)
        if (function.name == name) if own is None else (isinstance(own, ast.Constant) and own.value == id):
            return True
    return False


def declares_formula(path: Path, id: str) -> bool:
    """Return whether a file declares a formula with an id."""
    if f'"{id}"' not in path.read_text(encoding="utf-8"):  # parsing takes longer
        return False
    calls = (node for node in Sources().file(path).values.values() if isinstance(node, ast.Call))
    return any(isinstance(text, ast.Constant) and text.value == id for call in calls for text in call.args[:1])


@cache
def _formula_options() -> frozenset[str]:
    """Return the names of the arguments of a formula that are not symbols."""
    from quizzes.formula import Formula

    return frozenset(signature(Formula).parameters)


class Sources:
    """Source files, each parsed once, with their imports of one another followed."""

    def __init__(self) -> None:
        self._files: dict[Path, SourceFile] = {}

    def file(self, path: Path) -> "SourceFile":
        """Return a file, parsed.

        Raises:
            DeclarationError: If it is not valid Python.
        """
        if path not in self._files:
            self._files[path] = SourceFile(self, path)
        return self._files[path]

    def dependencies(self, path: Path) -> list[Path]:
        """Return a file and all files of content that it imports from, directly or not."""
        paths = [path]
        for one in paths if path.suffix == ".py" else []:
            paths += [other for other in self.file(one).content_files() if other not in paths]
        return paths


class SourceFile:
    """A source file.

    Args:
        sources: The other files, in which imported names are looked up.
        path: Its path.
    """

    def __init__(self, sources: Sources, path: Path):
        self.sources, self.path = sources, path
        try:
            self.tree = ast.parse(path.read_text(encoding="utf-8"))
        except SyntaxError as error:
            raise DeclarationError(f"{path}:{error.lineno}: {error.msg}") from None
        self.imports: dict[str, tuple[str, str]] = {}  # local name -> module and its name there
        self.values: dict[str, ast.expr] = {}
        for node in self.tree.body:
            match node:
                case ast.ImportFrom(module=str(module), names=names):
                    self.imports |= {name.asname or name.name: (module, name.name) for name in names}
                case (
                    ast.Assign(targets=[ast.Name(id)], value=value)
                    | ast.AnnAssign(target=ast.Name(id), value=ast.expr() as value)
                ):
                    self.values[id] = value
        self._read: dict[str, Any] = {}

    @cached_property
    def topic(self) -> str:
        """The id of the topic whose folder the file is in."""
        return content.topic_folder(self.path).name.replace("_", "-")

    def content_files(self) -> Iterator[Path]:
        """Yield the files of content that it imports from."""
        modules = dict.fromkeys(module for module, _ in self.imports.values() if module.startswith(CONTENT))
        for module in modules:
            if (file := content.source(module)) is not None:
                yield file

    def functions(self) -> Iterator[tuple[ast.FunctionDef, ast.Call]]:
        """Yield the functions that `drill(...)` decorates, each with that call."""
        for node in self.tree.body:
            if isinstance(node, ast.FunctionDef):
                for decorator in node.decorator_list:
                    if isinstance(decorator, ast.Call) and self._origin(decorator.func) == ("quizzes.drill", "drill"):
                        yield node, decorator

    def formulas(self) -> Iterator[tuple[Formula, ast.Call]]:
        """Yield the formulas that the file declares, each with the call of `Formula` or `Chain`."""
        for name, node in self.values.items():
            if isinstance(node, ast.Call) and self._origin(node.func) in FORMULAS:
                yield self.named(name, node), node

    def error(self, node: ast.AST, problem: str) -> DeclarationError:
        """Return the error for a problem at a node."""
        return DeclarationError(f"{self.path}:{getattr(node, 'lineno', 1)}: {problem}")

    def named(self, name: str, node: ast.AST) -> Any:
        """Return the value of a name of the file.

        Args:
            name: The name.
            node: Where it is used.

        Raises:
            DeclarationError: If it is unknown, or its value can't be read.
        """
        if name in self._read:
            return self._read[name]
        if name in self.values:
            self._read[name] = value = self.value(self.values[name])
            return value
        module, original = self.imports.get(name, ("", ""))
        path = content.source(module) if module.startswith(CONTENT) else None
        if path is None:
            raise self.error(node, f"{name} can't be read from the source. {HOW}")
        return self.sources.file(path).named(original, node)

    def value(self, node: ast.expr) -> Any:
        """Return the value of an expression.

        Raises:
            DeclarationError: If it can't be read without running it.
        """
        match node:
            case ast.Constant(value):
                return value
            case ast.Name(name):
                return self.named(name, node)
            case ast.UnaryOp(ast.USub(), ast.Constant(value)) if isinstance(value, int | float):
                return -value
            case ast.Tuple(elements) | ast.List(elements):
                return tuple(self.value(element) for element in elements)
            case ast.JoinedStr(pieces):
                return "".join(str(self.value(piece)) for piece in pieces)
            case ast.FormattedValue(value=value, conversion=-1, format_spec=None):
                return self.value(value)
            case ast.Dict(keys, values):
                pairs = zip(keys, map(self.value, values), strict=True)
                return self._merge(node, [value if key is None else {self.value(key): value} for key, value in pairs])
            case ast.BinOp(left, ast.BitOr(), right):
                return self._merge(node, [self.value(left), self.value(right)])
            case ast.BinOp(left, ast.Add(), right) if isinstance(text := self.value(left), str):
                return text + self.value(right)
            case ast.Subscript(value, index) if isinstance(whole := self.value(value), dict | tuple):
                return whole[self.value(index)]
            case ast.Call():
                return self._call(node)
        raise self.error(node, f"{ast.unparse(node)[:60]!r} can't be read from the source. {HOW}")

    def arguments(self, call: ast.Call, names: set[str]) -> dict[str, Any]:
        """Return the keyword arguments of a call that have one of the names."""
        return {key.arg: self.value(key.value) for key in call.keywords if key.arg in names}

    def formula(self, call: ast.Call) -> Formula:
        """Return the formula that a call of `Formula` or `Chain` declares.

        Raises:
            DeclarationError: If a symbol can't be read.
        """
        texts = self.arguments(call, {"title", "topic"})
        if len(call.args) != 2 or "title" not in texts:
            raise self.error(
                call, "a formula needs its id, its equations and a title: Formula(id, equations, title=...)"
            )
        symbols = [key for key in call.keywords if key.arg not in _formula_options()]
        values = self._merge(call, [v if key.arg is None else {key.arg: v} for key, v in self._values(symbols)])
        for name, symbol in values.items():
            if not isinstance(symbol, Symbol):
                raise self.error(call, f"{name} must be a symbol, such as {name}=Real(meaning=...)")
        id, equations = map(self.value, call.args)
        lines: list[str] = []
        for one in [equations] if isinstance(equations, str) else equations:  # of a chain, links and texts
            if isinstance(one, Link):
                lines += one.equations()
                values = one.symbols() | values
            else:
                lines += (line.strip() for line in one.replace(";", "\n").splitlines() if line.strip())
        return Formula(id, texts["title"], texts.get("topic", self.topic), tuple(lines), values)

    def _values(self, keywords: list[ast.keyword]) -> Iterator[tuple[ast.keyword, Any]]:
        return ((key, self.value(key.value)) for key in keywords)

    def _merge(self, node: ast.AST, dicts: list[Any]) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for one in dicts:
            if not isinstance(one, dict):
                raise self.error(node, f"{one!r} is not a dict. {HOW}")
            merged |= one
        return merged

    def _origin(self, function: ast.expr) -> tuple[str, str]:
        """Return the module of a function that is called by its name, and its name there."""
        return self.imports.get(function.id, ("", function.id)) if isinstance(function, ast.Name) else ("", "")

    def _call(self, call: ast.Call) -> Any:
        match self._origin(call.func):
            case ("", "dict"):
                dicts = [*map(self.value, call.args)]
                pairs = self._values(call.keywords)
                return self._merge(call, [*dicts, *(v if key.arg is None else {key.arg: v} for key, v in pairs)])
            case ("quizzes.drill", "one_of"):
                return tuple(map(self.value, call.args))
            case ("quizzes.drill", "derive") if call.args:
                return Derived(self.value(call.args[0]))
            case origin if origin in FORMULAS:
                return self.formula(call)
            case ("quizzes.chain", "link") if call.args:
                names = {key.arg: self.value(key.value) for key in call.keywords if key.arg}
                return Link(self.value(call.args[0]), names)
            case ("quizzes.trace", "Trace") if call.args:
                return self.value(call.args[0])._replace(repeated=True)
            case (module, name) if module in SYMBOLS:
                if kind := getattr(getattr(import_module(module), name, None), "answer_kind", None):
                    return Symbol(kind, self.arguments(call, {"default"}).get("default"))
        raise self.error(call, f"{ast.unparse(call)[:60]!r} can't be read from the source. {HOW}")
