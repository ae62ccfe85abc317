"""GoogLeNet: Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich, Going deeper with convolutions
(arXiv:1409.4842, 2014).

How large should a filter be? An inception module takes them all side by side, 1x1, 3x3, 5x5 and a pooling, and lays
their maps on top of one another. What makes that affordable are 1x1 convolutions, which first narrow what the large
filters read. With a mean over the map in place of dense layers, 22 layers have a ninth of AlexNet's parameters.

Table 1 of the paper, for pictures of 3x224x224. The columns are the filters 1x1, of 3x3 with those that narrow before
it, of 5x5 likewise, and the 1x1 behind the pooling; every convolution is bent by ReLU:

    layer          output        1x1    3x3          5x5         pool    parameters
    conv1          64x112x112    7x7, stride 2                                9,472
    maxpool1       64x56x56      3x3, stride 2; response normalisation
    conv2          64x56x56      1x1                                          4,160
    conv3          192x56x56     3x3; response normalisation                110,784
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
    fc             1000          mean over the map, dropout, dense         1,025,000
                                                              total        6,998,552
    aux1, aux2     1000          mean of 5x5, stride 3; 1x1, 128; dense,
                                 1024; dropout; dense                      6,379,728
                                                              total       13,378,280

Two auxiliary classifiers look at 4a and 4d: their losses, weighed 0.3 each, join the loss in training, so that a
gradient reaches the lower half from nearby. When the network is used they are left out.

The paper's table counts 2.7K parameters for conv1, which are 9,408 weights and 64 biases. It is silent on the response
normalisation's constants and on the first weights: those here are of the replication by Guadarrama (Caffe's
`bvlc_googlenet`), which begins as Glorot and Bengio (2010) say, with biases of 0.2.

The mini is 16 channels wide where the paper has 64, and reads 3x32x32: at 4a and 4d the map is 2x2, smaller than 5x5,
and the auxiliary classifiers take the mean of it all.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn

# 1x1; 3x3 and what narrows before it; 5x5 and what narrows before it; behind the pooling.
Filters = tuple[int, int, int, int, int, int]
INCEPTIONS: dict[str, Filters] = {
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


class Convolution(nn.Module):
    """A convolution with a bias, and ReLU.

    Args:
        channels: Channels that come in.
        width: Channels that go out.
        kernel: Side of the filter; odd.
        stride: 2 halves the map's side.
    """

    def __init__(self, channels: int, width: int, kernel: int, stride: int = 1):
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel, stride, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, width, h/stride, w/stride)."""
        return self.conv(x).relu()


class Inception(nn.Module):
    """Filters of three sizes and a pooling side by side, their maps on top of one another.

    Args:
        channels: Channels that come in.
        filters: How many filters each branch has.
        convolution: Makes a convolution from channels, width and kernel.
        large: Side of the largest filter.
    """

    def __init__(self, channels: int, filters: Filters, convolution: Callable[..., nn.Module], large: int):
        super().__init__()
        small, narrow3, middle, narrow5, wide, pooled = filters
        self.branch1 = convolution(channels, small, 1)
        self.branch2 = nn.Sequential(convolution(channels, narrow3, 1), convolution(narrow3, middle, 3))
        self.branch3 = nn.Sequential(convolution(channels, narrow5, 1), convolution(narrow5, wide, large))
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), convolution(channels, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, filters of the four branches, h, w)."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], dim=1)


class Auxiliary(nn.Module):
    """A classifier for the middle of the network.

    Args:
        channels: Channels that come in.
        width: Filters of its 1x1 convolution; its dense layer has eight times as many neurons.
        classes: Number of classes.
        pool: Makes the map smaller.
        side: The map's side after that.
        convolution: Makes a convolution from channels, width and kernel.
    """

    def __init__(
        self,
        channels: int,
        width: int,
        classes: int,
        pool: nn.Module,
        side: int,
        convolution: Callable[..., nn.Module],
    ):
        super().__init__()
        self.pool = pool
        self.conv = convolution(channels, width, 1)
        self.fc1 = nn.Linear(width * side**2, 8 * width)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(8 * width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of maps (N, channels, h, w)."""
        x = self.conv(self.pool(x)).flatten(1)
        return self.fc2(self.dropout(self.fc1(x).relu()))


class GoogLeNet(nn.Module):
    """Three convolutions, nine inception modules, the mean of the last maps, and a dense layer.

    Args:
        width: Channels of conv1, a multiple of 8: all others keep the paper's proportion to it.
        classes: Number of classes.
        side: Pixels of the square input's side: a multiple of 16, at least 32.
        dropout: Chance of an input of the last layer to be left out of a training step.
        auxiliary: Whether there are auxiliary classifiers.
    """

    convolution: type[nn.Module] = Convolution
    large = 5  # side of the largest filter in an inception module
    last_pool = 3  # side of the last pooling's windows

    def __init__(
        self, width: int = 64, classes: int = 1000, side: int = 224, dropout: float = 0.4, auxiliary: bool = True
    ):
        super().__init__()
        if width < 8 or width % 8:
            raise ValueError("width must be a multiple of 8: the narrowest layers have a quarter of it, or 3/8")
        if side < 32 or side % 16:
            raise ValueError("side must be 32, 48, 64 ...: the map is halved four times, and then once more")
        self.input_shape = (3, side, side)
        conv = self.convolution
        self.conv1 = conv(3, width, 7, 2)
        self.maxpool1 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.norm1 = self.response_norm()
        self.conv2 = conv(width, width, 1)
        self.conv3 = conv(width, 3 * width, 3)
        self.norm2 = self.response_norm()
        self.maxpool2 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        channels = 3 * width  # that come out of the layer before

        def inception(name: str) -> Inception:
            nonlocal channels
            small, narrow3, middle, narrow5, wide, pooled = (count * width // 64 for count in INCEPTIONS[name])
            module = Inception(channels, (small, narrow3, middle, narrow5, wide, pooled), conv, self.large)
            channels = small + middle + wide + pooled
            return module

        self.inception3a = inception("3a")
        self.inception3b = inception("3b")
        self.maxpool3 = nn.MaxPool2d(3, stride=2, ceil_mode=True)
        self.inception4a = inception("4a")
        self.aux1 = self.auxiliary_classifier(channels, 2 * width, classes, side // 16) if auxiliary else None
        self.inception4b = inception("4b")
        self.inception4c = inception("4c")
        self.inception4d = inception("4d")
        self.aux2 = self.auxiliary_classifier(channels, 2 * width, classes, side // 16) if auxiliary else None
        self.inception4e = inception("4e")
        self.maxpool4 = nn.MaxPool2d(self.last_pool, stride=2, ceil_mode=True)
        self.inception5a = inception("5a")
        self.inception5b = inception("5b")
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(channels, classes)
        self.initialise()

    def response_norm(self) -> nn.Module:
        """1 + 10^-4 times the mean of five squares, to the power 0.75: torch's own constants, and Caffe's."""
        return nn.LocalResponseNorm(5)

    def auxiliary_classifier(self, channels: int, width: int, classes: int, side: int) -> Auxiliary:
        """A classifier for maps of this side."""
        window = min(5, side)
        return Auxiliary(
            channels, width, classes, nn.AvgPool2d(window, stride=3), (side - window) // 3 + 1, Convolution
        )

    def initialise(self) -> None:
        """Glorot's weights; biases of 0.2, and of 0 in what says the scores."""
        scores: set[nn.Module] = {self.fc} | {auxiliary.fc2 for auxiliary in (self.aux1, self.aux2) if auxiliary}
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.constant_(layer.get_parameter("bias"), 0.0 if layer in scores else 0.2)

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """Class scores (N, classes) of pictures (N, 3, side, side).

        In training those of the auxiliary classifiers follow: (scores, scores at 4a, scores at 4d).
        """
        x = self.norm1(self.maxpool1(self.conv1(x)))
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))
        x = self.maxpool3(self.inception3b(self.inception3a(x)))
        at_4a = self.inception4a(x)
        at_4d = self.inception4d(self.inception4c(self.inception4b(at_4a)))
        x = self.maxpool4(self.inception4e(at_4d))
        x = self.inception5b(self.inception5a(x))
        scores = self.fc(self.dropout(self.avgpool(x).flatten(1)))
        if self.training and self.aux1 and self.aux2:
            return scores, self.aux1(at_4a), self.aux2(at_4d)
        return scores


FAMILY = dict(
    family="googlenet",
    year=2014,
    paper="arXiv:1409.4842",
    topic="milestones",
    task="shapes",
    idea=(
        "Filters of several sizes side by side, made affordable by 1x1 convolutions that narrow before them, and "
        "auxiliary classifiers that bring a gradient to the middle of 22 layers."
    ),
    builds_on=("network-in-network",),
    network="GoogLeNet",
    names={"googlenet": dict(width=64)},
    input=(3, 224, 224),
    output=(1000,),
    params={"googlenet": 13_378_280},
    mini=dict(width=16, classes=8, side=32),
    lr={"googlenet": 0.001},
    reference=None,
)
