"""The files of a new drill: a formula, a drill about it, its check and a card, for an author to rewrite.

Each part passes all tests as it is, so that every step of the rewriting can be tested.
"""

import ast
import keyword
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from workbench import files
from workbench.errors import UserError

LINE = 120  # columns
FIRST_PARTY = ("models", "quizzes", "workbench")

FORMULA_IMPORTS = ["from quizzes.formula import Formula", "from quizzes.symbols import Real"]
FORMULA = """\
{constant} = Formula(
    "{id}",
    "y = w*x + b",
    title="{title}",
    source="derivation: by definition of a linear neuron",
    w=Real(meaning="weight"),
    x=Real(meaning="input"),
    b=Real(meaning="bias"),
    y=Real(meaning="output"),
)
"""
DRILL_IMPORTS = [
    "from random import Random",
    "from {module}.formulas import {constant}",
    "from quizzes.drill import Inputs, Mistake, drill",
]
DRILL = '''\
@drill(
    {constant},
    tier=1,
    asks="y",
    prompt="A neuron has the weight w = {{w}}, the bias b = {{b}} and no activation. Its input is x = {{x}}. "
    "What is its output y?",
    hint="Multiply the input by the weight before you add anything.",
    mistakes=[
        Mistake("no-bias", "y = w*x", "You left out the bias. The neuron adds it to the weighted input."),
        Mistake("bias-subtracted", "y = w*x - b", "You subtracted the bias. The neuron adds it."),
    ],
)
def {function}(rng: Random) -> Inputs:
    """{title}"""
    w, x = rng.randint(-30, 30) / 10, rng.randint(-90, 90) / 10
    return dict(w=w, x=x, b=rng.choice([-1, 1]) * rng.randint(1, 30) / 10)
'''
CHECK_IMPORTS = ["import torch", "import torch.nn.functional as F"]
CHECK = """\
def {function}(w: float, x: float, b: float) -> float:
    return F.linear(torch.tensor([x]), torch.tensor([[w]]), torch.tensor([b])).item()
"""
CARD = """\
[[card]]
id = "{id}"
kind = "choice"
prompt = "What does the bias of a neuron do to its weighted input?"
answer = "It adds a constant."
wrong = ["It multiplies it by a constant.", "It rounds it.", "It limits it to a range."]
explanation = "The bias is added to the weighted input, whatever the input is."
source = "derivation: y = w*x + b for every x"
"""
PACK = """\
name = "{pack}"
title = "{pack_title}"
"""
PACK_DRILL = """\
[[drill]]
id = "{id}"
title = "{title}"
formula = "z-score"
topic = "{topic}"
tier = 1
asks = "z"
prompt = "A feature has mean {{mu}} and standard deviation {{sigma}}. What is the z-score z of the value {{x}}?"
hint = "By how much does the value differ from the mean?"

[drill.ranges]
x = "0..40"
mu = "5..25"
sigma = [2, 4, 5, 8]

[[drill.mistake]]
name = "not-divided"
equation = "z = x - mu"
feedback = "You left out the division. Divide the difference by the standard deviation."

[[drill.mistake]]
name = "not-centered"
equation = "z = x/sigma"
feedback = "You left out the mean. Subtract it before you divide."
"""


class Part(NamedTuple):
    """A part of a new drill.

    Attributes:
        name: What it is: formula, drill, check, card or pack.
        file: The file that it is written to.
        text: The new text of the file.
        line: The line on which the part begins.
    """

    name: str
    file: Path
    text: str
    line: int


def drill_parts(topic: Path, module: str, id: str) -> list[Part]:
    """Return the parts of a new drill in the folder of a topic.

    Args:
        topic: The folder; it need not exist.
        module: The name of its package.
        id: The id of the drill and of its formula.

    Raises:
        UserError: If a file uses one of the names already, or the id makes no name.
    """
    function, constant, title = id.replace("-", "_"), id.replace("-", "_").upper(), id.replace("-", " ").capitalize()
    if not function.isidentifier() or keyword.iskeyword(function):
        raise UserError(
            f"{id!r} can't be the name of a function. Begin it with a letter, and don't use a Python keyword."
        )
    words = dict(id=id, function=function, constant=constant, title=title, module=module)
    heading = topic.name.replace("_", " ").capitalize()
    drills = topic / "drills" / f"{function}.py" if (topic / "drills").is_dir() else topic / "drills.py"
    sources = [
        ("formula", topic / "formulas.py", f"{heading}: formulas.", FORMULA_IMPORTS, FORMULA, constant),
        ("drill", drills, f"{heading}: drills.", DRILL_IMPORTS, DRILL, function),
        (
            "check",
            topic / "checks.py",
            f"Checks of the drills about {heading.lower()}.",
            CHECK_IMPORTS,
            CHECK,
            function,
        ),
    ]
    parts = []
    for name, file, docstring, imports, template, bound in sources:
        text = _text(file) or f'"""{docstring}"""\n'
        imports = [statement.format(**words) for statement in imports]
        if bound in _bound_names(text) | _bound_names("\n".join(imports)) - {constant}:
            raise UserError(f"{file} uses the name {bound} already. Choose another name for the drill.")
        text = with_imports(text, imports)
        is_first = isinstance(ast.parse(text).body[-1], ast.Import | ast.ImportFrom)
        space = "\n\n" if is_first and bound == constant else "\n\n\n"
        parts.append(_appended(name, file, text, space, template.format(**words)))
    parts.append(_appended("card", topic / "cards.toml", _text(topic / "cards.toml"), "\n\n", CARD.format(**words)))
    packages = [folder / "__init__.py" for folder in (topic.parent, topic)]
    return parts + [Part("package", file, "", 1) for file in packages if not file.exists()]


def pack_parts(folder: Path, pack: str, topic: str, id: str) -> list[Part]:
    """Return the parts of a new drill in a pack.

    Args:
        folder: The folder of the pack; it need not exist.
        pack: The name of the pack, if it is a new one.
        topic: The id of the topic.
        id: The id of the drill.

    Raises:
        UserError: If there is a file of the drill's name already.
    """
    title = id.replace("-", " ").capitalize()
    words = dict(id=id, title=title, topic=topic, pack=pack, pack_title=pack.replace("-", " ").capitalize())
    head, drill, cards = folder / "pack.toml", folder / "drills" / f"{id}.toml", folder / "cards" / f"{topic}.toml"
    if drill.exists():
        raise UserError(f"{drill} exists already. Choose another name for the drill.")
    parts = [
        Part("drill", drill, PACK_DRILL.format(**words), 1),
        _appended("card", cards, _text(cards), "\n\n", CARD.format(**words)),
    ]
    return parts if head.exists() else [Part("pack", head, PACK.format(**words), 1), *parts]


def write(parts: Iterable[Part]) -> None:
    """Write all files, or none of them.

    Raises:
        UserError: If one can't be written.
    """
    done: list[tuple[Path, bytes | None]] = []
    try:
        for part in parts:
            part.file.parent.mkdir(parents=True, exist_ok=True)
            done.append((part.file, part.file.read_bytes() if part.file.exists() else None))
            files.write(part.file, part.text.encode())
    except OSError as error:
        for file, content in done:
            with suppress(OSError):
                file.unlink(missing_ok=True) if content is None else files.write(file, content)
        message = f"{error.filename} can't be written ({error.strerror}). Check its permissions; nothing was changed."
        raise UserError(message) from None


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8") if file.exists() else ""


def _appended(name: str, file: Path, text: str, space: str, part: str) -> Part:
    """Return a part that is appended to the text of a file."""
    before = f"{text.rstrip()}{space}" if text.strip() else ""
    return Part(name, file, before + part, before.count("\n") + 1)


def _bound_names(text: str) -> set[str]:
    """Return the names that the statements of a module bind."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {(alias.asname or alias.name).partition(".")[0] for alias in aliases}
            case ast.Assign() | ast.AnnAssign():
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names |= {one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name)}
    return names


def with_imports(text: str, statements: Iterable[str]) -> str:
    """Return the text of a module with further imports, in the order in which the linter sorts them."""
    tree = ast.parse(text)
    new = [node for statement in statements for node in ast.parse(statement).body]
    nodes = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    lines = text.splitlines()
    if nodes:
        first, last = nodes[0].lineno - 1, nodes[-1].end_lineno or 0
    else:
        first = last = tree.body[0].end_lineno or 0 if tree.body else 0
    sorted_imports = _sorted_imports([*nodes, *new])
    before, after = "\n".join(lines[:first]).rstrip(), "\n".join(lines[last:]).rstrip()
    return "\n\n".join(filter(None, [before, sorted_imports])) + f"\n{after}\n"


def _sorted_imports(nodes: Iterable[ast.stmt]) -> str:
    plain: set[str] = set()
    members: dict[str, set[str]] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            plain |= {ast.unparse(alias) for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            members.setdefault(node.module or "", set()).update(ast.unparse(alias) for alias in node.names)
    sections: dict[int, list[str]] = {}
    for name in sorted(plain):
        sections.setdefault(_section(name), []).append(f"import {name}")
    for module in sorted(members):
        sections.setdefault(_section(module), []).append(_from(module, sorted(members[module], key=_rank)))
    return "\n\n".join("\n".join(sections[number]) for number in sorted(sections))


def _section(module: str) -> int:
    top = module.split()[0].partition(".")[0]
    return 0 if top in sys.stdlib_module_names else 2 if top in FIRST_PARTY else 1


def _rank(name: str) -> tuple[int, str]:
    """Return the key by which imported names are sorted: constants, then classes, then functions."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name.lower()


def _from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= LINE else f"from {module} import (\n    " + ",\n    ".join(names) + ",\n)"
