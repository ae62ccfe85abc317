"""Cached features of a frozen backbone: they never change, so they are computed once, and the head is trained on them.

This is possible if the head reads one tensor and its output is the network's output. Otherwise the whole network runs
in every step.
"""

from typing import Any

import torch
from torch import Tensor, nn

from models.tracing import hooked
from workbench.data.sources import Batch, Rows, Source
from workbench.engine.transfer import head
from workbench.tasks.base import StepContext, Task, evaluation_mode

MAX_NUMBERS = 2**28  # of cached features


class Head(nn.Module):
    """The head of a network alone.

    Args:
        layer: The head.
        shape: Shape of the features of one sample that it reads.
    """

    def __init__(self, layer: nn.Module, shape: tuple[int, ...]):
        super().__init__()
        self.layer, self.input_shape = layer, shape

    def forward(self, features: Tensor) -> Any:
        """Return the network's outputs for features (N, ...)."""
        return self.layer(features)


class CachedFeatures:
    """A source in whose batches the features from a frozen backbone replace the network's input.

    They are computed for the whole split when the first batch is drawn.

    Args:
        network: The network, on the device of the source.
        layer: Its head.
        task: The task.
        source: A split of the data.
    """

    def __init__(self, network: nn.Module, layer: nn.Module, task: Task, source: Source):
        self.network, self.layer, self.task, self.source = network, layer, task, source
        self.features: Tensor | None = None

    def __len__(self) -> int:
        return len(self.source)

    def batch(self, rows: Rows) -> Batch:
        """Return samples by their numbers."""
        if self.features is None:
            self.features = self._compute()
        features = self.features[rows if isinstance(rows, slice) else rows.to(self.features.device)]
        return self.source.batch(rows) | {next(iter(self.task.info.inputs)): features}

    def to(self, device: torch.device) -> "CachedFeatures":
        """Return the same source; it is where its network is."""
        return self

    def _compute(self) -> Tensor:
        size = self.task.evaluation_batch(self.network)
        batches = (self.source.batch(slice(start, start + size)) for start in range(0, len(self), size))
        return torch.cat([backbone_features(self.network, self.layer, self.task, batch)[0] for batch in batches])


def with_cached_features(
    network: nn.Module, task: Task, sources: dict[str, Source]
) -> tuple[nn.Module, dict[str, Source]]:
    """Return the head of a network with a frozen backbone, and sources of its features.

    If the head can't be trained alone, the network and its sources are returned unchanged.
    """
    layer = head(network)
    features, outputs = backbone_features(network, layer, task, sources["train"].batch(slice(0, 2)))
    total = sum(len(source) for source in sources.values())
    if not isinstance(features, Tensor) or total * features[0].numel() > MAX_NUMBERS:
        return network, sources
    with torch.inference_mode():
        is_output = isinstance(outputs, Tensor) and torch.equal(layer(features), outputs)
    if not is_output:
        return network, sources
    cached: dict[str, Source] = {
        split: CachedFeatures(network, layer, task, source) for split, source in sources.items()
    }
    return Head(layer, tuple(features.shape[1:])), cached


@torch.no_grad()
def backbone_features(network: nn.Module, layer: nn.Module, task: Task, batch: Batch) -> tuple[Any, Any]:
    """Return the inputs of the head for a batch, in evaluation mode, and the outputs of the network.

    The first is None if the head reads several tensors, or runs several times.
    """
    calls = []

    def note(name: str, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if module is layer:
            calls.append(args[0].detach().clone() if len(args) == 1 and not kwargs else None)

    with hooked(network, before=note), evaluation_mode(network):
        outputs = task.forward(network, batch, StepContext())
    return calls[0] if len(calls) == 1 else None, outputs
