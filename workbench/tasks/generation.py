"""Generation of images by a variational autoencoder, whose loss is the negative evidence lower bound (ELBO)."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.autoencoders.vae import kl_to_standard_normal, reparametrize
from workbench import data
from workbench.data.sources import Batch, Source
from workbench.errors import UserError
from workbench.tasks.base import Baseline, Metrics, StepContext, Visualization
from workbench.tasks.reconstruction import Reconstruction, ReconstructionMeter, to_rows, to_unit
from workbench.tasks.sampling import SampleRequest

SAMPLES = 16  # that are shown


class Generation(Reconstruction):
    """The binary cross-entropy of an image, summed over its pixels, and `beta` times the KL divergence to the prior.

    Both are in nats per image, averaged over the batch. With beta = 1, the loss is the negative ELBO. Of gray pixels,
    the cross-entropy is the expected one of a pixel that is 1 with a probability of its level, so that the ELBO can be
    compared between networks, but is not a bound on the density of the images.

    The code is drawn once per image, in an evaluation always with the same numbers; errors of the reconstruction are
    those of the mean of the codes.
    """

    needs = (*Reconstruction.needs, "beta", "log_variance")
    suggestion = "vae"
    is_stackable = False

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> dict[str, Any]:
        x = batch["image"]
        shape: Any = network.code_shape
        epsilon = torch.randn(len(x), *shape, generator=context.generator).to(x)
        if context.is_training:
            outputs = network(x, epsilon)
            from_sample = outputs["reconstruction"]
        else:  # the network returns the reconstruction of the mean
            outputs = network(x)
            z = reparametrize(outputs["mean"], outputs["log_variance"], epsilon)
            from_sample = network.decode(z)  # type: ignore[operator]
        return {**outputs, "reconstruction_of_sample": from_sample, "beta": network.beta}

    def losses(self, outputs: Any, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        self.reconstruction(outputs, batch)  # check its shape
        reconstruction = cross_entropy(outputs["reconstruction_of_sample"], batch["image"]).mean()
        kl = outputs["beta"] * kl_to_standard_normal(outputs["mean"].float(), outputs["log_variance"].float()).mean()
        return {"loss": reconstruction + kl, "reconstruction": reconstruction, "kl": kl}

    def meter(self) -> "GenerationMeter":
        return GenerationMeter(self)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the bound of a decoder that ignores the code: each pixel has its mean over the training images."""
        splits = data.load(self.data, seed)
        train, test = (to_unit(splits[split][0], self.shape).double() for split in ("train", "test"))
        mean = train.mean(dim=0).clamp(1e-6, 1 - 1e-6)
        elbo = -float(cross_entropy(mean.expand(len(test), *mean.shape), test).mean())
        return Baseline("the mean of each pixel", "elbo", elbo)

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        return [*super().visualize(network, source), *self.sample(network, SampleRequest(count=SAMPLES), 0)]

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        """Return images that are decoded from the prior N(0, 1), whose deviation is multiplied by the temperature."""
        settings = (request.prompt, request.length, request.top_k, request.top_p, request.beams)
        if settings != ("", 0, 0, 1.0, 1):
            raise UserError("Images are drawn from the prior: only count, temperature and seed can be set.")
        shape: Any = network.code_shape
        codes = request.temperature * torch.randn(request.count, *shape, generator=request.generator())
        return [
            {
                "kind": "images",
                "caption": "codes from the prior N(0, 1), decoded",
                "images": [to_rows(image) for image in self.decode(network, codes)],
                "codes": codes.flatten(1).double().round(decimals=4).tolist(),
            }
        ]


class GenerationMeter(ReconstructionMeter):
    """Also the ELBO in nats per image, whatever the weight of the KL divergence in the loss."""

    def __init__(self, task: Generation):
        super().__init__(task)
        self._bounds: list[Tensor] = []

    def update(self, outputs: Any, batch: Batch) -> None:
        super().update(outputs, batch)
        likelihood = -cross_entropy(outputs["reconstruction_of_sample"], batch["image"])
        bound = likelihood - kl_to_standard_normal(outputs["mean"].float(), outputs["log_variance"].float())
        self._bounds.append(bound.detach())

    def compute(self) -> Metrics:
        return {"elbo": float(torch.cat(self._bounds).cpu().double().mean()), **super().compute()}


def cross_entropy(reconstruction: Tensor, images: Tensor) -> Tensor:
    """Return the binary cross-entropy of each image (N,) in nats, summed over its pixels."""
    # Mixed precision has no such operation: near 0 and 1, half the digits are too few.
    with torch.autocast(reconstruction.device.type, enabled=False):
        kind = torch.promote_types(reconstruction.dtype, torch.float32)
        pixels = F.binary_cross_entropy(reconstruction.to(kind), images.to(kind), reduction="none")
    return pixels.flatten(1).sum(dim=1)


TASK = Generation(
    data="digits",
    title="generate digits from a prior",
    outputs=dict(
        reconstruction="float32[channels, height, width]",
        mean="float32[code_size]",
        log_variance="float32[code_size]",
    ),
    metrics=dict(elbo="max", mse="min", psnr="max"),
)
