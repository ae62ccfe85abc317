"""Losses, metrics, RoIAlign and SAM: published values, values computed by hand, and libraries."""

import pytest
import torch
import torch.nn.functional as F

from quizzes.content.segmentation.segmentation_losses.drills import entropy, overlap
from quizzes.content.segmentation.segmentation_losses.drills import reasoning as losses
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

VALID = dict(p=[0.9, 0.5, 0.8, 0.1], v=[1, 1, 1, 0])
AREAS = dict(a=60, b=40, I=30)
FOUR_PIXELS = dict(p=[0.8, 0.4, 0.3, 0.1], g=[1, 1, 0, 0])
IMBALANCE = dict(N=1000, f=10, r=30, e=0.01, h=0.9)

GOLDEN = [
    ("pixel-ce", VALID, {"n": 3, "L": 0.3406}),
    ("pixel-ce-weighted", dict(p=[0.5, 0.5], y=[0, 1], w=[1, 3]), {"L": 0.6931}),
    ("pixel-ce-uniform", dict(K=21), {"L": 3.0445}),
    ("constant-mask", dict(f=0.1), {"acc": 0.9, "mIoU": 0.45, "L": 0.3251, "D": 0.1}),
    ("class-weights", dict(n=[100, 50, 25]), {"w": [0.5833, 1.1667, 2.3333], "m": [0.5, 1, 2]}),
    ("dice", AREAS, {"D": 0.6, "J": 0.4286, "L": 0.4}),
    ("dice-jaccard", dict(J="3/7"), {"D": "3/5"}),
    ("dice-counts", dict(TP=30, FP=30, FN=10), {"D": "3/5"}),
    ("mask-dice", dict(A=[[1, 1, 0], [1, 0, 0]], B=[[1, 0, 0], [1, 1, 0]]), {"I": 2, "D": "2/3", "J": "1/2"}),
    ("soft-dice", FOUR_PIXELS, {"I": 1.2, "S": 3.6, "L": 0.3333}),
    ("soft-dice-squared", FOUR_PIXELS, {"I": 1.2, "S": 2.9, "L": 0.1724}),
    ("dice-gradient", dict(FOUR_PIXELS, I=1.2, S=3.6), {"fg": -0.3704, "bg": 0.1852}),
    ("dice-gradient", dict(FOUR_PIXELS, I=1.2, S=3.6), {"v": [-0.3704, -0.3704, 0.1852, 0.1852]}),
    ("tversky", dict(TP=30, FP=30, FN=10, alpha=0.5, beta=0.5), {"T": 0.6, "D": 0.6, "J": 0.4286}),
    ("loss-imbalance", IMBALANCE, {"bce_x": 0.0560, "bce_y": 0.0798, "d_x": 0.01, "d_y": 0.3237, "w": 1.5284}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


MISTAKES = [
    (entropy.pixel_ce, "all-pixels", VALID, {"L": 0.2554}),
    (overlap.dice, "over-union", AREAS, {"D": 0.8571}),
    (overlap.dice, "no-factor", AREAS, {"D": 0.3}),
    (losses.decide_loss_imbalance, "iou-for-dice", IMBALANCE, {"d_x": 0.005025, "d_y": 0.1931}),
    (losses.decide_loss_imbalance, "class-ratio", IMBALANCE, {"w": 99}),
    (losses.decide_loss_imbalance, "counts", IMBALANCE, {"w": 3}),
    (losses.decide_loss_imbalance, "sum-for-mean", IMBALANCE, {"bce_x": 56.0015, "bce_y": 79.7795}),
]


@pytest.mark.parametrize(("drill", "mistake", "inputs", "expected"), MISTAKES)
def test_golden_mistakes(drill, mistake, inputs, expected):
    values = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_pixel_cross_entropy_agrees_with_pytorch():
    Z, y = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)).double(), torch.tensor([0, 2, 255, 1, 1, 255])
    values = get("pixel-ce-logits").solve(Z=Z.tolist(), y=y.tolist())
    assert float(values["L"]) == pytest.approx(F.cross_entropy(Z, y, ignore_index=255).item())


def test_dice_of_masks_agrees_with_scikit_learn():
    from sklearn.metrics import f1_score, jaccard_score

    masks = torch.rand(2, 5, 6, generator=torch.Generator().manual_seed(1)).gt(0.4).long()
    values = get("mask-dice").solve(A=masks[0].tolist(), B=masks[1].tolist())
    a, b = masks.flatten(1).numpy()
    assert (float(values["D"]), float(values["J"])) == pytest.approx((f1_score(b, a), jaccard_score(b, a)))


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[2]), "classes from 0 to 1, or 255"),
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[255]), "Every pixel is ignored"),
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[0, 1]), "one class per row of Z: 1, not 2"),
        ("pixel-ce-weighted", dict(p=[0.5], y=[2], w=[1, 1]), "classes from 0 to 1"),
        ("class-weights", dict(n=[10, 0]), "at least one pixel"),
        ("mask-dice", dict(A=[[0]], B=[[0]]), "Both masks are empty"),
        ("mask-dice", dict(A=[[0, 1]], B=[[0]]), "same number of columns"),
    ],
)
def test_unusable_inputs(name, inputs, message):
    with pytest.raises(UserError, match=message):
        get(name).solve(**inputs)
