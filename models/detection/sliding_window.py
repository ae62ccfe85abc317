"""A sliding window: Sermanet, Eigen, Zhang, Mathieu, Fergus, LeCun, OverFeat (arXiv:1312.6229, 2013).

The simplest detector classifies every window of an image: all positions, and several sizes, by resizing the image. Most
windows show background, so that is a class, too. A window whose class is not background is a detection.

Windows overlap, so their convolutions would be computed again and again. A convolution over the whole image computes
all of them once; and a dense layer is a convolution whose kernel covers the window's last map, so that it slides along.
One pass gives a map of logits, one place for each window, at a distance that is the product of all strides.

OverFeat's fast network, table 1 of the paper; a window has 3x231x231, two of them are 32 pixels apart:

    layer         output of a window                             parameters
    conv1         11x11, stride 4, then 2x2 max pooling          34,944        96x28x28
    conv2         5x5, then 2x2 max pooling                      614,656       256x12x12
    conv3         3x3, padding 1                                 1,180,160     512x12x12
    conv4         3x3, padding 1                                 4,719,616     1024x12x12
    conv5         3x3, padding 1, then 2x2 max pooling           9,438,208     1024x6x6
    dense6        6x6 convolution, dropout                       113,249,280   3072
    dense7        1x1 convolution, dropout                       12,587,008    4096
    dense8        1x1 convolution, 1000 classes and background   4,101,097     1001
    total                                                        145,924,969

Without the background there are 145,920,872 parameters, the paper's 145 million. Its detector also regresses boxes and
merges them; here a detection's box is its window, and non-maximum suppression selects. A window is positive from an IoU
of 0.6 with an object and background below 0.4; 64 windows per image are sampled, a quarter of them positive. The mini
has no padding, so that its logits are exactly those of the windows one by one; its windows have 3x24x24.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.anchors import assign, sample, tile_anchors
from models.layers.boxes import Detections, select
from models.layers.region_proposals import fixed_unless

Layer = Sequence[int]  # kernel size, channels, stride and padding of a convolution; () is a max pooling
POSITIVE_IOU, NEGATIVE_IOU = 0.6, 0.4


class SlidingWindow(nn.Module):
    """Convolutions, and dense layers that slide along, at several sizes of the image.

    Args:
        layers: (kernel size, channels, stride, padding) is a convolution with a ReLU, () a 2x2 max pooling.
        hidden_sizes: Channels of the dense layers before the last one.
        window_size: Height and width of a window.
        scales: Factors by which the image is resized, each a size of windows.
        batch_norm: Whether every convolution is followed by batch norm.
        dropout: Probability that a neuron of the dense layers is dropped in a training step.
        num_classes: Number of classes, without the background.
        image_size: Height and width of the image.
        windows_per_image: Windows of an image in the loss.
    """

    def __init__(
        self,
        layers: Sequence[Layer],
        hidden_sizes: Sequence[int] = (3072, 4096),
        window_size: int = 231,
        scales: Sequence[float] = (1.0, 1.4, 2.0),
        batch_norm: bool = False,
        dropout: float = 0.5,
        num_classes: int = 1000,
        image_size: int = 245,
        windows_per_image: int = 64,
    ):
        super().__init__()
        if not scales or min(scales) * image_size < window_size:
            raise ValueError(f"scales must resize the image to {window_size} pixels or more, the size of a window")
        if num_classes < 1:
            raise ValueError("num_classes must be 1 or more")
        self.input_shape = (3, image_size, image_size)
        self.num_classes, self.windows_per_image = num_classes, windows_per_image
        self.window_size, self.scales, self.stride = window_size, scales, 1
        self.features, self.classifier = nn.Sequential(), nn.Sequential()
        channels, map_size = 3, window_size
        for layer in layers:
            if not layer:
                self.features.append(nn.MaxPool2d(2))
                map_size, self.stride = map_size // 2, self.stride * 2
                continue
            kernel_size, out_channels, stride, padding = layer
            self.features.append(nn.Conv2d(channels, out_channels, kernel_size, stride, padding, bias=not batch_norm))
            if batch_norm:
                self.features.append(nn.BatchNorm2d(out_channels))
            self.features.append(nn.ReLU(inplace=True))
            channels, map_size = out_channels, (map_size + 2 * padding - kernel_size) // stride + 1
            self.stride *= stride
        if map_size < 1:
            raise ValueError(f"window_size must be larger: of {window_size} pixels, nothing is left after all layers")
        for size in hidden_sizes:
            self.classifier.extend([nn.Conv2d(channels, size, map_size), nn.ReLU(inplace=True), nn.Dropout(dropout)])
            channels, map_size = size, 1
        self.classifier.append(nn.Conv2d(channels, num_classes + 1, map_size))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, for a ReLU that follows
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N, windows, num_classes + 1) of all windows, the background first.

        Args:
            images: (N, 3, image_size, image_size).
        """
        maps = [self.classifier(self.features(self.resize(images, scale))) for scale in self.scales]
        return torch.cat([one.flatten(2).transpose(1, 2) for one in maps], dim=1)

    def resize(self, images: Tensor, scale: float) -> Tensor:
        """Return images, `scale` times as large."""
        size = int(self.input_shape[1] * scale)
        if size == images.shape[2]:
            return images
        return F.interpolate(images, size=(size, size), mode="bilinear", antialias=True)

    def windows(self, device: torch.device) -> Tensor:
        """Return the corners (windows, 4) of all windows, in pixels of the image."""
        corners = torch.tensor([[0.0, 0, self.window_size, self.window_size]], device=device)
        windows = []
        for scale in self.scales:
            size = int(self.input_shape[1] * scale)
            places = (size - self.window_size) // self.stride + 1
            windows.append(tile_anchors(corners, places, places, self.stride) * (self.input_shape[1] / size))
        return torch.cat(windows)

    def losses(self, logits: Tensor, boxes: Tensor, labels: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Return the cross-entropy of the sampled windows, a mean.

        Args:
            logits: The outputs.
            boxes: Corners of the objects in pixels, (N, M, 4).
            labels: Their classes, (N, M).
            mask: Whether there is such an object, (N, M).
        """
        from torchvision.ops import box_iou  # here, because torchvision takes long to import

        windows, sampled, targets = self.windows(logits.device), [], []
        with fixed_unless(self.training):
            for number, present in enumerate(mask):
                iou = box_iou(boxes[number][present].to(windows), windows)
                assignment = assign(iou, POSITIVE_IOU, NEGATIVE_IOU, keep_best=True)
                positives, negatives = sample(assignment, self.windows_per_image, positive_share=0.25)
                sampled.append(logits[number, torch.cat([positives, negatives])])
                classes = labels[number][present][assignment[positives]] + 1
                targets.append(torch.cat([classes, torch.zeros_like(negatives)]))
        return {"classes": F.cross_entropy(torch.cat(sampled).float(), torch.cat(targets))}

    def detect(self, logits: Tensor, score_threshold: float = 0.05, iou_threshold: float = 0.3) -> list[Detections]:
        """Return the detections of each image, at most 100.

        Args:
            logits: The outputs.
            score_threshold: Smallest probability of a class.
            iou_threshold: Largest IoU of two detections of one class in NMS.
        """
        windows, probabilities = self.windows(logits.device), logits.float().softmax(dim=-1)[..., 1:]
        return [select(windows, image, score_threshold, iou_threshold) for image in probabilities]


# fmt: off
FAMILY = dict(
    family="sliding-window",
    year=2013,
    paper="arXiv:1312.6229",
    topic="boxes",
    task="shape-scenes",
    contribution=(
        "A classifier looks at every window of an image, in several sizes; as convolutions, its layers compute all "
        "windows of a size in one pass."
    ),
    builds_on=("alexnet",),
    network="SlidingWindow",
    names={"sliding-window": dict(
        layers=((11, 96, 4, 0), (), (5, 256, 1, 0), (), (3, 512, 1, 1), (3, 1024, 1, 1), (3, 1024, 1, 1), ()),
    )},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[windows, num_classes+1]"),
    detector=True,
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
    params={"sliding-window": 145_924_969},
    mini=dict(
        layers=((5, 12, 1, 0), (), (5, 32, 1, 0), ()), hidden_sizes=(64,), window_size=24,
        scales=(0.63, 0.83, 1.07, 1.37), batch_norm=True, dropout=0.0, num_classes=4, image_size=64,
        windows_per_image=256,
    ),
    recipe=dict(epochs=1, schedule="one-cycle", lr=0.005, batch_size=16),
    reference=None,
)
# fmt: on
