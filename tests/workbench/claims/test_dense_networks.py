"""Dense networks of trials: their initial weights, the order of their batches, and training."""

import pytest
import torch

from workbench.claims.dense_networks import accuracy, dense, fit, optimizer, shuffled, tensors
from workbench.claims.small_datasets import plane


def test_layers_and_initial_weights():
    network = dense([64, 400, 300], "relu", 0)
    assert [type(layer).__name__ for layer in network] == ["Linear", "ReLU", "Linear"]
    assert network[0].weight.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    assert not network[2].bias.any()
    linear = dense([64, 400, 300], None, 0)
    assert [type(layer).__name__ for layer in linear] == ["Linear", "Linear"]
    assert linear[0].weight.std().item() == pytest.approx((2 / 464) ** 0.5, rel=0.05)
    assert torch.equal(linear[1].weight, dense([64, 400, 300], "tanh", 0)[2].weight)


def test_every_epoch_has_each_sample_once_in_a_new_order():
    batches = list(shuffled(12, 4, 6, seed=0))
    first, second = torch.cat(batches[:3]), torch.cat(batches[3:])
    assert sorted(first.tolist()) == sorted(second.tolist()) == list(range(12))
    assert not torch.equal(first, second)
    assert all(map(torch.equal, batches, shuffled(12, 4, 6, seed=0)))
    assert [len(rows) for rows in shuffled(10, 4, 5, seed=0)] == [4] * 5


def test_training_takes_the_steps_of_the_optimizer():
    samples = plane("moons", 0).train
    network, other = dense([2, 8, 2], "tanh", 0), dense([2, 8, 2], "tanh", 0)
    fit(network, samples, shuffled(200, 50, 3, 0), name="momentum", lr=0.1)
    x, y = tensors(samples)
    rule = torch.optim.SGD(other.parameters(), lr=0.1, momentum=0.9)
    for rows in shuffled(200, 50, 3, 0):
        rule.zero_grad()
        torch.nn.functional.cross_entropy(other(x[rows]), y[rows]).backward()
        rule.step()
    for weight, expected in zip(network.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(weight, expected)


def test_accuracy_in_points():
    samples = plane("moons", 0).test
    network = dense([2, 2], None, 0)
    correct = sum(
        int(logits.argmax()) == label for logits, label in zip(network(tensors(samples)[0]), samples.y, strict=True)
    )
    assert accuracy(network, samples) == pytest.approx(100 * correct / len(samples.y))


def test_an_unknown_optimizer_is_an_error():
    with pytest.raises(ValueError, match="sgd, momentum"):
        optimizer("lion", [torch.zeros(1)], 0.1)
