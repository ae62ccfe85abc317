"""Mask R-CNN: He, Gkioxari, Dollar, Girshick, Mask R-CNN (2017).

Faster R-CNN on a feature pyramid, and a third branch that predicts a mask for each region, in parallel to its class and
its box. It outputs a mask for every class, each by a sigmoid, so that classes don't compete for pixels: which mask
counts is decided by the class branch alone. Masks need exact places, so regions are pooled by RoIAlign, which rounds
nothing, in place of RoI pooling.

What is new, in comparison with models/detection/faster_rcnn_fpn.py, for 91 classes with the background:

    layer            output                                           parameters
    backbone, rpn    as in Faster R-CNN                               41,755,286 with the box branch
    RoIAlign         14x14 cells, from one of P2 to P5                               D x 256x14x14
    mask_head        4 convolutions 3x3, 256 channels, ReLU           2,360,320      D x 256x14x14
    conv5_mask       transposed convolution 2x2, stride 2, ReLU       262,400        D x 256x28x28
    mask_fcn_logits  1x1 convolution                                  23,387         D x 91x28x28
    total                                                             44,401,393

In training, the mask loss is the mean binary cross-entropy of the 28x28 pixels of the region's own class, over the
regions with an object; the target is the object's mask, cut out by RoIAlign. In evaluation, the mask branch sees only
the detections, at most 100 per image. `models.layers.instances.paste` brings their masks to the pixels of the image.

Names, outputs and losses are torchvision's; for its norms and the size of images, see Faster R-CNN's file.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from models.detection.faster_rcnn_fpn import FasterRCNNFPN
from models.layers.boxes import Detections
from models.layers.instances import Instances
from models.layers.region_detector import RegionOutputs, Regions, list_regions, unlist
from models.layers.region_proposals import fixed_unless

POOLED = 14  # rows and columns of a pooled region
SCORE_THRESHOLD = 0.05  # of a detection that gets a mask
MAX_DETECTIONS = 100  # of an image


class InstanceOutputs(NamedTuple):
    """The outputs of Mask R-CNN for a batch.

    Attributes:
        regions: Those of Faster R-CNN.
        boxes: Detections, corners in pixels (N, D, 4), as all that follow only in evaluation.
        scores: Their probabilities, (N, D).
        labels: Their classes, (N, D).
        mask: Whether there is such a detection, (N, D).
        mask_logits: Of the pixels of each detection's box, for its class (N, D, 28, 28).
    """

    regions: RegionOutputs
    boxes: Tensor | None = None
    scores: Tensor | None = None
    labels: Tensor | None = None
    mask: Tensor | None = None
    mask_logits: Tensor | None = None


class MaskHead(nn.Sequential):
    """Convolutions of 3x3, each with ReLU.

    Args:
        in_channels: Channels of a region.
        channels: Channels of each convolution.
    """

    def __init__(self, in_channels: int, channels: Sequence[int]):
        # Each in a Sequential, because torchvision's keys are 0.0, 1.0 and so on.
        super().__init__(
            *(
                nn.Sequential(nn.Conv2d(first, second, kernel_size=3, padding=1), nn.ReLU(inplace=True))
                for first, second in zip((in_channels, *channels), channels, strict=False)
            )
        )
        initialize(self)


class MaskPredictor(nn.Sequential):
    """A transposed convolution that doubles the size, and a logit per class and pixel.

    Args:
        in_channels: Channels of the mask head.
        num_classes: Number of classes, with the background.
    """

    def __init__(self, in_channels: int, num_classes: int):
        super().__init__()
        self.conv5_mask = nn.ConvTranspose2d(in_channels, in_channels, kernel_size=2, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.mask_fcn_logits = nn.Conv2d(in_channels, num_classes, kernel_size=1)
        initialize(self)


def initialize(layers: nn.Module) -> None:
    """Give convolutions weights of the variance that suits ReLU (He et al. 2015), by the outputs of a layer."""
    for layer in layers.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
            nn.init.zeros_(layer.get_parameter("bias"))


class MaskRCNN(FasterRCNNFPN):
    """Faster R-CNN on a feature pyramid with a branch for masks.

    Args:
        layers: As for `FasterRCNNFPN`, and so all that follow but the last.
        mask_channels: Channels of each convolution of the mask head.
    """

    def __init__(
        self,
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        norm_layer: str = "frozen",
        fpn_channels: int = 256,
        hidden_size: int = 1024,
        num_classes: int = 90,
        image_size: int = 800,
        anchor_sizes: Sequence[float] = (32, 64, 128, 256, 512),
        anchor_ratios: Sequence[float] = (0.5, 1, 2),
        candidates: Sequence[int] = (2000, 1000),
        proposals: Sequence[int] = (2000, 1000),
        anchors_per_image: int = 256,
        regions_per_image: int = 512,
        canonical_size: float = 224,
        mask_channels: Sequence[int] = (256, 256, 256, 256),
    ):
        super().__init__(
            layers,
            channels,
            norm_layer,
            fpn_channels,
            hidden_size,
            num_classes,
            image_size,
            anchor_sizes,
            anchor_ratios,
            candidates,
            proposals,
            anchors_per_image,
            regions_per_image,
            canonical_size,
        )
        if not mask_channels:
            raise ValueError("mask_channels must have one number or more, such as 256, 256, 256, 256")
        self.roi_heads["mask_head"] = MaskHead(fpn_channels, mask_channels)
        self.roi_heads["mask_predictor"] = MaskPredictor(mask_channels[-1], self.num_classes + 1)

    def forward(self, images: Tensor) -> InstanceOutputs:  # type: ignore[override]
        """Return the outputs for images (N, 3, image_size, image_size)."""
        regions = super().forward(images)
        if self.training:
            return InstanceOutputs(regions)
        boxes, scores, labels, mask = self.pad_detections(regions)
        rois = list_regions(boxes, mask)
        logits = self.predict_masks(regions.features, rois, labels.flatten() if mask.is_meta else labels[mask])
        return InstanceOutputs(regions, boxes, scores, labels, mask, unlist(logits.float(), mask))

    def pad_detections(self, regions: RegionOutputs) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return boxes (N, D, 4), scores, labels and mask (N, D) of the detections of all images."""
        assert regions.logits is not None  # forward sets it
        if regions.boxes.is_meta:  # without values, there are as many as there can be
            boxes = regions.boxes[:, :1].expand(-1, MAX_DETECTIONS, -1)
            scores = boxes.new_zeros(boxes.shape[:2])
            return boxes, scores, scores.long(), scores.bool()
        with torch.no_grad():
            detections = super().detect(regions, SCORE_THRESHOLD)
        columns = (pad_sequence(list(column), batch_first=True) for column in zip(*detections, strict=True))
        boxes, scores, labels = columns
        counts = torch.tensor([len(one.scores) for one in detections], device=boxes.device)
        return boxes, scores, labels, torch.arange(boxes.shape[1], device=boxes.device) < counts[:, None]

    def predict_masks(self, features: tuple[Tensor, ...], rois: Tensor, labels: Tensor) -> Tensor:
        """Return logits (R, 28, 28) of the masks of regions (R, 5), each for its class (R,), without the background."""
        hidden = self.roi_heads["mask_head"](self.pool(features[:4], rois, POOLED))
        logits: Tensor = self.roi_heads["mask_predictor"](hidden)
        return logits[torch.arange(len(labels), device=labels.device), labels + 1]

    def losses(  # type: ignore[override]
        self, outputs: InstanceOutputs, boxes: Tensor, labels: Tensor, mask: Tensor, object_masks: Tensor
    ) -> dict[str, Tensor]:
        """Return the losses of Faster R-CNN, and that of the masks; the loss is their sum.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
            object_masks: Their masks (N, M, image_size, image_size), bool.
        """
        features, rpn = outputs.regions.features, outputs.regions.rpn
        assert rpn is not None  # forward sets it
        terms: dict[str, Tensor] = self.rpn.losses(rpn, boxes, mask, *self.input_shape[1:])
        with fixed_unless(self.training):
            regions = self.sample_regions(outputs.regions, boxes, labels, mask)
        return terms | self.region_losses(features, regions) | {"mask": self.mask_loss(features, regions, object_masks)}

    def mask_loss(self, features: tuple[Tensor, ...], regions: Regions, object_masks: Tensor) -> Tensor:
        """Return the mean binary cross-entropy of the pixels of all regions with an object; 0 if there is none."""
        from torchvision.ops import roi_align  # here, because torchvision takes long to import

        positives = regions.labels.nonzero()[:, 0]
        rois = regions.rois[positives]
        logits = self.predict_masks(features, rois, regions.labels[positives] - 1)
        if not len(rois):
            return logits.sum()
        own = object_masks[rois[:, 0].long(), regions.objects[positives]]  # one mask per region
        frames = torch.cat([torch.arange(len(rois), device=rois.device)[:, None], rois[:, 1:]], dim=1)
        targets = roi_align(own[:, None].to(rois), frames, logits.shape[-1])[:, 0]
        return F.binary_cross_entropy_with_logits(logits.float(), targets)

    def detect(  # type: ignore[override]
        self, outputs: InstanceOutputs, score_threshold: float = 0.05, iou_threshold: float | None = None
    ) -> list[Detections]:
        """Return the detections of each image, as Faster R-CNN does, without their masks."""
        return super().detect(outputs.regions, score_threshold, iou_threshold)

    def segment(self, outputs: InstanceOutputs, score_threshold: float = SCORE_THRESHOLD) -> list[Instances]:
        """Return the detections of each image with their masks.

        Args:
            outputs: The outputs of an evaluation.
            score_threshold: Smallest score, 0.05 or more: others have no masks.
        """
        if outputs.mask_logits is None or outputs.mask is None or outputs.scores is None:
            raise ValueError("a network in training mode has no masks: call eval() first")
        is_selected = outputs.mask & (outputs.scores >= score_threshold)
        columns = (outputs.boxes, outputs.scores, outputs.labels, outputs.mask_logits.sigmoid())
        return [
            Instances(*(column[k][rows] for column in columns))  # type: ignore[index]
            for k, rows in enumerate(is_selected)
        ]

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's maskrcnn_resnet50_fpn with frozen batch norms."""
        self.load_state_dict(state_dict)


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's network, which are also ours."""
    with torch.device("meta"):
        return list(MaskRCNN().state_dict())


# fmt: off
FAMILY = dict(
    family="mask-rcnn",
    year=2017,
    paper="arXiv:1703.06870",
    topic="instance-and-promptable",
    task="shape-instances",
    contribution=(
        "A mask for each detected object: a small convolutional branch next to those of class and box predicts it per "
        "class, from regions that are pooled without rounding (RoIAlign)."
    ),
    builds_on=("faster-rcnn-fpn",),
    network="MaskRCNN",
    names={"mask-rcnn": dict(layers=(3, 4, 6, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        p2="float32[fpn_channels, image_size/4, image_size/4]", p3="float32[fpn_channels, image_size/8, image_size/8]",
        p4="float32[fpn_channels, image_size/16, image_size/16]",
        p5="float32[fpn_channels, image_size/32, image_size/32]", p6="float32[fpn_channels, rows, columns]",
        boxes="float32[proposals, 4]", mask="bool[proposals]",
        logits="float32[proposals, num_classes+1]", offsets="float32[proposals, num_classes+1, 4]",
        objectness="float32[anchors]", anchor_offsets="float32[anchors, 4]", anchors="float32[anchors, 4]",
        proposals="float32[proposals, 4]", scores="float32[proposals]", proposals_mask="bool[proposals]",
        detected_boxes="float32[detections, 4]", detection_scores="float32[detections]",
        detected_labels="int64[detections]", detections_mask="bool[detections]",
        mask_logits="float32[detections, 28, 28]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.body.",), rpn=("rpn.",)),
    params={"mask-rcnn": 44_401_393},
    mini=dict(
        layers=(1, 1, 2, 1), channels=8, norm_layer="batch", fpn_channels=32, hidden_size=64, num_classes=4,
        image_size=64, anchor_sizes=(20, 28, 40, 56, 80), candidates=(100, 100), proposals=(32, 16),
        anchors_per_image=64, regions_per_image=16, canonical_size=96, mask_channels=(32, 32),
    ),
    recipe=dict(epochs=3, schedule="one-cycle", lr=0.004, batch_size=8),
    reference="torchvision",
)
# fmt: on
