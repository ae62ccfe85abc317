"""The options of a run, by name, with their checks: those of the command line, the form and a spec's JSON."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.engine.checks import (
    Check,
    OneOf,
    batch_size,
    flag,
    integer,
    interval,
    named_values,
    number,
    read_batch_size,
    read_interval,
    read_named_values,
    read_strengths,
    strengths,
    text,
)
from workbench.engine.spec.sections import INITS, OPTIMIZERS, SCHEDULES
from workbench.errors import UserError

DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
DECAYED = ("all", "weights")  # the parameters that weight decay shrinks: all, or all but biases and scales of norms
FREEZES = ("backbone",)
PIXEL_LOSSES = ("cross-entropy", "focal", "dice", "cross-entropy+dice")
AUGMENTATIONS = {  # name -> default strength
    "shift": 1.0,  # pixels at most, in each direction
    "rotate": 10.0,  # degrees at most, in each direction
    "zoom": 0.1,  # largest relative change of size
    "flip": 0.5,  # probability of swapping left and right
    "noise": 0.1,  # standard deviation of the noise that is added to each pixel
}
AUGMENTATIONS_MOST = {"shift": 1e4, "rotate": 180.0, "zoom": 0.9, "flip": 1.0, "noise": 1e4}


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        group: Its heading in help texts and in the form.
        help: Its description, a sentence.
        check: A function that returns the value, or raises a `UserError`.
        kind: The type of its value on a command line.
        default: Its default value; None if that depends on other options.
        read: A function that converts its text to a value; None if the type does that.
    """

    group: str
    help: str
    check: Check
    kind: type
    default: Any = None
    read: Callable[[Any], Any] | None = None


def device(name: str, value: Any) -> str:
    """Return the value if it is the name of a device. Whether this machine has the device is checked later."""
    if not DEVICE.fullmatch(text(name, value)):
        raise UserError(f"There is no device {value[:60]!r}: use auto, cpu, cuda, cuda:1 or mps.")
    return str(value)


OPTIONS: Mapping[str, Option] = {
    "model": Option("Network", "Network: see 'workbench models list'.", text, str),
    "task": Option("Network", "Task to train for. Default: the network's task.", text, str),
    "preset": Option(
        "Network", "Size: mini (small enough to train in a minute) or paper (as published).", text, str, "mini"
    ),
    "options": Option(
        "Network",
        "Further argument of the network, as name=value. Can be repeated.",
        named_values,
        dict,
        {},
        read_named_values,
    ),
    "train_samples": Option("Data", "Number of training samples, drawn by the seed. Default: all.", integer(1), int),
    "label_noise": Option(
        "Data",
        "Share of the training samples that get the label of another class, drawn by the seed.",
        number(least=0, below=1),
        float,
        0.0,
    ),
    "origin": Option(
        "Transfer", "Source of the initial weights: a run (its best checkpoint) or a checkpoint file.", text, str
    ),
    "weights": Option(
        "Transfer", "Source of the initial weights: a file with a state dict of the reference library.", text, str
    ),
    "part": Option(
        "Transfer",
        "Part of the network that begins with the weights of the run; the rest has fresh ones. Default: all of it.",
        text,
        str,
    ),
    "freeze": Option("Transfer", "Layers to freeze: backbone (all but the last layer).", OneOf(FREEZES), str),
    "layer_decay": Option(
        "Transfer",
        "Learning rate of each layer relative to the next one. The last layer has the full learning rate.",
        number(above=0, most=1),
        float,
    ),
    "epochs": Option("Length", "Number of passes over the training set. Default: 20.", integer(1), int),
    "steps": Option("Length", "Number of updates, instead of epochs.", integer(1), int),
    "patience": Option(
        "Length",
        "Early stopping: number of evaluations without improvement before the run ends with its best weights.",
        integer(1),
        int,
    ),
    "monitor": Option(
        "Evaluation",
        "Metric on the validation set that decides which checkpoint is best. Default: the task's.",
        text,
        str,
    ),
    "evaluate_every": Option(
        "Evaluation",
        "Interval between evaluations on the validation set: a number of steps, or of epochs, as '2 epochs'.",
        interval,
        str,
        "1 epoch",
        read_interval,
    ),
    "batch_size": Option(
        "Updates",
        "Number of samples per update, or full (the whole training set). Default: 32; full for gd.",
        batch_size,
        str,
        None,
        read_batch_size,
    ),
    "accumulate": Option(
        "Updates", "Number of batches whose gradients are averaged for an update. Default: 1.", integer(1), int
    ),
    "optimizer": Option("Updates", f"Optimizer: {', '.join(OPTIMIZERS)}.", OneOf(OPTIMIZERS), str, "adam"),
    "momentum": Option(
        "Updates", "Momentum factor (momentum, nesterov). Default: 0.9.", number(least=0, below=1), float
    ),
    "beta1": Option(
        "Updates", "Decay rate of the mean gradient (adam, adamw). Default: 0.9.", number(least=0, below=1), float
    ),
    "beta2": Option(
        "Updates",
        "Decay rate of the mean squared gradient (adam, adamw, rmsprop). Default: 0.999; 0.99 for rmsprop.",
        number(least=0, below=1),
        float,
    ),
    "eps": Option(
        "Updates",
        "Term added to the denominator (adagrad, rmsprop, adam, adamw). Default: 1e-8; 1e-10 for adagrad.",
        number(above=0),
        float,
    ),
    "clip_norm": Option(
        "Updates",
        "Maximum norm of the gradient of all weights; a larger one is scaled down. 0: no clipping.",
        number(least=0),
        float,
    ),
    "clip_value": Option(
        "Updates",
        "Maximum absolute value of each element of the gradient; larger ones are clipped.",
        number(above=0),
        float,
    ),
    "lr": Option(
        "Learning rate",
        "Learning rate. Default: the network's for adam and adamw, else the optimizer's.",
        number(above=0),
        float,
    ),
    "schedule": Option(
        "Learning rate", f"Learning rate schedule: {', '.join(SCHEDULES)}. Default: constant.", OneOf(SCHEDULES), str
    ),
    "decay": Option(
        "Learning rate",
        "Factor for step and exponential, reached every --decay-every steps, and for plateau. Default: 0.1.",
        number(above=0, most=1),
        float,
    ),
    "decay_every": Option(
        "Learning rate", "Number of steps for one factor of --decay. Default: a third of the run.", integer(1), int
    ),
    "plateau_patience": Option(
        "Learning rate",
        "Number of evaluations without improvement before plateau applies --decay. Default: 3.",
        integer(1),
        int,
    ),
    "warmup": Option(
        "Learning rate",
        "Number of steps of linear warmup, before any schedule. Default: 0; a tenth of the run for warmup and "
        "inverse-sqrt.",
        integer(0),
        int,
    ),
    "l1": Option(
        "Regularization",
        "Coefficient of the L1 penalty: the sum of |w|, added to the loss.",
        number(least=0),
        float,
        0.0,
    ),
    "l2": Option(
        "Regularization",
        "Coefficient of the L2 penalty: the sum of w², added to the loss.",
        number(least=0),
        float,
        0.0,
    ),
    "weight_decay": Option(
        "Regularization",
        "Weight decay: decoupled for adamw, else added to the gradient. Default: 0.01 for adamw, else 0.",
        number(least=0),
        float,
    ),
    "decay_on": Option(
        "Regularization",
        "Parameters that weight decay shrinks: all, or weights (no biases, no scales of norms). Default: all.",
        OneOf(DECAYED),
        str,
    ),
    "label_smoothing": Option(
        "Regularization",
        "Share of each target's probability that is spread over all classes. Default: 0.",
        number(least=0, below=1),
        float,
    ),
    "class_weights": Option(
        "Regularization",
        "Give each class the same total weight in the loss, whatever its number of samples.",
        flag,
        bool,
        False,
    ),
    "pixel_loss": Option(
        "Regularization",
        "Loss of segmentation: cross-entropy, focal, dice, or cross-entropy+dice. Default: cross-entropy.",
        OneOf(PIXEL_LOSSES),
        str,
    ),
    "ema": Option(
        "Regularization",
        "Decay of an exponential moving average of the weights, which is evaluated in place of them, such as 0.999. "
        "0: no average.",
        number(least=0, below=1),
        float,
    ),
    "dropout": Option(
        "Regularization",
        "Dropout probability, for networks with this argument, such as mlp.",
        number(least=0, below=1),
        float,
    ),
    "batch_norm": Option(
        "Regularization", "Add batch normalization, for networks with this argument, such as mlp.", flag, bool
    ),
    "augment": Option(
        "Regularization",
        "Random augmentation of the training images: "
        + ", ".join(f"{name}={much:g}" for name, much in AUGMENTATIONS.items()),
        strengths(AUGMENTATIONS_MOST),
        dict,
        {},
        read_strengths(AUGMENTATIONS),
    ),
    "init": Option(
        "Initialization", f"Initialization scheme: {', '.join(INITS)}. Default: the network's.", OneOf(INITS), str
    ),
    "init_scale": Option(
        "Initialization", "Standard deviation for normal, bound for uniform. Default: 0.05.", number(above=0), float
    ),
    "seed": Option(
        "Machine", "Seed of the split, the initial weights and the order of the samples.", integer(0), int, 0
    ),
    "device": Option(
        "Machine", "Device: auto (cuda or mps if available, else cpu), cpu, cuda, cuda:1 or mps.", device, str, "auto"
    ),
    "bf16": Option(
        "Machine", "Compute in bfloat16 where that is safe. The weights stay in float32.", flag, bool, False
    ),
    "compile": Option(
        "Machine", "Compile the network with torch.compile, which pays off in long runs only.", flag, bool, False
    ),
}
