"""Classification with localization: what the one object of an image is, and where.

A classifier becomes a detector of one object by a second output layer: next to the class logits, four numbers, the
center and the size of the object's box relative to the image. Both layers read the same features, and the losses of
classification and of regression are added. Because the number of outputs is fixed, it finds no second object.

Simonyan and Zisserman (arXiv:1409.1556, appendix A) won the localization task of ImageNet 2014 with VGG16 whose last
layer outputs the box, center and size, and which learns it by the squared error. They trained one network for classes
and one for boxes; here one network has both layers. For images of 3x224x224:

    layer         output                                         parameters
    features      13 convolutions of VGG16, 5 poolings           14,714,688    512x7x7
    classifier    fc6 and fc7, dropout                           119,545,856   4096
    logits        dense                                          4,097,000     1000
    box           dense: center x, center y, width, height       16,388        4
    total                                                        138,373,932

Of an image with several objects, the first one is the target; an image without any has no loss. The mini starts from
random weights, has batch norm, fewer convolutions and 3x64x64.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import Detections, convert_to_centers, convert_to_corners, select
from models.vision.vgg import VGG

BOX_WEIGHT = 20.0  # of the squared error of relative coordinates, which are small numbers


class LocalizedClass(NamedTuple):
    """The outputs for a batch.

    Attributes:
        logits: Of the classes, (N, K).
        box: Center x, center y, width and height relative to the image, (N, 4).
    """

    logits: Tensor
    box: Tensor


class ClassificationLocalization(nn.Module):
    """VGG with two output layers: classes and a box.

    Args:
        depths: Convolutions in each of VGG's five stages.
        channels: Channels of the first stage.
        batch_norm: Whether each convolution is followed by batch norm.
        hidden_size: Neurons of fc6 and of fc7.
        dropout: Probability that one of them is dropped in a training step.
        num_classes: Number of classes.
        image_size: Height and width of the image: a multiple of 32.
        init_std: Standard deviation of the dense layers' initial weights.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        channels: int = 64,
        batch_norm: bool = False,
        hidden_size: int = 4096,
        dropout: float = 0.5,
        num_classes: int = 1000,
        image_size: int = 224,
        init_std: float = 0.01,
    ):
        super().__init__()
        vgg = VGG(depths, batch_norm, channels, hidden_size, num_classes, image_size, dropout, init_std)
        self.input_shape = vgg.input_shape
        self.features, self.classifier = vgg.features, vgg.classifier[:-1]
        self.logits, self.box = nn.Linear(hidden_size, num_classes), nn.Linear(hidden_size, 4)
        for layer in (self.logits, self.box):
            nn.init.normal_(layer.weight, std=0.01)
            nn.init.zeros_(layer.bias)
        nn.init.constant_(self.box.bias, 0.5)  # the middle half of the image

    def forward(self, x: Tensor) -> LocalizedClass:
        """Return logits (N, num_classes) and boxes (N, 4) for images (N, 3, image_size, image_size)."""
        hidden = self.classifier(self.features(x).flatten(1))
        return LocalizedClass(self.logits(hidden), self.box(hidden))

    def losses(self, outputs: LocalizedClass, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy of the classes and the squared error of the boxes, weighted; means over the batch.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        rows = mask.any(dim=1).nonzero()[:, 0]
        first = mask[rows].int().argmax(dim=1) if len(rows) else rows
        expected = convert_to_centers(boxes[rows, first].to(outputs.box) / self.input_shape[1])
        return {
            "classes": F.cross_entropy(outputs.logits[rows], labels[rows, first], reduction="sum") / len(boxes),
            "boxes": BOX_WEIGHT * (outputs.box[rows] - expected).square().sum() / len(boxes),
        }

    def detect(
        self, outputs: LocalizedClass, score_threshold: float = 0.05, iou_threshold: float = 0.5
    ) -> list[Detections]:
        """Return the detections of each image: one box, of every class that is likely enough.

        Args:
            outputs: The outputs.
            score_threshold: Smallest probability of a class.
            iou_threshold: Largest IoU of two detections of one class; there is only one.
        """
        corners = (convert_to_corners(outputs.box.float()) * self.input_shape[1]).clamp(0, self.input_shape[1])
        probabilities = outputs.logits.float().softmax(dim=1)
        is_box = (corners[:, 2:] > corners[:, :2]).all(dim=1, keepdim=True)
        images = zip(corners[:, None], torch.where(is_box, probabilities, -1.0)[:, None], strict=True)
        return [select(*image, score_threshold, iou_threshold) for image in images]


# fmt: off
FAMILY = dict(
    family="classification-localization",
    year=2014,
    paper="arXiv:1409.1556",
    topic="boxes",
    task="single-shapes",
    contribution=(
        "A classifier with a second output layer for the box of the one object that it classifies: center, width and "
        "height are learned by regression."
    ),
    builds_on=("vgg",),
    network="ClassificationLocalization",
    names={"classification-localization": dict(depths=(2, 2, 3, 3, 3))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]", box="float32[4]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"classification-localization": 138_373_932},
    mini=dict(
        depths=(1, 1, 1, 1, 1), channels=12, batch_norm=True, hidden_size=128, dropout=0.0, num_classes=4,
        image_size=64, init_std=0.05,
    ),
    recipe=dict(epochs=3, schedule="one-cycle", lr=0.003),
    reference=None,
)
# fmt: on
