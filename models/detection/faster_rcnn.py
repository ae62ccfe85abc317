"""Faster R-CNN: Ren, He, Girshick, Sun, real-time object detection with region proposal networks (2015).

Fast R-CNN classifies all proposals of an image in a fraction of a second, but selective search takes two seconds to
find them. Faster R-CNN lets a network propose: a region proposal network (RPN) reads the map that the detector has
computed anyway, and outputs for 9 anchors at each place (3 sizes, 3 ratios) an objectness and 4 offsets. The 300 best
boxes go through RoI pooling and the dense layers of Fast R-CNN. Both networks share their convolutions.

VGG16, for images of 3x600x600; an image of 600x1000 has 37x62 places and about 20,000 anchors:

    layer         output                                         parameters
    features      13 convolutions of VGG16, stride 16            14,714,688    512x37x37
    rpn           3x3, 512; 1x1, 18 logits; 1x1, 36 offsets      2,387,510     37x37x9 anchors
    RoI pooling   7x7 cells                                                    300 x 512x7x7
    classifier    fc6 and fc7, dropout                           119,545,856   300 x 4096
    cls_score     dense, 21 classes with the background          86,037        300 x 21
    bbox_pred     dense, 4 offsets for each class                344,148       300 x 84
    total                                                        137,078,239

The losses of both stages are added and minimized together ("approximate joint training"), so gradients flow through the
regions' features, not through the proposals' coordinates. The paper alternates between the two stages instead, and
reports joint training in its journal version. Its anchors are centered in the cells of the map; those that cross the
border of the image are left out of the loss.

Images are square here. The mini starts from random weights, has batch norm, fewer convolutions and 3x128x128. Its
images are so small that most of its anchors cross the border, so there these learn, too.
"""

from collections.abc import Sequence

from torch import Tensor

from models.detection.fast_rcnn import VGGRegionDetector
from models.layers.region_detector import RegionOutputs
from models.layers.region_proposals import Proposals, RegionProposalNetwork


class FasterRCNN(VGGRegionDetector):
    """Fast R-CNN with a region proposal network in place of selective search.

    Args:
        depths: Convolutions in each of VGG's five stages.
        channels: Channels of the first stage.
        batch_norm: Whether each convolution is followed by batch norm.
        hidden_size: Neurons of fc6 and of fc7.
        dropout: Probability that one of them is dropped in a training step.
        num_classes: Number of classes, without the background.
        image_size: Height and width of the image.
        regions_per_image: Regions of an image in the loss of the second stage.
        init_std: Standard deviation of the initial weights of fc6 and fc7.
        anchor_sizes: Square roots of the anchors' areas, in pixels.
        anchor_ratios: Heights over widths.
        anchors_per_image: Anchors of an image in the loss of the first stage.
        inside_only: Whether anchors that cross the border of the image are left out of the loss.
        candidates: Boxes that enter suppression, in training and in evaluation.
        proposals: Proposals of an image, in training and in evaluation.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        batch_norm: bool = False,
        hidden_size: int = 4096,
        dropout: float = 0.5,
        num_classes: int = 20,
        image_size: int = 600,
        regions_per_image: int = 128,
        init_std: float = 0.01,
        anchor_sizes: Sequence[float] = (128, 256, 512),
        anchor_ratios: Sequence[float] = (0.5, 1, 2),
        anchors_per_image: int = 256,
        inside_only: bool = True,
        candidates: Sequence[int] = (12000, 6000),
        proposals: Sequence[int] = (2000, 300),
    ):
        super().__init__(
            depths,
            channels,
            batch_norm,
            hidden_size,
            dropout,
            num_classes,
            image_size,
            regions_per_image,
            background_iou=(0.0, 0.5),
            init_std=init_std,
        )
        self.rpn = RegionProposalNetwork(
            channels * 8,
            [anchor_sizes],
            anchor_ratios,
            logits_per_anchor=2,
            anchor_offset=0.5,
            inside_only=inside_only,
            candidates=candidates,
            proposals=proposals,
            anchors_per_image=anchors_per_image,
        )

    def forward(self, images: Tensor) -> RegionOutputs:
        """Return the outputs of both stages for images (N, 3, image_size, image_size)."""
        features = (self.features(images),)
        rpn: Proposals = self.rpn(features, *images.shape[2:])
        return self.classify_proposals(RegionOutputs(features, rpn.boxes, rpn.mask, rpn=rpn))

    def losses(self, outputs: RegionOutputs, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the losses of both stages: objectness and proposals, classes and boxes.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        assert outputs.rpn is not None  # forward sets it
        first = self.rpn.losses(outputs.rpn, boxes, mask, *self.input_shape[1:])
        return first | super().losses(outputs, boxes, labels, mask)


# fmt: off
FAMILY = dict(
    family="faster-rcnn",
    year=2015,
    paper="arXiv:1506.01497",
    topic="two-stage",
    task="shape-scenes",
    contribution=(
        "A region proposal network reads the detector's own map and proposes boxes by anchors, so that proposals cost "
        "almost nothing and are learned."
    ),
    builds_on=("fast-rcnn",),
    network="FasterRCNN",
    names={"faster-rcnn": dict(depths=(2, 2, 3, 3, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        features="float32[8*channels, rows, columns]", boxes="float32[proposals, 4]", mask="bool[proposals]",
        logits="float32[proposals, num_classes+1]", offsets="float32[proposals, num_classes+1, 4]",
        objectness="float32[anchors]", anchor_offsets="float32[anchors, 4]", anchors="float32[anchors, 4]",
        proposals="float32[proposals, 4]", scores="float32[proposals]", proposals_mask="bool[proposals]",
    ),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",), rpn=("rpn.",)),
    params={"faster-rcnn": 137_078_239},
    mini=dict(
        depths=(1, 1, 1, 1, 1), channels=8, batch_norm=True, hidden_size=64, dropout=0.0, num_classes=4,
        image_size=128, regions_per_image=16, init_std=0.03, anchor_sizes=(32, 48, 64), anchors_per_image=64,
        inside_only=False, candidates=(200, 200), proposals=(32, 16),
    ),
    recipe=dict(epochs=1, schedule="one-cycle", lr=0.003, batch_size=16),
    reference=None,
)
# fmt: on
