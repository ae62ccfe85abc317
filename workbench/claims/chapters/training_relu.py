"""Claims about ReLU."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from workbench.claims.arms import run
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, equal, near
from workbench.claims.measures import After, Final

if TYPE_CHECKING:
    from models.dense.mlp import MLP
    from workbench.engine.training.state import SeedState

WIDTH = 64  # of every layer
RATES = dict(lr=(1e-3, 3e-3, 1e-2))
ACCURACY = Final("test", "accuracy", scale=100)
VALIDATION = Final("validation", "accuracy", scale=100)
POINTS = "points of accuracy"

RELU_NET = run(
    "mlp",
    "digits",
    optimizer="adam",
    lr=1e-3,
    batch_size=32,
    steps=150,
    evaluate_every=150,
    init="he",
    options={"hidden_sizes": [WIDTH] * 10, "activation": "relu"},
)
SIGMOID_NET = RELU_NET.changed(dict(init="xavier", options={"activation": "sigmoid"}))
TANH_NET = RELU_NET.changed(dict(init="xavier", options={"activation": "tanh"}))

RELU_TRAINS_DEEP_NETS = Empirical(
    id="relu-avoids-vanishing",
    statement="A ReLU network (He initialization) with ten hidden layers learns in 150 updates what a sigmoid network "
    "(Xavier initialization) does not.",
    topic="gradient-issues",
    arms=dict(relu=RELU_NET, sigmoid=SIGMOID_NET),
    control=dict(options={"hidden_sizes": [WIDTH] * 2}),
    tune=RATES,
    tuned_by=VALIDATION,
    measure=ACCURACY,
    decider=Paired(min_effect=20.0, unit=POINTS),
    expected="holds",
    source="Glorot, Bordes, Bengio 2011, Deep Sparse Rectifier Neural Networks",
    note="It needs weights of He's scale, and units of a ReLU can die: see small-normal-init and relu-units-die.",
)

RELU_AGAINST_TANH = Empirical(
    id="relu-faster-than-tanh",
    statement="A ReLU network (He initialization) with ten hidden layers learns more in 150 updates than a tanh "
    "network (Xavier initialization).",
    topic="gradient-issues",
    arms=dict(relu=RELU_NET, tanh=TANH_NET),
    tune=RATES,
    tuned_by=VALIDATION,
    measure=ACCURACY,
    decider=Paired(min_effect=2.0, unit=POINTS),
    expected="does_not_hold",
    note="With Xavier initialization the gradient of tanh does not vanish (vanishing-gradient-tanh), so ten layers of "
    "it train as well.",
)


def relu_and_its_gradient(seed: int) -> Iterator[Evidence]:
    import numpy as np
    import torch

    values = np.random.default_rng(seed).normal(size=1000)
    x = torch.from_numpy(values).requires_grad_()
    output = torch.relu(x)
    output.sum().backward()
    yield near("output", output.detach(), np.where(values > 0, values, 0.0), 0.0)
    step = np.abs(values).min() / 2  # no difference quotient crosses the kink
    slope = (np.maximum(values + step, 0) - np.maximum(values - step, 0)) / (2 * step)
    assert x.grad is not None
    yield near("gradient against difference quotients", x.grad, slope, 1e-9)
    yield equal("inputs below 0 with a gradient", int(torch.count_nonzero(x.grad[x < 0])), 0)


RELU_PASSES_POSITIVE = Exact(
    id="relu-active-positive",
    statement="ReLU passes positive inputs and their gradients unchanged; for negative inputs both are 0.",
    topic="activations",
    evidence=relu_and_its_gradient,
    expected="holds",
    source="Nair, Hinton 2010, Rectified Linear Units Improve Restricted Boltzmann Machines",
    note="At 0 there is no derivative; PyTorch takes 0.",
)


def dead_units(state: "SeedState") -> float:
    """Return the share of hidden units, in %, whose ReLU is 0 for every training sample."""
    import torch

    network, x = cast("MLP", state.network), state.sources["train"].batch(slice(None))["image"]
    active = []
    with torch.no_grad():
        for layer in list(network.layers)[:-1]:
            x = torch.relu(layer(x))
            active.append((x > 0).any(dim=0))
    return 100 * float((~torch.cat(active)).float().mean())


RELU_UNITS_DIE = Empirical(
    id="relu-units-die",
    statement="A learning rate that is too large leaves ReLU units that are 0 for every training sample.",
    topic="activations",
    arms={
        f"lr_{lr}": run(
            "mlp",
            "digits",
            optimizer="sgd",
            lr=lr,
            batch_size=32,
            steps=150,
            evaluate_every=150,
            init="he",
            options={"hidden_sizes": [WIDTH, WIDTH]},
        )
        for lr in (1.0, 0.1)
    },
    measure=After(dead_units, "dead units (%)"),
    decider=Paired(min_effect=10.0, unit="% of the units"),
    expected="holds",
    note="Derivation: one update of a unit's bias and weights can make its input negative for all samples. Its "
    "gradient is 0 from then on, so no later update brings it back.",
)
