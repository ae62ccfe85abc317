"""VGG: Simonyan, Zisserman, Very deep convolutional networks for large-scale image recognition (arXiv:1409.1556, 2014).

Two 3x3 filters in sequence have a receptive field of 5x5, three of 7x7, with fewer weights (3 * 9 against 49 per pair
of channels) and with a ReLU in between. So every filter is 3x3, and only the depth varies.

Table 1 of the paper, for images of 3x224x224. Every 3x3 convolution has padding 1 and is followed by ReLU; each row
ends with 2x2 max pooling:

    output     vgg11 (A)      vgg13 (B)      vgg16 (D)      vgg19 (E)
    224x224    3x3, 64        3x3, 64: x2    3x3, 64: x2    3x3, 64: x2
    112x112    3x3, 128       3x3, 128: x2   3x3, 128: x2   3x3, 128: x2
    56x56      3x3, 256: x2   3x3, 256: x2   3x3, 256: x3   3x3, 256: x4
    28x28      3x3, 512: x2   3x3, 512: x2   3x3, 512: x3   3x3, 512: x4
    14x14      3x3, 512: x2   3x3, 512: x2   3x3, 512: x3   3x3, 512: x4
    7x7        dense, 4096, dropout: x2; dense, 1000
    total      132,863,336    133,047,848    138,357,544    143,667,240 parameters

Of vgg16's parameters 14,714,688 are in the convolutions and 123,642,856 in the three dense layers, but most of the MACs
are in the convolutions.

State-dict keys are torchvision's. Names that end in `-bn` have batch norm after each convolution (Ioffe, Szegedy,
2015), which torchvision added. The paper initialized its deeper networks with weights of the shallow one, until the
authors found that the initialization of Glorot and Bengio (2010) makes that unnecessary. Here initial weights are
torchvision's: He et al. (2015) for filters, small normal ones for dense layers.

torchvision averages maps of any size to 7x7, so that images of a wrong size go unnoticed; this network reads only the
size that it was built for. The mini has 4 channels instead of 64, that of vgg19-bn has 8, and reads 3x32x32. Without
norms such a deep stack of ReLUs easily dies in the first large steps, so the mini of vgg19 has four convolutions fewer.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class VGG(nn.Module):
    """Five stages of 3x3 convolutions, each with max pooling at its end, and three dense layers.

    Args:
        depths: Convolutions in each stage.
        batch_norm: Whether each convolution is followed by batch norm.
        channels: Channels of the first stage; the next three double them, up to eight times as many.
        hidden_size: Neurons of the first two dense layers.
        num_classes: Number of classes.
        image_size: Height and width of the image: a multiple of 32.
        dropout: Probability that a neuron of the first two dense layers is dropped in a training step.
        init_std: Standard deviation of the dense layers' initial weights.
    """

    def __init__(
        self,
        depths: Sequence[int] = (2, 2, 3, 3, 3),
        batch_norm: bool = False,
        channels: int = 64,
        hidden_size: int = 4096,
        num_classes: int = 1000,
        image_size: int = 224,
        dropout: float = 0.5,
        init_std: float = 0.01,
    ):
        super().__init__()
        if len(depths) != 5 or min(depths) < 1:
            raise ValueError("depths must be five numbers of 1 or more, such as 2, 2, 3, 3, 3")
        if image_size < 32 or image_size % 32:
            raise ValueError("image_size must be a multiple of 32: each of the five poolings halves it")
        self.input_shape = (3, image_size, image_size)
        layers: list[nn.Module] = []
        in_channels = 3
        for stage, depth in enumerate(depths):
            out_channels = channels * min(2**stage, 8)
            for _ in range(depth):
                layers.append(nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1))
                if batch_norm:
                    layers.append(nn.BatchNorm2d(out_channels))
                layers.append(nn.ReLU(inplace=True))
                in_channels = out_channels
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(in_channels * (image_size // 32) ** 2, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, num_classes),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
                nn.init.zeros_(layer.get_parameter("bias"))
            elif isinstance(layer, nn.Linear):
                nn.init.normal_(layer.weight, std=init_std)
                nn.init.zeros_(layer.get_parameter("bias"))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's VGG of the same depths."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="vgg",
    year=2014,
    paper="arXiv:1409.1556",
    topic="milestones",
    task="shapes",
    contribution=(
        "Only 3x3 filters: two in sequence see as much as one 5x5, three as much as one 7x7, with fewer weights and "
        "more activations, and depth alone makes the difference."
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
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("features.",)),
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
    mini=dict(channels=4, hidden_size=128, num_classes=8, image_size=32, dropout=0.2, init_std=0.1),
    mini_overrides={"vgg19": dict(depths=(1, 1, 2, 4, 4)), "vgg19-bn": dict(channels=8)},
    recipes={"vgg11": dict(lr=0.001), "vgg13": dict(lr=0.001), "vgg16": dict(lr=0.001), "vgg19": dict(lr=0.001)},
    reference="torchvision",
)
