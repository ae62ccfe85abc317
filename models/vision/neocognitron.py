"""The neocognitron: Fukushima, Neocognitron: a self-organizing neural network model for a mechanism of pattern
recognition unaffected by shift in position (Biological Cybernetics 36, 1980).

S-cells detect a local feature, and each plane of them the same one at every position; C-cells respond if any S-cell
nearby does. Three such pairs of layers recognize whole patterns at any position. All convolutional networks have this
structure, but here no error is propagated backward: planes compete for patterns and learn without labels.

    layer    cells       planes    sees    column    r      q     learned synapses
    U0       16x16       1
    US1      16x16       24        5x5     5x5       4      1     24*25    + 24  =    624
    UC1      10x10       24        5x5
    US2      8x8         24        5x5     5x5       1.5    16    24*24*25 + 24  = 14,424
    UC2      6x6         24        5x5
    US3      2x2         24        5x5     2x2       1.5    16    24*24*25 + 24  = 14,424
    UC3      1x1         24        2x2
                                                                  total            29,472

With phi(x) = max(x, 0), the S-cell of plane k at position n is excited through the synapses a, and inhibited through b
by a cell v that measures how large its inputs are:

    u_S(k, n) = r phi( (1 + sum_{k',i} a(k',i,k) u_C(k',n+i)) / (1 + 2r/(1+r) b(k) v_C(n)) - 1 )
    v_C(n)    = sqrt( sum_{k',i} c(i) u_C(k',n+i)^2 ),        sum_{k',i} c(i) = 1

A C-cell compares the S-cells of its plane nearby with the mean over all planes, and saturates:

    u_C(k, n) = psi( (1 + sum_i d(i) u_S(k,n+i)) / (1 + v_S(n)) - 1 ),   psi(x) = phi(x / (alpha + x))
    v_S(n)    = mean_k sum_i d(i) u_S(k,n+i),                            alpha = 1/2

A column is a small square of positions across all planes; there is one around every position. The cell of a column with
the largest response is a candidate, and the best candidate of each plane is its representative. The inputs of a
representative are added to the synapses of its plane:

    a(k',i,k) += q c(i) u_C(k',n+i)        b(k) += q/2 v_C(n)

So a plane that learned a single pattern p has a = t c p and b = t |p| / 2, where |p| is v_C. Its response to x is

    r (t |p| |x| (cos - r/(1+r))) / (1 + t |p| |x| r/(1+r))  ->  (1+r) cos - r        for large t,

where cos is the similarity of p and x: 1 for x = p, whatever its magnitude, and nothing for a cos of r/(1+r) or less.
Other planes then win for other patterns. r sets the similarity that is needed: 0.8 for r = 4 and 0.6 for r = 1.5.

The paper taught it five digits, each 20 times at random positions, and in a second experiment X, Y, T and Z: then each
of them had one cell of UC3 to itself, at any position. What the paper leaves open is set here: c and d decrease by
factors of 0.9 and 0.8 per cell of distance; C-cells have a stride of two S-cells and extend beyond the edge, which
makes 10x10 of 16x16 and 6x6 of 8x8; and a begins at c/100, times 1 + cos(2 (the direction of i - pi k/K)), times
1 - |k'/K' - k/K|.

In training, `forward` also teaches, as a batch norm updates its statistics there, until the number of images that
`learning_ranges` sets. With `num_classes`, a linear layer reads UC3, and only it is trained by gradients; the mini has
one. The mini has more planes, because the paper found that 24 are not enough for ten digits, and teaches one layer
after the other. Features that were learned without labels separate classes less well, but in more positions: on test
digits its accuracy is 81%, where a linear layer on the 16x16 pixels has 97%; but 61% against 41% if they are shifted by
two pixels, and 47% against 20% if by three (three seeds).
"""

from collections.abc import Sequence
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def radial_decay(size: int, base: float) -> Tensor:
    """Return weights (size, size) that decrease by a factor per pixel of distance from the center."""
    offset = torch.arange(size) - (size - 1) / 2
    return base ** torch.hypot(offset[:, None], offset[None, :])


class SLayer(nn.Module):
    """Planes of S-cells, each of which sees 5x5 cells of all input planes.

    Args:
        in_planes: Planes of the input.
        planes: Planes of the output.
        padding: Silent cells around the input.
        selectivity: The paper's r: how similar an input must be to the learned pattern.
        speed: The paper's q: how much a representative learns from one image.
        column_size: Height and width of the columns.
    """

    c: Tensor

    def __init__(self, in_planes: int, planes: int, padding: int, selectivity: float, speed: float, column_size: int):
        super().__init__()
        self.padding, self.selectivity, self.speed, self.column_size = padding, selectivity, speed, column_size
        c = radial_decay(5, 0.9)
        self.register_buffer("c", c / (in_planes * c.sum()))
        self.a = nn.Parameter(0.01 * self.c * initial_preferences(in_planes, planes), requires_grad=False)
        self.b = nn.Parameter(torch.zeros(planes), requires_grad=False)

    def inhibition(self, u: Tensor) -> Tensor:
        """Return the outputs of the inhibitory cells (N, 1, h, w) for input planes (N, in_planes, h, w)."""
        return F.conv2d(u.square(), self.c.expand(1, u.shape[1], -1, -1), padding=self.padding).sqrt()

    def forward(self, u: Tensor) -> Tensor:
        """(N, in_planes, h, w) -> (N, planes, h + 2*padding - 4, w + 2*padding - 4)."""
        r = self.selectivity
        excitation = F.conv2d(u, self.a, padding=self.padding)
        inhibition = 2 * r / (1 + r) * self.b[:, None, None] * self.inhibition(u)
        return r * ((1 + excitation) / (1 + inhibition) - 1).relu()

    def representatives(self, responses: Tensor) -> dict[int, tuple[int, int]]:
        """Return the position of each plane's representative, for responses (planes, h, w) to one image."""
        best, planes = responses.max(dim=0)
        _, indices = F.max_pool2d(best[None], self.column_size, stride=1, return_indices=True)
        indices = torch.unique(indices)
        candidates = zip(best.take(indices).tolist(), planes.take(indices).tolist(), indices.tolist(), strict=True)
        # The strongest candidate of a plane is last and overwrites the others.
        return {plane: divmod(index, best.shape[1]) for response, plane, index in sorted(candidates) if response > 0}

    def reinforce(self, u: Tensor, responses: Tensor) -> None:
        """Let the representatives learn their inputs.

        Args:
            u: The input planes of one image, (1, in_planes, h, w).
            responses: The output of `forward` for them.
        """
        v, padded = self.inhibition(u)[0, 0], F.pad(u[0], [self.padding] * 4)
        for plane, (y, x) in self.representatives(responses[0]).items():
            self.a[plane] += self.speed * self.c * padded[:, y : y + 5, x : x + 5]
            self.b[plane] += self.speed / 2 * v[y, x]


def initial_preferences(in_planes: int, planes: int) -> Tensor:
    """Return weights (planes, in_planes, 5, 5) that prefer another direction and other input planes in each plane."""
    offset = torch.arange(5.0) - 2
    direction = torch.atan2(offset[:, None], offset[None, :])
    k, k_in = torch.arange(planes) / planes, torch.arange(in_planes) / in_planes
    directed = 1 + torch.cos(2 * (direction - pi * k[:, None, None]))
    return directed[:, None] * (1 - (k[:, None] - k_in).abs())[:, :, None, None]


class CLayer(nn.Module):
    """A C-plane for each S-plane, whose cells respond if any S-cell nearby does.

    Args:
        kernel_size: Height and width of the square that a C-cell sees.
        stride: S-cells from one C-cell to the next.
        before: Silent cells at the left and the top edge.
        after: Silent cells at the right and the bottom edge.
    """

    d: Tensor

    def __init__(self, kernel_size: int, stride: int, before: int, after: int):
        super().__init__()
        self.stride, self.padding = stride, (before, after, before, after)
        self.register_buffer("d", radial_decay(kernel_size, 0.8))

    def forward(self, u: Tensor) -> Tensor:
        """(N, planes, h, w) -> (N, planes, (h + before + after - kernel_size)/stride + 1, ...)."""
        planes = u.shape[1]
        nearby = F.conv2d(F.pad(u, self.padding), self.d.expand(planes, 1, -1, -1), stride=self.stride, groups=planes)
        x = ((1 + nearby) / (1 + nearby.mean(dim=1, keepdim=True)) - 1).relu()
        return x / (0.5 + x)


class Neocognitron(nn.Module):
    """Three layers of S-cells with their C-cells, which learn from images in training.

    Args:
        planes: Planes in each of the three.
        selectivity: The paper's r of each.
        speed: The paper's q of each.
        learning_ranges: For each S-layer, the index of the first image that teaches it and of the first that no longer
            does.
        num_classes: Classes that a linear layer predicts from the last C-cells. None outputs these cells themselves.
    """

    def __init__(
        self,
        planes: Sequence[int] = (24, 24, 24),
        selectivity: Sequence[float] = (4.0, 1.5, 1.5),
        speed: Sequence[float] = (1.0, 16.0, 16.0),
        learning_ranges: Sequence[Sequence[int]] = ((0, 100), (0, 100), (0, 100)),
        num_classes: int | None = None,
    ):
        super().__init__()
        if not len(planes) == len(selectivity) == len(speed) == len(learning_ranges) == 3 or min(planes) < 1:
            raise ValueError("planes, selectivity, speed and learning_ranges must be three each, and planes 1 or more")
        self.input_shape = (1, 16, 16)
        self.learning_ranges = learning_ranges
        r, q = selectivity, speed
        self.s1 = SLayer(1, planes[0], padding=2, selectivity=r[0], speed=q[0], column_size=5)
        self.c1 = CLayer(5, stride=2, before=4, after=3)
        self.s2 = SLayer(planes[0], planes[1], padding=1, selectivity=r[1], speed=q[1], column_size=5)
        self.c2 = CLayer(5, stride=2, before=4, after=3)
        self.s3 = SLayer(planes[1], planes[2], padding=0, selectivity=r[2], speed=q[2], column_size=2)
        self.c3 = CLayer(2, stride=1, before=0, after=0)
        self.readout = nn.Linear(planes[2], num_classes) if num_classes else None
        self.register_buffer("seen", torch.tensor(0))

    @property
    def image_count(self) -> Tensor:
        """The number of images that taught the network, as a scalar tensor that is saved with its weights."""
        return self.get_buffer("seen")

    def layer_pairs(self) -> tuple[tuple[SLayer, CLayer], ...]:
        """Return each S-layer with its C-layer, from the input to the output."""
        return (self.s1, self.c1), (self.s2, self.c2), (self.s3, self.c3)

    def cells(self, x: Tensor) -> Tensor:
        """Return the last C-cells (N, planes) for images (N, 1, 16, 16), whose negative pixels count as 0."""
        u = x.relu()
        for s_layer, c_layer in self.layer_pairs():
            u = c_layer(s_layer(u))
        return u.flatten(1)

    @torch.no_grad()
    def learn(self, x: Tensor) -> None:
        """Teach those layers that are due, with images (N, 1, 16, 16), one after the other."""
        last = max(end for _, end in self.learning_ranges)
        for image in x[: max(0, last - int(self.image_count))]:
            u = image[None].relu()
            is_due = [first <= self.image_count < end for first, end in self.learning_ranges]
            for k, (s_layer, c_layer) in enumerate(self.layer_pairs()):
                if not any(is_due[k:]):
                    break
                responses = s_layer(u)
                if is_due[k]:
                    s_layer.reinforce(u, responses)
                u = c_layer(responses)
            self.image_count.add_(1)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (N, num_classes), or the last C-cells (N, planes), for images (N, 1, 16, 16).

        In training, the images teach the network first.
        """
        if self.training:
            self.learn(x)
        cells = self.cells(x)
        return cells if self.readout is None else self.readout(cells)


FAMILY = dict(
    family="neocognitron",
    year=1980,
    paper="Fukushima, Biological Cybernetics 36",
    topic="milestones",
    task="digits",
    contribution=(
        "Cells that detect a feature at every position and cells that discard its exact position, in turn: patterns "
        "are recognized anywhere and learned by competition, without labels."
    ),
    network="Neocognitron",
    names={"neocognitron": dict(planes=(24, 24, 24))},
    inputs=dict(image="float32[1, 16, 16]"),
    outputs=dict(logits="float32[num_classes]"),
    sizes=dict(classes="num_classes"),
    params={"neocognitron": 29_472},
    mini=dict(
        planes=(24, 60, 100),
        selectivity=(4.0, 2.5, 2.0),
        speed=(1.0, 64.0, 256.0),
        learning_ranges=((0, 300), (300, 800), (800, 1800)),
        num_classes=10,
    ),
    reference=None,
)
