"""The neocognitron: Fukushima, Neocognitron: a self-organizing neural network model for a mechanism of pattern
recognition unaffected by shift in position (Biological Cybernetics 36, 1980).

S-cells look for a local feature, each plane of them for the same one at every place; C-cells say that it was seen
somewhere near. Three times over that finds whole patterns wherever they stand. It is the plan of all convolutional
networks; but no error goes backwards here: planes compete for what they see, and learn without a teacher.

    layer    cells       planes    sees    column    r      q     synapses that learn
    U0       16x16       1
    US1      16x16       24        5x5     5x5       4      1     24*25    + 24  =    624
    UC1      10x10       24        5x5
    US2      8x8         24        5x5     5x5       1.5    16    24*24*25 + 24  = 14,424
    UC2      6x6         24        5x5
    US3      2x2         24        5x5     2x2       1.5    16    24*24*25 + 24  = 14,424
    UC3      1x1         24        2x2
                                                                  total            29,472

With phi(x) = max(x, 0), the S-cell of plane k at n is excited through a, and held back through b by an inhibitory cell
v that measures how much there is to see:

    u_S(k, n) = r phi( (1 + sum_{k',i} a(k',i,k) u_C(k',n+i)) / (1 + 2r/(1+r) b(k) v_C(n)) - 1 )
    v_C(n)    = sqrt( sum_{k',i} c(i) u_C(k',n+i)^2 ),        sum_{k',i} c(i) = 1

A C-cell takes what its plane sees near by against the mean of all planes, and saturates:

    u_C(k, n) = psi( (1 + sum_i d(i) u_S(k,n+i)) / (1 + v_S(n)) - 1 ),   psi(x) = phi(x / (alpha + x))
    v_S(n)    = mean_k sum_i d(i) u_S(k,n+i),                            alpha = 1/2

A column is a small square over all planes, one at every place. Of each column the cell that answers most is a
candidate, and the best candidate of a plane represents it. What it sees is added to the synapses of its plane:

    a(k',i,k) += q c(i) u_C(k',n+i)        b(k) += q/2 v_C(n)

So a plane that learnt a pattern p alone has a = t c p and b = t |p| / 2, with |p| for v_C. Shown x, its cells answer

    r (t |p| |x| (cos - r/(1+r))) / (1 + t |p| |x| r/(1+r))  ->  (1+r) cos - r        for t to infinity,

where cos is the similarity of p and x: 1 to p itself, whatever its strength, and nothing where cos is r/(1+r) or less.
Others then win what they don't know; r says how alike is alike enough, 0.8 for r = 4 and 0.6 for r = 1.5.

The paper taught it five digits, each 20 times at random places, and likewise X, Y, T and Z: each of them then had one
cell of UC3 to itself, wherever it stood. What the paper leaves open is here: c and d fall to 0.9 and 0.8 with each cell
of distance; C-cells stand two S-cells apart, the outer ones beyond the edge, which makes 10x10 of 16x16 and 6x6 of 8x8;
and a begins at c/100, times 1 + cos(2 (the direction of i - pi k/K)), times 1 - |k'/K' - k/K|.

In training `forward` also teaches, as a batch norm takes its means there, until so many pictures were shown as `learns`
says. With `classes`, a linear layer reads UC3; it alone is moved by gradients. The mini does so. It has more planes, as
the paper found that 24 don't do for ten digits, and teaches one layer after the other. What nobody chose for telling
classes apart tells them worse, and at more places: of test digits it reads 81%, where a linear layer on the 16x16
pixels reads 97%; but 61% against 41% when they are shifted by two pixels, 47% against 20% by three (three seeds).
"""

from collections.abc import Sequence
from math import pi

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def falling(side: int, base: float) -> Tensor:
    """Weights (side, side) that fall by a base with each pixel from the middle."""
    place = torch.arange(side) - (side - 1) / 2
    return base ** torch.hypot(place[:, None], place[None, :])


class SLayer(nn.Module):
    """Planes of S-cells, each of which sees 5x5 cells of all maps.

    Args:
        maps: Maps that come in.
        planes: Planes.
        padding: Cells that are missing at each edge, and are silent.
        selectivity: The paper's r: how alike what is seen must be to what was learnt.
        speed: The paper's q: how much a representative learns at once.
        column: Side of the columns.
    """

    c: Tensor

    def __init__(self, maps: int, planes: int, padding: int, selectivity: float, speed: float, column: int):
        super().__init__()
        self.padding, self.selectivity, self.speed, self.column = padding, selectivity, speed, column
        c = falling(5, 0.9)
        self.register_buffer("c", c / (maps * c.sum()))
        self.a = nn.Parameter(0.01 * self.c * first_preferences(maps, planes), requires_grad=False)
        self.b = nn.Parameter(torch.zeros(planes), requires_grad=False)

    def inhibition(self, u: Tensor) -> Tensor:
        """What the inhibitory cells say (N, 1, h, w) of maps (N, maps, h, w)."""
        return F.conv2d(u.square(), self.c.expand(1, u.shape[1], -1, -1), padding=self.padding).sqrt()

    def forward(self, u: Tensor) -> Tensor:
        """(N, maps, h, w) -> (N, planes, h, w), less what isn't padded."""
        r = self.selectivity
        excited = F.conv2d(u, self.a, padding=self.padding)
        held_back = 2 * r / (1 + r) * self.b[:, None, None] * self.inhibition(u)
        return r * ((1 + excited) / (1 + held_back) - 1).relu()

    def representatives(self, answers: Tensor) -> dict[int, tuple[int, int]]:
        """Plane -> where its representative stands, for answers (planes, h, w) to one picture."""
        best, planes = answers.max(dim=0)
        _, places = F.max_pool2d(best[None], self.column, stride=1, return_indices=True)
        places = places.unique()
        candidates = zip(best.take(places).tolist(), planes.take(places).tolist(), places.tolist(), strict=True)
        # A plane's strongest comes last, and stays.
        return {plane: divmod(place, best.shape[1]) for answer, plane, place in sorted(candidates) if answer > 0}

    def reinforce(self, u: Tensor, answers: Tensor) -> None:
        """Let the representatives learn what they see.

        Args:
            u: What came in, of one picture: (1, maps, h, w).
            answers: What `forward` said to it.
        """
        v, edged = self.inhibition(u)[0, 0], F.pad(u[0], [self.padding] * 4)
        for plane, (y, x) in self.representatives(answers[0]).items():
            self.a[plane] += self.speed * self.c * edged[:, y : y + 5, x : x + 5]
            self.b[plane] += self.speed / 2 * v[y, x]


def first_preferences(maps: int, planes: int) -> Tensor:
    """Weak preferences (planes, maps, 5, 5), which differ from plane to plane: for a direction, and for some maps."""
    place = torch.arange(5.0) - 2
    direction = torch.atan2(place[:, None], place[None, :])
    own, theirs = torch.arange(planes) / planes, torch.arange(maps) / maps
    directed = 1 + torch.cos(2 * (direction - pi * own[:, None, None]))
    return directed[:, None] * (1 - (own[:, None] - theirs).abs())[:, :, None, None]


class CLayer(nn.Module):
    """A C-plane for each S-plane, whose cells answer if any of the S-cells near by does.

    Args:
        side: Side of the square that a C-cell sees.
        stride: S-cells from one C-cell to the next.
        before: S-cells that are missing at the left and the top edge, and are silent.
        after: Likewise at the right and the bottom edge.
    """

    d: Tensor

    def __init__(self, side: int, stride: int, before: int, after: int):
        super().__init__()
        self.stride, self.edges = stride, (before, after, before, after)
        self.register_buffer("d", falling(side, 0.8))

    def forward(self, u: Tensor) -> Tensor:
        """(N, planes, h, w) -> (N, planes, fewer, fewer)."""
        planes = u.shape[1]
        near = F.conv2d(F.pad(u, self.edges), self.d.expand(planes, 1, -1, -1), stride=self.stride, groups=planes)
        x = ((1 + near) / (1 + near.mean(dim=1, keepdim=True)) - 1).relu()
        return x / (0.5 + x)


class Neocognitron(nn.Module):
    """Three layers of S-cells with their C-cells, that learn from what they are shown.

    Args:
        planes: Planes of each of the three.
        selectivity: The paper's r of each.
        speed: The paper's q of each.
        learns: Of each S-layer, the first picture that teaches it and the first that no longer does.
        classes: Classes that a linear layer tells by the last C-cells; None for these cells themselves.
    """

    seen: Tensor

    def __init__(
        self,
        planes: Sequence[int] = (24, 24, 24),
        selectivity: Sequence[float] = (4.0, 1.5, 1.5),
        speed: Sequence[float] = (1.0, 16.0, 16.0),
        learns: Sequence[Sequence[int]] = ((0, 100), (0, 100), (0, 100)),
        classes: int | None = None,
    ):
        super().__init__()
        if not len(planes) == len(selectivity) == len(speed) == len(learns) == 3 or min(planes) < 1:
            raise ValueError("planes, selectivity, speed and learns must be three each, and planes 1 or more")
        self.input_shape = (1, 16, 16)
        self.learns = learns
        r, q = selectivity, speed
        self.s1 = SLayer(1, planes[0], padding=2, selectivity=r[0], speed=q[0], column=5)
        self.c1 = CLayer(5, stride=2, before=4, after=3)
        self.s2 = SLayer(planes[0], planes[1], padding=1, selectivity=r[1], speed=q[1], column=5)
        self.c2 = CLayer(5, stride=2, before=4, after=3)
        self.s3 = SLayer(planes[1], planes[2], padding=0, selectivity=r[2], speed=q[2], column=2)
        self.c3 = CLayer(2, stride=1, before=0, after=0)
        self.readout = nn.Linear(planes[2], classes) if classes else None
        self.register_buffer("seen", torch.tensor(0))

    def modules_in_turn(self) -> tuple[tuple[SLayer, CLayer], ...]:
        """Each S-layer with its C-layer, from the input on."""
        return (self.s1, self.c1), (self.s2, self.c2), (self.s3, self.c3)

    def cells(self, x: Tensor) -> Tensor:
        """What the last C-cells say (N, planes) of pictures (N, 1, 16, 16); what is below 0 isn't seen."""
        u = x.relu()
        for s_layer, c_layer in self.modules_in_turn():
            u = c_layer(s_layer(u))
        return u.flatten(1)

    @torch.no_grad()
    def learn(self, x: Tensor) -> None:
        """See pictures (N, 1, 16, 16), one after the other, and let those layers learn whose time it is."""
        for picture in x[: max(0, max(end for _, end in self.learns) - int(self.seen))]:
            u = picture[None].relu()
            due = [first <= self.seen < end for first, end in self.learns]
            for place, (s_layer, c_layer) in enumerate(self.modules_in_turn()):
                if not any(due[place:]):
                    break
                answers = s_layer(u)
                if due[place]:
                    s_layer.reinforce(u, answers)
                u = c_layer(answers)
            self.seen += 1

    def forward(self, x: Tensor) -> Tensor:
        """Scores (N, classes), or the last C-cells (N, planes), of pictures (N, 1, 16, 16); in training it learns."""
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
    idea=(
        "Cells that look for a feature everywhere, cells that forget where exactly it was, and both again: patterns "
        "are known wherever they stand, and learnt by competition, without a teacher."
    ),
    network="Neocognitron",
    names={"neocognitron": dict(planes=(24, 24, 24))},
    input=(1, 16, 16),
    output=(24,),
    params={"neocognitron": 29_472},
    mini=dict(
        planes=(24, 60, 100),
        selectivity=(4.0, 2.5, 2.0),
        speed=(1.0, 64.0, 256.0),
        learns=((0, 300), (300, 800), (800, 1800)),
        classes=10,
    ),
    reference=None,
)
