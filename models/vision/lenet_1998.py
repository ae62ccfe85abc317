"""The original LeNet-5: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition (1998).

Small filters that are the same at every position detect local features; subsampling then discards their exact
positions, and the next filters combine features into larger ones. The last hidden layer outputs an image of 7x12
pixels, and the answer is the digit whose drawing is closest to it.

    layer    type                                           output       parameters
    input                                                   1x32x32
    C1       6 filters 5x5                                  6x28x28      6*(25 + 1)                     =    156
    S2       sum of 2x2, times a coefficient, plus a bias   6x14x14      6*2                            =     12
    C3       16 filters 5x5, each over some maps of S2      16x10x10     6*(75+1) + 9*(100+1) + 150+1   =  1,516
    S4       as S2                                          16x5x5       16*2                           =     32
    C5       120 filters 5x5                                120          120*(400 + 1)                  = 48,120
    F6       dense                                          84           84*(120 + 1)                   = 10,164
    output   squared distances to 10 drawings (RBF)         10           84*10 = 840 pixels, fixed
                                                                                                  total   60,000

Every layer up to F6 has the activation 1.7159 tanh(2x/3), which maps 1 to 1 and -1 to -1, the colors of the drawings.

This network deviates from the paper in four ways:

- Its outputs are the negative distances, so that the largest one is the answer as in every other network, divided by
  the number of pixels. The paper's loss is y_k + log(e^-j + sum_i e^-y_i) for distances y, the true class k and a
  constant j (its equation 9). Without e^-j, which allows for images that show no digit, that is the cross-entropy of
  -y. The constant keeps pulling F6 toward the true drawing when that is already the closest; the cross-entropy of -y
  has hardly any gradient then, and such a network classifies new digits worse than softmax regression does. The
  cross-entropy of -y/84 keeps pulling, as the paper's loss does.
- Figure 3 of the paper shows its drawings. Those below have the same size of 7x12 and the same style, but not the same
  pixels everywhere.
- It is trained by any optimizer. The paper used a diagonal Levenberg-Marquardt method with one image per update.
- The mini reads 1x20x20, in which digits of 8x8 are enlarged to suit the same 5x5 filters. S4 is then 16x2x2, and the
  filters of C5 are 2x2.
"""

import torch
from torch import Tensor, nn

# Table I of the paper: the maps of S2 that each map of C3 sees: three or four adjacent maps, two pairs, and all six.
THREE = ((0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (4, 5, 0), (5, 0, 1))
FOUR = ((0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (3, 4, 5, 0), (4, 5, 0, 1), (5, 0, 1, 2))
PAIRS = ((0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5))

DRAWINGS = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...##..  .#####.  .#####.  ....##.  #######  ..####.  #######  .#####.  .#####.
.##.##.  ..###..  ##...##  ##...##  ...###.  ##.....  .##....  ##...##  ##...##  ##...##
##...##  .####..  .....##  .....##  ..####.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  .##.##.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ....##.  ..####.  ##..##.  ######.  ######.  ....##.  .#####.  .######
##...##  ...##..  ...##..  .....##  #######  .....##  ##...##  ...##..  ##...##  .....##
##...##  ...##..  ..##...  .....##  ....##.  .....##  ##...##  ...##..  ##...##  .....##
.##.##.  ...##..  .##....  ##...##  ....##.  ##...##  ##...##  ..##...  ##...##  ....##.
..###..  .######  #######  .#####.  ....##.  .#####.  .#####.  ..##...  .#####.  .####..
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


def codes() -> Tensor:
    """Return the drawings of 0 to 9, row by row: (10, 84), with 1 for ink and -1 for paper."""
    rows = [line.split() for line in DRAWINGS.split("\n") if line]  # 12 rows, each of 10 digits
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[k]] for k in range(10)])


class ScaledTanh(nn.Tanh):
    """The activation 1.7159 tanh(2x/3): steepest at 0, through (1, 1) and (-1, -1), and bounded by 1.7159."""

    def forward(self, x: Tensor) -> Tensor:
        """(...) -> (...)."""
        return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    """Replaces each 2x2 pixels of a map by their sum, times the map's coefficient, plus the map's bias.

    Args:
        channels: Number of maps.
    """

    def __init__(self, channels: int):
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(channels, 1, 1))
        self.bias = nn.Parameter(torch.empty(channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, h, w) -> (N, channels, h/2, w/2)."""
        sums = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
        return self.coefficient * sums + self.bias


class TableConvolution(nn.Module):
    """C3: 16 filters 5x5, each over the maps of S2 that Table I lists for it.

    The filters over three maps are a convolution with six groups, whose input has the maps in the table's order. Those
    over four maps have nine groups, and the last filter sees all six maps.
    """

    def __init__(self) -> None:
        super().__init__()
        self.three = nn.Conv2d(6 * 3, 6, kernel_size=5, groups=6)
        self.four = nn.Conv2d(9 * 4, 9, kernel_size=5, groups=9)
        self.six = nn.Conv2d(6, 1, kernel_size=5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 6, h, w) -> (N, 16, h-4, w-4)."""
        threes, fours = x[:, [m for maps in THREE for m in maps]], x[:, [m for maps in FOUR + PAIRS for m in maps]]
        return torch.cat([self.three(threes), self.four(fours), self.six(x)], dim=1)


class SquaredDistances(nn.Module):
    """The output layer of ten radial basis functions: squared distances of an image to the drawn digits."""

    codes: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("codes", codes())

    def forward(self, x: Tensor) -> Tensor:
        """(N, 84) -> (N, 10)."""
        return (x[:, None] - self.codes).square().sum(dim=2)


class OriginalLeNet5(nn.Module):
    """Two convolutions with subsampling, a third over the whole map, a dense layer, and distances to drawn digits.

    Args:
        image_size: Height and width of the image: 16, 20, 24 ..., so that both subsamplings divide evenly.
    """

    def __init__(self, image_size: int = 32):
        super().__init__()
        if image_size < 16 or image_size % 4:
            raise ValueError(
                "image_size must be 16, 20, 24 ...: two 5x5 filters, each followed by 2x2 subsampling, must fit"
            )
        self.input_shape = (1, image_size, image_size)
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.tanh1 = ScaledTanh()
        self.s2 = Subsampling(6)
        self.tanh2 = ScaledTanh()
        self.c3 = TableConvolution()
        self.tanh3 = ScaledTanh()
        self.s4 = Subsampling(16)
        self.tanh4 = ScaledTanh()
        self.c5 = nn.Conv2d(16, 120, kernel_size=((image_size - 4) // 2 - 4) // 2)  # as large as the map
        self.tanh5 = ScaledTanh()
        self.f6 = nn.Linear(120, 84)
        self.tanh6 = ScaledTanh()
        self.output = SquaredDistances()
        self.apply(initialize_weights)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, 10) for images (N, 1, image_size, image_size): negative mean squared distances."""
        x = self.tanh2(self.s2(self.tanh1(self.c1(x))))
        x = self.tanh4(self.s4(self.tanh3(self.c3(x))))
        x = self.tanh5(self.c5(x)).flatten(1)
        x = self.tanh6(self.f6(x))
        distances: Tensor = self.output(x)
        return -distances / self.output.codes.shape[1]


def initialize_weights(layer: nn.Module) -> None:
    """Draw a layer's weights and biases uniformly from -2.4/F to 2.4/F, where F is its fan-in (appendix A)."""
    if isinstance(layer, (nn.Conv2d, nn.Linear)):
        fan_in = layer.weight[0].numel()
    elif isinstance(layer, Subsampling):
        fan_in = 4
    else:
        return
    for weight in layer.parameters():
        nn.init.uniform_(weight, -2.4 / fan_in, 2.4 / fan_in)


FAMILY = dict(
    family="lenet5",
    year=1998,
    paper="LeCun, Bottou, Bengio, Haffner, Proc. IEEE 86(11)",
    topic="milestones",
    task="digits",
    contribution=(
        "Small filters, the same at every position, with subsampling in between; the answer is the digit whose "
        "drawing is closest to the output of the last hidden layer."
    ),
    builds_on=("neocognitron", "mlp"),
    network="OriginalLeNet5",
    names={"lenet5": dict(image_size=32)},
    inputs=dict(image="float32[1, image_size, image_size]"),
    outputs=dict(scores="float32[10]"),
    params={"lenet5": 60_000},
    mini=dict(image_size=20),
    reference=None,
)
