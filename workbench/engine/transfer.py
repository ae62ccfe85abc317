"""Transfer learning: loading initial weights into a network, and freezing its backbone.

The *head* is the last layer with weights in the forward pass, the *backbone* is everything else; a family may declare
further parts. A head of another size keeps its fresh weights. A frozen backbone is not updated and stays in evaluation
mode: the statistics of its norms don't change, and it has no dropout.
"""

import pickle
import re
from itertools import chain
from os.path import commonprefix
from pathlib import Path
from pickletools import genops
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

import torch
from safetensors import safe_open
from torch import Tensor, nn

import models
from models.registry import Part
from models.tracing import example_inputs, hooked
from workbench.engine import checkpoints, runs
from workbench.engine.checkpoint_files import RESUMABLE, DamagedError, first_readable, replacement
from workbench.engine.spec import RunSpec
from workbench.engine.spec.sections import FromRun, FromStateDict
from workbench.errors import UserError, lookup
from workbench.render.shape import format_shape
from workbench.tasks.base import evaluation_mode

MOST_OPERATIONS = 1_000_000  # of the pickles of a file: a state dict has about twenty per tensor
OLD_PICKLES = 5  # at the beginning of a file that torch.save wrote before version 1.6
SIZES = (
    "num_classes",
    "image_size",
    "classes",
    "side",
)  # options that published weights determine, with their old names
NAMED = 3  # keys that a message names if many are missing
WRAPPERS = ("state_dict", "model", "model_state", "model_state_dict")  # keys of the state dict in published files

DOTTED = re.compile(r"(denselayer\d+\.(?:norm|conv))\.([12])\.")  # torchvision's DenseNet, as its files were written


def head(network: nn.Module) -> nn.Module:
    """Return the last layer that has weights of its own."""
    return _layers(network)[-1]


def _layers(network: nn.Module) -> list[nn.Module]:
    """Return the layers that have weights of their own, in the order in which they run.

    Layers that run only in training, such as auxiliary classifiers, are in the order in which they are registered.
    """
    registered = [layer for layer in network.modules() if next(layer.parameters(recurse=False), None) is not None]
    calls: dict[nn.Module, None] = {}

    def note(name: str, module: nn.Module, *arguments: Any) -> None:
        calls.setdefault(module)

    with hooked(network, before=note), evaluation_mode(network), torch.no_grad():
        network(*example_inputs(network))
    running = iter([layer for layer in calls if layer in set(registered)])
    return [next(running) if layer in calls else layer for layer in registered]


def load_initial_weights(network: nn.Module, spec: RunSpec) -> dict[str, Any]:
    """Load the initial weights of a spec into a network with fresh weights.

    Returns:
        A record of the loaded weights: `source`, `loaded` (number of tensors), the names that are `missing` in the
        source, and those that are `left_over` there; the `reason` if they are not the run's best ones. It is empty if
        the spec has no initial weights.

    Raises:
        UserError: If they can't be read, or are those of another network.
    """
    match spec.initial_weights:
        case FromRun(origin, part) if part is not None:
            return _load_part(network, spec, origin, part)
        case FromRun(origin):
            own, metadata = _learned(spec, origin)
            return _load(network, own, spec, origin) | _reason(metadata)
        case FromStateDict(weights):
            return _load(network, _published(spec, weights), spec, weights)
    return {}


def freeze(network: nn.Module) -> list[nn.Module]:
    """Freeze the backbone, and return its modules, which must stay in evaluation mode."""
    trained = head(network)
    network.requires_grad_(False)
    trained.requires_grad_(True)
    inside = {network, *trained.modules()}
    return [module for module in network.modules() if module not in inside]


def groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Return the trained parameters by layer. The learning rate of each is `decay` times that of the next one.

    A layer is a matrix or a set of filters with the biases and scales that follow it (discriminative fine-tuning,
    Howard & Ruder 2018, whose decay is 1/2.6).

    Returns:
        Parameter groups in forward order, with the factor of the learning rate as `scale`.
    """
    layers: list[list[nn.Parameter]] = [[]]
    # A weight that two layers share counts once.
    for weight in dict.fromkeys(own for layer in _layers(network) for own in layer.parameters(recurse=False)):
        if weight.requires_grad:
            if weight.dim() > 1 and any(own.dim() > 1 for own in layers[-1]):
                layers.append([])
            layers[-1].append(weight)
    last = len(layers) - 1
    return [{"params": layer, "scale": decay ** (last - index)} for index, layer in enumerate(layers)]


def _learned(spec: RunSpec, origin: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights of a run, its best ones, or those of a checkpoint, and its metadata."""
    weights, metadata = _checkpoint(origin)
    if metadata["model"] != spec.network.model:
        raise UserError(
            f"{origin} is a {metadata['model']}, not a {spec.network.model}: name that network to continue with it, "
            "or the part that both have, by --part."
        )
    return weights, metadata


def _checkpoint(origin: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the weights and the metadata of a checkpoint, or of the best one of a run.

    If the best one of a run is damaged, they are those of the last one, with the `reason` in the metadata.
    """
    path = Path(origin)
    is_run = not path.is_absolute()
    if is_run:
        path = runs.get(origin).folder / "best.safetensors"
    try:
        weights, metadata = checkpoints.load(path)
    except DamagedError as error:
        if not is_run:
            raise
        name, (weights, metadata), _ = first_readable(path.parent, RESUMABLE, checkpoints.load)
        metadata["reason"] = replacement("best", error.why, name)
    if "model" not in metadata:
        raise UserError(f"{path} is not a checkpoint of a run: for published weights, use --weights.")
    return weights, metadata


def _load_part(network: nn.Module, spec: RunSpec, origin: str, name: str) -> dict[str, Any]:
    """Load one part of another run's network into the part of the same name."""
    weights, metadata = _checkpoint(origin)
    donor = models.info(metadata["model"])
    ours, theirs = network.state_dict(), weights
    own_part, other_part = models.info(spec.network.model).parts.get(name), donor.parts.get(name)
    if own_part is None and other_part is None:  # the parts that every network has
        own_names = {key: key for key in _backbone(network, ours)}
        other_names = {key: key for key in theirs}
        partial = False
    else:
        own = lookup(f"part of {spec.network.model}", name, models.info(spec.network.model).parts)
        other = lookup(f"part of {donor.name}", name, donor.parts)
        own_names, other_names = _names(own, ours), _names(other, theirs)
        partial = own.partial or other.partial
    problem = f"The {name} of {origin} ({donor.name}) doesn't fit that of {spec.network.model} ({spec.network.preset})"
    missing = [key for short, key in own_names.items() if short not in other_names]
    left = [key for short, key in other_names.items() if short not in own_names]
    if missing and not partial:
        raise UserError(f"{problem}: {_listed(missing)} missing{_and_left_over(left)}.")
    loaded = {key: theirs[other_names[short]] for short, key in own_names.items() if short in other_names}
    for key, tensor in loaded.items():
        if tensor.shape != ours[key].shape:
            raise UserError(
                f"{problem}: {key} is {format_shape(tensor.shape)} there, and {format_shape(ours[key].shape)} here. "
                "Use the same preset and options."
            )
    network.load_state_dict({**ours, **loaded})
    return dict(source=origin, part=name, loaded=len(loaded), missing=missing, left_over=left) | _reason(metadata)


def _reason(metadata: dict[str, Any]) -> dict[str, str]:
    return {name: metadata[name] for name in ("reason",) if name in metadata}


def _backbone(network: nn.Module, weights: dict[str, Tensor]) -> list[str]:
    """Return the names of all weights but the head's."""
    last = {id(weight) for weight in head(network).parameters()}
    in_head = {name for name, weight in network.named_parameters() if id(weight) in last}
    return [name for name in weights if name not in in_head]


def _names(part: Part, weights: dict[str, Tensor]) -> dict[str, str]:
    """Return the names of a part's weights by what follows the module that holds them all, if one does."""
    cut = commonprefix(part.prefixes).rfind(".") + 1  # noqa: RUF071  (of names, not of paths)
    return {name[cut:]: name for name in weights if name.startswith(part.prefixes)}


def _published(spec: RunSpec, weights: str) -> dict[str, Tensor]:
    """Return the weights of a published state dict, under our own names."""
    architecture = models.info(spec.network.model)
    names = models.reference_names(spec.network.model)
    tensors = read(Path(weights))
    # Old files lack the number of batches that a norm has seen. Only norms without momentum use it.
    tensors |= {name: torch.tensor(0) for name in names if name.endswith("num_batches_tracked") and name not in tensors}
    problem = f"{weights} isn't {architecture.reference}'s {spec.network.model}"
    _check_names(problem, names, tensors)
    ordered = {name: tensors[name] for name in names}
    outputs = [tensor for tensor in ordered.values() if tensor.dim() > 1][-1].shape[0]
    donor = models.build(spec.network.model, "paper", **{"num_classes": outputs} | _plain_options(spec))
    try:
        donor.load_reference(ordered)  # type: ignore[operator]
    except (RuntimeError, ValueError) as error:
        raise UserError(f"{problem}: {str(error).splitlines()[-1].strip()}.") from error
    return donor.state_dict()


def _plain_options(spec: RunSpec) -> dict[str, Any]:
    return {name: value for name, value in spec.network.options.items() if name not in SIZES}


def read(path: Path) -> dict[str, Tensor]:
    """Return a published state dict: `.safetensors`, or what `torch.save` wrote; no code in the file is executed.

    Raises:
        UserError: If there is no such file, it is damaged, or holds something else.
    """
    try:
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (safe_open has no iterator)
        _check_size(path)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except pickle.UnpicklingError:
        raise UserError(
            f"{path} holds more than weights, or is cut off. For safety, code in a file is never executed: use the "
            ".safetensors file, or one with the state dict only."
        ) from None
    except Exception as error:  # a damaged file can raise any error
        why = " ".join(str(error).split()).partition(". ")[0][:100] or type(error).__name__
        raise UserError(f"{path} can't be read ({why}): download it again.") from error
    for name in WRAPPERS:
        if isinstance(content, dict) and isinstance(content.get(name), dict):
            content = content[name]
    if not isinstance(content, dict) or not content or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{path} has no state dict, which maps names to tensors.")
    for name, tensor in content.items():
        if tensor.layout == torch.strided and tensor.nbytes > tensor.untyped_storage().nbytes():
            raise UserError(f"{path} holds {str(name)[:60]} as a few numbers, repeated: save it again, written out.")
    return {DOTTED.sub(r"\1\2.", str(name).removeprefix("module.")): tensor for name, tensor in content.items()}


def _check_size(path: Path) -> None:
    """Check that a file isn't much larger in memory than on the disk; files of `torch.save` are not.

    Raises:
        UserError: If it is.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        zipped = file.read(4) == b"PK\x03\x04"  # as PyTorch itself looks
        file.seek(0)
        if not zipped:
            _check_pickles(path, file, OLD_PICKLES)
            return
        with ZipFile(file) as archive:
            entries = archive.infolist()
            packed = any(entry.compress_type != ZIP_STORED for entry in entries)
            if packed or sum(entry.file_size for entry in entries) > size:
                raise UserError(f"{path} is compressed, which torch.save never does: download it or save it again.")
            for entry in entries:
                if entry.filename.endswith(".pkl"):
                    with archive.open(entry) as pickled:
                        _check_pickles(path, pickled, 1)


def _check_pickles(path: Path, file: IO[bytes], count: int) -> None:
    """Check the first pickles of a file without executing them.

    Raises:
        UserError: If one does more than restore tensors.
        pickle.UnpicklingError: If one is damaged.
    """
    operations = chain.from_iterable(genops(file) for _ in range(count))
    try:
        for place, (operation, argument, _) in enumerate(operations):
            if place >= MOST_OPERATIONS or (operation.name == "GLOBAL" and str(argument).endswith(" bytearray")):
                raise UserError(
                    f"{path} holds more than weights: use the .safetensors file, or one with the state dict only."
                )
    except UserError:
        raise
    except ValueError as error:  # a pickle that is cut off, or other bytes
        raise pickle.UnpicklingError from error


def _load(network: nn.Module, weights: dict[str, Tensor], spec: RunSpec, origin: str) -> dict[str, Any]:
    """Load weights by name. A head of another size keeps its fresh weights."""
    ours = network.state_dict()
    problem = f"{origin} doesn't fit {spec.network.model} ({spec.network.preset})"
    _check_names(problem, list(ours), weights)
    backbone = set(_backbone(network, ours))
    fits = {name for name, tensor in weights.items() if tensor.shape == ours[name].shape}
    for name in ours:
        if name in backbone - fits:
            theirs, own = (format_shape(tensor.shape) for tensor in (weights[name], ours[name]))
            raise UserError(f"{problem}: {name} is {theirs} there, and {own} here. Use the same preset and options.")
    in_head = [name for name in ours if name not in backbone]
    fresh = in_head if not fits >= set(in_head) else []
    network.load_state_dict({name: ours[name] if name in fresh else weights[name] for name in ours})
    return dict(source=origin, loaded=len(ours) - len(fresh), missing=[], left_over=fresh)


def _check_names(problem: str, names: list[str], tensors: dict[str, Tensor]) -> None:
    """Check that there are exactly the tensors of these names.

    Raises:
        UserError: If some are missing, or left over.
    """
    missing = [name for name in names if name not in tensors]
    left = [name for name in tensors if name not in set(names)]
    if missing:
        raise UserError(f"{problem}: {_listed(missing)} missing{_and_left_over(left)}.")
    if left:
        raise UserError(f"{problem}: {_listed(left)} left over.")


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more} {'is' if len(names) == 1 else 'are'}"


def _and_left_over(names: list[str]) -> str:
    return f", and {_listed(names)} left over" if names else ""
