"""`workbench encode`: the latent codes of samples, in a file."""

from pathlib import Path
from typing import Annotated

import typer

from workbench.cli import completion
from workbench.cli.output import Json, plural, print_json, progress_note
from workbench.untrusted import printable

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command(epilog="Example: workbench encode autoencoder-0001 codes.csv --split test")
def encode(
    run_id: Annotated[
        str,
        typer.Argument(metavar="RUN", help="Run id: see 'workbench runs list'.", autocompletion=completion.runs),
    ],
    path: Annotated[Path, typer.Argument(metavar="OUT", help="File to write: .csv or .npy.")],
    split: Annotated[str, typer.Option(help="Split to encode: train, validation or test.")] = "test",
    as_json: Json = False,
) -> None:
    """Write the latent codes of a trained network, such as an autoencoder's, into a file.

    A CSV file has a row for each sample: what it is, then its code. An .npy file has the codes alone.
    """
    from workbench.engine import Verifier
    from workbench.engine.encode import check
    from workbench.engine.encode import encode as encode_split
    from workbench.engine.runs import get

    run = get(run_id)
    check(path, split)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = encode_split(worker, run, path, split)
    if as_json:
        print_json(result)
        return
    size = f"{plural(result['samples'], 'code')} of {plural(result['features'], 'number')}"
    print(printable(f"{size} ({split}, {result['checkpoint']} checkpoint) written to {path}."))
    if "reason" in result:
        print(printable(result["reason"]))
