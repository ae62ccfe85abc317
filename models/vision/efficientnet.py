"""EfficientNet: Tan, Le, Rethinking model scaling for convolutional neural networks (arXiv:1905.11946, 2019).

A network grows in depth, in width, or by larger pictures, and each alone soon pays little. Here all three grow
together: from a searched network, b0, depth is multiplied by 1.2^phi, width by 1.1^phi and the picture's side by
1.15^phi, so that each step of phi about doubles the cost, since 1.2 * 1.1^2 * 1.15^2 is 1.92.

Table 1 of the paper, b0 for pictures of 3x224x224. MBConv is MobileNet v2's inverted residual with squeeze and
excitation (Hu, Shen, Sun 2017) in its middle, and SiLU (swish) in place of ReLU6:

    layer       output     block           kernel    channels    layers
    stem        112x112    convolution     3x3       32          1
    stages.0    112x112    MBConv, t = 1   3x3       16          1
    stages.1    56x56      MBConv, t = 6   3x3       24          2
    stages.2    28x28      MBConv, t = 6   5x5       40          2
    stages.3    14x14      MBConv, t = 6   3x3       80          3
    stages.4    14x14      MBConv, t = 6   5x5       112         3
    stages.5    7x7        MBConv, t = 6   5x5       192         4
    stages.6    7x7        MBConv, t = 6   3x3       320         1
    head        7x7        convolution     1x1       1280        1
    fc          1000       average over the map, then dense

What the authors published, with rounder numbers than powers of 1.2, 1.1 and 1.15 would give:

            width    depth    side    dropout    parameters
    b0      1.0      1.0      224     0.2        5,288,548
    b1      1.0      1.1      240     0.2        7,794,184
    b2      1.1      1.2      288     0.3        9,109,994
    b3      1.2      1.4      300     0.3        12,233,232
    b4      1.4      1.8      380     0.4        19,341,616
    b5      1.6      2.2      456     0.4        30,389,784
    b6      1.8      2.6      528     0.5        43,040,704
    b7      2.0      3.1      600     0.5        66,347,960

Three things are torchvision's, whose weights these networks take: b2 reads 288 pixels a side, where the authors' code
has 260; b5 to b7 have batch norms with eps 0.001 and momentum 0.01, as the authors have in all, and b0 to b4 PyTorch's
own 1e-5 and 0.1; and strided convolutions are padded alike on all sides.

A mini has a tenth of its network's width and depth, which rounding makes the same for the smallest, and reads 36 pixels
a side and 2 more for each step of phi: the next one always costs more. It has dropout 0.2, no drop path and momentum
0.1 whatever its size: more regularisation, or running statistics over a hundred batches, would need longer runs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.divisible import divisible
from models.layers.drop_path import DropPath

STAGES = (  # expansion, kernel, stride, channels, layers
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
Norm = Callable[[int], nn.Module]


class SqueezeExcite(nn.Module):
    """Weighs each channel by a gate between 0 and 1, that is told from the means of all channels.

    Args:
        channels: Channels that come in and go out.
        squeezed: Channels in the middle.
    """

    def __init__(self, channels: int, squeezed: int):
        super().__init__()
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(channels, squeezed, 1)
        self.expand = nn.Conv2d(squeezed, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h, w)."""
        gates = self.expand(nn.functional.silu(self.reduce(self.squeeze(x)))).sigmoid()
        return x * gates


class MBConv(nn.Module):
    """A 1x1 convolution widens, a depthwise one filters, gates weigh, a 1x1 narrows; the input is added if it fits.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        expansion: How much wider the middle is than what comes in; at 1 the first 1x1 is left out.
        kernel: Side of the depthwise filter.
        stride: Of the depthwise convolution: 2 halves the map.
        drop_path: Chance of a sample to skip the block while training, where the input is added.
        norm: Makes the norm for a number of channels.
    """

    def __init__(
        self, channels: int, width: int, expansion: int, kernel: int, stride: int, drop_path: float, norm: Norm
    ):
        super().__init__()
        middle = channels * expansion
        self.expand: nn.Module = nn.Identity()
        if expansion != 1:
            self.expand = ConvNormActivation(channels, middle, activation=nn.SiLU, norm=norm)
        self.depthwise = ConvNormActivation(
            middle, middle, kernel, stride, groups=middle, activation=nn.SiLU, norm=norm
        )
        self.gate = SqueezeExcite(middle, max(1, channels // 4))  # a quarter of what comes in, not of the middle
        self.project = ConvNormActivation(middle, width, norm=norm)
        self.residual = stride == 1 and channels == width
        self.drop_path = DropPath(drop_path)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        y = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + self.drop_path(y) if self.residual else y


class EfficientNet(nn.Module):
    """A full convolution, seven stages of MBConv, a wide 1x1, the mean of its maps, and a dense layer.

    Args:
        width: What b0's numbers of channels are multiplied by.
        depth: What b0's numbers of layers are multiplied by, rounding up.
        side: Pixels of the square input's side; at least 32.
        dropout: Chance of a number to be left out before the dense layer.
        drop_path: Chance of a sample to skip a block, nearly reached in the last block, and 0 in the first.
        eps: What batch norms add to the variance.
        momentum: The share of a batch in the running statistics of batch norms.
        classes: Number of classes.
    """

    def __init__(
        self,
        width: float = 1.0,
        depth: float = 1.0,
        side: int = 224,
        dropout: float = 0.2,
        drop_path: float = 0.2,
        eps: float = 1e-5,
        momentum: float = 0.1,
        classes: int = 1000,
    ):
        super().__init__()
        if not (width > 0 and depth > 0):
            raise ValueError("width and depth must be above 0")
        if side < 32:
            raise ValueError("side must be 32 or more: the map is halved five times")
        self.input_shape = (3, side, side)
        norm = partial(nn.BatchNorm2d, eps=eps, momentum=momentum)
        depths = [ceil(layers * depth) for *_, layers in STAGES]
        channels, before = divisible(32 * width), 0  # what the block before gives, and how many blocks there were
        self.stem = ConvNormActivation(3, channels, 3, stride=2, activation=nn.SiLU, norm=norm)
        stages = []
        for (expansion, kernel, stride, wide, _), layers in zip(STAGES, depths, strict=True):
            blocks = []
            for k in range(layers):
                drop = drop_path * before / sum(depths)
                first = stride if k == 0 else 1
                blocks.append(MBConv(channels, divisible(wide * width), expansion, kernel, first, drop, norm))
                channels, before = divisible(wide * width), before + 1
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.head = ConvNormActivation(channels, 4 * channels, activation=nn.SiLU, norm=norm)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(4 * channels, classes)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        x = self.head(self.stages(self.stem(x)))
        return self.fc(self.dropout(self.avgpool(x).flatten(1)))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's (or timm's) EfficientNet of the same width and depth."""
        load_by_position(self, state_dict)


def initialise(layer: nn.Module) -> None:
    """First weights as torchvision draws them, since the paper is silent."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out")
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Linear):
        bound = layer.out_features**-0.5
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.zeros_(layer.bias)


FAMILY = dict(
    family="efficientnet",
    year=2019,
    paper="arXiv:1905.11946",
    topic="modern-cnn",
    task="shapes",
    idea=(
        "Depth, width and resolution grow together by one compound coefficient, from a small network that was found "
        "by search."
    ),
    builds_on=("mobilenet-v2", "mnasnet", "senet"),
    network="EfficientNet",
    names={
        "efficientnet-b0": dict(width=1.0, depth=1.0, side=224, dropout=0.2),
        "efficientnet-b1": dict(width=1.0, depth=1.1, side=240, dropout=0.2),
        "efficientnet-b2": dict(width=1.1, depth=1.2, side=288, dropout=0.3),
        "efficientnet-b3": dict(width=1.2, depth=1.4, side=300, dropout=0.3),
        "efficientnet-b4": dict(width=1.4, depth=1.8, side=380, dropout=0.4),
        "efficientnet-b5": dict(width=1.6, depth=2.2, side=456, dropout=0.4, eps=1e-3, momentum=0.01),
        "efficientnet-b6": dict(width=1.8, depth=2.6, side=528, dropout=0.5, eps=1e-3, momentum=0.01),
        "efficientnet-b7": dict(width=2.0, depth=3.1, side=600, dropout=0.5, eps=1e-3, momentum=0.01),
    },
    input=(3, 224, 224),
    inputs={
        "efficientnet-b1": (3, 240, 240),
        "efficientnet-b2": (3, 288, 288),
        "efficientnet-b3": (3, 300, 300),
        "efficientnet-b4": (3, 380, 380),
        "efficientnet-b5": (3, 456, 456),
        "efficientnet-b6": (3, 528, 528),
        "efficientnet-b7": (3, 600, 600),
    },
    output=(1000,),
    params={
        "efficientnet-b0": 5_288_548,
        "efficientnet-b1": 7_794_184,
        "efficientnet-b2": 9_109_994,
        "efficientnet-b3": 12_233_232,
        "efficientnet-b4": 19_341_616,
        "efficientnet-b5": 30_389_784,
        "efficientnet-b6": 43_040_704,
        "efficientnet-b7": 66_347_960,
    },
    mini=dict(classes=8, dropout=0.2, drop_path=0.0, momentum=0.1),
    minis={
        "efficientnet-b0": dict(width=0.1, depth=0.1, side=36),
        "efficientnet-b1": dict(width=0.1, depth=0.11, side=38),
        "efficientnet-b2": dict(width=0.11, depth=0.12, side=40),
        "efficientnet-b3": dict(width=0.12, depth=0.14, side=42),
        "efficientnet-b4": dict(width=0.14, depth=0.18, side=44),
        "efficientnet-b5": dict(width=0.16, depth=0.22, side=46),
        "efficientnet-b6": dict(width=0.18, depth=0.26, side=48),
        "efficientnet-b7": dict(width=0.2, depth=0.31, side=50),
    },
    reference="torchvision",
)
