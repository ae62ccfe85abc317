"""A trained network in a file for other programs: weights as safetensors, a program of torch.export, or ONNX.

`export` asks the worker, the only process that imports torch; there, `compute` writes the file and checks it: the
network that the file holds is run on test samples, and must return the same as the run's network.
"""

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.layers.tokens import END, FIRST, PAD, START, UNKNOWN
from workbench import data, tasks
from workbench.engine import networks
from workbench.engine.run import Run
from workbench.engine.verify import ScriptError, Verifier
from workbench.errors import UserError, lookup
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.engine.trained import TrainedNetwork

SUFFIXES = {"weights": ".safetensors", "program": ".pt2", "onnx": ".onnx"}
ONNX_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TIMEOUT = 1800.0  # seconds: a network in its published size takes that long on one core


def export(worker: Verifier, run: Run, format: str, path: Path) -> dict[str, Any]:
    """Write the network of a run's best checkpoint, or of its last if there is no best one, into a file.

    Args:
        worker: The process that writes it.
        run: The run.
        format: `weights`, `program` or `onnx`.
        path: The file, which ends in the suffix of its format.

    Returns:
        The run's id, the model, the checkpoint and its step; `preset` and `arguments`, what `models.build` takes;
        `task`; `inputs`: for each tensor that the network reads its `name`, `dtype` and `shape`, in which `batch`
        stands for any number; `scaling`, how inputs are scaled before; `outputs`, the meaning of the outputs; `format`
        and `path`; `samples`, on which the file was checked, and `difference`, the largest absolute difference of an
        output. All but the last four are in the file, too, as JSON under `about`.

    Raises:
        UserError: If the file has another suffix or can't be written, ONNX isn't installed, the run has no checkpoint,
            or its network can't be exported.
    """
    check(format, path)
    job = dict(job="export", folder=str(run.folder), format=format, path=str(path.absolute()))
    try:
        return {**worker.ask(job, TIMEOUT), "path": str(path)}
    except ScriptError as error:
        raise UserError(f"The network can't be exported: {error} See 'workbench doctor'.") from None


def check(format: str, path: Path) -> None:
    """Check a format, and that a file may be written in it.

    Raises:
        UserError: If there is no such format, the file has another suffix, or a package is missing.
    """
    suffix = lookup("format", format, SUFFIXES)
    if path.suffix != suffix:
        raise UserError(f"The file must end in {suffix}, not {printable(path.suffix) or 'without a suffix'}.")
    if format == "onnx" and any(find_spec(package) is None for package in ONNX_PACKAGES):
        raise UserError("ONNX isn't installed: pip install 'workbench[onnx]'.")


def compute(run: Run, format: str, path: Path) -> dict[str, Any]:
    """Return the same as `export`, computed in this process. Imports torch."""
    from workbench.engine import exporters
    from workbench.engine.trained import load

    check(format, path)
    trained = load(run)
    about = {
        **trained.info,
        "preset": trained.spec.network.preset,
        "arguments": networks.build_arguments(trained.spec),
        "task": trained.spec.data.task,
        "inputs": exporters.describe_inputs(trained.network),
        **_describe_data(trained),
    }
    checked = exporters.write(trained, format, path, about)
    return {**about, "format": format, "path": str(path), **checked}


def _describe_data(trained: "TrainedNetwork") -> dict[str, Any]:
    """Return how inputs are scaled before the network reads them, and what its outputs mean."""
    from workbench.tasks.scalers import stores_bytes, training_scaler

    dataset, seed = trained.task.dataset, trained.spec.seed
    name = tasks.info(trained.spec.data.task).data
    scaling: dict[str, Any] = {}
    if dataset.modality == "text":
        scaling["vocabulary"] = data.vocabulary(name)
    elif dataset.modality == "byte-pairs":
        tokenizer = data.byte_pairs_of(name)
        scaling |= {"vocabulary": dict(tokenizer.vocabulary), "merges": [list(pair) for pair in tokenizer.merges]}
    elif dataset.modality == "pairs":
        characters = data.vocabularies(name)
        scaling |= {"source_characters": characters.source, "target_characters": characters.target}
        scaling |= {"pad": PAD, "start": START, "end": END, "unknown": UNKNOWN, "first": FIRST}
    elif dataset.modality == "series":
        scaler = training_scaler(name, seed)
        scaling |= {"mean": float(scaler.shift), "deviation": float(scaler.spread)}
    elif dataset.modality in ("sentences", "tags", "words", "passages"):
        scaling["vocabulary"] = list(data.word_vocabulary(name))
    elif dataset.modality != "memory":
        is_table = dataset.modality == "table"
        scaler = training_scaler(name, seed, axis=0 if is_table else None)
        scaling |= {"mean": scaler.shift.tolist(), "deviation": scaler.spread.tolist()}
        scaling |= (
            {"features": list(dataset.features)} if is_table else {"largest": 255 if stores_bytes(name, seed) else 1}
        )
    outputs: dict[str, Any] = {"target": dataset.target}
    if dataset.classes:
        outputs["classes"] = list(dataset.classes)
    elif dataset.kind == "regression":
        scaler = training_scaler(name, seed, column=1)
        outputs |= {"mean": float(scaler.shift), "deviation": float(scaler.spread)}
    return {"scaling": scaling, "outputs": outputs}
