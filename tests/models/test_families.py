"""What holds of every network in the registry: its published size and shapes, and that its mini learns."""

import pytest
import torch

import models
from workbench import tasks

NAMES = models.names()
STEPS = 20


def learns(name):
    return models.info(name).task in tasks.names()


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_preset_has_the_published_size_and_shapes(name):
    known = models.info(name)
    with torch.device("meta"):
        network = models.build(name)
        outputs = network(torch.zeros(2, *known.input))
    assert network.input_shape == known.input
    assert outputs.shape == (2, *known.output)
    if known.params is not None:
        assert sum(weight.numel() for weight in network.parameters()) == known.params


@pytest.mark.parametrize("name", [name for name in NAMES if learns(name)])
def test_a_few_steps_lower_the_loss_of_the_mini(name):
    task = tasks.get(models.info(name).task)
    torch.manual_seed(0)
    network = models.build(name, preset="mini")
    samples = task.splits(network.input_shape, seed=0)["train"]
    before = task.evaluate(network, samples)["loss"]
    optimizer = torch.optim.Adam(network.parameters(), lr=3e-3)
    for step in range(STEPS):
        batch = tuple(column[32 * step : 32 * (step + 1)] for column in samples)
        optimizer.zero_grad()
        task.loss(task.forward(network, batch), batch).backward()
        optimizer.step()
    assert task.evaluate(network, samples)["loss"] < before
