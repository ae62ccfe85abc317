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
    named_values,
    number,
    option,
    read_batch_size,
    read_named_values,
    read_strengths,
    strengths,
    text,
    whole,
)
from workbench.engine.methods import (
    AUGMENTATIONS,
    AUGMENTATIONS_MOST,
    FREEZES,
    INITS,
    OPTIMIZERS,
    SCALED,
    SCHEDULES,
)
from workbench.errors import UserError, unknown_name

EPOCHS = 20
BATCH_SIZE = 32
DEVICE = re.compile(r"auto|cpu|mps|cuda(:\d+)?")
NETWORK, TRANSFER, LENGTH, UPDATES, RATE, REGULAR, START, MACHINE = (
    "Network",
    "Transfer",
    "Length",
    "Updates",
    "Learning rate",
    "Regularization",
    "First weights",
    "Machine",
)

STATE_DICTS = ("torchvision", "timm")  # references that publish weights as state dicts
SCRATCH = {  # what means nothing where a network begins with fresh weights
    "freeze": "Fresh weights can't be frozen: say what to begin with, by --from or --weights.",
    "layer_decay": "layer_decay is for weights that were learnt before: say which, by --from or --weights.",
}


@dataclass(frozen=True)
class RunSpec:
    """One run, as it was ordered. What isn't given is filled in here, so that the record says all.

    Each field carries its help, its check and its group; `workbench train` offers exactly these.

    Raises:
        UserError: Something here can't be run.
    """

    model: str = option(NETWORK, "A network: see 'workbench models list'.", text)
    task: str = option(NETWORK, "What it learns; the network's own task if nothing is said.", text)
    preset: str = option(NETWORK, "mini (learns in a minute) or paper (as published).", text, "mini")
    options: dict[str, Any] = option(  # noqa: RUF009  (a field)
        NETWORK, "Another option of the network, as name=value.", named_values, {}, read_named_values
    )

    origin: str | None = option(
        TRANSFER, "Begin with the weights of a run, its best ones, or of a checkpoint: an id or a file.", text
    )
    weights: str | None = option(
        TRANSFER, "Begin with published weights: a file of the reference library's state dict.", text
    )
    freeze: str | None = option(
        TRANSFER, "backbone: train the last layer alone, and keep all before it as it came.", OneOf(FREEZES)
    )
    layer_decay: float | None = option(
        TRANSFER,
        "Each layer learns so many times as fast as the next, the last at the full rate.",
        number(above=0, most=1),
    )

    epochs: int | None = option(LENGTH, f"Passes over the training part; {EPOCHS} if nothing is said.", whole(1))
    steps: int | None = option(LENGTH, "Updates of the weights, instead of epochs.", whole(1))
    patience: int | None = option(
        LENGTH, "Early stopping: end after so many evaluations without a better one, and restore the best.", whole(1)
    )

    batch_size: int | str = option(
        UPDATES, f"Samples an update, or full; {BATCH_SIZE} if nothing is said.", batch_size, None, read_batch_size
    )
    optimizer: str = option(UPDATES, f"{', '.join(OPTIMIZERS)}.", OneOf(OPTIMIZERS), "adam")
    # Those that an optimizer or a schedule hasn't are None.
    momentum: float = option(
        UPDATES, "Share of the last update that is kept (momentum, nesterov); 0.9.", number(least=0, below=1)
    )
    beta1: float = option(UPDATES, "Memory of the mean gradient (adam, adamw); 0.9.", number(least=0, below=1))
    beta2: float = option(
        UPDATES, "Memory of the squared gradient (adam, adamw; rmsprop's alpha); 0.999, 0.99.", number(least=0, below=1)
    )
    eps: float = option(UPDATES, "Keeps divisors from zero (adagrad, rmsprop, adam, adamw).", number(above=0))
    clip_norm: float | None = option(UPDATES, "Scale gradients down to this norm, over all of them.", number(above=0))
    clip_value: float | None = option(UPDATES, "Cut each gradient off at plus and minus this.", number(above=0))

    lr: float = option(RATE, "Learning rate; the network's or the optimizer's own if nothing is said.", number(above=0))
    schedule: str = option(RATE, f"{', '.join(SCHEDULES)}: how it goes on.", OneOf(SCHEDULES), "constant")
    decay: float = option(
        RATE, "What step and exponential multiply it by every --decay-every steps; 0.1.", number(above=0, most=1)
    )
    decay_every: int | None = option(RATE, "Steps; a third of the run if nothing is said.", whole(1))
    warmup: int | None = option(
        RATE, "Steps in which it first rises from 0, with any schedule; for warmup a tenth of the run.", whole(0)
    )

    l1: float = option(REGULAR, "Adds L1 times the sum of |w| to the loss.", number(least=0), 0.0)
    l2: float = option(REGULAR, "Adds L2 times the sum of w² to the loss.", number(least=0), 0.0)
    weight_decay: float = option(
        REGULAR, "Apart from the gradient for adamw (0.01), else added to it, as PyTorch does (0).", number(least=0)
    )
    dropout: float | None = option(
        REGULAR, "Chance of a unit to be left out, in networks that can.", number(least=0, below=1)
    )
    batch_norm: bool | None = option(REGULAR, "Normalise over the batch, in networks that can.", flag)
    augment: dict[str, float] = option(  # noqa: RUF009  (a field)
        REGULAR,
        "Change training pictures at random: " + ", ".join(f"{name}={much:g}" for name, much in AUGMENTATIONS.items()),
        strengths(AUGMENTATIONS_MOST),
        {},
        read_strengths(AUGMENTATIONS),
    )

    init: str | None = option(START, f"Draw them by {', '.join(INITS)}; the network's own way if not.", OneOf(INITS))
    init_scale: float | None = option(START, "Standard deviation of normal, bound of uniform; 0.05.", number(above=0))

    seed: int = option(MACHINE, "Decides the split, the first weights and the order.", whole(0), 0)
    device: str = option(MACHINE, "auto (cuda or mps if there, else cpu), cpu, cuda, cuda:1 or mps.", text, "auto")
    bf16: bool = option(MACHINE, "Compute in bfloat16 where that is safe; weights stay float32.", flag, False)
    compile: bool = option(MACHINE, "Compile the network first: pays in long runs only.", flag, False)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if value is not None or field.default is not None or field.name == "model":  # None: not said
                self._set(field.name, field.metadata["check"](field.name, value))
        self._check_network()
        self._check_transfer()
        self._check_length()
        self._check_choices()
        self._fill_updates()
        if "decay" in SCHEDULES[self.schedule]:
            self._fill("decay", 0.1)
        self._fill("weight_decay", 0.01 if self.optimizer == "adamw" else 0.0)
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
        if self.freeze is not None and self.layer_decay is not None:
            raise UserError("With a frozen backbone one layer learns: leave layer_decay or freeze out.")

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
        if self.optimizer in ("adam", "adamw"):
            self._fill("lr", models.info(self.model).lr)
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
        chosen: `model`, and of `optimizer`, `schedule`, `init`, `origin` and `weights` those that aren't as usual.

    Raises:
        UserError: A name isn't known.
    """
    spec = RunSpec(**{name: chosen[name] for name in ("model", "optimizer", "schedule", "init") if name in chosen})
    without = {**idle(spec.model, spec.optimizer, spec.schedule, spec.init)}
    if not (chosen.get("origin") or chosen.get("weights")):
        without |= SCRATCH
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
    for name, method in {"dropout": "dropout", "batch_norm": "batch normalisation"}.items():
        if name not in models.arguments(model):
            said[name] = f"{model} has no {method} to set: use a network that has, such as mlp."
    if models.info(model).reference not in STATE_DICTS:
        said["weights"] = f"Nobody's published weights fit {model}: begin with a run or a checkpoint, by --from."
    if len(models.info(model).input_shape) != 3:
        said["augment"] = f"Augmentation is for pictures, and {model} reads none: use a network such as lenet5-modern."
    return said
