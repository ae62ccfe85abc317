"""The digits' loss, accuracy and floor against scikit-learn."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss

import models
from workbench import BadInput, data, tasks


def test_loss_and_accuracy_are_scikit_learns_over_all_samples_alike():
    torch.manual_seed(0)
    network = models.build("mlp", "mini")
    samples = tasks.get("digits").splits((64,), seed=0)["train"]  # 1,257: more than one batch of an evaluation
    measured = tasks.get("digits").evaluate(network, samples)
    scores = network(samples[0]).detach().double()
    assert measured["accuracy"] == pytest.approx(accuracy_score(samples[1], scores.argmax(dim=1)))
    assert measured["loss"] == pytest.approx(log_loss(samples[1], scores.softmax(dim=1)), rel=1e-5)


def test_the_floor_is_computed_on_the_runs_own_parts():
    parts = data.load("digits", seed=5)
    train, test = (
        (pictures.reshape(len(pictures), 64), classes) for pictures, classes in (parts["train"], parts["test"])
    )
    expected = LogisticRegression(max_iter=1000).fit(*train).score(*test)
    assert tasks.get("digits").floor(seed=5).value == pytest.approx(expected)


def test_inputs_are_standardised_by_the_training_part_alone():
    parts = tasks.get("digits").splits((1, 8, 8), seed=0)
    raw = data.load("digits", seed=0)
    assert parts["train"][0].mean().item() == pytest.approx(0, abs=1e-5)
    assert parts["train"][0].std().item() == pytest.approx(1, abs=1e-3)
    expected = (raw["test"][0] - raw["train"][0].mean()) / raw["train"][0].std()
    np.testing.assert_allclose(parts["test"][0].numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("shape", [(1, 20, 20), (3, 32, 32), (784,), (64,)])
def test_pictures_take_the_shape_that_is_read(shape):
    assert tasks.get("digits").splits(shape, seed=0)["test"][0].shape == (360, *shape)


@pytest.mark.parametrize("shape", [(50,), (5, 5), (2, 3, 4, 5)])
def test_a_network_that_reads_no_picture_is_refused(shape):
    with pytest.raises(BadInput, match="no picture"):
        tasks.get("digits").splits(shape, seed=0)


def test_pictures_say_what_the_network_says():
    network = models.build("mlp", "mini")
    inputs, classes = (column[:4] for column in tasks.get("digits").splits((64,), seed=0)["test"])
    pictures = tasks.get("digits").pictures(network, (inputs, classes))
    assert [picture["target"] for picture in pictures] == classes.tolist()
    assert [picture["predicted"] for picture in pictures] == network(inputs).argmax(dim=1).tolist()
    assert np.shape(pictures[0]["pixels"]) == (8, 8)
