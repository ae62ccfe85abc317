"""ResNet: He, Zhang, Ren, Sun, Deep residual learning for image recognition (arXiv:1512.03385, 2015).

A deeper network should not be worse, since its additional layers could learn the identity; but deeper plain networks
have a larger error even on the training set. So a block learns only what to add to its input, y = F(x) + x: the
identity is F = 0, and the sum passes the gradient past every block unchanged.

Table 1 of the paper, for images of 3x224x224; every convolution is followed by batch norm and ReLU:

    layer      output     resnet18     resnet34     resnet50          resnet101         resnet152
    conv1      112x112    7x7, 64, stride 2
    maxpool    56x56      3x3, stride 2
    layer1     56x56      3x3, 64      3x3, 64      1x1, 64           1x1, 64           1x1, 64
                          3x3, 64      3x3, 64      3x3, 64           3x3, 64           3x3, 64
                                                    1x1, 256          1x1, 256          1x1, 256
                          x2           x3           x3                x3                x3
    layer2     28x28      128: x2      128: x4      128, 512: x4      128, 512: x4      128, 512: x8
    layer3     14x14      256: x2      256: x6      256, 1024: x6     256, 1024: x23    256, 1024: x36
    layer4     7x7        512: x2      512: x3      512, 2048: x3     512, 2048: x3     512, 2048: x3
    fc         1000       global average pooling, then dense
    parameters            11,689,512   21,797,672   25,557,032        44,549,160        60,192,808

Two things differ from the paper, as in all published weights since: the stride of a bottleneck is in its 3x3 and not in
its first 1x1, so that no pixel is skipped ("v1.5"); and where the shape changes, the shortcut is a 1x1 convolution
(option B). State-dict keys and arguments are torchvision's, with ReLUs that are modules of their own, so that hooks
see each of them.

The mini has 8 channels instead of 64 and reads 3x64x64. resnet50, 101 and 152 have a quarter of their blocks there, so
that they train in a minute.
"""

from collections.abc import Callable, Mapping, Sequence
from math import gcd
from typing import Any

from torch import Tensor, nn

NormLayer = Callable[[int], nn.Module]


def group_norm(channels: int) -> nn.GroupNorm:
    """Return a group norm of 32 groups (Wu, He, 2018), or of fewer if 32 do not divide the channels."""
    return nn.GroupNorm(gcd(32, channels), channels)


NORM_LAYERS: dict[str, NormLayer] = {"batch": nn.BatchNorm2d, "group": group_norm, "none": nn.Identity}


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, whose output is added to the input.

    Args:
        in_channels: Channels of the input.
        channels: Channels of both convolutions and of the output.
        stride: Stride of the first convolution.
        dilation: 1; torchvision has no dilated basic blocks.
        groups: 1; only bottlenecks have groups.
        width_per_group: 64; only bottlenecks have other widths.
        norm_layer: Makes the norm of a number of channels.
        residual: Whether the input is added.
    """

    expansion = 1

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        width_per_group: int = 64,
        norm_layer: NormLayer = nn.BatchNorm2d,
        residual: bool = True,
    ):
        super().__init__()
        if (dilation, groups, width_per_group) != (1, 1, 64):
            raise ValueError("block must be bottleneck for dilation, groups or another width_per_group")
        self.conv1 = conv(in_channels, channels, 3, norm_layer, stride)
        self.bn1 = norm_layer(channels)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = conv(channels, channels, 3, norm_layer)
        self.bn2 = norm_layer(channels)
        self.residual = residual
        self.downsample = downsample(in_channels, channels, stride, norm_layer) if residual else None
        self.relu2 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, channels, h/stride, w/stride)."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if self.residual:
            y += x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu2(y)
        return out


class Bottleneck(nn.Module):
    """A 1x1 convolution that reduces the channels, a 3x3, and a 1x1 that restores them, added to the input.

    With 256 channels it has 69,632 weights, whereas two 3x3 convolutions would have 1,179,648.

    Args:
        in_channels: Channels of the input.
        channels: The output has four times as many.
        stride: Stride of the 3x3 convolution.
        dilation: Dilation of the 3x3 convolution.
        groups: Groups of the 3x3 convolution (ResNeXt).
        width_per_group: Channels of a group per 64 of `channels`; 128 with one group is a Wide ResNet.
        norm_layer: Makes the norm of a number of channels.
        residual: Whether the input is added.
    """

    expansion = 4

    def __init__(
        self,
        in_channels: int,
        channels: int,
        stride: int = 1,
        dilation: int = 1,
        groups: int = 1,
        width_per_group: int = 64,
        norm_layer: NormLayer = nn.BatchNorm2d,
        residual: bool = True,
    ):
        super().__init__()
        width = int(channels * width_per_group / 64) * groups
        out_channels = channels * self.expansion
        self.conv1 = conv(in_channels, width, 1, norm_layer)
        self.bn1 = norm_layer(width)
        self.relu1 = nn.ReLU(inplace=True)
        self.conv2 = conv(width, width, 3, norm_layer, stride, dilation, groups)
        self.bn2 = norm_layer(width)
        self.relu2 = nn.ReLU(inplace=True)
        self.conv3 = conv(width, out_channels, 1, norm_layer)
        self.bn3 = norm_layer(out_channels)
        self.residual = residual
        self.downsample = downsample(in_channels, out_channels, stride, norm_layer) if residual else None
        self.relu3 = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, 4*channels, h/stride, w/stride)."""
        y = self.relu1(self.bn1(self.conv1(x)))
        y = self.relu2(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        if self.residual:
            y += x if self.downsample is None else self.downsample(x)
        out: Tensor = self.relu3(y)
        return out


def conv(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    norm_layer: NormLayer,
    stride: int = 1,
    dilation: int = 1,
    groups: int = 1,
) -> nn.Conv2d:
    """Return a convolution with "same" padding, without a bias if a norm that subtracts the mean follows."""
    return nn.Conv2d(
        in_channels,
        out_channels,
        kernel_size,
        stride,
        padding=dilation * (kernel_size // 2),
        dilation=dilation,
        groups=groups,
        bias=norm_layer is nn.Identity,
    )


def downsample(in_channels: int, out_channels: int, stride: int, norm_layer: NormLayer) -> nn.Sequential | None:
    """Return the shortcut that gives a block's input the shape of its output; None if the shapes are equal."""
    if stride == 1 and in_channels == out_channels:
        return None
    return nn.Sequential(conv(in_channels, out_channels, 1, norm_layer, stride), norm_layer(out_channels))


Block = type[BasicBlock] | type[Bottleneck]
BLOCKS: dict[str, Block] = {"basic": BasicBlock, "bottleneck": Bottleneck}


class ResNet(nn.Module):
    """A convolution, four layers of residual blocks, global average pooling, and a dense layer.

    Args:
        block: `basic` or `bottleneck`.
        layers: Number of blocks in each of the four layers.
        channels: Channels of conv1 and of the blocks of layer1; they double with every layer.
        num_classes: Number of classes.
        image_size: Height and width of the image.
        norm_layer: `batch`, `group` or `none`, or a function that makes the norm of a number of channels.
        residual: Whether blocks add their input; if not, this is the paper's plain network.
        groups: Groups of the 3x3 convolutions in bottlenecks; 32 in ResNeXt.
        width_per_group: Channels of such a group in layer1, if `channels` is 64; 4 in ResNeXt.
        replace_stride_with_dilation: For layer2, layer3 and layer4, whether dilation replaces its stride of 2, so that
            the map keeps its size. None replaces none. Only for bottlenecks.
    """

    def __init__(
        self,
        block: str = "bottleneck",
        layers: Sequence[int] = (3, 4, 6, 3),
        channels: int = 64,
        num_classes: int = 1000,
        image_size: int = 224,
        norm_layer: str | NormLayer = "batch",
        residual: bool = True,
        groups: int = 1,
        width_per_group: int = 64,
        replace_stride_with_dilation: Sequence[bool] | None = None,
    ):
        super().__init__()
        if block not in BLOCKS:
            raise ValueError(f"block must be {' or '.join(BLOCKS)}, not {block!r}")
        if isinstance(norm_layer, str):
            if norm_layer not in NORM_LAYERS:
                raise ValueError(f"norm_layer must be {' or '.join(NORM_LAYERS)}, not {norm_layer!r}")
            norm_layer = NORM_LAYERS[norm_layer]
        if len(layers) != 4 or min(layers) < 1:
            raise ValueError("layers must be four numbers of 1 or more")
        dilate = replace_stride_with_dilation or (False, False, False)
        if len(dilate) != 3:
            raise ValueError("replace_stride_with_dilation must be three of true or false, for layer2, 3 and 4")
        self.input_shape = (3, image_size, image_size)
        self.conv1 = conv(3, channels, 7, norm_layer, stride=2)
        self.bn1 = norm_layer(channels)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)

        options = dict(groups=groups, width_per_group=width_per_group, norm_layer=norm_layer, residual=residual)
        self._in_channels, self._dilation = channels, 1  # of the next block to be made
        self.layer1 = self._make_layer(BLOCKS[block], channels, layers[0], stride=1, dilate=False, **options)
        self.layer2 = self._make_layer(BLOCKS[block], 2 * channels, layers[1], stride=2, dilate=dilate[0], **options)
        self.layer3 = self._make_layer(BLOCKS[block], 4 * channels, layers[2], stride=2, dilate=dilate[1], **options)
        self.layer4 = self._make_layer(BLOCKS[block], 8 * channels, layers[3], stride=2, dilate=dilate[2], **options)
        self.feature_channels = tuple(BLOCKS[block].expansion * channels * 2**k for k in range(4))
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(self._in_channels, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):  # He et al. 2015, for a ReLU that follows
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def _make_layer(
        self, block: Block, channels: int, depth: int, stride: int, dilate: bool, **options: Any
    ) -> nn.Sequential:
        first_dilation = self._dilation  # as in torchvision, the first block has the dilation of the layer before
        if dilate:
            self._dilation *= stride
            stride = 1
        blocks = [block(self._in_channels, channels, stride, first_dilation, **options)]
        self._in_channels = channels * block.expansion
        for _ in range(1, depth):
            blocks.append(block(self._in_channels, channels, dilation=self._dilation, **options))
        return nn.Sequential(*blocks)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the maps of layer1 to layer4 for images (N, 3, h, w).

        Their strides are 4, 8, 16 and 32, unless dilation replaces some; `feature_channels` has their channels.
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        maps = []
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            maps.append(x)
        return maps

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.fc(self.avgpool(self.features(x)[-1]).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's ResNet with the same layers."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="resnet",
    year=2015,
    paper="arXiv:1512.03385",
    topic="resnet",
    task="shapes",
    contribution=(
        "A block learns only what to add to its input, y = F(x) + x, so that the gradient passes every block "
        "unchanged and networks of a hundred layers can be trained."
    ),
    builds_on=("vgg",),
    network="ResNet",
    names={
        "resnet18": dict(block="basic", layers=(2, 2, 2, 2)),
        "resnet34": dict(block="basic", layers=(3, 4, 6, 3)),
        "resnet50": dict(block="bottleneck", layers=(3, 4, 6, 3)),
        "resnet101": dict(block="bottleneck", layers=(3, 4, 23, 3)),
        "resnet152": dict(block="bottleneck", layers=(3, 8, 36, 3)),
    },
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("conv1.", "bn1.", "layer1.", "layer2.", "layer3.", "layer4.")),
    params={
        "resnet18": 11_689_512,
        "resnet34": 21_797_672,
        "resnet50": 25_557_032,
        "resnet101": 44_549_160,
        "resnet152": 60_192_808,
    },
    mini=dict(channels=8, num_classes=8, image_size=64),
    mini_overrides={
        "resnet50": dict(layers=(1, 1, 2, 1)),
        "resnet101": dict(layers=(1, 1, 6, 1)),
        "resnet152": dict(layers=(1, 2, 9, 1)),
    },
    reference="torchvision",
)
