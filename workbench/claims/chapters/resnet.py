"""Claims about residual and dense connections."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workbench.claims import small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.conv_blocks import RATES
from workbench.claims.deciders import NonInferior, Paired
from workbench.claims.evidence import Evidence, equal, near
from workbench.claims.zoo import parameters, zoo

if TYPE_CHECKING:
    from torch import nn


def residual_block(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn
    from torchvision.models.resnet import BasicBlock as Reference

    from models.vision.resnet import BasicBlock

    torch.manual_seed(seed)
    block, x = BasicBlock(8, 8).eval(), torch.randn(2, 8, 6, 6)
    reference = Reference(8, 8).eval()
    reference.load_state_dict(block.state_dict())
    residual = nn.Sequential(block.conv1, block.bn1, nn.ReLU(), block.conv2, block.bn2)
    with torch.no_grad():
        yield near("a block of torchvision and ReLU of F(x) + x", reference(x), (residual(x) + x).relu(), 1e-5)
        block.get_parameter("bn2.weight").zero_()
        yield near("a block with F = 0, and an input without negative values", block(x.abs()), x.abs(), 0)


RESNET_IDENTITY = Exact(
    id="resnet-identity",
    statement=(
        "A residual block outputs the activation of F(x) + x, so it is the identity on a nonnegative input if the last "
        "weights of F are 0."
    ),
    topic="resnet",
    evidence=residual_block,
    expected="holds",
    source="He et al., Deep residual learning for image recognition (2015), section 3.2",
)


def deep_network(depth: int, is_residual: bool) -> "nn.Module":
    """Return an MLP of blocks of 32 neurons with batch norm, for digits: plain, or with the input added."""
    from torch import Tensor, nn

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense, self.norm = nn.Linear(32, 32), nn.BatchNorm1d(32)

        def forward(self, x: Tensor) -> Tensor:
            y: Tensor = self.norm(self.dense(x)).relu()
            return x + y if is_residual else y

    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), *(Block() for _ in range(depth)), nn.Linear(32, 10))


def train_deep_network(seed: int, *, depth: int, is_residual: bool, lr: float, steps: int = 100) -> dict[str, float]:
    """Return the training loss over the last 20 steps, and test and validation accuracy in points."""
    splits = small_networks.digits(seed)
    network = deep_network(depth, is_residual)
    small_networks.initialize(network, seed)
    losses = small_networks.train(network, splits.training, seed, steps=steps, lr=lr, batch_size=64)
    accuracies = {name: small_networks.accuracy(network, getattr(splits, name)) for name in ("validation", "test")}
    return {"training loss": sum(losses[-20:]) / 20, **accuracies}


RESNET_NO_DEGRADATION = Empirical(
    id="resnet-no-degradation",
    statement=(
        "After 100 steps, a network of 30 layers has a lower training loss with residual connections than without."
    ),
    topic="resnet",
    arms=dict(
        plain=trial(train_deep_network, depth=30, is_residual=False, lr=0.003),
        residual=trial(train_deep_network, depth=30, is_residual=True, lr=0.003),
    ),
    control=dict(depth=3),
    tune=dict(lr=RATES),
    tuned_by="validation",
    measure="training loss",
    decider=Paired(min_effect=0.2),
    expected="holds",
    source="He et al., Deep residual learning for image recognition (2015), abstract",
    note=(
        "Both have batch norm. It is about how fast a deep network can be trained: after more steps the gap is smaller."
    ),
)


PLAIN_DEGRADES_WITH_DEPTH = Empirical(
    id="plain-degrades-with-depth",
    statement=(
        "After 100 steps, a plain network of 30 layers has a higher training loss than one of 3 layers, so it is not "
        "overfitting."
    ),
    topic="resnet",
    arms=dict(
        deep=trial(train_deep_network, depth=30, is_residual=False, lr=0.003),
        shallow=trial(train_deep_network, depth=3, is_residual=False, lr=0.003),
    ),
    control=dict(is_residual=True),
    tune=dict(lr=RATES),
    tuned_by="validation",
    measure="training loss",
    decider=Paired(min_effect=0.2),
    expected="holds",
    source="He et al., Deep residual learning for image recognition (2015), figure 1",
)


RESIDUAL_DEPTH_COSTS_NOTHING = Empirical(
    id="residual-depth-costs-nothing",
    statement=(
        "After 250 steps, a residual network of 40 layers is at most 2 points less accurate than one of 4 layers."
    ),
    topic="resnet",
    arms=dict(
        deep=trial(train_deep_network, depth=40, is_residual=True, lr=0.003, steps=250),
        shallow=trial(train_deep_network, depth=4, is_residual=True, lr=0.003, steps=250),
    ),
    tune=dict(lr=RATES),
    tuned_by="validation",
    measure="test",
    decider=NonInferior(margin=2.0, unit="points of accuracy"),
    expected="does_not_hold",
    note="A matter of budget: 40 layers need more steps than 4. The paper compares networks that have converged.",
)


def resnet_parameters(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.models import get_model

    del seed  # nothing is random
    for name, count in {"resnet50": 25_557_032, "resnet101": 44_549_160}.items():
        with torch.device("meta"):
            reference = get_model(name, weights=None)
        yield equal(
            f"parameters of {name}, of torchvision's and as published",
            [parameters(zoo(name)), parameters(reference)],
            [count] * 2,
        )


RESNET_PARAM_COUNTS = Exact(
    id="resnet-param-counts",
    statement="ResNet-50 has 25.6 million parameters and ResNet-101 44.5 million.",
    topic="resnet",
    evidence=resnet_parameters,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="torchvision documentation, ResNet50_Weights and ResNet101_Weights",
)
