"""A stack of layers from one line: sizes, parameters and operations against PyTorch's network of the same layers."""

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
ALEXNET = (  # as torchvision has it
    "conv11-64/4 p2, relu, pool3/2, conv5-192 p2, relu, pool3/2, conv3-384 p1, relu, conv3-256 p1, relu, "
    "conv3-256 p1, relu, pool3/2, dropout, fc4096, relu, dropout, fc4096, relu, fc1000"
)
VGG16 = ", ".join(
    ", ".join([f"conv3-{width} same, relu"] * count) + ", pool2"
    for width, count in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]
)
VGG16 += ", fc4096, relu, dropout, fc4096, relu, dropout, fc1000"


def counted(network, *shape):
    """Parameters and FLOPs (convolutions and matrix products) as PyTorch counts them, without computing anything."""
    with FlopCounterMode(display=False) as counter:
        made = network.to("meta").eval()(torch.empty(1, *shape, device="meta"))
    return sum(p.numel() for p in network.parameters()), counter.get_total_flops(), list(made.shape[1:])


@pytest.mark.parametrize(
    ("layers", "name", "params"),
    [(ALEXNET, "alexnet", 61_100_840), (VGG16, "vgg16", 138_357_544)],
)
def test_published_networks(layers, name, params):
    import torchvision

    with torch.device("meta"):
        network = torchvision.models.get_model(name, weights=None)
    found = SIZE.solve(layers=layers, input=[224, 224, 3])
    assert found["P"] == params
    assert (found["P"], found["FLOPs"], found["output"]) == counted(network, 3, 224, 224)
    assert found["M"] == 4 * params


def test_lenet_of_the_registry():
    found = SIZE.solve(layers="conv5x5-6,pool2,conv5x5-16,pool2,fc120,fc84,fc10", input=[32, 32, 1])
    network = models.build("lenet5-modern")
    assert found["P"] == models.info("lenet5-modern").params == 61_706
    assert (found["P"], found["FLOPs"]) == counted(network, 1, 32, 32)[:2]
    assert [row["output_shape"] for row in found["table"][:4]] == [[28, 28, 6], [14, 14, 6], [10, 10, 16], [5, 5, 16]]


@st.composite
def stacks(draw):
    """Layers as a text, and the same layers as PyTorch's, on a map of drawn size."""
    high, wide, C = draw(st.integers(8, 20)), draw(st.integers(8, 20)), draw(st.sampled_from([2, 4, 6]))
    texts, built, channels = [], [], C
    for _ in range(draw(st.integers(1, 5))):
        h, w = draw(st.integers(1, 3)), draw(st.integers(1, 3))
        s, d, p = draw(st.integers(1, 2)), draw(st.integers(1, 2)), draw(st.integers(0, 1))
        match draw(st.sampled_from(["conv", "dwconv", "pool", "avgpool", "bn", "relu"])):
            case "conv":
                out, g, bias = draw(st.sampled_from([2, 4, 8])), draw(st.sampled_from([1, 2])), draw(st.booleans())
                texts.append(f"conv{h}x{w}-{out}/{s} p{p} d{d} g{g}{'' if bias else ' nobias'}")
                built.append(nn.Conv2d(channels, out, (h, w), s, p, d, g, bias))
                channels = out
            case "dwconv":
                texts.append(f"dwconv{h}x{w} p{p}d{d}/{s}")
                built.append(nn.Conv2d(channels, channels, (h, w), s, p, d, channels))
            case "pool" | "avgpool" as kind:
                texts.append(f"{kind}{h}x{w}/{s} p{p}")
                built.append((nn.MaxPool2d if kind == "pool" else nn.AvgPool2d)((h, w), s, p))
            case "bn":
                texts.append("bn")
                built.append(nn.BatchNorm2d(channels))
            case "relu":
                texts.append("relu")
                built.append(nn.ReLU())
    if draw(st.booleans()):
        texts.append("gap")
        built.append(nn.AdaptiveAvgPool2d(1))
    return ", ".join(texts), [high, wide, C], built


@given(stacks(), st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_any_stack_is_pytorchs(stack, neurons):
    texts, (high, wide, C), built = stack
    try:
        found = SIZE.solve(layers=f"{texts}, fc{neurons}", input=[high, wide, C])
    except UserError as refused:
        assert "doesn't fit" in str(refused)
        with pytest.raises(RuntimeError):
            nn.Sequential(*built)(torch.zeros(1, C, high, wide))
        return
    x, shapes = torch.zeros(1, C, high, wide), []
    for layer in built:
        x = layer.eval()(x)
        shapes.append([*x.shape[2:], x.shape[1]])
    assert [row["output_shape"] for row in found["table"][:-1]] == shapes
    assert [row["bytes"] for row in found["table"][:-1]] == [4 * h * w * c for h, w, c in shapes]
    network = nn.Sequential(*built, nn.Flatten(), nn.Linear(x.numel(), neurons))
    params, flops, _ = counted(network, C, high, wide)
    assert (found["P"], found["FLOPs"]) == (params, flops)


@pytest.mark.parametrize(
    "layers",
    ["conv3-1,conv3-1", "conv5-1/2,avgpool3/2", "conv3-1 d2,avgpool2,conv3-1", "conv3x1-1,conv1x5-1/2,avgpool2x1"],
)
def test_receptive_field_and_jump_by_what_the_gradient_reaches(layers):
    x = torch.ones(1, 1, 64, 64, requires_grad=True)
    y = x
    for layer in read_layers(layers):
        if layer.kind == "conv":
            y = nn.functional.conv2d(y, torch.ones(1, 1, *layer.window), stride=layer.stride, dilation=layer.dilation)
        else:
            y = nn.functional.avg_pool2d(y, layer.window, layer.stride)
    last = SIZE.solve(layers=layers, input=[64, 64, 1])["table"][-1]
    starts = []
    for i, j in [(1, 1), (2, 2)]:
        (reached,) = torch.autograd.grad(y[0, 0, i, j], x, retain_graph=True)
        rows, columns = reached[0, 0].nonzero().T
        field = [int(at.max() - at.min()) + 1 for at in (rows, columns)]
        assert last["receptive_field"] == (field if field[0] != field[1] else field[0])
        starts.append((int(rows.min()), int(columns.min())))
    jump = [b - a for a, b in zip(*starts, strict=True)]
    assert last["jump"] == (jump if jump[0] != jump[1] else jump[0])


def test_same_keeps_the_size_and_small_and_capital_letters_are_one():
    found = SIZE.solve(layers="Conv3-8 Same, ReLU, conv3x5-8 d2 same, DWConv5 same", input=[9, 7, 3])
    assert {tuple(row["output_shape"]) for row in found["table"]} == {(9, 7, 8)}


def test_vectors_go_through_dense_layers():
    found = SIZE.solve(layers="fc100, bn, relu, dropout, fc10 nobias", input=[784])
    assert [row["params"] for row in found["table"]] == [78_500, 200, 0, 0, 1_000]
    assert [row["receptive_field"] for row in found["table"]] == [None] * 5


@pytest.mark.parametrize(
    ("layers", "sentence", "at"),
    [
        ("", "a layer is missing", 0),
        ("conv3-8,,fc10", "a layer is missing", 8),
        ("conv3-8, cnov3-8", "no layer 'cnov': write conv", 9),
        ("zzz", "there are conv, dwconv", 0),
        ("conv3", "write conv as conv3-64", 0),
        ("fc", "as fc10", 0),
        ("relu3", "without numbers", 0),
        ("dropout0.5", "without numbers", 0),
        ("conv0-8", "at least 1", 4),
        ("conv3-8/0", "at least 1", 8),
        ("conv3-1000000000", "up to 5 digits", 6),
        ("conv3-8 q2", "conv takes /, p, same", 8),
        ("relu p1", "takes no options", 5),
        ("conv3-8 p1 p2", "given twice", 10),
        ("conv3-8 p1 same", "given twice", 10),
        ("conv3-8/2 same", "same needs stride 1", 0),
        ("conv4-8 same", "covers an odd side", 0),
        (",".join(["relu"] * 10_000), "up to 8000", 0),
        (",".join(["bn"] * 600), "600 layers", 0),
    ],
)
def test_what_cant_be_read_is_refused_with_its_place(layers, sentence, at):
    with pytest.raises(FormatError, match=sentence) as refused:
        read_layers(layers)
    assert refused.value.at == at


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
def test_what_cant_follow_is_refused_in_words(layers, shape, sentence):
    with pytest.raises(UserError, match=sentence):
        SIZE.solve(layers=layers, input=shape)


@given(st.text(st.sampled_from("convpolfcbngapdws0123456789x-/, "), max_size=30))
def test_any_text_is_read_or_refused(text):
    try:
        layers = read_layers(text)
    except FormatError as refused:
        assert 0 <= refused.at <= len(text) and refused.shown()
        return
    assert all(layer.kind in OPTIONS for layer in layers)
    assert [layer.text for layer in read_layers(", ".join(layer.text for layer in layers))] == [
        la.text for la in layers
    ]
