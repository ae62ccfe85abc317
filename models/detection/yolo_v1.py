"""YOLO v1: Redmon, Divvala, Girshick, Farhadi, You only look once: unified, real-time object detection (2015).

Detectors before it classified thousands of regions of an image, one by one. YOLO makes detection one regression: a
single network looks at the whole image once and outputs all boxes with their classes. The image is divided into an SxS
grid, and the cell that contains an object's center is responsible for it. Every cell outputs

    x, y, sqrt(w), sqrt(h), confidence      for each of B = 2 boxes
    p(class | object)                       for each of 20 classes, once per cell

where x and y are the center relative to the cell (0 to 1), and w and h the box's size relative to the image. The
confidence is to be the box's IoU with the object, or 0 where there is none, so that confidence times p(class | object)
scores a box for a class.

Figure 3 of the paper, for images of 3x448x448; all convolutions but the strided ones keep the size, and all layers but
the last have a leaky ReLU (x if x > 0, else 0.1 x):

    backbone    conv1             7x7, 64, stride 2                          224x224
                pool1             2x2, stride 2                              112x112
                conv2             3x3, 192                                   112x112
                pool2                                                        56x56
                conv3 to 6        1x1, 128; 3x3, 256; 1x1, 256; 3x3, 512     56x56
                pool3                                                        28x28
                conv7 to 14       (1x1, 256; 3x3, 512) x4                    28x28
                conv15, 16        1x1, 512; 3x3, 1024                        28x28
                pool4                                                        14x14
                conv17 to 20      (1x1, 512; 3x3, 1024) x2                   14x14
    head        conv21            3x3, 1024                                  14x14
                conv22            3x3, 1024, stride 2                        7x7
                conv23, 24        (3x3, 1024) x2                             7x7
    fc1         dense             4096, then dropout 0.5
    fc2         dense             1470 = 7x7x30
    parameters  271,703,550; 20,285,153,280 MACs

The paper trained the backbone for a week on ImageNet's classes, on images of 224x224, before it added the head.

`losses` is the paper's loss, equation 3, and `detect` goes from the grid to boxes. Where the paper leaves a choice:

    two objects whose centers are in one cell     the first one is the target
    the loss of a batch                           the mean over its images of the sum over all cells
    scores                                        confidence and probability, both linear outputs, clipped to 0 to 1
    non-maximum suppression                       within each class
    initial weights                               He et al. (2015); biases of the outputs as `initialize_outputs` says

Deviations in the mini, which starts from random weights instead of a classifier's: batch norm after each convolution,
which came with YOLO v2, and no dropout. It has 6 convolutions, reads 3x64x64 and outputs a 4x4 grid.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from models.layers.boxes import Detections, convert_to_centers, convert_to_corners, paired_iou, select

Layer = Sequence[int]  # kernel size, channels and, if it is not 1, stride of a convolution; () is a max pooling
SLOPE = 0.1  # of the leaky ReLU
LAMBDA_COORD, LAMBDA_NOOBJ = 5.0, 0.5


class Targets(NamedTuple):
    """The values that a grid should have for the objects of its images.

    Attributes:
        is_object: Whether an object's center is in the cell, (N, S, S).
        boxes: Its x, y, sqrt(w), sqrt(h), (N, S, S, 4).
        labels: Its class, (N, S, S).
    """

    is_object: Tensor
    boxes: Tensor
    labels: Tensor


class Convolution(nn.Sequential):
    """A convolution with "same" padding, a norm if there is one, and a leaky ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; odd.
        stride: 2 halves the height and the width.
        batch_norm: Whether the outputs are normalized; the convolution then has no bias, which the norm would subtract.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int, batch_norm: bool):
        super().__init__()
        padding = kernel_size // 2
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding, bias=not batch_norm)
        if batch_norm:
            self.norm = nn.BatchNorm2d(out_channels)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)


class YoloV1(nn.Module):
    """Convolutions, then two dense layers that see the whole image and output the grid.

    Args:
        backbone: Layers that could be pretrained as a classifier's: (kernel size, channels) or (kernel size, channels,
            stride) is a convolution, () a 2x2 max pooling.
        head: Layers after them, in the same form.
        hidden_size: Neurons of the first dense layer.
        dropout: Probability that one of them is dropped in a training step.
        batch_norm: Whether every convolution is followed by batch norm; in the paper, none is.
        boxes_per_cell: Boxes that each cell outputs.
        num_classes: Number of classes.
        image_size: Height and width of the image; a multiple of the product of all strides, 64 in the paper.
    """

    def __init__(
        self,
        backbone: Sequence[Layer],
        head: Sequence[Layer],
        hidden_size: int = 4096,
        dropout: float = 0.5,
        batch_norm: bool = False,
        boxes_per_cell: int = 2,
        num_classes: int = 20,
        image_size: int = 448,
    ):
        super().__init__()
        if boxes_per_cell < 1 or num_classes < 1:
            raise ValueError("boxes_per_cell and num_classes must be 1 or more")
        self.backbone, self.head = nn.Sequential(), nn.Sequential()
        channels, stride, convolutions, pools = 3, 1, 0, 0
        for stage, layers in ((self.backbone, backbone), (self.head, head)):
            for layer in layers:
                if not layer:
                    pools += 1
                    stage.add_module(f"pool{pools}", nn.MaxPool2d(2))
                    stride *= 2
                else:
                    convolutions += 1
                    kernel_size, out_channels, own_stride = (*layer, 1)[:3]
                    block = Convolution(channels, out_channels, kernel_size, own_stride, batch_norm)
                    stage.add_module(f"conv{convolutions}", block)
                    channels, stride = out_channels, stride * own_stride
        if image_size < stride or image_size % stride:
            raise ValueError(f"image_size must be a multiple of {stride}, the size of a cell, not {image_size}")
        self.input_shape = (3, image_size, image_size)
        self.grid_size = image_size // stride
        self.boxes_per_cell, self.num_classes = boxes_per_cell, num_classes
        self.fc1 = nn.Linear(channels * self.grid_size**2, hidden_size)
        self.activation = nn.LeakyReLU(SLOPE, inplace=True)
        self.dropout = nn.Dropout(dropout)
        self.fc2 = nn.Linear(hidden_size, self.grid_size**2 * (5 * boxes_per_cell + num_classes))
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):  # He et al. 2015, for a leaky ReLU that follows
                nn.init.kaiming_normal_(module.weight, a=SLOPE)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        self.initialize_outputs()

    def initialize_outputs(self) -> None:
        """Let each box begin in the middle of its cell with a fourth of the image, and each class equally likely.

        If all outputs began near 0, no box would overlap any object, and none would be responsible by merit.
        """
        nn.init.normal_(self.fc2.weight, std=0.01)
        bias = torch.zeros(self.grid_size, self.grid_size, 5 * self.boxes_per_cell + self.num_classes)
        boxes, _, classes = self.split(bias)
        boxes.fill_(0.5)
        classes.fill_(1 / self.num_classes)
        with torch.no_grad():
            self.fc2.bias.copy_(bias.flatten())

    def forward(self, x: Tensor) -> Tensor:
        """Return the grid (N, S, S, 5B + num_classes) for images (N, 3, image_size, image_size)."""
        x = self.head(self.backbone(x))
        x = self.dropout(self.activation(self.fc1(x.flatten(1))))
        grid: Tensor = self.fc2(x)
        return grid.view(len(x), self.grid_size, self.grid_size, -1)

    def encode(self, boxes: Tensor, labels: Tensor, mask: Tensor) -> Targets:
        """Return the targets of the cells.

        Args:
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M): images have different numbers of objects.
        """
        size, shape = self.grid_size, (len(boxes), self.grid_size, self.grid_size)
        centers = convert_to_centers(boxes.float() / self.input_shape[1])
        cells = (centers[..., :2] * size).long().clamp(0, size - 1)  # column, row
        coded = torch.cat([centers[..., :2] * size - cells, centers[..., 2:].sqrt()], dim=-1)
        is_object = torch.zeros(shape, dtype=torch.bool, device=boxes.device)
        targets = Targets(is_object, coded.new_zeros(*shape, 4), torch.zeros_like(is_object, dtype=torch.long))
        for k in reversed(range(boxes.shape[1])):  # so that the first object of a cell remains
            images = mask[:, k].nonzero()[:, 0]
            columns, rows = cells[images, k].unbind(dim=-1)
            targets.is_object[images, rows, columns] = True
            targets.boxes[images, rows, columns] = coded[images, k]
            targets.labels[images, rows, columns] = labels[images, k]
        return targets

    def split(self, grid: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return boxes (N, S, S, B, 4), confidences (N, S, S, B) and class probabilities (N, S, S, num_classes)."""
        per_box, classes = grid.split([5 * self.boxes_per_cell, self.num_classes], dim=-1)
        per_box = per_box.unflatten(-1, (self.boxes_per_cell, 5))
        return per_box[..., :4], per_box[..., 4], classes

    def to_corners(self, boxes: Tensor) -> Tensor:
        """Return corners in pixels for boxes (N, S, S, B, 4) that are x, y, sqrt(w), sqrt(h)."""
        steps = torch.arange(self.grid_size, device=boxes.device)
        cells = torch.stack(torch.meshgrid(steps, steps, indexing="xy"), dim=-1)[:, :, None]  # column, row
        centers = (cells + boxes[..., :2]) / self.grid_size
        return self.input_shape[1] * convert_to_corners(torch.cat([centers, boxes[..., 2:].square()], dim=-1))

    def losses(self, grid: Tensor, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the five terms of the loss, already weighted, as means over the batch; the loss is their sum.

        Of a cell's boxes, the one with the largest IoU with the object is responsible for it and learns its place and
        size. All other boxes, and those of cells without an object, learn a confidence of 0. Square roots make an error
        of a few pixels count more in a small box than in a large one.

        Args:
            grid: Outputs (N, S, S, 5B + num_classes).
            boxes: Corners in pixels, (N, M, 4).
            labels: Classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        targets = self.encode(boxes, labels, mask)
        predicted, confidence, classes = self.split(grid.float())
        with torch.no_grad():
            iou = paired_iou(self.to_corners(predicted), self.to_corners(targets.boxes[..., None, :]))
            best = nn.functional.one_hot(iou.argmax(dim=-1), self.boxes_per_cell).bool()
            responsible = targets.is_object[..., None] & best
        error = (predicted - targets.boxes[..., None, :])[responsible].square()
        one_hot = nn.functional.one_hot(targets.labels, self.num_classes)
        terms = {
            "coordinates": LAMBDA_COORD * error[:, :2].sum(),
            "sizes": LAMBDA_COORD * error[:, 2:].sum(),
            "objectness": (confidence - iou)[responsible].square().sum(),
            "no_object": LAMBDA_NOOBJ * confidence[~responsible].square().sum(),
            "classes": (classes - one_hot)[targets.is_object].square().sum(),
        }
        return {name: term / len(grid) for name, term in terms.items()}

    def detect(self, grid: Tensor, score_threshold: float = 0.05, iou_threshold: float = 0.5) -> list[Detections]:
        """Return the detections of each image, at most 100.

        Args:
            grid: Outputs (N, S, S, 5B + num_classes).
            score_threshold: Smallest score. A low one is for average precision, which ranks all detections.
            iou_threshold: Largest IoU of two detections of one class in NMS.
        """
        boxes, confidence, classes = self.split(grid.float())
        corners = self.to_corners(boxes).clamp(0, self.input_shape[1]).flatten(1, 3)
        scores = (confidence.clamp(0, 1)[..., None] * classes.clamp(0, 1)[..., None, :]).flatten(1, 3)
        return [select(*image, score_threshold, iou_threshold) for image in zip(corners, scores, strict=True)]


# fmt: off
FAMILY = dict(
    family="yolo-v1",
    year=2015,
    paper="arXiv:1506.02640",
    topic="one-stage",
    task="shape-scenes",
    contribution=(
        "Detection as one regression: a network sees the image once and outputs, for every cell of a grid, boxes, "
        "their confidences and class probabilities, fast enough for video."
    ),
    builds_on=("googlenet",),
    network="YoloV1",
    names={"yolo-v1": dict(
        backbone=(
            (7, 64, 2), (), (3, 192), (), (1, 128), (3, 256), (1, 256), (3, 512), (),
            (1, 256), (3, 512), (1, 256), (3, 512), (1, 256), (3, 512), (1, 256), (3, 512), (1, 512), (3, 1024), (),
            (1, 512), (3, 1024), (1, 512), (3, 1024),
        ),
        head=((3, 1024), (3, 1024, 2), (3, 1024), (3, 1024)),
    )},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(grid="float32[image_size/64, image_size/64, 5*boxes_per_cell+num_classes]"),
    mini_outputs=dict(grid="float32[image_size/16, image_size/16, 5*boxes_per_cell+num_classes]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("backbone.",), head=("head.", "fc1.", "fc2.")),
    params={"yolo-v1": 271_703_550},
    mini=dict(
        backbone=((3, 16, 2), (), (3, 32), (), (3, 64), (3, 64)),
        head=((3, 128, 2), (3, 128)),
        hidden_size=256,
        dropout=0.0,
        batch_norm=True,
        num_classes=4,
        image_size=64,
    ),
    recipe=dict(epochs=5, schedule="one-cycle", lr=0.006),
    reference=None,
)
# fmt: on
