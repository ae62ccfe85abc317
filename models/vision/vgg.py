"""VGG: Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition (arXiv:1409.1556, 2014).

Two 3x3 filters one after the other see 5x5 pixels, three see 7x7: with fewer weights, 3 * 9 against 49 for each pair of
channels, and with a ReLU in between. So every filter is 3x3, and what is tried out is depth alone.

Table 1 of the paper, for pictures of 3x224x224. Every 3x3 is padded by 1 and bent by ReLU; the largest of 2x2 follows
each row of convolutions:

    output     vgg11 (A)      vgg13 (B)      vgg16 (D)      vgg19 (E)
    224x224    3x3, 64        3x3, 64: x2    3x3, 64: x2    3x3, 64: x2
    112x112    3x3, 128       3x3, 128: x2   3x3, 128: x2   3x3, 128: x2
    56x56      3x3, 256: x2   3x3, 256: x2   3x3, 256: x3   3x3, 256: x4
    28x28      3x3, 512: x2   3x3, 512: x2   3x3, 512: x3   3x3, 512: x4
    14x14      3x3, 512: x2   3x3, 512: x2   3x3, 512: x3   3x3, 512: x4
    7x7        dense, 4096, dropout: x2; dense, 1000
    total      132,863,336    133,047,848    138,357,544    143,667,240 parameters

Of vgg16's parameters 14,714,688 are filters, and 123,642,856 the three dense layers. Most of the work is the filters'.

The names of the weights are torchvision's, places in a sequence. Names that end in `-bn` normalise after each
convolution (Ioffe, Szegedy, 2015), which torchvision added. The paper had no such thing: its deeper networks began with
weights of the shallow one, until the authors found that Glorot's and Bengio's (2010) first weights make that
unnecessary. Here they are torchvision's: He's (2015) in the filters, and small in the dense layers.

torchvision averages whatever map comes to 7x7, so that wrong sizes of pictures pass unnoticed; this network reads the
size that it was built for. The mini is four channels wide where the paper has 64, that of vgg19-bn eight, and reads
3x32x32. Without norms so deep a stack easily dies in the first large steps: of vgg19 the mini leaves out four
convolutions.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class VGG(nn.Module):
    """Five rows of 3x3 convolutions, each with pooling, and three dense layers.

    Args:
        depths: Convolutions of each row.
        batch_norm: Normalise over the batch after each convolution.
        width: Channels of the first row; the next three double them, up to eight times as many.
        hidden: Neurons of the first two dense layers.
        classes: Number of classes.
        side: Pixels of the square input's side: a multiple of 32.
        dropout: Chance of a neuron of the first two dense layers to be left out of a training step.
        std: Standard deviation of the dense layers' first weights.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        batch_norm: bool = False,
        width: int = 64,
        hidden: int = 4096,
        classes: int = 1000,
        side: int = 224,
        dropout: float = 0.5,
        std: float = 0.01,
    ):
        super().__init__()
        if len(depths) != 5 or min(depths) < 1:
            raise ValueError("depths must be five numbers of 1 or more, such as 2, 2, 3, 3, 3")
        if side < 32 or side % 32:
            raise ValueError("side must be a multiple of 32: each of the five poolings halves it")
        self.input_shape = (3, side, side)
        layers: list[nn.Module] = []
        channels = 3  # that come out of the convolution before
        for row, depth in enumerate(depths):
            for _ in range(depth):
                filters = width * min(2**row, 8)
                layers.append(nn.Conv2d(channels, filters, kernel_size=3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(filters))
                layers.append(nn.ReLU(inplace=True))
                channels = filters
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(channels * (side // 32) ** 2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, classes),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        return self.classifier(self.features(x).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's VGG of the same depths."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="vgg",
    year=2014,
    paper="arXiv:1409.1556",
    topic="milestones",
    task="shapes",
    idea=(
        "Nothing but 3x3 filters, stacked: two see as much as a 5x5, three as a 7x7, with fewer weights and more bends "
        "in between, and depth alone makes the difference."
    ),
    builds_on=("alexnet",),
    network="VGG",
    names={
        "vgg11": dict(depths=(1, 1, 2, 2, 2)),
        "vgg11-bn": dict(depths=(1, 1, 2, 2, 2), batch_norm=True),
        "vgg13": dict(depths=(2, 2, 2, 2, 2)),
        "vgg13-bn": dict(depths=(2, 2, 2, 2, 2), batch_norm=True),
        "vgg16": dict(depths=(2, 2, 3, 3, 3)),
        "vgg16-bn": dict(depths=(2, 2, 3, 3, 3), batch_norm=True),
        "vgg19": dict(depths=(2, 2, 4, 4, 4)),
        "vgg19-bn": dict(depths=(2, 2, 4, 4, 4), batch_norm=True),
    },
    input=(3, 224, 224),
    output=(1000,),
    params={
        "vgg11": 132_863_336,
        "vgg11-bn": 132_868_840,
        "vgg13": 133_047_848,
        "vgg13-bn": 133_053_736,
        "vgg16": 138_357_544,
        "vgg16-bn": 138_365_992,
        "vgg19": 143_667_240,
        "vgg19-bn": 143_678_248,
    },
    mini=dict(width=4, hidden=128, classes=8, side=32, dropout=0.2, std=0.1),
    minis={"vgg19": dict(depths=(1, 1, 2, 4, 4)), "vgg19-bn": dict(width=8)},
    lr={"vgg11": 0.001, "vgg13": 0.001, "vgg16": 0.001, "vgg19": 0.001},
    reference="torchvision",
)
