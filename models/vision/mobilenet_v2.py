"""MobileNet v2: Sandler, Howard, Zhu, Zhmoginov, Chen, Inverted residuals and linear bottlenecks (arXiv:1801.04381).

Depthwise filters are cheap, so they are applied to many channels, whereas the connections between blocks need few. So
a block expands the channels by t, filters them, and projects them to few again, and the shortcut connects the narrow
ends: an inverted residual. The projection has no activation, because ReLU would lose information there: the bottleneck
is linear.

Table 2 of the paper, for images of 3x224x224, with expansion t, c output channels and n blocks, of which the first has
stride s:

    layer       output     t    c       n    s
    stem        112x112         32      1    2     3x3, full
    stages.0    112x112    1    16      1    1
    stages.1    56x56      6    24      2    2
    stages.2    28x28      6    32      3    2
    stages.3    14x14      6    64      4    2
    stages.4    14x14      6    96      3    1
    stages.5    7x7        6    160     3    2
    stages.6    7x7        6    320     1    1
    head        7x7             1280    1    1     1x1
    fc          1000       global average pooling, then dense
    parameters  3,504,872; 300,774,272 MACs (the paper: 3.4 and 300 million)

Strided convolutions have padding 1 on all sides; the authors' code pads only at the right and the bottom.

The mini has a width multiplier of 0.25 and half of the blocks, at most two per stage, and reads 3x48x48.
"""

from collections.abc import Mapping
from functools import partial
from math import ceil

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.initialization import init_like_torchvision
from models.layers.make_divisible import make_divisible

STAGES = (  # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
LAST_STAGES = (1, 2, 4, 6)  # with strides 4, 8, 16 and 32


class InvertedResidual(nn.Module):
    """A 1x1 convolution that expands, a depthwise 3x3, and a linear 1x1 that projects; the input is added if it fits.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        expand_ratio: Channels of the depthwise convolution per input channel; with 1 there is no first 1x1.
        stride: Stride of the depthwise convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, expand_ratio: int, stride: int):
        super().__init__()
        hidden = in_channels * expand_ratio
        self.expand: nn.Module = nn.Identity()
        if expand_ratio != 1:
            self.expand = ConvNormActivation(in_channels, hidden, activation_layer=nn.ReLU6)
        self.depthwise = ConvNormActivation(hidden, hidden, 3, stride, groups=hidden, activation_layer=nn.ReLU6)
        self.project = ConvNormActivation(hidden, out_channels)
        self.residual = stride == 1 and in_channels == out_channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/stride, w/stride)."""
        y: Tensor = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """A full convolution, stages of inverted residuals, a 1x1 convolution, global average pooling, and a dense layer.

    Args:
        width_mult: A factor for all numbers of channels; for the head's 1280 only if it is above 1.
        depth_mult: A factor for the numbers of blocks, rounding up.
        dropout: Probability that an input of the dense layer is dropped in a training step.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 32.
    """

    def __init__(
        self,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        dropout: float = 0.2,
        num_classes: int = 1000,
        image_size: int = 224,
    ):
        super().__init__()
        if not (width_mult > 0 and depth_mult > 0):
            raise ValueError("width_mult and depth_mult must be above 0")
        if image_size < 32:
            raise ValueError("image_size must be 32 or more: five layers halve it")
        self.input_shape = (3, image_size, image_size)
        in_channels = make_divisible(32 * width_mult)
        self.stem = ConvNormActivation(3, in_channels, 3, stride=2, activation_layer=nn.ReLU6)
        stages = []
        for expand_ratio, channels, depth, stride in STAGES:
            out_channels, blocks = make_divisible(channels * width_mult), []
            for k in range(ceil(depth * depth_mult)):
                blocks.append(InvertedResidual(in_channels, out_channels, expand_ratio, stride if k == 0 else 1))
                in_channels = out_channels
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.feature_channels = tuple(make_divisible(STAGES[k][1] * width_mult) for k in LAST_STAGES)
        last_channels = make_divisible(1280 * max(1.0, width_mult))
        self.head = ConvNormActivation(in_channels, last_channels, activation_layer=nn.ReLU6)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(last_channels, num_classes)
        init_like_torchvision(self, partial(nn.init.normal_, std=0.01))

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the last maps at strides 4, 8, 16 and 32 for images (N, 3, h, w).

        `feature_channels` has their channels.
        """
        x, maps = self.stem(x), []
        for k, stage in enumerate(self.stages):
            x = stage(x)
            if k in LAST_STAGES:
                maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        x = self.head(self.stages(self.stem(x)))
        logits: Tensor = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's (or timm's) MobileNet v2 of the same width."""
        load_by_position(self, state_dict)


FAMILY = dict(
    family="mobilenet-v2",
    year=2018,
    paper="arXiv:1801.04381",
    topic="modern-cnn",
    task="shapes",
    contribution=(
        "Blocks that expand the channels, filter them depthwise and project them to few again, with the shortcut "
        "between the narrow ends and no activation there."
    ),
    builds_on=("mobilenet-v1", "resnet"),
    network="MobileNetV2",
    names={"mobilenet-v2": dict(width_mult=1.0)},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"mobilenet-v2": 3_504_872},
    mini=dict(width_mult=0.25, depth_mult=0.5, num_classes=8, image_size=48),
    reference="torchvision",
)
