"""Writing a trained network into a file of another format, and checking the file by running it. Imports torch."""

import inspect
import io
import json
import re
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor, nn

import models
from models.startup import restore_compiler
from models.tracing import example_inputs, hooked
from workbench import files
from workbench.engine import checkpoints
from workbench.engine.trained import TrainedNetwork
from workbench.errors import UserError

SAMPLES = 16  # test samples that a file is checked on
TOLERANCE = 1e-3  # largest difference, relative to the largest output

Tensors = tuple[Tensor, ...]
Function = Callable[..., Any]  # a network: tensors -> outputs


def describe_inputs(network: nn.Module) -> list[dict[str, Any]]:
    """Return the tensors that a network reads: their name, type and shape."""
    names = _input_names(network)
    return [
        {"name": name, "dtype": str(tensor.dtype).removeprefix("torch."), "shape": ["batch", *tensor.shape[1:]]}
        for name, tensor in zip(names, example_inputs(network), strict=True)
    ]


def _input_names(network: nn.Module) -> list[str]:
    """Return the names of the arguments of a network's `forward`."""
    names = list(inspect.signature(network.forward).parameters)
    return names[: len(example_inputs(network))]


def write(trained: TrainedNetwork, format: str, path: Path, about: dict[str, Any]) -> dict[str, Any]:
    """Write a network into a file, and run what the file holds on test samples.

    Args:
        trained: The network.
        format: `weights`, `program` or `onnx`.
        path: The file.
        about: Plain data that is written into the file.

    Returns:
        `samples` and `difference`: the number of samples, and the largest absolute difference of an output.

    Raises:
        UserError: If the network can't be exported or the file can't be written; then there is no file, or the old one.
    """
    samples = read_samples(trained)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is to change in torch
            content, function = WRITERS[format](trained, json.dumps(about))
            difference, largest = compare(trained.network, function, samples)
    except UserError:
        raise
    except Exception as error:  # exporters raise nearly anything
        reason = str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__
        raise UserError(f"{trained.spec.network.model} can't be exported in this format: {reason}") from error
    if not difference <= TOLERANCE * max(largest, 1.0):
        raise UserError(f"The exported network differs by {difference:.2g} from {trained.run}: nothing is written.")
    try:
        files.write(path, content)
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror}): name a file in a folder that can.") from error
    return {"samples": len(samples[0]), "difference": difference}


def read_samples(trained: TrainedNetwork) -> Tensors:
    """Return the first test samples as the network reads them; sequences have the length of its example inputs.

    Raises:
        UserError: If the network is not called with tensors alone.
    """
    calls: list[Tensors] = []

    def note(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not name and not calls and not kwargs and all(isinstance(arg, Tensor) for arg in args):
            calls.append(args)

    with hooked(trained.network, before=note), torch.no_grad():
        trained.forward(trained.source.batch(slice(0, min(SAMPLES, len(trained.source)))))
    examples = example_inputs(trained.network)
    if not calls or len(calls[0]) != len(examples):
        raise UserError(f"{trained.spec.network.model} is called with more than tensors, so it can't be exported.")
    return tuple(
        sample[(slice(None), *(slice(size) for size in example.shape[1:]))]
        for sample, example in zip(calls[0], examples, strict=True)
    )


def compare(network: nn.Module, function: Function, samples: Tensors) -> tuple[float, float]:
    """Return the largest absolute difference of the outputs of a function and a network, and the largest output.

    Both run on one sample, and on the others together, because the size of a batch may vary.
    """
    difference = largest = 0.0
    for rows in (slice(0, 1), slice(1, None)):
        batch = tuple(sample[rows] for sample in samples)
        if not len(batch[0]):
            continue
        with torch.no_grad():
            pairs = zip(_flatten(network(*batch)), _flatten(function(*batch)), strict=True)
            for expected, output in pairs:
                difference = max(difference, (output - expected).abs().max().item())
                largest = max(largest, expected.abs().max().item())
    return difference, largest


def _flatten(outputs: Any) -> list[Tensor]:
    if isinstance(outputs, Tensor):
        return [outputs.double()]
    values: Iterable[Any] = outputs.values() if isinstance(outputs, dict) else outputs
    return [tensor for value in values for tensor in _flatten(value)]


def write_weights(trained: TrainedNetwork, about: str) -> tuple[bytes, Function]:
    """Return the state dict as safetensors, and a new network with the weights that these bytes hold."""
    content = safetensors.torch.save(checkpoints.snapshot(trained.network), metadata={"about": about})
    arguments = json.loads(about)["arguments"]
    network = models.build(trained.spec.network.model, preset=trained.spec.network.preset, **arguments)
    network.load_state_dict(safetensors.torch.load(content))
    return content, network.eval()


def write_program(trained: TrainedNetwork, about: str) -> tuple[bytes, Function]:
    """Return a program of `torch.export`, and the network that `torch.export.load` returns for it."""
    program = export_program(trained.network)
    stream = io.BytesIO()
    torch.export.save(program, stream, extra_files={"about": about})
    content = stream.getvalue()
    return content, torch.export.load(io.BytesIO(content)).module()


def write_onnx(trained: TrainedNetwork, about: str) -> tuple[bytes, Function]:
    """Return an ONNX model, and a function that runs it in ONNX Runtime."""
    import onnxruntime

    names = _input_names(trained.network)
    program = torch.onnx.export(
        export_program(trained.network), dynamo=True, verbose=False, input_names=names, output_names=["output"]
    )
    assert program is not None
    model = program.model_proto
    _name_sizes(model.graph)
    model.metadata_props.add(key="about", value=about)
    content: bytes = model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    inputs = [tensor.name for tensor in session.get_inputs()]

    def run(*batch: Tensor) -> list[Tensor]:
        arrays = {name: tensor.numpy() for name, tensor in zip(inputs, batch, strict=True)}
        return [torch.from_numpy(array) for array in session.run(None, arrays)]

    return content, run


def _name_sizes(graph: Any) -> None:
    """Call the size of the batch `batch` in an ONNX graph, in place of torch's symbol; other sizes become numbers."""
    symbol = graph.input[0].type.tensor_type.shape.dim[0].dim_param
    for value in (*graph.input, *graph.output, *graph.value_info):
        for size in value.type.tensor_type.shape.dim:
            if size.dim_param.isdigit():
                size.dim_value = int(size.dim_param)
            elif size.dim_param:
                size.dim_param = re.sub(rf"\b{symbol}\b", "batch", size.dim_param)


def export_program(network: nn.Module) -> torch.export.ExportedProgram:
    """Return a network in evaluation mode as a program for batches of any size."""
    restore_compiler()
    arguments = example_inputs(network, 2)  # a batch of 1 would count as a constant
    sizes = tuple({0: torch.export.Dim("batch")} for _ in arguments)
    try:
        return torch.export.export(network, arguments, dynamic_shapes=sizes)
    except RuntimeError:
        # Tracing by bytecode also follows `len(tensor)`, of which the default makes a constant.
        return torch.export.export(network, arguments, dynamic_shapes=sizes, strict=True)


WRITERS: dict[str, Callable[[TrainedNetwork, str], tuple[bytes, Function]]] = {
    "weights": write_weights,
    "program": write_program,
    "onnx": write_onnx,
}
