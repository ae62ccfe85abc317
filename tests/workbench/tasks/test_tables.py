"""Tasks on the rows of tables: one logit or two, targets in their own unit, decision regions, the user's own file."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from workbench import data, tasks
from workbench.errors import UserError
from workbench.tasks.base import StepContext

torch.set_num_threads(1)
CONTEXT = StepContext()


def linear(weights, biases):
    """Return a dense layer with these weights (outputs, inputs)."""
    network = nn.Linear(len(weights[0]), len(biases))
    network.input_shape = (len(weights[0]),)
    network.load_state_dict({"weight": torch.tensor(weights).float(), "bias": torch.tensor(biases).float()})
    return network


@given(st.lists(st.tuples(st.floats(-50, 50), st.integers(0, 1)), min_size=1, max_size=20))
def test_one_logit_is_binary_cross_entropy(rows):
    task = tasks.get("breast-cancer")
    logits = torch.tensor([[logit] for logit, _ in rows], dtype=torch.float64, requires_grad=True)
    target = torch.tensor([k for _, k in rows])
    batch = {"features": torch.zeros(len(rows), 30), "target": target}

    def loss(outputs):
        return task.losses(outputs, batch, CONTEXT)["loss"]

    ours = loss(logits)
    theirs = F.binary_cross_entropy_with_logits(logits[:, 0], target.double())
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(each, logits)[0] for each in (ours, theirs)))
    torch.testing.assert_close(ours, loss(logits[:, 0]))  # without a dimension for the one output
    torch.testing.assert_close(ours, loss(torch.cat([0 * logits, logits], dim=1)))  # two logits


@pytest.mark.parametrize("name", ["breast-cancer", "iris", "wine", "height-weight"])
def test_the_weights_of_the_baseline_have_its_accuracy(name):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    splits = data.load(name, seed=3)
    scaler = StandardScaler().fit(splits["train"][0])
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(splits["train"][0]), splits["train"][1])
    network, task = linear(model.coef_, model.intercept_), tasks.get(name)
    metrics = task.evaluate(network, task.sources(network, seed=3)["test"])
    assert metrics["accuracy"] == pytest.approx(task.compute_baseline(seed=3).value)
    assert metrics["accuracy"] == pytest.approx(model.score(scaler.transform(splits["test"][0]), splits["test"][1]))


def test_least_squares_have_the_r2_of_the_baseline():
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import StandardScaler

    splits = data.load("diabetes", seed=3)
    scaler = StandardScaler().fit(splits["train"][0])
    targets = StandardScaler().fit(splits["train"][1][:, None])
    model = LinearRegression().fit(scaler.transform(splits["train"][0]), targets.transform(splits["train"][1][:, None]))
    network, task = linear(model.coef_, model.intercept_), tasks.get("diabetes")
    source = task.sources(network, seed=3)["test"]
    assert task.evaluate(network, source)["r2"] == pytest.approx(task.compute_baseline(seed=3).value, abs=1e-5)
    *samples, fit = task.visualize(network, source)
    predicted = targets.inverse_transform(model.predict(scaler.transform(splits["test"][0])))[:, 0]
    np.testing.assert_allclose(fit["target"], splits["test"][1], rtol=1e-5)
    np.testing.assert_allclose(fit["predicted"], predicted, rtol=1e-4)
    assert [sample["predicted"] for sample in samples] == fit["predicted"][:12] and fit["unit"] == "progression"


def test_a_baseline_is_the_better_of_two(monkeypatch):
    """If the features are noise, the most frequent class or the mean is the score to beat."""
    rng = np.random.default_rng(0)
    counts = {"train": 20, "validation": 20, "test": 100}

    def splits(targets):
        return {split: (rng.normal(size=(count, 4)), targets(count)) for split, count in counts.items()}

    monkeypatch.setattr(data, "load", lambda name, seed: splits(lambda count: np.arange(count) % 10 // 7))
    baseline = tasks.get("breast-cancer").compute_baseline(seed=0)
    assert (baseline.method, baseline.value) == ("the most frequent class", 0.7)
    monkeypatch.setattr(data, "load", lambda name, seed: splits(lambda count: rng.normal(170, 10, count)))
    baseline = tasks.get("diabetes").compute_baseline(seed=0)
    assert baseline.method == "the mean" and -0.1 < baseline.value <= 0


def test_regions_show_the_prediction_at_each_point():
    task, network = tasks.get("moons"), linear([[1.0, -2.0]], [0.5])
    *_, regions = task.visualize(network, task.sources(network, seed=0)["test"])
    assert regions["kind"] == "regions"
    for row, column in [(0, 0), (0, 31), (31, 0), (17, 4), (8, 30)]:
        x, y = (ends[0] + (ends[1] - ends[0]) * k / 31 for ends, k in ((regions["x"], column), (regions["y"], row)))
        z = x - 2 * y + 0.5
        assert regions["predicted"][row][column] == (z > 0)
        assert regions["probability"][row][column] == pytest.approx(1 / (1 + np.exp(-abs(z))), abs=2e-3)
    assert len(regions["samples"]) == 80 and regions["features"] == ["x", "y"]
    for x, y, _ in regions["samples"]:
        assert regions["x"][0] < x < regions["x"][1] and regions["y"][0] < y < regions["y"][1]


@pytest.mark.parametrize(
    ("name", "shape", "outputs", "message"),
    [
        ("iris", (64,), 3, "reads 64, and a row of iris has 4 features"),
        ("iris", (1, 2, 2), 3, "reads 1x2x2, and a row of iris has 4"),
        ("diabetes", (4,), 1, "a row of diabetes has 10"),
        ("iris", (4,), 2, "returns 2, and there are 3 classes: size it to 3 outputs"),
        ("iris", (4,), 1, "size it to 3 outputs"),
        ("digits", (64,), 9, "size it to 10 outputs"),
        ("diabetes", (10,), 2, "returns 2, and the target is one number: size it to 1 output"),
    ],
)
def test_a_network_that_does_not_fit_is_an_error(name, shape, outputs, message):
    task, network = tasks.get(name), nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), outputs))
    network.input_shape = shape
    with pytest.raises(UserError, match=message):
        task.check(network, task.sources(network, seed=0)["train"])


@pytest.fixture(params=["classification", "regression"])
def own_table(request, tmp_path):
    """A table of the user's own, and the kind of its target."""
    file, rng = tmp_path / "own.csv", np.random.default_rng(0)
    rows = rng.normal(size=(60, 2))
    values = rows @ [2, -1] + 100
    targets = values if request.param == "regression" else np.where(values > 100, "high", "low")
    file.write_text("a,b,c\n" + "".join(f"{a},{b},{target}\n" for (a, b), target in zip(rows, targets, strict=True)))
    return file, request.param


def test_a_table_of_ones_own_is_a_task(own_table):
    file, kind = own_table
    info, task = tasks.info(f"csv:{file}"), tasks.get(f"csv:{file}")
    assert info.name == f"csv:{file}:c" and info == task.info
    assert [spec.dims for spec in info.inputs.values()] == [(2,)]
    monitor = "r2" if kind == "regression" else "accuracy"
    assert next(iter(info.metrics)) == monitor and info.options == (() if kind == "regression" else tasks.LABEL_OPTIONS)
    baseline = task.compute_baseline(seed=0)
    assert baseline.metric == monitor
    assert baseline.value == pytest.approx(1, abs=1e-9 if kind == "regression" else 0.2)
    network = linear([[2.0, -1.0]], [0.0])
    source = task.sources(network, seed=0)["test"]
    assert len(source) == 12 and monitor in task.evaluate(network, source)
    with pytest.raises(UserError, match="no file"):
        tasks.get(f"csv:{file}x")
