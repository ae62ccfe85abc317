"""`workbench packs`: drills and cards of your own, in a folder of TOML (docs/packs.md)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli.output import Json, print_error, print_json
from workbench.paths import packs_dir

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="Drills and cards of your own, as a folder of TOML: list, check, add, remove.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="The folder in which pack.toml lies.")]


@app.command("list", epilog="Example: workbench packs list")
def list_packs(as_json: Json = False) -> None:
    """The packs that were added. What is left out because of a problem is said on stderr."""
    from quizzes import packs

    found = packs.every()
    if as_json:
        print_json([_row(pack) for pack in found])
    elif not found:
        print(f"No pack was added yet; they are kept in {packs_dir()}.\nNext: workbench packs add DIR")
    else:
        for pack in found:
            if not pack.problems:
                print(f"{pack.name:<26}{_counted(pack)}  {pack.title}")
        print("\nNext: workbench drill list")
    for pack in found:
        if pack.problems:
            print_error(pack.trouble())


@app.command(epilog="Example: workbench packs check mypack")
def check(folder: Folder, as_json: Json = False) -> None:
    """Explain every problem of a pack, with file and line. Exit code 0: there is none. 1: there are some."""
    pack = _checked(folder, as_json)
    if not (as_json or pack.problems):
        print(f"Next: workbench packs add {folder}")
    raise typer.Exit(1 if pack.problems else 0)


@app.command(epilog="Example: workbench packs add mypack")
def add(folder: Folder, as_json: Json = False) -> None:
    """Add a copy of a pack, or replace it. Where it has problems, they are explained, nothing is added: exit code 1."""
    from quizzes.packs import shelf

    pack = _checked(folder, as_json)
    if pack.problems:
        raise typer.Exit(1)
    kept = shelf.add(pack, packs_dir())
    if not as_json:
        first = next(iter([*pack.drills, *pack.cards]))
        print(f"It was copied to {kept}.\nNext: workbench quiz {first}")


@app.command(epilog="Example: workbench packs remove mypack")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A pack: see 'workbench packs list'.")],
    as_json: Json = False,
) -> None:
    """Remove a pack that was added. What you answered of it is kept."""
    from quizzes.packs import shelf

    shelf.remove(name, packs_dir())
    if as_json:
        print_json({"removed": name})
    else:
        print(f"{name} was removed; what you answered of it is kept.")


def _checked(folder: Path, as_json: bool) -> "Pack":
    """A pack that was examined; what was found is said."""
    from quizzes.packs.pack import check_pack
    from workbench import syllabus

    pack = check_pack(folder, syllabus.topics())
    if as_json:
        print_json(_row(pack))
        return pack
    for problem in pack.problems:
        print(problem.shown())
    count = len(pack.problems)
    verdict = f"{count} problem{'s' * (count > 1)}" if count else "no problem"
    print(f"{pack.name or folder}: {_counted(pack)}, {verdict}.")
    return pack


def _counted(pack: "Pack") -> str:
    drills, cards = len(pack.drills), len(pack.cards)
    return f"{drills} drill{'s' * (drills != 1)}, {cards} card{'s' * (cards != 1)}"


def _row(pack: "Pack") -> dict[str, Any]:
    problems = [dict(file=problem.file, line=problem.line, problem=problem.problem) for problem in pack.problems]
    return dict(
        pack=pack.name,
        title=pack.title,
        folder=str(pack.folder),
        drills=list(pack.drills),
        cards=list(pack.cards),
        problems=problems,
    )
