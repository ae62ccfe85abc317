"""The training methods that the syllabus teaches, by name, with the options of a run that select them."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS = {"options": "option", "origin": "from"}  # options that have another name on the command line


@dataclass(frozen=True)
class Method:
    """A training method, such as dropout or early stopping.

    Attributes:
        title: Its name in words.
        fields: The options of a run that select it.
        model: A network that is a good example for it.
    """

    title: str
    fields: dict[str, Any]
    model: str = "mlp"

    @property
    def command(self) -> str:
        """Return the command that runs it."""
        return command(self.model, self.fields)


def command(model: str, options: Mapping[str, Any]) -> str:
    """Return the command line that trains a network with these options."""
    words = [word for name, value in options.items() for word in _words(name, value)]
    return shlex.join(["workbench", "train", model, *words])


def pairs(values: Mapping[str, Any]) -> list[str]:
    """Return values by name as texts: `activation=tanh`, `hidden_sizes=[64, 32]`."""
    return [f"{name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in values.items()]


def _words(name: str, value: Any) -> Iterator[str]:
    if name == "options":
        for pair in pairs(value):
            yield from (f"--{WORDS[name]}", pair)
        return
    yield "--" + WORDS.get(name, name.replace("_", "-"))
    if isinstance(value, dict):
        yield ",".join(f"{word}={much!r}" for word, much in value.items())
    elif value is not True:
        yield str(value)


METHODS = {
    "gd": Method("gradient descent", {"optimizer": "gd", "epochs": 200}),
    "momentum": Method("gradient descent with momentum", {"optimizer": "momentum", "momentum": 0.9}),
    "adam": Method("Adam", {"optimizer": "adam"}),
    "batch-gd": Method("batch gradient descent", {"optimizer": "sgd", "batch_size": "full", "lr": 0.5, "epochs": 200}),
    "mini-batch-gd": Method("mini-batch gradient descent", {"optimizer": "sgd", "batch_size": 32}),
    "sgd": Method("stochastic gradient descent, sample by sample", {"optimizer": "sgd", "batch_size": 1, "lr": 0.01}),
    "early-stopping": Method("early stopping", {"patience": 5, "epochs": 200}),
    "augmentation": Method("augmentation", {"augment": {"shift": 1.0, "rotate": 10.0}}, model="lenet5-modern"),
    "grad-clip": Method("gradient clipping", {"clip_norm": 1.0}),
    "init-he": Method("He initialization", {"init": "he"}),
    "init-xavier": Method("Xavier initialization", {"init": "xavier"}),
    "init-normal": Method("normal initialization", {"init": "normal", "init_scale": 0.05}),
    "init-uniform": Method("uniform initialization", {"init": "uniform", "init_scale": 0.05}),
    "l1": Method("L1 penalty", {"l1": 1e-4}),
    "l2": Method("L2 penalty", {"l2": 1e-3}),
    "weight-decay": Method("weight decay", {"optimizer": "adamw", "weight_decay": 0.01}),
    "dropout": Method("dropout", {"dropout": 0.2}),
    "feature-extraction": Method(
        "feature extraction: a new head on a frozen backbone",
        {"origin": "lenet5-modern-0001", "freeze": "backbone", "task": "mnist-5k"},
        model="lenet5-modern",
    ),
    "fine-tuning": Method(
        "fine-tuning: every layer, the first the least",
        {"origin": "lenet5-modern-0001", "layer_decay": 0.5, "task": "mnist-5k", "lr": 1e-3},
        model="lenet5-modern",
    ),
    "batch-norm": Method("batch normalization", {"batch_norm": True}),
}
