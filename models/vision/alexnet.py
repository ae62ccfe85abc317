"""AlexNet: Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks (2012).

LeNet's plan, a thousand times larger, learnt from 1.2 million photographs on two graphics cards. What let it learn:
ReLU, which does not saturate; dropout in the dense layers; and pictures shifted, mirrored and recoloured at random. It
won the ImageNet challenge of 2012 with 15.3% top-5 error; the next best had 26.2%.

    layer    what                                   output      parameters
    input                                           3x227x227
    conv1    96 filters 11x11, stride 4             96x55x55            34,944
    norm1    local response normalisation
    pool1    largest of 3x3, stride 2               96x27x27
    conv2    256 filters 5x5, two columns           256x27x27          307,456
    norm2    as norm1
    pool2    as pool1                               256x13x13
    conv3    384 filters 3x3                        384x13x13          885,120
    conv4    384 filters 3x3, two columns           384x13x13          663,936
    conv5    256 filters 3x3, two columns           256x13x13          442,624
    pool5    as pool1                               256x6x6
    fc6      dense, dropout                         4096            37,752,832
    fc7      dense, dropout                         4096            16,781,312
    fc8      dense                                  1000             4,097,000
                                                    total           60,965,224

Each card held half of the maps, a column. Its filters saw only that half, but for conv3 and the dense layers, which
looked across: a grouped convolution. Without the two columns it would be 62,378,344 parameters.

Response normalisation divides what map i says at a place by what its neighbours say there:

    y_i = x_i / (2 + 10^-4 * sum of x_j^2 over the five maps i-2 ... i+2)^0.75

The windows of the pooling overlap: 3x3, two pixels apart. The paper writes 224x224; 55x55 after conv1 needs 227x227.

The mini reads 3x67x67, the smallest picture that leaves a pixel after pool5. The paper draws all weights with a
standard deviation of 0.01, which suits thousands of inputs to a neuron; the mini has far fewer, draws them larger, and
leaves out fewer.
"""

from collections.abc import Sequence

from torch import Tensor, nn


def response_norm() -> nn.LocalResponseNorm:
    """The paper's normalisation; torch divides alpha by the five maps, and the paper does not."""
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2)


class AlexNet(nn.Module):
    """Five convolutions, some of them in two columns, and three dense layers.

    Args:
        widths: Filters of the five convolutions: even, since each column has half.
        hidden: Neurons of fc6 and of fc7.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 67.
        dropout: Chance of a neuron of fc6 and fc7 to be left out of a training step.
        std: Standard deviation of the first weights.
    """

    def __init__(
        self,
        widths: Sequence[int] = (96, 256, 384, 384, 256),
        hidden: int = 4096,
        classes: int = 1000,
        side: int = 227,
        dropout: float = 0.5,
        std: float = 0.01,
    ):
        super().__init__()
        if len(widths) != 5 or any(width < 2 or width % 2 for width in widths):
            raise ValueError("widths must be five even numbers, such as 96, 256, 384, 384, 256")
        if side < 67:
            raise ValueError("side must be 67 or more, or nothing is left after pool5")
        self.input_shape = (3, side, side)
        map_side = (side - 11) // 4 + 1
        for _ in range(3):
            map_side = (map_side - 3) // 2 + 1
        one, two, three, four, five = widths
        self.conv1 = nn.Conv2d(3, one, kernel_size=11, stride=4)
        self.norm1 = response_norm()
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.conv2 = nn.Conv2d(one, two, kernel_size=5, padding=2, groups=2)
        self.norm2 = response_norm()
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.conv3 = nn.Conv2d(two, three, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(three, four, kernel_size=3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(four, five, kernel_size=3, padding=1, groups=2)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = nn.Linear(five * map_side**2, hidden)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = nn.Linear(hidden, hidden)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(hidden, classes)
        self.initialise(std)

    def initialise(self, std: float) -> None:
        """Normal weights, and biases of 1 in front of most ReLUs, which then pass on a gradient from the start."""
        for layer in self.children():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(layer.weight, std=std)
                positive = layer in (self.conv2, self.conv4, self.conv5, self.fc6, self.fc7)
                nn.init.constant_(layer.get_parameter("bias"), 1.0 if positive else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        x = self.pool1(self.norm1(self.conv1(x).relu()))
        x = self.pool2(self.norm2(self.conv2(x).relu()))
        x = self.conv3(x).relu()
        x = self.conv4(x).relu()
        x = self.pool5(self.conv5(x).relu())
        x = self.drop6(self.fc6(x.flatten(1)).relu())
        x = self.drop7(self.fc7(x).relu())
        return self.fc8(x)


FAMILY = dict(
    family="alexnet",
    year=2012,
    paper="Krizhevsky, Sutskever, Hinton, NeurIPS 2012",
    topic="milestones",
    task="shapes",
    idea=(
        "A deep convolutional network on two graphics cards, learnt from a million photographs: ReLU, dropout and "
        "augmentation let it train, and the challenge of 2012 was won by far."
    ),
    builds_on=("lenet5",),
    network="AlexNet",
    names={"alexnet": dict(widths=(96, 256, 384, 384, 256))},
    input=(3, 227, 227),
    output=(1000,),
    params={"alexnet": 60_965_224},
    mini=dict(widths=(16, 48, 64, 64, 48), hidden=128, classes=8, side=67, dropout=0.2, std=0.07),
    lr={"alexnet": 0.0005},
    reference=None,
)
