"""What holds of every task, with a tiny network that is sized by what the task says of itself."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from workbench import data, tasks
from workbench.errors import UserError

torch.set_num_threads(1)


class Tiny(nn.Module):
    """Two dense layers, for any shape of input."""

    def __init__(self, input_shape, outputs):
        super().__init__()
        self.input_shape = input_shape
        width = math.prod(input_shape)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(width, 16), nn.Tanh(), nn.Linear(16, outputs))

    def forward(self, x):
        return self.layers(x)


HERE = [name for name in tasks.names() if not data.info(tasks.info(name).data).files]
SLOW = ("shapes", "mnist-5k")  # to draw, or to import


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.full) if name in SLOW else name for name in HERE]
)
def name(request):
    return request.param


@pytest.fixture
def task(name):
    return tasks.get(name)


@pytest.fixture
def network(name):
    torch.manual_seed(0)
    known = tasks.info(name)
    return Tiny(known.inputs, known.outputs)


@pytest.fixture(scope="module")
def parts(name):
    return tasks.get(name).splits(tasks.info(name).inputs, seed=0)


def test_the_parts_have_the_shapes_that_are_read(name, task, network, parts):
    known, columns = data.info(task.data), data.load(task.data, seed=0)
    for part, samples in parts.items():
        assert samples[0].shape == (len(columns[part][0]), *network.input_shape)
        assert samples[0].dtype == torch.float32 and all(column.isfinite().all() for column in samples)
        assert len({len(column) for column in samples}) == 1
        if known.classes:
            assert samples[1].tolist() == columns[part][1].tolist()
    task.check(network, parts["test"])
    outputs = task.forward(network, tuple(column[:5] for column in parts["test"]))
    assert outputs.shape == (5, tasks.info(name).outputs)


def test_a_held_out_sample_changes_nothing_but_itself(task, network, parts, monkeypatch):
    changed = {
        part: tuple(column.copy() for column in columns) for part, columns in data.load(task.data, seed=0).items()
    }
    changed["test"][0][0] += 100 if data.info(task.data).shape[0] == 3 else 1000  # bytes wrap round
    monkeypatch.setattr(data, "load", lambda name, seed: changed)
    after = task.splits(network.input_shape, seed=0)
    assert not torch.equal(after["test"][0][0], parts["test"][0][0])
    for part in data.SPLITS:
        for old, new in zip(parts[part], after[part], strict=True):
            first = int(part == "test")
            assert torch.equal(old[first:], new[first:])


def test_a_few_steps_lower_the_loss(task, network, parts):
    train = parts["train"]
    before = task.evaluate(network, train)["loss"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    order = torch.randperm(len(train[0]), generator=torch.Generator().manual_seed(0))
    for step in range(20):
        rows = order[torch.arange(32 * step, 32 * (step + 1)) % len(order)]
        batch = tuple(column[rows] for column in train)
        optimizer.zero_grad()
        task.loss(task.forward(network, batch), batch).backward()
        optimizer.step()
    assert task.evaluate(network, train)["loss"] < before


def test_the_metrics_are_scikit_learns(task, network, parts):
    import sklearn.metrics as theirs

    columns, samples = data.load(task.data, seed=0), parts["train"]
    measured = task.evaluate(network, samples)
    with torch.inference_mode():
        outputs = network(samples[0]).double().numpy()
    targets = columns["train"][1]
    if data.info(task.data).kind == "regression":
        said = (outputs * targets.std() + targets.mean())[:, 0]
        expected = {
            "loss": theirs.mean_squared_error(targets, said) / targets.var(),
            "mse": theirs.mean_squared_error(targets, said),
            "mae": theirs.mean_absolute_error(targets, said),
            "r2": theirs.r2_score(targets, said),
        }
    elif outputs.shape[1] == 1:
        chance = 1 / (1 + np.exp(-outputs[:, 0]))
        expected = {
            "loss": theirs.log_loss(targets, chance),
            "accuracy": theirs.accuracy_score(targets, chance > 0.5),
            "auc": theirs.roc_auc_score(targets, chance),
        }
    else:
        chances = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        expected = {
            "loss": theirs.log_loss(targets, chances),
            "accuracy": theirs.accuracy_score(targets, chances.argmax(axis=1)),
        }
    assert measured == pytest.approx(expected, rel=1e-4)
    assert task.metric in measured and network.training  # as it was found


def test_the_floor_lies_between_chance_and_all(task):
    floor, known = task.floor(seed=0), data.info(task.data)
    count = data.held_out(known.samples)["test"]
    chance = 1 / len(known.classes) if known.classes else 0.0
    # Where nothing better than a guess can be had by a straight border, guesses scatter around chance.
    assert chance - 2 * math.sqrt(chance * (1 - chance) / count) <= floor.value < 1
    assert floor.metric == task.metric and floor.method
    assert task.floor(seed=0) == floor


def test_pictures_are_plain_data(task, network, parts):
    pictures = json.loads(json.dumps(task.pictures(network, parts["test"]), allow_nan=False))
    kinds = [picture["picture"] for picture in pictures]
    known = data.info(task.data)
    expected = ["fit"] if not known.classes else ["confusion", "regions"] if known.shape == (2,) else ["confusion"]
    assert kinds == ["sample"] * 12 + expected
    few = task.pictures(network, tuple(column[:3] for column in parts["test"]))
    assert few[3]["picture"] == expected[0]
    for one, same in zip(few[:3], pictures, strict=False):
        assert one["target"] == same["target"] and one["predicted"] == pytest.approx(same["predicted"], rel=1e-5)


def test_knowing_them_imports_nothing_heavy():
    heavy = "{'numpy', 'sklearn', 'torch', 'scipy'} & set(sys.modules)"
    code = f"import sys; from workbench import tasks; [tasks.info(n) for n in tasks.names()]; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("name", ["digit", "csvx", "../digits"])
def test_an_unknown_task_is_met_with_its_neighbours(name):
    with pytest.raises(UserError, match=f"Unknown task '{name}'"):
        tasks.get(name)
