"""`workbench new`: write the skeleton of a drill, for authors."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.output import Json, print_json
from workbench.errors import UserError

if TYPE_CHECKING:
    from workbench.cli.skeleton import Part

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.callback()
def group() -> None:
    """Write the skeleton of a drill to rewrite."""


@app.command(epilog="Example: workbench new drill pooling/stochastic-pooling")
def drill(
    name: Annotated[str, typer.Argument(metavar="TOPIC/NAME", help="Topic, and the new drill's id.")],
    pack: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of a pack to write it to. Default: the source tree.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write a formula, a drill with mistakes, its check and a card into the folder of a topic.

    The skeleton passes 'workbench drill test' as it is. In a pack, the drill is about an existing formula, and has no
    check.
    """
    from quizzes.text_checks import identifier_problem
    from workbench import syllabus
    from workbench.cli import skeleton

    topic, slash, id = name.partition("/")
    if not (topic and slash and id):
        raise UserError(f"Write TOPIC/NAME, such as pooling/stochastic-pooling, not {name[:60]!r}.")
    chapter = syllabus.get(topic).chapter
    if problem := identifier_problem(id):
        raise UserError(f"NAME {problem}.")
    if pack:
        parts = skeleton.pack_parts(pack, _pack_name(pack), topic, id)
        test = f"workbench packs check {pack}"
    else:
        parts = _source_parts(topic, chapter, id)
        test = f"workbench drill test {id}"
    skeleton.write(parts)
    _print(parts, id, test, as_json)


def _source_parts(topic: str, chapter: str, id: str) -> "list[Part]":
    """Return the parts of a drill in the source tree.

    Raises:
        UserError: If there is no source tree that can be written, or the id exists.
    """
    from quizzes import content
    from quizzes.index import Entry
    from workbench import question_index
    from workbench.cli import skeleton

    root = Path(content.__file__).parent
    advice = "Write a pack instead: add --pack DIR."
    if not (root.parents[1] / "pyproject.toml").is_file():
        raise UserError(f"This is an installed workbench, not its source tree. {advice}")
    if not os.access(root, os.W_OK):
        raise UserError(f"The folder {root} can't be written. {advice}")
    index = question_index.load_index()
    entries: list[Entry] = [*index.drills, *index.formulas, *index.cards]
    for entry in entries:
        if entry.id in (id, f"{topic}/{id}"):
            raise UserError(f"{entry.id} exists already, in {entry.file}:{entry.line}. Choose another name.")
    folder = content.topic_folders().get(topic, root / chapter.replace("-", "_") / topic.replace("-", "_"))
    return skeleton.drill_parts(folder, ".".join(("quizzes", "content", *folder.parts[-2:])), id)


def _pack_name(folder: Path) -> str:
    """Return the name of a new pack, which is that of its folder.

    Raises:
        UserError: If that can't be the name of a pack.
    """
    from quizzes.text_checks import identifier_problem

    name = folder.resolve().name
    if problem := identifier_problem(name):
        raise UserError(f"The name of the pack's folder {problem}.")
    return name


def _print(parts: "list[Part]", id: str, test: str, as_json: bool) -> None:
    visible = [part for part in parts if part.name != "package"]
    if as_json:
        print_json({"drill": id, "parts": [dict(part=p.name, file=str(p.file), line=p.line) for p in visible]})
        return
    for part in visible:
        print(f"{part.name:<9}{part.file}:{part.line}")
    print(f"\nRewrite them. CONTRIBUTING.md and docs/packs.md explain each part.\nNext: {test}")
