"""Classification with a network that has auxiliary classifiers in training."""

import pytest
import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.tasks.base import StepContext

torch.set_num_threads(1)
CONTEXT = StepContext()


def rows(task, network, split, count):
    return task.sources(network, seed=0)[split].batch(slice(0, count))


def test_auxiliary_losses_are_weighted_and_only_the_networks_own_logits_measured():
    task = tasks.get("digits")
    own, one, two = torch.randn(3, 6, 10, generator=torch.Generator().manual_seed(0))
    target = own.argmax(dim=1)
    batch = {"image": torch.zeros(6, 1, 8, 8), "target": target}
    expected = F.cross_entropy(own, target) + 0.3 * (F.cross_entropy(one, target) + F.cross_entropy(two, target))
    torch.testing.assert_close(task.losses((own, one, two), batch, CONTEXT)["loss"], expected)
    assert task.training_metrics((own, one, two), batch) == {"accuracy": 1.0}
    assert task.losses((own,), batch, CONTEXT) == task.losses(own, batch, CONTEXT)


def test_their_gradient_trains_the_layers_before_them_and_none_after():
    torch.manual_seed(0)
    task, network = tasks.get("digits"), models.build("googlenet-torchvision", "mini", num_classes=10, dropout=0.0)
    batch = rows(task, network, "train", 8)
    own, *_ = outputs = task.forward(network, batch, CONTEXT)
    auxiliary = task.losses(outputs, batch, CONTEXT)["loss"] - task.losses(own, batch, CONTEXT)["loss"]
    layers = [network.inception4a.branch1.conv.weight, network.inception5b.branch1.conv.weight]
    before, after = torch.autograd.grad(auxiliary, layers, retain_graph=True)
    assert before.abs().max() > 1e-6 and after.abs().max() < 1e-7


def test_an_evaluation_measures_the_networks_own_logits():
    torch.manual_seed(0)
    task, network = tasks.get("digits"), models.build("googlenet-torchvision", "mini", num_classes=10)
    source, batch = task.sources(network, seed=0)["test"], rows(task, network, "test", 20)
    metrics = task.evaluate(network, source, limit=20)
    assert network.training  # as it was
    with torch.no_grad():
        logits = network.eval()(batch["image"])
    assert metrics["loss"] == pytest.approx(F.cross_entropy(logits, batch["target"]).item(), rel=1e-5)
    assert metrics["accuracy"] == (logits.argmax(dim=1) == batch["target"]).float().mean().item()
