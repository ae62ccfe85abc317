"""Meters against scikit-learn, however the samples are divided into batches."""

import math
import warnings

import numpy as np
import pytest
import sklearn.metrics
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.tasks import meters
from workbench.tasks.meters import ClassificationMeter, Means, RegressionMeter, roc_auc

sizes = st.lists(st.integers(1, 20), min_size=1, max_size=5)
seeds = st.integers(0, 10_000)


def classify(seed, sizes, classes, absent=(), scale=1.0):
    """Return random logits and targets without some classes, and the results of a meter on their batches."""
    rng = np.random.default_rng(seed)
    present = [k for k in range(classes) if k not in absent]
    targets = rng.choice(present, sum(sizes))
    logits = scale * (rng.normal(size=(sum(sizes), classes)) + np.eye(classes)[targets]).astype(np.float32)
    logits[:, list(absent)] -= rng.integers(0, 2) * 1e6  # never predicted, or sometimes
    logits = np.where(rng.random(logits.shape) < 0.1, np.float32(0.5), logits)  # ties
    meter, start = ClassificationMeter(classes), 0
    for size in sizes:
        batch = {"target": torch.from_numpy(targets[start : start + size])}
        meter.update(torch.from_numpy(logits[start : start + size]), batch)
        start += size
    return logits, targets, meter


@given(seed=seeds, sizes=sizes, classes=st.integers(2, 8), data=st.data())
def test_accuracy_f1_and_confusion_are_scikit_learns(seed, sizes, classes, data):
    absent = data.draw(st.sets(st.integers(0, classes - 1), max_size=classes - 1))
    logits, targets, meter = classify(seed, sizes, classes, tuple(absent))
    predicted = logits.argmax(axis=1)
    metrics = meter.compute()
    assert metrics["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(targets, predicted))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert metrics["f1"] == pytest.approx(sklearn.metrics.f1_score(targets, predicted, average="macro"))
    confusion = sklearn.metrics.confusion_matrix(targets, predicted, labels=range(classes))
    assert meter.confusion().tolist() == confusion.tolist()


@given(seed=seeds, sizes=sizes, classes=st.integers(6, 9))
def test_top5_is_scikit_learns(seed, sizes, classes):
    logits, targets, _ = classify(seed, sizes, classes)
    logits += np.random.default_rng(seed).permuted(np.tile(np.arange(classes) * 1e-3, (len(logits), 1)), axis=1)
    meter = ClassificationMeter(classes)
    meter.update(torch.from_numpy(logits), {"target": torch.from_numpy(targets)})
    expected = sklearn.metrics.top_k_accuracy_score(targets, logits, k=5, labels=range(classes))
    assert meter.compute()["top5"] == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_top5_needs_more_than_five_classes(classes):
    assert "top5" not in classify(0, [20], classes)[2].compute()


def probabilities(logits):
    exponentials = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


@given(seed=seeds, sizes=sizes, classes=st.integers(2, 5), scale=st.sampled_from([0.1, 1.0, 7.0]))
def test_the_area_under_the_roc_curve_is_scikit_learns(seed, sizes, classes, scale):
    logits, targets, meter = classify(seed, sizes, classes, scale=scale)
    metrics, scores = meter.compute(), probabilities(logits)
    if len(set(targets)) < classes:
        assert "auc" not in metrics
    elif classes == 2:
        assert metrics["auc"] == pytest.approx(sklearn.metrics.roc_auc_score(targets, scores[:, 1]))
    else:
        expected = sklearn.metrics.roc_auc_score(targets, scores, multi_class="ovr", average="macro")
        assert metrics["auc"] == pytest.approx(expected)


def test_the_area_of_confident_logits_ranks_them_all():
    """In float32, the sigmoid of 17 and above is 1: samples that differ would count as ties."""
    targets, logit = torch.tensor([0, 0, 1, 1]), torch.tensor([18.0, 20.0, 19.0, 22.0])
    meter = ClassificationMeter(2)
    meter.update(torch.stack([torch.zeros(4), logit], dim=1), {"target": targets})
    assert meter.compute()["auc"] == sklearn.metrics.roc_auc_score(targets, logit) == 0.75


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=2, max_size=30))
def test_roc_auc_is_the_share_of_pairs_in_order(rows):
    scores, positive = torch.tensor([float(score) for score, _ in rows]), torch.tensor([flag for _, flag in rows])
    if positive.all() or not positive.any():
        return
    pairs = [(a, b) for a in scores[positive].tolist() for b in scores[~positive].tolist()]
    expected = sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)
    assert roc_auc(scores, positive) == pytest.approx(expected)


def test_the_area_is_left_out_where_it_would_need_too_many_scores(monkeypatch):
    monkeypatch.setattr(meters, "MAX_SCORES", 60)
    assert "auc" in classify(1, [15, 15], 2)[2].compute()
    assert "auc" not in classify(1, [15, 16], 2)[2].compute()


def test_logits_that_are_not_finite_leave_the_area_out_and_nothing_else():
    meter = ClassificationMeter(2)
    logits = torch.tensor([[0.0, math.nan], [1.0, 0.0], [0.0, 1.0]])
    meter.update(logits, {"target": torch.tensor([1, 0, 1])})
    assert meter.compute().keys() == {"accuracy", "f1"}


@given(seed=seeds, sizes=sizes, mean=st.sampled_from([0.0, 170.0, -1e4]), deviation=st.sampled_from([1.0, 25.0]))
def test_regression_metrics_are_scikit_learns_in_the_targets_own_unit(seed, sizes, mean, deviation):
    rng = np.random.default_rng(seed)
    targets = rng.normal(size=(sum(sizes), 1)).astype(np.float32)
    predicted = targets + rng.normal(size=targets.shape).astype(np.float32)
    meter, start = RegressionMeter(), 0
    for size in sizes:
        rows = slice(start, start + size)
        columns = dict(target=targets[rows], mean=np.full((size, 1), mean), deviation=np.full((size, 1), deviation))
        meter.update(torch.from_numpy(predicted[rows]), {name: torch.tensor(value) for name, value in columns.items()})
        start += size
    own_targets, own_predicted = (values.astype(np.float64) * deviation + mean for values in (targets, predicted))
    metrics = meter.compute()
    assert metrics["mse"] == pytest.approx(sklearn.metrics.mean_squared_error(own_targets, own_predicted))
    assert metrics["mae"] == pytest.approx(sklearn.metrics.mean_absolute_error(own_targets, own_predicted))
    if len(targets) > 1:
        assert metrics["r2"] == pytest.approx(sklearn.metrics.r2_score(own_targets, own_predicted))


def test_r2_of_equal_targets_is_1_if_they_are_predicted_and_0_otherwise():
    target, ones = torch.full((4, 1), 0.5), torch.ones(4, 1)
    for error, expected in ((0.0, 1.0), (0.1, 0.0)):
        meter = RegressionMeter()
        for half in (slice(0, 2), slice(2, 4)):
            meter.update(
                target[half] + error, {"target": target[half], "mean": 0 * ones[half], "deviation": ones[half]}
            )
        assert meter.compute()["r2"] == expected


def test_a_task_without_metrics_has_a_meter_of_none():
    meter = Means()
    meter.update(torch.ones(2), {"image": torch.ones(2)})
    assert meter.compute() == {}
