"""R-CNN: Girshick, Donahue, Darrell, Malik, Rich feature hierarchies for accurate object detection (arXiv:1311.2524).

The network that had won ImageNet's classification was brought to detection in the simplest way: selective search
proposes about 2,000 regions of an image; each is resized to the input of AlexNet, whatever its shape, and classified.
That raised mean average precision on Pascal VOC by more than 30%, but an image takes a minute on a CPU, because the
network runs once for each region.

For one region of an image, warped to 3x227x227 with 16 pixels of its surroundings on each side:

    layer         output                                         parameters
    alexnet       AlexNet with 21 classes, 0 is the background   56,954,261    720,396,832 MACs
    svm           a linear SVM per class on fc7                  81,940        20
    bbox_pred     4 offsets per class, linear on pool5           737,360       20x4
    total                                                        57,773,561

AlexNet learns the 21 classes, of regions that are positive with an IoU of 0.5 or more (a quarter of a batch). The SVMs
and the offsets are learned from its outputs, which they don't change:

    SVM of a class    positive are only the objects' own boxes, negative are regions with an IoU below 0.3
    offsets           of regions with an IoU above 0.6; squared error

Detection takes the SVMs' scores, one box per region and class, and non-maximum suppression at an IoU of 0.3.

The paper trains in three steps, one after the other, with solvers of their own: fine-tuning of an AlexNet that was
trained on ImageNet, SVMs with hard negative mining, and ridge regression. Here the three terms are minimized together,
but only the first has a gradient in AlexNet. Average precision needs scores from 0 to 1: sigmoid(SVM), in the same
order. `--from RUN --part backbone` begins with the layers of an AlexNet, all but the last. The mini starts from random
weights and warps regions to 3x67x67.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.boxes import convert_to_centers, convert_to_corners
from models.layers.region_detector import RegionDetector, RegionOutputs, Regions
from models.layers.region_proposals import fixed_unless
from models.vision.alexnet import AlexNet

NEGATIVE_IOU, REGRESSION_IOU, OBJECT_IOU = 0.3, 0.6, 0.999  # the last one is that of an object's own box
CHUNK = 256  # regions that are warped at once: 2,000 of a batch of images would need gigabytes


class RCNN(RegionDetector):
    """AlexNet for each warped region, with a linear SVM and a box regression per class.

    Args:
        channels: Filters of AlexNet's five convolutions.
        hidden_size: Neurons of fc6 and of fc7.
        num_classes: Number of classes, without the background.
        image_size: Height and width of the image.
        crop_size: Height and width of a warped region.
        context: Pixels of a warped region, on each side, that show its surroundings.
        dropout: Probability that a neuron of fc6 and fc7 is dropped in a training step.
        init_std: Standard deviation of AlexNet's initial weights.
        regions_per_image: Regions of an image in the loss.
        max_proposals: Proposals of an image that are classified, the first ones.
    """

    offset_weights = (1.0, 1.0, 1.0, 1.0)
    nms_threshold = 0.3

    def __init__(
        self,
        channels: Sequence[int] = (96, 256, 384, 384, 256),
        hidden_size: int = 4096,
        num_classes: int = 20,
        image_size: int = 500,
        crop_size: int = 227,
        context: int = 16,
        dropout: float = 0.5,
        init_std: float = 0.01,
        regions_per_image: int = 64,
        max_proposals: int = 2000,
    ):
        super().__init__()
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        if not 0 <= 2 * context < crop_size:
            raise ValueError("context must be 0 or more, and less than half of crop_size")
        self.input_shape = (3, image_size, image_size)
        self.num_classes, self.regions_per_image = num_classes, regions_per_image
        self.crop_size, self.context, self.max_proposals = crop_size, context, max_proposals
        self.alexnet = AlexNet(channels, hidden_size, num_classes + 1, crop_size, dropout, init_std)
        self.svm = nn.Linear(hidden_size, num_classes)
        self.bbox_pred = nn.Linear(self.alexnet.fc6.in_features, 4 * num_classes)
        for layer in (self.svm, self.bbox_pred):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return an image with one proposal, which is the whole image."""
        device = self.svm.weight.device
        boxes = torch.tensor([0.0, 0, *self.input_shape[2:0:-1]], device=device).expand(batch_size, 1, 4)
        images = torch.zeros(batch_size, *self.input_shape, device=device)
        return images, boxes, torch.ones(batch_size, 1, dtype=torch.bool, device=device)

    def warp(self, images: Tensor, rois: Tensor) -> Tensor:
        """Return regions (R, 3, crop_size, crop_size), resized bilinearly; 0, the mean, outside of the image.

        Args:
            images: The images, (N, 3, height, width).
            rois: Image number and corners in pixels, (R, 5).
        """
        from torchvision.ops import roi_align  # here, because torchvision takes long to import

        centers, sizes = convert_to_centers(rois[:, 1:]).split(2, dim=1)
        sizes = sizes * self.crop_size / (self.crop_size - 2 * self.context)
        larger = torch.cat([rois[:, :1], convert_to_corners(torch.cat([centers, sizes], dim=1))], dim=1)
        crops: Tensor = roi_align(images, larger, self.crop_size, sampling_ratio=1, aligned=True)
        return crops

    def classify(self, features: tuple[Tensor, ...], rois: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores of the SVMs (R, K) and offsets (R, K, 4) of regions (R, 5): image number and corners."""
        scores, offsets = [], []
        for chunk in rois.split(CHUNK):
            maps = self.alexnet.features(self.warp(features[0], chunk))
            scores.append(self.svm(self.alexnet.embed(maps)))
            offsets.append(self.bbox_pred(maps.flatten(1)).unflatten(1, (-1, 4)))
        return torch.cat(scores), torch.cat(offsets)

    def forward(self, images: Tensor, proposals: Tensor, mask: Tensor) -> RegionOutputs:
        """Return the outputs for images (N, 3, image_size, image_size) with proposals (N, P, 4) in pixels.

        Args:
            images: The images.
            proposals: Corners.
            mask: Whether there is such a proposal, (N, P).
        """
        first = slice(0, self.max_proposals)
        return self.classify_proposals(RegionOutputs((images,), proposals[:, first], mask[:, first]))

    def scores(self, logits: Tensor) -> Tensor:
        """Return scores from 0 to 1 in the order of the SVMs'."""
        return logits.sigmoid()

    def losses(self, outputs: RegionOutputs, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the losses of AlexNet's classes, of the SVMs and of the offsets; the loss is their sum.

        Args:
            outputs: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        with fixed_unless(self.training):
            regions = self.sample_regions(outputs, boxes, labels, mask)
        maps = self.alexnet.features(self.warp(outputs.features[0], regions.rois))
        hidden = self.alexnet.embed(maps)
        logits = self.alexnet.fc8(hidden)
        count = max(1, len(logits))
        return {
            "classes": F.cross_entropy(logits, regions.labels, reduction="sum") / count,
            "svm": hinge(self.svm(hidden.detach()), regions) / count,
            "boxes": self.squared_error(maps.detach(), regions) / count,
        }

    def squared_error(self, maps: Tensor, regions: Regions) -> Tensor:
        """Return the sum of the squared errors of the offsets of regions that are near an object."""
        near = ((regions.labels > 0) & (regions.iou > REGRESSION_IOU)).nonzero()[:, 0]
        offsets = self.bbox_pred(maps[near].flatten(1)).unflatten(1, (-1, 4))
        own = offsets[torch.arange(len(near), device=near.device), regions.labels[near] - 1]
        errors: Tensor = own - regions.offsets[near]
        return errors.square().sum()


def hinge(scores: Tensor, regions: Regions) -> Tensor:
    """Return the sum of the hinge losses max(0, 1 - y*score) of all regions and classes.

    For a class, y is 1 for its objects' own boxes, and -1 for those of other classes and for regions with an IoU below
    0.3; all others have no loss.

    Args:
        scores: Of the SVMs, (R, K).
        regions: The regions.
    """
    is_object = (regions.labels > 0) & (regions.iou >= OBJECT_IOU)
    is_negative = regions.iou < NEGATIVE_IOU
    classes = torch.arange(1, scores.shape[1] + 1, device=scores.device)
    y = torch.where(is_object[:, None] & (regions.labels[:, None] == classes), 1.0, -1.0)
    return ((1 - y * scores).clamp(min=0) * (is_object | is_negative)[:, None]).sum()


# fmt: off
FAMILY = dict(
    family="rcnn",
    year=2013,
    paper="arXiv:1311.2524",
    topic="two-stage",
    task="shape-regions",
    contribution=(
        "A network that was trained to classify images classifies each of 2,000 proposed regions of an image, and "
        "corrects its box."
    ),
    builds_on=("alexnet",),
    network="RCNN",
    names={"rcnn": dict(channels=(96, 256, 384, 384, 256))},
    inputs=dict(
        image="float32[3, image_size, image_size]", proposals="float32[proposals, 4]", proposals_mask="bool[proposals]"
    ),
    outputs=dict(
        image="float32[3, image_size, image_size]", boxes="float32[proposals, 4]", mask="bool[proposals]",
        scores="float32[proposals, num_classes]", offsets="float32[proposals, num_classes, 4]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("alexnet.conv", "alexnet.fc6.", "alexnet.fc7.")),
    params={},
    mini=dict(
        channels=(16, 32, 48, 48, 32), hidden_size=64, num_classes=4, image_size=64, crop_size=67, context=5,
        dropout=0.0, init_std=0.07, regions_per_image=12, max_proposals=20,
    ),
    recipe=dict(epochs=4, schedule="one-cycle", lr=0.003, batch_size=16),
    reference=None,
)
# fmt: on
