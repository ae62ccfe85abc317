"""Boxes, IoU, two-stage and one-stage detectors: published totals, values computed by hand, and by torchvision."""

import pytest
import torch

from quizzes.content.object_detection.iou import drills as iou
from quizzes.content.object_detection.one_stage.drills import boxes as shapes
from quizzes.content.object_detection.one_stage.drills import outputs, reasoning
from quizzes.content.object_detection.two_stage.drills import anchors
from quizzes.content.object_detection.two_stage.drills import reasoning as two_stage
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

OVERLAPPING = dict(A=[10, 10, 50, 50], B=[30, 30, 70, 70])
LISTING = dict(a=[0, 0, 2, 2], b=[[1, 1, 3, 3], [5, 5, 6, 7], [4, 0, 5, 2]])
SSD300 = dict(f=[38, 19, 10, 5, 3, 1], k=[4, 6, 6, 6, 4, 4], K=20)
LATENCY = dict(
    N=300, budget=125, search=2000, fast=60, each=0.1, backbone=60, rpn=10, ssd=46, yolo=22, ap=[70, 73, 72, 63]
)
YOLO_HEAD = dict(
    size=256, s=16, C=128, B=3, K=4, tx=0, ty=0, tw=0.4055, th=0, column=5, row=7, pw=32, ph=48,
    T=[64, 96, 112, 160], z=1.2,
)  # fmt: skip
RPN_CHAIN = dict(W=640, H=480, s=16, C=256, k=9, roi=[160, 96, 320, 256], g=7, F=1024, n_rois=300, D=50, K=80)

GOLDEN = [
    ("box-format", dict(x1=60, y1=120, x2=160, y2=300), {"cx": 110, "cy": 210, "w": 100, "h": 180}),
    (
        "box-normalized",
        dict(x=60, y=120, w=100, h=180, W=640, H=480),
        {"cx": 0.171875, "cy": 0.4375, "nw": 0.15625, "nh": 0.375},
    ),
    ("sliding-window-square", dict(W=64, w=16, s=8), {"n": 49}),
    ("giou-diou", OVERLAPPING, {"iou": 0.1429, "giou": -0.0794, "diou": 0.0317}),
    ("giou-slide", dict(k=2, t=3), {"giou": -0.2, "slope": -0.16, "diou": -0.3103}),
    ("iou-code", dict(LISTING, line=4), {"printed": [0.1429, -3, -0.4], "fixed": [0.1429, 0, 0]}),
    ("iou-code", dict(LISTING, line=6), {"printed": [0.125, 0, 0], "fixed": [0.1429, 0, 0]}),
    ("mask-iou", dict(A=[[1, 1, 1, 1, 1, 0]], B=[[0, 0, 1, 1, 1, 1]]), {"I": 3, "U": 6, "iou": "1/2"}),
    (
        "anchor-encode",
        dict(xa=50, ya=50, wa=20, ha=40, x=54, y=46, w=30, h=40),
        {"tx": 0.2, "ty": -0.1, "tw": 0.4055, "th": 0},
    ),
    ("rpn-output", dict(W=800, H=600), {"rows": 37, "columns": 50, "n": 16650, "c_obj": 18, "c_box": 36}),
    ("fpn-level", dict(w=112, h=112), {"level": 3}),
    ("fpn-level", dict(w=300, h=400), {"level": 4}),
    ("fpn-level", dict(w=448, h=448), {"level": 5}),
    ("roi-bins", dict(n=7, k=2, i=0), {"a": 0, "b": 4}),
    ("roi-bins", dict(n=7, k=2, i=1), {"a": 3, "b": 7}),
    ("roi-bins", dict(n=5, k=2, i=1), {"a": 2, "b": 5}),
    ("detector-latency", LATENCY, {"best": "faster", "latency": 100, "most": 550}),
    (
        "rpn-chain",
        RPN_CHAIN,
        {"n": 10800, "P": 601645, "bin": 1.4286, "center": 10.7143, "P_fc": 12846080, "M_fc": 3853516800}
        | {"masks": [50, 80, 28, 28]},
    ),
    ("yolo-output", dict(K=20), {"shape": [7, 7, 30], "n": 1470, "boxes": 98}),
    ("yolo-v3-output", dict(K=80), {"m": 13, "c": 255, "n": 43095, "boxes": 10647}),
    (
        "yolo-decode",
        dict(tx=0.2, ty=-0.5, tw=0.1, th=0, column=6, row=4, s=32, pw=116, ph=90),
        {"x": 209.5947, "y": 140.0813, "w": 128.1998, "h": 90},
    ),
    ("ssd-output", SSD300, {"n": 8732, "v": 218300}),
    ("ssd-scales", dict(j=2, a=1), {"scale": 0.34}),
    ("anchor-pyramid", dict(W=640, H=640), {"k": 9, "n": 9 * (80**2 + 40**2 + 20**2 + 10**2 + 5**2)}),
    ("kmeans-anchors", dict(boxes=[[20, 20]], anchors=[[12, 12], [30, 30]]), {"clusters": ["B"], "mean_iou": 0.4444}),
    ("focal-gradient", dict(gamma=2, p=0.9, p0=0.9), {"g": -0.002896, "v": -0.002896}),
    ("focal-gradient-negative", dict(gamma=0, p=0.3, p0=0.3), {"g": 0.3, "r": 1}),
    (
        "yolo-head",
        YOLO_HEAD,
        {"shape": [27, 16, 16], "P": 3483, "n": 768, "x": 88, "y": 120, "w": 48.0017, "h": 48, "L": 0.2633},
    ),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (iou.giou_slide, "width-for-diagonal", dict(k=2, t=3, effect="zero"), {"diou": -9 / 25}),
        (iou.debug_iou_clamp, "one-negative-overlooked", dict(LISTING, line=4), {"printed": [0.1429, -3, 0]}),
        (two_stage.decide_detector_latency, "backbone-forgotten", LATENCY, {"most": 1150}),
        (two_stage.decide_detector_latency, "rpn-forgotten", LATENCY, {"most": 650}),
        (two_stage.chain_rpn_roi, "two-logits", RPN_CHAIN, {"P": 603958}),
        (two_stage.chain_rpn_roi, "map-forgotten", RPN_CHAIN, {"P_fc": 263168}),
        (two_stage.chain_rpn_roi, "one-region", RPN_CHAIN, {"M_fc": 12845056}),
        (reasoning.chain_yolo_head, "layout-of-v1", YOLO_HEAD, {"shape": [19, 16, 16]}),
        (reasoning.chain_yolo_head, "no-objectness", YOLO_HEAD, {"shape": [24, 16, 16]}),
        (reasoning.focal_gradient, "factor-constant", dict(gamma=2, p=0.9, p0=0.9), {"v": -0.001}),
        (outputs.ssd_output, "no-background", SSD300, {"v": 8732 * 24}),
        (shapes.kmeans_anchors, "euclidean", dict(boxes=[[20, 20]], anchors=[[12, 12], [30, 30]]), {"clusters": ["A"]}),
        (
            anchors.rpn_assign,
            "best-anchor-left-out",
            dict(iou=[[0.8, 0.2, 0], [0, 0.1, 0.5]]),
            {"label": [1, 0, -1]},
        ),
    ],
)
def test_golden_mistakes(drill, mistake, inputs, expected):
    values = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_all_pairs_of_boxes_agree_with_torchvision():
    from torchvision import ops

    boxes = torch.rand(2, 5, 4, generator=torch.Generator().manual_seed(0)).double()
    boxes[..., 2:] += boxes[..., :2] + 0.1
    values = get("pairwise-iou").solve(A=boxes[0].tolist(), B=boxes[1].tolist())
    for name, operator in (
        ("iou", ops.box_iou),
        ("giou", ops.generalized_box_iou),
        ("diou", ops.distance_box_iou),
        ("ciou", ops.complete_box_iou),
    ):
        torch.testing.assert_close(torch.tensor(values[name], dtype=torch.float64), operator(*boxes), atol=1e-6, rtol=0)


@pytest.mark.parametrize("format", ["xyxy", "xywh", "cxcywh"])
def test_formats_of_boxes_agree_with_torchvision(format):
    from torchvision.ops import box_convert

    boxes = torch.tensor([[30.0, 40, 50, 61], [7, 9, 12, 20]])
    values = get("box-convert").solve(boxes=box_convert(boxes, "xyxy", format).tolist(), format=format, W=100, H=80)
    for name in ("xyxy", "xywh", "cxcywh"):
        assert values[name] == approx(box_convert(boxes, "xyxy", name).tolist())
    assert values["areas"] == [420, 55]
    assert values["normalized"][0] == approx([0.4, 50.5 / 80, 0.2, 21 / 80])


def test_anchors_of_a_map_agree_with_torchvision():
    from torchvision.models.detection.anchor_utils import AnchorGenerator

    inputs = dict(W=50, H=40, s=16, sizes=[16, 32], ratios=[0.5, 1, 2])
    values = get("anchor-grid").solve(**inputs)
    base = AnchorGenerator.generate_anchors(None, [16, 32], [0.5, 1.0, 2.0])  # rounded to whole pixels there
    corners = torch.tensor([[row[key] for key in ("x1", "y1", "x2", "y2")] for row in values["table"]])
    assert (values["rows"], values["columns"], values["n"]) == (2, 3, 36)
    assert (corners[:6] - base).abs().max() <= 0.5
    torch.testing.assert_close(corners[-6:] - corners[:6], torch.tensor([32.0, 16, 32, 16]).expand(6, 4))


def test_assignment_agrees_with_the_matcher_of_torchvision():
    from torchvision.models.detection._utils import Matcher

    generator = torch.Generator().manual_seed(0)
    for best in (0, 1):
        for _ in range(20):
            overlaps = torch.rand(3, 8, generator=generator).double() * (torch.rand(3, 8, generator=generator) < 0.6)
            matches = Matcher(0.7, 0.3, allow_low_quality_matches=bool(best))(overlaps.clone())
            values = get("anchor-assign").solve(iou=overlaps.tolist(), best=best)
            if best and not overlaps.amax(1).all():
                continue  # torchvision gives an object without overlap every anchor
            expected = [{-1: 0, -2: -1}.get(match, match + 1) for match in matches.tolist()]
            assert values["label"] == expected and values["n"] == int((matches >= 0).sum())


@pytest.mark.parametrize(
    ("name", "inputs", "message"),
    [
        ("box-convert", dict(boxes=[[30, 40, 20, 61]]), "Box 1 has no area as xyxy"),
        ("box-convert", dict(boxes=[[1, 2, 3]]), "boxes has 3 columns, and box-convert takes 4"),
        ("pairwise-iou", dict(A=[[0, 0, 1, 1]], B=[[2, 2, 1, 1]]), "Every row of B must be x1, y1, x2, y2"),
        ("anchor-grid", dict(W=10, H=40, sizes=[16]), "There are 0 anchors"),
        ("anchor-assign", dict(iou=[[0.5]], high=0.2), "low must be at most high, not 0.3 > 0.2"),
        ("kmeans-anchors", dict(boxes=[[0, 1]], anchors=[[1, 1]]), "a width and a height above 0"),
        ("detector-latency", dict(LATENCY, budget=5), "No detector is within the budget"),
    ],
)
def test_unusable_inputs(name, inputs, message):
    with pytest.raises(UserError, match=message):
        get(name).solve(**inputs)
