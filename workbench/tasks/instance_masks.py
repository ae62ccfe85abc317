"""Instance segmentation by a DETR with a mask head: boxes, classes and masks of the objects of an image."""

from collections.abc import Mapping

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
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        read_as_masks(network)
        splits = data.deal({"train": (shape_instances.load(),)}, seed)  # as the images are
        return {
            split: Merged(source, Resident(instances=torch.from_numpy(splits[split][0])))
            for split, source in super().sources(network, seed).items()
        }

    def losses(self, outputs: Outputs, batch: Batch, context: StepContext) -> dict[str, Tensor]:
        terms = outputs.detector.losses(  # type: ignore[call-arg]  # of DETR alone
            outputs.values, outputs.resize(batch["boxes"]), batch["labels"], batch["boxes_mask"], object_masks(batch)
        )
        return {"loss": torch.stack(list(terms.values())).sum(), **terms}

    def meter(self) -> "MaskMeter":
        return MaskMeter(len(self.dataset.classes))

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        raise UserError("Images with masks have no augmentation. Leave augment out.")

    def compute_baseline(self, seed: int) -> Baseline:
        """Return the mean IoU of objects' masks with their true boxes, filled."""
        _, boxes, labels = data.load(self.data, seed)["test"]
        (instances,) = data.deal({"train": (shape_instances.load(),)}, seed)["test"]
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

    def __init__(self, num_classes: int):
        super().__init__(num_classes)
        self.ious: list[Tensor] = []

    def update(self, outputs: Outputs, batch: Batch) -> None:
        """Take in the outputs for a batch."""
        super().update(outputs, batch)
        detector, values, mask = read_as_masks(outputs.detector), outputs.values, batch["boxes_mask"]
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
