"""The neocognitron against its paper's equations, computed cell by cell, and against its paper's experiment."""

import math

import numpy as np
import pytest
import torch

import models
from models.cost import summarize
from models.vision.neocognitron import CLayer, SLayer
from workbench.engine import RunSpec
from workbench.engine.training.state import SeedState
from workbench.errors import UserError

torch.set_num_threads(1)

# The paper's second experiment: four similar letters.
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


def letter(index, y, x):
    """Return an image (1, 16, 16) of a letter with its upper left corner at y, x."""
    image = torch.zeros(1, 16, 16)
    rows = [[float(pixel == "#") for pixel in row] for row in LETTERS[index::4]]
    image[0, y : y + 7, x : x + 7] = torch.tensor(rows)
    return image


def teach(seed=0, **options):
    """Return a network that was taught every letter 20 times, at random positions."""
    rng = np.random.default_rng(seed)
    network = models.build("neocognitron", **options).train()
    for _ in range(20):
        for index in range(4):
            network(letter(index, *rng.choice(SHIFTS))[None])
    return network.eval()


@pytest.fixture(scope="module")
def network():
    return teach()


def s_layer(in_planes=2, planes=3, padding=1, column_size=3):
    """Return a layer with synapses as learning may leave them, and inputs for it."""
    rng = torch.Generator().manual_seed(0)
    layer = SLayer(in_planes, planes, padding, selectivity=1.5, speed=16.0, column_size=column_size).double()
    layer.a.copy_(torch.rand(layer.a.shape, generator=rng))
    layer.b.copy_(40 * torch.rand(layer.b.shape, generator=rng))
    return layer, torch.rand(1, in_planes, 6, 6, generator=rng, dtype=torch.float64)


def distance(i, j, middle):
    return math.hypot(i - middle, j - middle)


def compute_cells(layer, u, in_planes=2, planes=3):
    """Return the outputs of S-cells and of inhibitory cells by equations 1 to 3, cell by cell."""
    a, b, u = layer.a.numpy(), layer.b.numpy(), np.pad(u[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    total = in_planes * sum(0.9 ** distance(i, j, 2) for i in range(5) for j in range(5))
    outputs, inhibition = np.empty((planes, 4, 4)), np.empty((4, 4))
    for y in range(4):
        for x in range(4):
            field = [(k, i, j) for k in range(in_planes) for i in range(5) for j in range(5)]
            squares = [0.9 ** distance(i, j, 2) / total * u[k, y + i, x + j] ** 2 for k, i, j in field]
            inhibition[y, x] = math.sqrt(sum(squares))
            for plane in range(planes):
                excitation = 1 + sum(a[plane, k, i, j] * u[k, y + i, x + j] for k, i, j in field)
                ratio = excitation / (1 + 2 * 1.5 / (1 + 1.5) * b[plane] * inhibition[y, x])
                outputs[plane, y, x] = 1.5 * max(ratio - 1, 0)
    return outputs, inhibition


def test_layers_have_the_papers_cells():
    shapes = {layer.name: layer.output_shape for layer in summarize("neocognitron").network.children}
    cells = {"s1": 16, "c1": 10, "s2": 8, "c2": 6, "s3": 2, "c3": 1}
    assert shapes == {name: [24, size, size] for name, size in cells.items()}


@torch.no_grad()
def test_s_cells_follow_equations_1_to_3():
    layer, u = s_layer()
    outputs, inhibition = compute_cells(layer, u)
    assert (outputs == 0).any() and (outputs > 0).any()
    np.testing.assert_allclose(layer(u)[0].numpy(), outputs, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(layer.inhibition(u)[0, 0].numpy(), inhibition, rtol=1e-6)


def test_c_cells_follow_equations_4_to_6():
    u = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    outputs = CLayer(5, stride=2, before=4, after=3).double()(u)[0].numpy()
    assert outputs.shape == (3, 6, 6)
    cells = np.pad(u[0].numpy(), ((0, 0), (4, 3), (4, 3)))
    for y, x in ((0, 0), (2, 3), (5, 5)):
        d = [[0.8 ** distance(i, j, 2) for j in range(5)] for i in range(5)]
        nearby = [(d * plane[2 * y : 2 * y + 5, 2 * x : 2 * x + 5]).sum() for plane in cells]
        ratios = [max((1 + value) / (1 + sum(nearby) / 3) - 1, 0) for value in nearby]
        np.testing.assert_allclose(outputs[:, y, x], [ratio / (0.5 + ratio) for ratio in ratios], rtol=1e-6)


@torch.no_grad()
def test_reinforcement_is_that_of_the_representatives():
    layer, u = s_layer()
    responses, (outputs, inhibition) = layer(u), compute_cells(layer, u)
    candidates = set()
    for y in range(2):  # columns of 3x3 in planes of 4x4
        for x in range(2):
            column = outputs[:, y : y + 3, x : x + 3]
            plane, i, j = np.unravel_index(column.argmax(), column.shape)
            candidates.add((outputs[plane, y + i, x + j], int(plane), int(y + i), int(x + j)))
    best = {plane: (y, x) for _, plane, y, x in sorted(candidates)}
    assert layer.representatives(responses[0]) == best and 1 <= len(best) < 3
    a, b, padded = layer.a.clone(), layer.b.clone(), np.pad(u[0].numpy(), ((0, 0), (1, 1), (1, 1)))
    layer.reinforce(u, responses)
    for plane in range(3):
        delta_a, delta_b = (layer.a - a)[plane].numpy(), (layer.b - b)[plane].item()
        if plane in best:
            y, x = best[plane]
            np.testing.assert_allclose(delta_a, 16 * layer.c.numpy() * padded[:, y : y + 5, x : x + 5], rtol=1e-6)
            assert delta_b == pytest.approx(8 * inhibition[y, x])
        else:
            assert not delta_a.any() and delta_b == 0


@pytest.mark.parametrize("selectivity", [1.5, 4.0])
@torch.no_grad()
def test_a_cell_responds_by_similarity_to_its_pattern_whatever_the_magnitude(selectivity):
    rng = torch.Generator().manual_seed(0)
    layer = SLayer(2, 1, padding=0, selectivity=selectivity, speed=1e9, column_size=1).double()
    layer.a.zero_()
    pattern, other = torch.rand(2, 1, 2, 5, 5, generator=rng, dtype=torch.float64)
    layer.reinforce(pattern, torch.ones(1, 1, 1, 1))
    for share in np.linspace(0, 1, 11):
        x = share * pattern + (1 - share) * other * (torch.arange(5) < 2)
        similarity = (layer.c * x * pattern).sum() / layer.inhibition(x) / layer.inhibition(pattern)
        expected = max((1 + selectivity) * similarity.item() - selectivity, 0)
        for magnitude in (0.1, 1.0, 10.0):
            assert layer(magnitude * x).item() == pytest.approx(expected, abs=1e-5)
    assert layer(pattern).item() == pytest.approx(1) and layer(other * (torch.arange(5) < 1)).item() == 0


def test_an_empty_image_has_no_response_and_teaches_nothing(network):
    empty = torch.zeros(1, 1, 16, 16)
    assert not network(empty).any() and not network(empty - 1).any()
    fresh = models.build("neocognitron")
    before = {name: weight.clone() for name, weight in fresh.named_parameters()}
    fresh.train()(empty)
    assert all(torch.equal(weight, before[name]) for name, weight in fresh.named_parameters())


@pytest.mark.parametrize("seed", range(3))
def test_every_letter_has_one_cell_to_itself_at_any_position(seed):
    network = teach(seed)
    cells = set()
    for index in range(4):
        outputs = network(torch.stack([letter(index, y, x) for y, x in SHIFTS]))
        assert ((outputs > 0).sum(dim=1) == 1).all()
        [cell] = outputs.argmax(dim=1).unique().tolist()
        cells.add(cell)
    assert len(cells) == 4


def test_before_teaching_many_cells_respond_weakly():
    outputs = models.build("neocognitron").eval()(torch.stack([letter(index, 4, 4) for index in range(4)]))
    assert ((outputs > 0).sum(dim=1) > 4).all() and outputs.max() < 1e-3


def test_layers_learn_in_training_and_in_their_range_only():
    network = models.build("neocognitron", learning_ranges=((0, 3), (2, 5), (9, 9)))
    images = torch.stack([letter(0, y, x) for y, x in SHIFTS[:4]])
    layers = [network.s1, network.s2, network.s3]

    def has_learned(batch):
        before = [layer.b.clone() for layer in layers]
        network(batch)
        return [not torch.equal(layer.b, old) for layer, old in zip(layers, before, strict=True)]

    assert has_learned(images[:2]) == [True, False, False]
    assert has_learned(images[:1]) == [True, True, False]
    assert network.eval() and has_learned(images) == [False] * 3 and network.image_count == 3
    assert network.train() and has_learned(images[:2]) == [False, True, False]
    has_learned(torch.cat([images, images]))
    assert network.image_count == 9 and has_learned(images) == [False] * 3


def test_a_batch_teaches_the_same_as_its_images_one_by_one():
    images = torch.stack([letter(index, 3 + index, 4) for index in range(4)])
    together, apart = models.build("neocognitron"), models.build("neocognitron")
    together(images)
    for image in images:
        apart(image[None])
    for one, other in zip(together.state_dict().values(), apart.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_the_number_of_images_is_saved_with_the_weights():
    network, other = teach(), models.build("neocognitron")
    assert network.image_count == network.state_dict()["seen"] == 80
    other.load_state_dict(network.state_dict())
    assert other.image_count == 80


def test_gradients_train_only_the_readout():
    state = SeedState(RunSpec.create("neocognitron", device="cpu", batch_size=8))
    network = state.network
    assert not network.image_count
    batch = state.update().batch
    changed = {name for name, weight in network.named_parameters() if weight.grad is not None and weight.grad.any()}
    assert changed == {"readout.weight", "readout.bias"}
    alone = models.build("neocognitron", "mini").train()
    alone(batch["image"])
    assert network.image_count == 8 and torch.equal(network.s1.a, alone.s1.a)


@pytest.mark.parametrize("options", [{"planes": (24, 24)}, {"planes": (24, 0, 24)}, {"speed": (1.0,)}])
def test_invalid_arguments_are_rejected(options):
    with pytest.raises(UserError, match="three each"):
        models.build("neocognitron", **options)
