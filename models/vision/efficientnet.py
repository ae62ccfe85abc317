"""EfficientNet: Tan, Le, Rethinking model scaling for convolutional neural networks (arXiv:1905.11946, 2019).

A network can grow in depth, in width or in the resolution of its input, and each of these alone soon brings little.
Here all three grow together: from a network found by search, b0, the depth is multiplied by 1.2^phi, the width by
1.1^phi and the image size by 1.15^phi, so that each step of phi about doubles the cost, since 1.2 * 1.1^2 * 1.15^2 is
1.92.

Table 1 of the paper, b0 for images of 3x224x224. MBConv is MobileNet v2's inverted residual with squeeze-and-excitation
(Hu, Shen, Sun 2017) after the depthwise convolution, and SiLU (swish) in place of ReLU6:

    layer       output     block           kernel    channels    blocks
    stem        112x112    convolution     3x3       32          1
    stages.0    112x112    MBConv, t = 1   3x3       16          1
    stages.1    56x56      MBConv, t = 6   3x3       24          2
    stages.2    28x28      MBConv, t = 6   5x5       40          2
    stages.3    14x14      MBConv, t = 6   3x3       80          3
    stages.4    14x14      MBConv, t = 6   5x5       112         3
    stages.5    7x7        MBConv, t = 6   5x5       192         4
    stages.6    7x7        MBConv, t = 6   3x3       320         1
    head        7x7        convolution     1x1       1280        1
    fc          1000       global average pooling, then dense

The published networks, with rounder numbers than powers of 1.2, 1.1 and 1.15 would give:

            width    depth    image size    dropout    parameters
    b0      1.0      1.0      224           0.2        5,288,548
    b1      1.0      1.1      240           0.2        7,794,184
    b2      1.1      1.2      288           0.3        9,109,994
    b3      1.2      1.4      300           0.3        12,233,232
    b4      1.4      1.8      380           0.4        19,341,616
    b5      1.6      2.2      456           0.4        30,389,784
    b6      1.8      2.6      528           0.5        43,040,704
    b7      2.0      3.1      600           0.5        66,347,960

Three things are as in torchvision, whose weights these networks load: b2 reads images of 288x288, where the authors'
code has 260x260; b5 to b7 have batch norms with eps 0.001 and momentum 0.01, as all of the authors' networks do, and b0
to b4 have PyTorch's 1e-5 and 0.1; and strided convolutions have the same padding on all sides.

A mini has a tenth of its network's width and depth, which rounding makes equal for the smallest ones, and reads images
of 36x36, 2 pixels larger for each step of phi, so that each network costs more than the one before. Minis have dropout
0.2, no stochastic depth and momentum 0.1: more regularization, or running statistics over a hundred batches, would need
longer runs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from math import ceil

from torch import Tensor, nn

from models.layers.by_position import load_by_position
from models.layers.conv_norm_activation import ConvNormActivation
from models.layers.drop_path import DropPath
from models.layers.initialization import init_like_torchvision
from models.layers.make_divisible import make_divisible

STAGES = (  # expansion, kernel size, stride, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)
LAST_STAGES = (1, 2, 4, 6)  # with strides 4, 8, 16 and 32
NormLayer = Callable[[int], nn.Module]


class SqueezeExcitation(nn.Module):
    """Rescales each channel by a factor between 0 and 1, computed from the means of all channels.

    Args:
        in_channels: Channels of the input and of the output.
        squeeze_channels: Channels between the two 1x1 convolutions.
    """

    def __init__(self, in_channels: int, squeeze_channels: int):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Conv2d(in_channels, squeeze_channels, 1)
        self.activation = nn.SiLU(inplace=True)
        self.expand = nn.Conv2d(squeeze_channels, in_channels, 1)
        self.scale_activation = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, in_channels, h, w)."""
        scale: Tensor = self.activation(self.reduce(self.avgpool(x)))
        scale = self.scale_activation(self.expand(scale))
        return x * scale


class MBConv(nn.Module):
    """A 1x1 convolution, a depthwise one, squeeze-and-excitation, and a linear 1x1; the input is added if it fits.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        expand_ratio: Channels of the depthwise convolution per input channel; with 1 there is no first 1x1.
        kernel_size: Height and width of the depthwise kernel.
        stride: Stride of the depthwise convolution.
        stochastic_depth_prob: Probability that a sample skips the block in training, if the input is added.
        norm_layer: Makes the norm of a number of channels.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        expand_ratio: int,
        kernel_size: int,
        stride: int,
        stochastic_depth_prob: float,
        norm_layer: NormLayer,
    ):
        super().__init__()
        hidden = in_channels * expand_ratio
        conv = partial(ConvNormActivation, activation_layer=nn.SiLU, norm_layer=norm_layer)
        self.expand: nn.Module = conv(in_channels, hidden) if expand_ratio != 1 else nn.Identity()
        self.depthwise = conv(hidden, hidden, kernel_size, stride, groups=hidden)
        self.gate = SqueezeExcitation(hidden, max(1, in_channels // 4))  # a quarter of the input, not of the expansion
        self.project = ConvNormActivation(hidden, out_channels, norm_layer=norm_layer)
        self.residual = stride == 1 and in_channels == out_channels
        self.drop_path = DropPath(stochastic_depth_prob)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/stride, w/stride)."""
        y: Tensor = self.project(self.gate(self.depthwise(self.expand(x))))
        return x + self.drop_path(y) if self.residual else y


class EfficientNet(nn.Module):
    """A convolution, seven stages of MBConv, a 1x1 convolution, global average pooling, and a dense layer.

    Args:
        width_mult: A factor for b0's numbers of channels.
        depth_mult: A factor for b0's numbers of blocks, rounding up.
        image_size: Height and width of the image; at least 32.
        dropout: Probability that an input of the dense layer is dropped in a training step.
        stochastic_depth_prob: The probability that a sample skips a block grows evenly from 0 in the first block
            toward this.
        eps: Added to the variance in batch norms, inside the square root.
        momentum: Weight of a batch in the running statistics of batch norms.
        num_classes: Number of classes.
    """

    def __init__(
        self,
        width_mult: float = 1.0,
        depth_mult: float = 1.0,
        image_size: int = 224,
        dropout: float = 0.2,
        stochastic_depth_prob: float = 0.2,
        eps: float = 1e-5,
        momentum: float = 0.1,
        num_classes: int = 1000,
    ):
        super().__init__()
        if not (width_mult > 0 and depth_mult > 0):
            raise ValueError("width_mult and depth_mult must be above 0")
        if image_size < 32:
            raise ValueError("image_size must be 32 or more: five layers halve it")
        self.input_shape = (3, image_size, image_size)
        norm_layer = partial(nn.BatchNorm2d, eps=eps, momentum=momentum)
        conv = partial(ConvNormActivation, activation_layer=nn.SiLU, norm_layer=norm_layer)
        depths = [ceil(depth * depth_mult) for *_, depth in STAGES]
        in_channels = make_divisible(32 * width_mult)
        self.stem = conv(3, in_channels, 3, stride=2)
        stages, count = [], 0
        for (expand_ratio, kernel_size, stride, channels, _), depth in zip(STAGES, depths, strict=True):
            out_channels, blocks = make_divisible(channels * width_mult), []
            for k in range(depth):
                prob = stochastic_depth_prob * count / sum(depths)
                first_stride = stride if k == 0 else 1
                blocks.append(
                    MBConv(in_channels, out_channels, expand_ratio, kernel_size, first_stride, prob, norm_layer)
                )
                in_channels, count = out_channels, count + 1
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.feature_channels = tuple(make_divisible(STAGES[k][3] * width_mult) for k in LAST_STAGES)
        self.head = conv(in_channels, 4 * in_channels)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(4 * in_channels, num_classes)
        bound = num_classes**-0.5
        init_like_torchvision(self, partial(nn.init.uniform_, a=-bound, b=bound))

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
        """Load the weights of torchvision's (or timm's) EfficientNet of the same width and depth."""
        load_by_position(self, state_dict)


FAMILY = dict(
    family="efficientnet",
    year=2019,
    paper="arXiv:1905.11946",
    topic="modern-cnn",
    task="shapes",
    contribution=(
        "Depth, width and resolution grow together by one compound coefficient, from a small network that was found "
        "by search."
    ),
    builds_on=("mobilenet-v2", "mnasnet", "senet"),
    network="EfficientNet",
    names={
        "efficientnet-b0": dict(width_mult=1.0, depth_mult=1.0, image_size=224, dropout=0.2),
        "efficientnet-b1": dict(width_mult=1.0, depth_mult=1.1, image_size=240, dropout=0.2),
        "efficientnet-b2": dict(width_mult=1.1, depth_mult=1.2, image_size=288, dropout=0.3),
        "efficientnet-b3": dict(width_mult=1.2, depth_mult=1.4, image_size=300, dropout=0.3),
        "efficientnet-b4": dict(width_mult=1.4, depth_mult=1.8, image_size=380, dropout=0.4),
        "efficientnet-b5": dict(width_mult=1.6, depth_mult=2.2, image_size=456, dropout=0.4, eps=1e-3, momentum=0.01),
        "efficientnet-b6": dict(width_mult=1.8, depth_mult=2.6, image_size=528, dropout=0.5, eps=1e-3, momentum=0.01),
        "efficientnet-b7": dict(width_mult=2.0, depth_mult=3.1, image_size=600, dropout=0.5, eps=1e-3, momentum=0.01),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
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
    mini=dict(num_classes=8, dropout=0.2, stochastic_depth_prob=0.0, momentum=0.1),
    mini_overrides={
        "efficientnet-b0": dict(width_mult=0.1, depth_mult=0.1, image_size=36),
        "efficientnet-b1": dict(width_mult=0.1, depth_mult=0.11, image_size=38),
        "efficientnet-b2": dict(width_mult=0.11, depth_mult=0.12, image_size=40),
        "efficientnet-b3": dict(width_mult=0.12, depth_mult=0.14, image_size=42),
        "efficientnet-b4": dict(width_mult=0.14, depth_mult=0.18, image_size=44),
        "efficientnet-b5": dict(width_mult=0.16, depth_mult=0.22, image_size=46),
        "efficientnet-b6": dict(width_mult=0.18, depth_mult=0.26, image_size=48),
        "efficientnet-b7": dict(width_mult=0.2, depth_mult=0.31, image_size=50),
    },
    reference="torchvision",
)
