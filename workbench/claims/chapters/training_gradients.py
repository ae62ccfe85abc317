"""Claims about vanishing and exploding gradients."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, cast

from workbench.claims.arms import run, trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired, SolveRate
from workbench.claims.evidence import Evidence, true
from workbench.claims.measures import After, Final

if TYPE_CHECKING:
    from torch import Tensor

    from models.dense.mlp import MLP
    from workbench.engine.training.state import SeedState

WIDTH = 64  # of every layer, and pixels of a digit: so all layers have one fan-in
HE_STD = (2 / WIDTH) ** 0.5


def deep_mlp(seed: int, *, depth: int, activation: str, init: str, batch_norm: bool = False) -> "MLP":
    """Return an MLP of `depth` hidden layers; init is a scheme of the engine, or `default` for PyTorch's own."""
    import torch

    import models
    from workbench.engine.spec.sections import INITS
    from workbench.engine.training.initialization import initialize_weights

    torch.manual_seed(seed)
    sizes = (WIDTH,) * depth
    network = models.build("mlp", "mini", hidden_sizes=sizes, activation=activation, batch_norm=batch_norm)
    if init != "default":
        initialize_weights(network, INITS[init]())
    return cast("MLP", network)


def digits_batch(seed: int, count: int = 256) -> "tuple[Tensor, Tensor]":
    """Return standardized digits (count, 64) with their classes."""
    import torch

    from workbench import data

    images, classes = data.load("digits", seed)["train"]
    x = torch.from_numpy(images[:count]).flatten(1)
    return (x - x.mean()) / x.std(), torch.from_numpy(classes[:count])


def gradient_ratio(seed: int, *, depth: int, activation: str, init: str, batch_norm: bool = False) -> float:
    """Return log10 of the norm of dL/dz at the first hidden layer over that at the last one, before any update.

    z are the pre-activations. The gradients of the weights would mix in the size of the layers' inputs.
    """
    import torch.nn.functional as F

    network = deep_mlp(seed, depth=depth, activation=activation, init=init, batch_norm=batch_norm)
    pre_activations: list[Tensor] = []
    for layer in network.layers[:-1]:
        layer.register_forward_hook(lambda module, args, output: pre_activations.append(output))
    x, classes = digits_batch(seed)
    logits = network(x)
    for z in (pre_activations[0], pre_activations[-1]):
        z.retain_grad()
    F.cross_entropy(logits, classes).backward()
    first, last = (z.grad.norm() for z in (pre_activations[0], pre_activations[-1]) if z.grad is not None)
    return float((first / last).log10())


ORDERS = "orders of magnitude"
RELU_GRADIENT = trial(gradient_ratio, depth=20, activation="relu", init="he")
SIGMOID_GRADIENT = trial(gradient_ratio, depth=20, activation="sigmoid", init="xavier")
TANH_GRADIENT = trial(gradient_ratio, depth=20, activation="tanh", init="xavier")

SIGMOID_VANISHES = Empirical(
    id="vanishing-gradient-sigmoid",
    statement="On its way back through 20 sigmoid layers the gradient shrinks by orders of magnitude, unlike through "
    "20 ReLU layers with He initialization.",
    topic="gradient-issues",
    arms=dict(relu=RELU_GRADIENT, sigmoid=SIGMOID_GRADIENT),
    control=dict(depth=2),
    measure="log10 of the first over the last gradient",
    decider=Paired(min_effect=3.0, unit=ORDERS),
    expected="holds",
    note="Derivation: each layer multiplies the gradient by the derivative of the sigmoid, at most 1/4, and by a "
    "matrix that keeps its norm on average (Xavier). 19 such steps are a factor of 1e-11 or less.",
)

TANH_VANISHES = Empirical(
    id="vanishing-gradient-tanh",
    statement="On its way back through 20 tanh layers with Xavier initialization the gradient shrinks by orders of "
    "magnitude more than through 20 ReLU layers with He initialization.",
    topic="gradient-issues",
    arms=dict(relu=RELU_GRADIENT, tanh=TANH_GRADIENT),
    measure="log10 of the first over the last gradient",
    decider=Paired(min_effect=3.0, unit=ORDERS),
    expected="does_not_hold",
    source="Glorot, Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
    note="The derivative of tanh is 1 at 0, and Xavier initialization keeps the norm of the gradient on average. With "
    "smaller weights it does vanish: see vanishing-gradient-tanh-small-init.",
)

TANH_VANISHES_WITH_SMALL_WEIGHTS = Empirical(
    id="vanishing-gradient-tanh-small-init",
    statement="Through 20 tanh layers the gradient shrinks by orders of magnitude more with PyTorch's default weights "
    "than with Xavier initialization.",
    topic="gradient-issues",
    arms=dict(xavier=TANH_GRADIENT, default=trial(gradient_ratio, depth=20, activation="tanh", init="default")),
    control=dict(depth=2),
    measure="log10 of the first over the last gradient",
    decider=Paired(min_effect=3.0, unit=ORDERS),
    expected="holds",
    note="Derivation: PyTorch draws from -1/sqrt(n) to 1/sqrt(n) for n inputs, a variance of 1/(3n), a third of "
    "Xavier's 1/n for equal sizes. Each layer then divides the gradient by sqrt(3), and 19 layers by 10^4.5.",
)

BATCH_NORM_FIXES_VANISHING = Empirical(
    id="bn-fixes-vanishing",
    statement="Batch normalization keeps the gradient from vanishing in 20 sigmoid layers.",
    topic="gradient-issues",
    arms=dict(
        normalized=trial(gradient_ratio, depth=20, activation="sigmoid", init="xavier", batch_norm=True),
        plain=SIGMOID_GRADIENT,
    ),
    control=dict(depth=2),
    measure="log10 of the first over the last gradient",
    decider=Paired(min_effect=3.0, unit=ORDERS),
    expected="holds",
    source="Ioffe, Szegedy 2015, arXiv:1502.03167",
    note="The sigmoid divides the spread of its input by about 4; batch norm restores it to 1 before the next "
    "sigmoid, and so multiplies the gradient by about 4.",
)

BATCH_NORM_GRADIENT_GROWS = Empirical(
    id="bn-relu-gradient-grows",
    statement="With batch normalization the gradient grows toward the input of a deep ReLU network, before any update.",
    topic="gradient-issues",
    arms=dict(
        normalized=trial(gradient_ratio, depth=20, activation="relu", init="he", batch_norm=True), plain=RELU_GRADIENT
    ),
    control=dict(depth=2),
    measure="log10 of the first over the last gradient",
    decider=Paired(min_effect=0.5, unit=ORDERS),
    expected="holds",
    source="Yang et al. 2019, A Mean Field Theory of Batch Normalization, arXiv:1902.08129",
)

ACCURACY = Final("test", "accuracy", scale=100)
POINTS = "points of accuracy"


def reached_the_end(state: "SeedState") -> float:
    """Return 0, the value of a run that did not diverge."""
    return 0.0


OF_HE_SCALE = run(
    "mlp",
    "digits",
    optimizer="sgd",
    lr=0.01,
    batch_size=32,
    steps=50,
    evaluate_every=50,
    init="normal",
    init_scale=HE_STD,
    options={"hidden_sizes": [WIDTH] * 20},
)

EXPLODING_GRADIENTS = Empirical(
    id="exploding-gradients-nan",
    statement="Initial weights four times as large as He's make the gradients of a 20-layer ReLU network so large "
    "that its loss overflows within 50 updates.",
    topic="gradient-issues",
    arms=dict(large=OF_HE_SCALE.changed(dict(init_scale=4 * HE_STD)), he=OF_HE_SCALE),
    control=dict(options={"hidden_sizes": [WIDTH]}),
    measure=After(reached_the_end, "1 for a run that diverged, else 0"),
    if_diverged=1.0,
    decider=SolveRate(threshold=1.0, min_effect=0.5),
    expected="holds",
    note="Derivation: a ReLU layer with weights of four times He's scale multiplies its input by 4 on average, 20 "
    "layers by 10^12, and the gradient on its way back again.",
)

STEEP = run(
    "mlp",
    "digits",
    optimizer="sgd",
    lr=0.1,
    batch_size=32,
    steps=300,
    evaluate_every=300,
    init="normal",
    init_scale=1.5 * HE_STD,
    clip_norm=0.0,
    options={"hidden_sizes": [WIDTH] * 10},
)

CLIPPING_PREVENTS_DIVERGENCE = Empirical(
    id="clipping-prevents-divergence",
    statement="Where exploding gradients make a ten-layer network diverge, clipping their norm at 1 lets it learn.",
    topic="gradient-issues",
    arms=dict(clipped=STEEP.changed(dict(clip_norm=1.0)), unclipped=STEEP),
    control=dict(options={"hidden_sizes": [WIDTH] * 2}),
    measure=ACCURACY,
    if_diverged=10.0,
    decider=Paired(min_effect=20.0, unit=POINTS),
    expected="holds",
    source="Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, section 3.2",
    note="Each seed clips its own norm. A run that diverges counts as a guess among ten digits, 10%.",
)


def clipping_of_a_small_gradient(seed: int) -> Iterator[Evidence]:
    import torch
    import torch.nn.functional as F
    from torch.nn.utils import clip_grad_norm_

    network = deep_mlp(seed, depth=20, activation="sigmoid", init="xavier")
    x, classes = digits_batch(seed)
    F.cross_entropy(network(x), classes).backward()
    gradient = next(network.parameters()).grad  # of the first layer
    assert isinstance(gradient, torch.Tensor)
    before = float(gradient.norm())
    clip_grad_norm_(network.parameters(), max_norm=1.0)
    after = float(gradient.norm())
    yield true("the gradient of the first layer is larger after clipping", after > before, f"{before:.3g}, {after:.3g}")


CLIPPING_CURES_VANISHING = Exact(
    id="clipping-cures-vanishing",
    statement="Clipping the norm makes a vanishing gradient larger, as a remedy for it would.",
    topic="gradient-issues",
    evidence=clipping_of_a_small_gradient,
    expected="does_not_hold",
    source="Pascanu, Mikolov, Bengio 2013, arXiv:1211.5063, algorithm 1",
    note="Derivation: the gradient is multiplied by min(1, limit / norm), at most 1. Clipping helps against exploding "
    "gradients alone.",
)
