"""Fast R-CNN: Girshick, Fast R-CNN (arXiv:1504.08083, 2015).

R-CNN runs its network once for each of about 2,000 proposals of an image. Fast R-CNN runs the convolutions once for the
whole image. RoI pooling then cuts each proposal out of the last map: it divides the region into 7x7 cells and takes the
maximum of each, so that regions of all sizes fit the dense layers. Classes and boxes are learned together, by one loss
that trains all layers, where R-CNN had three trainings in sequence. The proposals still come from selective search.

VGG16 without its last pooling and its last layer, for images of 3x600x600:

    layer         output                                         parameters
    features      13 convolutions of VGG16, stride 16            14,714,688    512x37x37
    RoI pooling   7x7 cells                                                    R x 512x7x7
    classifier    fc6 and fc7, dropout                           119,545,856   R x 4096
    cls_score     dense, 21 classes with the background          86,037        R x 21
    bbox_pred     dense, 4 offsets for each class                344,148       R x 84
    total                                                        134,690,729

`losses` and `detect` are those of `models.layers.region_detector`. As in the paper, 64 regions per image are sampled, a
quarter of them with an IoU of at least 0.5 with an object, the others from 0.1 to 0.5; offsets are scaled to a variance
of about 1; the smooth L1 loss is quadratic below 1.

The paper resizes the shorter side of an image to 600; here images are square. It fine-tunes a network that was trained
on ImageNet: `--from RUN --part backbone` begins with the convolutions of a VGG16. The mini starts from random weights,
has batch norm, fewer convolutions and 3x128x128.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.layers.region_detector import RegionDetector, RegionOutputs
from models.vision.vgg import VGG

POOLED = 7  # rows and columns of a pooled region
STRIDE = 16  # of the last map


class VGGRegionDetector(RegionDetector):
    """Convolutions of VGG for the image, RoI pooling, and VGG's dense layers for each region.

    Args:
        depths: Convolutions in each of VGG's five stages.
        channels: Channels of the first stage.
        batch_norm: Whether each convolution is followed by batch norm.
        hidden_size: Neurons of fc6 and of fc7.
        dropout: Probability that one of them is dropped in a training step.
        num_classes: Number of classes, without the background.
        image_size: Height and width of the image: a multiple of 8.
        regions_per_image: Regions of an image in the loss.
        background_iou: A region is background if its largest IoU is at least the first of these and below the second.
        init_std: Standard deviation of the initial weights of fc6 and fc7.
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
        regions_per_image: int = 64,
        background_iou: Sequence[float] = (0.1, 0.5),
        init_std: float = 0.01,
    ):
        super().__init__()
        if image_size < 2 * STRIDE:
            raise ValueError(f"image_size must be {2 * STRIDE} or more, not {image_size}")
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.num_classes, self.regions_per_image = num_classes, regions_per_image
        low, high = background_iou
        self.background_iou = (low, high)
        # For an image of this size, VGG's own last map has 7x7 pixels, as a pooled region has.
        vgg = VGG(depths, batch_norm, channels, hidden_size, 1, 32 * POOLED, dropout, init_std)
        self.features, self.classifier = vgg.features[:-1], vgg.classifier[:-1]
        self.cls_score = nn.Linear(hidden_size, num_classes + 1)
        self.bbox_pred = nn.Linear(hidden_size, 4 * (num_classes + 1))
        for layer, std in ((self.cls_score, 0.01), (self.bbox_pred, 0.001)):
            nn.init.normal_(layer.weight, std=std)
            nn.init.zeros_(layer.bias)

    def classify(self, features: tuple[Tensor, ...], rois: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits (R, K + 1) and offsets (R, K + 1, 4) of regions (R, 5): image number and corners."""
        from torchvision.ops import roi_pool  # here, because torchvision takes long to import

        pooled = roi_pool(features[0], rois, POOLED, spatial_scale=1 / STRIDE)
        hidden = self.classifier(pooled.flatten(1))
        return self.cls_score(hidden), self.bbox_pred(hidden).unflatten(1, (-1, 4))


class FastRCNN(VGGRegionDetector):
    """Fast R-CNN, which reads proposals with its images; arguments as for `VGGRegionDetector`."""

    def example_inputs(self, batch_size: int) -> tuple[Tensor, ...]:
        """Return an image with one proposal, which is the whole image."""
        device = self.cls_score.weight.device
        boxes = torch.tensor([0.0, 0, *self.input_shape[2:0:-1]], device=device).expand(batch_size, 1, 4)
        images = torch.zeros(batch_size, *self.input_shape, device=device)
        return images, boxes, torch.ones(batch_size, 1, dtype=torch.bool, device=device)

    def forward(self, images: Tensor, proposals: Tensor, mask: Tensor) -> RegionOutputs:
        """Return the outputs for images (N, 3, image_size, image_size) with proposals (N, P, 4) in pixels.

        Args:
            images: The images.
            proposals: Corners.
            mask: Whether there is such a proposal, (N, P).
        """
        return self.classify_proposals(RegionOutputs((self.features(images),), proposals, mask))


# fmt: off
FAMILY = dict(
    family="fast-rcnn",
    year=2015,
    paper="arXiv:1504.08083",
    topic="two-stage",
    task="shape-regions",
    contribution=(
        "The convolutions run once for the whole image; RoI pooling cuts each proposal out of their map. Classes and "
        "boxes are learned together."
    ),
    builds_on=("rcnn", "vgg"),
    network="FastRCNN",
    names={"fast-rcnn": dict(depths=(2, 2, 3, 3, 3))},
    inputs=dict(
        image="float32[3, image_size, image_size]", proposals="float32[proposals, 4]", proposals_mask="bool[proposals]"
    ),
    outputs=dict(
        features="float32[8*channels, rows, columns]", boxes="float32[proposals, 4]", mask="bool[proposals]",
        logits="float32[proposals, num_classes+1]", offsets="float32[proposals, num_classes+1, 4]",
    ),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"fast-rcnn": 134_690_729},
    mini=dict(
        depths=(1, 1, 1, 1, 1), channels=8, batch_norm=True, hidden_size=64, dropout=0.0, num_classes=4,
        image_size=128, regions_per_image=16, background_iou=(0.0, 0.5), init_std=0.03,
    ),
    recipe=dict(epochs=4, schedule="one-cycle", lr=0.003, batch_size=16),
    reference=None,
)
# fmt: on
