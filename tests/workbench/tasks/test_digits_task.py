"""Pictures: how they become what a network reads, and that it makes no difference when."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench import data, tasks
from workbench.errors import UserError
from workbench.tasks import picture_classification

torch.set_num_threads(1)


@pytest.fixture
def digits():
    return tasks.get("digits")


def enlarged_at_once(part, size):
    """The part's pictures as torch itself standardises and enlarges them, all together."""
    ink = data.load("digits", seed=0)["train"][0]
    pictures = torch.from_numpy(data.load("digits", seed=0)[part][0])
    return F.interpolate((pictures - float(ink.mean())) / float(ink.std()), size=size, mode="bilinear", antialias=True)


class Reader(nn.Module):
    """Says what it reads: its first ten numbers."""

    def __init__(self, shape):
        super().__init__()
        self.input_shape, self.read = shape, []

    def forward(self, x):
        self.read.append(x)
        return x.flatten(1)[:, :10]


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 32, 24), (784,), (64,), (1, 8, 8), (1, 5, 5)])
def test_pictures_take_the_shape_that_is_read(digits, shape):
    size = shape[1:] if len(shape) == 3 else (int(shape[0] ** 0.5),) * 2
    pictures = digits.splits(shape, seed=0)["test"][0]
    assert pictures.shape == (360, *shape)
    expected = enlarged_at_once("test", size)
    assert torch.equal(pictures, expected.flatten(1) if len(shape) == 1 else expected.expand(-1, shape[0], -1, -1))


@pytest.mark.parametrize("shape", [(3, 40, 40), (1600,)])
def test_batch_by_batch_they_are_the_same_and_the_whole_set_stays_small(digits, monkeypatch, shape):
    at_once = digits.splits(shape, seed=0)["test"]
    monkeypatch.setattr(picture_classification, "AT_ONCE", 10**6)
    samples = digits.splits(shape, seed=0)["test"]
    assert samples[0].shape == (360, 1, 8, 8)
    network = Reader(shape)
    rows = torch.tensor([5, 300, 17])
    for columns in (samples, at_once):
        digits.forward(network, tuple(column[rows] for column in columns))
    assert torch.equal(*network.read) and network.read[0].shape == (3, *shape)
    assert digits.evaluate(network, samples) == digits.evaluate(network, at_once)


def test_a_set_for_a_large_network_takes_little_memory(digits):
    parts = digits.splits((3, 224, 224), seed=0)
    assert sum(samples[0].untyped_storage().nbytes() for samples in parts.values()) < 10**6
    network = Reader((3, 224, 224))
    digits.outputs(network, tuple(column[:100] for column in parts["train"]))
    assert {tuple(batch.shape[1:]) for batch in network.read} == {(3, 224, 224)}
    assert max(len(batch) for batch in network.read) <= 64


@pytest.mark.parametrize("shape", [(50,), (5, 5), (2, 3, 4, 5)])
def test_a_network_that_reads_no_picture_is_refused(digits, shape):
    with pytest.raises(UserError, match="no picture"):
        digits.splits(shape, seed=0)


def test_the_floor_is_computed_on_the_runs_own_parts(digits):
    from sklearn.linear_model import LogisticRegression

    parts = data.load("digits", seed=5)
    train, test = ((x.reshape(len(x), 64), classes) for x, classes in (parts["train"], parts["test"]))
    expected = LogisticRegression(max_iter=1000).fit(*train).score(*test)
    assert digits.floor(seed=5).value == pytest.approx(expected)
    assert digits.floor(seed=5).method == "logistic regression"


@pytest.mark.parametrize("shape", [(64,), (3, 16, 16)])
def test_pictures_say_what_the_network_says(digits, shape):
    from sklearn.metrics import confusion_matrix

    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 12))  # two outputs more than there are classes
    network.input_shape = shape
    samples = digits.splits(shape, seed=0)["test"]
    *shown, confusion = digits.pictures(network, samples)
    said = network(samples[0])[:, :10].argmax(dim=1)
    assert [picture["target"] for picture in shown] == samples[1][:12].tolist()
    assert [picture["predicted"] for picture in shown] == said[:12].tolist()
    assert np.shape(shown[0]["pixels"]) == ((8, 8) if len(shape) == 1 else shape[1:])
    assert confusion["classes"] == list("0123456789")
    assert confusion["counts"] == confusion_matrix(samples[1], said, labels=range(10)).tolist()
