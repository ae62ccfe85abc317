"""Convolution and pooling: values computed by hand, and PyTorch over a grid of settings."""

from itertools import product

import pytest

from quizzes import bank
from quizzes.content.cnn.convolution.formulas import RECEPTIVE_FIELD, RECEPTIVE_FIELD_OF_THREE
from quizzes.formulas import get
from quizzes.trace import Trace
from workbench.errors import UserError

X = [[1, 3, 2, 4], [5, 6, 1, 2], [7, 2, 9, 1], [3, 4, 0, 8]]

GOLDEN = [
    ("same-padding", dict(f=7), {"p": 3}),
    ("same-padding", dict(f=3, d=2), {"p": 2}),
    ("same-padding-tensorflow", dict(n=15, s=2, f=3), {"o": 8, "T": 2, "b": 1}),
    ("dilated-kernel", dict(f=3, d=4), {"E": 9}),
    ("dilated-layer", dict(f=3, d=4, n=32, p=4, C_in=8, C_out=16), {"E": 9, "W": 1_152, "o": 32}),
    (
        "conv-stack",
        dict(n=55, C=3, layers=[[20, 5, 1, 0], [0, 7, 2, 0], [0, 7, 4, 0]]),
        {"S1": [51, 51, 20], "S2": [23, 23, 20], "S3": [5, 5, 20]},
    ),
    ("conv-macs-flops", dict(n=56, f=3, p=1, C_in=64, C_out=128), {"o": 56, "MACs": 231_211_008}),
    (
        "conv-macs-flops",
        dict(n=56, f=3, s=2, p=1, C_in=64, C_out=128),
        {"o": 28, "MACs": 57_802_752, "FLOPs": 115_605_504},
    ),
    ("grouped-conv", dict(f=3, C_in=64, C_out=128, g=4), {"W": 18_432}),
    ("conv3d-params", dict(f_t=3, f=3, C_in=3, C_out=64), {"P": 5_248}),
    ("conv1d-params", dict(f=5, C_in=300, C_out=100), {"P": 150_100}),
    ("conv-values", dict(X=[[1, 2, 0], [0, 1, 3], [2, 1, 1]], K=[[1, 0], [-1, 2]]), {"O": [[3, 7], [0, 2]]}),
    (
        "conv-channels",
        dict(X1=[[1, 2], [0, 1]], X2=[[1, 0], [2, 3]], K1=[[1, 0], [-1, 2]], K2=[[0, 1], [1, 1]], b=-1),
        {"O": [[7]]},
    ),
    ("pooling-values", dict(X=X, k=2, s=2), {"M": [[6, 4], [7, 9]], "A": [[3.75, 2.25], [4, 4.5]]}),
    ("pool-shape", dict(H=3, W=5, C=7, k=2, s=2), {"S": [1, 2, 7], "Q": [2, 3, 7]}),
    (
        "pool-backprop",
        dict(X=[[1, 3], [5, 6]], G=[[2]], k=2, s=2),
        {"M": [[0, 0], [0, 2]], "A": [[0.5, 0.5], [0.5, 0.5]]},
    ),
    ("gap-head", dict(n=7, C=512, K=1000), {"P": 513_000, "D": 25_089_000}),
    ("fc-after-flatten", dict(H=7, W=7, C=512, u=4096), {"P": 102_764_544}),
    ("fc-vs-conv-params", dict(H=300, W=300, C=3, f=5, u=100), {"D": 27_000_100, "P": 7_600}),
    ("stack-3x3-vs-5x5", dict(L=2, C=64), {"r": 5, "W": 73_728, "B": 102_400, "q": 28}),
    ("stack-3x3-vs-5x5", dict(L=3, C=1), {"r": 7, "W": 27, "B": 49, "q": pytest.approx(44.898, abs=1e-3)}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == expected


@pytest.mark.parametrize(
    ("layers", "field"),
    [  # kernel size, stride, dilation
        ([(5, 1, 1), (2, 2, 1), (5, 1, 1)], 14),
        ([(5, 1, 2), (2, 2, 1), (5, 1, 1)], 18),
        ([(5, 1, 1), (2, 2, 1), (3, 1, 1), (2, 2, 1)], 12),
    ],
)
def test_receptive_fields(layers, field):
    formula = Trace(RECEPTIVE_FIELD, len(layers), {"r": "r_in", "j": "j_in"}, fresh="f s d")
    inputs = {f"{name}{k}": v for k, row in enumerate(layers, 1) for name, v in zip("fsd", row, strict=True)}
    assert formula.solve(**inputs)[f"r{len(layers)}"] == field


MISTAKES = [  # drill, mistake, inputs, part, resulting answer
    ("same-padding", "both-sides-on-one", dict(f=7), "p", 6),
    ("same-padding", "half-of-f-rounded-up", dict(f=7), "p", 4),
    ("same-padding", "dilation-ignored", dict(f=3, d=2), "p", 1),
    ("same-padding:tensorflow", "keeps-the-size", dict(n=15, s=2, f=3), "o", 15),
    ("dilated-kernel", "side-times-dilation", dict(f=3, d=4), "E", 12),
    ("dilated-kernel", "a-pixel-too-many-in-each-gap", dict(f=3, d=4), "E", 11),
    ("conv-macs-flops", "input-size", dict(n=56, f=3, s=2, p=1, C_in=64, C_out=128), "MACs", 231_211_008),
    ("grouped-conv", "divided-twice", dict(f=3, C_in=64, C_out=128, g=4), "W", 4_608),
    ("grouped-conv", "times-groups", dict(f=3, C_in=64, C_out=128, g=4), "W", 294_912),
    ("conv3d-conv1d", "no-time", dict(f_t=3, f=3, C_in=3, C_out=64), "P", 1_792),
    ("gap-head", "sides-counted", dict(n=7, C=512, K=1000), "P", 25_089_000),
    ("fc-after-flatten", "no-positions", dict(H=7, W=7, C=512, u=4096), "P", 2_101_248),
    ("fc-vs-conv-params", "filter-no-channels", dict(H=300, W=300, C=3, f=5, u=100), "P", 2_600),
    ("stack-3x3-vs-5x5", "three-a-layer", dict(L=3, C=64), "r", 9),
    ("pool-backprop", "max-shared", dict(X=[[1, 3], [5, 6]], G=[[2]], k=2, s=2), "M", [[0.5, 0.5], [0.5, 0.5]]),
    (
        "conv-value-hand",
        "flipped-filter",
        dict(X=[[1, 2, 0], [0, 1, 3], [2, 1, 1]], K=[[1, 0], [-1, 2]], b=0, s=1, p=0),
        "O",
        [[1, 7], [0, 0]],
    ),
    (
        "conv-stack-shapes",
        "rounded-up",
        dict(n=32, C=3, layers=[[6, 5, 1, 0], [0, 3, 2, 0], [16, 3, 1, 0]]),
        "S3",
        [12, 12, 16],
    ),
    ("receptive-field", "own-stride", dict(f1=5, s1=1, d1=1, f2=2, s2=2, d2=1, f3=5, s3=1, d3=1), "r3", 15),
    ("receptive-field", "f-not-f-1", dict(f1=5, s1=1, d1=1, f2=2, s2=2, d2=1, f3=5, s3=1, d3=1), "r3", 18),
    ("receptive-field", "pooling-ignored", dict(f1=5, s1=1, d1=1, f2=2, s2=2, d2=1, f3=5, s3=1, d3=1), "r3", 9),
]


@pytest.mark.parametrize(("drill", "mistake", "inputs", "part", "expected"), MISTAKES)
def test_mistakes_give_their_answers(drill, mistake, inputs, part, expected):
    declared = bank.get_drill(drill)
    values = declared.formula.evaluate(declared.formula.complete(inputs))
    rule = next(rule for rule in declared.mistake_rules if rule.name == mistake)
    assert declared.formula.evaluate_with_mistake(rule.replaced, values, declared.asks)[part] == expected


def test_pooled_shapes_match_pytorch():
    torch = pytest.importorskip("torch")
    for n, k, s, p in product(range(3, 14), range(1, 4), range(1, 5), range(2)):
        if 2 * p > k:
            continue
        values = get("pool-shape").solve(H=n, W=n + 1, C=2, k=k, s=s, p=p)
        x = torch.empty(1, 2, n, n + 1, device="meta")
        for name, ceil in (("S", False), ("Q", True)):
            shape = torch.nn.functional.max_pool2d(x, k, s, p, ceil_mode=ceil).shape
            assert values[name] == [shape[2], shape[3], shape[1]], (n, k, s, p)


def test_convolution_and_pooling_match_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for s, p in product((1, 2), (0, 1)):
        x, w = torch.randint(-4, 5, (6, 5)).double(), torch.randint(-3, 4, (3, 2)).double()
        output = torch.nn.functional.conv2d(x[None, None], w[None, None], stride=s, padding=p)[0, 0] + 2
        assert get("conv-values").solve(X=x.tolist(), K=w.tolist(), b=2, s=s, p=p)["O"] == output.tolist()
    for k, s in ((2, 1), (2, 2), (2, 3), (4, 1)):
        x = torch.randperm(30).double().reshape(6, 5).requires_grad_()
        for name, pool in (("M", torch.nn.functional.max_pool2d), ("A", torch.nn.functional.avg_pool2d)):
            y = pool(x[None], k, s)[0]
            g = torch.randint(-4, 5, y.shape).double()
            assert get("pooling-values").solve(X=x.tolist(), k=k, s=s)[name] == y.tolist()
            gradient = torch.autograd.grad(y, x, g)[0].tolist()
            assert get("pool-backprop").solve(X=x.tolist(), G=g.tolist(), k=k, s=s)[name] == gradient


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("conv-values", dict(X=[[1, 2], [3]], K=[[1]]), "X .* has rows of different lengths"),
        ("conv-values", dict(X=[[1]], K=[[1, 2]]), "larger than the padded map"),
        ("conv-channels", dict(X1=[[1]], X2=[[1, 2]], K1=[[1]], K2=[[1]]), "one size"),
        ("pooling-values", dict(X=[[1, 2]], k=2, s=1), "larger than the map"),
        ("pool-backprop", dict(X=X, G=[[1]], k=2, s=2), "so G must be 2x2"),
        ("pool-shape", dict(H=4, W=4, C=1, k=2, s=2, p=2), "padding at most half"),
        ("conv-stack", dict(n=9, C=1, layers=[[1, 3, 1, 0]]), "three rows"),
        ("conv-stack", dict(n=4, C=1, layers=[[1, 3, 1, 0], [0, 3, 1, 0], [1, 1, 1, 0]]), "layer 2 doesn't fit"),
        ("conv-stack", dict(n=9, C=1, layers=[[1, 3, 0, 0]] * 3), "at least 1"),
        ("grouped-conv", dict(f=3, C_in=6, C_out=8, g=4), "^C_in/g "),
    ],
)
def test_invalid_inputs_raise_an_error(name, inputs, message):
    with pytest.raises(UserError, match=message):
        get(name).solve(**inputs)


def test_receptive_field_of_three_layers_takes_their_settings():
    assert RECEPTIVE_FIELD_OF_THREE.inputs == ["r0", "j0", "f1", "f2", "f3", "s1", "s2", "s3", "d1", "d2", "d3"]
