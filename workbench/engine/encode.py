"""The latent codes that the network of a run gives to the samples of a split, in a file for other programs.

`encode` asks the worker, the only process that imports torch; there, `compute` writes the file.
"""

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import data, files
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, unknown_name
from workbench.untrusted import printable, spreadsheet_cell

if TYPE_CHECKING:
    import numpy as np

SUFFIXES = (".csv", ".npy")
TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def encode(worker: Verifier, run: Run, path: Path, split: str = "test") -> dict[str, Any]:
    """Write the codes of a split into a file: a CSV file with a row for each sample, or an array of NumPy.

    Args:
        worker: The process that writes it.
        run: The run; the weights are those of its best checkpoint, or of its last if there is no best one.
        path: The file. Its suffix says what it becomes: `.csv` has columns that say what a row is, such as the
            number of the sample and its class, then `z1`, `z2` ...; `.npy` has the codes alone (N, features), float32.
        split: `train`, `validation` or `test`.

    Returns:
        The run's id, the model, the checkpoint and its step; `path`, `split`, `samples` and `features`.

    Raises:
        UserError: If the network has no latent code, no checkpoint can be loaded, or the file can't be written.
    """
    check(path, split)
    job = dict(job="encode", folder=str(run.folder), path=str(path.absolute()), split=split)
    try:
        return {**worker.ask(job, TIMEOUT), "path": str(path)}
    except ScriptError as error:
        raise UserError(f"The codes can't be computed: {error} See 'workbench doctor'.") from None


def check(path: Path, split: str) -> None:
    """Check the names of a file and a split.

    Raises:
        UserError: If there is no such split, or the file has another suffix.
    """
    if split not in data.SPLITS:
        raise unknown_name("split", split, data.SPLITS)
    if path.suffix not in SUFFIXES:
        raise UserError(
            f"The file must end in {' or '.join(SUFFIXES)}, not {printable(path.suffix) or 'without a suffix'}."
        )


def compute(run: Run, path: Path, split: str) -> dict[str, Any]:
    """Return the same as `encode`, computed in this process. Imports torch."""
    from workbench.engine.trained import load

    check(path, split)
    trained = load(run)
    codes, columns = trained.task.encodings(trained.network, trained.sources[split])
    values = codes.numpy()
    try:
        files.write(path, _npy(values) if path.suffix == ".npy" else _csv(values, columns))
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror}): name a file in a folder that can.") from error
    return {**trained.info, "path": str(path), "split": split, "samples": len(values), "features": values.shape[1]}


def _npy(codes: "np.ndarray") -> bytes:
    import numpy as np

    content = io.BytesIO()
    np.save(content, codes, allow_pickle=False)
    return content.getvalue()


def _csv(codes: "np.ndarray", columns: dict[str, list[Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([*columns, *(f"z{place}" for place in range(1, codes.shape[1] + 1))])
    for number, code in enumerate(codes.tolist()):
        writer.writerow([*(_to_cell(column[number]) for column in columns.values()), *code])
    return text.getvalue().encode()


def _to_cell(value: Any) -> Any:
    return spreadsheet_cell(value) if isinstance(value, str) else value
