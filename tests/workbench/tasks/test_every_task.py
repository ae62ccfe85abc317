"""What holds of every task, with a network that is made for it."""

import json
import math

import pytest
import torch

import models
from workbench import BadInput, tasks

PAIRS = [(task, next(name for name in models.names() if models.info(name).task == task)) for task in tasks.names()]


@pytest.mark.parametrize(("task_name", "model"), PAIRS)
def test_a_fresh_network_can_be_measured_and_stays_below_the_floor(task_name, model):
    task = tasks.get(task_name)
    torch.manual_seed(0)
    network = models.build(model, "mini")
    parts = task.splits(network.input_shape, seed=0)
    assert set(parts) == {"train", "validation", "test"}
    metrics = task.evaluate(network, parts["test"])
    floor = task.floor(seed=0)
    assert floor.metric in metrics and metrics[floor.metric] < floor.value
    assert task.metric in metrics and math.isfinite(metrics["loss"])
    assert network.training  # as it was found


@pytest.mark.parametrize(("task_name", "model"), PAIRS)
def test_pictures_are_plain_data(task_name, model):
    task, network = tasks.get(task_name), models.build(model, "mini")
    few = tuple(column[:3] for column in task.splits(network.input_shape, seed=0)["test"])
    pictures = task.pictures(network, few)
    assert len(pictures) == 3
    json.dumps(pictures)


def test_an_unknown_task_is_met_with_its_neighbours():
    with pytest.raises(BadInput, match="did you mean digits"):
        tasks.get("digit")
