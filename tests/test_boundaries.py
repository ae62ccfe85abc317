"""The boundaries between packages, declared as contracts in `pyproject.toml`, and forbidden calls."""

import ast
from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).parent.parent


def test_the_import_contracts_hold(capsys):
    status = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert status == 0, capsys.readouterr().out


def calls(source: str) -> list[str]:
    """Return the calls of built-in functions that run text as Python and for which the linter has no rule."""
    functions = [node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [name.id for name in functions if isinstance(name, ast.Name) and name.id in ("compile", "__import__")]


def test_nothing_compiles_source_code():
    assert calls("re.compile(x); compile(x)") == ["compile"]
    sources = [file for package in ("quizzes", "models", "workbench") for file in (ROOT / package).rglob("*.py")]
    compiling = [file.name for file in sources if calls(file.read_text(encoding="utf-8"))]
    assert compiling == []
