"""Helpers of the claims about training, against other computations."""

import numpy as np
import pytest
import torch

from workbench.claims.chapters.training_gradients import deep_mlp, digits_batch, gradient_ratio
from workbench.claims.chapters.training_initialization import signal_ratio
from workbench.claims.chapters.training_regularization import shrink


@pytest.mark.parametrize(
    ("activation", "derivative"), [("sigmoid", lambda a: a * (1 - a)), ("tanh", lambda a: 1 - a**2)]
)
def test_the_ratio_of_gradients_is_that_of_backpropagation_by_hand(activation, derivative):
    network = deep_mlp(3, depth=4, activation=activation, init="xavier")
    x, classes = digits_batch(3)
    matrices = [layer.weight.detach().double().numpy() for layer in network.layers]
    function = {"sigmoid": lambda z: 1 / (1 + np.exp(-z)), "tanh": np.tanh}[activation]
    outputs = [x.double().numpy()]
    for weight in matrices[:-1]:
        outputs.append(function(outputs[-1] @ weight.T))
    logits = outputs[-1] @ matrices[-1].T
    delta = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True) - np.eye(10)[classes.numpy()]
    norms = []
    for weight, output in zip(matrices[:0:-1], outputs[:0:-1], strict=True):
        delta = (delta @ weight) * derivative(output)
        norms.append(np.linalg.norm(delta))
    ratio = gradient_ratio(3, depth=4, activation=activation, init="xavier")
    assert ratio == pytest.approx(np.log10(norms[-1] / norms[0]), abs=1e-4)


def test_xavier_halves_the_mean_square_per_relu_layer_and_he_keeps_it():
    seeds = range(20)
    he = np.mean([signal_ratio(seed, depth=6, init="he") for seed in seeds])
    xavier = np.mean([signal_ratio(seed, depth=6, init="xavier") for seed in seeds])
    assert he - xavier == pytest.approx(5 * np.log10(2), abs=0.25)


@pytest.mark.parametrize("penalty", ["l1", "l2"])
def test_a_proximal_step_minimizes_its_objective(penalty):
    weights = torch.linspace(-1, 1, 21, dtype=torch.float64)
    grid = torch.linspace(-1.5, 1.5, 3001, dtype=torch.float64)
    size = grid.abs() if penalty == "l1" else grid.square()
    objective = (grid - weights[:, None]).square() / 2 + 0.3 * size
    assert shrink(weights, penalty, 0.3) == pytest.approx(grid[objective.argmin(dim=1)], abs=1e-3)
