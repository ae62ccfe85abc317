"""LeNet-5: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition (1998).

Small filters, the same at every position, look for local features; averaging then forgets where exactly they were, and
the next filters look for features of features. Learnt end to end by back-propagation, from pixels to classes, it read
the digits on bank cheques.

The modern form, as taught today: C3 sees all six maps of S2, pooling is a plain average without coefficients, and the
output is linear where the paper measured distances to drawn digits (RBF). The network of 1998 is `lenet_1998.py`.

    layer    what                       output       parameters
    input                               1x32x32
    C1       6 filters 5x5, tanh        6x28x28      6*(1*25 + 1)    =    156
    S2       average pooling 2x2        6x14x14
    C3       16 filters 5x5, tanh       16x10x10     16*(6*25 + 1)   =  2,416
    S4       average pooling 2x2        16x5x5
    C5       dense, tanh                120          120*(400 + 1)   = 48,120
    F6       dense, tanh                84           84*(120 + 1)    = 10,164
    output   dense                      10           10*(84 + 1)     =    850
                                                              total    61,706

The paper sets its 28x28 digits into 32x32 pixels so that the end of a stroke can lie in the middle of a filter. The
mini takes 1x20x20, where digits of 8x8, enlarged, keep the same 5x5 filters; S4 is then 16x2x2 and C5 smaller, the rest
is the paper's.
"""

from torch import Tensor, nn


class LeNet5(nn.Module):
    """Two convolutions with average pooling, three dense layers, tanh throughout.

    Args:
        side: Pixels of the square input's side: at least 16, and 4 more at a time, so that both poolings come out even.
        classes: Number of classes.
        channels: Channels of the input.
    """

    def __init__(self, side: int = 32, classes: int = 10, channels: int = 1):
        super().__init__()
        if side < 16 or side % 4:
            raise ValueError("side must be 16, 20, 24 ...: two 5x5 filters, each followed by 2x2 pooling, must fit")
        self.input_shape = (channels, side, side)
        map_side = ((side - 4) // 2 - 4) // 2  # of S4
        self.c1 = nn.Conv2d(channels, 6, kernel_size=5)
        self.s2 = nn.AvgPool2d(2)
        self.c3 = nn.Conv2d(6, 16, kernel_size=5)
        self.s4 = nn.AvgPool2d(2)
        self.c5 = nn.Linear(16 * map_side**2, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, classes)

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, classes) of pictures (N, channels, side, side)."""
        x = self.s2(self.c1(x).tanh())
        x = self.s4(self.c3(x).tanh())
        x = self.c5(x.flatten(1)).tanh()
        x = self.f6(x).tanh()
        return self.output(x)


FAMILY = dict(
    family="lenet5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11)",
    topic="milestones",
    task="digits",
    idea=(
        "Small filters, the same at every position, and averaging in between: features of features, learnt end to "
        "end from pixels to classes."
    ),
    builds_on=("neocognitron", "mlp"),
    network="LeNet5",
    names={"lenet5-modern": dict(side=32)},
    input=(1, 32, 32),
    output=(10,),
    params={"lenet5-modern": 61_706},
    mini=dict(side=20),
    reference=None,
)
