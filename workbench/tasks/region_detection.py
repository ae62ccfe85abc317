"""Detection by networks that classify proposed regions: R-CNN and Fast R-CNN. The proposals are selective search's."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from workbench import data
from workbench.data import selective_search
from workbench.data.sources import Batch, Merged, Ragged, Source
from workbench.errors import UserError
from workbench.tasks.base import StepContext
from workbench.tasks.detection import Detection, Outputs, read_as_detector
from workbench.tasks.scalers import training_scaler


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
        size = detector.input_shape[1:]
        scale = size[1] / image.shape[3]
        if image.shape[2:] != size:
            image = F.interpolate(image, size=size, mode="bilinear", antialias=True)
        return Outputs(detector, network(image, batch["proposals"] * scale, batch["proposals_mask"]), scale)

    def read_files(self, files: Sequence[Path], seed: int) -> tuple[Batch, Tensor]:
        """Return image files with their proposals as a batch, and the factors of x and y of each file, (N, 2).

        Raises:
            UserError: If one of them is not an image, or damaged.
        """
        batch, scales = super().read_files(files, seed)
        scaler = training_scaler(self.data, seed, axis=None)
        pixels = batch["image"] * float(scaler.spread) + float(scaler.shift)
        proposals = selective_search.propose_all(pixels.round().byte().numpy())
        return batch | to_source(torch.from_numpy(proposals)).batch(slice(None)), scales

    def augment(self, batch: Batch, strengths: Mapping[str, float]) -> Batch:
        """Reject all augmentations, because proposals would have to be computed again.

        Raises:
            UserError: Always.
        """
        raise UserError("Images with proposals can't be augmented. Leave augment out.")


def to_source(proposals: Tensor) -> Ragged:
    """Return proposals (N, P, 4), which are zeros after the last one of an image, as a source."""
    return Ragged.from_padded("proposals", proposals, proposals[..., 2] > proposals[..., 0])
