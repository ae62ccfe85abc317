"""The record of what is to be run: plain data, complete, and checked before anything starts."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import models
from workbench import tasks, untrusted
from workbench.engine.checks import (
    OneOf,
    batch_size,
    flag,
    interval,
    named_values,
    number,
    option,
    read_batch_size,
    read_interval,
    read_named_values,
    read_strengths,
    strengths,
    text,
    whole,
)
from workbench.engine.methods import (
    AUGMENTATIONS,
    AUGMENTATIONS_MOST,
    DECAYED,
    FREEZES,
    INITS,
    OPTIMIZERS,
    SCALED,
    SCHEDULES,
)
from workbench.errors import UserError, lookup, unknown_name

EPOCHS = 20
BATCH_SIZE = 32
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
NETWORK, TRANSFER, LENGTH, EVALUATION, UPDATES, RATE, REGULAR, START, MACHINE = (
    "Network",
    "Transfer",
    "Length",
    "Evaluation",
    "Updates",
    "Learning rate",
    "Regularization",
    "Initialization",
    "Machine",
)

STATE_DICTS = ("torchvision", "timm")  # references that publish weights as state dicts
PLATEAU_PATIENCE = 3
# The fields that a family's recipe may set: they hold where a spec doesn't say otherwise.
RECIPE = (
    *("epochs", "batch_size", "accumulate", "schedule", "warmup", "weight_decay", "decay_on"),
    *("clip_norm", "label_smoothing", "ema", "lr"),
)
SCRATCH = {  # what means nothing where a network begins with fresh weights
    "freeze": "Fresh weights can't be frozen: say what to begin with, by --from or --weights.",
    "layer_decay": "layer_decay is for weights that were learnt before: say which, by --from or --weights.",
    "part": "part is for weights of another run: say which, by --from.",
}


@dataclass(frozen=True)
class RunSpec:
    """One run, as it was ordered. What isn't given is filled in here, so that the record says all.

    Each field carries its help, its check and its group; `workbench train` offers exactly these.

    Raises:
        UserError: Something here can't be run.
    """

    model: str = option(NETWORK, "Network: see 'workbench models list'.", text)
    task: str = option(NETWORK, "Task to train for. Default: the network's task.", text)
    preset: str = option(
        NETWORK, "Size: mini (small enough to train in a minute) or paper (as published).", text, "mini"
    )
    options: dict[str, Any] = option(  # noqa: RUF009  (a field)
        NETWORK, "Further argument of the network, as name=value. Can be repeated.", named_values, {}, read_named_values
    )

    origin: str | None = option(
        TRANSFER, "Source of the initial weights: a run (its best checkpoint) or a checkpoint file.", text
    )
    weights: str | None = option(
        TRANSFER, "Source of the initial weights: a file with a state dict of the reference library.", text
    )
    part: str | None = option(
        TRANSFER,
        "Part of the network that begins with the weights of the run; the rest has fresh ones. Default: all of it.",
        text,
    )
    freeze: str | None = option(TRANSFER, "Layers to freeze: backbone (all but the last layer).", OneOf(FREEZES))
    layer_decay: float | None = option(
        TRANSFER,
        "Learning rate of each layer relative to the next one. The last layer has the full learning rate.",
        number(above=0, most=1),
    )

    epochs: int | None = option(LENGTH, f"Number of passes over the training set. Default: {EPOCHS}.", whole(1))
    steps: int | None = option(LENGTH, "Number of updates, instead of epochs.", whole(1))
    patience: int | None = option(
        LENGTH,
        "Early stopping: number of evaluations without improvement before the run ends with its best weights.",
        whole(1),
    )

    monitor: str | None = option(
        EVALUATION, "Metric on the validation set that decides which checkpoint is best. Default: the task's.", text
    )
    evaluate_every: int | str = option(
        EVALUATION,
        "Interval between evaluations on the validation set: a number of steps, or of epochs, as '2 epochs'.",
        interval,
        "1 epoch",
        read_interval,
    )

    batch_size: int | str = option(
        UPDATES,
        f"Number of samples per update, or full (the whole training set). Default: {BATCH_SIZE}; full for gd.",
        batch_size,
        None,
        read_batch_size,
    )
    accumulate: int = option(
        UPDATES, "Number of batches whose gradients are averaged for an update. Default: 1.", whole(1)
    )
    optimizer: str = option(UPDATES, f"Optimizer: {', '.join(OPTIMIZERS)}.", OneOf(OPTIMIZERS), "adam")
    # Those that an optimizer or a schedule hasn't are None.
    momentum: float = option(UPDATES, "Momentum factor (momentum, nesterov). Default: 0.9.", number(least=0, below=1))
    beta1: float = option(
        UPDATES, "Decay rate of the mean gradient (adam, adamw). Default: 0.9.", number(least=0, below=1)
    )
    beta2: float = option(
        UPDATES,
        "Decay rate of the mean squared gradient (adam, adamw, rmsprop). Default: 0.999; 0.99 for rmsprop.",
        number(least=0, below=1),
    )
    eps: float = option(
        UPDATES,
        "Term added to the denominator (adagrad, rmsprop, adam, adamw). Default: 1e-8; 1e-10 for adagrad.",
        number(above=0),
    )
    clip_norm: float | None = option(
        UPDATES, "Maximum norm of the gradient of all weights; a larger one is scaled down.", number(above=0)
    )
    clip_value: float | None = option(
        UPDATES, "Maximum absolute value of each element of the gradient; larger ones are clipped.", number(above=0)
    )

    lr: float = option(
        RATE, "Learning rate. Default: the network's for adam and adamw, else the optimizer's.", number(above=0)
    )
    schedule: str = option(
        RATE, f"Learning rate schedule: {', '.join(SCHEDULES)}. Default: constant.", OneOf(SCHEDULES)
    )
    decay: float = option(
        RATE,
        "Factor for step and exponential, reached every --decay-every steps, and for plateau. Default: 0.1.",
        number(above=0, most=1),
    )
    decay_every: int | None = option(
        RATE, "Number of steps for one factor of --decay. Default: a third of the run.", whole(1)
    )
    plateau_patience: int | None = option(
        RATE,
        f"Number of evaluations without improvement before plateau applies --decay. Default: {PLATEAU_PATIENCE}.",
        whole(1),
    )
    warmup: int | None = option(
        RATE,
        "Number of steps of linear warmup, before any schedule. Default: 0; a tenth of the run for warmup.",
        whole(0),
    )

    l1: float = option(
        REGULAR, "Coefficient of the L1 penalty: the sum of |w|, added to the loss.", number(least=0), 0.0
    )
    l2: float = option(
        REGULAR, "Coefficient of the L2 penalty: the sum of w², added to the loss.", number(least=0), 0.0
    )
    weight_decay: float = option(
        REGULAR,
        "Weight decay: decoupled for adamw, else added to the gradient. Default: 0.01 for adamw, else 0.",
        number(least=0),
    )
    decay_on: str = option(
        REGULAR,
        "Parameters that weight decay shrinks: all, or weights (no biases, no scales of norms). Default: all.",
        OneOf(DECAYED),
    )
    label_smoothing: float = option(
        REGULAR,
        "Share of each target's probability that is spread over all classes. Default: 0.",
        number(least=0, below=1),
    )
    class_weights: bool = option(
        REGULAR, "Let each class weigh the same in the loss, however many samples it has.", flag, False
    )
    ema: float | None = option(
        REGULAR,
        "Decay of an exponential moving average of the weights, which is evaluated in place of them, such as 0.999.",
        number(above=0, below=1),
    )
    dropout: float | None = option(
        REGULAR, "Dropout probability, for networks with this argument, such as mlp.", number(least=0, below=1)
    )
    batch_norm: bool | None = option(
        REGULAR, "Add batch normalization, for networks with this argument, such as mlp.", flag
    )
    augment: dict[str, float] = option(  # noqa: RUF009  (a field)
        REGULAR,
        "Random augmentation of the training images: "
        + ", ".join(f"{name}={much:g}" for name, much in AUGMENTATIONS.items()),
        strengths(AUGMENTATIONS_MOST),
        {},
        read_strengths(AUGMENTATIONS),
    )

    init: str | None = option(
        START, f"Initialization scheme: {', '.join(INITS)}. Default: the network's.", OneOf(INITS)
    )
    init_scale: float | None = option(
        START, "Standard deviation for normal, bound for uniform. Default: 0.05.", number(above=0)
    )

    seed: int = option(MACHINE, "Seed of the split, the initial weights and the order of the samples.", whole(0), 0)
    device: str = option(
        MACHINE, "Device: auto (cuda or mps if available, else cpu), cpu, cuda, cuda:1 or mps.", text, "auto"
    )
    bf16: bool = option(MACHINE, "Compute in bfloat16 where that is safe. The weights stay in float32.", flag, False)
    compile: bool = option(
        MACHINE, "Compile the network with torch.compile, which pays off in long runs only.", flag, False
    )

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.default is not None or field.name == "model":  # None: not said
                self._set(field.name, field.metadata["check"](field.name, value))
        self._check_network()
        self._check_transfer()
        self._fill_from_recipe()
        self._fill("schedule", "constant")
        self._check_length()
        self._check_choices()
        self._check_task()
        self._fill_updates()
        if "decay" in SCHEDULES[self.schedule]:
            self._fill("decay", 0.1)
        if self.schedule == "plateau":
            self._fill("plateau_patience", PLATEAU_PATIENCE)
        self._fill("weight_decay", 0.01 if self.optimizer == "adamw" else 0.0)
        self._fill("decay_on", "all")
        self._fill("label_smoothing", 0.0)
        if self.init in SCALED:
            self._fill("init_scale", 0.05)
        if not DEVICE.fullmatch(self.device):
            raise UserError(f"There is no device {self.device[:60]!r}: use auto, cpu, cuda, cuda:1 or mps.")

    def _check_network(self) -> None:
        architecture = models.info(self.model)
        if self.preset not in architecture.presets:
            raise unknown_name(f"preset of {self.model}", self.preset, list(architecture.presets))
        self._fill("task", architecture.task)
        if self.task.startswith(tasks.OWN):  # data of one's own, found again from any folder; read when it is needed
            kind, _, path = self.task.partition(":")
            self._set("task", f"{kind}:{_absolute(path)}")
        elif self.task not in tasks.names():
            raise unknown_name("task", self.task, tasks.names())

    def _check_transfer(self) -> None:
        if self.origin is not None and self.weights is not None:
            raise UserError("Begin with the weights of a run (--from) or with published ones (--weights), not both.")
        for name in ("origin", "weights"):  # found again from any folder; read when it is needed
            value = getattr(self, name)
            if value is not None and (name == "weights" or Path(value).suffix or "/" in value or "\\" in value):
                self._set(name, _absolute(value))
        for name, refusal in SCRATCH.items():
            if getattr(self, name) is not None and self.origin is None and self.weights is None:
                raise UserError(refusal)
        if self.part is not None:
            if self.origin is None:
                raise UserError("A part is taken from a run or a checkpoint: say which, by --from.")
            lookup(f"part of {self.model}", self.part, dict.fromkeys([*models.info(self.model).parts, "backbone"]))
        if self.freeze is not None and self.layer_decay is not None:
            raise UserError("With a frozen backbone one layer learns: leave layer_decay or freeze out.")

    def _fill_from_recipe(self) -> None:
        """Take from the family's recipe what the spec doesn't say, and what means something with what it says."""
        recipe = models.info(self.model).recipe
        for name in RECIPE:
            applies = name in recipe and not (
                (name == "epochs" and self.steps is not None)
                or (name == "lr" and self.optimizer not in ("adam", "adamw"))
                or (name == "batch_size" and self.optimizer == "gd")
                or (name == "accumulate" and (self.optimizer == "gd" or self.batch_size == "full"))
                or (name == "clip_norm" and self.clip_value is not None)
                or (name == "label_smoothing" and not self._has_option(name))
            )
            if applies:
                self._fill(name, recipe[name])

    def _has_option(self, name: str) -> bool:
        """Return whether the task's loss has an option; that of a task on the user's own data is checked later."""
        return self.task.startswith(tasks.OWN) or name in tasks.info(self.task).options

    def _check_task(self) -> None:
        for name in tasks.LABEL_OPTIONS:
            if getattr(self, name) and not self._has_option(name):
                raise UserError(f"The task {self.task} has no {name}: leave it out, or use a task with classes.")
        if self.monitor is not None and not self.task.startswith(tasks.OWN):
            tasks.info(self.task).mode(self.monitor)

    def _check_length(self) -> None:
        if self.epochs is not None and self.steps is not None:
            raise UserError("Give epochs or steps, not both.")
        if self.steps is None:
            self._fill("epochs", EPOCHS)

    def _check_choices(self) -> None:
        for name, refusal in idle(self.model, self.optimizer, self.schedule, self.init).items():
            if getattr(self, name) not in (None, {}) and (name, getattr(self, name)) != ("batch_size", "full"):
                raise UserError(refusal)
        if self.clip_norm is not None and self.clip_value is not None:
            raise UserError("Give clip_norm or clip_value, not both.")

    def _fill_updates(self) -> None:
        self._fill("accumulate", 1)
        self._fill("lr", OPTIMIZERS[self.optimizer].lr)
        for name, value in OPTIMIZERS[self.optimizer].takes.items():
            self._fill(name, value)
        self._fill("batch_size", "full" if self.optimizer == "gd" else BATCH_SIZE)

    def _fill(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            self._set(name, value)

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)

    def to_json(self) -> str:
        """The spec as one JSON object."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """The spec that `to_json` wrote, now or before some of the fields were there.

        Raises:
            UserError: The text is no JSON object, or no spec.
        """
        try:
            record = untrusted.parse(text)
        except ValueError as error:
            raise UserError(f"This is no JSON: {error}.") from error
        known = [field.name for field in fields(cls)]
        if not isinstance(record, dict) or "model" not in record:
            raise UserError('A spec is a JSON object with a model, such as {"model": "mlp"}.')
        for name in record:
            if name not in known:
                raise unknown_name("field of a spec", name, known)
        return cls(**record)


def _absolute(path: str) -> str:
    """A path as it is found from any folder.

    Raises:
        UserError: It begins with the home of a user who isn't there.
    """
    try:
        return str(Path(path).expanduser().absolute())
    except RuntimeError:
        raise UserError(f"{path[:200]} begins with the home of a user who isn't here: write the whole path.") from None


def applies(chosen: Mapping[str, Any]) -> list[str]:
    """The fields that mean something beside what is chosen, in the order of the spec.

    Args:
        chosen: `model`, and of `task`, `optimizer`, `schedule`, `init`, `origin` and `weights` those that aren't as
            usual. Another task than those with a name is on the user's own data, which are not looked at.

    Raises:
        UserError: A name isn't known.
    """
    is_own = "task" in chosen and chosen["task"] not in tasks.names()
    names = ("model", "optimizer", "schedule", "init", *([] if is_own else ["task"]))
    spec = RunSpec(**{name: chosen[name] for name in names if name in chosen})
    without = {**idle(spec.model, spec.optimizer, spec.schedule, spec.init)}
    if not is_own:
        without |= dict.fromkeys(set(tasks.LABEL_OPTIONS) - set(tasks.info(spec.task).options), "")
    if not (chosen.get("origin") or chosen.get("weights")):
        without |= SCRATCH
    elif not chosen.get("origin"):
        without |= {"part": SCRATCH["part"]}
    return [field.name for field in fields(RunSpec) if field.name not in without]


def idle(model: str, optimizer: str, schedule: str, init: str | None) -> dict[str, str]:
    """Fields that mean nothing beside these, each with the sentence that refuses it."""
    said = {}
    for name in dict.fromkeys(name for about in OPTIMIZERS.values() for name in about.takes):
        if name not in OPTIMIZERS[optimizer].takes:
            takers = " or ".join(other for other, about in OPTIMIZERS.items() if name in about.takes)
            said[name] = f"The optimizer {optimizer} has no {name}: use {takers}."
    if optimizer == "gd":
        said["batch_size"] = "gd takes the whole training part at each step: leave batch_size out, or use sgd."
    for name in dict.fromkeys(name for takes in SCHEDULES.values() for name in takes):
        if name not in SCHEDULES[schedule]:
            takers = " or ".join(other for other, takes in SCHEDULES.items() if name in takes)
            said[name] = f"The schedule {schedule} has no {name}: use {takers}."
    if init not in SCALED:
        said["init_scale"] = f"init_scale belongs to the init {' or '.join(SCALED)}: the others know their own."
    for name, method in {"dropout": "dropout", "batch_norm": "batch normalization"}.items():
        if name not in models.arguments(model):
            said[name] = f"{model} has no {method} to set: use a network that has, such as mlp."
    if models.info(model).reference not in STATE_DICTS:
        said["weights"] = f"Nobody's published weights fit {model}: begin with a run or a checkpoint, by --from."
    if "image" not in models.info(model).inputs:
        said["augment"] = f"Augmentation is for pictures, and {model} reads none: use a network such as lenet5-modern."
    return said
