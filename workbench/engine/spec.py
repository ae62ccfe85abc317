"""The record of what is to be run: plain data, complete, and checked before anything starts."""

import json
import math
import re
from dataclasses import asdict, dataclass, fields
from typing import Any

import models
from workbench import BadInput, tasks
from workbench.naming import unknown

OPTIMIZERS = {"adam": 3e-3, "sgd": 0.1}  # optimiser -> learning rate where none is given
EPOCHS = 20
DEVICE = re.compile(r"cpu|mps|cuda(:\d+)?")


@dataclass(frozen=True)
class RunSpec:
    """One run, as it was ordered. What isn't given is filled in here, so that the record says all.

    Attributes:
        model: A name of the registry.
        task: What it learns; the model's own task where none is given.
        preset: `mini` or `paper`.
        epochs: Passes over the training part; 20 where neither epochs nor steps are given.
        steps: Updates of the weights, instead of epochs.
        batch_size: Samples an update.
        lr: Learning rate.
        optimizer: `adam` or `sgd`.
        seed: Decides the parts of the data, the first weights and the order of the samples.
        device: `cpu`, `cuda`, `cuda:1`, `mps`.

    Raises:
        BadInput: Something here can't be run.
    """

    model: str
    task: str | None = None
    preset: str = "mini"
    epochs: int | None = None
    steps: int | None = None
    batch_size: int = 32
    lr: float | None = None
    optimizer: str = "adam"
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("model", "preset", "optimizer", "device"):
            if not isinstance(getattr(self, name), str):
                raise BadInput(f"{name} must be a name, not {getattr(self, name)!r}.")
        architecture = models.info(self.model)
        if self.preset not in architecture.presets:
            raise unknown(f"preset of {self.model}", self.preset, list(architecture.presets))
        if self.optimizer not in OPTIMIZERS:
            raise unknown("optimizer", self.optimizer, list(OPTIMIZERS))
        self._fill("task", architecture.task)
        if self.task not in tasks.names():
            raise unknown("task", self.task, tasks.names())
        if self.epochs is not None and self.steps is not None:
            raise BadInput("Give epochs or steps, not both.")
        if self.steps is None:
            self._fill("epochs", EPOCHS)
            _whole("epochs", self.epochs, 1)
        else:
            _whole("steps", self.steps, 1)
        _whole("batch_size", self.batch_size, 1)
        _whole("seed", self.seed, 0)
        self._fill("lr", OPTIMIZERS[self.optimizer])
        if isinstance(self.lr, bool) or not isinstance(self.lr, (int, float)) or not (0 < self.lr < math.inf):
            raise BadInput(f"lr must be a number above 0, such as {OPTIMIZERS[self.optimizer]}, not {self.lr!r}.")
        object.__setattr__(self, "lr", float(self.lr))
        if not DEVICE.fullmatch(self.device):
            raise BadInput(f"There is no device {self.device[:60]!r}: use cpu, cuda, cuda:1 or mps.")

    def _fill(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)

    def to_json(self) -> str:
        """The spec as one JSON object."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "RunSpec":
        """The spec that `to_json` wrote.

        Raises:
            BadInput: The text is no JSON object, or no spec.
        """
        try:
            record = json.loads(text)
        except ValueError as error:
            raise BadInput(f"This is no JSON: {error}.") from error
        known = [field.name for field in fields(cls)]
        if not isinstance(record, dict) or "model" not in record:
            raise BadInput('A spec is a JSON object with a model, such as {"model": "mlp"}.')
        for name in record:
            if name not in known:
                raise unknown("field of a spec", name, known)
        return cls(**record)


def _whole(name: str, value: Any, least: int) -> None:
    # Seeds and counts go into 64-bit integers.
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value < 2**63:
        raise BadInput(f"{name} must be a whole number of {least} or more, not {value!r}.")
