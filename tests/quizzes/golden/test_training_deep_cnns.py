"""Training deep networks: published values, values computed by hand, and libraries."""

import pytest

from quizzes.content.training_deep_cnns.batch_normalization.drills import batch, layers
from quizzes.content.training_deep_cnns.gradient_issues import drills as gradient_issues
from quizzes.content.training_deep_cnns.initialization import drills as initialization
from quizzes.content.training_deep_cnns.over_and_underfitting import drills as over_and_underfitting
from quizzes.content.training_deep_cnns.regularization import drills as regularization
from quizzes.expressions.tree import exact
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

VAL = [0.9, 0.8, 0.7, 0.72, 0.70, 0.73, 0.74]
LINE = dict(x=[1, 2, 3], y=[1, 2, 2], lam=1)
STEP = dict(w=2, g_w=0.5, eta=0.1)
NORMALIZED = [-1.0690, -0.5345, 0, 1.6036]

GOLDEN = [
    ("early-stopping", dict(val=VAL, patience=3), {"best": 3, "stop": 6}),
    ("early-stopping", dict(val=VAL, patience=9), {"best": 3, "stop": 7}),
    ("bagging-ensemble", dict(p=[0.9, 0.4, 0.4]), {"votes": 1, "P": 0.5667, "soft": 1, "hard": 0}),
    ("ensemble-variance", dict(s2=4, rho=0, M=8), {"V": 0.5}),
    ("ensemble-variance", dict(s2=4, rho=1, M=8), {"V": 4}),
    ("vanishing-gradient", dict(activation="sigmoid", w=[1] * 10), {"B": 9.537e-07}),
    ("vanishing-gradient", dict(activation="tanh", w=[0.5, -2, 3]), {"B": 3}),
    ("vanishing-gradient-depth", dict(a=1, k=6), {"r": 0.60206, "L": 10}),
    ("grad-clip-norm", dict(g_w=[3, 4], c=1), {"n": 5, "clipped_w": [0.6, 0.8], "clipped_b": 0}),
    ("grad-clip-norm", dict(g_w=[3, 4], g_b=12, c=26), {"n": 13, "clipped_w": [3, 4], "clipped_b": 12}),
    ("variance-propagation", dict(n=512, v=0.01, q=1), {"V": 5.12}),
    ("variance-propagation-depth", dict(n=50, v=0.04, q=1, L=60), {"V1": 2, "V": 2}),
    ("init-he", dict(k=3, C_in=64, C_out=128), {"fan_in": 576, "sd": 0.0589, "a": 0.1021}),
    ("init-xavier", dict(n_in=256, n_out=128), {"V": 0.00521}),
    ("top-k-error", dict(scores=[[3, 2, 1], [3, 2, 1], [1, 2, 3]], y=[1, 2, 1], k=2), {"E1": "2/3", "Ek": "1/3"}),
    ("l1-l2-penalty", dict(w=[3, -4, 0], lam=0.1), {"L1": 0.7, "L2": 2.5, "g1": [0.1, -0.1, 0], "g2": [0.6, -0.8, 0]}),
    ("weight-decay-sgd", dict(lam=0.01, **STEP), {"w_new": 1.948}),
    ("weight-decay-sgd", dict(lam=0.5, b=2, g_b=0.5, **STEP), {"w_new": 1.85, "b_new": 1.95}),
    ("ridge-slope", LINE, {"w": 0.7333}),
    ("ridge-line", LINE, {"w": 0.3333, "b": 1}),
    ("soft-threshold", dict(w=[-0.3, 0.8, -0.8], lam=0.5), {"w_new": [0, 0.3, -0.3]}),
    ("proximal-step", dict(w=[1, -1], g=[2, 2], eta=0.1, lam=3), {"u": [0.8, -1.2], "w_new": [0.5, -0.9]}),
    ("dropout", dict(x=[1, 2, 3, 4], mask=[1, 0, 1, 1]), {"y": [2, 0, 6, 8], "z": [1, 2, 3, 4]}),
    ("dropout", dict(x=[1, 2, 3, 4], mask=[1, 0, 1, 1], p=0.2), {"y": [1.25, 0, 3.75, 5]}),
    ("classic-dropout", dict(N=200, p=0.5, x=[1]), {"K": 100}),
    ("classic-dropout", dict(N=200, p=0.2, x=[10]), {"K": 160, "z": [8]}),
    ("bn-forward", dict(x=[1, 3, 5, 7], gamma=2, beta=1), {"mu": 4, "v": 5, "y": [-1.6833, 0.1056, 1.8944, 3.6833]}),
    ("bn-forward", dict(x=[1, 3, 5, 7], gamma=2, beta=1, epsilon=1), {"y": [-1.4495, 0.1835, 1.8165, 3.4495]}),
    ("bn-batch", dict(X=[[1, 5], [3, 5]], gamma=[2, 2], beta=[0, 1], epsilon=0.5), {"Y": [[-1.6330, 1], [1.6330, 1]]}),
    ("bn-running-stats", dict(x=[1, 3, 5, 7]), {"R_mean": 0.4, "R_var": 1.5667}),
    ("bn-train-eval", dict(x=[1, 3, 5, 7]), {"R_mean": 0.4, "R_var": 1.5667, "z": [0.4794, 2.0772, 3.6751, 5.2729]}),
    ("bn-params-count", dict(N=16, C=64, H=28, W=28), {"P": 128, "B": 128, "M": 12_544}),
    ("conv-bn-params", dict(k=3, C_in=64, C_out=128), {"P_conv": 73_728, "P_bn": 256, "P": 73_984}),
    ("bn-fold", dict(W=2, mu=1, v=4, gamma=3, beta=0.5, epsilon=0), {"W_folded": 3, "b_folded": -1}),
    ("bn-fold", dict(W=2, mu=1, v=3, gamma=3, beta=0.5, epsilon=1), {"W_folded": 3, "b_folded": -1}),
    ("layer-norm", dict(X=[[1, 2, 3, 6]]), {"mu": [3], "Y": [NORMALIZED]}),
    ("group-norm", dict(X=[[1, 2], [3, 6], [1, 2], [3, 6]], G=2), {"Y": [NORMALIZED[:2], NORMALIZED[2:]] * 2}),
    ("norm-sizes", dict(C=32, H=4, W=5, G=8), {"M_layer": 640, "M_instance": 20, "M_group": 80, "P_layer": 1280}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (over_and_underfitting.early_stopping, "last-for-best", dict(val=VAL, patience=3), {"best": 6}),
        (
            over_and_underfitting.early_stopping,
            "equal-counts-as-better",
            dict(val=VAL, patience=2),
            {"best": 5, "stop": 7},
        ),
        (over_and_underfitting.bagging_ensemble, "majority-for-soft", dict(p=[0.9, 0.4, 0.4]), {"soft": 0}),
        (over_and_underfitting.bagging_ensemble, "soft-for-majority", dict(p=[0.9, 0.4, 0.4]), {"hard": 1}),
        (gradient_issues.grad_clip_norm, "per-element", dict(g_w=[3, 4], c=1), {"clipped_w": [1, 1]}),
        (gradient_issues.grad_clip_norm, "l1-norm", dict(g_w=[3, 4], c=1), {"n": 7}),
        (gradient_issues.variance_propagation, "n-left-out", dict(n=512, v=0.01, q=1), {"V": 0.01}),
        (initialization.init_he, "fan-out", dict(k=3, C_in=64, C_out=128), {"fan_in": 1152}),
        (regularization.ridge_closed, "bias-penalised", LINE, {"b": 0.3750, "w": 0.5833}),
        (regularization.ridge_slope, "penalty-times-n", LINE, {"w": 0.6471}),
        (regularization.weight_decay_sgd, "factor-2", dict(lam=0.5, b=2, g_b=0.5, **STEP), {"w_new": 1.75}),
        (regularization.weight_decay_sgd, "bias-decayed", dict(lam=0.5, b=2, g_b=0.5, **STEP), {"b_new": 1.85}),
        (regularization.soft_threshold, "crosses-zero", dict(w=[-0.3], lam=0.5), {"w_new": [0.2]}),
        (batch.bn_running_stats, "biased-variance", dict(x=[1, 3, 5, 7]), {"R_var": 1.4}),
        (batch.bn_running_stats, "momentum-reversed", dict(x=[1, 3, 5, 7]), {"R_mean": 3.6}),
        (
            layers.bn_fold,
            "epsilon-left-out",
            dict(W=2, mu=1, v=3, gamma=3, epsilon=1),
            {"W_folded": 3.4641},
        ),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_misplaced_ridge_penalties_match_a_solver():
    numpy = pytest.importorskip("numpy")
    X, y = numpy.array([[1.0, 1], [1, 2], [1, 4]]), numpy.array([1.0, 3, 2])
    inputs = {name: exact(value) for name, value in dict(x=[1, 2, 4], y=[1, 3, 2], lam=0.5).items()}
    penalties = (
        (0.5, regularization.penalize_everywhere),
        (0.5 * numpy.eye(2), regularization.penalize_intercept),
    )
    for penalty, solve in penalties:
        b, w = numpy.linalg.solve(X.T @ X + penalty, X.T @ y)
        assert solve(**inputs) == {"w": pytest.approx(w), "b": pytest.approx(b)}


def test_ridge_matches_scikit_learn():
    linear_model, numpy = pytest.importorskip("sklearn.linear_model"), pytest.importorskip("numpy")
    x, y = [-1, 0, 2, 5], [2, 1, 3, 7]
    model = linear_model.Ridge(alpha=3).fit(numpy.array(x)[:, None], y)
    line = get("ridge-line").solve(x=x, y=y, lam=3)
    assert (line["w"], line["b"]) == (pytest.approx(model.coef_[0]), pytest.approx(model.intercept_))


def test_group_norm_matches_pytorch_and_equals_instance_norm_for_groups_of_one():
    torch = pytest.importorskip("torch")
    X = [[1.0, 4.0, 2.0], [0.0, 5.0, 1.0], [2.0, 2.0, 8.0], [3.0, 1.0, 1.0]]
    tensor = torch.tensor(X, dtype=torch.float64)[None]
    for groups, norm in (
        (4, torch.nn.functional.instance_norm(tensor)),
        (2, torch.nn.functional.group_norm(tensor, 2)),
    ):
        assert [[float(v) for v in row] for row in get("group-norm").solve(X=X, G=groups)["Y"]] == [
            pytest.approx(row) for row in norm[0].tolist()
        ]


def test_variance_through_relu_layers_matches_random_networks():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(200, 1, 200)  # one input for each of 200 networks
    for _ in range(3):
        x = torch.relu(x) @ (torch.randn(200, 200, 200) * 0.1)
    # every layer has the gain n v = 2, and ReLU halves the mean square before it
    expected = get("variance-propagation-depth").solve(n=200, v=0.01, q=0.5, L=3)["V"]
    assert x.square().mean().item() == pytest.approx(float(expected), rel=0.08)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("vanishing-gradient", dict(activation="relu", w=[1])),
        ("bn-forward", dict(x=[3])),
        ("group-norm", dict(X=[[1], [2], [3]], G=2)),
        ("norm-sizes", dict(C=6, H=1, W=1, G=4)),
        ("top-k-error", dict(scores=[[1, 2], [2, 1]], y=[1])),
        ("top-k-error", dict(scores=[[1, 1]], y=[1])),
        ("top-k-error", dict(scores=[[1, 2]], y=[3])),
    ],
)
def test_invalid_inputs_raise_an_error(name, inputs):
    with pytest.raises(UserError):
        get(name).solve(**inputs)
