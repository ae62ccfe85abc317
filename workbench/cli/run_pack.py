"""`workbench runs pack | unpack`: runs as one file, for another machine."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli.output import Json, plural, print_json
from workbench.cli.run_files import RunIds, format_size
from workbench.untrusted import printable


def pack(
    run_ids: RunIds,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The file. Default: the run's name with .zip; runs.zip."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Pack runs into one zip file, which 'workbench runs unpack' opens on any machine.

    It has their specs, events, checkpoints, visualizations, notes and tags.
    """
    from workbench.engine import runs
    from workbench.engine.pack import pack as write

    selection = [runs.get(run_id) for run_id in dict.fromkeys(run_ids)]
    path = output or Path(f"{selection[0].id}.zip" if len(selection) == 1 else "runs.zip")
    contents = write(selection, path)
    size = path.stat().st_size
    if as_json:
        print_json({"path": str(path), "bytes": size, "runs": contents})
    else:
        print(printable(f"{plural(len(contents), 'run')} packed into {path} ({format_size(size)})."))
        print(printable(f"Next, on another machine: workbench runs unpack {path.name}"))


def unpack(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="File that 'workbench runs pack' wrote.")],
    as_json: Json = False,
) -> None:
    """Unpack the runs of a file. They can be shown, asked and resumed here.

    A run whose name is taken gets the next free number. The device of the spec becomes auto.
    """
    from workbench.engine.unpack import unpack as read

    results = read(path)
    if as_json:
        rows = [dict(name=one.name, run=one.run.id, bytes=one.size, device=one.device) for one in results]
        print_json({"path": str(path), "runs": rows})
        return
    for one in results:
        rename = f" {one.name} is taken, so its name here is {one.run.id}." if one.run.id != one.name else ""
        device = f" Its device was {one.device}; here it is auto." if one.device else ""
        print(f"Unpacked {one.name} ({format_size(one.size)}).{rename}{device}")
    print(f"Next: workbench runs show {results[0].run.id}")
