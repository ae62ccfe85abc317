"""The floors of the house: an import never points up, the grounds don't know each other, and nothing typed is run."""

import ast
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("quizzes", "models", "workbench")
FLOORS = [  # from the ground; those on one floor may use each other
    {"quizzes", "models", "workbench", "workbench.naming", "workbench.untrusted"},
    {"workbench.home", "workbench.store", "workbench.data", "workbench.syllabus", "workbench.show"},
    {"workbench.tasks"},
    {"workbench.engine", "workbench.study"},
    {"workbench.claims"},
    {"workbench.cli", "workbench.tui"},
]


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def room(module: str) -> str:
    """The room a module stands in: `quizzes`, or `workbench.store`."""
    return ".".join(module.split(".")[: 2 if module.startswith("workbench.") else 1])


def floor(module: str) -> int:
    return next(k for k, rooms in enumerate(FLOORS) if room(module) in rooms)


def test_no_import_points_up(graph):
    up = [
        f"{importer} -> {imported}"
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if floor(imported) > floor(importer)
    ]
    assert up == []


@pytest.mark.parametrize(("one", "other"), [(a, b) for a in PACKAGES[:2] for b in PACKAGES if a != b])
def test_the_grounds_stand_alone(graph, one, other):
    assert graph.find_shortest_chains(importer=one, imported=other, as_packages=True) == set()


def test_no_circle_of_rooms(graph):
    below = {}
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            if room(importer) != room(imported) and room(imported) != "workbench":
                below.setdefault(room(importer), set()).add(room(imported))
    done: set[str] = set()
    while left := set(below) - done:
        free = {r for r in left if below[r] & left <= {r}}
        assert free, f"a circle among {sorted(left)}"
        done |= free


FORBIDDEN = {"quizzes": {"torch", "textual", "rich", "typer"}, "models": {"sympy", "textual", "rich", "typer"}}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_what_a_ground_never_imports(package):
    for file, tree in sources(package):
        for node in ast.walk(tree):
            imported = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            assert not {name.split(".")[0] for name in imported} & FORBIDDEN[package], file


EVALUATING = {"eval", "exec", "compile", "sympify", "S", "parse_expr", "lambdify", "__import__"}


def sources(package: str):
    for file in sorted((ROOT / package).rglob("*.py")):
        yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text(encoding="utf-8"))


def evaluating(tree: ast.AST) -> list[str]:
    """The evaluating functions that a source calls, however it reaches them."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            method = isinstance(node.func, ast.Attribute)
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in EVALUATING and not (method and name in ("compile", "eval")):  # re.compile, network.eval
                found.append(name)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sympy"):
            found += [alias.name for alias in node.names if alias.name in EVALUATING]
    return found


def test_nothing_evaluates_but_the_worker_its_own_scripts():
    found = {file: calls for package in PACKAGES for file, tree in sources(package) if (calls := evaluating(tree))}
    assert found == {"workbench/engine/worker.py": ["exec", "compile"]}


@pytest.mark.parametrize(
    "code",
    [
        "eval(x)",
        "sp.sympify(x)",
        "exec(x)",
        "sympy.parsing.sympy_parser.parse_expr(x)",
        "sp.lambdify(x, y)",
        "from sympy import S",
    ],
)
def test_the_search_finds_what_it_looks_for(code):
    assert evaluating(ast.parse(code))
