"""SSD: Liu, Anguelov, Erhan, Szegedy, Reed, Fu, Berg, SSD: single shot multibox detector (arXiv:1512.02325, 2015).

One network outputs classes and boxes for a fixed set of default boxes, as Faster R-CNN's first stage does for objects
of any class, and there is no second stage. Default boxes of small scales tile an early map, those of large scales tile
later and coarser maps, so that each map detects objects of the size of its receptive field.

SSD300, for images of 3x300x300 and 20 classes and the background:

    map                                            default boxes per place, ratios          scale
    conv4_3   VGG16's, normalized      38x38x512   4: 1, 1 of a larger scale, 2, 1/2        0.07
    fc7       conv5, 3x3 pooling       19x19x1024  6: 1, 1, 2, 1/2, 3, 1/3                  0.15
              with stride 1, then 3x3,
              1024, dilation 6; 1x1, 1024
    conv8_2   1x1, 256; 3x3, 512, /2   10x10x512   6                                        0.33
    conv9_2   1x1, 128; 3x3, 256, /2   5x5x256     6                                        0.51
    conv10_2  1x1, 128; 3x3, 256       3x3x256     4: 1, 1, 2, 1/2                          0.69
    conv11_2  1x1, 128; 3x3, 256       1x1x256     4                                        0.87
    heads     3x3 convolutions of each map, to 21 classes and to 4 offsets per default box
    outputs   5776 + 2166 + 600 + 150 + 36 + 4 = 8732 boxes, each of 21 logits and 4 offsets
    parameters  26,285,486; 31,373,537,792 MACs

A default box of scale s and ratio a is s sqrt(a) wide and s / sqrt(a) high, relative to the image; the larger square
has the geometric mean of the scales of this and the next map. conv4_3 is divided by its length at each place (Liu,
Rabinovich, Berg, ParseNet, 2015) and multiplied by a scale per channel that is learned and begins with 20.

State-dict keys are torchvision's ssd300_vgg16, and so are the scales, which the authors used for COCO. Images are those
that torchvision's network reads after its transform: 300x300, with a mean subtracted.

    matching   a default box predicts the object with which it has the largest IoU, if that is 0.5 or more; and each
               object's best default box predicts it in any case
    boxes      smooth L1 of the offsets of matched boxes, which are those of R-CNN times 10, 10, 5, 5
    classes    cross-entropy of matched boxes, and of the background boxes with the highest loss, three for each matched
               one: without this hard negative mining, 8,700 easy ones would outweigh a handful of objects
    both       summed over the batch and divided by its matched boxes

`--from RUN --part backbone` begins with the convolutions of a `vgg16` up to conv4_3.

The mini reads 3x64x64, with maps of 8x8, 4x4, 2x2 and 1x1, and has batch norm in VGG, which learns from random weights.
"""

from collections.abc import Mapping, Sequence
from math import sqrt

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.anchors import BACKGROUND, decode_boxes, encode_boxes, tile_anchors
from models.layers.boxes import Detections, paired_iou, select
from models.vision.vgg import VGG

POSITIVE_IOU = 0.5
NEGATIVES = 3  # background boxes in the loss for each matched one
WEIGHTS = (10.0, 10.0, 5.0, 5.0)  # of offsets: the inverse of the paper's variances 0.1 and 0.2
CANDIDATES = 400  # boxes of each class that NMS sees


class Backbone(nn.Module):
    """The convolutions of a VGG network, and extra layers after them.

    Args:
        depths: Convolutions in each stage of VGG.
        batch_norm: Whether each of these is followed by batch norm.
        channels: Channels of VGG's first stage.
        fc_channels: Channels of the two convolutions that replace VGG's dense layers.
        extras: Of each further block: channels of its 1x1 and of its 3x3 convolution, and the stride of the latter,
            which has padding 1 if that is 2, else none.

    Attributes:
        out_channels: Channels of each map.
    """

    def __init__(
        self,
        depths: Sequence[int],
        batch_norm: bool,
        channels: int,
        fc_channels: int,
        extras: Sequence[tuple[int, int, int]],
    ):
        super().__init__()
        # VGG's dense layers are not used: as small as can be.
        vgg = VGG(depths, batch_norm, channels, hidden_size=1, num_classes=1, image_size=32).features
        pools = [layer for layer in vgg if isinstance(layer, nn.MaxPool2d)]
        pools[2].ceil_mode = True  # 75 -> 38
        fourth, fifth = (list(vgg).index(pool) for pool in pools[3:])
        last = 8 * channels
        self.scale_weight = nn.Parameter(torch.full((last,), 20.0))
        self.features = vgg[:fourth]
        fc = nn.Sequential(
            nn.MaxPool2d(kernel_size=3, stride=1, padding=1),
            nn.Conv2d(last, fc_channels, kernel_size=3, padding=6, dilation=6),
            nn.ReLU(inplace=True),
            nn.Conv2d(fc_channels, fc_channels, kernel_size=1),
            nn.ReLU(inplace=True),
        )
        self.extra = nn.ModuleList([nn.Sequential(*vgg[fourth:fifth], fc)])
        self.out_channels = [last, fc_channels]
        for middle, out_channels, stride in extras:
            block = nn.Sequential(
                nn.Conv2d(self.out_channels[-1], middle, kernel_size=1),
                nn.ReLU(inplace=True),
                nn.Conv2d(middle, out_channels, kernel_size=3, stride=stride, padding=stride - 1),
                nn.ReLU(inplace=True),
            )
            self.extra.append(block)
            self.out_channels.append(out_channels)
        for module in (fc, *self.extra[1:]):
            initialize_convolutions(module)

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return the maps, from fine to coarse, for images (N, 3, h, w)."""
        x = self.features(x)
        maps = [self.scale_weight.view(1, -1, 1, 1) * F.normalize(x)]
        for block in self.extra:
            x = block(x)
            maps.append(x)
        return maps


class Head(nn.Module):
    """A 3x3 convolution of each map to some values per default box.

    Args:
        in_channels: Channels of each map.
        boxes: Default boxes per place of each map.
        values: Values per default box.
    """

    def __init__(self, in_channels: Sequence[int], boxes: Sequence[int], values: int):
        super().__init__()
        self.values = values
        self.module_list = nn.ModuleList(
            nn.Conv2d(channels, values * count, kernel_size=3, padding=1)
            for channels, count in zip(in_channels, boxes, strict=True)
        )
        initialize_convolutions(self)

    def forward(self, maps: Sequence[Tensor]) -> Tensor:
        """Return the values (N, boxes, values) of the boxes of all maps, by map, row, column and box."""
        outputs = [
            convolution(x).permute(0, 2, 3, 1).flatten(1) for convolution, x in zip(self.module_list, maps, strict=True)
        ]
        values: Tensor = torch.cat(outputs, dim=1).unflatten(1, (-1, self.values))
        return values


class SSD(nn.Module):
    """Maps of VGG and of extra layers, and heads that read all of them.

    Args:
        depths: Convolutions in each stage of VGG.
        batch_norm: Whether each of these is followed by batch norm.
        channels: Channels of VGG's first stage.
        fc_channels: Channels of the two convolutions that replace VGG's dense layers.
        extras: Of each further block: channels of its 1x1 and of its 3x3 convolution, and the stride of the latter,
            which has padding 1 if that is 2, else none.
        ratios: For each map the ratios of width and height, besides 1; their inverses are ratios, too.
        scales: For each map the scale of its default boxes, relative to the image, and one more.
        strides: For each map the distance of two places, in pixels.
        num_classes: Number of classes; the background is not one of them.
        image_size: Height and width of the image.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        batch_norm: bool = False,
        channels: int = 64,
        fc_channels: int = 1024,
        extras: Sequence[tuple[int, int, int]] = ((256, 512, 2), (128, 256, 2), (128, 256, 1), (128, 256, 1)),
        ratios: Sequence[Sequence[float]] = ((2,), (2, 3), (2, 3), (2, 3), (2,), (2,)),
        scales: Sequence[float] = (0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05),
        strides: Sequence[float] = (8, 16, 32, 64, 100, 300),
        num_classes: int = 20,
        image_size: int = 300,
    ):
        super().__init__()
        if not len(ratios) == len(strides) == len(scales) - 1 == len(extras) + 2:
            raise ValueError("ratios and strides must be as many as maps, two more than extras, and scales one more")
        sizes = [-(-(image_size // 4) // 2)]  # the third pooling rounds up
        sizes.append(sizes[0] // 2)
        for *_, stride in extras:
            sizes.append((sizes[-1] + 1) // 2 if stride == 2 else sizes[-1] - 2)
        if min(sizes) < 1:
            raise ValueError(f"image_size must be larger than {image_size}: the last maps would be empty")
        self.input_shape = (3, image_size, image_size)
        self.num_classes = num_classes
        self.backbone = Backbone(depths, batch_norm, channels, fc_channels, extras)
        counts = [2 + 2 * len(own) for own in ratios]
        self.head = nn.ModuleDict(
            {
                "classification_head": Head(self.backbone.out_channels, counts, 1 + num_classes),
                "regression_head": Head(self.backbone.out_channels, counts, 4),
            }
        )
        default_boxes = [
            tile_anchors(image_size * default_shapes(scales[k], scales[k + 1], own), size, size, strides[k], offset=0.5)
            for k, (size, own) in enumerate(zip(sizes, ratios, strict=True))
        ]
        self.default_boxes: Tensor
        self.register_buffer("default_boxes", torch.cat(default_boxes), persistent=False)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """Return `logits` (N, boxes, 1 + num_classes), the background first, and `offsets` (N, boxes, 4).

        Args:
            x: Images (N, 3, image_size, image_size).
        """
        maps = self.backbone(x)
        return {"logits": self.head["classification_head"](maps), "offsets": self.head["regression_head"](maps)}

    def match(self, boxes: Tensor, mask: Tensor) -> Tensor:
        """Return the number of the object that each default box is to predict, (N, boxes); BACKGROUND for none.

        Args:
            boxes: Corners of the objects in pixels, (N, M, 4).
            mask: Whether there is such an object, (N, M).
        """
        iou = paired_iou(boxes[:, :, None], self.default_boxes).masked_fill(~mask[..., None], -1)
        largest, best = F.pad(iou, (0, 0, 0, 1), value=-1).max(dim=1)  # padded for images without objects
        assignment = torch.where(largest >= POSITIVE_IOU, best, BACKGROUND)
        for k, own in enumerate(iou.argmax(dim=2).unbind(dim=1)):
            images = mask[:, k].nonzero()[:, 0]
            assignment[images, own[images]] = k
        return assignment

    def losses(self, outputs: Mapping[str, Tensor], boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the two terms of the loss, which is their sum.

        Args:
            outputs: `logits` (N, boxes, 1 + num_classes) and `offsets` (N, boxes, 4).
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        logits, offsets = outputs["logits"].float(), outputs["offsets"].float()
        assignment = self.match(boxes.float(), mask)
        is_matched = assignment > BACKGROUND
        images, places = is_matched.nonzero(as_tuple=True)
        objects = assignment[images, places]
        targets = encode_boxes(boxes[images, objects].float(), self.default_boxes[places], WEIGHTS)
        classes = torch.zeros_like(assignment)
        classes[images, places] = labels[images, objects] + 1
        cross_entropy = F.cross_entropy(logits.flatten(0, 1), classes.flatten(), reduction="none").view_as(classes)
        with torch.no_grad():
            rank = cross_entropy.masked_fill(is_matched, -torch.inf).argsort(dim=1, descending=True).argsort(dim=1)
            is_hard = rank < NEGATIVES * is_matched.sum(dim=1, keepdim=True)
        count = is_matched.sum().clamp(min=1)
        return {
            "boxes": F.smooth_l1_loss(offsets[images, places], targets, reduction="sum") / count,
            "classes": (cross_entropy * (is_matched | is_hard)).sum() / count,
        }

    def detect(
        self, outputs: Mapping[str, Tensor], score_threshold: float = 0.01, iou_threshold: float = 0.45
    ) -> list[Detections]:
        """Return the detections of each image, at most 200.

        Args:
            outputs: `logits` (N, boxes, 1 + num_classes) and `offsets` (N, boxes, 4).
            score_threshold: Smallest score.
            iou_threshold: Largest IoU of two detections of one class in NMS.
        """
        corners = decode_boxes(outputs["offsets"].float(), self.default_boxes, WEIGHTS).clamp(0, self.input_shape[1])
        scores = outputs["logits"].float().softmax(dim=-1)[..., 1:]
        smallest = scores.topk(min(CANDIDATES, scores.shape[1]), dim=1).values[:, -1:]
        scores = scores.where(scores >= smallest, -torch.inf)
        return [select(*image, score_threshold, iou_threshold, 200) for image in zip(corners, scores, strict=True)]

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's ssd300_vgg16, whose classes include the background."""
        self.load_state_dict(state_dict)


def default_shapes(scale: float, next_scale: float, ratios: Sequence[float]) -> Tensor:
    """Return the default boxes of one place around the origin, (2 + 2 len(ratios), 4), relative to the image.

    Args:
        scale: Their scale.
        next_scale: The scale of the next map.
        ratios: Ratios of width and height, besides 1; their inverses are ratios, too.
    """
    sizes = [(scale, scale), (sqrt(scale * next_scale),) * 2]
    for ratio in ratios:
        longer, shorter = scale * sqrt(ratio), scale / sqrt(ratio)
        sizes += [(longer, shorter), (shorter, longer)]
    half = torch.tensor(sizes).clamp(max=1) / 2
    return torch.cat([-half, half], dim=1)


def initialize_convolutions(network: nn.Module) -> None:
    """Draw the weights of convolutions by the initialization of Glorot and Bengio (2010); biases are 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.get_parameter("bias"))


def reference_names() -> list[str]:
    """Return the state-dict keys of torchvision's ssd300_vgg16, in order."""
    with torch.device("meta"):
        return list(SSD().state_dict())


FAMILY = dict(
    family="ssd",
    year=2015,
    paper="arXiv:1512.02325",
    topic="one-stage",
    task="shape-scenes",
    contribution=(
        "Classes and boxes of all objects from one network, by default boxes of several ratios on maps of several "
        "resolutions, each for objects of its size."
    ),
    builds_on=("faster-rcnn", "vgg", "yolo-v1"),
    network="SSD",
    names={"ssd300": dict()},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[8732, 1+num_classes]", offsets="float32[8732, 4]"),
    mini_outputs=dict(logits="float32[372, 1+num_classes]", offsets="float32[372, 4]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=dict(prefixes=("backbone.features.",), partial=True)),
    params={"ssd300": 26_285_486},
    mini=dict(
        depths=(1, 1, 1, 1, 1),
        batch_norm=True,
        channels=8,
        fc_channels=64,
        extras=((32, 64, 2), (32, 64, 2)),
        ratios=((2,), (2, 3), (2,), (2,)),
        scales=(0.3, 0.42, 0.6, 0.8, 1.0),
        strides=(8, 16, 32, 64),
        num_classes=4,
        image_size=64,
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.006),
    reference="torchvision",
)
