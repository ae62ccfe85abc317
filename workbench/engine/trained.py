"""The network of a run with the weights of a checkpoint, ready to be evaluated or inspected. Imports torch."""

from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from torch import nn

from workbench import data, tasks
from workbench.data.sources import Batch, Source
from workbench.engine import checkpoints, networks
from workbench.engine.checkpoint_files import DamagedError, replacement
from workbench.engine.run import Run
from workbench.engine.spec import RunSpec
from workbench.errors import UserError
from workbench.tasks.base import StepContext, Task

CHECKPOINTS = ("best", "last", "previous")  # the first one that can be loaded is used
MAX_NETWORKS, MAX_BYTES = 4, 2**30  # of the cache


@dataclass(frozen=True)
class TrainedNetwork:
    """A trained network in evaluation mode, on the CPU.

    Attributes:
        run: The id of its run.
        spec: The configuration of the run.
        network: The network.
        task: What it was trained for, with the options of the run's loss.
        checkpoint: The checkpoint of its weights: `best`, `last` or `previous`.
        step: The number of updates before that checkpoint.
        reason: Why it is not a better one that is there but damaged; None if there is none.
    """

    run: str
    spec: RunSpec
    network: nn.Module
    task: Task
    checkpoint: str
    step: int
    reason: str | None = None

    @cached_property
    def sources(self) -> dict[str, Source]:
        """Each split of the data, on the CPU.

        Raises:
            UserError: If the data can't be loaded.
        """
        return self.task.sources(self.network, self.spec.seed)

    @property
    def source(self) -> Source:
        """The test set."""
        return self.sources["test"]

    @property
    def info(self) -> dict[str, Any]:
        """The run, the network and the checkpoint, as plain data."""
        info = dict(run=self.run, model=self.spec.network.model, checkpoint=self.checkpoint, step=self.step)
        return info | ({"reason": self.reason} if self.reason else {})

    def forward(self, batch: Batch) -> Any:
        """Return the outputs for a batch, with gradients if they are enabled."""
        return self.task.forward(self.network, batch, StepContext())


# A worker that answers several questions about a network loads it once.
_cache: OrderedDict[tuple[object, ...], TrainedNetwork] = OrderedDict()


def load(run: Run) -> TrainedNetwork:
    """Return the network of a run with the weights of its best checkpoint, or of its last if there is no best one.

    The last few networks are cached as long as neither their checkpoint nor their data change.

    Raises:
        UserError: If the run has no checkpoint of its network that can be loaded.
    """
    spec = run.spec
    fingerprint = data.fingerprint(tasks.info(spec.data.task).data)
    problem = f"The run {run.id} has no checkpoint yet: wait for its first, or train again."
    passed: tuple[str, str] | None = None  # the first one that is there and can't be loaded, and why
    for name in CHECKPOINTS:
        path = run.folder / f"{name}.safetensors"
        try:
            status = path.stat()
        except OSError:
            continue
        key = (path, status.st_mtime_ns, status.st_size, spec.to_json(), fingerprint)
        if key in _cache:
            _cache.move_to_end(key)
            return _with_reason(_cache[key], passed)
        network = networks.build(spec)
        try:
            step = _load_weights(network, path)
        except UserError as error:
            reason = error.why if isinstance(error, DamagedError) else str(error).splitlines()[0].rstrip(".:")
            passed = passed or (name, reason)
            problem = f"The {name} checkpoint of {run.id} can't be used ({reason}): train again."
            continue
        task = tasks.get(spec.data.task).configure(**spec.regularization.of_labels()).for_network(network)
        trained = TrainedNetwork(run.id, spec, network.eval(), task, name, step)
        _cache[key] = trained
        while len(_cache) > MAX_NETWORKS or (len(_cache) > 1 and sum(map(_size, _cache.values())) > MAX_BYTES):
            _cache.popitem(last=False)
        return _with_reason(trained, passed)
    raise UserError(problem)


def _with_reason(trained: TrainedNetwork, passed: tuple[str, str] | None) -> TrainedNetwork:
    """Return a network with the reason for its checkpoint, if a better one can't be loaded."""
    return replace(trained, reason=replacement(*passed, trained.checkpoint)) if passed else trained


def _load_weights(network: nn.Module, path: Path) -> int:
    """Load the weights of a checkpoint into a network, and return the step of the checkpoint.

    Raises:
        UserError: If that is not possible; the message is the reason.
    """
    weights, metadata = checkpoints.load(path)
    try:
        network.load_state_dict(weights)
        step = int(metadata["step"])
    except (ValueError, RuntimeError, KeyError, TypeError, AttributeError) as error:
        raise UserError("it is of another network") from error
    if not all(weight.isfinite().all() for weight in weights.values()):
        raise UserError("it has numbers that are not finite")
    return step


def _size(trained: TrainedNetwork) -> int:
    """Return the bytes of a network's weights."""
    return sum(weight.nbytes for weight in trained.network.parameters())
