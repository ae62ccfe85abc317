"""Sparse coding of images by an autoencoder: few units of the code are active for each image."""

from typing import Any

import torch
from torch import Tensor, nn

from workbench.data.sources import Batch
from workbench.tasks.base import Metrics, StepContext
from workbench.tasks.reconstruction import Reconstruction, ReconstructionMeter

ACTIVE = 0.1  # activation from which a unit counts as active


class SparseCoding(Reconstruction):
    """Half the sum of squares of each image's error, and the network's penalty of active units.

    A network returns the `code` besides the `reconstruction`, and has a method `sparsity(code)`, its weighted penalty.
    """

    needs = (*Reconstruction.needs, "sparsity")
    suggestion = "sparse-autoencoder"
    is_stackable = False

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = network(batch["image"])
        return outputs | {"sparsity": network.sparsity(outputs["code"])}  # type: ignore[operator]

    def losses(self, outputs: Any, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        error = self.reconstruction(outputs, batch) - batch["image"]
        reconstruction = error.square().flatten(1).sum(dim=1).mean() / 2
        sparsity = outputs["sparsity"]
        return {"loss": reconstruction + sparsity, "reconstruction": reconstruction, "sparsity": sparsity}

    def meter(self) -> "SparseMeter":
        return SparseMeter(self)


class SparseMeter(ReconstructionMeter):
    """Also the mean activation of the units, and the share of the units that are active for an image."""

    def __init__(self, task: SparseCoding):
        super().__init__(task)
        self._codes: list[Tensor] = []  # of each batch: sum of activations, number of active units, number of units

    def update(self, outputs: Any, batch: Batch) -> None:
        super().update(outputs, batch)
        code = outputs["code"].detach()
        total = torch.tensor(float(code.numel()), device=code.device)
        self._codes.append(torch.stack([code.float().sum(), (code > ACTIVE).float().sum(), total]))

    def compute(self) -> Metrics:
        activation, active, total = torch.stack(self._codes).cpu().double().sum(dim=0).tolist()
        return super().compute() | {"mean_activation": activation / total, "active_share": active / total}


TASK = SparseCoding(
    data="digits",
    title="reproduce digits from few active units",
    outputs=dict(reconstruction="float32[channels, height, width]", code="float32[units]"),
    metrics=dict(mse="min", psnr="max", mean_activation="min", active_share="min"),
)
