"""YOLO v3: Redmon, Farhadi, YOLOv3: an incremental improvement (arXiv:1804.02767, 2018).

Three changes to YOLO v2. The network predicts at three scales, where a coarser map is upsampled and joined to the finer
one of the backbone, so that small objects have cells of 8 pixels. The backbone is `darknet53`, with residual blocks.
Classes are independent logistic outputs instead of a softmax, so that an object can be of several classes.

For images of 3x416x416 and 80 classes. A neck is (1x1, c; 3x3, 2c) x2; 1x1, c; a head is 3x3, 2c; 1x1, 255 with a bias:

    backbone        Darknet-53, its last three stages       52x52x256, 26x26x512, 13x13x1024
    necks.0         c = 512                                 13x13x512
    heads.0                                                 13x13x255 = 3 anchors x (5 + 80)
    laterals.0      1x1, 256; upsampled                     26x26x256
    necks.1         c = 256, of both, concatenated          26x26x256
    heads.1                                                 26x26x255
    laterals.1      1x1, 128; upsampled                     52x52x128
    necks.2         c = 128, of both, concatenated          52x52x128
    heads.2                                                 52x52x255
    predictions     3 (13^2 + 26^2 + 52^2) = 10,647 boxes, each of 85 values
    parameters      61,949,149; 32,932,037,632 MACs

Layers and anchors are those of the authors' yolov3.cfg. Per box the outputs are t_x, t_y, t_w, t_h, which `AnchorGrid`
decodes, a logit of objectness and one per class.

The loss is that of sections 2.1 and 2.2 of the paper. Of an object, the anchor of all nine whose shape has the largest
IoU with it is responsible, in the cell that contains the object's center:

    coordinates   cross-entropy of sigmoid(t_x), sigmoid(t_y) with the place in the cell: its gradient in t is the
                  difference of the two, as the paper demands
    sizes         half the squared error of t_w, t_h, for the same reason
    objectness    cross-entropy with 1
    no_object     cross-entropy with 0, of all other boxes but those whose anchor, in the middle of its cell, overlaps
                  an object by more than 0.5; the authors' code compares the predicted box instead
    classes       cross-entropy of each class

The loss of a batch is the mean over its images of the sums.

`--from RUN --part backbone` begins with the backbone of a `darknet53`.

The mini has one block per stage, 6 channels in the first convolution, necks of one 1x1 and one anchor per scale, and
reads 3x64x64; its anchors are k-means of the boxes of `shape-scenes`.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.anchor_grid import AnchorGrid
from models.layers.boxes import Detections, paired_iou, select
from models.vision.darknet import Backbone53, Convolution, check_size, initialize

STRIDES = (32, 16, 8)
IGNORED_IOU = 0.5


class Neck(nn.Sequential):
    """Convolutions 1x1 and 3x3 in turn; the first and the last are 1x1.

    Args:
        in_channels: Channels of the input.
        channels: Channels of the 1x1 convolutions and of the output; those of the 3x3 are twice as many.
        repeats: Number of pairs of a 3x3 and a 1x1 after the first 1x1.
    """

    def __init__(self, in_channels: int, channels: int, repeats: int):
        layers = [Convolution(in_channels, channels, 1)]
        for _ in range(repeats):
            layers += [Convolution(channels, 2 * channels, 3), Convolution(2 * channels, channels, 1)]
        super().__init__(*layers)


class YoloV3(nn.Module):
    """Darknet-53 without its dense layer, and a neck and a head at each of three scales, from coarse to fine.

    Args:
        anchors: Width and height of the anchors in pixels of an image of `image_size`, three times as many as a cell
            has, for the three scales from the coarsest on.
        depths: Blocks in each stage of the backbone.
        channels: Channels of the backbone's first convolution.
        repeats: Number of 3x3 convolutions in each neck.
        num_classes: Number of classes.
        image_size: Height and width of the image; a multiple of 32.
    """

    def __init__(
        self,
        anchors: Sequence[Sequence[Sequence[float]]],
        depths: Sequence[int] = (1, 2, 8, 8, 4),
        channels: int = 32,
        repeats: int = 2,
        num_classes: int = 80,
        image_size: int = 416,
    ):
        super().__init__()
        check_size(image_size, 32)
        self.input_shape = (3, image_size, image_size)
        self.num_classes = num_classes
        self.grid = AnchorGrid(anchors, STRIDES, image_size)
        self.backbone = Backbone53(depths, channels)
        values = len(anchors[0]) * (5 + num_classes)
        self.necks, self.heads, self.laterals = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        self.upsample = nn.Upsample(scale_factor=2, mode="nearest")
        outputs, from_above = [], 0
        for index, in_channels in enumerate(reversed(self.backbone.feature_channels[1:])):
            if index:
                self.laterals.append(Convolution(from_above, from_above // 2, 1))
                from_above //= 2
            width = in_channels // 2
            self.necks.append(Neck(in_channels + from_above, width, repeats))
            outputs.append(nn.Conv2d(2 * width, values, kernel_size=1))
            self.heads.append(nn.Sequential(Convolution(width, 2 * width, 3), outputs[-1]))
            from_above = width
        initialize(self)
        for output in outputs:  # so that each box begins as its anchor, in the middle of a cell
            nn.init.normal_(output.weight, std=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """Return the values of all boxes (N, boxes, 5 + num_classes) for images (N, 3, image_size, image_size)."""
        predictions, above = [], None
        for index, own in enumerate(reversed(self.backbone(x)[1:])):
            if above is not None:
                own = torch.cat([self.upsample(self.laterals[index - 1](above)), own], dim=1)
            above = self.necks[index](own)
            values = self.heads[index](above).permute(0, 2, 3, 1)
            predictions.append(values.flatten(1).unflatten(1, (-1, 5 + self.num_classes)))
        return torch.cat(predictions, dim=1)

    def losses(self, predictions: Tensor, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the five terms of the loss as means over the batch; the loss is their sum.

        Args:
            predictions: Outputs (N, boxes, 5 + num_classes).
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        predictions = predictions.float()
        targets = self.grid.find_targets(boxes, labels, mask)
        place = targets.images, targets.places
        iou = paired_iou(self.grid.prior_boxes()[:, None], boxes[:, None].float()) * mask[:, None]
        is_empty = F.pad(iou, (0, 1)).amax(dim=2) <= IGNORED_IOU  # padded for images without objects
        is_empty[place] = False
        own, objectness = predictions[place], predictions[..., 4]
        one_hot = F.one_hot(targets.labels, self.num_classes).float()
        terms = {
            "coordinates": F.binary_cross_entropy_with_logits(own[:, :2], targets.values[:, :2], reduction="sum"),
            "sizes": (own[:, 2:4] - targets.values[:, 2:]).square().sum() / 2,
            "objectness": F.softplus(-own[:, 4]).sum(),
            "no_object": F.softplus(objectness[is_empty]).sum(),
            "classes": F.binary_cross_entropy_with_logits(own[:, 5:], one_hot, reduction="sum"),
        }
        return {name: term / len(predictions) for name, term in terms.items()}

    def detect(
        self, predictions: Tensor, score_threshold: float = 0.05, iou_threshold: float = 0.5
    ) -> list[Detections]:
        """Return the detections of each image, at most 100.

        Args:
            predictions: Outputs (N, boxes, 5 + num_classes).
            score_threshold: Smallest score, which is objectness times the probability of the class.
            iou_threshold: Largest IoU of two detections of one class in NMS.
        """
        predictions = predictions.float()
        corners = self.grid.decode(predictions[..., :4]).clamp(0, self.input_shape[1])
        scores = predictions[..., 4:5].sigmoid() * predictions[..., 5:].sigmoid()
        return [select(*image, score_threshold, iou_threshold) for image in zip(corners, scores, strict=True)]


# fmt: off
FAMILY = dict(
    family="yolo-v3",
    year=2018,
    paper="arXiv:1804.02767",
    topic="one-stage",
    task="shape-scenes",
    contribution=(
        "YOLO with residual connections, predictions at three scales that are joined from coarse to fine, and "
        "independent logistic classifiers instead of a softmax."
    ),
    builds_on=("yolo-v2", "darknet53", "faster-rcnn-fpn"),
    network="YoloV3",
    names={"yolo-v3": dict(anchors=(
        ((116, 90), (156, 198), (373, 326)), ((30, 61), (62, 45), (59, 119)), ((10, 13), (16, 30), (33, 23)),
    ))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(predictions="float32[63*image_size/32*image_size/32, 5+num_classes]"),  # 63 = 3 (1 + 4 + 16)
    mini_outputs=dict(predictions="float32[21*image_size/32*image_size/32, 5+num_classes]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"yolo-v3": 61_949_149},
    mini=dict(
        anchors=(((38.8, 38.8),), ((28.6, 28.6),), ((21.5, 21.5),)),
        depths=(1, 1, 1, 1, 1),
        channels=6,
        repeats=0,
        num_classes=4,
        image_size=64,
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.01),
    reference=None,
)
# fmt: on
