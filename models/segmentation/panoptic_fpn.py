"""Panoptic FPN: Kirillov, Girshick, He, Dollar, Panoptic feature pyramid networks (2019).

Panoptic segmentation gives every pixel a class, and every pixel of a thing also an instance. Mask R-CNN finds the
things. A second, light branch on the same feature pyramid classifies every pixel, so that one network does both:

    level   stages of the semantic branch, each a 3x3 convolution, group norm and ReLU           parameters
    P5      3 stages, each followed by bilinear upsampling by 2                                  590,592
    P4      2 stages, likewise                                                                   442,880
    P3      1 stage, likewise                                                                    295,168
    P2      1 stage, without upsampling                                                          295,168
            sum of the four, 128 channels, a quarter of the image's size
            1x1 convolution: 53 classes of stuff, and first one for all things                   6,966
            bilinear upsampling by 4
    total   with Mask R-CNN's 44,401,393                                                         46,032,167

The loss is that of Mask R-CNN plus half of the mean cross-entropy of the pixels. Pixels that are not labeled (void)
don't count. `merge` makes one map of both branches: instances first, those of higher scores above others, then stuff.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import Detections
from models.layers.instances import Instances, paste
from models.layers.panoptic_merge import Segments, merge
from models.segmentation.mask_rcnn import InstanceOutputs, MaskRCNN

VOID = 255  # of a pixel that is not labeled
SEMANTIC_WEIGHT = 0.5  # of the semantic loss (the paper's value for ResNet-50 on COCO)
INSTANCE_SCORE = 0.5  # smallest score of an instance that becomes a segment
MASK_THRESHOLD = 0.5  # of the probability that a pixel belongs to an instance


class PanopticOutputs(NamedTuple):
    """The outputs of Panoptic FPN for a batch.

    Attributes:
        instances: Those of Mask R-CNN.
        stuff: Logits of each pixel for things and for each class of stuff, (N, num_stuff + 1, height, width).
    """

    instances: InstanceOutputs
    stuff: Tensor


class SemanticBranch(nn.Module):
    """The way from the levels of a feature pyramid to a class per pixel.

    Args:
        in_channels: Channels of the levels.
        channels: Channels of each stage.
        groups: Groups of the norms.
        classes: Number of classes.
        levels: The number of levels, each of twice the stride of the one before.
    """

    def __init__(self, in_channels: int, channels: int, groups: int, classes: int, levels: int = 4):
        super().__init__()
        self.levels = nn.ModuleList()
        for number in range(levels):
            stages = nn.Sequential()
            for stage in range(max(1, number)):
                source = channels if stage else in_channels
                stages.append(nn.Conv2d(source, channels, kernel_size=3, padding=1, bias=False))
                stages.append(nn.GroupNorm(groups, channels))
                stages.append(nn.ReLU(inplace=True))
                if number:
                    stages.append(nn.Upsample(scale_factor=2, mode="bilinear"))
            self.levels.append(stages)
        self.predictor = nn.Conv2d(channels, classes, kernel_size=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        nn.init.normal_(self.predictor.weight, std=0.01)
        nn.init.zeros_(self.predictor.get_parameter("bias"))

    def forward(self, levels: Sequence[Tensor]) -> Tensor:
        """Return logits (N, classes, height, width) for levels (N, in_channels, h, w), of which the first has 1/4."""
        x = torch.stack([stages(level) for stages, level in zip(self.levels, levels, strict=True)]).sum(dim=0)
        return F.interpolate(self.predictor(x), scale_factor=4, mode="bilinear")


class PanopticFPN(MaskRCNN):
    """Mask R-CNN and a semantic branch on one feature pyramid.

    Args:
        layers: As for `MaskRCNN`, and so all that follow but the last four.
        num_stuff: Number of classes of stuff.
        semantic_channels: Channels of the semantic branch.
        semantic_groups: Groups of its norms.
        stuff_area_limit: Smallest number of pixels of a segment of stuff.
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
        num_stuff: int = 53,
        semantic_channels: int = 128,
        semantic_groups: int = 32,
        stuff_area_limit: int = 4096,
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
            mask_channels,
        )
        if num_stuff < 1:
            raise ValueError("num_stuff must be 1 or more")
        if semantic_groups < 1 or semantic_channels % semantic_groups:
            raise ValueError(f"semantic_channels must be a multiple of semantic_groups, not {semantic_channels}")
        self.num_stuff, self.stuff_area_limit = num_stuff, stuff_area_limit
        self.semantic = SemanticBranch(fpn_channels, semantic_channels, semantic_groups, num_stuff + 1)

    def forward(self, images: Tensor) -> PanopticOutputs:  # type: ignore[override]
        """Return the outputs for images (N, 3, image_size, image_size)."""
        instances = super().forward(images)
        return PanopticOutputs(instances, self.semantic(instances.regions.features[:4]))

    def losses(  # type: ignore[override]
        self,
        outputs: PanopticOutputs,
        boxes: Tensor,
        labels: Tensor,
        mask: Tensor,
        object_masks: Tensor,
        stuff: Tensor,
    ) -> dict[str, Tensor]:
        """Return the losses of Mask R-CNN, and half of that of the pixels; the loss is their sum.

        Args:
            outputs: The outputs.
            boxes: Corners of the things in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such a thing, (N, M).
            object_masks: Their masks (N, M, image_size, image_size), bool.
            stuff: The class of each pixel (N, image_size, image_size), uint8: 0 for things, k for the stuff with the
                index k - 1, 255 if it is not labeled.
        """
        terms = super().losses(outputs.instances, boxes, labels, mask, object_masks)
        targets = stuff.long()
        count = (targets != VOID).sum().clamp(min=1)
        errors = F.cross_entropy(outputs.stuff.float(), targets, ignore_index=VOID, reduction="sum")
        return terms | {"semantic": SEMANTIC_WEIGHT * errors / count}

    def detect(  # type: ignore[override]
        self, outputs: PanopticOutputs, score_threshold: float = 0.05, iou_threshold: float | None = None
    ) -> list[Detections]:
        """Return the detections of each image, without their masks."""
        return super().detect(outputs.instances, score_threshold, iou_threshold)

    def segment(self, outputs: PanopticOutputs, score_threshold: float = 0.05) -> list[Instances]:  # type: ignore[override]
        """Return the detections of each image with their masks, as Mask R-CNN does."""
        return super().segment(outputs.instances, score_threshold)

    def merge(
        self,
        outputs: PanopticOutputs,
        crops: Sequence[Sequence[int]] | None = None,
        sizes: Sequence[Sequence[int]] | None = None,
    ) -> list[Segments]:
        """Return the segments of each image.

        Args:
            outputs: The outputs of an evaluation.
            crops: Height and width of what the network reads of each image; there may be a border at the right and at
                the bottom. By default, there is none.
            sizes: Height and width of each image itself; by default `crops`.
        """
        crops = crops or [self.input_shape[1:]] * len(outputs.stuff)
        merged = []
        parts = (self.segment(outputs, INSTANCE_SCORE), outputs.stuff, crops, sizes or crops)
        for instances, logits, (rows, columns), size in zip(*parts, strict=True):
            height, width = size
            factors = logits.new_tensor([width / columns, height / rows])
            masks = paste(instances.resize(factors), height, width) > MASK_THRESHOLD
            logits = logits[:, :rows, :columns]
            if logits.shape[1:] != (height, width):
                logits = F.interpolate(logits[None], size=(height, width), mode="bilinear")[0]
            limit = max(1, round(self.stuff_area_limit * float(factors.prod())))
            stuff = logits.argmax(dim=0)
            merged.append(merge(masks, instances.labels, instances.scores, stuff, self.num_classes, limit))
        return merged

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's maskrcnn_resnet50_fpn; the semantic branch has its own."""
        own = {name: weight for name, weight in self.state_dict().items() if name.startswith("semantic.")}
        self.load_state_dict({**state_dict, **own})


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's Mask R-CNN, which are also ours."""
    with torch.device("meta"):
        return list(MaskRCNN().state_dict())


# fmt: off
FAMILY = dict(
    family="panoptic-fpn",
    year=2019,
    paper="arXiv:1901.02446",
    topic="instance-and-promptable",
    task="panoptic-scenes",
    contribution=(
        "One network for things and stuff: on the feature pyramid of Mask R-CNN, a light branch classifies every "
        "pixel, and both are merged into segments that don't overlap."
    ),
    builds_on=("mask-rcnn",),
    network="PanopticFPN",
    names={"panoptic-fpn": dict(layers=(3, 4, 6, 3))},
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
        mask_logits="float32[detections, 28, 28]", stuff="float32[num_stuff+1, image_size, image_size]",
    ),
    sizes=dict(classes="num_classes", stuff="num_stuff"),
    parts=dict(backbone=("backbone.body.",), rpn=("rpn.",)),
    params={"panoptic-fpn": 46_032_167},
    mini=dict(
        layers=(1, 1, 2, 1), channels=8, norm_layer="batch", fpn_channels=32, hidden_size=64, num_classes=4,
        image_size=64, anchor_sizes=(20, 28, 40, 56, 80), candidates=(100, 100), proposals=(32, 16),
        anchors_per_image=64, regions_per_image=16, canonical_size=96, mask_channels=(32, 32), num_stuff=4,
        semantic_channels=32, semantic_groups=8, stuff_area_limit=64,
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.004, batch_size=8),
    reference="torchvision",
)
# fmt: on
