"""Every optimizer takes the steps of its formula, written out in NumPy; weight decay is where it belongs."""

import numpy as np
import pytest
import torch

from workbench.engine import RunSpec
from workbench.engine.spec.choices import names
from workbench.engine.spec.sections import OPTIMIZERS
from workbench.engine.training import optimizers

LR, STEPS = 0.05, 25
CPU = torch.device("cpu")
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 7))
INITIAL = np.random.default_rng(1).normal(size=7)


def weights_by_formula(name, decay, momentum=0.8, beta1=0.85, beta2=0.95, eps=1e-6):
    """Return the weights after STEPS updates with the gradients GRADIENTS."""
    w, mean, squares = INITIAL.copy(), np.zeros(7), np.zeros(7)
    for t, g in enumerate(GRADIENTS, 1):
        if name == "adamw":
            w = w - LR * decay * w
        else:
            g = g + decay * w
        if name in ("gd", "sgd"):
            w = w - LR * g
        elif name in ("momentum", "nesterov"):
            mean = momentum * mean + g
            w = w - LR * (mean if name == "momentum" else g + momentum * mean)
        elif name == "adagrad":
            squares = squares + g**2
            w = w - LR * g / (np.sqrt(squares) + eps)
        elif name == "rmsprop":
            squares = beta2 * squares + (1 - beta2) * g**2
            w = w - LR * g / (np.sqrt(squares) + eps)
        else:
            mean = beta1 * mean + (1 - beta1) * g
            squares = beta2 * squares + (1 - beta2) * g**2
            w = w - LR * (mean / (1 - beta1**t)) / (np.sqrt(squares / (1 - beta2**t)) + eps)
    return w


def spec_of(name, **more):
    values = dict(momentum=0.8, beta1=0.85, beta2=0.95, eps=1e-6)
    own = {field: values[field] for field in names(OPTIMIZERS[name]) if field in values}
    return RunSpec.create("mlp", optimizer=name, lr=LR, **own, **more)


def build(spec, *weights):
    return optimizers.build(spec, [{"params": list(weights)}], CPU)


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_steps_are_the_formulas(name, decay):
    weight = torch.nn.Parameter(torch.tensor(INITIAL, dtype=torch.float32))
    optimizer = build(spec_of(name, weight_decay=decay), weight)
    for gradient in GRADIENTS:
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
        optimizer.step()
    np.testing.assert_allclose(weight.detach().numpy(), weights_by_formula(name, decay), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("decay_on", ["all", "weights"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_another_optimizer_continues_from_its_state(name, decay_on):
    spec = spec_of(name, weight_decay=0.1, decay_on=decay_on)

    def new():
        weights = [torch.nn.Parameter(torch.tensor(INITIAL, dtype=torch.float32)), torch.nn.Parameter(torch.ones(2, 2))]
        return weights, build(spec, *weights)

    def step(weights, optimizer, gradient):
        weights[0].grad = torch.tensor(gradient, dtype=torch.float32)
        weights[1].grad = torch.full((2, 2), float(gradient[0]))
        optimizer.step()

    (whole, first), (resumed, second) = new(), new()
    for index, gradient in enumerate(GRADIENTS):
        step(whole, first, gradient)
        if index % 6 == 5:
            tensors = {key: value.clone() for key, value in optimizers.state_tensors(second).items()}
            second = build(spec, *resumed)
            optimizers.load_state_tensors(second, tensors)
        step(resumed, second, gradient)
    assert all(torch.equal(a, b) for a, b in zip(whole, resumed, strict=True))


@pytest.mark.parametrize("name", sorted(set(OPTIMIZERS) - {"rmsprop"}))
def test_all_that_have_a_fused_kernel_use_it(name):
    assert build(spec_of(name), torch.nn.Parameter(torch.ones(1))).param_groups[0]["fused"]


def test_groups_without_decay_keep_their_other_options():
    layers = [torch.nn.Linear(3, 2), torch.nn.Linear(2, 2)]
    scaled = zip(layers, (0.5, 1.0), strict=True)
    groups = [{"params": list(layer.parameters()), "scale": scale} for layer, scale in scaled]
    optimizer = optimizers.build(spec_of("adamw", weight_decay=0.2, decay_on="weights"), groups, CPU)
    assert [
        ([list(weight.shape) for weight in group["params"]], group["weight_decay"], group["scale"])
        for group in optimizer.param_groups
    ] == [
        *(([[2, 3]], 0.2, 0.5), ([[2]], 0.0, 0.5)),
        *(([[2, 2]], 0.2, 1.0), ([[2]], 0.0, 1.0)),
    ]
