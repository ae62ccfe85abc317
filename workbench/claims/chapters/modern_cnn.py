"""Claims about small filters, separable convolutions and the scaling of CNNs."""

from collections.abc import Iterator
from math import log2
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.conv_blocks import RATES, block_accuracy
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import NonInferior, Paired, Slope
from workbench.claims.evidence import Evidence, equal, near, true, within
from workbench.claims.zoo import parameters, zoo

if TYPE_CHECKING:
    from torch import Tensor, nn

EFFICIENTNETS = [f"efficientnet-b{k}" for k in range(8)]


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
