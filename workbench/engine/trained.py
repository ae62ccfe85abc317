"""A run's network as it was trained, with the samples that it never learnt from."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from models.tracing import hooked
from workbench import tasks
from workbench.engine import checkpoints, networks
from workbench.engine.run import Run
from workbench.errors import UserError
from workbench.tasks.classification import Classification
from workbench.tasks.task import Batch

CHECKPOINTS = ("best", "last")  # the first that can be read counts


@dataclass(frozen=True)
class Trained:
    """A network in evaluation mode, on the CPU.

    Attributes:
        network: The network, with the weights of a checkpoint.
        task: What it learnt.
        samples: The test part.
        checkpoint: Which checkpoint it was, `best` or `last`.
        step: Updates made up to that checkpoint.
    """

    network: nn.Module
    task: Classification
    samples: Batch
    checkpoint: str
    step: int

    def batch(self, first: int, end: int) -> Batch:
        """The test samples of these numbers."""
        return tuple(column[first:end] for column in self.samples)

    def number(self, sample: int | None) -> int:
        """The number of the test sample that is asked for; the first where none is.

        Raises:
            UserError: There is no such sample.
        """
        count = len(self.samples[0])
        if not 0 <= (sample or 0) < count:
            raise UserError(f"There is no test sample {sample}: they are numbered from 0 to {count - 1}.")
        return sample or 0

    def seen(self, sample: int) -> dict[str, Any]:
        """A test sample as the network reads it, and what it is taken for."""
        batch = self.batch(sample, sample + 1)
        chances = self.task.scores(self.task.outputs(self.network, batch)).softmax(dim=1)[0]
        return {
            "sample": sample,
            "pixels": pixels(as_read(self, batch)[0]),
            "target": int(batch[1][0]),
            "predicted": int(chances.argmax()),
            "probability": float(chances.max()),
        }


def load(run: Run) -> Trained:
    """The network of a run with the weights of its best checkpoint, or of its last where there is no best.

    Raises:
        UserError: The run has no checkpoint of its network that can be read.
    """
    spec = run.spec
    problem = f"The run {run.id} has no checkpoint yet: wait for its first, or train anew."
    for name in CHECKPOINTS:
        path = run.folder / f"{name}.safetensors"
        if not path.exists():
            continue
        network = networks.build(spec)
        try:
            weights, about = checkpoints.load(path)
            network.load_state_dict(weights)
            if not all(weight.isfinite().all() for weight in weights.values()):
                raise ValueError("it holds numbers that are not finite")
            step = int(about["step"])
        except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:  # UserError is a ValueError
            said = (
                str(error).splitlines()[0].rstrip(".:") if isinstance(error, ValueError) else "it is of another network"
            )
            problem = f"The {name} checkpoint of {run.id} can't be used ({said}): train anew."
            continue
        task: Any = tasks.get(spec.task)
        shape: Any = network.input_shape
        return Trained(network.eval(), task, task.splits(shape, spec.seed)["test"], name, step)
    raise UserError(problem)


def as_read(trained: Trained, batch: Batch) -> Tensor:
    """A batch as it enters the network: resized, and with as many channels as are read."""
    found: list[Tensor] = []

    def note(name: str, module: nn.Module, given: Any, _: Any) -> None:
        if not name:
            found.append(given[0].detach().clone())

    with hooked(trained.network, before=note), torch.no_grad():
        trained.task.forward(trained.network, batch)
    return found[0]


def pixels(picture: Tensor) -> list[Any]:
    """A picture (channels, height, width), or a flat square one, as rows: of grey numbers, or of three colours each."""
    if picture.dim() == 1:
        side = round(len(picture) ** 0.5)
        picture = picture.view(1, side, side)
    grey = picture.shape[0] != 3 or bool((picture == picture[:1]).all())
    return (picture[0] if grey else picture.permute(1, 2, 0)).tolist()


def maps(network: nn.Module, batch: Tensor) -> dict[str, Tensor]:
    """What every layer that makes maps makes of a batch, by the layer's name, in the order in which they run.

    Args:
        network: It runs once.
        batch: As it is read, (N, channels, height, width).

    Returns:
        Name -> (N, channels, height, width). It carries gradients where the batch does; of a layer that runs several
        times, the first.
    """
    found: dict[str, Tensor] = {}

    def note(name: str, module: nn.Module, given: Any, made: Any) -> None:
        if name and isinstance(made, Tensor) and made.dim() == 4:
            # Cloned: a later layer may work in place.
            found.setdefault(name, made.clone())

    with hooked(network, after=note):
        network(batch)
    return found


def convolutions(network: nn.Module, names: list[str]) -> list[str]:
    """Those of the layers that are convolutions.

    Raises:
        UserError: None is.
    """
    chosen = [name for name in names if isinstance(network.get_submodule(name), nn.Conv2d)]
    if not chosen:
        kind = type(network).__name__
        raise UserError(f"{kind} has no convolution, and so no maps: look at its filters, or take a run of lenet5.")
    return chosen
