"""Transfer: a network begins with weights that were learnt before, and perhaps trains its head alone.

The *head* is the last layer that has weights, the *backbone* all before it. A head of another size than the weights'
stays fresh. A frozen backbone is not updated at all: its batch norms also keep the statistics that they came with, as
if the network were in use.
"""

import pickle
import re
from itertools import chain
from pathlib import Path
from pickletools import genops
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import torch
from safetensors import safe_open
from torch import Tensor, nn

import models
from workbench.engine import checkpoints, runs
from workbench.engine.spec import RunSpec
from workbench.errors import UserError
from workbench.render.shape import format_shape

MOST_OPERATIONS = 1_000_000  # of a file's pickles: a state dict has some twenty a tensor
OLD_PICKLES = 5  # that a file begins with which torch.save wrote before 1.6
SIZES = ("num_classes", "image_size", "classes", "side")  # options that published weights decide; old names too
NAMED = 3  # keys that are named where many are missing
WRAPPERS = ("state_dict", "model", "model_state", "model_state_dict")  # where published files keep the state dict

DOTTED = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")  # torchvision's DenseNet, as its files were written


def head(network: nn.Module) -> nn.Module:
    """The last layer that has weights of its own."""
    return [layer for layer in network.modules() if next(layer.parameters(recurse=False), None) is not None][-1]


def begin(network: nn.Module, spec: RunSpec) -> None:
    """Give a fresh network the weights that the spec begins with, if it names any.

    Raises:
        UserError: They can't be read, or are another network's.
    """
    if spec.origin is not None:
        _take(network, _learnt(spec), spec, spec.origin)
    elif spec.weights is not None:
        _take(network, _published(spec), spec, spec.weights)


def freeze(network: nn.Module) -> list[nn.Module]:
    """Freeze the backbone; its batch norms, which have to stay in evaluation mode, are returned."""
    trained = head(network)
    network.requires_grad_(False)
    trained.requires_grad_(True)
    return [layer for layer in network.modules() if isinstance(layer, nn.modules.batchnorm._BatchNorm)]


def groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """The trained parameters by layer, each layer learning `decay` times as fast as the next: the last at full rate.

    A layer is a matrix or a set of filters with the biases and scales that follow it (discriminative fine-tuning,
    Howard & Ruder 2018, whose decay is 1/2.6).

    Returns:
        Parameter groups in the order of `network.parameters()`, with their share of the rate under `scale`.
    """
    layers: list[list[nn.Parameter]] = [[]]
    for weight in network.parameters():
        if weight.requires_grad:
            if weight.dim() > 1 and any(own.dim() > 1 for own in layers[-1]):
                layers.append([])
            layers[-1].append(weight)
    return [{"params": layer, "scale": decay**place} for place, layer in zip(_down(layers), layers, strict=True)]


def _down(layers: list[Any]) -> range:
    return range(len(layers) - 1, -1, -1)


def _learnt(spec: RunSpec) -> dict[str, Tensor]:
    """The weights of a run, its best ones, or of a checkpoint."""
    assert spec.origin is not None
    path = Path(spec.origin)
    if not path.is_absolute():
        path = runs.get(spec.origin).folder / "best.safetensors"
    weights, about = checkpoints.load(path)
    if "model" not in about:
        raise UserError(f"{path} is no checkpoint of a run: weights that others published are taken by --weights.")
    if about["model"] != spec.model:
        raise UserError(f"{spec.origin} is a {about['model']}, not a {spec.model}: name that network to go on with it.")
    return weights


def _published(spec: RunSpec) -> dict[str, Tensor]:
    """The weights of a published state dict, under our own names."""
    assert spec.weights is not None
    architecture = models.info(spec.model)
    wanted = models.reference_names(spec.model)
    found = read(Path(spec.weights))
    # Old files don't count the batches that a norm has seen, which only training without momentum asks for.
    found |= {name: torch.tensor(0) for name in wanted if name.endswith("num_batches_tracked") and name not in found}
    told = f"{spec.weights} isn't {architecture.reference}'s {spec.model}"
    if missing := [name for name in wanted if name not in found]:
        raise UserError(f"{told}: {_listed(missing)} missing{_and_left(found, wanted)}.")
    if left := _and_left(found, wanted):
        raise UserError(f"{told}{left.replace(', and', ':')}.")
    ordered = {name: found[name] for name in wanted}
    outputs = [tensor for tensor in ordered.values() if tensor.dim() > 1][-1].shape[0]
    donor = models.build(spec.model, "paper", **{"num_classes": outputs} | _plain_options(spec))
    try:
        donor.load_reference(ordered)  # type: ignore[operator]
    except (RuntimeError, ValueError) as error:
        raise UserError(f"{told}: {str(error).splitlines()[-1].strip()}.") from error
    return donor.state_dict()


def _plain_options(spec: RunSpec) -> dict[str, Any]:
    return {name: value for name, value in spec.options.items() if name not in SIZES}


def read(path: Path) -> dict[str, Tensor]:
    """A published state dict: `.safetensors`, or what `torch.save` wrote; nothing in it is ever executed.

    Raises:
        UserError: There is no such file, it is damaged, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (it is no dict)
        _check_size(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except pickle.UnpicklingError:
        raise UserError(
            f"{path} holds more than weights, or isn't whole: objects in it would have to be executed, which is never "
            "done; take the .safetensors, or a file of the state dict alone."
        ) from None
    except Exception as error:  # a damaged file raises whatever its bytes lead to
        why = " ".join(str(error).split()).partition(". ")[0][:100] or type(error).__name__
        raise UserError(f"{path} can't be read ({why}): fetch it again.") from error
    for name in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(name), dict):
            found = found[name]
    if not isinstance(found, dict) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise UserError(f"{path} holds no state dict: names with a tensor each.")
    for name, tensor in found.items():
        if tensor.layout == torch.strided and tensor.nbytes > tensor.untyped_storage().nbytes():
            raise UserError(f"{path} holds {str(name)[:60]} as a few numbers, repeated: save it again, written out.")
    return {DOTTED.sub(r"\1\2.", str(name).removeprefix("module.")): tensor for name, tensor in found.items()}


def _check_size(path: Path) -> None:
    """Refuse what `torch.save` doesn't write: a file that becomes far larger in memory than it is on the disk.

    Raises:
        UserError: It would.
    """
    with path.open("rb") as file:
        whole = file.seek(0, 2)
        file.seek(0)
        zipped = file.read(4) == b"PK\x03\x04"  # as PyTorch itself looks
        file.seek(0)
        if not zipped:
            _check_pickles(path, file, OLD_PICKLES)
            return
        with ZipFile(file) as archive:
            entries = archive.infolist()
            packed = any(entry.compress_type != ZIP_STORED for entry in entries)
            if packed or sum(entry.file_size for entry in entries) > whole:
                raise UserError(f"{path} is compressed, which torch.save never does: fetch it or save it again.")
            for entry in entries:
                if entry.filename.endswith(".pkl"):
                    with archive.open(entry) as pickled:
                        _check_pickles(path, pickled, 1)


def _check_pickles(path: Path, file: IO[bytes], count: int) -> None:
    """Look through so many pickles without doing what they say."""
    operations = chain.from_iterable(genops(file) for _ in range(count))
    try:
        for place, (operation, argument, _) in enumerate(operations):
            if place >= MOST_OPERATIONS or (operation.name == "GLOBAL" and str(argument).endswith(" bytearray")):
                raise UserError(
                    f"{path} holds more than weights: take the .safetensors, or a file of the state dict alone."
                )
    except UserError:
        raise
    except ValueError as error:  # a pickle that ends too early, or bytes that are none
        raise pickle.UnpicklingError from error


def _take(network: nn.Module, weights: dict[str, Tensor], spec: RunSpec, origin: str) -> None:
    """Copy weights under the same names; a head of another size stays as it is."""
    ours = network.state_dict()
    told = f"{origin} doesn't fit {spec.model} ({spec.preset})"
    if missing := [name for name in ours if name not in weights]:
        raise UserError(f"{told}: {_listed(missing)} missing{_and_left(weights, list(ours))}.")
    if left := _and_left(weights, list(ours)):
        raise UserError(f"{told}{left.replace(', and', ':')}.")
    last = {id(weight) for weight in head(network).parameters()}
    fresh = {name for name, weight in network.named_parameters() if id(weight) in last}
    fits = {name for name, tensor in weights.items() if tensor.shape == ours[name].shape}
    for name in ours:
        if name not in fits and name not in fresh:
            theirs, own = (format_shape(tensor.shape) for tensor in (weights[name], ours[name]))
            raise UserError(f"{told}: {name} is {theirs} there, and {own} here; take the same preset and options.")
    kept = fresh if not fresh <= fits else set()
    network.load_state_dict({name: ours[name] if name in kept else weights[name] for name in ours})


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more} {'is' if len(names) == 1 else 'are'}"


def _and_left(found: dict[str, Tensor], wanted: list[str]) -> str:
    left = [name for name in found if name not in set(wanted)]
    return f", and {_listed(left)} left over" if left else ""
