"""LeNet-5: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition (1998).

Small filters that are the same at every position detect local features; average pooling then discards their exact
positions, and the next filters combine features into larger ones. Trained end to end by back-propagation, from pixels
to classes, the network read the digits on bank checks.

This is the modern form, as it is taught today: each filter of C3 spans all six maps of S2, pooling is a plain average
without coefficients, and the output layer is linear, whereas the paper's measured distances to digits drawn by hand
(RBF). The original network is in `lenet_1998.py`.

    layer    type                       output       parameters
    input                               1x32x32
    C1       6 filters 5x5, tanh        6x28x28      6*(1*25 + 1)    =    156
    S2       average pooling 2x2        6x14x14
    C3       16 filters 5x5, tanh       16x10x10     16*(6*25 + 1)   =  2,416
    S4       average pooling 2x2        16x5x5
    C5       dense, tanh                120          120*(400 + 1)   = 48,120
    F6       dense, tanh                84           84*(120 + 1)    = 10,164
    output   dense                      10           10*(84 + 1)     =    850
                                                              total    61,706

The paper centers its 28x28 digits in images of 32x32, so that the ends of strokes can be in the middle of a filter.
The mini reads 1x20x20, in which digits of 8x8 are enlarged to suit the same 5x5 filters. S4 is then 16x2x2 and C5
smaller; the rest is unchanged.
"""

from torch import Tensor, nn


class LeNet5(nn.Module):
    """Two convolutions with average pooling and three dense layers, with tanh throughout.

    Args:
        image_size: Height and width of the image: 16, 20, 24 ..., so that both poolings divide evenly.
        num_classes: Number of classes.
        in_channels: Channels of the image.
    """

    def __init__(self, image_size: int = 32, num_classes: int = 10, in_channels: int = 1):
        super().__init__()
        if image_size < 16 or image_size % 4:
            raise ValueError(
                "image_size must be 16, 20, 24 ...: two 5x5 filters, each followed by 2x2 pooling, must fit"
            )
        self.input_shape = (in_channels, image_size, image_size)
        map_size = ((image_size - 4) // 2 - 4) // 2  # of S4
        self.c1 = nn.Conv2d(in_channels, 6, kernel_size=5)
        self.tanh1 = nn.Tanh()
        self.s2 = nn.AvgPool2d(2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.tanh3 = nn.Tanh()
        self.s4 = nn.AvgPool2d(2)
        self.c5 = nn.Linear(16 * map_size**2, 120)
        self.tanh5 = nn.Tanh()
        self.f6 = nn.Linear(120, 84)
        self.tanh6 = nn.Tanh()
        self.output = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes) for images (N, in_channels, image_size, image_size)."""
        x = self.s2(self.tanh1(self.c1(x)))
        x = self.s4(self.tanh3(self.c3(x)))
        x = self.tanh5(self.c5(x.flatten(1)))
        x = self.tanh6(self.f6(x))
        logits: Tensor = self.output(x)
        return logits


FAMILY = dict(
    family="lenet5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11)",
    topic="milestones",
    task="digits",
    contribution=(
        "Small filters, the same at every position, with average pooling in between: features of features, trained "
        "end to end from pixels to classes."
    ),
    builds_on=("neocognitron", "mlp"),
    network="LeNet5",
    names={"lenet5-modern": dict(image_size=32)},
    inputs=dict(image="float32[in_channels, image_size, image_size]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"lenet5-modern": 61_706},
    mini=dict(image_size=20),
    reference=None,
)
