"""The sections of a spec: plain data, complete.

If a choice has fields of its own, each alternative is a class, so that no field is present without a meaning. The
docstring of such a class is a short description of the alternative.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Network:
    """The architecture, its size, and the arguments that differ from that size's."""

    model: str
    preset: str
    options: dict[str, Any]


@dataclass(frozen=True)
class Data:
    """The task, the training samples, and the samples per update. A batch size of `full` is the whole training set.

    If `train_samples` is None, all samples of the training set are used.
    """

    task: str
    train_samples: int | None
    label_noise: float
    batch_size: int | str
    accumulate: int
    augment: dict[str, float]


@dataclass(frozen=True)
class Epochs:
    """A length in passes over the training set."""

    epochs: int = 20


@dataclass(frozen=True)
class Steps:
    """A length in updates."""

    steps: int


Length = Epochs | Steps


@dataclass(frozen=True)
class Evaluation:
    """The evaluations on the validation set, the metric that decides which checkpoint is best, and early stopping.

    If `monitor` is None, it is the first metric of the task. If `patience` is None, there is no early stopping.
    """

    evaluate_every: int | str
    monitor: str | None
    patience: int | None


@dataclass(frozen=True, kw_only=True)
class GD:
    """gradient descent: one step down the gradient of the whole training set"""

    lr: float = 0.5
    weight_decay: float = 0.0
    decay_on: str = "all"


@dataclass(frozen=True, kw_only=True)
class SGD:
    """stochastic gradient descent: the gradient of a batch"""

    lr: float = 0.1
    weight_decay: float = 0.0
    decay_on: str = "all"


@dataclass(frozen=True, kw_only=True)
class Momentum:
    """SGD that adds a share of its last update"""

    lr: float = 0.05
    weight_decay: float = 0.0
    decay_on: str = "all"
    momentum: float = 0.9


@dataclass(frozen=True, kw_only=True)
class Nesterov(Momentum):
    """momentum with the gradient at the point that the momentum leads to"""


@dataclass(frozen=True, kw_only=True)
class Adagrad:
    """steps divided by the square root of the sum of all squared gradients so far"""

    lr: float = 0.03
    weight_decay: float = 0.0
    decay_on: str = "all"
    eps: float = 1e-10


@dataclass(frozen=True, kw_only=True)
class RMSprop:
    """steps divided by a moving root mean square of the gradients"""

    lr: float = 1e-3
    weight_decay: float = 0.0
    decay_on: str = "all"
    beta2: float = 0.99
    eps: float = 1e-8


@dataclass(frozen=True, kw_only=True)
class Adam:
    """momentum and RMSprop, with bias correction"""

    lr: float = 3e-3
    weight_decay: float = 0.0
    decay_on: str = "all"
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8


@dataclass(frozen=True, kw_only=True)
class AdamW(Adam):
    """Adam with decoupled weight decay"""

    weight_decay: float = 0.01


Optimizer = GD | SGD | Momentum | Nesterov | Adagrad | RMSprop | Adam | AdamW
OPTIMIZERS: dict[str, type[Optimizer]] = {
    "gd": GD,
    "sgd": SGD,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}


@dataclass(frozen=True, kw_only=True)
class Constant:
    """the same learning rate at every step, after the warmup"""

    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class Step:
    """a factor of `decay` after every `decay_every` steps; without it, after every third of the run"""

    warmup: int = 0
    decay: float = 0.1
    decay_every: int | None = None


@dataclass(frozen=True, kw_only=True)
class Exponential(Step):
    """a factor of `decay` over `decay_every` steps, a little at each; without it, over a third of the run"""


@dataclass(frozen=True, kw_only=True)
class Cosine:
    """half a cosine wave from the full learning rate to 0"""

    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class Linear:
    """a straight line from the full learning rate to 0"""

    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class OneCycle:
    """a rise to the full learning rate, then a fall to almost 0"""

    warmup: int = 0


@dataclass(frozen=True, kw_only=True)
class Plateau:
    """a factor of `decay` after more than `plateau_patience` evaluations without improvement"""

    warmup: int = 0
    decay: float = 0.1
    plateau_patience: int = 3


@dataclass(frozen=True, kw_only=True)
class Warmup:
    """a rise over the first steps, then constant; without a number of steps, over a tenth of the run"""

    warmup: int | None = None


@dataclass(frozen=True, kw_only=True)
class InverseSqrt(Warmup):
    """a rise over the first steps, then a fall as 1/sqrt(step); without a number of steps, over a tenth of the run"""


Schedule = Constant | Step | Exponential | Cosine | Linear | OneCycle | Plateau | Warmup | InverseSqrt
SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "exponential": Exponential,
    "cosine": Cosine,
    "linear": Linear,
    "one-cycle": OneCycle,
    "plateau": Plateau,
    "warmup": Warmup,
    "inverse-sqrt": InverseSqrt,
}


@dataclass(frozen=True)
class ClipNorm:
    """The gradient of all weights, scaled down to at most this norm."""

    clip_norm: float


@dataclass(frozen=True)
class ClipValue:
    """Each element of the gradient, within this distance of 0."""

    clip_value: float


Clipping = ClipNorm | ClipValue


@dataclass(frozen=True)
class Regularization:
    """The loss of a pixel, penalties, changes of the targets, and the average of the weights.

    If `pixel_loss` is None, it is the task's own loss; if `ema` is None, there is no average.
    """

    l1: float
    l2: float
    label_smoothing: float
    class_weights: bool
    pixel_loss: str | None
    ema: float | None

    def of_labels(self) -> dict[str, Any]:
        """Return the options of a task's loss that concern its labels."""
        options = {"label_smoothing": self.label_smoothing, "class_weights": self.class_weights}
        return options if self.pixel_loss is None else options | {"pixel_loss": self.pixel_loss}


@dataclass(frozen=True)
class He:
    """He (2015): for layers before a ReLU"""


@dataclass(frozen=True)
class Xavier:
    """Glorot and Bengio (2010)"""


@dataclass(frozen=True)
class Normal:
    """a normal distribution with this standard deviation"""

    init_scale: float = 0.05


@dataclass(frozen=True)
class Uniform:
    """a uniform distribution between this and its negative"""

    init_scale: float = 0.05


Initialization = He | Xavier | Normal | Uniform
INITS: dict[str, type[Initialization]] = {"he": He, "xavier": Xavier, "normal": Normal, "uniform": Uniform}


@dataclass(frozen=True)
class FromRun:
    """The weights of a run or a checkpoint file, or of one part of its network."""

    origin: str
    part: str | None = None
    freeze: str | None = None
    layer_decay: float | None = None


@dataclass(frozen=True)
class FromStateDict:
    """Weights that were published for the reference implementation."""

    weights: str
    freeze: str | None = None
    layer_decay: float | None = None


InitialWeights = FromRun | FromStateDict


@dataclass(frozen=True)
class Runtime:
    """The device, the precision and the compiler."""

    device: str
    bf16: bool
    compile: bool
