"""Tasks on the rows of tables: one logit or two scores, numbers in their own unit, decision regions, one's own file."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from workbench import data, tasks
from workbench.errors import UserError

torch.set_num_threads(1)


def linear(inputs, weights, biases):
    """One dense layer with these weights (outputs, inputs), as it would have been learnt."""
    network = nn.Linear(inputs, len(biases))
    network.input_shape = (inputs,)
    network.load_state_dict({"weight": torch.tensor(weights).float(), "bias": torch.tensor(biases).float()})
    return network


@given(st.lists(st.tuples(st.floats(-50, 50), st.integers(0, 1)), min_size=1, max_size=20))
def test_one_logit_is_binary_cross_entropy(rows):
    task = tasks.get("breast-cancer")
    logits = torch.tensor([[logit] for logit, _ in rows], dtype=torch.float64, requires_grad=True)
    classes = torch.tensor([kind for _, kind in rows])
    batch = (torch.zeros(len(rows), 30), classes)
    ours = task.loss(logits, batch)
    theirs = F.binary_cross_entropy_with_logits(logits[:, 0], classes.double())
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(*(torch.autograd.grad(loss, logits)[0] for loss in (ours, theirs)))
    torch.testing.assert_close(ours, task.loss(logits[:, 0], batch))  # without a dimension for the one output
    torch.testing.assert_close(ours, task.loss(torch.cat([0 * logits, logits], dim=1), batch))  # two scores


@pytest.mark.parametrize("name", ["breast-cancer", "iris", "wine", "height-weight"])
def test_the_floors_own_weights_reach_the_floor(name):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    parts = data.load(name, seed=3)
    scaler = StandardScaler().fit(parts["train"][0])
    fitted = LogisticRegression(max_iter=1000).fit(scaler.transform(parts["train"][0]), parts["train"][1])
    network = linear(len(scaler.mean_), fitted.coef_, fitted.intercept_)
    task = tasks.get(name)
    measured = task.evaluate(network, task.splits(network.input_shape, seed=3)["test"])
    assert measured["accuracy"] == pytest.approx(task.floor(seed=3).value)
    assert measured["accuracy"] == pytest.approx(fitted.score(scaler.transform(parts["test"][0]), parts["test"][1]))


def test_least_squares_reach_the_floor_of_a_regression():
    from sklearn.linear_model import LinearRegression
    from sklearn.preprocessing import StandardScaler

    parts = data.load("diabetes", seed=3)
    scaler = StandardScaler().fit(parts["train"][0])
    targets = StandardScaler().fit(parts["train"][1][:, None])
    fitted = LinearRegression().fit(scaler.transform(parts["train"][0]), targets.transform(parts["train"][1][:, None]))
    network, task = linear(10, fitted.coef_, fitted.intercept_), tasks.get("diabetes")
    samples = task.splits((10,), seed=3)["test"]
    assert task.evaluate(network, samples)["r2"] == pytest.approx(task.floor(seed=3).value, abs=1e-5)
    *shown, fit = task.pictures(network, samples)
    said = targets.inverse_transform(fitted.predict(scaler.transform(parts["test"][0])))[:, 0]
    np.testing.assert_allclose(fit["target"], parts["test"][1], rtol=1e-5)
    np.testing.assert_allclose(fit["predicted"], said, rtol=1e-4)
    assert [one["predicted"] for one in shown] == fit["predicted"][:12] and fit["unit"] == "progression"


def test_where_all_targets_are_alike_they_are_told_or_not():
    task, alike = tasks.get("diabetes"), torch.full((4, 1), 0.5)
    samples = (torch.zeros(4, 10), alike, torch.zeros(4, 1), torch.ones(4, 1))
    assert task.measure(alike, samples) == {"r2": 1.0}
    assert task.measure(alike + 0.1, samples) == {"r2": 0.0}


def test_regions_are_what_the_network_says_there():
    task, network = tasks.get("moons"), linear(2, [[1.0, -2.0]], [0.5])
    samples = task.splits((2,), seed=0)["test"]
    *_, regions = task.pictures(network, samples)
    for row, column in [(0, 0), (0, 31), (31, 0), (17, 4), (8, 30)]:
        x, y = (ends[0] + (ends[1] - ends[0]) * k / 31 for ends, k in ((regions["x"], column), (regions["y"], row)))
        z = x - 2 * y + 0.5
        assert regions["predicted"][row][column] == (z > 0)
        assert regions["probability"][row][column] == pytest.approx(1 / (1 + np.exp(-abs(z))), abs=2e-3)
    assert len(regions["samples"]) == 80 and regions["features"] == ["x", "y"]
    for x, y, _ in regions["samples"]:
        assert regions["x"][0] < x < regions["x"][1] and regions["y"][0] < y < regions["y"][1]


@pytest.mark.parametrize(
    ("name", "inputs", "outputs", "said"),
    [
        ("iris", (64,), 3, "reads 64, and a row here holds 4 numbers"),
        ("iris", (1, 2, 2), 3, "reads 1x2x2, and a row here holds 4"),
        ("diabetes", (4,), 1, "a row here holds 10"),
        ("iris", (4,), 2, "says 2, and 3 classes are to be told apart: size it to 3 outputs"),
        ("iris", (4,), 1, "size it to 3 outputs"),
        ("digits", (64,), 9, "size it to 10 outputs"),
        ("diabetes", (10,), 2, "says 2, and a single number is to be told: size it to 1 output"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(name, inputs, outputs, said):
    task, network = tasks.get(name), nn.Sequential(nn.Flatten(), nn.LazyLinear(outputs))
    network.input_shape = inputs
    with pytest.raises(UserError, match=said):
        task.check(network, task.splits(inputs, seed=0)["train"])


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_a_table_of_ones_own_is_a_task(tmp_path, kind):
    file = tmp_path / "own.csv"
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(60, 2))
    told = rows @ [2, -1] + 100
    targets = told if kind == "regression" else np.where(told > 100, "high", "low")
    file.write_text("a,b,c\n" + "".join(f"{a},{b},{target}\n" for (a, b), target in zip(rows, targets, strict=True)))
    known, task = tasks.info(f"csv:{file}"), tasks.get(f"csv:{file}")
    assert (known.name, known.inputs, known.outputs) == (f"csv:{file}:c", (2,), 1)
    floor = task.floor(seed=0)
    assert floor.metric == task.metric == ("r2" if kind == "regression" else "accuracy")
    assert floor.value == pytest.approx(1, abs=1e-9 if kind == "regression" else 0.2)
    samples = task.splits((2,), seed=0)["test"]
    assert len(samples[0]) == 12 and task.metric in task.evaluate(linear(2, [[2.0, -1.0]], [0.0]), samples)
    with pytest.raises(UserError, match="no file"):
        tasks.get(f"csv:{file}x")
