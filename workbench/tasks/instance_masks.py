"""Instance segmentation by a DETR with a mask head: boxes, classes and masks of the objects of an image."""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.detection.detr import DETR
from workbench import data
from workbench.data import shape_instances
from workbench.data.sources import Batch, Merged, Resident, Source
from workbench.errors import UserError
from workbench.tasks.base import Baseline, StepContext, Visualization
from workbench.tasks.detection import Detection, DetectionMeter, Outputs

MASKED_IMAGES = 4
COLORS = torch.tensor([(1.0, 0.35, 0.35), (0.4, 0.9, 0.4), (0.45, 0.6, 1.0), (1.0, 0.9, 0.3)])  # of masks, in turn
MASK_SCORE = 0.3  # smallest score of a mask that is shown


class InstanceMasks(Detection):
    """Detection, and the masks of the objects: their focal and dice losses, and their IoU.

    A batch also holds `instances` (N, height, width), uint8: k + 1 where the object at index k is visible, 0 elsewhere.

    Attributes:
        maps: Names of the columns that have a value per pixel.
    """

    maps: tuple[str, ...] = ("instances",)

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        self.check_network(network)
        sources, images = super().sources(network, seed), data.load(self.data, seed)
        for split, maps in data.deal({"train": self.load_maps()}, seed).items():  # as the images are
            check_instances(images[split][0], maps[0], images[split][-1])
            columns = zip(self.maps, maps, strict=True)
            sources[split] = Merged(sources[split], Resident(**{name: torch.from_numpy(one) for name, one in columns}))
        return sources

    def check_network(self, network: nn.Module) -> None:
        """Reject a network that this task can't train.

        Raises:
            UserError: If the network is one.
        """
        read_as_masks(network)

    def load_maps(self) -> tuple[np.ndarray, ...]:
        """Return the columns that `maps` names, (samples, height, width) each, in the order of the dataset."""
        return (shape_instances.load()[: self.dataset.samples],)

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        terms = outputs.detector.losses(  # type: ignore[call-arg]  # of DETR alone
            outputs.values, outputs.resize(batch["boxes"]), batch["labels"], batch["boxes_mask"], object_masks(batch)
        )
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def meter(self) -> DetectionMeter:
        return MaskMeter(len(self.dataset.classes), self.is_detailed)

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        raise UserError("Images with masks have no augmentation. Leave augment out.")

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the mean IoU of objects' masks with their true boxes, filled."""
        _, boxes, labels = data.load(self.data, seed)["test"]
        instances = data.deal({"train": self.load_maps()}, seed)["test"][0]
        ious = []
        for image, corners, classes in zip(instances, boxes.astype(int), labels, strict=True):
            for k, (x1, y1, x2, y2) in enumerate(corners[classes >= 0]):
                ious.append((image[y1:y2, x1:x2] == k + 1).mean())  # a box encloses its mask
        return Baseline("the true boxes, filled", "mask_iou", float(np.mean(ious)))

    def visualize(self, network: nn.Module, source: Source) -> list[Visualization]:
        batch = source.batch(slice(0, MASKED_IMAGES))
        outputs = self.predict(network, batch).values
        scores = outputs["logits"].softmax(dim=2)[..., :-1].amax(dim=2)
        masks = enlarge(outputs["masks"], batch["image"].shape[2:]) > 0
        images = []
        for k, image in enumerate(batch["image"]):
            predicted = masks[k][scores[k] >= MASK_SCORE]
            images += [color(image, predicted), color(image, object_masks(batch)[k][batch["boxes_mask"][k]])]
        tiles = [each.permute(1, 2, 0).double().round(decimals=3).tolist() for each in images]
        caption = "predicted masks, and next to them the true ones"
        return [{"kind": "masks", "caption": caption, "images": tiles}, *super().visualize(network, source)]


class MaskMeter(DetectionMeter):
    """Average precision of boxes, and the mean IoU of each object's mask with that of the query matched with it."""

    def __init__(self, num_classes: int, is_detailed: bool = False):
        super().__init__(num_classes, is_detailed)
        self.ious: list[Tensor] = []

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        super().update(outputs, batch)
        detector, mask = read_as_masks(outputs.detector), batch["boxes_mask"]
        values: dict[str, Tensor] = cast(Any, outputs.values)
        queries = detector.assign(values, outputs.resize(batch["boxes"]), batch["labels"], mask)[mask]
        predicted = enlarge(values["masks"], batch["image"].shape[2:])[mask.nonzero()[:, 0], queries] > 0
        targets = object_masks(batch)[mask]
        overlap, union = ((op(predicted, targets)).sum(dim=(1, 2)) for op in (torch.logical_and, torch.logical_or))
        self.ious.append((overlap / union.clamp(min=1)).cpu())

    def compute(self) -> dict[str, float]:
        """Return the metrics of all batches so far."""
        return {"mask_iou": float(torch.cat(self.ious).mean()), **super().compute()}


def read_as_masks(network: object) -> DETR:
    """Return a network as a DETR with a mask head.

    Raises:
        UserError: If it is not one.
    """
    if not (isinstance(network, DETR) and network.has_masks):
        raise UserError(f"{type(network).__name__} predicts no masks: take detr-mask-head.")
    return network


def check_instances(images: np.ndarray, instances: np.ndarray, labels: np.ndarray) -> None:
    """Check the masks of a dataset.

    Args:
        images: Images (N, channels, height, width).
        instances: k + 1 where the object at index k is visible, 0 elsewhere, (N, height, width).
        labels: Classes of the objects (N, M), -1 for none.

    Raises:
        UserError: If masks have another size than their image, belong to no object, or an object has none.
    """
    if instances.shape != (len(images), *images.shape[2:]):
        sizes = ["x".join(map(str, size)) for size in (instances.shape[1:], images.shape[2:])]
        raise UserError(f"The masks have {sizes[0]} pixels, and their images {sizes[1]}. Make both equal.")
    numbers = np.arange(labels.shape[1] + 1)
    counts = np.stack([(instances == number).sum(axis=(1, 2)) for number in numbers], axis=1)
    is_unknown = counts.sum(axis=1) < instances[0].size
    counts = counts[:, 1:]
    is_unknown |= (counts * (labels < 0)).any(axis=1)
    if is_unknown.any():
        raise UserError(f"The masks of image {is_unknown.argmax()} have the number of an object that it doesn't have.")
    if (is_empty := (counts == 0) & (labels >= 0)).any():
        image, number = np.argwhere(is_empty)[0]
        raise UserError(f"Object {number} of image {image} has an empty mask. Remove the object.")


def object_masks(batch: Batch) -> Tensor:
    """Return the masks of the objects (N, M, height, width), bool."""
    numbers = torch.arange(1, batch["boxes_mask"].shape[1] + 1, device=batch["instances"].device)
    return batch["instances"][:, None] == numbers[:, None, None]


def enlarge(masks: Tensor, size: torch.Size) -> Tensor:
    """Return logits of masks (N, queries, h, w) in the size of the images."""
    return F.interpolate(masks, size=size, mode="bilinear", align_corners=False)


def color(image: Tensor, masks: Tensor) -> Tensor:
    """Return an image (3, height, width), gray from 0 to 1, with each of some masks (n, height, width) in a color."""
    low, high = image.amin(), image.amax()
    drawing = ((image - low) / (high - low).clamp(min=1e-6)).mean(dim=0).float().expand(3, -1, -1) * 0.8
    for k, mask in enumerate(masks):
        drawing = torch.where(mask, 0.4 * drawing + 0.6 * COLORS[k % len(COLORS)][:, None, None], drawing)
    return drawing
