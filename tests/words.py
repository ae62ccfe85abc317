"""The words of sources and documents: names, with where they are introduced, and prose without its line breaks."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent

Location = tuple[int, str]  # a line number and the text there

# Keys and files of a run, of its worker's replies and of the results of claims, and orders of `runs list`: they keep
# their names.
RUN_KEYS = {"picture", "pictures", "pictures.json", "refused", "side", "licence", "chosen", "made"}

CODE = re.compile(r"``[^`]*``|`[^`]*`|```.*?```", re.DOTALL)
ID = re.compile(r"[a-z0-9]+(?:[-:/][a-z0-9]+)+")  # of a drill, a card or a mistake; they stay as they are
SENTENCE_BREAK = re.compile(r"\n\s*\n")


def words(name: str) -> list[str]:
    """The lower-case words of a name in snake_case, kebab-case or CamelCase."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def names(source: str) -> Iterator[Location]:
    """Every name that a source introduces: variables, arguments, attributes, functions, classes, keys and options."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr
            case ast.alias(asname=str(name)):
                yield 0, name
            case ast.ExceptHandler(name=str(name)):
                yield node.lineno, name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield node.lineno, name
            case ast.keyword(arg=str(name)) if name not in RUN_KEYS:
                yield node.lineno, name
            case ast.Dict():
                for key in node.keys:
                    value = key.value if isinstance(key, ast.Constant) else None
                    if isinstance(value, str) and value.isidentifier() and value not in RUN_KEYS:
                        yield node.lineno if key is None else key.lineno, value
            case ast.Constant(value=str(text)) if re.fullmatch(r"--[a-z][a-z-]*(/--[a-z-]+)?", text):
                yield node.lineno, text


def prose(file: Path) -> Iterator[Location]:
    """Every text of a file: docstrings, comments and strings of a source; paragraphs of any other file."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        yield from _python(text)
        return
    start = 0
    text = CODE.sub(lambda code: "X" + "\n" * code[0].count("\n"), text)
    if file.suffix == ".toml":
        text = re.sub(f'"{ID.pattern}"', "X", text)
    for gap in [*SENTENCE_BREAK.finditer(text), None]:
        end = gap.start() if gap else len(text)
        yield 1 + text.count("\n", 0, start), _one_line(text[start:end])
        start = gap.end() if gap else end


def _python(source: str) -> Iterator[Location]:
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "X" for part in node.values]
            yield node.lineno, _one_line(CODE.sub("X", "".join(map(str, parts))))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, "" if _is_key(node.value) else _one_line(CODE.sub("X", node.value))
    comment, first = "", 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            first = first or token.start[0]
            comment += " " + token.string.lstrip("# ")
        elif token.type not in (tokenize.NL, tokenize.NEWLINE) and comment:
            yield first, _one_line(CODE.sub("X", comment))
            comment, first = "", 0


def _is_key(text: str) -> bool:
    return text in RUN_KEYS or ID.fullmatch(text) is not None


def docstrings(source: str) -> Iterator[Location]:
    """Every docstring of a source."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())
