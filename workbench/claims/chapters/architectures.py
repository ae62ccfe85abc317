"""Claims about the architectures of CNNs: small filters, Inception, residual and mobile networks."""

from collections.abc import Callable, Iterator
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims import small_networks
from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import NonInferior, Paired, Slope
from workbench.claims.evidence import Evidence, equal, near, true, within

if TYPE_CHECKING:
    from torch import Tensor, nn

EFFICIENTNETS = [f"efficientnet-b{k}" for k in range(8)]
RATES = (0.003, 0.01, 0.03)


def zoo(name: str) -> "nn.Module":
    """Return a network of the registry as published, on the meta device."""
    import torch

    import models

    with torch.device("meta"):
        return models.build(name)


def parameters(network: "nn.Module") -> int:
    """Return the number of parameters."""
    return sum(parameter.numel() for parameter in network.parameters())


def receptive_field(layers: "nn.Module", n: int = 15) -> int:
    """Return the width of the pixels that the middle output of layers with one input channel depends on."""
    import torch

    x = torch.randn(1, 1, n, n, dtype=torch.double, requires_grad=True)
    output = layers.double()(x)
    middle = output.shape[-1] // 2
    output[0, 0, middle, middle].backward()
    assert x.grad is not None
    columns = (x.grad[0, 0] != 0).any(dim=0).nonzero().flatten()
    return int(columns[-1] - columns[0]) + 1


def stacks_of_3x3(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    channels = int(np.random.default_rng(seed).integers(4, 64))
    torch.manual_seed(seed)
    for depth, k in ((2, 5), (3, 7)):
        stack = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1) for _ in range(depth)))
        large = nn.Conv2d(1, 1, k, padding=k // 2)
        yield equal(
            f"receptive fields of {depth} 3x3 filters and of one {k}x{k}",
            receptive_field(stack),
            receptive_field(large),
        )
        weights = [
            depth * nn.Conv2d(channels, channels, 3, bias=False, device="meta").weight.numel(),
            nn.Conv2d(channels, channels, k, bias=False, device="meta").weight.numel(),
        ]
        yield equal(
            f"weights of both, C channels: {9 * depth} C² and {k * k} C²",
            weights,
            [9 * depth * channels**2, k * k * channels**2],
        )
        # With an activation after each filter, the stack is not linear between the first and the last one.
        x = torch.randn(1, 1, 15, 15)
        bare = nn.Sequential(*(nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)))
        activated = [layer for conv in bare for layer in (conv, nn.ReLU())][:-1]
        linear, nonlinear = (float((f(x) + f(-x)).abs().max()) for f in (bare, nn.Sequential(*activated)))
        yield true(
            f"{depth} filters are one linear map, and with ReLU between them they are not",
            linear < 1e-5 < nonlinear,
            f"f(x) + f(-x) is at most {linear:.2g}, and {nonlinear:.2g}",
        )


VGG_3X3_STACK = Exact(
    id="vgg-3x3-stack",
    statement=(
        "Two 3x3 filters have the receptive field of a 5x5 and three that of a 7x7, with fewer weights and with "
        "activations between them."
    ),
    topic="small-filters",
    evidence=stacks_of_3x3,
    is_structural=True,
    expected="holds",
    source="Simonyan, Zisserman, Very deep convolutional networks (2014), section 2.3",
    note=(
        "The paper calls this a regularization of the large filter: fewer weights and more nonlinearity, not more "
        "capacity."
    ),
)


def block_network(block: str, channels: int) -> "nn.Module":
    """Return a classifier of digits with one block of a kind: `3x3 stack`, `7x7`, `3x3` or `depthwise`."""
    from torch import nn

    def unit(in_channels: int, out_channels: int, k: int, groups: int = 1) -> list["nn.Module"]:
        conv = nn.Conv2d(in_channels, out_channels, k, padding=k // 2, groups=groups, bias=False)
        return [conv, nn.BatchNorm2d(out_channels), nn.ReLU()]

    blocks: dict[str, Callable[[], list[nn.Module]]] = {
        "3x3 stack": lambda: [layer for _ in range(3) for layer in unit(channels, channels, 3)],
        "7x7": lambda: unit(channels, channels, 7),
        "3x3": lambda: unit(channels, channels, 3),
        "depthwise": lambda: unit(channels, channels, 3, groups=channels) + unit(channels, channels, 1),
    }
    head = [nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16 * channels, 10)]
    return nn.Sequential(*unit(1, channels, 3), *blocks[block](), *head)


def block_accuracy(seed: int, *, block: str, channels: int, train_samples: int | None, lr: float) -> dict[str, float]:
    """Return test and validation accuracy on digits after 120 steps, in points."""
    splits = small_networks.digits(seed, train_samples)
    network = block_network(block, channels)
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=120, lr=lr)
    names = ("validation", "test")
    return {name: small_networks.accuracy(network, getattr(splits, name)) for name in names}


STACK_3X3_AS_ACCURATE_AS_7X7 = Empirical(
    id="stack-3x3-as-accurate-as-7x7",
    statement=(
        "Trained on 200 digits, a network with three 3x3 convolutions is at most 1 point less accurate than the same "
        "with one 7x7, which has 1.8 times the weights."
    ),
    topic="small-filters",
    arms={
        name: trial(block_accuracy, block=name, channels=16, train_samples=200, lr=0.003)
        for name in ("3x3 stack", "7x7")
    },
    tune=dict(lr=RATES),
    tuned_by="validation",
    measure="test",
    decider=NonInferior(margin=1.0, unit="points of accuracy"),
    expected="holds",
    source="Simonyan, Zisserman, Very deep convolutional networks (2014), section 2.3",
    note="Digits of 8x8 hardly need a field of 7x7: a single 3x3 does about as well.",
)


def inception_reduction(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    n = int(np.random.default_rng(seed).integers(7, 57))
    x = torch.zeros(1, 192, n, n, device="meta")
    with torch.device("meta"):
        direct = nn.Conv2d(192, 32, 5, padding=2)
        reduced = nn.Sequential(nn.Conv2d(192, 16, 1), nn.Conv2d(16, 32, 5, padding=2))
    macs = [trace(network, x).total_macs for network in (direct, reduced)]
    formula = [192 * 25 * 32 * n * n, (192 * 16 + 16 * 25 * 32) * n * n]
    yield equal("MACs of 5x5 on 192 channels, and of 1x1 to 16 and 5x5", macs, formula)
    yield within("ratio of the MACs", [macs[0] / macs[1]], 9, 11)
    branch: Any = zoo("googlenet").get_submodule("inception3a.branch3")
    yield equal("MACs of GoogLeNet's branch in inception 3a", trace(branch, x).total_macs, macs[1])


INCEPTION_1X1_REDUCES = Exact(
    id="inception-1x1-reduces",
    statement="A 1x1 convolution from 192 to 16 channels before a 5x5 to 32 channels cuts the MACs to about a tenth.",
    topic="milestones",
    evidence=inception_reduction,
    is_structural=True,
    expected="holds",
    source="Szegedy et al., Going deeper with convolutions (2014), table 1, inception (3a)",
    note="Derivation: 192 * 25 * 32 = 153,600 against 192 * 16 + 16 * 25 * 32 = 15,872 per position, 9.7 times.",
)


def plain_cnn(depth: int, has_auxiliary: bool) -> "nn.Module":
    """Return a CNN of digits without norms or shortcuts; optionally, it trains a second classifier in the middle."""
    from torch import Tensor, nn

    class PlainCNN(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(1 if k == 0 else 8, 8, 3, padding=1) for k in range(depth))
            self.head, self.auxiliary = (nn.Sequential(nn.Flatten(), nn.Linear(512, 10)) for _ in range(2))

        def forward(self, x: Tensor) -> Tensor | tuple[Tensor, Tensor]:
            for k, conv in enumerate(self.convs):
                x = conv(x).relu()
                if k == (depth - 1) // 2:
                    middle = x
            logits: Tensor = self.head(x)
            return (logits, self.auxiliary(middle)) if has_auxiliary and self.training else logits

    return PlainCNN()


def auxiliary_accuracy(seed: int, *, has_auxiliary: bool, depth: int, lr: float) -> dict[str, float]:
    """Return test and validation accuracy of a plain CNN after 120 steps on digits, in points."""
    splits = small_networks.digits(seed)
    network = plain_cnn(depth, has_auxiliary)
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=120, lr=lr)
    names = ("validation", "test")
    return {name: small_networks.accuracy(network, getattr(splits, name)) for name in names}


INCEPTION_AUX_CLASSIFIERS = Empirical(
    id="inception-aux-classifiers",
    statement="An auxiliary classifier in the middle of a plain CNN of 15 layers raises its accuracy after 120 steps.",
    topic="milestones",
    arms={
        name: trial(auxiliary_accuracy, has_auxiliary=name == "auxiliary", depth=15, lr=0.001)
        for name in ("auxiliary", "plain")
    },
    control=dict(depth=2),
    tune=dict(lr=(0.001, 0.003)),
    tuned_by="validation",
    measure="test",
    decider=Paired(min_effect=1.0, unit="points of accuracy"),
    expected="inconclusive",
    source="Szegedy et al., Rethinking the Inception architecture (2015), section 4",
    note="Their authors later saw no gain early in training, only near its end, and take them for a regularizer.",
)


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


def dense_block(seed: int) -> Iterator[Evidence]:
    import torch
    from torchvision.models.densenet import _DenseBlock

    rng = np.random.default_rng(seed)
    in_channels, layers, growth = int(rng.integers(4, 20)), int(rng.integers(2, 7)), int(rng.integers(2, 12))
    torch.manual_seed(seed)
    block, x = _DenseBlock(layers, in_channels, 4, growth, 0.0), torch.randn(2, in_channels, 5, 5)
    output = block(x).detach()
    yield equal("channels of the output, and k0 + L k", output.shape[1], in_channels + layers * growth)
    yield near("the first channels of the output and the input", output[:, :in_channels], x, 0)
    inputs = [layer.conv1.in_channels for layer in block.children()]
    yield equal("input channels of each layer", inputs, [in_channels + index * growth for index in range(layers)])
    widths = [zoo("densenet121").get_submodule(f"features.transition{k}.norm").num_features for k in (1, 2, 3)]
    yield equal(
        "channels at the ends of DenseNet-121's first blocks", widths, [64 + 6 * 32, 128 + 12 * 32, 256 + 24 * 32]
    )


DENSENET_CONCAT = Exact(
    id="densenet-concat",
    statement=(
        "A dense block concatenates its input and the outputs of its L layers, k0 + L k channels, and each layer reads "
        "all before it."
    ),
    topic="modern-cnn",
    evidence=dense_block,
    is_structural=True,
    expected="holds",
    source="Huang et al., Densely connected convolutional networks (2016), section 3",
)


def depthwise_separable(in_channels: int, out_channels: int, k: int) -> "nn.Module":
    """Return a depthwise and a pointwise convolution without biases."""
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(in_channels, in_channels, k, padding=k // 2, groups=in_channels, bias=False),
        nn.Conv2d(in_channels, out_channels, 1, bias=False),
    )


def separable_cost(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn

    from models.cost import trace

    rng = np.random.default_rng(seed)
    for k in (3, 5):
        in_channels, out_channels, n = int(rng.integers(2, 65)), int(rng.integers(16, 257)), int(rng.integers(7, 57))
        x = torch.zeros(1, in_channels, n, n, device="meta")
        with torch.device("meta"):
            full = nn.Conv2d(in_channels, out_channels, k, padding=k // 2, bias=False)
            separable = depthwise_separable(in_channels, out_channels, k)
        ratio = 1 / out_channels + 1 / k**2
        yield near(
            f"share of the weights, and 1/C_out + 1/k², k = {k}", parameters(separable) / parameters(full), ratio, 1e-12
        )
        macs = trace(separable, x).total_macs / trace(full, x).total_macs
        yield near(f"share of the MACs, and 1/C_out + 1/k², k = {k}", macs, ratio, 1e-12)


DEPTHWISE_SEPARABLE_COST = Exact(
    id="depthwise-separable-cost",
    statement=(
        "A depthwise and a pointwise convolution have 1/C_out + 1/k² of the weights and MACs of a full kxk convolution."
    ),
    topic="modern-cnn",
    evidence=separable_cost,
    is_structural=True,
    expected="holds",
    source="Howard et al., MobileNets (2017), section 3.1",
)


def log_separable_time(seed: int, *, is_separable: bool, channels: int) -> float:
    """Return log2 of the CPU time of a 3x3 convolution on 32x32 positions, in ms."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    full = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
    layer = depthwise_separable(channels, channels, 3) if is_separable else full
    x = torch.randn(4, channels, 32, 32)
    with torch.no_grad():
        return log2(cpu_ms(lambda: layer(x)))


def log_gain(seed: int, *, of: str, channels: int) -> float:
    """Return log2 of the time or the MACs (`of`) of a 3x3 convolution, over those of its separable form."""
    if of == "macs":
        return -log2(1 / channels + 1 / 9)
    full, separable = (
        log_separable_time(seed, is_separable=is_separable, channels=channels) for is_separable in (False, True)
    )
    return full - separable


DEPTHWISE_SEPARABLE_TIME = Empirical(
    id="depthwise-separable-time",
    statement=(
        "With 16 channels, a depthwise separable convolution gains at least three quarters as much in CPU time as in "
        "MACs."
    ),
    topic="modern-cnn",
    arms=dict(time=trial(log_gain, of="time", channels=16), macs=trial(log_gain, of="macs", channels=16)),
    measure="log2 of the gain",
    decider=NonInferior(margin=log2(4 / 3), unit="(log2)"),
    is_timed=True,
    expected="does_not_hold",
    note=(
        "With few channels, reading and writing maps takes as long as computing, and a depthwise convolution does "
        "little with each value that it reads. With 128 channels or more the gain in time is closer to that in MACs."
    ),
)

DEPTHWISE_SEPARABLE_FASTER = Empirical(
    id="depthwise-separable-faster",
    statement=(
        "With 128 channels, a depthwise separable convolution is at least 3 times as fast as a full 3x3 convolution."
    ),
    topic="modern-cnn",
    arms=dict(
        full=trial(log_separable_time, is_separable=False, channels=128),
        separable=trial(log_separable_time, is_separable=True, channels=128),
    ),
    control=dict(channels=4),
    measure="log2 of the milliseconds",
    decider=Paired(min_effect=log2(3), unit="(log2)"),
    is_timed=True,
    expected="holds",
    source="Howard et al., MobileNets (2017), section 3.1",
)

DEPTHWISE_SEPARABLE_ACCURACY = Empirical(
    id="depthwise-separable-accuracy",
    statement=(
        "On digits, a block that is depthwise separable is at most 1 point less accurate than a full 3x3 convolution "
        "of 32 channels."
    ),
    topic="modern-cnn",
    arms={
        name: trial(block_accuracy, block=name, channels=32, train_samples=None, lr=0.003)
        for name in ("depthwise", "3x3")
    },
    tune=dict(lr=RATES),
    tuned_by="validation",
    measure="test",
    decider=NonInferior(margin=1.0, unit="points of accuracy"),
    expected="holds",
    source="Howard et al., MobileNets (2017), table 4: 1 point on ImageNet",
)


def inverted_residuals(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn
    from torchvision.models import get_model
    from torchvision.models.mobilenetv2 import InvertedResidual as Reference

    import models
    from models.vision.mobilenet_v2 import InvertedResidual

    del seed  # nothing is random
    with torch.device("meta"):
        networks = {
            "the registry's": models.build("mobilenet-v2"),
            "torchvision's": get_model("mobilenet_v2", weights=None),
        }
    for name, network in networks.items():
        blocks: list[Any] = [m for m in network.modules() if isinstance(m, (InvertedResidual, Reference))]
        yield equal(f"number of blocks, {name}", len(blocks), 17)
        leaves = [[leaf for leaf in block.modules() if not list(leaf.children())] for block in blocks]
        convs = [[leaf for leaf in layers if isinstance(leaf, nn.Conv2d)] for layers in leaves]
        expansions = [layers[-1].in_channels // layers[0].in_channels for layers in convs]
        yield equal(f"expansion of each block, {name}", expansions, [1] + [6] * 16)
        depthwise = all(layers[-2].groups == layers[-2].in_channels for layers in convs)
        yield true(f"the 3x3 convolutions are depthwise, {name}", depthwise)
        last = {type(layers[-1]).__name__ for layers in leaves}
        yield equal(f"last layer of each block, no activation, {name}", last, {"BatchNorm2d"})


MOBILENETV2_INVERTED = Exact(
    id="mobilenetv2-inverted",
    statement=(
        "MobileNet v2 has inverted residuals, whose shortcuts join narrow maps around a part 6 times as wide, and "
        "linear bottlenecks, without an activation after the projection."
    ),
    topic="modern-cnn",
    evidence=inverted_residuals,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="Sandler et al., MobileNetV2 (2018), sections 3.2 and 3.3",
    note=(
        "The linear bottleneck is as much its idea as the inverted residual: ReLU would destroy information in few "
        "channels."
    ),
)


def compound_scaling(seed: int) -> Iterator[Evidence]:
    from torchvision.models import get_model_weights

    from models.cost import summarize

    del seed  # nothing is random
    before = 1
    yield within("1.2 * 1.1² * 1.15²", [1.2 * 1.1**2 * 1.15**2], 1.9, 2.1)
    for name in EFFICIENTNETS:
        weights: Any = get_model_weights(name.replace("-", "_"))
        published = weights.IMAGENET1K_V1.meta["_ops"] * 1e9
        macs = summarize(name).network.total_macs
        yield near(f"MACs of {name} over those that torchvision publishes", macs / published, 1, 0.01)
        if name in ("efficientnet-b4", "efficientnet-b5", "efficientnet-b6", "efficientnet-b7"):
            yield within(f"MACs of {name} over those of the one before", [macs / before], 1.8, 2.5)
        before = macs


EFFICIENTNET_COMPOUND = Exact(
    id="efficientnet-compound",
    statement="EfficientNet's factors for depth, width and resolution together about double the cost with each step.",
    topic="modern-cnn",
    evidence=compound_scaling,
    seeds=2,
    expected="holds",
    source="Tan, Le, EfficientNet (2019), equation 3",
    note=(
        "1.2 * 1.1² * 1.15² = 1.92. The published networks have rounder numbers, so a step multiplies the MACs by 1.8 "
        "to 2.4."
    ),
)


def efficientnet_costs(seed: int) -> list[tuple[float, float]]:
    """Return depth * width² * resolution², relative to b0, and MACs of b0 to b7."""
    import models
    from models.cost import summarize

    del seed  # nothing is random
    points = []
    for name in EFFICIENTNETS:
        arguments = models.info(name).presets["paper"]
        depth, width, size = (arguments[key] for key in ("depth_mult", "width_mult", "image_size"))
        points.append((depth * width**2 * (size / 224) ** 2, float(summarize(name).network.total_macs)))
    return points


EFFICIENTNET_COST_SCALING = Scaling(
    id="efficientnet-cost-scaling",
    statement="From EfficientNet b0 to b7, the MACs grow in proportion to depth * width² * resolution².",
    topic="modern-cnn",
    points=efficientnet_costs,
    decider=Slope(0.9, 1.1),
    seeds=2,
    expected="holds",
    source="Tan, Le, EfficientNet (2019), section 3.3",
    note="Single networks are up to 1.4 times as costly, because numbers of blocks are rounded up.",
)


def operations_of(network: "nn.Module", x: "Tensor") -> set[str]:
    """Return the names of all operations that a network runs."""
    from torch.utils._python_dispatch import TorchDispatchMode

    names: set[str] = set()

    class Recorder(TorchDispatchMode):
        def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            names.add(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    with Recorder():  # type: ignore[no-untyped-call]
        network.eval()(x)
    return names


def no_attention(seed: int) -> Iterator[Evidence]:
    import torch
    from torch import nn
    from torchvision.models import get_model

    del seed  # nothing is random
    x = torch.zeros(1, 3, 224, 224, device="meta")
    with torch.device("meta"):
        reference, transformer = (get_model(name, weights=None) for name in ("convnext_tiny", "vit_b_16"))
    for name, network in {"the registry's": zoo("convnext-tiny"), "torchvision's": reference}.items():
        attention = {op for op in operations_of(network, x) if "attention" in op or "softmax" in op or op == "bmm"}
        yield equal(f"operations of attention in ConvNeXt, {name}", attention, set())
        depthwise = [m.kernel_size for m in network.modules() if isinstance(m, nn.Conv2d) and m.groups > 1]
        yield equal(f"kernels of the depthwise convolutions, {name}", depthwise, [(7, 7)] * 18)
    attention = {op for op in operations_of(transformer, x) if "attention" in op or "softmax" in op or op == "bmm"}
    yield true("ViT has such operations", bool(attention), ", ".join(sorted(attention)))


CONVNEXT_NO_ATTENTION = Exact(
    id="convnext-no-attention",
    statement="ConvNeXt is a CNN without attention: what mixes positions are depthwise 7x7 convolutions.",
    topic="modern-cnn",
    evidence=no_attention,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="Liu et al., A ConvNet for the 2020s (2022), section 2",
)

YEARS = {
    **{"neocognitron": 1980, "lenet5": 1998, "alexnet": 2012, "vgg16": 2014, "googlenet": 2014, "yolo-v1": 2015},
    **{"resnet50": 2015, "densenet121": 2016, "mobilenet-v1": 2017, "mobilenet-v2": 2018, "efficientnet-b0": 2019},
    "convnext-tiny": 2022,
}


def years(seed: int) -> Iterator[Evidence]:
    import models

    del seed  # nothing is random
    for name, year in YEARS.items():
        info = models.info(name)
        yield equal(f"year of {name}", info.year, year)
        if info.paper.startswith("arXiv:"):  # the number begins with the year and the month
            yield equal(f"year in the arXiv number of {name}", 2000 + int(info.paper[6:8]), year)


DATES = Exact(
    id="dates",
    statement=(
        "Neocognitron is from 1980, LeNet-5 from 1998, AlexNet from 2012, VGG and GoogLeNet from 2014, ResNet and YOLO "
        "from 2015, DenseNet from 2016, MobileNet from 2017, its v2 from 2018."
    ),
    topic="milestones",
    evidence=years,
    is_structural=True,
    seeds=2,
    expected="holds",
    source="the papers, by the year of their first version",
    note="Also EfficientNet 2019 and ConvNeXt 2022. Conferences often print a paper a year later: ResNet, 2016.",
)


def shapes_network() -> "nn.Sequential":
    """Return a CNN of four convolutions for shapes of 16x16 pixels."""
    from torch import nn

    def unit(in_channels: int, out_channels: int) -> list["nn.Module"]:
        return [nn.Conv2d(in_channels, out_channels, 3, padding=1), nn.ReLU()]

    maps = [*unit(3, 8), *unit(8, 16), nn.MaxPool2d(2), *unit(16, 32), nn.MaxPool2d(2), *unit(32, 32)]
    return nn.Sequential(*maps, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 8))


DEPTHS = {"first": 2, "last": 10}  # the number of layers that compute the maps


def train_on_shapes(seed: int, steps: int) -> "tuple[nn.Sequential, small_networks.Splits]":
    """Return a network trained on shapes, averaged from 64x64 to 16x16 pixels, and the splits."""
    from workbench.data.shapes import load

    images, labels = (array[:2000] for array in load())
    small = images.reshape(-1, 3, 16, 4, 16, 4).mean(axis=(3, 5), dtype=np.float32) / 255 - 0.5
    splits = small_networks.shuffle_and_split(small, labels, seed, validation=0, test=1000)
    network = shapes_network()
    small_networks.initialize(network, seed)
    small_networks.train(network, splits.training, seed, steps=steps, lr=0.003)
    return network.eval(), splits


def class_probe(seed: int, *, layer: str, steps: int) -> float:
    """Return the test accuracy of a linear classifier on the mean of each map of a layer, in points."""
    import torch
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    network, splits = train_on_shapes(seed, steps)
    with torch.no_grad():
        train_x, test_x = (
            network[: DEPTHS[layer]](split.images[:1000]).mean(dim=(2, 3)).numpy()
            for split in (splits.training, splits.test)
        )
    scaler = StandardScaler().fit(train_x)
    probe = LogisticRegression(max_iter=300).fit(scaler.transform(train_x), splits.training.labels[:1000])
    return 100 * float(probe.score(scaler.transform(test_x), splits.test.labels))


HIERARCHY_OF_FEATURES = Empirical(
    id="hierarchy-of-features",
    statement=(
        "In a CNN trained on shapes, a linear classifier recognizes the shape from the last maps at least 10 points "
        "better than from the first ones."
    ),
    topic="convolution",
    arms={layer: trial(class_probe, layer=layer, steps=150) for layer in ("last", "first")},
    control=dict(steps=0),
    measure="accuracy",
    decider=Paired(min_effect=10.0, unit="points of accuracy"),
    expected="holds",
    source="Zeiler, Fergus, Visualizing and understanding convolutional networks (2013), section 4",
    note=(
        "A small form of the statement that low layers see edges and high layers objects; faces and parts of objects "
        "need large networks and photographs."
    ),
)


def edge_probe(seed: int, *, layer: str) -> float:
    """Return the share of the variance of the brightness gradient that a layer's maps explain, by a linear model."""
    import torch
    import torch.nn.functional as F

    network, splits = train_on_shapes(seed, steps=150)
    images = splits.test.images[:200]
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    gray = F.pad(images.mean(dim=1, keepdim=True), (1, 1, 1, 1), mode="replicate")
    edges = F.conv2d(gray, torch.stack([sobel, sobel.T])[:, None])
    with torch.no_grad():
        maps = F.interpolate(network[: DEPTHS[layer]](images), size=16)
    x, y = (maps.transpose(0, 1).flatten(1).T, edges.transpose(0, 1).flatten(1).T)
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1).double()
    half = len(x) // 2
    weights = torch.linalg.lstsq(x[:half], y[:half].double(), driver="gelsd").solution
    error = (x[half:] @ weights - y[half:]).square().sum()
    return float(1 - error / (y[half:] - y[half:].mean(dim=0)).square().sum())


EARLY_LAYERS_SEE_EDGES = Empirical(
    id="early-layers-see-edges",
    statement=(
        "In a CNN trained on shapes, the first maps explain where edges are, and in which direction, better than the "
        "last maps."
    ),
    topic="convolution",
    arms={layer: trial(edge_probe, layer=layer) for layer in ("first", "last")},
    measure="share of variance explained",
    decider=Paired(min_effect=0.2),
    expected="holds",
    source="Zeiler, Fergus, Visualizing and understanding convolutional networks (2013), section 4",
    note="The last maps have 4x4 positions: where exactly an edge is has been pooled.",
)
