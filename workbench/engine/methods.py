"""The methods of a run, by name: what each is, and which fields of a spec ask for it. Importing this needs no torch."""

import json
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Optimizer:
    """A rule that turns gradients into updates.

    Attributes:
        title: What it does, in a few words.
        lr: The learning rate where none is given.
        takes: Its own hyperparameters, with what they are where nothing is said.
    """

    title: str
    lr: float
    takes: dict[str, float] = field(default_factory=dict)


MOMENTS = {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
OPTIMIZERS = {
    "gd": Optimizer("gradient descent: one step down the gradient of the whole training part", lr=0.5),
    "sgd": Optimizer("stochastic gradient descent: the gradient of a batch", lr=0.1),
    "momentum": Optimizer("SGD that keeps a share of its last update", lr=0.05, takes={"momentum": 0.9}),
    "nesterov": Optimizer("momentum that looks ahead before it measures", lr=0.05, takes={"momentum": 0.9}),
    "adagrad": Optimizer("steps divided by the root of all squared gradients so far", lr=0.03, takes={"eps": 1e-10}),
    "rmsprop": Optimizer(
        "steps divided by the root mean square of recent gradients", lr=1e-3, takes={"beta2": 0.99, "eps": 1e-8}
    ),
    "adam": Optimizer("momentum and RMSprop, both corrected for their start", lr=3e-3, takes=MOMENTS),
    "adamw": Optimizer("Adam with weight decay apart from the gradient", lr=3e-3, takes=MOMENTS),
}
SCHEDULES = {  # schedule -> the fields that it takes
    "constant": (),
    "step": ("decay", "decay_every"),
    "exponential": ("decay", "decay_every"),
    "cosine": (),
    "linear": (),
    "one-cycle": (),
    "plateau": ("decay", "plateau_patience"),
    "warmup": (),
}
DECAYED = ("all", "weights")  # the parameters that weight decay shrinks: all, or no biases and scales of norms
WORDS = {"options": "option", "origin": "from"}  # fields of a spec that a command line calls by another word
FREEZES = ("backbone",)
INITS = ("he", "xavier", "normal", "uniform")
SCALED = ("normal", "uniform")  # those that take init_scale
AUGMENTATIONS = {  # name -> strength where none is given
    "shift": 1.0,  # pixels at most, each way
    "rotate": 10.0,  # degrees at most, each way
    "zoom": 0.1,  # larger or smaller by this share at most
    "flip": 0.5,  # chance of left and right being swapped
    "noise": 0.1,  # standard deviation of what is added to each pixel
}
AUGMENTATIONS_MOST = {"shift": 1e4, "rotate": 180.0, "zoom": 0.9, "flip": 1.0, "noise": 1e4}


@dataclass(frozen=True)
class Method:
    """Something the syllabus teaches that is no network but a way of training one.

    Attributes:
        title: What it is, in a few words.
        fields: The fields of a spec that ask for it.
        model: A network that shows it well.
    """

    title: str
    fields: dict[str, Any]
    model: str = "mlp"

    @property
    def command(self) -> str:
        """The command that runs it."""
        return command(self.model, self.fields)


def command(model: str, given: Mapping[str, Any]) -> str:
    """The command line that orders a run of a network with these fields of a spec."""
    words = [word for name, value in given.items() for word in _words(name, value)]
    return shlex.join(["workbench", "train", model, *words])


def pairs(values: Mapping[str, Any]) -> list[str]:
    """Values by name as they are written: `activation=tanh`, `hidden_sizes=[64, 32]`."""
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
