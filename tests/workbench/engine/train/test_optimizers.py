"""Every optimiser takes the steps of its formula, written out in NumPy; weight decay is where it is said to be."""

import numpy as np
import pytest
import torch

from workbench.engine import RunSpec, optimizers
from workbench.engine.methods import OPTIMIZERS

LR, STEPS = 0.05, 25
CPU = torch.device("cpu")
SLOPES = np.random.default_rng(0).normal(size=(STEPS, 7))
FIRST = np.random.default_rng(1).normal(size=7)


def by_formula(name, decay, momentum=0.8, beta1=0.85, beta2=0.95, eps=1e-6):
    """The weights after STEPS updates with the gradients SLOPES."""
    w, kept, squares = FIRST.copy(), np.zeros(7), np.zeros(7)
    for t, g in enumerate(SLOPES, 1):
        if name == "adamw":
            w = w - LR * decay * w
        else:
            g = g + decay * w
        if name in ("gd", "sgd"):
            w = w - LR * g
        elif name in ("momentum", "nesterov"):
            kept = momentum * kept + g
            w = w - LR * (kept if name == "momentum" else g + momentum * kept)
        elif name == "adagrad":
            squares = squares + g**2
            w = w - LR * g / (np.sqrt(squares) + eps)
        elif name == "rmsprop":
            squares = beta2 * squares + (1 - beta2) * g**2
            w = w - LR * g / (np.sqrt(squares) + eps)
        else:
            kept = beta1 * kept + (1 - beta1) * g
            squares = beta2 * squares + (1 - beta2) * g**2
            w = w - LR * (kept / (1 - beta1**t)) / (np.sqrt(squares / (1 - beta2**t)) + eps)
    return w


def spec_of(name, **more):
    own = dict(momentum=0.8, beta1=0.85, beta2=0.95, eps=1e-6)
    return RunSpec("mlp", optimizer=name, lr=LR, **{key: own[key] for key in OPTIMIZERS[name].takes}, **more)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_steps_are_the_formulas(name, decay):
    weight = torch.nn.Parameter(torch.tensor(FIRST, dtype=torch.float32))
    optimizer = optimizers.build(spec_of(name, weight_decay=decay), [weight], CPU)
    for slope in SLOPES:
        weight.grad = torch.tensor(slope, dtype=torch.float32)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), by_formula(name, decay), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_what_one_remembers_another_goes_on_with(name):
    def new():
        weights = [torch.nn.Parameter(torch.tensor(FIRST, dtype=torch.float32)), torch.nn.Parameter(torch.ones(2, 2))]
        return weights, optimizers.build(spec_of(name), weights, CPU)

    def step(weights, optimizer, slope):
        weights[0].grad = torch.tensor(slope, dtype=torch.float32)
        weights[1].grad = torch.full((2, 2), float(slope[0]))
        optimizer.step()

    (whole, first), (broken, second) = new(), new()
    for place, slope in enumerate(SLOPES):
        step(whole, first, slope)
        if place % 6 == 5:
            tensors = {key: value.clone() for key, value in optimizers.memory(second).items()}
            second = optimizers.build(spec_of(name), broken, CPU)
            optimizers.remember(second, tensors)
        step(broken, second, slope)
    assert all(torch.equal(a, b) for a, b in zip(whole, broken, strict=True))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"rmsprop"}))
def test_all_that_have_a_fused_kernel_use_it(name):
    assert optimizers.build(spec_of(name), [torch.nn.Parameter(torch.ones(1))], CPU).param_groups[0]["fused"]
