"""Claims about neural networks: neurons, layers, loss and cost, activations."""

from collections.abc import Callable, Iterator
from functools import reduce
from math import acosh, exp, fsum, sqrt, tanh
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import NonInferior, Paired
from workbench.claims.dense_networks import dense, fit, plane_accuracy, shuffled, tensors
from workbench.claims.evidence import Evidence, equal, near, true, within
from workbench.claims.small_datasets import digits

if TYPE_CHECKING:
    import torch


def neurons(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    torch.manual_seed(seed)
    activations: dict[str, tuple[nn.Module, Callable[[float], float]]] = {
        "sigmoid": (nn.Sigmoid(), lambda z: 1 / (1 + exp(-z))),
        "tanh": (nn.Tanh(), tanh),
        "ReLU": (nn.ReLU(), lambda z: max(z, 0.0)),
    }
    for name, (activation, function) in activations.items():
        layer = nn.Linear(6, 1).double()
        x = torch.randn(6, dtype=torch.float64)
        terms = [w * v for w, v in zip(layer.weight[0].tolist(), x.tolist(), strict=True)]
        output = activation(layer(x)).detach()
        yield near(
            f"{name} of the weighted sum plus bias", output, [function(fsum([*terms, layer.bias.item()]))], 1e-12
        )


NEURON_FORMULA = Exact(
    id="neuron-formula",
    statement="A neuron outputs the activation of the weighted sum of its inputs plus a bias.",
    topic="neuron",
    evidence=neurons,
    expected="holds",
    source="PyTorch documentation, torch.nn.Linear",
)


def gradients_per_sample(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import cross_entropy

    network = dense([5, 8, 3], "tanh", seed).double()
    x, y = torch.randn(20, 5, dtype=torch.float64), torch.randint(0, 3, (20,))
    cost = cross_entropy(network(x), y)
    each = [cross_entropy(network(x[k : k + 1]), y[k : k + 1]) for k in range(20)]
    yield near("mean of the losses of the samples", torch.stack(each).mean().detach(), cost.detach(), 1e-12)
    weights = list(network.parameters())
    gradients = torch.autograd.grad(cost, weights)
    per_sample = [torch.autograd.grad(loss, weights) for loss in each]
    for k, gradient in enumerate(gradients):
        average = torch.stack([of_sample[k] for of_sample in per_sample]).mean(dim=0)
        yield near(f"mean of the gradients of the samples, weight {k}", average, gradient, 1e-12)


COST_IS_MEAN_LOSS = Exact(
    id="cost-is-mean-loss",
    statement="The cost is the mean of the losses of the samples, and its gradient the mean of their gradients.",
    topic="loss-and-cost",
    evidence=gradients_per_sample,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 5.9",
    note="With batch normalization, a sample's loss also depends on the other samples of its batch.",
)

HIDDEN = 4


def probe_accuracy(seed: int, *, layer: int, is_trained: bool) -> float:
    """Return the test accuracy of a linear classifier on the outputs of a hidden layer, in points.

    Args:
        seed: The seed of the split, the initial weights and the order.
        layer: The hidden layer, from 1 to 4, of a ReLU network on the digits.
        is_trained: Whether the network is trained for 400 steps.
    """
    import torch
    from sklearn.linear_model import LogisticRegression

    splits = digits(seed)
    splits = splits._replace(**{name: part._replace(x=part.x / 16) for name, part in splits._asdict().items()})
    network = dense([64, *[64] * HIDDEN, 10], "relu", seed)
    if is_trained:
        fit(network, splits.train, shuffled(600, 32, 400, seed), name="adam", lr=1e-3)
    part = network[: 2 * layer]
    with torch.inference_mode():
        train, test = (part(tensors(samples)[0]).numpy() for samples in (splits.train, splits.test))
    probe = LogisticRegression(C=100.0, max_iter=2000).fit(train, splits.train.y)
    return 100 * float(probe.score(test, splits.test.y))


DEPTH_BUILDS_ABSTRACTION = Empirical(
    id="depth-builds-abstraction",
    statement=(
        "Deeper layers extract higher-level features: in a trained network of four hidden layers, a linear classifier "
        "reads the class better from the last hidden layer than from the first."
    ),
    topic="neuron",
    arms=dict(
        last=trial(probe_accuracy, layer=HIDDEN, is_trained=True),
        first=trial(probe_accuracy, layer=1, is_trained=True),
    ),
    control=dict(is_trained=False),
    measure="accuracy",
    decider=Paired(min_effect=1.0, unit="points of accuracy"),
    expected="inconclusive",
    source="Alain, Bengio, Understanding intermediate layers using linear classifier probes, arXiv:1610.01644",
    note="On 8x8 digits the first layer is nearly as good. A probe measures how separable classes are, no more.",
)


def linear_stacks(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.autograd.functional import jacobian

    generator = torch.Generator().manual_seed(seed)
    for depth in (2, 5, 10):
        network = dense([3, *[7] * (depth - 1), 2], None, seed).double()
        for weight in network.parameters():
            weight.data.normal_(0, 0.5, generator=generator)
        x, other = torch.randn(2, 3, generator=generator, dtype=torch.float64)
        slope = jacobian(network, x)
        yield near(f"{depth} layers: the derivative is the same at two inputs", jacobian(network, other), slope, 1e-9)
        matrices = [weight.detach() for name, weight in network.named_parameters() if "weight" in name]
        product = reduce(lambda first, second: second @ first, matrices)
        yield near(f"{depth} layers: it is the product of the weight matrices", product, slope, 1e-9)
        outputs = network(other) - network(torch.zeros_like(other))
        yield near(f"{depth} layers: one matrix gives the outputs", outputs.detach(), slope @ other, 1e-9)


LINEAR_STACK_COLLAPSES = Exact(
    id="linear-stack-collapses",
    statement="Without activations, a network of any depth is one linear layer.",
    topic="activations",
    evidence=linear_stacks,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 6.1",
    note="It computes no other functions, but it is trained by a different path than a single layer.",
)


ACTIVATIONS_SOLVE_XOR = Empirical(
    id="activations-solve-xor",
    statement="A network of five layers learns XOR with ReLU activations, but not without activations.",
    topic="neuron",
    arms=dict(
        relu=trial(plane_accuracy, hidden=4, activation="relu", shape="xor", lr=0.01),
        linear=trial(plane_accuracy, hidden=4, activation=None, shape="xor", lr=0.01),
    ),
    control=dict(shape="blobs"),
    tune=dict(lr=(3e-3, 1e-2, 3e-2)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=Paired(min_effect=10.0, unit="points of accuracy"),
    expected="holds",
    source="Minsky, Papert, Perceptrons 1969",
)

DEEP_LINEAR_NET_IS_LINEAR = Empirical(
    id="deep-linear-net-is-linear",
    statement="On two half moons, logistic regression is as accurate as a network of five layers without activations.",
    topic="neuron",
    arms=dict(
        logistic=trial(plane_accuracy, hidden=0, activation=None, shape="moons", lr=0.01),
        deep=trial(plane_accuracy, hidden=4, activation=None, shape="moons", lr=0.01),
    ),
    tune=dict(lr=(3e-3, 1e-2, 3e-2, 1e-1)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=NonInferior(margin=2.0, unit="points of accuracy"),
    expected="holds",
    note="Derivation: the product of the five weight matrices is one matrix, so both draw a straight boundary.",
)


def exact_ranges(seed: int) -> Iterator[Evidence]:
    import mpmath
    import torch

    # 1 - tanh(x) is about exp(-2x): up to 2,000 it is above 0 in 2,000 digits.
    x = np.clip(50 * np.random.default_rng(seed).standard_t(2, 100), -2000, 2000)
    with mpmath.workdps(2000):
        sigmoid = [1 / (1 + mpmath.exp(-mpmath.mpf(value))) for value in x]
        tangent = [mpmath.tanh(mpmath.mpf(value)) for value in x]
        yield true("sigmoid, to 2,000 digits: above 0 and below 1", all(0 < value < 1 for value in sigmoid))
        yield true("tanh, to 2,000 digits: above -1 and below 1", all(-1 < value < 1 for value in tangent))
        sigmoid, tangent = list(map(float, sigmoid)), list(map(float, tangent))
    inputs = torch.from_numpy(x)
    yield near("PyTorch's sigmoid", inputs.sigmoid(), sigmoid, 1e-12)
    yield near("PyTorch's tanh", inputs.tanh(), tangent, 1e-12)
    yield within("ReLU", inputs.relu(), 0.0, float("inf"))
    yield equal("ReLU of a negative number", float(torch.relu(torch.tensor(-abs(x[0])))), 0.0)


ACTIVATION_RANGES = Exact(
    id="activation-ranges",
    statement=(
        "In exact arithmetic, sigmoid is above 0 and below 1, tanh above -1 and below 1, and ReLU at least 0 without "
        "an upper bound."
    ),
    topic="activations",
    evidence=exact_ranges,
    is_structural=True,
    expected="holds",
    note="Derivation: sigmoid(z) = 1 / (1 + exp(-z)) with exp(-z) > 0, and tanh(z) = 2 sigmoid(2z) - 1.",
)


def float32_ranges(seed: int) -> Iterator[Evidence]:
    import torch

    x = torch.empty(1000).uniform_(20, 120, generator=torch.Generator().manual_seed(seed))
    yield true("sigmoid in float32 is below 1", bool((x.sigmoid() < 1).all()), f"{float(x[0].sigmoid())} at {x[0]:.1f}")
    y = -x - 90
    yield true("sigmoid in float32 is above 0", bool((y.sigmoid() > 0).all()), f"{float(y[0].sigmoid())} at {y[0]:.1f}")
    yield true("tanh in float32 is below 1", bool((x.tanh() < 1).all()), f"{float(x[0].tanh())} at {x[0]:.1f}")


ACTIVATION_RANGES_FLOAT32 = Exact(
    id="activation-ranges-float32",
    statement="In float32, sigmoid never outputs 0 or 1, and tanh never outputs -1 or 1.",
    topic="activations",
    evidence=float32_ranges,
    is_structural=True,
    expected="does_not_hold",
    note=(
        "Numbers near 1 are 6e-8 apart in float32, so sigmoid(20) rounds to exactly 1, and exp(-110) is below the "
        "smallest number above 0. The logarithm of such a probability is infinite."
    ),
)

CROSSING = 2 * acosh((1 + sqrt(3)) / 2)  # about 1.66, where both derivatives are equal


def derivatives_near_zero(seed: int) -> Iterator[Evidence]:
    import torch

    x = torch.empty(1000, dtype=torch.float64).uniform_(-1.6, 1.6, generator=torch.Generator().manual_seed(seed))
    x[0] = 0.0
    tangent, sigmoid = _derivatives(x)
    yield near("largest derivative of tanh, at 0", tangent.max(), 1.0, 1e-12)
    yield near("largest derivative of sigmoid, at 0", sigmoid.max(), 0.25, 1e-12)
    yield true("for |x| up to 1.6, the derivative of tanh is larger", bool((tangent > sigmoid).all()))
    yield near("tanh(-x) is -tanh(x)", torch.tanh(-x), -torch.tanh(x), 1e-15)
    crossing = torch.tensor([CROSSING], dtype=torch.float64)
    first, second = _derivatives(crossing)
    yield near(f"both derivatives are equal at {CROSSING:.4f}", first, second, 1e-12)


TANH_STRONGER_GRADIENT = Exact(
    id="tanh-stronger-gradient",
    statement="Tanh is zero-centered, and its derivative is up to four times that of sigmoid for inputs near 0.",
    topic="activations",
    evidence=derivatives_near_zero,
    expected="holds",
    source="LeCun, Bottou, Orr, Müller, Efficient BackProp 1998, section 4.4",
    note=(
        "Derivation: with u = exp(x/2) + exp(-x/2), the derivatives 4/(u^2 - 2)^2 and 1/u^2 are equal at "
        "u = 1 + sqrt(3), so at |x| = 2 arcosh((1 + sqrt(3))/2) = 1.66."
    ),
)


def derivatives_far_from_zero(seed: int) -> Iterator[Evidence]:
    import torch

    x = torch.empty(1000, dtype=torch.float64).uniform_(-6, 6, generator=torch.Generator().manual_seed(seed))
    tangent, sigmoid = _derivatives(x)
    smaller = x[tangent < sigmoid].abs()
    detail = f"smaller at {len(smaller)} of 1000 inputs, all with |x| > {float(smaller.min()):.2f}"
    yield true("the derivative of tanh is larger at all inputs from -6 to 6", len(smaller) == 0, detail)


TANH_STRONGER_EVERYWHERE = Exact(
    id="tanh-stronger-everywhere",
    statement="The derivative of tanh is larger than that of sigmoid at every input.",
    topic="activations",
    evidence=derivatives_far_from_zero,
    expected="does_not_hold",
    note="It is smaller for |x| above 1.66, where tanh saturates first: tanh(x) = 2 sigmoid(2x) - 1.",
)


def _derivatives(x: "torch.Tensor") -> "tuple[torch.Tensor, torch.Tensor]":
    """Return the derivatives of tanh and sigmoid by autograd."""
    import torch

    x = x.clone().requires_grad_()
    (tangent,) = torch.autograd.grad(x.tanh().sum(), x)
    (sigmoid,) = torch.autograd.grad(x.sigmoid().sum(), x)
    return tangent, sigmoid
