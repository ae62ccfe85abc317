"""LeNet-5 as it was: LeCun, Bottou, Bengio, Haffner, Gradient-based learning applied to document recognition (1998).

Small filters, the same at every position, look for local features; sub-sampling then forgets where exactly they were,
and the next filters look for features of features. At the end stands no score but a drawing: the last hidden layer
paints 7x12 pixels, and the digit whose drawn picture lies nearest is the answer.

    layer    what                                           output       parameters
    input                                                   1x32x32
    C1       6 filters 5x5                                  6x28x28      6*(25 + 1)                     =    156
    S2       sum of 2x2, times a coefficient, plus a bias   6x14x14      6*2                            =     12
    C3       16 filters 5x5, each over some maps of S2      16x10x10     6*(75+1) + 9*(100+1) + 150+1   =  1,516
    S4       as S2                                          16x5x5       16*2                           =     32
    C5       120 filters 5x5                                120          120*(400 + 1)                  = 48,120
    F6       dense                                          84           84*(120 + 1)                   = 10,164
    output   squared distances to 10 drawings (RBF)         10           84*10 = 840 pixels, fixed
                                                                                                  total   60,000

Each layer up to F6 bends its sums by 1.7159 tanh(2x/3), which maps 1 to 1 and -1 to -1: the colours of the drawings.

The outputs here are the distances with a minus before them, so that the largest is the answer, as everywhere else, and
divided by the number of pixels. The paper's loss, y_k + log(e^-j + sum_i e^-y_i) for distances y, the true class k and
a constant j (its equation 9), is the cross-entropy of -y but for e^-j, by which a picture may also show no digit. That
constant keeps pulling F6 towards the right drawing when it is the nearest already; the cross-entropy of -y alone stops
there, and reads new digits worse than softmax regression does. Of -y/84 it pulls on, as the paper's does.

Figure 3 of the paper shows the drawings that were used. Those below are drawn anew, in the same 7x12 pixels and style:
they say the same, and not every pixel is the same.

The mini takes 1x20x20, where digits of 8x8, enlarged, keep the same 5x5 filters; S4 is then 16x2x2 and C5 looks at it
through 2x2. The paper trained by a diagonal Levenberg-Marquardt method, one picture at a time; any optimiser will do.
"""

import torch
from torch import Tensor, nn

# Table I of the paper: which maps of S2 each map of C3 sees. Three neighbours, four neighbours or two pairs, and all.
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
    """The drawings of 0 to 9, row by row: (10, 84), 1 for ink and -1 for paper."""
    rows = [line.split() for line in DRAWINGS.split("\n") if line]  # 12 rows, each of 10 digits
    return torch.tensor([[1.0 if pixel == "#" else -1.0 for row in rows for pixel in row[k]] for k in range(10)])


def squash(x: Tensor) -> Tensor:
    """1.7159 tanh(2x/3): steepest around 0, through (1, 1) and (-1, -1), and never far beyond them."""
    return 1.7159 * torch.tanh(2 / 3 * x)


class Subsampling(nn.Module):
    """Each 2x2 pixels of a map become one: their sum, times the map's coefficient, plus the map's bias.

    Args:
        maps: Number of maps.
    """

    def __init__(self, maps: int):
        super().__init__()
        self.coefficient = nn.Parameter(torch.empty(maps, 1, 1))
        self.bias = nn.Parameter(torch.empty(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, maps, h, w) -> (N, maps, h/2, w/2)."""
        sums = x[..., ::2, ::2] + x[..., 1::2, ::2] + x[..., ::2, 1::2] + x[..., 1::2, 1::2]
        return self.coefficient * sums + self.bias


class TableConvolution(nn.Module):
    """C3: 16 filters 5x5 over the maps of S2 that Table I gives them.

    The filters over three maps are a convolution in six groups, on the maps in the table's order; those over four are
    nine groups, and the last sees all six maps.
    """

    def __init__(self):
        super().__init__()
        self.three = nn.Conv2d(6 * 3, 6, kernel_size=5, groups=6)
        self.four = nn.Conv2d(9 * 4, 9, kernel_size=5, groups=9)
        self.six = nn.Conv2d(6, 1, kernel_size=5)

    def forward(self, x: Tensor) -> Tensor:
        """(N, 6, h, w) -> (N, 16, h-4, w-4)."""
        threes, fours = x[:, [m for maps in THREE for m in maps]], x[:, [m for maps in FOUR + PAIRS for m in maps]]
        return torch.cat([self.three(threes), self.four(fours), self.six(x)], dim=1)


class Distances(nn.Module):
    """The output layer, ten radial basis functions: squared distances of a painted picture to the drawn digits."""

    codes: Tensor

    def __init__(self):
        super().__init__()
        self.register_buffer("codes", codes())

    def forward(self, x: Tensor) -> Tensor:
        """(N, 84) -> (N, 10)."""
        return (x[:, None] - self.codes).square().sum(dim=2)


class OriginalLeNet5(nn.Module):
    """Two convolutions with sub-sampling, a third that sees all, a dense layer, and distances to drawn digits.

    Args:
        side: Pixels of the square input's side: at least 16, and 4 more at a time, so that both sub-samplings come out
            even.
    """

    def __init__(self, side: int = 32):
        super().__init__()
        if side < 16 or side % 4:
            raise ValueError(
                "side must be 16, 20, 24 ...: two 5x5 filters, each followed by 2x2 sub-sampling, must fit"
            )
        self.input_shape = (1, side, side)
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.s2 = Subsampling(6)
        self.c3 = TableConvolution()
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, kernel_size=((side - 4) // 2 - 4) // 2)  # a filter as large as the map
        self.f6 = nn.Linear(120, 84)
        self.output = Distances()
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, 10) of pictures (N, 1, side, side): mean squared distances to the drawings, with a minus."""
        x = squash(self.s2(squash(self.c1(x))))
        x = squash(self.s4(squash(self.c3(x))))
        x = squash(self.c5(x)).flatten(1)
        x = squash(self.f6(x))
        return -self.output(x) / self.output.codes.shape[1]


def initialise(layer: nn.Module) -> None:
    """Weights and biases evenly from -2.4/F to 2.4/F, where F counts what comes into a neuron (appendix A)."""
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
    idea=(
        "Small filters, the same at every position, and sub-sampling in between; the answer is the digit whose "
        "drawing lies nearest to what the last layer paints."
    ),
    builds_on=("neocognitron", "mlp"),
    network="OriginalLeNet5",
    names={"lenet5": dict(side=32)},
    input=(1, 32, 32),
    output=(10,),
    params={"lenet5": 60_000},
    mini=dict(side=20),
    reference=None,
)
