"""`workbench packs`: list, check, add and remove packs of user-written drills and cards (docs/packs.md)."""

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workbench.cli.output import Json, print_error, print_json
from workbench.paths import make_private, packs_dir

if TYPE_CHECKING:
    from quizzes.packs.pack import Pack

app = typer.Typer(
    add_completion=False,
    rich_markup_mode=None,
    no_args_is_help=True,
    help="List, check, add and remove packs of user-written drills and cards, which are folders of TOML files.",
)

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder that contains pack.toml.")]


@app.command("list", epilog="Example: workbench packs list")
def list_packs(as_json: Json = False) -> None:
    """List the packs that were added. Packs with problems are reported on stderr."""
    from workbench.user_bank import user_packs

    all_packs = user_packs()
    if as_json:
        print_json([_row(pack) for pack in all_packs])
    elif not all_packs:
        print(f"No packs yet. They are stored in {packs_dir()}.\nNext: workbench packs add DIR")
    else:
        for pack in all_packs:
            if not pack.problems:
                print(f"{pack.name:<26}{_count_items(pack)}  {pack.title}")
        print("\nNext: workbench drill list")
    for pack in all_packs:
        if pack.problems:
            print_error(pack.summarize_problems())


@app.command(epilog="Example: workbench packs check mypack")
def check(folder: Folder, as_json: Json = False) -> None:
    """List every problem of a pack with its file and line.

    Exit code 0: no problem. 1: at least one.
    """
    pack = _check_and_print(folder, as_json)
    if not (as_json or pack.problems):
        print(f"Next: workbench packs add {folder}")
    raise typer.Exit(1 if pack.problems else 0)


@app.command(epilog="Example: workbench packs add mypack")
def add(folder: Folder, as_json: Json = False) -> None:
    """Copy a pack to the data directory, or replace it there.

    Exit code 0: the pack was added. 1: it has problems, which are listed, and nothing was added.
    """
    from quizzes.packs import library

    pack = _check_and_print(folder, as_json)
    if pack.problems:
        raise typer.Exit(1)
    with suppress(OSError):  # `add` says what is wrong with the folder
        make_private(packs_dir())
    copy = library.add(pack, packs_dir())
    if not as_json:
        first_id = next(iter([*pack.drills, *pack.cards]))
        print(f"Copied to {copy}.\nNext: workbench quiz {first_id}")


@app.command(epilog="Example: workbench packs remove mypack")
def remove(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a pack: see 'workbench packs list'.")],
    as_json: Json = False,
) -> None:
    """Remove a pack that was added. Your answers to its questions are kept."""
    from quizzes.packs import library

    library.remove(name, packs_dir())
    if as_json:
        print_json({"removed": name})
    else:
        print(f"Removed {name}. Your answers to its questions are kept.")


def _check_and_print(folder: Path, as_json: bool) -> "Pack":
    """Check a pack, print its contents and problems, and return it."""
    from quizzes.packs.pack import check_pack
    from workbench import syllabus

    pack = check_pack(folder, syllabus.topics())
    if as_json:
        print_json(_row(pack))
        return pack
    for problem in pack.problems:
        print(problem)
    count = len(pack.problems) or "no"
    print(f"{pack.name or folder}: {_count_items(pack)}, {count} problem{'s' * (count != 1)}.")
    return pack


def _count_items(pack: "Pack") -> str:
    drills, cards = len(pack.drills), len(pack.cards)
    return f"{drills} drill{'s' * (drills != 1)}, {cards} card{'s' * (cards != 1)}"


def _row(pack: "Pack") -> dict[str, object]:
    """Return a pack as it is in the JSON of the commands."""
    problems = [dict(file=problem.file, line=problem.line, problem=problem.message) for problem in pack.problems]
    return dict(
        pack=pack.name,
        title=pack.title,
        folder=str(pack.folder),
        drills=list(pack.drills),
        cards=list(pack.cards),
        problems=problems,
    )
