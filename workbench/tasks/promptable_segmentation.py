"""Segmentation by a prompt: the mask of the object that a click or a box means.

In every step, an object of each image is chosen at random. The image is encoded once, and decoded for three prompts: a
click on a random pixel of the object, a box around it, and the first click with a second one where the mask of the
first is wrong, and with that mask. As in SAM's training, the loss is 20 times the focal loss plus the dice loss; of the
three masks for a single click only the best one counts. The mean squared error of the predicted IoUs is added.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.detection.detr_mask_head import focal_and_dice
from workbench import data
from workbench.data import shape_instances
from workbench.data.scaling import z_score
from workbench.data.sources import Batch, Resident, Source, StandardizedBytes
from workbench.errors import UserError
from workbench.tasks import prompted_files
from workbench.tasks.base import Baseline, StepContext, Task, Visualization, evaluation_mode
from workbench.tasks.instance_masks import color, enlarge
from workbench.tasks.prompted_files import PromptedFile, describe_mask
from workbench.tasks.prompts import (
    enclosing_boxes,
    jitter,
    mask_ious,
    sample_clicks,
    sample_corrections,
    sample_objects,
)
from workbench.tasks.scalers import training_scaler

FOCAL_WEIGHT = 20.0
RADII = range(4, 24)  # of the baseline's disks, in pixels
VISUALIZED_OBJECTS = 4


class Promptable(Protocol):
    """A network that segments by a prompt, such as SAM."""

    image_size: int
    mask_size: int

    def encode(self, images: Tensor) -> Any:
        """Return what is computed once for images (N, 3, image_size, image_size)."""
        ...

    def to_points(self, clicks: Tensor, labels: Tensor, boxes: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the points of a prompt, and their kinds."""
        ...

    def decode(self, embedding: Any, points: Tensor, labels: Tensor, masks: Tensor | None = None) -> dict[str, Tensor]:
        """Return `masks`, the single one first, and their `iou`."""
        ...


@dataclass
class Outputs:
    """The masks of each prompt for a batch.

    Attributes:
        objects: The objects' masks (N, H, W), bool.
        clicks: The clicks (N, 1, 2).
        prompts: Prompt -> logits of its masks, (N, k, H, W), and their predicted IoUs (N, k): 3 masks for a click,
            1 for other prompts.
    """

    objects: Tensor
    clicks: Tensor
    prompts: dict[str, tuple[Tensor, Tensor]]


class PromptableSegmentation(Task):
    """Focal, dice and IoU losses, and the mean IoU of the masks of each prompt.

    A batch holds `image` (N, 3, H, W), standardized, and `instances` (N, H, W), uint8: k + 1 where the object at index
    k is visible, 0 elsewhere.
    """

    is_stackable = False

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_promptable(network)
        splits, instances = data.load(self.data, seed), load_instances(seed)
        scaler = z_score(splits["train"][0], axis=None)
        return {
            split: Resident(
                image=StandardizedBytes(torch.from_numpy(images), float(scaler.shift), float(scaler.spread)),
                instances=instances[split],
            )
            for split, (images, *_) in splits.items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        promptable, image, rng = read_as_promptable(network), batch["image"], context.generator
        size = image.shape[2:]
        objects = sample_objects(batch["instances"], rng)
        clicks, boxes = sample_clicks(objects, rng)[:, None], enclosing_boxes(objects)
        if context.is_training:
            boxes = jitter(boxes, size[0], rng)
        session = Session(promptable, image)
        inside = torch.ones(len(image), 1, dtype=torch.int64, device=image.device)
        outputs = session.prompt(clicks, inside)
        masks, iou = enlarge(outputs["masks"][:, 1:], size), outputs["iou"][:, 1:]
        prompts = {"point": (masks, iou)}
        best = iou.argmax(dim=1)
        rows = torch.arange(len(best), device=best.device)
        second, label = sample_corrections(masks[rows, best] > 0, objects, rng)
        corrected = torch.cat([clicks, second[:, None]], dim=1), torch.cat([inside, label[:, None]], dim=1)
        rough = outputs["masks"][:, 1:][rows, best][:, None].detach()
        for name, single in (
            ("box", session.prompt(clicks[:, :0], inside[:, :0], boxes)),
            ("correction", session.prompt(*corrected, masks=rough)),
        ):
            prompts[name] = enlarge(single["masks"][:, :1], size), single["iou"][:, :1]
        return Outputs(objects, clicks, prompts)

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        terms: dict[str, list[Tensor]] = {"focal": [], "dice": [], "iou": []}
        for masks, iou in outputs.prompts.values():
            count = masks.shape[1]
            targets = outputs.objects[:, None].expand(-1, count, -1, -1)
            losses = focal_and_dice(masks.flatten(0, 1), targets.flatten(0, 1))
            focal, dice = (loss.view(-1, count) for loss in losses)
            best = (FOCAL_WEIGHT * focal + dice).argmin(dim=1, keepdim=True)
            terms["focal"].append(FOCAL_WEIGHT * focal.gather(1, best).mean())
            terms["dice"].append(dice.gather(1, best).mean())
            terms["iou"].append(F.mse_loss(iou, mask_ious(masks > 0, targets)))
        means = {name: torch.stack(values).mean() for name, values in terms.items()}
        return {"loss": torch.stack(list(means.values())).sum(), **means}

    def meter(self) -> "PromptMeter":
        return PromptMeter()

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the mean IoU of objects with a disk around the click, of the radius that is best in training."""

        def compute_ious(split: str) -> Tensor:
            """Return the mean IoU of the disks of each radius."""
            rng = torch.Generator().manual_seed(0)
            objects = sample_objects(instances[split], rng)
            x, y = sample_clicks(objects, rng).T[:, :, None, None]
            rows, columns = torch.arange(objects.shape[1])[:, None], torch.arange(objects.shape[2])
            distances = (columns - x) ** 2 + (rows - y) ** 2
            return torch.stack([mask_ious(distances <= radius**2, objects).mean() for radius in RADII])

        instances = load_instances(seed)
        best = int(compute_ious("train").argmax())
        return Baseline(
            f"a disk around the point, radius {RADII[best]} px", "point_miou", float(compute_ious("test")[best])
        )

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, VISUALIZED_OBJECTS))
        outputs: Outputs = self.predict(network, batch)
        masks, iou = outputs.prompts["point"]
        tiles = []
        for k, image in enumerate(batch["image"]):
            ranked = masks[k, iou[k].argsort(descending=True)] > 0
            for mask in (ranked[0], outputs.prompts["box"][0][k, 0] > 0, outputs.objects[k]):
                tiles.append(mark(color(image, mask[None]), outputs.clicks[k]))
        caption = "masks of the marked point, of the box, and the true ones"
        images = [tile.permute(1, 2, 0).double().round(decimals=3).tolist() for tile in tiles]
        return [{"kind": "masks", "caption": caption, "images": images}]

    @property
    def questions(self) -> Mapping[str, str]:
        """An image file with a prompt."""
        return prompted_files.QUESTIONS

    def respond(self, network: nn.Module, question: Mapping[str, str], seed: int) -> Visualization:
        """Return a drawing of the masks of a prompt in an image file, or in the images of an animation."""
        return prompted_files.respond(self, network, question, seed)

    def predict_files(self, network: nn.Module, files: Sequence[Path], seed: int) -> list[dict[str, Any]]:
        return self.predict_prompt(network, files, {}, seed)  # which rejects it

    @torch.inference_mode()
    def predict_prompt(
        self, network: nn.Module, files: Sequence[Path], prompt: Mapping[str, Any], seed: int
    ) -> list[dict[str, Any]]:
        """Return for each image its `width`, its `height` and its `masks`: of a single click three, the best first."""
        promptable, scaler = read_as_promptable(network), training_scaler(self.data, seed, axis=None)
        predictions = []
        for file in files:
            own = PromptedFile.read(file, self.dataset.shape[-1], scaler)
            read = own.read_prompt(prompt, promptable.mask_size)
            with evaluation_mode(network):
                outputs = Session(promptable, own.image).prompt(**cast(Any, read))
            is_ambiguous = len(prompt["points"]) == 1 and read["boxes"] is None and read["masks"] is None
            which = slice(1, None) if is_ambiguous else slice(0, 1)
            masks, iou = outputs["masks"][0, which], outputs["iou"][0, which]
            ranked = iou.argsort(descending=True).tolist()
            rows = [describe_mask(own.to_file_pixels(masks[k]), float(iou[k])) for k in ranked]
            predictions.append({"width": own.width, "height": own.height, "masks": rows})
        return predictions


class Session:
    """Images that a network has encoded, for any number of prompts in pixels of the images.

    Args:
        network: The network.
        images: Images (N, 3, H, W), which are resized to what it reads.
    """

    def __init__(self, network: Promptable, images: Tensor):
        self.network, self.scale = network, network.image_size / images.shape[2]
        size = (network.image_size, network.image_size)
        if images.shape[2:] != size:
            images = F.interpolate(images, size=size, mode="bilinear", antialias=True)
        self.embedding = network.encode(images)

    def prompt(
        self, clicks: Tensor, labels: Tensor, boxes: Tensor | None = None, masks: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Return the outputs of the network; arguments as for its `to_points` and `decode`."""
        boxes = self._resize(boxes) if boxes is not None else None
        return self.network.decode(self.embedding, *self.network.to_points(self._resize(clicks), labels, boxes), masks)

    def _resize(self, places: Tensor) -> Tensor:
        return (places + 0.5) * self.scale - 0.5  # an integer is the center of a pixel


class PromptMeter:
    """The mean IoU of objects and their masks: of a click the one with the largest predicted IoU."""

    def __init__(self) -> None:
        self.ious: dict[str, list[Tensor]] = {}

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        for name, (masks, iou) in outputs.prompts.items():
            best = masks[torch.arange(len(masks), device=masks.device), iou.argmax(dim=1)]
            self.ious.setdefault(name, []).append(mask_ious(best > 0, outputs.objects).cpu())

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {f"{name}_miou": float(torch.cat(ious).mean()) for name, ious in self.ious.items()}


def load_instances(seed: int) -> dict[str, Tensor]:
    """Return the objects of the images of each split of this seed, as `shape_instances` has them."""
    splits = data.deal({"train": (shape_instances.load(),)}, seed)
    return {split: torch.from_numpy(instances) for split, (instances,) in splits.items()}


def mark(image: Tensor, clicks: Tensor) -> Tensor:
    """Return an image (3, H, W), from 0 to 1, with a white cross at each click (P, 2)."""
    drawing = image.clone()
    for x, y in clicks.long().tolist():
        drawing[:, y, max(0, x - 1) : x + 2] = 1.0
        drawing[:, max(0, y - 1) : y + 2, x] = 1.0
    return drawing


def read_as_promptable(network: nn.Module) -> Promptable:
    """Return a network as one that segments by a prompt.

    Raises:
        UserError: If it is not one.
    """
    if not (hasattr(network, "encode") and hasattr(network, "to_points")):
        raise UserError(f"{type(network).__name__} reads no prompts: take sam.")
    return cast(Promptable, network)


TASK = PromptableSegmentation(
    data="shape-scenes",
    title="segment the object at a point or in a box",
    inputs=dict(image="float32[3, 64, 64]", points="float32[points, 2]", point_labels="int64[points]"),
    outputs=dict(masks="float32[masks, rows, columns]", iou="float32[masks]"),
    metrics=dict(point_miou="max", box_miou="max", correction_miou="max"),
)
