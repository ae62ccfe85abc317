"""AlexNet: Krizhevsky, Sutskever, Hinton, ImageNet classification with deep convolutional neural networks (2012).

LeNet's design, a thousand times larger, trained on 1.2 million photos with two GPUs. What made that possible: ReLU,
which does not saturate; dropout in the dense layers; and images that are shifted, flipped and recolored at random. It
won the ImageNet challenge in 2012 with 15.3% top-5 error; the second best entry had 26.2%.

    layer    type                                   output      parameters
    input                                           3x227x227
    conv1    96 filters 11x11, stride 4             96x55x55            34,944
    norm1    local response normalization
    pool1    max pooling 3x3, stride 2              96x27x27
    conv2    256 filters 5x5, two groups            256x27x27          307,456
    norm2    as norm1
    pool2    as pool1                               256x13x13
    conv3    384 filters 3x3                        384x13x13          885,120
    conv4    384 filters 3x3, two groups            384x13x13          663,936
    conv5    256 filters 3x3, two groups            256x13x13          442,624
    pool5    as pool1                               256x6x6
    fc6      dense, dropout                         4096            37,752,832
    fc7      dense, dropout                         4096            16,781,312
    fc8      dense                                  1000             4,097,000
                                                    total           60,965,224

Each GPU computed half of the maps. Its filters saw only that half, except in conv3 and the dense layers: a grouped
convolution with two groups. Without groups there would be 62,378,344 parameters.

Local response normalization divides each value of map i by a sum over adjacent maps at the same position:

    y_i = x_i / (2 + 10^-4 * sum of x_j^2 over the five maps i-2 ... i+2)^0.75

Pooling windows overlap: 3x3 with stride 2. The paper says 224x224, but an output of 55x55 from conv1 needs 227x227.

The mini reads 3x67x67, the smallest image that leaves a pixel after pool5. The paper draws all weights with a standard
deviation of 0.01, which suits neurons with thousands of inputs. The mini's neurons have far fewer inputs, so it draws
larger weights, and it has less dropout.
"""

from collections.abc import Sequence

from torch import Tensor, nn


def response_norm() -> nn.LocalResponseNorm:
    """Return the paper's normalization. torch divides alpha by the five maps, but the paper does not."""
    return nn.LocalResponseNorm(size=5, alpha=5 * 1e-4, beta=0.75, k=2)


class AlexNet(nn.Module):
    """Five convolutions, three of them with two groups, and three dense layers.

    Args:
        channels: Filters of the five convolutions: even numbers, because of the groups.
        hidden_size: Neurons of fc6 and of fc7.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 67.
        dropout: Probability that a neuron of fc6 and fc7 is dropped in a training step.
        init_std: Standard deviation of the initial weights.
    """

    def __init__(
        self,
        channels: Sequence[int] = (96, 256, 384, 384, 256),
        hidden_size: int = 4096,
        num_classes: int = 1000,
        image_size: int = 227,
        dropout: float = 0.5,
        init_std: float = 0.01,
    ):
        super().__init__()
        if len(channels) != 5 or any(count < 2 or count % 2 for count in channels):
            raise ValueError("channels must be five even numbers, such as 96, 256, 384, 384, 256")
        if image_size < 67:
            raise ValueError("image_size must be 67 or more, or nothing is left after pool5")
        self.input_shape = (3, image_size, image_size)
        map_size = (image_size - 11) // 4 + 1
        for _ in range(3):
            map_size = (map_size - 3) // 2 + 1
        one, two, three, four, five = channels
        self.conv1 = nn.Conv2d(3, one, kernel_size=11, stride=4)
        self.relu1 = nn.ReLU(inplace=True)
        self.norm1 = response_norm()
        self.pool1 = nn.MaxPool2d(3, stride=2)
        self.conv2 = nn.Conv2d(one, two, kernel_size=5, padding=2, groups=2)
        self.relu2 = nn.ReLU(inplace=True)
        self.norm2 = response_norm()
        self.pool2 = nn.MaxPool2d(3, stride=2)
        self.conv3 = nn.Conv2d(two, three, kernel_size=3, padding=1)
        self.relu3 = nn.ReLU(inplace=True)
        self.conv4 = nn.Conv2d(three, four, kernel_size=3, padding=1, groups=2)
        self.relu4 = nn.ReLU(inplace=True)
        self.conv5 = nn.Conv2d(four, five, kernel_size=3, padding=1, groups=2)
        self.relu5 = nn.ReLU(inplace=True)
        self.pool5 = nn.MaxPool2d(3, stride=2)
        self.fc6 = nn.Linear(five * map_size**2, hidden_size)
        self.relu6 = nn.ReLU(inplace=True)
        self.drop6 = nn.Dropout(dropout)
        self.fc7 = nn.Linear(hidden_size, hidden_size)
        self.relu7 = nn.ReLU(inplace=True)
        self.drop7 = nn.Dropout(dropout)
        self.fc8 = nn.Linear(hidden_size, num_classes)
        self.initialize_weights(init_std)

    def initialize_weights(self, std: float) -> None:
        """Draw normal weights; biases of 1 before most ReLUs let them pass a gradient from the start."""
        for layer in self.children():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.normal_(layer.weight, std=std)
                positive = layer in (self.conv2, self.conv4, self.conv5, self.fc6, self.fc7)
                nn.init.constant_(layer.get_parameter("bias"), 1.0 if positive else 0.0)

    def features(self, x: Tensor) -> Tensor:
        """Return the maps of pool5 for images (N, 3, image_size, image_size)."""
        x = self.pool1(self.norm1(self.relu1(self.conv1(x))))
        x = self.pool2(self.norm2(self.relu2(self.conv2(x))))
        x = self.relu3(self.conv3(x))
        x = self.relu4(self.conv4(x))
        maps: Tensor = self.pool5(self.relu5(self.conv5(x)))
        return maps

    def embed(self, maps: Tensor) -> Tensor:
        """Return the outputs of fc7 (N, hidden_size) for the maps of pool5."""
        x = self.drop6(self.relu6(self.fc6(maps.flatten(1))))
        hidden: Tensor = self.drop7(self.relu7(self.fc7(x)))
        return hidden

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.fc8(self.embed(self.features(x)))
        return logits


FAMILY = dict(
    family="alexnet",
    year=2012,
    paper="Krizhevsky, Sutskever, Hinton, NeurIPS 2012",
    topic="milestones",
    task="shapes",
    contribution=(
        "A deep convolutional network, trained on a million photos with two GPUs, thanks to ReLU, dropout and "
        "augmentation. It won the ImageNet challenge in 2012 by a wide margin."
    ),
    builds_on=("lenet5",),
    network="AlexNet",
    names={"alexnet": dict(channels=(96, 256, 384, 384, 256))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    parts=dict(backbone=("conv", "fc6.", "fc7.")),
    params={"alexnet": 60_965_224},
    mini=dict(channels=(16, 48, 64, 64, 48), hidden_size=128, num_classes=8, image_size=67, dropout=0.2, init_std=0.07),
    recipe=dict(lr=0.0005),
    reference=None,
)
