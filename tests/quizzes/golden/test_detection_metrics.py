"""NMS, average precision and model complexity: published definitions, values computed by hand, and libraries."""

from random import Random

import pytest

from quizzes.content.object_detection.map.drills import reasoning as map_reasoning
from quizzes.content.object_detection.map.drills import values as map_values
from quizzes.content.object_detection.model_complexity import drills as complexity
from quizzes.content.object_detection.nms.drills import alternatives, reasoning
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

RANKING = dict(hits=[1, 0, 1, 1, 0, 1], n=5)
CROWD = dict(w=10, h=20, x=3, s=1, t=3, m=0.75, tau=0.5)
ERRORS = dict(target=[1, 1, 2, 3, 4], iou=[0.8, 0.75, 0.4, 0.7, 0.05], n=4, m=0.5)
SCENE = dict(
    objects=[[0, 0, 10, 10], [2.5, 0, 12.5, 10]],
    boxes=[[0, 0, 10, 10], [0, 0, 10, 9], [2.5, 0, 12.5, 10]],
    scores=[0.9, 0.85, 0.8],
)
TWO_CLASSES = dict(
    boxes=2 * [[0, 0, 9, 9], [0, 0, 9, 8], [20, 20, 30, 30]],
    scores=[0.9, 0.8, 0.7, 0.6, 0.5, 0.4],
    labels=[0, 0, 0, 1, 1, 1],
)
NETWORK = dict(layers="conv3-8p1", input=[10, 10, 3])
COCO = dict(A=[[0.9, 0.88, 0.85, 0.8, 0.74, 0.66, 0.55, 0.4, 0.22, 0.05]])

GOLDEN = [
    ("soft-nms-decay", dict(s=0.8, u=0.6807), {"linear": 0.2554, "gaussian": 0.3167}),
    ("adaptive-nms", dict(boxes=SCENE["boxes"][::2], scores=[0.9, 0.8], density=[0.7, 0.1]), {"keep": ["A", "B"]}),
    ("adaptive-nms", dict(boxes=SCENE["boxes"][::2], scores=[0.9, 0.8], density=[0.1, 0.7]), {"keep": ["A"]}),
    ("nms-crowd-window", CROWD, {"low": 0.5385, "high": 0.8182, "AP": 0.5, "cause": 1}),
    ("nms-crowd-window", dict(CROWD, tau=0.9), {"AP": 0.8333, "cause": 2}),
    (
        "nms-class-offset",
        dict(TWO_CLASSES, line=2),
        {"printed": [0, 2], "fixed": [0, 2, 3, 5], "rows": 6, "columns": 4},
    ),
    ("nms-variants", SCENE, {"AP": [0.8333, 0.5, 1], "final": [0.9, 0.0382, 0.32], "best": "soft"}),
    ("ap", RANKING, {"P": [1, 0.5, 0.6667, 0.75, 0.6, 0.6667], "R": [0.2, 0.2, 0.4, 0.6, 0.6, 0.8]}),
    ("ap", RANKING, {"AP": 0.6333, "AP11": 0.6667, "AP101": 0.6370}),
    ("ap-error-types", ERRORS, {"AP": 0.375, "best": "loc", "AP_fixed": 0.625}),
    ("map-50-95", COCO, {"mAP": 0.605, "AP50": 0.9, "AP75": 0.66}),
    ("memory-bytes", dict(P=124439808), {"MB": 497.7592, "MiB": 474.7002, "train": 1.9910}),
    ("activation-memory", dict(N=32, C=64, H=112, W=112), {"MiB": 98}),
    ("network-size", NETWORK, {"P": 224, "MACs": 21600, "FLOPs": 43200}),
    ("matmul-flops", dict(m=1000, n=1000, p=1000, rate=2), {"FLOPs": 2 * 10**9, "t": 1}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (reasoning.nms_crowd_window, "boxes-2-and-3", CROWD, {"low": 0.6667}),
        (reasoning.nms_crowd_window, "ends-swapped", CROWD, {"low": 0.8182, "high": 0.5385}),
        (reasoning.debug_class_offset_nms, "class-agnostic", dict(TWO_CLASSES, line=2, raised=3), {"fixed": [0, 2]}),
        (
            reasoning.debug_class_offset_nms,
            "nothing-suppressed",
            dict(TWO_CLASSES, line=2, raised=3),
            {"fixed": [0, 1, 2, 3, 4, 5]},
        ),
        (reasoning.decide_nms_variant, "duplicate-as-correct", SCENE, {"AP": [1, 0.5, 1]}),
        (reasoning.decide_nms_variant, "decays-once", SCENE, {"final": [0.9, 0.085, 0.32]}),
        (reasoning.decide_nms_variant, "times-iou", SCENE, {"final": [0.9, 0.765, 0.2645]}),
        (reasoning.decide_nms_variant, "gaussian", SCENE, {"final": [0.9, 0.0917, 0.3894]}),
        (map_reasoning.ap_error_types, "duplicate-as-true-positive", ERRORS, {"AP": 0.6875}),
        (map_reasoning.ap_error_types, "missed-objects-ignored", ERRORS, {"AP": 0.75}),
        (map_reasoning.ap_error_types, "loose-box-removed", ERRORS, {"AP_fixed": 0.4167}),
        (map_values.ap_allpoint, "extended-to-recall-1", RANKING, {"AP": 0.7667}),
        (map_values.ap_11point, "every-recall", RANKING, {"AP11": 0.6333}),
        (map_values.map_50_95, "divided-by-9", COCO, {"mAP": 0.6722}),
        (alternatives.soft_nms_decay, "sigma-squared", dict(s=0.8, u=0.6807), {"gaussian": 0.1254}),
        (complexity.network_params_flops, "positions-left-out", NETWORK, {"MACs": 216}),
        (complexity.network_params_flops, "input-channels-left-out", NETWORK, {"P": 80}),
    ],
)
def test_golden_mistakes(drill, mistake, inputs, expected):
    values = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_kinds_of_errors():
    kinds = get("ap-error-types").solve(**ERRORS)["kinds"]
    assert list(kinds.values()) == ["tp", "dup", "loc", "tp", "bg"]


def test_average_precision_of_101_recalls_is_that_of_pycocotools():
    import numpy as np
    from pycocotools.cocoeval import COCOeval

    evaluation = COCOeval(iouType="bbox")
    parameters = evaluation.params
    parameters.imgIds, parameters.catIds, parameters.maxDets = [1], [1], [100]
    parameters.iouThrs, parameters.areaRng = np.array([0.5]), [[0, 1e10]]
    evaluation._paramsEval = parameters
    rng = Random(0)
    for _ in range(30):
        hits = [rng.randint(0, 1) for _ in range(rng.randint(1, 8))]
        n = sum(hits) + rng.choice([1, 3, 7])
        evaluation.evalImgs = [
            dict(
                dtScores=list(range(len(hits), 0, -1)),
                dtMatches=np.array([hits]),
                dtIgnore=np.zeros((1, len(hits)), bool),
                gtIgnore=np.zeros(n),
            )
        ]
        evaluation.accumulate()
        expected = evaluation.eval["precision"][0, :, 0, 0, 0].mean()
        assert float(get("ap").solve(hits=hits, n=n)["AP101"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("ap", dict(hits=[1, 0.5], n=3), "hits must be 1 for a correct detection"),
        ("ap", dict(hits=[1, 1], n=1), "2 correct detections, and there are n = 1 objects"),
        ("pr-matching", dict(iou=[[0.5]], scores=[0.5, 0.4]), "one number per row of iou: 1, not 2"),
        ("ap-error-types", dict(target=[1], iou=[0.5], n=1), "5 values each"),
        ("ap-error-types", dict(target=[1, 1, 1, 1, 3], iou=[0.5] * 5, n=2), "integers from 1 to 2"),
        ("map-50-95", dict(A=[[0.5, 0.4]]), "A has 2 columns, and map-50-95 takes 10"),
        ("adaptive-nms", dict(boxes=[[0, 0, 1, 1]], scores=[1], density=[1, 1]), "one number per box: 1, not 2"),
        ("nms-per-class", dict(boxes=[[0, 0, 1, 1]], scores=[1], classes=[2], taus=[0.5]), "integers from 0 to 0"),
        ("soft-nms", dict(boxes=[[0, 0, 0, 1]], scores=[1]), "x1 < x2"),
        ("soft-nms-gaussian", dict(boxes=[[0, 0, 1, 1]], scores=[1], sigma=0), "sigma"),
    ],
)
def test_inputs_that_cannot_be_used(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)
