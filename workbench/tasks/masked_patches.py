"""Pre-training of a masked autoencoder: the pixels of masked patches are predicted from the visible ones."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from models.layers.patches import patchify
from workbench import data
from workbench.data.sources import Batch, Source
from workbench.errors import UserError
from workbench.tasks.base import (
    VISUALIZED_SAMPLES,
    Baseline,
    Metrics,
    StepContext,
    Visualization,
    evaluation_mode,
)
from workbench.tasks.image_classification import input_shape, read_pixels, read_sample
from workbench.tasks.reconstruction import Reconstruction, ReconstructionMeter, to_rows, to_unit
from workbench.tasks.sampling import SampleRequest

PATCH_SIZE, MASK_RATIO = 4, 0.75  # of the baseline, if there is no network


class MaskedPatches(Reconstruction):
    """Mean squared error over the pixels of the masked patches, which are drawn again in every training step.

    In an evaluation, the same patches of a sample are masked every time. `masked_mse` is in pixels from 0 to 1, also
    for a network that predicts standardized patches. A network is a masked autoencoder: it returns `patches` and
    `mask`, and has `loss`, `fill` and `encode`.
    """

    needs: ClassVar[tuple[str, ...]] = ("mask_ratio", "patch_size", "fill")
    suggestion: ClassVar[str] = "mae"
    is_stackable = False
    predicts = "error of the masked patches"

    def for_network(self, network: nn.Module) -> Self:
        """Return the same task with a baseline for the patches and the mask of this network."""
        if any(not hasattr(network, name) for name in self.needs):
            return self
        task = self.configure()
        task.declared = {
            **self.declared,
            "shape": list(input_shape(network)),
            "patch_size": network.patch_size,
            "mask_ratio": network.mask_ratio,
        }
        return task

    def forward(self, network: Any, batch: Batch, context: StepContext) -> dict[str, Any]:
        images = batch["image"]
        noise = torch.rand(len(images), network.num_patches, generator=context.generator).to(images.device)
        outputs = network(images, noise)
        return {**outputs, "loss": network.loss(outputs, images), "filled": network.fill(outputs, images)}

    def losses(self, outputs: Any, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        return {"loss": outputs["loss"]}

    def meter(self) -> "MaskedMeter":
        return MaskedMeter(self)

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the smallest error of three ways to fill in masked patches that learn no weights."""
        size = int(self.declared.get("patch_size", PATCH_SIZE))
        generator = torch.Generator().manual_seed(seed)
        splits = data.load(self.data, seed)
        train, test = (patchify(to_unit(splits[split][0], self.shape), size) for split in ("train", "test"))
        count, length = test.shape[:2]
        visible = int(length * (1 - float(self.declared.get("mask_ratio", MASK_RATIO))))
        mask = torch.rand(count, length, generator=generator).argsort(dim=1).argsort(dim=1) >= visible
        fillings = {
            "the mean of the visible patches": visible_mean(test, mask),
            "interpolation of the visible patches": interpolate(test, mask),
            "the mean of each pixel": train.mean(dim=0).expand(test.shape),
        }
        errors = {method: float((filled - test)[mask].square().mean()) for method, filled in fillings.items()}
        method = min(errors, key=errors.__getitem__)
        return Baseline(method, "masked_mse", errors[method])

    def encode(self, network: nn.Module, batch: Batch) -> Tensor:
        """Return the mean of the encoder's tokens for all patches of each image (N, features)."""
        tokens: Tensor = network.encode(batch["image"])  # type: ignore[operator]
        return tokens[:, 1:].mean(dim=1)

    def mask(self, network: nn.Module, images: Tensor, generator: torch.Generator) -> dict[str, Tensor]:
        """Return images, the same ones with masked patches in gray, and with the network's predictions in place."""
        with torch.inference_mode(), evaluation_mode(network):
            outputs = self.forward(network, {"image": images}, StepContext(generator=generator))
            gray = torch.full_like(outputs["patches"], 0.5)
            masked = network.fill({"patches": gray, "mask": outputs["mask"]}, images)  # type: ignore[operator]
        return {"image": images, "masked": masked, "reconstruction": outputs["filled"]}

    def reconstruct(self, network: nn.Module, images: Tensor) -> Tensor:
        return self.mask(network, images, StepContext().generator)["reconstruction"]

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        """Return images with masked patches next to the network's predictions."""
        batch = source.batch(slice(0, VISUALIZED_SAMPLES))
        images = self.mask(network, batch["image"], StepContext().generator)
        return [self._visualize_sample(images, batch, k) for k in range(len(batch["target"]))]

    def sample(self, network: nn.Module, request: SampleRequest, seed: int) -> list[Visualization]:
        raise UserError("A masked autoencoder generates no images: it fills in masked patches. Use 'workbench ask'.")

    @property
    def questions(self) -> Mapping[str, str]:
        """An image, and which of its patches are masked."""
        return {
            "sample": "the number of a validation image, from 0",
            "image": "or an image file",
            "pixels": "or rows of gray levels from 0 (dark) to 1 (bright), as JSON: [[0, 1, 0], [0, 1, 0]]",
            "seed": "an integer that decides which patches are masked; default: 0",
        }

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return an image with masked patches next to the network's predictions."""
        self.check_question(question)
        if len(question.keys() - {"seed"}) != 1:
            raise UserError("Ask about one image: sample=NUMBER, image=FILE or pixels=ROWS.")
        if "sample" in question:
            image = read_sample(question["sample"], self.sources(network, seed)["validation"])["image"]
        elif "image" in question:
            image = self.read_files(network, [Path(question["image"])])
        else:
            image = to_unit(read_pixels(question["pixels"], self.dataset.shape), input_shape(network))
        typed = question.get("seed", "0").strip()
        if not (typed.isascii() and typed.isdigit() and len(typed) < 10):
            raise UserError(f"seed must be an integer of at least 0, not {typed[:40]!r}.")
        images = self.mask(network, image, torch.Generator().manual_seed(int(typed)))
        error = (images["reconstruction"] - image).square().mean()
        return {
            "kind": "reconstruction",
            "images": {name: to_rows(stack[0]) for name, stack in images.items()},
            "error": round(float(error), 5),
        }


class MaskedMeter(ReconstructionMeter):
    """Mean squared error over the pixels of the masked patches."""

    def __init__(self, task: MaskedPatches):
        super().__init__(task)
        self._counts: list[Tensor] = []

    def update(self, outputs: Any, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        error = outputs["filled"].detach().float() - batch["image"]  # 0 in visible patches
        pixels = error[0].numel() // outputs["mask"].shape[1]
        self._sums.append(error.square().sum())
        self._counts.append(outputs["mask"].sum() * pixels)

    def compute(self) -> Metrics:
        """Return the metrics of all batches so far."""
        total, count = (float(torch.stack(each).cpu().double().sum()) for each in (self._sums, self._counts))
        return {"masked_mse": total / count}


def visible_mean(patches: Tensor, mask: Tensor) -> Tensor:
    """Return the mean of the visible patches of each image in place of every patch (N, patches, pixels)."""
    visible = (~mask)[:, :, None].to(patches.dtype)
    mean = (patches * visible).sum(dim=1, keepdim=True) / visible.sum(dim=1, keepdim=True)
    return mean.expand(patches.shape)


def interpolate(patches: Tensor, mask: Tensor) -> Tensor:
    """Return for every patch the mean level of each visible one, weighted by 1 / distance^2 (N, patches, pixels).

    The inverse distance weighting of Shepard (1968). Distances are between the centers of square images' patches.
    """
    size = round(patches.shape[1] ** 0.5)
    places = torch.cartesian_prod(torch.arange(size), torch.arange(size)).float()
    weights = 1 / torch.cdist(places, places).square().clamp(min=0.25)
    weights = weights * ~mask[:, None]
    levels = patches.mean(dim=2, keepdim=True)
    return (weights @ levels / weights.sum(dim=2, keepdim=True)).expand(patches.shape)


TASK = MaskedPatches(
    data="digits",
    title="predict masked patches of digits",
    outputs=dict(patches="float32[patches, pixels]", mask="float32[patches]"),
    metrics=dict(masked_mse="min"),
)
