"""Losses, metrics, RoIAlign and SAM: published values, values computed by hand, and libraries."""

import pytest
import torch
import torch.nn.functional as F

from quizzes.content.segmentation.instance_and_promptable.drills import prompts, regions
from quizzes.content.segmentation.segmentation_losses.drills import entropy, overlap
from quizzes.content.segmentation.segmentation_losses.drills import reasoning as losses
from quizzes.content.segmentation.segmentation_types.drills import iou, panoptic
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

VALID = dict(p=[0.9, 0.5, 0.8, 0.1], v=[1, 1, 1, 0])
AREAS = dict(a=60, b=40, I=30)
FOUR_PIXELS = dict(p=[0.8, 0.4, 0.3, 0.1], g=[1, 1, 0, 0])
TWO_CLASSES = dict(C=[[50, 10], [5, 35]])
MATCHES = dict(q=[0.9, 0.8, 0.6], FP=1, FN=2)
MERGED = dict(M=[[60, 40, 0], [0, 0, 27]], b=[60, 40, 30])
CLICK = dict(a=20, b=100, r=0.5)
POINT = dict(x=0.3, y=0.6, a=1, b=2, c=3, d=4)
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
    ("miou", TWO_CLASSES, {"iou": [0.7692, 0.7], "mIoU": 0.7346, "acc": 0.85, "mean_acc": 0.8542, "fw": 0.7415}),
    ("miou", dict(C=[[3, 1, 0], [0, 4, 0], [0, 0, 0]]), {"mIoU": 0.775, "iou": [0.75, 0.8, 0]}),
    ("iou-from-rates", dict(P="1/2", R="1/2"), {"iou": "1/3"}),
    ("panoptic-quality", MATCHES, {"SQ": 0.7667, "RQ": 0.6667, "PQ": 0.5111}),
    ("panoptic-quality-counts", dict(TP=3, FP=1, FN=2, SQ="23/30"), {"PQ": "23/45"}),
    ("panoptic-quality-classes", dict(t=[40, 50], s=[60, 70, 80]), {"PQ_th": 45, "PQ_st": 70, "PQ": 60}),
    ("pq-instances", MERGED, {"fg": 0.9769, "SQ": 0.75, "RQ": 0.8, "PQ": 0.6, "error": "merged"}),
    ("boundary-error", dict(k=10, e=1, tau=0.64), {"n": 36, "iou": 0.64, "D": 0.7805, "smallest": 10}),
    ("boundary-iou", dict(k=10, e=1, d=2), {"g": 64, "p": 48, "I": 28, "biou": 0.3333}),
    ("roi-align-point", POINT, {"v": 2.5}),
    ("roi-align", dict(X=[[1, 2], [3, 4]], roi=[0, 0, 2, 2], s=1, k=1, n=1), {"x": [0.5], "y": [0.5], "O": [[2.5]]}),
    ("roi-align", dict(X=[[1, 2], [3, 4]], roi=[0, 0, 2, 2], s=1, k=2, n=1), {"O": [[1, 2], [3, 4]]}),
    ("roi-pool-shift", dict(x1=100, x2=212, s=16), {"exact": 6.25, "cell": 6, "shift": 4, "mask_shift": 1}),
    ("maskrcnn-head", dict(N=100, K=80), {"masks": [100, 80, 28, 28], "final": 100 * 784}),
    ("mask-ap", dict(iou=[0.93, 0, 0.72], n=2), {"AP50": 0.8333, "AP75": 0.5, "AP": 0.6167}),
    ("sam-shapes", dict(S=1024), {"n": 4096, "embedding": [256, 64, 64], "low": [3, 256, 256], "up": 4}),
    ("sam-shapes", dict(S=1024, masks="single"), {"low": [1, 256, 256]}),
    ("sam-windows", dict(g=64, w=14), {"padded": 70, "windows": 25, "local": 25 * 196**2, "whole": 4096**2}),
    ("sam-ambiguous-click", CLICK, {"p": 0.5, "L": 0.5545, "d_part": 0.5, "d_whole": 0.75}),
    ("sam2-memory", dict(N=6, M=1, q=16), {"n": 7 * 4096 + 64, "MiB": 3.5078}),
    ("sam2-bank", dict(t=20, N=3, prompted=[0, 18]), {"frames": [0, 16, 17, 18, 19], "oldest": 16}),
    ("segmentation-outputs", dict(n=[3, 2], s=2), {"semantic": 4, "instance": 5, "panoptic": 7}),
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
    (panoptic.panoptic_quality, "over-all-segments", MATCHES, {"SQ": 0.3833}),
    (panoptic.pq_merged_instances, "errors-ignored", MERGED, {"RQ": 1}),
    (panoptic.pq_merged_instances, "all-overlaps-match", MERGED, {"SQ": 0.6333}),
    (panoptic.pq_merged_instances, "no-half", MERGED, {"RQ": 0.6667}),
    (panoptic.pq_merged_instances, "foreground-for-pq", MERGED, {"PQ": 0.9769}),
    (regions.roi_align, "nearest-cell", POINT, {"v": 3}),
    (prompts.sam_ambiguous_click, "ratio-of-areas", CLICK, {"p": 0.2}),
    (prompts.sam_ambiguous_click, "all-pixels", CLICK, {"L": 0.6931}),
    (prompts.sam_ambiguous_click, "iou-for-dice", CLICK, {"d_part": 0.3333, "d_whole": 0.6}),
    (iou.miou, "precision", TWO_CLASSES, {"iou": [0.9091, 0.7778]}),
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


def test_metrics_of_label_maps_agree_with_scikit_learn():
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, jaccard_score

    for seed in range(10):
        P, T = torch.randint(0, 4, (2, 6, 7), generator=torch.Generator().manual_seed(seed))
        T[0, :3] = 255
        a, b = P[T < 255].numpy(), T[T < 255].numpy()
        values = get("miou-masks").solve(P=P.tolist(), T=T.tolist(), K=5)
        assert values["C"] == confusion_matrix(b, a, labels=range(5)).tolist()
        expected = dict(
            mIoU=jaccard_score(b, a, average="macro"),
            fw=jaccard_score(b, a, average="weighted"),
            acc=accuracy_score(b, a),
            mean_acc=balanced_accuracy_score(b, a),
        )
        assert {name: float(values[name]) for name in expected} == pytest.approx(expected)


def test_aligned_regions_agree_with_torchvision():
    from torchvision.ops import roi_align

    X = torch.rand(6, 8, generator=torch.Generator().manual_seed(0)).double()
    for roi in ([3, 5, 90, 70], [-9, 40, 200, 60], [0, 0, 5, 3]):
        for k, n, aligned in ((1, 1, 1), (2, 2, 0), (3, 2, 1)):
            boxes = [torch.tensor([roi]).double()]
            expected = roi_align(X[None, None], boxes, k, 1 / 16, n, bool(aligned))[0, 0]
            values = get("roi-align").solve(X=X.tolist(), roi=roi, s=16, k=k, n=n, aligned=aligned)
            assert [[float(value) for value in row] for row in values["O"]] == [
                pytest.approx(row) for row in expected.tolist()
            ]


def test_parameters_of_the_mask_head_are_those_of_torchvision():
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    with torch.device("meta"):
        network = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None)
    heads = network.roi_heads.mask_head, network.roi_heads.mask_predictor
    assert get("maskrcnn-head-params").solve(K=91)["P"] == sum(p.numel() for head in heads for p in head.parameters())


def test_tokens_and_shapes_of_sam_agree_with_transformers():
    from transformers import SamConfig
    from transformers.models.sam.modeling_sam import SamMaskDecoder, SamPromptEncoder

    config = SamConfig()
    with torch.device("meta"):
        encoder, decoder = SamPromptEncoder(config), SamMaskDecoder(config.mask_decoder_config)
    upscaling = [decoder.upscale_conv1, decoder.upscale_conv2]
    values = get("sam-mask-head").solve(C=256)
    assert values["P"] == sum(p.numel() for layer in upscaling for p in layer.parameters())
    tokens = len(decoder.iou_token.weight) + len(decoder.mask_tokens.weight)
    assert get("sam-tokens").solve(points=0, box=1)["tokens"] == tokens + 2
    assert list(encoder.image_embedding_size) == [64, 64]


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[2]), "classes from 0 to 1, or 255"),
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[255]), "Every pixel is ignored"),
        ("pixel-ce-logits", dict(Z=[[1, 2]], y=[0, 1]), "one class per row of Z: 1, not 2"),
        ("pixel-ce-weighted", dict(p=[0.5], y=[2], w=[1, 1]), "classes from 0 to 1"),
        ("miou", dict(C=[[0, 0], [0, 0]]), "counts no pixels"),
        ("miou", dict(C=[[1, 0]]), "as many columns as rows"),
        ("miou-masks", dict(P=[[0, 2]], T=[[0, 1]]), "Classes must be from 0 to 1, not 2"),
        ("miou-masks", dict(P=[[0, 1]], T=[[255, 255]]), "Every pixel is ignored"),
        ("miou-masks", dict(P=[[0, 1]], T=[[0]]), "same shape"),
        ("panoptic-segments", dict(P=[[0, 0]], T=[[0, 0]]), "There are no segments"),
        ("panoptic-segments", dict(P=[[0, 0.5]], T=[[0, 0]]), "must have integers"),
        ("pq-instances", dict(M=[[1, 1]], b=[9, 9]), "No segment matches an object"),
        ("sam-shapes", dict(S=1000), "multiple of the patch size, 16, not 1000"),
        ("sam2-bank", dict(t=3, prompted=[3]), "from 0 to 2"),
        ("mask-loss", dict(Z=[[1, 2]], g=[1, 0], c=1), "from 0 to 0, not 1"),
        ("mask-ap", dict(iou=[0.9, 0.8], n=1), "at least the number of detections"),
        ("class-weights", dict(n=[10, 0]), "at least one pixel"),
        ("mask-dice", dict(A=[[0]], B=[[0]]), "Both masks are empty"),
        ("mask-dice", dict(A=[[0, 1]], B=[[0]]), "same number of columns"),
    ],
)
def test_unusable_inputs(name, inputs, message):
    with pytest.raises(UserError, match=message):
        get(name).solve(**inputs)
