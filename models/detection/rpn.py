"""The region proposal network of Faster R-CNN by itself: Ren, He, Girshick, Sun (arXiv:1506.01497, 2015), section 3.1.

It finds where objects are, without saying what they are: from the map of a backbone it outputs an objectness for each
of 9 anchors at each place, and the offsets from the anchor to a box. `models.layers.region_proposals` has the details.

VGG16's convolutions, for images of 3x600x600:

    layer         output                                         parameters
    features      13 convolutions of VGG16, stride 16            14,714,688    512x37x37
    rpn           3x3, 512; 1x1, 18 logits; 1x1, 36 offsets      2,387,510     37x37x9 anchors, 300 proposals
    total                                                        17,102,198

The paper trains it in this way in the first of its four steps, and Fast R-CNN on its proposals in the second:
`--from RUN --part rpn` and `--part backbone` begin a Faster R-CNN with its weights. The mini has the layers of
Faster R-CNN's.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.boxes import Detections, select
from models.layers.region_proposals import Proposals, RegionProposalNetwork
from models.vision.vgg import VGG


class RPN(nn.Module):
    """Convolutions of VGG, and a region proposal network on their last map.

    Args:
        depths: Convolutions in each of VGG's five stages.
        channels: Channels of the first stage.
        batch_norm: Whether each convolution is followed by batch norm.
        image_size: Height and width of the image: at least 32.
        anchor_sizes: Square roots of the anchors' areas, in pixels.
        anchor_ratios: Heights over widths.
        anchors_per_image: Anchors of an image in the loss.
        inside_only: Whether anchors that cross the border of the image are left out of the loss.
        candidates: Boxes that enter suppression, in training and in evaluation.
        proposals: Proposals of an image, in training and in evaluation.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        batch_norm: bool = False,
        image_size: int = 600,
        anchor_sizes: Sequence[float] = (128, 256, 512),
        anchor_ratios: Sequence[float] = (0.5, 1, 2),
        anchors_per_image: int = 256,
        inside_only: bool = True,
        candidates: Sequence[int] = (12000, 6000),
        proposals: Sequence[int] = (2000, 300),
    ):
        super().__init__()
        if image_size < 32:
            raise ValueError(f"image_size must be 32 or more, not {image_size}")
        self.input_shape = (3, image_size, image_size)
        # The dense layers are not used, so they are as small as they can be.
        self.features = VGG(depths, batch_norm, channels, hidden_size=1, num_classes=1, image_size=32).features[:-1]
        self.rpn = RegionProposalNetwork(
            8 * channels,
            [anchor_sizes],
            anchor_ratios,
            logits_per_anchor=2,
            anchor_offset=0.5,
            inside_only=inside_only,
            candidates=candidates,
            proposals=proposals,
            anchors_per_image=anchors_per_image,
        )

    def forward(self, images: Tensor) -> Proposals:
        """Return proposals for images (N, 3, image_size, image_size)."""
        outputs: Proposals = self.rpn((self.features(images),), *images.shape[2:])
        return outputs

    def losses(self, outputs: Proposals, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the losses of objectness and offsets.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M), which don't matter.
            mask: Whether there is such an object, (N, M).
        """
        terms: dict[str, Tensor] = self.rpn.losses(outputs, boxes, mask, *self.input_shape[1:])
        return terms

    def detect(self, outputs: Proposals, score_threshold: float = 0.05, iou_threshold: float = 0.7) -> list[Detections]:
        """Return the proposals of each image as detections of class 0, at most 100.

        Args:
            outputs: The outputs.
            score_threshold: Smallest objectness, a probability.
            iou_threshold: Largest IoU of two of them; above 0.7, the network itself has suppressed them.
        """
        scores = torch.where(outputs.mask, outputs.scores, -1.0)[..., None]
        return [select(*image, score_threshold, iou_threshold) for image in zip(outputs.boxes, scores, strict=True)]


# fmt: off
FAMILY = dict(
    family="rpn",
    year=2015,
    paper="arXiv:1506.01497",
    topic="two-stage",
    task="shape-proposals",
    contribution=(
        "Proposals from a network: at each place of a map, it tells for boxes of several sizes and ratios whether "
        "they contain an object, and corrects them."
    ),
    builds_on=("fast-rcnn", "vgg"),
    network="RPN",
    names={"rpn": dict(depths=(2, 2, 3, 3, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        objectness="float32[anchors]", offsets="float32[anchors, 4]", anchors="float32[anchors, 4]",
        boxes="float32[proposals, 4]", scores="float32[proposals]", mask="bool[proposals]",
    ),
    parts=dict(backbone=("features.",), rpn=("rpn.",)),
    params={},
    mini=dict(
        depths=(1, 1, 1, 1, 1), channels=8, batch_norm=True, image_size=128, anchor_sizes=(32, 48, 64),
        anchors_per_image=64, inside_only=False, candidates=(200, 200), proposals=(64, 32),
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.003, batch_size=16),
    reference=None,
)
# fmt: on
