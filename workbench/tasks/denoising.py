"""Denoising of images: the input has noise, and the target is the clean image."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from models.autoencoders.denoising_autoencoder import corrupt
from workbench import data
from workbench.data.sources import Batch
from workbench.tasks import principal_components
from workbench.tasks.base import Baseline, StepContext
from workbench.tasks.reconstruction import Reconstruction, to_unit

COMPONENTS = (1, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128)  # that the baseline chooses from


class Denoising(Reconstruction):
    """Mean squared error between the reconstruction of a noisy image and the clean image.

    The noise is drawn again in every training step; in an evaluation, it is always the same.

    Args:
        noise: `gaussian`, `salt-and-pepper` or `masking`.
        level: Standard deviation of Gaussian noise, or the share of the pixels that are replaced.
    """

    suggestion = "denoising-autoencoder"
    is_stackable = False

    @property
    def noise(self) -> tuple[str, float]:
        """The kind of noise and its level."""
        return self.declared["noise"], self.declared["level"]

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Any:
        return network(corrupt(batch["image"], *self.noise, context.generator))

    def visualized_inputs(self, batch: Batch) -> dict[str, Tensor]:
        noisy = corrupt(batch["image"], *self.noise, StepContext().generator)
        return {"clean": batch["image"], "noisy": noisy}

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the error of the best of two: a copy of the input, and a projection onto principal components.

        The number of components is chosen on the validation set.
        """
        generator = torch.Generator().manual_seed(seed)
        splits = data.load(self.data, seed)
        clean = {split: to_unit(splits[split][0], self.shape) for split in ("train", "validation", "test")}
        noisy = {split: corrupt(images, *self.noise, generator) for split, images in clean.items()}
        rows = {split: images.flatten(1).numpy() for split, images in clean.items()}
        noisy_rows = {split: images.flatten(1).numpy() for split, images in noisy.items()}
        counts = [count for count in COMPONENTS if count <= min(rows["train"].shape)]
        on_validation, on_test = (
            principal_components.errors(rows["train"], rows[split], counts, seed, noisy_rows[split])
            for split in ("validation", "test")
        )
        best = int(np.argmin(on_validation))
        copy = float(np.square(noisy_rows["test"] - rows["test"]).mean())
        baselines = [
            Baseline(f"PCA with {counts[best]} components", "mse", on_test[best]),
            Baseline("a copy of the noisy image", "mse", copy),
        ]
        return min(baselines, key=lambda baseline: baseline.value)


TASK = Denoising(
    data="digits",
    title="remove Gaussian noise from digits",
    outputs=dict(reconstruction="float32[channels, height, width]"),
    metrics=dict(mse="min", psnr="max"),
    noise="gaussian",
    level=0.4,
)
