"""Faster R-CNN on a feature pyramid: Lin et al., Feature pyramid networks for object detection (2016).

The last map of a backbone knows what is in an image, but its cells are too large for small objects; early maps have
fine cells but know little. A feature pyramid has both: from the top down, each map is enlarged twofold and added to the
next finer map of the backbone, so that all levels have the same channels and can share one head. Small objects are
proposed and pooled from fine levels, large ones from coarse levels.

ResNet-50, for images of 3x800x800:

    layer              output                                              parameters
    backbone.body      ResNet-50, maps of stride 4, 8, 16, 32              23,454,912 with FrozenBatchNorm
    backbone.fpn       1x1 and 3x3 convolutions per level, 256 channels    3,344,384
                       P2 to P5: 200x200, 100x100, 50x50, 25x25; P6: 13x13, every second pixel of P5
    rpn                one head for all levels, 3 ratios of one size each  593,935     159,882 anchors
    RoIAlign           7x7 cells, from one of P2 to P5                                 1000 x 256x7x7
    roi_heads          fc6 and fc7, 1024; 91 classes with the background   14,362,055
    total                                                                  41,755,286

A region of width w and height h is pooled from level k = floor(4 + log2(sqrt(wh) / 224)), within 2 and 5.

Names, outputs and losses are torchvision's, which resizes images so that the shorter side is 800 or the longer 1333;
here images are square. Its network keeps the batch norms of an ImageNet classifier fixed, with their statistics
(FrozenBatchNorm2d has no parameters), because the one or two images of a batch say too little. Its bilinear samples of
RoIAlign are 2x2 per cell, half a pixel off ("aligned=False"), unlike the corrected RoIAlign of later papers.

`--from RUN --part backbone` begins with the layers of a ResNet-50. The mini starts from random weights, so its norms
are not fixed; its anchors and its levels suit 3x64x64.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import area
from models.layers.region_detector import RegionDetector, RegionOutputs
from models.layers.region_proposals import Proposals, RegionProposalNetwork
from models.vision.resnet import ResNet

POOLED = 7  # rows and columns of a pooled region
STRIDES = (4, 8, 16, 32)  # of P2 to P5


class FrozenBatchNorm2d(nn.Module):
    """Batch norm with fixed statistics, scale and shift: a linear function of each channel, without parameters."""

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int):
        super().__init__()
        for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0), ("running_var", 1.0)):
            self.register_buffer(name, torch.full((channels,), value))

    def forward(self, x: Tensor) -> Tensor:
        """Return (x - mean) / sqrt(var + 1e-5) * weight + bias, as one product and one sum."""
        scale = self.weight * (self.running_var + 1e-5).rsqrt()
        shift = self.bias - self.running_mean * scale
        return torch.addcmul(shift[:, None, None], x, scale[:, None, None])


NORM_LAYERS = {"frozen": FrozenBatchNorm2d, "batch": nn.BatchNorm2d}


class Body(ResNet):
    """A ResNet without its last layer, which returns the maps of its four layers."""

    def __init__(self, layers: Sequence[int], channels: int, norm_layer: str):
        super().__init__("bottleneck", layers, channels, norm_layer=NORM_LAYERS[norm_layer])
        del self.avgpool, self.fc

    def forward(self, x: Tensor) -> list[Tensor]:  # type: ignore[override]
        """Return maps of stride 4, 8, 16 and 32 for images (N, 3, h, w)."""
        return self.features(x)


class FeaturePyramid(nn.Module):
    """The way from the maps of a backbone to levels that have the same channels.

    Args:
        in_channels: Channels of the maps, from the finest to the coarsest.
        out_channels: Channels of the levels.
    """

    def __init__(self, in_channels: Sequence[int], out_channels: int):
        super().__init__()
        # Each in a Sequential, because torchvision's keys are inner_blocks.0.0 and layer_blocks.0.0.
        lateral = [nn.Sequential(nn.Conv2d(channels, out_channels, kernel_size=1)) for channels in in_channels]
        smooth = [nn.Sequential(nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1)) for _ in in_channels]
        self.inner_blocks, self.layer_blocks = nn.ModuleList(lateral), nn.ModuleList(smooth)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_uniform_(layer.weight, a=1)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, maps: Sequence[Tensor]) -> list[Tensor]:
        """Return the levels (N, out_channels, h, w) of maps (N, C, h, w), and one of twice the stride of the last."""
        inner = [lateral(one) for lateral, one in zip(self.inner_blocks, maps, strict=True)]
        for k in reversed(range(len(inner) - 1)):
            inner[k] = inner[k] + F.interpolate(inner[k + 1], size=inner[k].shape[2:], mode="nearest")
        levels = [smooth(one) for smooth, one in zip(self.layer_blocks, inner, strict=True)]
        return [*levels, F.max_pool2d(levels[-1], kernel_size=1, stride=2)]


class BoxPredictor(nn.Module):
    """Two dense layers in parallel: logits, and offsets for each class.

    Args:
        in_features: Features of a region.
        classes: Number of classes, with the background.
    """

    def __init__(self, in_features: int, classes: int):
        super().__init__()
        self.cls_score = nn.Linear(in_features, classes)
        self.bbox_pred = nn.Linear(in_features, 4 * classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (R, classes) and offsets (R, classes, 4) for features (R, in_features)."""
        return self.cls_score(x), self.bbox_pred(x).unflatten(1, (-1, 4))


class FasterRCNNFPN(RegionDetector):
    """ResNet, feature pyramid, region proposal network, RoIAlign, and two dense layers for each region.

    Args:
        layers: Number of bottlenecks in each of ResNet's four layers.
        channels: Channels of ResNet's conv1.
        norm_layer: `frozen` or `batch`.
        fpn_channels: Channels of the pyramid's levels.
        hidden_size: Neurons of fc6 and of fc7.
        num_classes: Number of classes, without the background.
        image_size: Height and width of the image: a multiple of 32.
        anchor_sizes: Square roots of the anchors' areas in pixels, one for each of the five levels.
        anchor_ratios: Heights over widths.
        candidates: Boxes of each level that enter suppression, in training and in evaluation.
        proposals: Proposals of an image, in training and in evaluation.
        anchors_per_image: Anchors of an image in the loss of the first stage.
        regions_per_image: Regions of an image in the loss of the second stage.
        canonical_size: Square root of a region's area in pixels from which on it is pooled from P4.
    """

    beta = 1 / 9

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
    ):
        super().__init__()
        if norm_layer not in NORM_LAYERS:
            raise ValueError(f"norm_layer must be {' or '.join(NORM_LAYERS)}, not {norm_layer!r}")
        if image_size < 32 or image_size % 32:
            raise ValueError(f"image_size must be a multiple of 32, not {image_size}")
        if len(anchor_sizes) != 5:
            raise ValueError("anchor_sizes must be five numbers, one for each level, such as 32, 64, 128, 256, 512")
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.num_classes, self.regions_per_image = num_classes, regions_per_image
        self.canonical_size = canonical_size
        body = Body(layers, channels, norm_layer)
        self.backbone = nn.ModuleDict({"body": body, "fpn": FeaturePyramid(body.feature_channels, fpn_channels)})
        self.rpn = RegionProposalNetwork(
            fpn_channels,
            [[size] for size in anchor_sizes],
            anchor_ratios,
            candidates=candidates,
            proposals=proposals,
            anchors_per_image=anchors_per_image,
        )
        box_head = nn.Sequential()
        for name, in_features in (("fc6", fpn_channels * POOLED**2), ("fc7", hidden_size)):
            box_head.add_module(name, nn.Linear(in_features, hidden_size))
            box_head.add_module(name.replace("fc", "relu"), nn.ReLU(inplace=True))
        box_predictor = BoxPredictor(hidden_size, num_classes + 1)
        self.roi_heads = nn.ModuleDict({"box_head": box_head, "box_predictor": box_predictor})

    def forward(self, images: Tensor) -> RegionOutputs:
        """Return the outputs of both stages for images (N, 3, image_size, image_size)."""
        levels = self.backbone["fpn"](self.backbone["body"](images))
        rpn: Proposals = self.rpn(levels, *images.shape[2:])
        return self.classify_proposals(RegionOutputs(tuple(levels), rpn.boxes, rpn.mask, rpn=rpn))

    def pool(self, levels: Sequence[Tensor], rois: Tensor, output_size: int = POOLED) -> Tensor:
        """Return regions (R, channels, output_size, output_size), each from the level that suits its size.

        Args:
            levels: P2 to P5.
            rois: Image number and corners in pixels, (R, 5).
            output_size: Rows and columns of a pooled region.
        """
        from torchvision.ops import roi_align  # here, because torchvision takes long to import

        pooled = rois.new_empty(len(rois), levels[0].shape[1], output_size, output_size)
        if rois.is_meta:  # without values, no region has a level
            return pooled
        scale = torch.log2(area(rois[:, 1:]).sqrt() / self.canonical_size)
        numbers = torch.floor(4 + scale + 1e-6).clamp(2, 5).long() - 2
        for number, (level, stride) in enumerate(zip(levels, STRIDES, strict=True)):
            rows = (numbers == number).nonzero()[:, 0]
            pooled[rows] = roi_align(level, rois[rows], output_size, 1 / stride, sampling_ratio=2).to(pooled)
        return pooled

    def classify(self, features: tuple[Tensor, ...], rois: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (R, K + 1) and offsets (R, K + 1, 4) of regions (R, 5): image number and corners."""
        hidden = self.roi_heads["box_head"](self.pool(features[:4], rois).flatten(1))
        logits, offsets = self.roi_heads["box_predictor"](hidden)
        return logits, offsets

    def losses(self, outputs: RegionOutputs, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the losses of both stages: objectness and proposals, classes and boxes.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        assert outputs.rpn is not None  # forward sets it
        first: dict[str, Tensor] = self.rpn.losses(outputs.rpn, boxes, mask, *self.input_shape[1:])
        return first | super().losses(outputs, boxes, labels, mask)

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's fasterrcnn_resnet50_fpn with frozen batch norms."""
        self.load_state_dict(state_dict)


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's network, which are also ours."""
    with torch.device("meta"):
        return list(FasterRCNNFPN().state_dict())


# fmt: off
FAMILY = dict(
    family="faster-rcnn-fpn",
    year=2016,
    paper="arXiv:1612.03144",
    topic="two-stage",
    task="shape-scenes",
    contribution=(
        "Levels from fine to coarse that all know what is in the image: each is a map of the backbone plus the "
        "enlarged next coarser level, and objects of each size are found on the level that suits them."
    ),
    builds_on=("faster-rcnn", "resnet"),
    network="FasterRCNNFPN",
    names={"faster-rcnn-r50-fpn": dict(layers=(3, 4, 6, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(
        p2="float32[fpn_channels, image_size/4, image_size/4]", p3="float32[fpn_channels, image_size/8, image_size/8]",
        p4="float32[fpn_channels, image_size/16, image_size/16]",
        p5="float32[fpn_channels, image_size/32, image_size/32]", p6="float32[fpn_channels, rows, columns]",
        boxes="float32[proposals, 4]", mask="bool[proposals]",
        logits="float32[proposals, num_classes+1]", offsets="float32[proposals, num_classes+1, 4]",
        objectness="float32[anchors]", anchor_offsets="float32[anchors, 4]", anchors="float32[anchors, 4]",
        proposals="float32[proposals, 4]", scores="float32[proposals]", proposals_mask="bool[proposals]",
    ),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.body.",), rpn=("rpn.",)),
    params={"faster-rcnn-r50-fpn": 41_755_286},
    mini=dict(
        layers=(1, 1, 2, 1), channels=8, norm_layer="batch", fpn_channels=48, hidden_size=64, num_classes=4,
        image_size=64, anchor_sizes=(20, 28, 40, 56, 80), candidates=(100, 100), proposals=(32, 16),
        anchors_per_image=64, regions_per_image=20, canonical_size=96,
    ),
    recipe=dict(epochs=1, schedule="one-cycle", lr=0.004, batch_size=16),
    reference="torchvision",
)
# fmt: on
