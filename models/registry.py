"""The registry: what every network is called, where it comes from, and how it is built.

A family is one file, models/ROOM/FAMILY.py, that ends in a literal:

    FAMILY = dict(
        family="lenet5", year=1998, paper="...", topic="milestones", task="digits",
        idea="...",                                # what is new in it, in a sentence or two
        builds_on=("neocognitron", "mlp"),         # families whose ideas it takes up, as its paper says; or left out
        network="LeNet5",                          # the class in that file
        names={"lenet5-modern": dict()},           # name -> what its class is called with, as published
        input=(1, 32, 32), output=(10,),           # of one sample, as published
        inputs={"lenet5-modern": (1, 32, 32)},     # of one name alone; left out where that is the same
        params={"lenet5-modern": 61_706},          # the published count
        mini=dict(side=20),                        # what the small preset changes
        minis={"lenet5-modern": dict()},           # what it changes in one name alone; left out where that is nothing
        lr={"lenet5-modern": 0.001},               # Adam's learning rate where the usual one is too large for it
        reference=None)                            # the library whose weights it takes

`names` and `info` read these literals from the source, and never run the file: a list of all networks needs no torch.
Every network has an attribute `input_shape`, the shape of one sample without the batch, since options may change it.
"""

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import UserError, lookup, unknown_name
from workbench.literals import literal

if TYPE_CHECKING:
    from torch import nn

ROOMS = Path(__file__).parent


@dataclass(frozen=True)
class Architecture:
    """One name of the registry.

    Attributes:
        idea: What was new in it, in a sentence or two.
        builds_on: Families, here or not, whose ideas it takes up; the one that it is nearest to comes first.
        presets: Preset -> the arguments that `network` is called with.
        input: Shape of one sample of the paper preset, without the batch.
        output: Shape of what the paper preset makes of one sample.
        params: The published number of parameters, where there is one.
        lr: The learning rate by Adam, where the usual one is too large for it.
        reference: The library whose weights `load_reference` takes, if any.
        module: Where the family stands, as an import path.
        network: The name of its class there.
    """

    name: str
    family: str
    year: int
    paper: str
    topic: str
    task: str
    idea: str
    builds_on: tuple[str, ...]
    presets: dict[str, dict[str, Any]]
    input: tuple[int, ...]
    output: tuple[int, ...]
    params: int | None
    lr: float | None
    reference: str | None
    module: str
    network: str


def names() -> list[str]:
    """Every network's name, in alphabetical order."""
    return sorted(_registry())


def info(name: str) -> Architecture:
    """What is known of a network without building it.

    Raises:
        UserError: There is no network of that name.
    """
    return lookup("model", name, _registry())


@cache
def arguments(name: str) -> dict[str, Any]:
    """What a network's class can be called with, read from its source: argument -> default.

    The default is None, too, where there is none or where it is no literal.

    Raises:
        UserError: There is no network of that name.
    """
    architecture = info(name)
    return _arguments(architecture.module, architecture.network)


def build(name: str, preset: str = "paper", **overrides: Any) -> "nn.Module":
    """Build a network with fresh weights, from torch's current random state.

    Args:
        name: One of `names()`.
        preset: `paper` is the published network; `mini` is the same code with smaller numbers.
        **overrides: Arguments of the network's class that differ from the preset.

    Raises:
        UserError: There is no such name, preset or argument, or the argument can't be.
    """
    architecture = info(name)
    options = lookup("preset", preset, architecture.presets)
    network = getattr(import_module(architecture.module), architecture.network)
    known = list(inspect.signature(network).parameters)
    for word in overrides:
        if word not in known:
            raise unknown_name(f"option of {name}", word, known)
    try:
        return network(**{**options, **overrides})
    except (TypeError, ValueError, RuntimeError) as error:
        if not overrides:
            raise  # the fault is the family's own, and not of whoever asked
        given = ", ".join(f"{word}={value!r}" for word, value in overrides.items())
        raise UserError(f"{name} can't be built with {given}: {error}") from error


@cache
def reference_names(name: str) -> list[str]:
    """What the weights of a network's reference are called there, in the order of its layers; none without reference.

    Raises:
        UserError: There is no network of that name.
    """
    architecture = info(name)
    if architecture.reference == "torchvision":
        import torch
        from torchvision.models import get_model

        with torch.device("meta"):
            return list(get_model(name.removesuffix("-torchvision").replace("-", "_"), weights=None).state_dict())
    own = getattr(import_module(architecture.module), "reference_names", list)  # where the library isn't always here
    return own()


@cache
def _registry() -> dict[str, Architecture]:
    return {
        architecture.name: architecture for file in sorted(ROOMS.glob("*/*.py")) for architecture in _declared_in(file)
    }


def _declared_in(file: Path) -> list[Architecture]:
    """The names that a family's file declares; none where it declares no family."""
    family = literal(file, "FAMILY")
    if family is None:
        return []
    return [
        Architecture(
            name=name,
            presets={"mini": {**options, **family["mini"], **family.get("minis", {}).get(name, {})}, "paper": options},
            params=family["params"].get(name),
            lr=family.get("lr", {}).get(name),
            idea=family.get("idea", ""),
            builds_on=tuple(family.get("builds_on", ())),
            input=family.get("inputs", {}).get(name, family["input"]),
            module=".".join(file.relative_to(ROOMS.parent).with_suffix("").parts),
            **{word: family[word] for word in ("family", "year", "paper", "topic", "task")},
            **{word: family[word] for word in ("output", "reference", "network")},
        )
        for name, options in family["names"].items()
    ]


def _arguments(module: str, network: str) -> dict[str, Any]:
    """The arguments of a function, or of a class; where it has no `__init__`, those of its base."""
    tree = ast.parse((ROOMS.parent / (module.replace(".", "/") + ".py")).read_text(encoding="utf-8"))
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module:
            for alias in statement.names:
                if network == (alias.asname or alias.name) and statement.module.startswith("models."):
                    return _arguments(statement.module, alias.name)
        if isinstance(statement, ast.FunctionDef) and statement.name == network:
            return _defaults(statement.args)
        if isinstance(statement, ast.ClassDef) and statement.name == network:
            for part in statement.body:
                if isinstance(part, ast.FunctionDef) and part.name == "__init__":
                    return {word: value for word, value in _defaults(part.args).items() if word != "self"}
            return next((_arguments(module, base.id) for base in statement.bases if isinstance(base, ast.Name)), {})
    return {}


def _defaults(signature: ast.arguments) -> dict[str, Any]:
    words = [*signature.posonlyargs, *signature.args]
    given = [*[None] * (len(words) - len(signature.defaults)), *signature.defaults, *signature.kw_defaults]
    return {word.arg: _value(default) for word, default in zip([*words, *signature.kwonlyargs], given, strict=True)}


def _value(default: ast.expr | None) -> Any:
    try:
        return None if default is None else ast.literal_eval(default)
    except ValueError:
        return None
