"""`workbench runs delete | rename | note | tag`: what can be done with a run that is there."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workbench.cli import completion
from workbench.cli.output import Json, plural, print_json
from workbench.errors import UserError
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.engine import Run
    from workbench.engine.notes import Notes

RunId = Annotated[
    str, typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs)
]
RunIds = Annotated[
    list[str], typer.Argument(metavar="RUN...", help="Ids of one or more runs.", autocompletion=completion.runs)
]


def delete(
    run_ids: RunIds,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    as_json: Json = False,
) -> None:
    """Delete runs with all their files. This can't be undone.

    Exit code 0: they were deleted. 1: the answer was no.
    """
    from workbench.engine import runs
    from workbench.engine.index import RunIndex

    selection = [runs.get(run_id) for run_id in dict.fromkeys(run_ids)]
    for run in selection:
        runs.check_ended(run)
    rows = [_contents(run) for run in selection]
    continued = RunIndex().continued_by([run.id for run in selection])
    if not yes:
        if not sys.stdin.isatty():
            raise UserError("Deleting can't be undone. Add --yes to delete without being asked.")
        for row in rows:
            print(f"{row['run']}: {row['status']}, {_describe_files(row)}", file=sys.stderr)
        _warn(continued)
        names = ", ".join(row["run"] for row in rows)
        typer.echo(f"Delete {names}? This can't be undone. [y/N] ", nl=False, err=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            print("Nothing was deleted.", file=sys.stderr)
            raise typer.Exit(1)
    else:
        _warn(continued)
    for run in selection:
        runs.delete(run)
    if as_json:
        print_json({"deleted": [row | {"continued_by": continued.get(row["run"], [])} for row in rows]})
    else:
        for row in rows:
            print(f"Deleted {row['run']}: {_describe_files(row)}.")


def rename(
    run_id: RunId,
    name: Annotated[str, typer.Argument(metavar="NEW", help="New name: letters, digits, - and _.")],
    as_json: Json = False,
) -> None:
    """Give a run another name.

    Runs that began with its weights have them, but their specs still say the old name.
    """
    from workbench.engine import runs
    from workbench.engine.index import RunIndex

    run = runs.get(run_id)
    continued = RunIndex().continued_by([run.id]).get(run.id, [])
    renamed = runs.rename(run, name)
    if as_json:
        print_json({"run": renamed.id, "renamed_from": printable(run.id), "continued_by": continued})
        return
    print(f"{printable(run.id)} is {renamed.id} now.")
    if continued:
        print(f"Its weights are the initial weights of {', '.join(continued)}, where it still has its old name.")


def note(
    run_id: RunId,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="Note of one line, in quotes. '' removes the note.")],
    as_json: Json = False,
) -> None:
    """Write a note about a run, in place of the one before."""
    from workbench.engine import notes
    from workbench.engine.runs import get

    run = get(run_id)
    _print_notes(run, notes.set_note(run, text), as_json)


def tag(
    run_id: RunId,
    tags: Annotated[list[str], typer.Argument(metavar="TAG...", help="Words without spaces.")],
    remove: Annotated[bool, typer.Option("--remove", help="Remove the tags instead.")] = False,
    as_json: Json = False,
) -> None:
    """Add tags to a run: see 'workbench runs list --tag TAG'."""
    from workbench.engine import notes
    from workbench.engine.runs import get

    run = get(run_id)
    _print_notes(run, (notes.remove_tags if remove else notes.add_tags)(run, tags), as_json)


def _print_notes(run: "Run", notes: "Notes", as_json: bool) -> None:
    if as_json:
        print_json({"run": printable(run.id), "note": notes.note, "tags": list(notes.tags)})
        return
    words = " ".join([*(f"#{tag}" for tag in notes.tags), *([notes.note] if notes.note else [])])
    print(f"{printable(run.id)}: {words or 'no note and no tags'}")


def _contents(run: "Run") -> dict[str, Any]:
    """Return how many files a run has, and how large they are."""
    sizes = [path.lstat().st_size for path in run.folder.rglob("*") if not path.is_dir()]
    return dict(run=printable(run.id), status=run.status(), files=len(sizes), bytes=sum(sizes))


def _describe_files(row: dict[str, Any]) -> str:
    return f"{plural(row['files'], 'file')} of {format_size(row['bytes'])}"


def format_size(size: int) -> str:
    """Return a number of bytes as text: `1.2 MB`."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return plural(size, "byte")


def _warn(continued: dict[str, list[str]]) -> None:
    for run_id, others in continued.items():
        names = ", ".join(others)
        print(
            f"Warning: the weights of {run_id} are the initial weights of {names}. Copies of them are there.",
            file=sys.stderr,
        )
