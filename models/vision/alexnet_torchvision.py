"""AlexNet in one column: Krizhevsky, One weird trick for parallelizing convolutional neural networks (arXiv:1404.5997).

With larger graphics cards the two columns of 2012 grow together, and response normalisation goes. This is the AlexNet
of torchvision, whose weights everybody has; the names of the weights are its, and so mere places in a sequence. What it
was in 2012 stands in `alexnet.py`.

    layer                 what                                   output      parameters
    input                                                        3x224x224
    features.0, 1         64 filters 11x11, stride 4; ReLU       64x55x55            23,296
    features.2            largest of 3x3, stride 2               64x27x27
    features.3, 4         192 filters 5x5; ReLU                  192x27x27          307,392
    features.5            largest of 3x3, stride 2               192x13x13
    features.6, 7         384 filters 3x3; ReLU                  384x13x13          663,936
    features.8, 9         256 filters 3x3; ReLU                  256x13x13          884,992
    features.10, 11       256 filters 3x3; ReLU                  256x13x13          590,080
    features.12           largest of 3x3, stride 2               256x6x6
    classifier.0, 1, 2    dropout, dense, ReLU                   4096            37,752,832
    classifier.3, 4, 5    dropout, dense, ReLU                   4096            16,781,312
    classifier.6          dense                                  1000             4,097,000
                                                                 total           61,100,840

Here dropout comes before the first two dense layers, in 2012 after them. The first weights are torch's own choice.

torchvision averages whatever map comes to 6x6, so that wrong sizes of pictures pass unnoticed; this network reads
the size that it was built for. The mini reads 3x96x96, of which 2x2 are left in the last map.
"""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn


class TorchvisionAlexNet(nn.Module):
    """Five convolutions and three dense layers.

    Args:
        widths: Filters of the five convolutions.
        hidden: Neurons of the first two dense layers.
        classes: Number of classes.
        side: Pixels of the square input's side; at least 63.
        dropout: Chance of an input of the first two dense layers to be left out of a training step.
    """

    def __init__(
        self,
        widths: Sequence[int] = (64, 192, 384, 256, 256),
        hidden: int = 4096,
        classes: int = 1000,
        side: int = 224,
        dropout: float = 0.5,
    ):
        super().__init__()
        if len(widths) != 5 or min(widths) < 1:
            raise ValueError("widths must be five numbers of 1 or more, such as 64, 192, 384, 256, 256")
        if side < 63:
            raise ValueError("side must be 63 or more, or nothing is left after the last pooling")
        self.input_shape = (3, side, side)
        map_side = (side + 2 * 2 - 11) // 4 + 1
        for _ in range(3):
            map_side = (map_side - 3) // 2 + 1
        one, two, three, four, five = widths
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
            nn.Linear(five * map_side**2, hidden),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(inplace=True),
            nn.Linear(hidden, classes),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, 3, side, side)."""
        return self.classifier(self.features(x).flatten(1))

    def load_reference(self, state_dict: Mapping[str, Tensor]) -> None:
        """Take the weights of torchvision's `alexnet`."""
        self.load_state_dict(state_dict)


FAMILY = dict(
    family="alexnet",
    year=2014,
    paper="arXiv:1404.5997",
    topic="milestones",
    task="shapes",
    idea=(
        "AlexNet in one column, without response normalisation: what is left of 2012 when one card holds the whole "
        "network, and the form that torchvision gives away with weights."
    ),
    builds_on=("lenet5",),
    network="TorchvisionAlexNet",
    names={"alexnet-torchvision": dict(widths=(64, 192, 384, 256, 256))},
    input=(3, 224, 224),
    output=(1000,),
    params={"alexnet-torchvision": 61_100_840},
    mini=dict(widths=(16, 48, 64, 64, 48), hidden=128, classes=8, side=96),
    lr={"alexnet-torchvision": 0.001},
    reference="torchvision",
)
