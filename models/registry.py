"""The registry: the name of every network, where it comes from, and how it is built.

A family is a file models/<folder>/<family>.py that ends in a literal:

    FAMILY = dict(
        family="lenet5", year=1998, paper="...", topic="milestones", task="digits",
        contribution="...",                              # what was new in it, in a sentence or two
        builds_on=("neocognitron", "mlp"),               # families whose ideas it uses; may be left out
        network="LeNet5",                                # the class in that file
        names={"lenet5-modern": dict()},                 # name -> arguments of the class, as published
        inputs=dict(image="float32[1, image_size, image_size]"),
        outputs=dict(logits="float32[num_classes]"),     # of one sample; see below
        mini_outputs=dict(),                             # those of the mini preset that differ; may be left out
        alternatives=dict(in_features=dict(inputs=dict(...), outputs=dict(...))),  # if an argument is not 0; optional
        detector=True,                                   # if `losses` and `detect` read its outputs; may be left out
        sizes=dict(classes="num_classes"),               # what the data decide: size -> argument; may be left out
        params={"lenet5-modern": 61_706},                # the published number of parameters
        mini=dict(image_size=20),                        # arguments that differ in the mini preset
        mini_overrides={"lenet5-modern": dict()},        # the same for single names; may be left out
        parts=dict(backbone=("c1.", "c3.")),             # what other networks can begin with; may be left out
        recipe=dict(lr=0.001),                           # training options in place of the defaults; may be left out
        recipes={"lenet5-modern": dict(epochs=8)},       # the same for single names; may be left out
        reference=None)                                  # the library whose weights `load_reference` loads

A dimension of an input or output is a number, an argument of the class, a name for what differs from batch to batch
(`int64[length]`), or an expression such as `image_size/64`. A part is a tuple of prefixes of state-dict keys;
`dict(prefixes=(...), partial=True)` if networks may share only some of its weights.

A file with several families has `FAMILIES = dict(a=dict(family="a", ...), b=dict(...))` instead.

`names` and `info` read these literals from the source without running the file, so that a list of all networks needs
no torch. A network that reads one float32 tensor of a fixed shape has an attribute `input_shape`, the shape of one
sample without the batch dimension; any other has a method `example_inputs(batch_size)`.
"""

import ast
import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.tensor_spec import TensorSpec, parse_all
from workbench.errors import UserError, lookup, unknown_name
from workbench.literals import literal

if TYPE_CHECKING:
    from torch import nn

MODELS_DIR = Path(__file__).parent

# Names that arguments had when older runs were saved: new name -> old names.
OLD_NAMES = {
    "aux_logits": ("auxiliary",),
    "block_config": ("depths",),
    "channels": ("width", "widths"),
    "depth_mult": ("depth",),
    "growth_rate": ("growth",),
    "hidden_size": ("hidden",),
    "image_size": ("side",),
    "in_channels": ("channels",),
    "in_features": ("features",),
    "init_std": ("std",),
    "layers": ("depths",),
    "learning_ranges": ("learns",),
    "norm_layer": ("norm",),
    "num_classes": ("classes",),
    "stochastic_depth_prob": ("drop_path",),
    "width_mult": ("width",),
}


@dataclass(frozen=True)
class Part:
    """A part of a network, with which a network that has a part of the same name can begin.

    Attributes:
        prefixes: The prefixes of its state-dict keys.
        partial: Whether two networks may share only some of its weights.
    """

    prefixes: tuple[str, ...]
    partial: bool = False


@dataclass(frozen=True)
class Architecture:
    """One name of the registry.

    Attributes:
        contribution: What was new in the network, in a sentence or two.
        builds_on: Families whose ideas it uses, in the registry or not; the closest one comes first.
        presets: Preset -> the arguments of its class.
        inputs: The tensors that it reads, by name. A dimension may be an argument of its class.
        outputs: The tensors that it returns, by name.
        mini_outputs: Those of the mini preset that differ by more than the values of its arguments.
        alternatives: Argument of its class -> the inputs and outputs of a network for which it is not 0.
        detector: Whether it can learn any task of detection, since its own methods alone read its outputs.
        sizes: Size that the data decide -> the argument of its class that sets it.
        params: The published number of parameters; None if there is none.
        parts: Part -> its state-dict keys.
        recipe: Training options -> values, in place of the defaults.
        reference: The library whose weights `load_reference` loads; None if there is none.
        module: The module of the family's file, as an import path.
        network: The name of its class there.
    """

    name: str
    family: str
    year: int
    paper: str
    topic: str
    task: str
    contribution: str
    builds_on: tuple[str, ...]
    presets: dict[str, dict[str, Any]]
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]
    mini_outputs: dict[str, TensorSpec]
    alternatives: dict[str, tuple[dict[str, TensorSpec], dict[str, TensorSpec]]]
    detector: bool
    sizes: dict[str, str]
    params: int | None
    parts: dict[str, Part]
    recipe: dict[str, Any]
    reference: str | None
    module: str
    network: str

    def resolve(self, preset: str = "paper", **overrides: Any) -> "Architecture":
        """Return the same network with numbers for the dimensions that its arguments decide."""
        values = {**_arguments(self.module, self.network), **lookup("preset", preset, self.presets), **overrides}
        sizes = {name: value for name, value in values.items() if type(value) is int}
        inputs, outputs = self.inputs, self.outputs | (self.mini_outputs if preset == "mini" else {})
        for argument, (other_inputs, other_outputs) in self.alternatives.items():
            if values.get(argument):
                inputs, outputs = other_inputs, other_outputs
        return replace(
            self,
            inputs={name: spec.resolve(sizes) for name, spec in inputs.items()},
            outputs={name: spec.resolve(sizes) for name, spec in outputs.items()},
        )


def names() -> list[str]:
    """Return every network's name, in alphabetical order."""
    return sorted(_registry())


def info(name: str) -> Architecture:
    """Return the facts about a network, without building it.

    Raises:
        UserError: If there is no network of that name.
    """
    return lookup("model", name, _registry())


@cache
def arguments(name: str) -> dict[str, Any]:
    """Return the arguments of a network's class, read from its source: argument -> default.

    The default is also None if there is none, or if it is not a literal.

    Raises:
        UserError: If there is no network of that name.
    """
    architecture = info(name)
    return _arguments(architecture.module, architecture.network)


def build(name: str, preset: str = "paper", **overrides: Any) -> "nn.Module":
    """Build a network with initial weights drawn from torch's current RNG state.

    Args:
        name: One of `names()`.
        preset: `paper` is the published network; `mini` is the same code with smaller numbers.
        **overrides: Arguments of the network's class that differ from the preset. Names from before arguments were
            renamed, which the specs of older runs contain, are accepted.

    Raises:
        UserError: If there is no such name, preset or argument, or an argument has an invalid value.
    """
    architecture = info(name)
    options = lookup("preset", preset, architecture.presets)
    network_class = getattr(import_module(architecture.module), architecture.network)
    valid = list(inspect.signature(network_class).parameters)
    for argument, value in overrides.items():
        renamed = _rename(argument, value, valid)
        for new_name in renamed:
            if new_name not in valid:
                raise unknown_name(f"option of {name}", new_name, valid)
        options = options | renamed
    try:
        network: nn.Module = network_class(**options)
    except (TypeError, ValueError, RuntimeError) as error:
        if not overrides:
            raise  # an error in the family's file
        values = ", ".join(f"{argument}={value!r}" for argument, value in overrides.items())
        raise UserError(f"{name} can't be built with {values}: {error}") from error
    return network


def _rename(argument: str, value: Any, valid: Collection[str]) -> dict[str, Any]:
    """Return an argument under its current name, if a class whose arguments are `valid` had another name for it."""
    if argument in valid:
        return {argument: value}
    if argument == "sizes" and "hidden_sizes" in valid and isinstance(value, list | tuple) and len(value) > 1:
        return {"in_features": value[0], "hidden_sizes": value[1:-1], "out_features": value[-1]}
    return {next((name for name in valid if argument in OLD_NAMES.get(name, ())), argument): value}


@cache
def reference_names(name: str) -> list[str]:
    """Return the state-dict keys of a network's reference, in the order of its layers; none without a reference.

    Raises:
        UserError: If there is no network of that name.
    """
    architecture = info(name)
    # A family's file lists them itself if the library builds the network under another name or is not always installed.
    listed: Callable[[], list[str]] | None = getattr(import_module(architecture.module), "reference_names", None)
    if listed is not None:
        return listed() if architecture.reference else []
    if architecture.reference == "torchvision":
        import torch
        from torchvision.models import get_model

        with torch.device("meta"):
            return list(get_model(name.removesuffix("-torchvision").replace("-", "_"), weights=None).state_dict())
    if architecture.reference == "timm":  # its names are ours, too
        import torch

        with torch.device("meta"):
            return list(build(name).state_dict())
    return []


@cache
def _registry() -> dict[str, Architecture]:
    return {
        architecture.name: architecture
        for file in sorted(MODELS_DIR.glob("*/*.py"))
        for architecture in _architectures(file)
    }


def _architectures(file: Path) -> list[Architecture]:
    """Return the networks that a file declares; none if it declares no family."""
    family = literal(file, "FAMILY")
    families: Mapping[str, Any] = {"": family} if family else literal(file, "FAMILIES") or {}
    module = ".".join(file.relative_to(MODELS_DIR.parent).with_suffix("").parts)
    return [architecture for family in families.values() for architecture in _members(family, module)]


def _members(family: Mapping[str, Any], module: str) -> list[Architecture]:
    overrides = family.get("mini_overrides", {})
    return [
        Architecture(
            name=name,
            presets={"mini": {**options, **family["mini"], **overrides.get(name, {})}, "paper": options},
            params=family["params"].get(name),
            builds_on=tuple(family.get("builds_on", ())),
            inputs=parse_all(family["inputs"]),
            outputs=parse_all(family["outputs"]),
            mini_outputs=parse_all(family.get("mini_outputs", {})),
            alternatives={
                argument: (parse_all(tensors["inputs"]), parse_all(tensors["outputs"]))
                for argument, tensors in family.get("alternatives", {}).items()
            },
            detector=family.get("detector", False),
            sizes=family.get("sizes", {}),
            parts={part: _part(declared) for part, declared in family.get("parts", {}).items()},
            recipe={**family.get("recipe", {}), **family.get("recipes", {}).get(name, {})},
            module=module,
            **{key: family[key] for key in ("family", "year", "paper", "topic", "task", "contribution")},
            **{key: family[key] for key in ("reference", "network")},
        )
        for name, options in family["names"].items()
    ]


def _part(declared: Any) -> Part:
    return Part(**declared) if isinstance(declared, dict) else Part(tuple(declared))


@cache
def _arguments(module: str, network: str) -> dict[str, Any]:
    """Return the arguments of a function or a class; of its base, if it has no `__init__`."""
    tree = ast.parse((MODELS_DIR.parent / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if network == (alias.asname or alias.name) and statement.module.startswith("models."):
                    return _arguments(statement.module, alias.name)
        if isinstance(statement, ast.FunctionDef) and statement.name == network:
            return _defaults(statement.args)
        if isinstance(statement, ast.ClassDef) and statement.name == network:
            for member in statement.body:
                if isinstance(member, ast.FunctionDef) and member.name == "__init__":
                    return {name: value for name, value in _defaults(member.args).items() if name != "self"}
            return next((_arguments(module, base.id) for base in statement.bases if isinstance(base, ast.Name)), {})
    return {}


def _defaults(signature: ast.arguments) -> dict[str, Any]:
    positional = [*signature.posonlyargs, *signature.args]
    required = len(positional) - len(signature.defaults)
    defaults = [*[None] * required, *signature.defaults, *signature.kw_defaults]
    return {arg.arg: _value(node) for arg, node in zip([*positional, *signature.kwonlyargs], defaults, strict=True)}


def _value(default: ast.expr | None) -> Any:
    try:
        return None if default is None else ast.literal_eval(default)
    except ValueError:
        return None
