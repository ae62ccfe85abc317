"""Procedures of the calculator against PyTorch and scikit-learn."""

import math
from fractions import Fraction
from random import Random

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.formulas import get
from workbench.errors import UserError


def matrix(rng, high, wide):
    return [[rng.randint(-9, 9) for _ in range(wide)] for _ in range(high)]


def tensor(X):
    return torch.tensor([[float(v) for v in row] for row in X], dtype=torch.float64)


def floats(X):
    return [[float(v) for v in row] for row in X]


SIZES = st.tuples(st.integers(1, 7), st.integers(1, 7))


@given(SIZES, st.tuples(st.integers(1, 3), st.integers(1, 3)), st.integers(1, 3), st.integers(0, 2), st.integers(1, 3))
@settings(max_examples=60)
def test_convolution_of_a_map(size, kernel_size, s, p, d):
    rng = Random(str((size, kernel_size, s, p, d)))
    X, K, b = matrix(rng, *size), matrix(rng, *kernel_size), rng.randint(-3, 3)
    try:
        output = get("conv-values").solve(X=X, K=K, b=b, s=s, p=p, d=d)["O"]
    except UserError as error:
        assert "larger than the padded map" in str(error)
        with pytest.raises(RuntimeError):
            F.conv2d(tensor(X)[None, None], tensor(K)[None, None], stride=s, padding=p, dilation=d)
        return
    expected = F.conv2d(tensor(X)[None, None], tensor(K)[None, None], stride=s, padding=p, dilation=d)[0, 0] + b
    assert floats(output) == expected.tolist()


@given(SIZES, st.integers(1, 4), st.none() | st.integers(1, 3), st.integers(0, 2))
@settings(max_examples=60)
def test_pooling_of_a_map(size, k, s, p):
    X = matrix(Random(str((size, k, s, p))), *size)
    inputs = dict(X=X, k=k, p=p) | ({"s": s} if s else {})
    try:
        outputs = get("pooling-values").solve(**inputs)
    except UserError as error:
        assert "larger than" in str(error) or "at most half" in str(error)
        with pytest.raises(RuntimeError):
            F.max_pool2d(tensor(X)[None], k, s, p)
        return
    assert floats(outputs["M"]) == F.max_pool2d(tensor(X)[None], k, s, p)[0].tolist()
    means = F.avg_pool2d(tensor(X)[None], k, s, p)[0].tolist()
    assert [v for row in floats(outputs["A"]) for v in row] == pytest.approx(
        [v for row in means for v in row], abs=1e-12
    )


def test_averages_are_exact():
    assert get("pooling-values").solve(X=[[1, 0], [0, 0]], k=2)["A"] == [[Fraction(1, 4)]]


@pytest.mark.parametrize("mode", ["training", "evaluation"])
@pytest.mark.parametrize("options", ["all", "none"])
def test_batch_norm_and_its_running_statistics(mode, options):
    rng = Random(mode + options)
    X = matrix(rng, 5, 3)
    layer = torch.nn.BatchNorm1d(3, eps=0.01, momentum=0.25, dtype=torch.float64).train(mode == "training")
    values = {}
    if options == "all":
        values = {name: [rng.randint(1, 9) / 4 for _ in range(3)] for name in ("gamma", "beta", "R_mean0", "R_var0")}
        with torch.no_grad():
            tensors = (layer.weight, layer.bias, layer.running_mean, layer.running_var)
            for name, parameter in zip(values, tensors, strict=True):
                parameter.copy_(torch.tensor(values[name]))
    outputs = get("batch-norm").solve(X=X, mode=mode, epsilon=0.01, alpha=0.25, **values)
    expected = layer(tensor(X)).tolist()
    for row, expected_row in zip(floats(outputs["Y"]), expected, strict=True):
        assert row == pytest.approx(expected_row, rel=1e-12, abs=1e-12)
    assert [float(v) for v in outputs["R_mean"]] == pytest.approx(layer.running_mean.tolist(), rel=1e-12)
    assert [float(v) for v in outputs["R_var"]] == pytest.approx(layer.running_var.tolist(), rel=1e-12)


AVERAGES = {
    "macro": ("macro_P", "macro_R", "macro_F1"),
    "weighted": (None, None, "weighted_F1"),
    "micro": (None, None, "micro_F1"),
}


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")), min_size=1, max_size=30))
@settings(max_examples=60)
@pytest.mark.filterwarnings("ignore:A single label was outputs")
def test_confusion_matrix_of_labels(pairs):
    from sklearn import metrics

    truth, predicted = [list(labels) for labels in zip(*pairs, strict=True)]
    outputs = get("confusion-matrix").solve(truth=truth, predicted=predicted)
    C = metrics.confusion_matrix(truth, predicted).tolist()
    assert outputs["C"] == C
    assert outputs["accuracy"] == Fraction(metrics.accuracy_score(truth, predicted)).limit_denominator(100)
    each = metrics.precision_recall_fscore_support(truth, predicted, zero_division=0)
    for column, expected in zip(("precision", "recall", "F1", "support"), each, strict=True):
        assert [float(row[column]) for row in outputs["table"]] == pytest.approx(expected.tolist())
    by_class = metrics.multilabel_confusion_matrix(truth, predicted)  # [[TN, FP], [FN, TP]] of each class
    assert [[[r["TN"], r["FP"]], [r["FN"], r["TP"]]] for r in outputs["table"]] == by_class.tolist()
    for average, names in AVERAGES.items():
        scores = metrics.precision_recall_fscore_support(truth, predicted, average=average, zero_division=0)
        for name, score in zip(names, scores[:3], strict=True):
            assert name is None or float(outputs[name]) == pytest.approx(score)
    again = get("confusion-report").solve(C=C, names=[row["class"] for row in outputs["table"]])
    assert again == {name: value for name, value in outputs.items() if name != "C"}


def test_classes_are_in_the_order_of_numbers_and_letters():
    outputs = get("confusion-matrix").solve(truth=["10", "9", "b", "a"], predicted=["10", "9", "b", "a"])
    assert [row["class"] for row in outputs["table"]] == ["9", "10", "a", "b"]


def test_binary_report_agrees_with_the_binary_formula():
    outputs = get("confusion-report").solve(C=[[50, 10], [5, 35]])
    binary = get("confusion-metrics").solve(TN=50, FP=10, FN=5, TP=35)
    positive = outputs["table"][1]
    assert (positive["precision"], positive["recall"], positive["F1"]) == (binary["P"], binary["R"], binary["F1"])
    assert outputs["accuracy"] == binary["Acc"]


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("conv-values", dict(X=[[1, 2], [3]], K=[[1]]), "X .* has rows of different lengths"),
        ("conv-values", dict(X=[[1, 2]], K=[[1, 2, 3]]), "covers 1x3, which is larger than the padded map X, 1x2"),
        ("pooling-values", dict(X=[[1, 2], [3, 4]], k=2, p=2), "at most half"),
        ("batch-norm", dict(X=[[1, 2]]), "two or more rows"),
        ("batch-norm", dict(X=[[1, 2], [3, 4]], gamma=[1]), "gamma must have length 2"),
        ("batch-norm", dict(X=[[1, 2], [1, 3]], epsilon=0), "divides by zero"),
        ("batch-norm", dict(X=[[1, 2], [3]]), "different lengths"),
        ("batch-norm", dict(X=[[1]], mode="test"), "Unknown mode 'test'"),
        ("confusion-matrix", dict(truth=["a"], predicted=["a", "b"]), "there are 1 and 2"),
        ("confusion-matrix", dict(truth=[str(k) for k in range(200)], predicted=["0"] * 200), "up to 100 classes"),
        ("confusion-report", dict(C=[[1, 2]]), "as many columns as rows"),
        ("confusion-report", dict(C=[[0, 0], [0, 0]]), "counts no samples"),
        ("confusion-report", dict(C=[[1, 0.5], [0, 1]]), "must be integers"),
        ("confusion-report", dict(C=[[1, 0], [0, 1]], names=["a"]), "names must have length 2"),
    ],
)
def test_unusable_inputs_are_rejected(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)


# --- 0 ln 0, and arrays as a whole


def test_cross_entropy_of_certain_predictions_is_zero_or_infinite():
    cross_entropy = get("binary-cross-entropy")
    assert cross_entropy.solve(y=[0, 1, 1], p=[0, 1, 0.5])["L"] == pytest.approx(
        F.binary_cross_entropy(torch.tensor([0, 1, 0.5]), torch.tensor([0.0, 1, 1])).item()
    )
    assert cross_entropy.solve(y=[1], p=[0])["L"] == math.inf
    assert (
        F.binary_cross_entropy(torch.tensor(0.0), torch.tensor(1.0)) == 100
    )  # PyTorch clamps the logarithm, see the conventions
    assert "gives 100" in cross_entropy.conventions
    assert get("entropies").solve(p=[1, 0], q=[0.5, 0.5])["H"] == 0
    p = torch.tensor([0.25, 0.75, 0.0], dtype=torch.float64)
    assert float(get("entropies").solve(p=p.tolist(), q=[0.25, 0.25, 0.5])["H"]) == pytest.approx(
        torch.special.entr(p).sum().item()
    )


def test_sympy_has_the_same_limit():
    from quizzes.expressions.parser import parse
    from quizzes.expressions.symbolic import compute

    assert compute(parse("y*ln(p)"), {"y": 0, "p": 0}) == 0
    assert compute(parse("max(x) - min(x) + len(x)"), {"x": [3, "1/2", 2]}) == compute(parse("11/2"), {})


def test_length_and_extrema_of_an_array():
    assert get("min-max-split").solve(train=[3, 7, 5], test=[3, 6, 9])["u"] == [0, Fraction(3, 4), Fraction(3, 2)]
    assert get("standardise").solve(X=[1, 2, 6], T=[3], ddof=1)["n"] == 3
