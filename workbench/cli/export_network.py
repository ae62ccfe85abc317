"""The part of `workbench runs export` that writes the network of a run."""

from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

from workbench.cli.output import plural, print_json, progress_note
from workbench.render.scale import format_tick
from workbench.untrusted import printable

if TYPE_CHECKING:
    from workbench.engine import Run

TITLES = {"weights": "The weights", "program": "The program", "onnx": "The ONNX model"}


def export_network(run: "Run", format: str, path: Path, as_json: bool) -> None:
    """Write the network of a run into a file, and print what the file is and how it is used."""
    from workbench.engine import Verifier
    from workbench.engine.model_export import check, export

    check(format, path)
    progress_note("Running PyTorch ...")
    with Verifier() as worker:
        result = export(worker, run, format, path)
    if as_json:
        print_json(result)
        return
    checkpoint = f"{result['checkpoint']} checkpoint, step {result['step']}"
    print(printable(f"{TITLES[format]} of {run.id} ({checkpoint}) written to {path}."))
    print(printable(f"  Load: {_loading_code(result)}"))  # not broken into lines, so that it can be copied
    for sentence in (_describe_inputs(result), _describe_check(result)):
        print(fill(printable(sentence), width=78, initial_indent="  ", subsequent_indent="    "))


def _loading_code(result: dict[str, Any]) -> str:
    """Return the Python code that loads a file."""
    path = result["path"]
    if result["format"] == "program":
        return f"torch.export.load({path!r}).module()"
    if result["format"] == "onnx":
        return f"onnxruntime.InferenceSession({path!r})"
    arguments = "".join(f", {name}={value!r}" for name, value in result["arguments"].items())
    build = f"models.build({result['model']!r}, preset={result['preset']!r}{arguments})"
    return f"{build}.load_state_dict(safetensors.torch.load_file({path!r}))"


def _describe_inputs(result: dict[str, Any]) -> str:
    """Return what the network reads, and how that is scaled."""
    inputs = ", ".join(
        f"{one['name']}, {one['dtype']} ({', '.join(map(str, one['shape']))})" for one in result["inputs"]
    )
    scaling = result["scaling"]
    if "vocabulary" in scaling:
        how = f"tokens, the indices of the {len(scaling['vocabulary'])} characters of the vocabulary"
    elif "source_characters" in scaling:
        how = (
            f"tokens, the indices of the {len(scaling['source_characters'])} characters of the source and the "
            f"{len(scaling['target_characters'])} of the target plus {scaling['first']}; {scaling['end']} ends a text"
        )
    elif "features" in scaling:
        how = "each feature minus its mean, divided by its deviation"
    else:
        mean, deviation = (format_tick(scaling[name]) for name in ("mean", "deviation"))
        how = f"(p - {mean}) / {deviation} for pixels p from 0 to {scaling['largest']}"
    return f"Input: {inputs}: {how}. The file has all of this as JSON under 'about', and --json prints it."


def _describe_check(result: dict[str, Any]) -> str:
    samples = plural(result["samples"], "test sample")
    return f"Checked on {samples}: the largest difference of an output is {result['difference']:.2g}."
