"""YOLO v2: Redmon, Farhadi, YOLO9000: better, faster, stronger (arXiv:1612.08242, 2016).

YOLO v1 guesses the sizes of boxes from nothing, finds at most one class per cell and misses small objects. Version 2
predicts offsets from anchors whose shapes are those of the training set's boxes, clustered by k-means with the distance
1 - IoU; every anchor has its own confidence and classes; and the network is fully convolutional. A passthrough layer
brings the finer map of an earlier layer to the grid. All convolutions have batch norm.

The backbone is trained as a classifier first: `--from RUN --part backbone` begins with that of a `darknet19`. For
images of 3x416x416 and 20 classes; convolutions are 3x3 unless the table says 1x1:

    backbone    Darknet-19 up to the last pooling        26x26x512, `fine`
                the rest but its last convolution        13x13x1024, `coarse`
    conv19, 20  1024, 1024 of `coarse`                   13x13x1024
    conv21      1x1, 64 of `fine`                        26x26x64
    passthrough 2x2 neighbors to channels                13x13x256
    conv22      1024 of both, concatenated               13x13x1024
    conv23      1x1, 125 = 5 anchors x (5 + 20)          13x13x125
    parameters  50,655,389; 14,680,167,424 MACs

Per anchor the outputs are t_x, t_y, t_w, t_h, which `AnchorGrid` decodes, t_o, whose sigmoid is to be the box's IoU
with the object, and a score per class, of which softmax makes probabilities.

Layers and anchors are those of the authors' yolov2-voc.cfg, which has the 1x1 convolution before the passthrough that
the paper does not mention. The paper does not say what the loss is; this one has the terms of YOLO v1's, with the
weights of the authors' code:

    coordinates, sizes   squared errors of sigmoid(t_x), sigmoid(t_y), and of t_w, t_h, of the responsible anchors
    objectness           5 times the squared error of sigmoid(t_o) from the IoU, of the responsible anchors
    no_object            squared sigmoid(t_o) of the others, but for boxes that overlap an object by more than 0.6
    classes              cross-entropy of the responsible anchors

Responsible is, in the cell that contains the object's center, the anchor whose shape has the largest IoU with the
object. The loss of a batch is the mean over its images.

Deviations: the passthrough has PyTorch's order of the four neighbors, which only renames channels of a layer that is
learned; images have one size in training, where the paper changes it every ten batches. The mini has 7 convolutions
fewer, reads 3x64x64 and outputs a 4x4 grid; its anchors are k-means of the boxes of `shape-scenes`.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.anchor_grid import AnchorGrid
from models.layers.boxes import Detections, paired_iou, select
from models.vision.darknet import Backbone19, Convolution, Layer, check_size, initialize

OBJECT_SCALE = 5.0
IGNORED_IOU = 0.6


class YoloV2(nn.Module):
    """Darknet-19 without its last convolution, convolutions of a coarse and a fine map, and the grid.

    Args:
        layers: Layers of the backbone: (kernel size, channels) is a convolution, () a 2x2 max pooling.
        anchors: Width and height of each anchor, in pixels of an image of `image_size`.
        head_channels: Channels of the head's 3x3 convolutions.
        fine_channels: Channels of the fine map before the passthrough layer.
        num_classes: Number of classes.
        image_size: Height and width of the image; a multiple of the backbone's stride, which is 32 in the paper.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        anchors: Sequence[Sequence[float]],
        head_channels: int = 1024,
        fine_channels: int = 64,
        num_classes: int = 20,
        image_size: int = 416,
    ):
        super().__init__()
        self.backbone = Backbone19(layers)
        check_size(image_size, self.backbone.stride)
        self.input_shape = (3, image_size, image_size)
        self.num_classes, self.num_anchors = num_classes, len(anchors)
        self.grid = AnchorGrid([anchors], [self.backbone.stride], image_size)
        fine, coarse = self.backbone.channels
        self.conv19 = Convolution(coarse, head_channels, 3)
        self.conv20 = Convolution(head_channels, head_channels, 3)
        self.conv21 = Convolution(fine, fine_channels, 1)
        self.passthrough = nn.PixelUnshuffle(2)
        self.conv22 = Convolution(4 * fine_channels + head_channels, head_channels, 3)
        self.conv23 = nn.Conv2d(head_channels, self.num_anchors * (5 + num_classes), kernel_size=1)
        initialize(self)
        nn.init.normal_(self.conv23.weight, std=0.01)  # so that each box begins as its anchor, in the middle of a cell

    def forward(self, x: Tensor) -> Tensor:
        """Return the grid (N, S, S, anchors (5 + num_classes)) for images (N, 3, image_size, image_size)."""
        fine, coarse = self.backbone(x)
        coarse = self.conv20(self.conv19(coarse))
        fine = self.passthrough(self.conv21(fine))
        grid: Tensor = self.conv23(self.conv22(torch.cat([fine, coarse], dim=1)))
        return grid.permute(0, 2, 3, 1)

    def split(self, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return t (N, B, 4), t_o (N, B) and class scores (N, B, num_classes) of the B boxes of the grid."""
        outputs = grid.float().flatten(1).unflatten(1, (-1, 5 + self.num_classes))
        return outputs[..., :4], outputs[..., 4], outputs[..., 5:]

    def losses(self, grid: Tensor, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the five terms of the loss, already weighted, as means over the batch; the loss is their sum.

        Args:
            grid: Outputs (N, S, S, anchors (5 + num_classes)).
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        t, t_o, classes = self.split(grid)
        targets = self.grid.find_targets(boxes, labels, mask)
        place = targets.images, targets.places
        with torch.no_grad():
            corners = self.grid.decode(t)
            iou = paired_iou(corners[:, :, None], boxes[:, None].float()) * mask[:, None]
            is_empty = F.pad(iou, (0, 1)).amax(dim=2) <= IGNORED_IOU  # padded for images without objects
            is_empty[place] = False
            own_iou = paired_iou(corners[place], targets.boxes)
        confidence = t_o.sigmoid()
        terms = {
            "coordinates": (t[place][:, :2].sigmoid() - targets.values[:, :2]).square().sum(),
            "sizes": (t[place][:, 2:] - targets.values[:, 2:]).square().sum(),
            "objectness": OBJECT_SCALE * (confidence[place] - own_iou).square().sum(),
            "no_object": confidence[is_empty].square().sum(),
            "classes": F.cross_entropy(classes[place], targets.labels, reduction="sum"),
        }
        return {name: term / len(grid) for name, term in terms.items()}

    def detect(self, grid: Tensor, score_threshold: float = 0.05, iou_threshold: float = 0.5) -> list[Detections]:
        """Return the detections of each image, at most 100.

        Args:
            grid: Outputs (N, S, S, anchors (5 + num_classes)).
            score_threshold: Smallest score, which is confidence times probability.
            iou_threshold: Largest IoU of two detections of one class in NMS.
        """
        t, t_o, classes = self.split(grid)
        corners = self.grid.decode(t).clamp(0, self.input_shape[1])
        scores = t_o.sigmoid()[..., None] * classes.softmax(dim=-1)
        return [select(*image, score_threshold, iou_threshold) for image in zip(corners, scores, strict=True)]


# fmt: off
FAMILY = dict(
    family="yolo-v2",
    year=2016,
    paper="arXiv:1612.08242",
    topic="one-stage",
    task="shape-scenes",
    contribution=(
        "Anchors whose shapes are clusters of the training set's boxes, batch norm, a backbone trained as a classifier "
        "at high resolution, and a finer map passed through to the grid."
    ),
    builds_on=("yolo-v1", "darknet19", "faster-rcnn"),
    network="YoloV2",
    names={"yolo-v2": dict(
        layers=(
            (3, 32), (), (3, 64), (), (3, 128), (1, 64), (3, 128), (), (3, 256), (1, 128), (3, 256), (),
            (3, 512), (1, 256), (3, 512), (1, 256), (3, 512), (),
            (3, 1024), (1, 512), (3, 1024), (1, 512), (3, 1024),
        ),
        # The authors' anchors are in cells of 32 pixels: 1.3221x1.73145, 3.19275x4.00944, 5.05587x8.09892, ...
        anchors=(
            (42.3072, 55.4064), (102.168, 128.30208), (161.78784, 259.16544), (303.07584, 154.89696),
            (359.5648, 320.2272),
        ),
    )},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(grid="float32[image_size/32, image_size/32, 25+5*num_classes]"),
    mini_outputs=dict(grid="float32[image_size/16, image_size/16, 15+3*num_classes]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",)),
    params={"yolo-v2": 50_655_389},
    mini=dict(
        layers=(
            (3, 4), (), (3, 12), (), (3, 24), (1, 12), (3, 24), (), (3, 48), (1, 24), (3, 48), (),
            (3, 96), (1, 48), (3, 96),
        ),
        anchors=((21.5, 21.5), (28.6, 28.6), (38.8, 38.8)),
        head_channels=96,
        fine_channels=16,
        num_classes=4,
        image_size=64,
    ),
    recipe=dict(epochs=2, schedule="one-cycle", lr=0.006),
    reference=None,
)
# fmt: on
