"""A stack of layers from one line: sizes, parameters and operations against a PyTorch network of the same layers."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import models
from quizzes.expressions.parser import FormatError
from quizzes.formulas import get
from quizzes.layers import OPTIONS, read_layers
from workbench.errors import UserError

SIZE = get("network-size")
ALEXNET = (  # as in torchvision
    "conv11-64/4 p2, relu, pool3/2, conv5-192 p2, relu, pool3/2, conv3-384 p1, relu, conv3-256 p1, relu, "
    "conv3-256 p1, relu, pool3/2, dropout, fc4096, relu, dropout, fc4096, relu, fc1000"
)
VGG16 = ", ".join(
    ", ".join([f"conv3-{width} same, relu"] * count) + ", pool2"
    for width, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
)
VGG16 += ", fc4096, relu, dropout, fc4096, relu, dropout, fc1000"


def measure(network, *shape):
    """Count parameters and FLOPs (of convolutions and matrix products) with PyTorch; return the output shape too."""
    with FlopCounterMode(display=False) as counter:
        output = network.to("meta").eval()(torch.empty(1, *shape, device="meta"))
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops(), list(output.shape[1:])


@pytest.mark.parametrize(
    ("layers", "name", "params"),
    [(ALEXNET, "alexnet", 61_100_840), (VGG16, "vgg16", 138_357_544)],
)
def test_published_networks(layers, name, params):
    import torchvision

    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
    result = SIZE.solve(layers=layers, input=[224, 224, 3])
    assert result["P"] == params
    assert (result["P"], result["FLOPs"], result["output"]) == measure(network, 3, 224, 224)
    assert result["M"] == 4 * params


def test_lenet_of_the_registry():
    result = SIZE.solve(layers="conv5x5-6,pool2,conv5x5-16,pool2,fc120,fc84,fc10", input=[32, 32, 1])
    network = models.build("lenet5-modern")
    assert result["P"] == models.info("lenet5-modern").params == 61_706
    assert (result["P"], result["FLOPs"]) == measure(network, 1, 32, 32)[:2]
    assert [row["output_shape"] for row in result["table"][:4]] == [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16]]


@st.composite
def stacks(draw):
    """Generate layers as a text, their input shape, and the same layers of PyTorch."""
    high, wide, C = draw(st.integers(8, 20)), draw(st.integers(8, 20)), draw(st.sampled_from([2, 4, 6]))
    texts, modules, channels = [], [], C
    for _ in range(draw(st.integers(1, 5))):
        h, w = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        s, d, p = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 1))
        match draw(st.sampled_from(["conv", "dwconv", "pool", "avgpool", "bn", "relu"])):
            case "conv":
                out, g, bias = draw(st.sampled_from([2, 4, 8])), draw(st.sampled_from([1, 2])), draw(st.booleans())
                texts.append(f"conv{h}x{w}-{out}/{s} p{p} d{d} g{g}{'' if bias else ' nobias'}")
                modules.append(nn.Conv2d(channels, out, (h, w), s, p, d, g, bias))
                channels = out
            case "dwconv":
                texts.append(f"dwconv{h}x{w} p{p}d{d}/{s}")
                modules.append(nn.Conv2d(channels, channels, (h, w), s, p, d, channels))
            case "pool" | "avgpool" as kind:
                texts.append(f"{kind}{h}x{w}/{s} p{p}")
                modules.append((nn.MaxPool2d if kind == "pool" else nn.AvgPool2d)((h, w), s, p))
            case "bn":
                texts.append("bn")
                modules.append(nn.BatchNorm2d(channels))
            case "relu":
                texts.append("relu")
                modules.append(nn.ReLU())
    if draw(st.booleans()):
        texts.append("gap")
        modules.append(nn.AdaptiveAvgPool2d(1))
    return ", ".join(texts), [high, wide, C], modules


@given(stacks(), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_any_stack_agrees_with_pytorch(stack, neurons):
    texts, (high, wide, C), modules = stack
    try:
        result = SIZE.solve(layers=f"{texts}, fc{neurons}", input=[high, wide, C])
    except UserError as error:
        assert "doesn't fit" in str(error)
        with pytest.raises(RuntimeError):
            nn.Sequential(*modules)(torch.zeros(1, C, high, wide))
        return
    x, shapes = torch.zeros(1, C, high, wide), []
    for layer in modules:
        x = layer.eval()(x)
        shapes.append([*x.shape[2:], x.shape[1]])
    assert [row["output_shape"] for row in result["table"][:-1]] == shapes
    assert [row["bytes"] for row in result["table"][:-1]] == [4 * h * w * c for h, w, c in shapes]
    network = nn.Sequential(*modules, nn.Flatten(), nn.Linear(x.numel(), neurons))
    params, flops, _ = measure(network, C, high, wide)
    assert (result["P"], result["FLOPs"]) == (params, flops)
    counts = {"weight": 0, "bias": 0}
    for name, parameter in network.named_parameters():
        counts[name.rpartition(".")[2]] += parameter.numel()
    assert (result["W"], result["b"]) == (counts["weight"], counts["bias"])


@pytest.mark.parametrize(
    "layers",
    ["conv3-1,conv3-1", "conv5-1/2,avgpool3/2", "conv3-1 d2,avgpool2,conv3-1", "conv3x1-1,conv1x5-1/2,avgpool2x1"],
)
def test_receptive_field_and_jump_are_those_of_the_gradient(layers):
    x = torch.ones(1, 1, 64, 64, requires_grad=True)
    y = x
    for layer in read_layers(layers):
        if layer.kind == "conv":
            y = nn.functional.conv2d(
                y, torch.ones(1, 1, *layer.kernel_size), stride=layer.stride, dilation=layer.dilation
            )
        else:
            y = nn.functional.avg_pool2d(y, layer.kernel_size, layer.stride)
    last = SIZE.solve(layers=layers, input=[64, 64, 1])["table"][-1]
    starts = []
    for i, j in [(1, 1), (2, 2)]:
        (gradient,) = torch.autograd.grad(y[0, 0, i, j], x, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero().T
        field = [int(at.max() - at.min()) + 1 for at in (rows, columns)]
        assert last["receptive_field"] == (field if field[0] != field[1] else field[0])
        starts.append((int(rows.min()), int(columns.min())))
    jump = [b - a for a, b in zip(*starts, strict=True)]
    assert last["jump"] == (jump if jump[0] != jump[1] else jump[0])


def test_same_padding_keeps_the_size_and_case_does_not_matter():
    result = SIZE.solve(layers="Conv3-8 Same, ReLU, conv3x5-8 d2 same, DWConv5 same", input=[9, 7, 3])
    assert {tuple(row["output_shape"]) for row in result["table"]} == {(9, 7, 8)}


def test_dense_layers_take_vectors():
    result = SIZE.solve(layers="fc100, bn, relu, dropout, fc10 nobias", input=[784])
    assert [row["params"] for row in result["table"]] == [78_500, 200, 0, 0, 1_000]
    assert [row["receptive_field"] for row in result["table"]] == [None] * 5


@pytest.mark.parametrize(
    ("layers", "sentence", "at"),
    [
        ("", "a layer is missing", 0),
        ("conv3-8,,fc10", "a layer is missing", 8),
        ("conv3-8, cnov3-8", "unknown layer 'cnov': the closest is conv", 9),
        ("zzz", "choose from conv, dwconv", 0),
        ("conv3", "write conv as in conv3-64", 0),
        ("fc", "as in fc10", 0),
        ("relu3", "without numbers", 0),
        ("dropout0.5", "without numbers", 0),
        ("conv0-8", "at least 1", 4),
        ("conv3-8/0", "at least 1", 8),
        ("conv3-1000000000", "at most 5 digits", 6),
        ("conv3-8 q2", "conv takes /, p, same", 8),
        ("relu p1", "takes no options", 5),
        ("conv3-8 p1 p2", "appears twice", 10),
        ("conv3-8 p1 same", "appears twice", 10),
        ("conv3-8/2 same", "same needs stride 1", 0),
        ("conv4-8 same", "odd effective kernel size", 0),
        (",".join(["relu"] * 10_000), "limit is 8000", 0),
        (",".join(["bn"] * 600), "600 layers", 0),
    ],
)
def test_read_layers_points_to_the_problem(layers, sentence, at):
    with pytest.raises(FormatError, match=sentence) as error:
        read_layers(layers)
    assert error.value.at == at


@pytest.mark.parametrize(
    ("layers", "shape", "sentence"),
    [
        ("conv7-8", [5, 5, 3], "covers 7x7, but the padded map is only 5x5"),
        ("conv3-8 d3 p1", [4, 9, 3], "covers 7x7, but the padded map is only 6x11"),
        ("pool3/2 p2", [9, 9, 3], "at most half"),
        ("pool2,pool2,pool2", [4, 4, 1], "doesn't fit"),
        ("conv3-8 g2", [9, 9, 3], "2 groups"),
        ("conv3-9 g2", [9, 9, 4], "2 groups"),
        ("fc10,conv3-8", [9, 9, 3], "needs a feature map"),
        ("gap", [9], "needs a feature map"),
        ("relu", [9, 9], "height x width x channels"),
        ("relu", [0, 9, 1], "from 1 to 99999"),
        ("relu", [10**9, 9, 1], "from 1 to 99999"),
        ("relu", [1.5, 9, 1], "a shape from 1"),
    ],
)
def test_layers_that_do_not_fit_are_rejected(layers, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        SIZE.solve(layers=layers, input=shape)


@given(st.text(st.sampled_from("convpolfcbngapdws0123456789x-/, "), max_size=30))
def test_any_text_is_read_or_rejected(text):
    try:
        layers = read_layers(text)
    except FormatError as error:
        assert 0 <= error.at <= len(text) and error.message_with_caret()
        return
    assert all(layer.kind in OPTIONS for layer in layers)
    assert [layer.text for layer in read_layers(", ".join(layer.text for layer in layers))] == [
        la.text for la in layers
    ]


@pytest.mark.parametrize(
    ("network", "shape"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 16, 3, stride=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(784, 10)),
            (3, 32, 32),
        ),
        (nn.Sequential(nn.Conv2d(3, 8, (3, 5), (2, 1), (1, 0), bias=False), nn.BatchNorm2d(8), nn.SiLU()), (3, 20, 31)),
        (nn.Sequential(nn.Conv2d(4, 8, 3, padding="same", groups=2, dilation=2), nn.AvgPool2d(3, 2, 1)), (4, 9, 9)),
        (
            nn.Sequential(
                nn.Linear(20, 30, bias=False), nn.Tanh(), nn.Dropout(0.5), nn.Linear(30, 5), nn.Softmax(dim=1)
            ),
            (20,),
        ),
        (nn.Sequential(nn.Conv2d(3, 6, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2)), (3, 12, 10)),
    ],
)
def test_layers_as_pytorch_prints_them(network, shape):
    params, flops, output = measure(network, *shape)
    result = SIZE.solve(layers=str(network), input=list(shape))
    assert (result["P"], result["FLOPs"]) == (params, flops)
    assert result["output"] == ([*output[1:], output[0]] if len(output) == 3 else output)


@pytest.mark.parametrize(
    ("layers", "shape", "sentence"),
    [
        ("Conv2d(3, 16, 3)", [32, 32, 3], "takes 3 channels, and its input has 32."),
        ("Linear(100, 10)", [3, 5, 5], "takes 100 values, and its input has 75"),
        ("Conv2d(3, 16)", [32, 32, 3], "Conv2d needs kernel_size"),
        ("Conv2d(3, 16, k=3)", [32, 32, 3], "Conv2d has no argument 'k'"),
        ("Conv3d(3, 16, 3)", [32, 32, 3], "unknown layer 'Conv3d'"),
        ("MaxPool2d(2, ceil_mode=True)", [32, 32, 3], "ceil_mode=True is not read"),
        ("Conv2d(3, 16, -3)", [32, 32, 3], "can't read the argument '-3'"),
    ],
)
def test_layers_of_pytorch_that_can_not_be_used(layers, shape, sentence):
    with pytest.raises((FormatError, UserError)) as error:
        read_layers(layers)
        SIZE.solve(layers=layers, input=shape)
    assert sentence in str(error.value)


def test_strides_and_padding_that_differ_down_and_across():
    network = nn.Conv2d(3, 8, (3, 5), (2, 1), (1, 0))
    result = SIZE.solve(layers="conv3x5-8 /2x1 p1x0", input=[20, 31, 3])
    assert (result["P"], result["FLOPs"]) == measure(network, 3, 20, 31)[:2]
    assert SIZE.solve(layers="conv3-8 s2", input=[9, 9, 3])["output"] == [4, 4, 8]
    assert SIZE.solve(layers="linear10", input=[9])["P"] == SIZE.solve(layers="dense10", input=[9])["P"] == 100
