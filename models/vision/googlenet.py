"""GoogLeNet: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, Going deeper with convolutions
(arXiv:1409.4842, 2014).

An Inception module does not choose a kernel size: it applies 1x1, 3x3 and 5x5 filters and a pooling in parallel and
concatenates their outputs along channels. 1x1 convolutions make that affordable, because they reduce the channels
before the large filters. With global average pooling in place of dense layers, 22 layers have a ninth of AlexNet's
parameters.

Table 1 of the paper, for images of 3x224x224. The columns are the 1x1 filters, the 3x3 with the 1x1 that reduce their
input, the 5x5 likewise, and the 1x1 after the pooling. Every convolution is followed by ReLU:

    layer          output        1x1    3x3          5x5         pool    parameters
    conv1          64x112x112    7x7, stride 2                                9,472
    maxpool1       64x56x56      3x3, stride 2; response normalization
    conv2          64x56x56      1x1                                          4,160
    conv3          192x56x56     3x3; response normalization                110,784
    maxpool2       192x28x28     3x3, stride 2
    inception3a    256x28x28     64     96 -> 128    16 -> 32     32         163,696
    inception3b    480x28x28     128    128 -> 192   32 -> 96     64         388,736
    maxpool3       480x14x14     3x3, stride 2
    inception4a    512x14x14     192    96 -> 208    16 -> 48     64         376,176
    inception4b    512x14x14     160    112 -> 224   24 -> 64     64         449,160
    inception4c    512x14x14     128    128 -> 256   24 -> 64     64         510,104
    inception4d    528x14x14     112    144 -> 288   32 -> 64     64         605,376
    inception4e    832x14x14     256    160 -> 320   32 -> 128    128        868,352
    maxpool4       832x7x7       3x3, stride 2
    inception5a    832x7x7       256    160 -> 320   32 -> 128    128      1,043,456
    inception5b    1024x7x7      384    192 -> 384   48 -> 128    128      1,444,080
    fc             1000          global average pooling, dropout, dense    1,025,000
                                                              total        6,998,552
    aux1, aux2     1000          average pooling 5x5, stride 3; 1x1, 128;
                                 dense, 1024; dropout; dense               6,379,728
                                                              total       13,378,280

Two auxiliary classifiers read the outputs of 4a and 4d. In training their losses are added to the loss with a factor of
0.3 each, which gives the lower half a gradient through fewer layers. They are not used in evaluation.

The paper's table counts 2.7K parameters for conv1, which has 9,408 weights and 64 biases. The paper does not state the
constants of response normalization and the initial weights. Those here are from the replication by Guadarrama (Caffe's
`bvlc_googlenet`): weights as in Glorot and Bengio (2010), biases of 0.2.

The mini has 16 channels in conv1 instead of 64 and reads 3x32x32. The maps of 4a and 4d are then 2x2, less than 5x5,
and the auxiliary classifiers average all of them.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

# Channels of the branches: 1x1; 3x3 reduction and 3x3; 5x5 reduction and 5x5; 1x1 after the pooling.
INCEPTIONS = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


class ConvReLU(nn.Module):
    """A convolution with a bias, and ReLU.

    Args:
        in_channels: Channels of the input.
        out_channels: Channels of the output.
        kernel_size: Height and width of the kernel; odd.
        stride: 2 halves the height and the width.
    """

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h/stride, w/stride)."""
        out: Tensor = self.relu(self.conv(x))
        return out


class Inception(nn.Module):
    """Filters of three sizes and a pooling in parallel, concatenated along channels.

    Args:
        in_channels: Channels of the input.
        ch1x1: Channels of the 1x1 branch.
        ch3x3red: Channels of the 1x1 convolution before the 3x3.
        ch3x3: Channels of the 3x3 branch.
        ch5x5red: Channels of the 1x1 convolution before the 5x5.
        ch5x5: Channels of the 5x5 branch.
        pool_proj: Channels of the 1x1 convolution after the pooling.
        conv_block: Makes a convolution of in_channels, out_channels and kernel_size.
        largest_kernel: Kernel size of the 5x5 branch.

    Attributes:
        out_channels: Channels of the output.
    """

    def __init__(
        self,
        in_channels: int,
        ch1x1: int,
        ch3x3red: int,
        ch3x3: int,
        ch5x5red: int,
        ch5x5: int,
        pool_proj: int,
        conv_block: Callable[[int, int, int], nn.Module],
        largest_kernel: int,
    ):
        super().__init__()
        self.out_channels = ch1x1 + ch3x3 + ch5x5 + pool_proj
        self.branch1 = conv_block(in_channels, ch1x1, 1)
        self.branch2 = nn.Sequential(conv_block(in_channels, ch3x3red, 1), conv_block(ch3x3red, ch3x3, 3))
        self.branch3 = nn.Sequential(conv_block(in_channels, ch5x5red, 1), conv_block(ch5x5red, ch5x5, largest_kernel))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), conv_block(in_channels, pool_proj, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, in_channels, h, w) -> (N, out_channels, h, w)."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class InceptionAux(nn.Module):
    """An auxiliary classifier.

    Args:
        in_channels: Channels of the input.
        channels: Channels of its 1x1 convolution; its first dense layer has eight times as many neurons.
        num_classes: Number of classes.
        pool: Reduces the size of the map.
        map_size: Height and width of the map after that.
        conv_block: Makes a convolution of in_channels, out_channels and kernel_size.
    """

    def __init__(
        self,
        in_channels: int,
        channels: int,
        num_classes: int,
        pool: nn.Module,
        map_size: int,
        conv_block: Callable[[int, int, int], nn.Module],
    ):
        super().__init__()
        self.pool = pool
        self.conv = conv_block(in_channels, channels, 1)
        self.fc1 = nn.Linear(channels * map_size**2, 8 * channels)
        self.relu = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(8 * channels, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for maps (N, in_channels, h, w)."""
        x = self.conv(self.pool(x)).flatten(1)
        logits: Tensor = self.fc2(self.dropout(self.relu(self.fc1(x))))
        return logits


class GoogLeNet(nn.Module):
    """Three convolutions, nine Inception modules, global average pooling, and a dense layer.

    Args:
        channels: Channels of conv1, a multiple of 8. All other layers keep the paper's proportion to it.
        num_classes: Number of classes.
        image_size: Height and width of the image: a multiple of 16, at least 32.
        dropout: Probability that an input of the last layer is dropped in a training step.
        aux_logits: Whether there are auxiliary classifiers.
    """

    conv_block: type[nn.Module] = ConvReLU
    largest_kernel = 5  # in an Inception module
    last_pool_kernel = 3  # of maxpool4

    def __init__(
        self,
        channels: int = 64,
        num_classes: int = 1000,
        image_size: int = 224,
        dropout: float = 0.4,
        aux_logits: bool = True,
    ):
        super().__init__()
        if channels < 8 or channels % 8:
            raise ValueError("channels must be a multiple of 8: other layers have a quarter of it, or 3/8")
        if image_size < 32 or image_size % 16:
            raise ValueError("image_size must be 32, 48, 64 ...: four layers halve it, and then a fifth does")
        self.input_shape = (3, image_size, image_size)
        self.conv1 = self.conv_block(3, channels, 7, 2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = self.response_norm()
        self.conv2 = self.conv_block(channels, channels, 1)
        self.conv3 = self.conv_block(channels, 3 * channels, 3)
        self.norm2 = self.response_norm()
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        scale, map_size = channels / 64, image_size // 16  # of 4a and 4d
        self.inception3a = self.inception("3a", 3 * channels, scale)
        self.inception3b = self.inception("3b", self.inception3a.out_channels, scale)
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = self.inception("4a", self.inception3b.out_channels, scale)
        at_4a = self.inception4a.out_channels
        self.aux1 = self.auxiliary_classifier(at_4a, 2 * channels, num_classes, map_size) if aux_logits else None
        self.inception4b = self.inception("4b", at_4a, scale)
        self.inception4c = self.inception("4c", self.inception4b.out_channels, scale)
        self.inception4d = self.inception("4d", self.inception4c.out_channels, scale)
        at_4d = self.inception4d.out_channels
        self.aux2 = self.auxiliary_classifier(at_4d, 2 * channels, num_classes, map_size) if aux_logits else None
        self.inception4e = self.inception("4e", at_4d, scale)
        self.maxpool4 = nn.MaxPool2d(self.last_pool_kernel, stride=2, ceil_mode=True)
        self.inception5a = self.inception("5a", self.inception4e.out_channels, scale)
        self.inception5b = self.inception("5b", self.inception5a.out_channels, scale)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(self.inception5b.out_channels, num_classes)
        self.initialize_weights()

    def inception(self, name: str, in_channels: int, scale: float) -> Inception:
        """Return the Inception module of Table 1 with scaled channels."""
        a, b, c, d, e, f = (int(count * scale) for count in INCEPTIONS[name])
        return Inception(in_channels, a, b, c, d, e, f, self.conv_block, self.largest_kernel)

    def response_norm(self) -> nn.Module:
        """Return the normalization x / (1 + 10^-4 * mean of five squares)^0.75: torch's constants, and Caffe's."""
        return nn.LocalResponseNorm(5)

    def auxiliary_classifier(self, in_channels: int, channels: int, num_classes: int, map_size: int) -> InceptionAux:
        """Return an auxiliary classifier for maps of this size."""
        window = min(5, map_size)
        pool = nn.AvgPool2d(window, stride=3)
        return InceptionAux(in_channels, channels, num_classes, pool, (map_size - window) // 3 + 1, ConvReLU)

    def initialize_weights(self) -> None:
        """Draw weights as in Glorot and Bengio (2010); biases are 0 in the output layers and 0.2 in all others."""
        outputs: set[nn.Module] = {self.fc} | {auxiliary.fc2 for auxiliary in (self.aux1, self.aux2) if auxiliary}
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.constant_(layer.get_parameter("bias"), 0.0 if layer in outputs else 0.2)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size).

        In training, those of the auxiliary classifiers follow: (logits, logits at 4a, logits at 4d).
        """
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        at_4a = self.inception4a(x)
        at_4d = self.inception4d(self.inception4c(self.inception4b(at_4a)))
        x = self.maxpool4(self.inception4e(at_4d))
        x = self.inception5b(self.inception5a(x))
        logits: Tensor = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 and self.aux2:
            return logits, self.aux1(at_4a), self.aux2(at_4d)
        return logits


FAMILY = dict(
    family="googlenet",
    year=2014,
    paper="arXiv:1409.4842",
    topic="milestones",
    task="shapes",
    contribution=(
        "Filters of several sizes in parallel, made affordable by 1x1 convolutions that reduce the channels, and "
        "auxiliary classifiers that give the middle of 22 layers a gradient."
    ),
    builds_on=("network-in-network",),
    network="GoogLeNet",
    names={"googlenet": dict(channels=64)},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"googlenet": 13_378_280},
    mini=dict(channels=16, num_classes=8, image_size=32),
    recipe=dict(lr=0.001),
    reference=None,
)
