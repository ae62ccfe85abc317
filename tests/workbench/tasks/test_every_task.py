"""Properties of every task, with a tiny network that is sized by the description of the task."""

import json
import math

import numpy as np
import pytest
import torch
from torch import nn

from workbench import data, tasks
from workbench.tasks.base import StepContext

torch.set_num_threads(1)
CONTEXT = StepContext()


class Tiny(nn.Module):
    """Two dense layers, for any shape of input."""

    def __init__(self, info):
        super().__init__()
        [inputs], [outputs] = info.inputs.values(), info.outputs.values()
        self.input_shape = inputs.dims
        sizes = {name: values[0] for name, values in info.sizes.items()}
        [self.outputs] = outputs.resolve(sizes).dims
        in_features = math.prod(inputs.dims)
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(in_features, 16), nn.Tanh(), nn.Linear(16, self.outputs))

    def forward(self, x):
        return self.layers(x)


def has_files(name):
    return bool(data.info(tasks.info(name).data).files)


def is_dense(name):
    """Return whether a task can be learned by dense layers that read one tensor of a fixed shape."""
    info = tasks.info(name)
    tensors = [*info.inputs.values(), *info.outputs.values()]
    numbers = all(isinstance(dim, int) for dim in next(iter(info.inputs.values())).dims)
    is_vector = len(tensors[-1].dims) == 1
    return len(tensors) == 2 and numbers and is_vector and {spec.dtype for spec in tensors} == {"float32"}


LOCAL = [name for name in tasks.names() if not has_files(name) and is_dense(name)]
SLOW = ("shapes", "mnist-5k")  # to draw, or to import


@pytest.fixture(
    scope="module", params=[pytest.param(name, marks=pytest.mark.full) if name in SLOW else name for name in LOCAL]
)
def name(request):
    return request.param


@pytest.fixture
def task(name):
    return tasks.get(name)


@pytest.fixture
def network(name):
    torch.manual_seed(0)
    return Tiny(tasks.info(name))


@pytest.fixture(scope="module")
def sources(name):
    return tasks.get(name).sources(Tiny(tasks.info(name)), seed=0)


def everything(source):
    return source.batch(slice(None))


def input_of(task):
    return next(iter(task.info.inputs))


def test_the_splits_have_the_shapes_that_are_read(name, task, network, sources):
    dataset, columns = data.info(task.data), data.load(task.data, seed=0)
    assert list(sources) == list(data.SPLITS)
    for split, source in sources.items():
        batch = everything(source)
        inputs = batch[input_of(task)]
        assert len(source) == len(columns[split][0]) and inputs.shape == (len(source), *network.input_shape)
        assert inputs.dtype == torch.float32 and all(column.isfinite().all() for column in batch.values())
        assert {len(column) for column in batch.values()} == {len(source)} == {task.weight(batch)}
        if dataset.classes:
            assert batch["target"].tolist() == columns[split][1].tolist()
    task.check(network, sources["test"])
    outputs = task.forward(network, sources["test"].batch(slice(0, 5)), CONTEXT)
    assert outputs.shape == (5, network.outputs)


def test_a_held_out_sample_changes_nothing_but_itself(task, network, sources, monkeypatch):
    changed = {
        split: tuple(column.copy() for column in columns) for split, columns in data.load(task.data, seed=0).items()
    }
    changed["test"][0][0] += 100 if data.info(task.data).shape[0] == 3 else 1000  # bytes wrap around
    monkeypatch.setattr(data, "load", lambda name, seed: changed)
    after = task.sources(network, seed=0)
    inputs = input_of(task)
    assert not torch.equal(everything(after["test"])[inputs][0], everything(sources["test"])[inputs][0])
    for split in data.SPLITS:
        old, new = everything(sources[split]), everything(after[split])
        first = int(split == "test")
        assert old.keys() == new.keys()
        assert all(torch.equal(old[column][first:], new[column][first:]) for column in old)


def test_a_few_steps_lower_the_loss(task, network, sources):
    source = sources["train"]
    before = task.evaluate(network, source)["loss"]
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    order = torch.randperm(len(source), generator=torch.Generator().manual_seed(0))
    for step in range(20):
        batch = source.batch(order[torch.arange(32 * step, 32 * (step + 1)) % len(order)])
        optimizer.zero_grad()
        task.losses(task.forward(network, batch, CONTEXT), batch, CONTEXT)["loss"].backward()
        optimizer.step()
    assert task.evaluate(network, source)["loss"] < before


@pytest.mark.parametrize("size", [None, 7])
def test_the_metrics_are_scikit_learns_whatever_the_batch(task, network, sources, size, monkeypatch):
    import sklearn.metrics as theirs

    if size:
        monkeypatch.setattr(type(task), "evaluation_batch", lambda self, network: size)
    columns, source = data.load(task.data, seed=0), sources["train"]
    metrics = task.evaluate(network, source)
    with torch.inference_mode():
        outputs = network(everything(source)[input_of(task)]).double().numpy()
    targets = columns["train"][1]
    if data.info(task.data).kind == "regression":
        predicted = (outputs * targets.std() + targets.mean())[:, 0]
        expected = {
            "loss": theirs.mean_squared_error(targets, predicted) / targets.var(),
            "mse": theirs.mean_squared_error(targets, predicted),
            "mae": theirs.mean_absolute_error(targets, predicted),
            "r2": theirs.r2_score(targets, predicted),
        }
    else:
        if outputs.shape[1] == 1:
            outputs = np.concatenate([0 * outputs, outputs], axis=1)
        probabilities = np.exp(outputs) / np.exp(outputs).sum(axis=1, keepdims=True)
        predicted = probabilities.argmax(axis=1)
        scores = probabilities[:, 1] if probabilities.shape[1] == 2 else probabilities
        expected = {
            "loss": theirs.log_loss(targets, probabilities),
            "accuracy": theirs.accuracy_score(targets, predicted),
            "f1": theirs.f1_score(targets, predicted, average="macro"),
            "auc": theirs.roc_auc_score(targets, scores, multi_class="ovr"),
        }
        if probabilities.shape[1] > 5:
            expected["top5"] = theirs.top_k_accuracy_score(targets, probabilities, k=5)
    assert metrics == pytest.approx(expected, rel=1e-4)
    assert metrics.keys() - {"loss"} == task.info.metrics.keys() and network.training  # as it was


def test_the_baseline_is_between_a_guess_and_perfect(task):
    baseline, dataset = task.compute_baseline(seed=0), data.info(task.data)
    count = data.held_out(dataset.samples)["test"]
    guess = 1 / len(dataset.classes) if dataset.classes else 0.0
    # Where no straight boundary is better than a guess, baselines scatter around the probability of one.
    assert guess - 2 * math.sqrt(guess * (1 - guess) / count) <= baseline.value < 1
    assert baseline.metric == next(iter(task.info.metrics)) and baseline.method
    assert task.compute_baseline(seed=0) == baseline


def test_visualizations_are_plain_data(task, network, sources):
    visualizations = json.loads(json.dumps(task.visualize(network, sources["test"]), allow_nan=False))
    kinds = [visualization["kind"] for visualization in visualizations]
    dataset = data.info(task.data)
    expected = ["fit"] if not dataset.classes else ["confusion", *["regions"] * (dataset.shape == (2,))]
    assert kinds == ["sample"] * 12 + expected
    three = type(sources["test"])(**sources["test"].batch(slice(0, 3)))
    few = task.visualize(network, three)
    assert few[3]["kind"] == expected[0]
    for one, same in zip(few[:3], visualizations, strict=False):
        assert one["target"] == same["target"] and one["predicted"] == pytest.approx(same["predicted"], rel=1e-5)
