"""What a classification makes of a network that says more than one thing in training."""

import pytest
import torch
import torch.nn.functional as F

import models
from workbench import tasks

torch.set_num_threads(1)


def test_auxiliary_losses_are_weighed_and_only_the_networks_own_scores_measured():
    task = tasks.get("digits")
    own, one, two = torch.randn(3, 6, 10, generator=torch.Generator().manual_seed(0))
    batch = (torch.zeros(6, 1, 8, 8), own.argmax(dim=1))
    expected = F.cross_entropy(own, batch[1]) + 0.3 * (F.cross_entropy(one, batch[1]) + F.cross_entropy(two, batch[1]))
    torch.testing.assert_close(task.loss((own, one, two), batch), expected)
    assert task.metrics((own, one, two), batch) == {"accuracy": 1.0}
    assert task.loss((own,), batch) == task.loss(own, batch)


def test_their_gradient_reaches_what_they_look_at_and_nothing_above():
    torch.manual_seed(0)
    task, network = tasks.get("digits"), models.build("googlenet-torchvision", "mini", num_classes=10, dropout=0.0)
    samples = tuple(column[:8] for column in task.splits(network.input_shape, seed=0)["train"])
    own, *_ = outputs = task.forward(network, samples)
    parts = [network.inception4a.branch1.conv.weight, network.inception5b.branch1.conv.weight]
    below, above = torch.autograd.grad(task.loss(outputs, samples) - task.loss(own, samples), parts, retain_graph=True)
    assert below.abs().max() > 1e-6 and above.abs().max() < 1e-7


def test_evaluation_says_the_networks_own_scores():
    torch.manual_seed(0)
    task, network = tasks.get("digits"), models.build("googlenet-torchvision", "mini", num_classes=10)
    samples = tuple(column[:20] for column in task.splits(network.input_shape, seed=0)["test"])
    measured = task.evaluate(network, samples)
    with torch.no_grad():
        said = network.eval()(samples[0])
    assert measured["loss"] == pytest.approx(F.cross_entropy(said, samples[1]).item(), rel=1e-5)
    assert measured["accuracy"] == (said.argmax(dim=1) == samples[1]).float().mean().item()
