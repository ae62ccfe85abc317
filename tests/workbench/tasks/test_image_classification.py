"""Images: how they become what a network reads, and that it makes no difference when."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from workbench import data, tasks
from workbench.errors import UserError
from workbench.tasks import image_classification
from workbench.tasks.base import StepContext

torch.set_num_threads(1)
CONTEXT = StepContext()


@pytest.fixture
def digits():
    return tasks.get("digits")


def resized_at_once(split, size):
    """Return a split's images as torch itself standardizes and enlarges them, all together."""
    training = data.load("digits", seed=0)["train"][0]
    images = torch.from_numpy(data.load("digits", seed=0)[split][0])
    standardized = (images - float(training.mean())) / float(training.std())
    return F.interpolate(standardized, size=size, mode="bilinear", antialias=True)


class Reader(nn.Module):
    """A network that returns the first ten numbers that it reads."""

    def __init__(self, *shape):
        super().__init__()
        self.input_shape, self.batches = shape, []

    def forward(self, x):
        self.batches.append(x)
        return x.flatten(1)[:, :10]


def everything(source):
    return source.batch(slice(None))


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 32, 24), (784,), (64,), (1, 8, 8), (1, 5, 5)])
def test_images_take_the_shape_that_a_network_reads(digits, shape):
    size = shape[1:] if len(shape) == 3 else (int(shape[0] ** 0.5),) * 2
    images = everything(digits.sources(Reader(*shape), seed=0)["test"])["image"]
    assert images.shape == (360, *shape)
    expected = resized_at_once("test", size)
    assert torch.equal(images, expected.flatten(1) if len(shape) == 1 else expected.expand(-1, shape[0], -1, -1))


@pytest.mark.parametrize("shape", [(3, 40, 40), (1600,)])
def test_batch_by_batch_they_are_the_same_and_the_dataset_stays_small(digits, monkeypatch, shape):
    network = Reader(*shape)
    at_once = digits.sources(network, seed=0)["test"]
    monkeypatch.setattr(image_classification, "MAX_RESIZED", 10**6)
    source = digits.sources(network, seed=0)["test"]
    assert everything(source)["image"].shape == (360, 1, 8, 8)
    for each in (source, at_once):
        digits.forward(network, each.batch(torch.tensor([5, 300, 17])), CONTEXT)
    assert torch.equal(*network.batches) and network.batches[0].shape == (3, *shape)
    assert digits.evaluate(network, source) == digits.evaluate(network, at_once)


def test_images_for_a_large_network_take_little_memory(digits):
    network = Reader(3, 224, 224)
    sources = digits.sources(network, seed=0)
    assert sum(everything(source)["image"].untyped_storage().nbytes() for source in sources.values()) < 10**6
    digits.evaluate(network, sources["train"], limit=100)
    assert {tuple(batch.shape[1:]) for batch in network.batches} == {(3, 224, 224)}
    assert max(len(batch) for batch in network.batches) <= 64


def test_bytes_stay_bytes_where_a_network_reads_images_as_they_are(monkeypatch):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 3, 32, 32), dtype=np.uint8)
    splits = {split: (images[rows], np.arange(40)[rows] % 10) for split, rows in SPLIT_ROWS.items()}
    monkeypatch.setattr(data, "load", lambda name, seed: splits)
    task = tasks.get("cifar10")
    mean, deviation = images[:20].astype(np.float64).mean(), images[:20].astype(np.float64).std()
    for shape, is_stored in (((3, 32, 32), True), ((3, 16, 16), False), ((1024,), False)):
        for split, rows in SPLIT_ROWS.items():
            source = task.sources(Reader(*shape), seed=0)[split]
            column = source.columns["image"]
            assert isinstance(column, image_classification.StandardizedBytes) == is_stored
            if is_stored:
                assert column.values.dtype == torch.uint8
                expected = (images[rows] - mean) / deviation
                np.testing.assert_allclose(everything(source)["image"].numpy(), expected, atol=1e-5)
            assert everything(source)["image"].shape[1:] == shape


SPLIT_ROWS = {"train": slice(0, 20), "validation": slice(20, 30), "test": slice(30, 40)}


@pytest.mark.parametrize("shape", [(50,), (5, 5), (2, 3, 4, 5), ()])
def test_a_network_that_reads_no_image_is_an_error(digits, shape):
    with pytest.raises(UserError, match="not an image"):
        digits.sources(Reader(*shape), seed=0)


def test_the_baseline_is_computed_on_the_splits_of_the_seed(digits):
    from sklearn.linear_model import LogisticRegression

    splits = data.load("digits", seed=5)
    train, test = ((x.reshape(len(x), 64), classes) for x, classes in (splits["train"], splits["test"]))
    expected = LogisticRegression(max_iter=1000).fit(*train).score(*test)
    baseline = digits.compute_baseline(seed=5)
    assert (baseline.method, baseline.metric) == ("logistic regression", "accuracy")
    assert baseline.value == pytest.approx(expected)


@pytest.mark.parametrize("shape", [(64,), (3, 16, 16)])
def test_visualizations_show_the_networks_predictions(digits, shape):
    import sklearn.metrics

    torch.manual_seed(0)
    network = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 12))  # two outputs more than there are classes
    network.input_shape = shape
    source = digits.sources(network, seed=0)["test"]
    *samples, confusion = digits.visualize(network, source)
    batch = everything(source)
    predicted = network(batch["image"])[:, :10].argmax(dim=1)
    assert [sample["target"] for sample in samples] == batch["target"][:12].tolist()
    assert [sample["predicted"] for sample in samples] == predicted[:12].tolist()
    assert np.shape(samples[0]["pixels"]) == ((8, 8) if len(shape) == 1 else shape[1:])
    assert (confusion["kind"], confusion["classes"]) == ("confusion", list("0123456789"))
    matrix = sklearn.metrics.confusion_matrix(batch["target"], predicted, labels=range(10))
    assert confusion["counts"] == matrix.tolist()
    scores = sklearn.metrics.precision_recall_fscore_support(
        batch["target"], predicted, labels=range(10), zero_division=np.nan
    )
    for name, values in zip(("precision", "recall"), scores[:2], strict=True):
        undefined = [None if np.isnan(value) else pytest.approx(value) for value in values]
        assert confusion[name] == undefined
    f1 = sklearn.metrics.f1_score(batch["target"], predicted, labels=range(10), average=None)
    assert confusion["f1"] == pytest.approx(list(f1))
