"""The neocognitron against its paper's equations, written out cell by cell, and against its paper's experiment."""

import math

import numpy as np
import pytest
import torch

import models
from models.cost import outline
from models.vision.neocognitron import CLayer, SLayer
from workbench.engine import RunSpec
from workbench.engine.learner import Learner
from workbench.errors import UserError

torch.set_num_threads(1)

# The paper's second experiment: four letters that resemble one another.
LETTERS = """
#.....# #.....# ####### #######
.#...#. .#...#. ...#... .....#.
..#.#.. ..#.#.. ...#... ....#..
...#... ...#... ...#... ...#...
..#.#.. ...#... ...#... ..#....
.#...#. ...#... ...#... .#.....
#.....# ...#... ...#... #######
""".split()
SHIFTS = [(y, x) for y in range(3, 7) for x in range(3, 7)]


def letter(place, y, x):
    """The letter (1, 16, 16) with its upper left corner at y, x."""
    picture = torch.zeros(1, 16, 16)
    rows = [[float(pixel == "#") for pixel in row] for row in LETTERS[place::4]]
    picture[0, y : y + 7, x : x + 7] = torch.tensor(rows)
    return picture


def taught(seed=0, **options):
    """A network that was shown every letter 20 times, at random places."""
    chance = np.random.default_rng(seed)
    network = models.build("neocognitron", **options).train()
    for _ in range(20):
        for place in range(4):
            network(letter(place, *chance.choice(SHIFTS))[None])
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return taught()


def s_layer(maps=2, planes=3, padding=1, column=3):
    """One with synapses as learning may leave them."""
    chance = torch.Generator().manual_seed(0)
    layer = SLayer(maps, planes, padding, selectivity=1.5, speed=16.0, column=column).double()
    layer.a.copy_(torch.rand(layer.a.shape, generator=chance))
    layer.b.copy_(40 * torch.rand(layer.b.shape, generator=chance))
    return layer, torch.rand(1, maps, 6, 6, generator=chance, dtype=torch.float64)


def distance(i, j, middle):
    return math.hypot(i - middle, j - middle)


def cells_by_hand(layer, u, maps=2, planes=3):
    """Equations 1 to 3, cell by cell: what the S-cells say, and what the inhibitory cells."""
    a, b, u = layer.a.numpy(), layer.b.numpy(), np.pad(u[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    total = maps * sum(0.9 ** distance(i, j, 2) for i in range(5) for j in range(5))
    said, inhibited = np.empty((planes, 4, 4)), np.empty((4, 4))
    for y in range(4):
        for x in range(4):
            field = [(k, i, j) for k in range(maps) for i in range(5) for j in range(5)]
            squares = [0.9 ** distance(i, j, 2) / total * u[k, y + i, x + j] ** 2 for k, i, j in field]
            inhibited[y, x] = math.sqrt(sum(squares))
            for plane in range(planes):
                excited = 1 + sum(a[plane, k, i, j] * u[k, y + i, x + j] for k, i, j in field)
                ratio = excited / (1 + 2 * 1.5 / (1 + 1.5) * b[plane] * inhibited[y, x])
                said[plane, y, x] = 1.5 * max(ratio - 1, 0)
    return said, inhibited


def test_layers_have_the_papers_cells():
    parts = {part.name: part.output_shape for part in outline("neocognitron").network.parts}
    cells = {"s1": 16, "c1": 10, "s2": 8, "c2": 6, "s3": 2, "c3": 1}
    assert parts == {name: [24, side, side] for name, side in cells.items()}


@torch.no_grad()
def test_s_cells_say_what_equations_1_to_3_say():
    layer, u = s_layer()
    said, inhibited = cells_by_hand(layer, u)
    assert (said == 0).any() and (said > 0).any()
    np.testing.assert_allclose(layer(u)[0].numpy(), said, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(layer.inhibition(u)[0, 0].numpy(), inhibited, rtol=1e-6)


def test_c_cells_say_what_equations_4_to_6_say():
    u = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    said = CLayer(5, stride=2, before=4, after=3).double()(u)[0].numpy()
    assert said.shape == (3, 6, 6)
    cells = np.pad(u[0].numpy(), ((0, 0), (4, 3), (4, 3)))
    for y, x in ((0, 0), (2, 3), (5, 5)):
        d = [[0.8 ** distance(i, j, 2) for j in range(5)] for i in range(5)]
        near = [(d * plane[2 * y : 2 * y + 5, 2 * x : 2 * x + 5]).sum() for plane in cells]
        inhibited = [max((1 + own) / (1 + sum(near) / 3) - 1, 0) for own in near]
        np.testing.assert_allclose(said[:, y, x], [value / (0.5 + value) for value in inhibited], rtol=1e-6)


@torch.no_grad()
def test_reinforcement_is_that_of_the_representatives():
    layer, u = s_layer()
    answers, (said, inhibited) = layer(u), cells_by_hand(layer, u)
    candidates = set()
    for y in range(2):  # columns of 3x3 in planes of 4x4
        for x in range(2):
            column = said[:, y : y + 3, x : x + 3]
            plane, i, j = np.unravel_index(column.argmax(), column.shape)
            candidates.add((said[plane, y + i, x + j], int(plane), int(y + i), int(x + j)))
    best = {plane: (y, x) for _, plane, y, x in sorted(candidates)}
    assert layer.representatives(answers[0]) == best and 1 <= len(best) < 3
    a, b, edged = layer.a.clone(), layer.b.clone(), np.pad(u[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    layer.reinforce(u, answers)
    for plane in range(3):
        learnt_a, learnt_b = (layer.a - a)[plane].numpy(), (layer.b - b)[plane].item()
        if plane in best:
            y, x = best[plane]
            np.testing.assert_allclose(learnt_a, 16 * layer.c.numpy() * edged[:, y : y + 5, x : x + 5], rtol=1e-6)
            assert learnt_b == pytest.approx(8 * inhibited[y, x])
        else:
            assert not learnt_a.any() and learnt_b == 0


@pytest.mark.parametrize("selectivity", [1.5, 4.0])
@torch.no_grad()
def test_a_cell_that_knows_one_pattern_answers_by_similarity_whatever_the_strength(selectivity):
    chance = torch.Generator().manual_seed(0)
    layer = SLayer(2, 1, padding=0, selectivity=selectivity, speed=1e9, column=1).double()
    layer.a.zero_()
    pattern, other = torch.rand(2, 1, 2, 5, 5, generator=chance, dtype=torch.float64)
    layer.reinforce(pattern, torch.ones(1, 1, 1, 1))
    for share in np.linspace(0, 1, 11):
        shown = share * pattern + (1 - share) * other * (torch.arange(5) < 2)
        similar = (layer.c * shown * pattern).sum() / layer.inhibition(shown) / layer.inhibition(pattern)
        expected = max((1 + selectivity) * similar.item() - selectivity, 0)
        for strength in (0.1, 1.0, 10.0):
            assert layer(strength * shown).item() == pytest.approx(expected, abs=1e-5)
    assert layer(pattern).item() == pytest.approx(1) and layer(other * (torch.arange(5) < 1)).item() == 0


def test_nothing_seen_is_nothing_said_and_nothing_learnt(network):
    nothing = torch.zeros(1, 1, 16, 16)
    assert not network(nothing).any() and not network(nothing - 1).any()
    fresh = models.build("neocognitron")
    before = {name: weight.clone() for name, weight in fresh.named_parameters()}
    fresh.train()(nothing)
    assert all(torch.equal(weight, before[name]) for name, weight in fresh.named_parameters())


@pytest.mark.parametrize("seed", range(3))
def test_every_letter_has_one_cell_to_itself_wherever_it_stands(seed):
    network = taught(seed)
    own = set()
    for place in range(4):
        said = network(torch.stack([letter(place, y, x) for y, x in SHIFTS]))
        assert ((said > 0).sum(dim=1) == 1).all()
        [cell] = said.argmax(dim=1).unique().tolist()
        own.add(cell)
    assert len(own) == 4


def test_before_it_is_taught_many_cells_answer_faintly():
    said = models.build("neocognitron").eval()(torch.stack([letter(place, 4, 4) for place in range(4)]))
    assert ((said > 0).sum(dim=1) > 4).all() and said.max() < 1e-3


def test_it_learns_in_training_alone_and_only_while_it_is_time():
    network = models.build("neocognitron", learns=((0, 3), (2, 5), (9, 9)))
    pictures = torch.stack([letter(0, y, x) for y, x in SHIFTS[:4]])
    layers = [network.s1, network.s2, network.s3]

    def learnt(batch):
        before = [layer.b.clone() for layer in layers]
        network(batch)
        return [not torch.equal(layer.b, old) for layer, old in zip(layers, before, strict=True)]

    assert learnt(pictures[:2]) == [True, False, False]
    assert learnt(pictures[:1]) == [True, True, False]
    assert network.eval() and learnt(pictures) == [False] * 3 and network.seen == 3
    assert network.train() and learnt(pictures[:2]) == [False, True, False]
    learnt(torch.cat([pictures, pictures]))
    assert network.seen == 9 and learnt(pictures) == [False] * 3


def test_a_batch_teaches_what_its_pictures_teach_one_by_one():
    pictures = torch.stack([letter(place, 3 + place, 4) for place in range(4)])
    together, apart = models.build("neocognitron"), models.build("neocognitron")
    together(pictures)
    for picture in pictures:
        apart(picture[None])
    for one, other in zip(together.state_dict().values(), apart.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_in_a_run_gradients_move_the_readout_alone():
    learner = Learner(RunSpec("neocognitron", device="cpu", batch_size=8))
    network, batch = learner.network, next(iter(learner.order))
    assert not network.seen
    learner.update(batch)
    moved = {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert moved == {"readout.weight", "readout.bias"}
    alone = models.build("neocognitron", "mini").train()
    alone(batch[0])
    assert network.seen == 8 and torch.equal(network.s1.a, alone.s1.a)


@pytest.mark.parametrize("options", [{"planes": (24, 24)}, {"planes": (24, 0, 24)}, {"speed": (1.0,)}])
def test_what_cannot_be_built_is_refused(options):
    with pytest.raises(UserError, match="three each"):
        models.build("neocognitron", **options)
