"""Upsampling, DeepLab, FCN and U-Net: published sizes, values computed by hand, and PyTorch's own operations."""

import pytest
import torch
import torch.nn.functional as F

from quizzes.content.segmentation.deeplab.drills import strides
from quizzes.content.segmentation.encoder_decoder_segmentation.drills import unet
from quizzes.content.segmentation.upsampling.drills import interpolation, sizes, unpooling
from quizzes.content.segmentation.upsampling.drills import values as transposed
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

CORNERS = dict(f00=10, f10=20, f01=30, f11=40)
PAIRS = [[2, 2], [3, 2], [4, 2], [4, 3], [6, 3]]

GOLDEN = [
    ("transposed-conv-size", dict(n=7, f=3, s=2, p=1, q=1), {"o": 14}),
    ("transposed-conv-size", dict(n=7, f=3, s=2, p=1), {"o": 13}),
    ("transposed-conv-size", dict(n=4, f=4, s=2, p=1), {"o": 8}),
    ("transposed-conv-factor", dict(n=7, f=3, s=2), {"p": 1, "q": 1, "o": 14}),
    ("transposed-conv-factor", dict(n=9, f=8, s=4), {"p": 2, "q": 0, "o": 36}),
    ("transposed-conv", dict(X=[[1, 2], [3, 4]], K=[[1, 0], [1, 1]]), {"O": [[1, 2, 0], [4, 7, 2], [3, 7, 4]]}),
    ("transposed-conv-1d", dict(x=[1, 2, 3], w=[1, 2, 1], s=2), {"o": [1, 2, 3, 4, 5, 6, 3]}),
    ("transposed-conv-1d", dict(x=[1, 2, 3], w=[1, 2, 1], s=2, p=1), {"c": [1, 2, 1, 2, 1]}),
    ("max-unpool", dict(X=[[1, 6], [5, 3]]), {"M": [[6]], "I": [[1]], "U": [[0, 6], [0, 0]]}),
    ("max-unpool", dict(X=[[1, 3], [5, 6]]), {"I": [[3]], "U": [[0, 0], [0, 6]]}),
    ("bilinear-value", dict(CORNERS, x=0.25, y=0.5), {"v": 22.5}),
    ("bilinear-value", dict(CORNERS, x=0.25, y=0.4), {"v": 20.5}),
    ("bilinear-pixel", dict(X=[[1, 2], [3, 4]], w=2, H=4, W=4, i=1, j=2), {"y": 0.25, "x": 0.75, "v": 2.25}),
    ("nearest-value", dict(X=[[1, 2], [3, 4]], w=2, H=4, W=4, i=1, j=2), {"v": 2}),
    ("nearest-value", dict(X=[[1, 2], [3, 4]], w=2, H=4, W=4, i=3, j=0), {"r": 1, "c": 0}),
    ("linear-row", dict(x=[0, 4], m=4), {"u": [0, 1.3333, 2.6667, 4], "v": [0, 1, 3, 4]}),
    ("checkerboard", dict(pairs=PAIRS, k=4), {"even": ["pair1", "pair3", "pair5"], "r": 4}),
    ("bilinear-kernel", dict(s=32, n=16, i=0, j=0), {"f": 64, "p": 16, "o": 512}),
    (
        "unet-shapes",
        dict(n=572),
        {"bottom": 28, "skip": [568, 280, 136, 64], "crop": [56, 104, 200, 392], "o": 388},
    ),
    ("unet-tiles", dict(m=388, W=512, H=512), {"n": 572, "o": 388, "a": 92, "t": 4}),
    ("fcn-upsample", dict(n=224, k=32, K=21), {"a": 7, "h": 7, "m": 0}),
    ("fcn-upsample", dict(n=224, k=16, K=21), {"h": 14, "m": 1}),
    ("fcn-upsample", dict(n=224, k=8, K=21), {"h": 28, "m": 2, "P": 21 * (4097 + 513 + 257)}),
    ("fully-convolutional", dict(n=512, S=32, C=512, f=7, F=4096), {"P": 102764544, "o": 10}),
    ("segnet-indices", dict(H=360, W=480, C=64), {"M_i": 675, "M_f": 43200, "r": 64}),
    ("up-block-code", dict(C=128, C_s=64, D=256, X=256, k=3), {"e": 256, "r": 192, "P": 221312}),
    (
        "unet-mini",
        dict(n=64, c=3, w=16, K=3),
        {"bottom": [64, 16, 16], "C": 64, "P": 57011, "M": 384, "loss": 1.0986},
    ),
    ("output-stride-resnet", dict(n=512, c=1), {"S": 16, "o": 32, "rate": 2}),
    ("output-stride-resnet", dict(n=513, c=2), {"S": 8, "o": 65, "rate": 4}),
    ("output-stride", dict(n=224, s=[2, 2, 1, 2, 2, 2, 1], c=2), {"S": 8, "d": [1, 1, 1, 1, 1, 2, 4], "o": 28}),
    ("atrous-stack", dict(f=3, d=[2, 2, 2]), {"r": 13, "u": 7, "dense": "gaps"}),
    ("atrous-stack", dict(f=3, d=[1, 2, 5]), {"r": 17, "u": 17, "dense": "all"}),
    ("atrous-field", dict(f=3, b=2, n=5, m=5), {"r": 63, "v": 63}),
    ("atrous-field", dict(f=5, b=3, n=3, m=3), {"r": 53}),
    ("aspp-branch", dict(d=4, n=33, i=0, j=16), {"E": 9, "D": 128, "T": 6}),
    ("crf-kernel", dict(t=3, g=4, w1=2, w2=1, alpha=3, beta=4, gamma=3), {"A": 0.7358, "B": 0.6065}),
    ("crf-mean-field", dict(p1=0.5, p2=0.9, k=1), {"q1": 0.69, "q2": 0.9}),
    ("crf-flip", dict(p1=0.25, p2=0.75), {"x1": -1.0986, "k_min": 2.1972}),
    (
        "dense-crf",
        dict(U=[[0, 0], [0, 2.1972246]], P=[[0, 0], [9, 9]], I=[1, 1], w1=1, w2=0, alpha=10000, T=1),
        {"Q": [[0.69, 0.31], [0.9, 0.1]], "label": [1, 1]},
    ),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


MISTAKES = [
    (interpolation.bilinear_value, "weights-swapped", dict(CORNERS, x=0.25, y=0.4), {"v": 29.5}),
    (interpolation.nearest_value, "bilinear", dict(X=[[1, 2], [3, 4]], w=2, H=4, W=4, i=1, j=2), {"v": 2.25}),
    (sizes.decide_checkerboard, "every-even-kernel", dict(PAIRS=0), {"even": ["pair1", "pair3", "pair4", "pair5"]}),
    (unet.debug_up_block, "input-and-skip", dict(C=128, C_s=64, D=256, X=256, k=3, line=5), {"r": 320}),
    (unet.debug_up_block, "old-channels", dict(C=128, C_s=64, D=256, X=256, k=3, line=5), {"P": 295040}),
    (unet.chain_unet_mini, "adds-skips", dict(n=64, c=3, w=16, K=3), {"C": 32, "P": 45491}),
    (unet.chain_unet_mini, "large-up-convolutions", dict(n=64, c=3, w=16, K=3), {"P": 69811}),
    (unet.chain_unet_mini, "bottleneck-counted", dict(n=64, c=3, w=16, K=3), {"M": 448}),
    (strides.atrous_field, "dilation-ignored", dict(f=3, b=2, n=5, m=5), {"v": 11}),
    (strides.atrous_field, "kernel-times-dilation", dict(f=3, b=2, n=5, m=5), {"v": 94}),
    (sizes.decide_checkerboard, "one-dimension", dict(PAIRS=0), {"r": 2}),
    (sizes.decide_checkerboard, "kernel-over-stride", dict(PAIRS=0), {"r": 1.7778}),
    (unpooling.max_unpool, "repeats", dict(X=[[1, 6], [5, 3]], V=[[6]]), {"U": [[6, 6], [6, 6]]}),
    (
        transposed.transposed_conv_values,
        "flipped",
        dict(X=[[1, 2], [3, 4]], K=[[1, 0], [1, 1]]),
        {"O": [[1, 3, 2], [3, 8, 6], [0, 3, 4]]},
    ),
]


@pytest.mark.parametrize(("drill", "mistake", "inputs", "expected"), MISTAKES)
def test_golden_mistakes(drill, mistake, inputs, expected):
    values = evaluate_with_mistake(drill, mistake, **(dict(pairs=PAIRS, k=4) if "PAIRS" in inputs else inputs))
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_a_row_is_upsampled_as_by_pytorch_for_every_stride_and_padding():
    x, w = torch.arange(1.0, 5), torch.tensor([2.0, -1, 3, 1])
    for s in range(1, 6):
        for p in range(3):
            expected = F.conv_transpose1d(x[None, None], w[None, None], None, s, p)[0, 0].tolist()
            assert get("transposed-conv-1d").solve(x=x.tolist(), w=w.tolist(), s=s, p=p)["o"] == expected


@pytest.mark.parametrize("s", [2, 4, 6, 8])
def test_the_bilinear_kernel_interpolates(s):
    """In the interior, the transposed convolution is bilinear interpolation without aligned corners."""
    size = int(get("bilinear-kernel").solve(s=s, n=6, i=0, j=0)["f"])
    weights = [get("bilinear-kernel").solve(s=s, n=6, i=i, j=j) for i in range(size) for j in range(size)]
    kernel = torch.tensor([float(values["W"]) for values in weights]).view(1, 1, size, size)
    image = torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(s))
    output = F.conv_transpose2d(image, kernel, None, s, int(weights[0]["p"]))
    expected = F.interpolate(image, scale_factor=float(s), mode="bilinear", align_corners=False)
    assert output.shape == expected.shape
    torch.testing.assert_close(output[..., s:-s, s:-s], expected[..., s:-s, s:-s])


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("transposed-conv", dict(X=[[1]], K=[[1, 2], [3, 4]], p=1), "Use a smaller one"),
        ("transposed-conv", dict(X=[[1]], K=[[1]], s=2, q=2), "at most 1"),
        ("transposed-conv", dict(X=[[1, 2]] * 2, K=[[1]], s=99), "at most 64"),
        ("unpool-indices", dict(V=[[1]], I=[[4]], H=2, W=2), "from 0 to 3"),
        ("unpool-indices", dict(V=[[1]], I=[[0, 1]], H=2, W=2), "the same shape"),
        ("max-unpool", dict(X=[[1, 2]], k=2), "larger than the map"),
        ("unet-shapes", dict(n=574), "Use a size such as 588"),
        ("unet-shapes", dict(n=140), "too small for a U-Net with 5 levels"),
        ("output-stride", dict(n=224, s=[2, 1], c=2), "at most 1 can be replaced"),
        ("dense-crf", dict(U=[[1, 2]], P=[[0, 0], [1, 1]], I=[1]), "one row or number per pixel"),
        ("dense-crf", dict(U=[[1, 2]] * 37, P=[[0, 0]] * 37, I=[1] * 37), "at most 36 pixels"),
        ("fcn-fuse", dict(X=[[1]], Y=[[1]]), "twice as high"),
        ("checkerboard", dict(pairs=[[1, 2]] * 5, k=1), "is not smaller"),
    ],
)
def test_unusable_inputs_are_rejected(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)


def test_aspp_of_the_paper_has_the_parameters_of_torchvision():
    from torchvision.models.segmentation.deeplabv3 import ASPP

    with torch.device("meta"):
        expected = sum(weights.numel() for weights in ASPP(2048, [12, 24, 36]).parameters())
    assert get("aspp-params").solve(C_in=2048)["P"] == expected


def test_every_valid_size_of_a_unet_leads_to_an_output():
    shapes = get("unet-shapes")
    for levels in (2, 3, 4, 5):
        for least in range(1, 400, 7):
            tile = get("unet-tiles").solve(m=least, L=levels, W=1000, H=1000)
            assert shapes.solve(n=int(tile["n"]), L=levels)["o"] == tile["o"] >= least
            smaller = int(tile["n"]) - 2 ** (levels - 1)
            try:
                assert shapes.solve(n=smaller, L=levels)["o"] < least
            except UserError as error:
                assert "too small" in str(error)
