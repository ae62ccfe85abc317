"""AlexNet, ungrouped: Krizhevsky, One weird trick for parallelizing convolutional neural networks (arXiv:1404.5997).

Two years later the whole network fits on one GPU: the groups become full convolutions, and response normalization is
left out. This is torchvision's AlexNet, whose weights are the ones in common use; the state-dict keys are torchvision's
too. The network from 2012 is in `alexnet.py`.

    layer                 type                                   output      parameters
    input                                                        3x224x224
    features.0, 1         64 filters 11x11, stride 4; ReLU       64x55x55            23,296
    features.2            max pooling 3x3, stride 2              64x27x27
    features.3, 4         192 filters 5x5; ReLU                  192x27x27          307,392
    features.5            max pooling 3x3, stride 2              192x13x13
    features.6, 7         384 filters 3x3; ReLU                  384x13x13          663,936
    features.8, 9         256 filters 3x3; ReLU                  256x13x13          884,992
    features.10, 11       256 filters 3x3; ReLU                  256x13x13          590,080
    features.12           max pooling 3x3, stride 2              256x6x6
    classifier.0, 1, 2    dropout, dense, ReLU                   4096            37,752,832
    classifier.3, 4, 5    dropout, dense, ReLU                   4096            16,781,312
    classifier.6          dense                                  1000             4,097,000
                                                                 total           61,100,840

Dropout is before the first two dense layers here; in 2012 it was after them. Weights have PyTorch's default
initialization.

torchvision averages maps of any size to 6x6, so that images of a wrong size go unnoticed; this network reads only the
size that it was built for. The mini reads 3x96x96, for which the last map is 2x2.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class TorchvisionAlexNet(nn.Module):
    """Five convolutions and three dense layers.

    Args:
        channels: Filters of the five convolutions.
        hidden_size: Neurons of the first two dense layers.
        num_classes: Number of classes.
        image_size: Height and width of the image; at least 63.
        dropout: Probability that an input of the first two dense layers is dropped in a training step.
    """

    def __init__(
        self,
        channels: Sequence[int] = (64, 192, 384, 256, 256),
        hidden_size: int = 4096,
        num_classes: int = 1000,
        image_size: int = 224,
        dropout: float = 0.5,
    ):
        super().__init__()
        if len(channels) != 5 or min(channels) < 1:
            raise ValueError("channels must be five numbers of 1 or more, such as 64, 192, 384, 256, 256")
        if image_size < 63:
            raise ValueError("image_size must be 63 or more, or nothing is left after the last pooling")
        self.input_shape = (3, image_size, image_size)
        map_size = (image_size + 2 * 2 - 11) // 4 + 1
        for _ in range(3):
            map_size = (map_size - 3) // 2 + 1
        one, two, three, four, five = channels
        self.features = nn.Sequential(
            nn.Conv2d(3, one, kernel_size=11, stride=4, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(one, two, kernel_size=5, padding=2),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(two, three, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(three, four, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.Conv2d(four, five, kernel_size=3, padding=1),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, stride=2),
        )
        self.classifier = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(five * map_size**2, hidden_size),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, hidden_size),
            nn.ReLU(inplace=True),
            nn.Linear(hidden_size, num_classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, 3, image_size, image_size)."""
        logits: Tensor = self.classifier(self.features(x).flatten(1))
        return logits

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load the weights of torchvision's `alexnet`."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="alexnet",
    year=2014,
    paper="arXiv:1404.5997",
    topic="milestones",
    task="shapes",
    contribution=(
        "AlexNet without groups and response normalization, because one GPU holds the whole network: the form that "
        "torchvision publishes with weights."
    ),
    builds_on=("lenet5",),
    network="TorchvisionAlexNet",
    names={"alexnet-torchvision": dict(channels=(64, 192, 384, 256, 256))},
    inputs=dict(image="float32[3, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"alexnet-torchvision": 61_100_840},
    mini=dict(channels=(16, 48, 64, 64, 48), hidden_size=128, num_classes=8, image_size=96),
    recipe=dict(lr=0.001),
    reference="torchvision",
)
