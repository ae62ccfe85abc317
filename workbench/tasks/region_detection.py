"""Detection by networks that classify proposed regions: R-CNN and Fast R-CNN. The proposals are selective search's."""

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import selective_search
from workbench.data.sources import Batch, Merged, Ragged, Source
from workbench.errors import UserError
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Detection, Outputs, read_as_detector


class RegionDetection(Detection):
    """Detection among proposals: a batch also holds `proposals` (N, P, 4), corners in pixels, with `proposals_mask`.

    Selective search reads the image alone, so it is computed once for each image of the dataset, and cached.
    """

    def sources(self, network: nn.Module, seed: int) -> dict[str, Source]:
        if not hasattr(network, "classify_proposals") or hasattr(network, "rpn"):
            raise UserError(
                f"{type(network).__name__} reads no proposals: train it on shape-scenes, or take fast-rcnn here."
            )
        sources = super().sources(network, seed)
        proposals = selective_search.scene_proposals()
        splits = data.split((proposals,), data.held_out(len(proposals)), seed)
        return {
            split: Merged(source, to_source(torch.from_numpy(splits[split][0]))) for split, source in sources.items()
        }

    def forward(self, network: nn.Module, batch: Batch, context: StepContext) -> Outputs:
        detector, image = read_as_detector(network), batch["image"]
        if "proposals" not in batch:  # an image file
            batch = batch | to_source(propose(image)).batch(slice(None))
        size = detector.input_shape[1:]
        scale = size[1] / image.shape[3]
        if image.shape[2:] != size:
            image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        return Outputs(detector, network(image, batch["proposals"] * scale, batch["proposals_mask"]), scale)

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        """Reject all augmentations, because proposals would have to be computed again.

        Raises:
            UserError: Always.
        """
        raise UserError("Images with proposals can't be augmented. Leave augment out.")


def to_source(proposals: Tensor) -> Ragged:
    """Return proposals (N, P, 4), which are zeros after the last one of an image, as a source."""
    return Ragged.from_padded("proposals", proposals, proposals[..., 2] > proposals[..., 0])


def propose(images: Tensor) -> Tensor:
    """Return the proposals (N, P, 4) for images (N, 3, height, width) of any scale of values, zeros after the last."""
    padded = torch.zeros(len(images), selective_search.PROPOSALS, 4, device=images.device)
    for row, image in zip(padded, images, strict=True):
        low, high = image.amin(), image.amax()
        pixels = (255 * (image - low) / (high - low).clamp(min=1e-6)).round().byte().cpu().numpy()
        boxes = selective_search.propose(np.ascontiguousarray(pixels))
        row[: len(boxes)] = torch.from_numpy(boxes).to(row)
    return padded
