"""MobileNet v2: Sandler, Howard, Zhu, Zhmoginov, Chen, Inverted residuals and linear bottlenecks (arXiv:1801.04381).

A depthwise filter is cheap, so it works where channels are many; what is handed on between blocks needs few. So a block
widens by t, filters, and narrows again, and the shortcut joins the narrow ends: ResNet's bottleneck turned inside out.
Nothing bends the narrow end, since ReLU there would lose what no other channel holds: the bottleneck is linear.

Table 2 of the paper, for pictures of 3x224x224; t widens, c channels go out, n blocks follow one another, of which the
first has stride s:

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
    fc          1000       average over the map, then dense
    parameters  3,504,872; 300,774,272 multiply-accumulates (the paper: 3.4 and 300 millions)

Strided convolutions are padded by 1 on all sides, where the authors' code pads at the right and the bottom alone.

The mini has width 0.25 and half of the blocks, at most two to a stage, and reads 3x48x48.
"""

from collections.abc import Mapping
from math import ceil

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.divisible import divisible

STAGES = (  # t, c, n, s
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


class InvertedResidual(nn.Module):
    """A 1x1 convolution widens, a depthwise 3x3 filters, a 1x1 narrows and isn't bent; the input is added if it fits.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        expansion: How much wider the middle is than what comes in; at 1 the first 1x1 is left out.
        stride: Of the depthwise convolution: 2 halves the map.
    """

    def __init__(self, channels: int, width: int, expansion: int, stride: int):
        super().__init__()
        middle = channels * expansion
        self.expand: nn.Module = nn.Identity()
        if expansion != 1:
            self.expand = ConvNormActivation(channels, middle, activation=nn.ReLU6)
        self.depthwise = ConvNormActivation(middle, middle, 3, stride, groups=middle, activation=nn.ReLU6)
        self.project = ConvNormActivation(middle, width)
        self.residual = stride == 1 and channels == width

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        y = self.project(self.depthwise(self.expand(x)))
        return x + y if self.residual else y


class MobileNetV2(nn.Module):
    """A full convolution, stages of inverted residuals, a wide 1x1, the mean of its maps, and a dense layer.

    Args:
        width: What all numbers of channels are multiplied by; the head's 1280 only by more than 1.
        depth: What the numbers of blocks are multiplied by, rounding up.
        dropout: Chance of a number to be left out before the dense layer.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 32.
    """

    def __init__(
        self, width: float = 1.0, depth: float = 1.0, dropout: float = 0.2, classes: int = 1000, side: int = 224
    ):
        super().__init__()
        if not (width > 0 and depth > 0):
            raise ValueError("width and depth must be above 0")
        if side < 32:
            raise ValueError("side must be 32 or more: the map is halved five times")
        self.input_shape = (3, side, side)
        channels = divisible(32 * width)
        self.stem = ConvNormActivation(3, channels, 3, stride=2, activation=nn.ReLU6)
        stages = []
        for expansion, wide, layers, stride in STAGES:
            blocks = []
            for k in range(ceil(layers * depth)):
                blocks.append(InvertedResidual(channels, divisible(wide * width), expansion, stride if k == 0 else 1))
                channels = divisible(wide * width)
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        last = divisible(1280 * max(1.0, width))
        self.head = ConvNormActivation(channels, last, activation=nn.ReLU6)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(last, classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        x = self.head(self.stages(self.stem(x)))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's (or timm's) MobileNet v2 of the same width."""
        load_by_position(self, state_dict)


def initialise(layer: nn.Module) -> None:
    """First weights as torchvision draws them, since the paper is silent."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out")
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, std=0.01)
        nn.init.zeros_(layer.bias)


FAMILY = dict(
    family="mobilenet-v2",
    year=2018,
    paper="arXiv:1801.04381",
    topic="modern-cnn",
    task="shapes",
    idea=(
        "Blocks that widen, filter depthwise and narrow again, with the shortcut between the narrow ends and no "
        "activation there."
    ),
    builds_on=("mobilenet-v1", "resnet"),
    network="MobileNetV2",
    names={"mobilenet-v2": dict(width=1.0)},
    input=(3, 224, 224),
    output=(1000,),
    params={"mobilenet-v2": 3_504_872},
    mini=dict(width=0.25, depth=0.5, classes=8, side=48),
    reference="torchvision",
)
