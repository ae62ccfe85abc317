"""Which tasks a network fits is told without building it, and told right."""

from functools import cache

import pytest

import models
from tests.networks import by_tier
from workbench import data, tasks
from workbench.engine import RunSpec, networks
from workbench.errors import UserError

HERE = [name for name in tasks.names() if not data.info(tasks.info(name).data).files]
FAMILIES = {models.info(name).network: name for name in reversed(models.names())}  # of each class, one


@cache
def samples(task, shape):
    return tasks.get(task).splits(shape, seed=0)["train"]


@pytest.mark.parametrize("model", by_tier(FAMILIES.values(), fast={"mlp", "lenet5", "linear-regression"}))
@pytest.mark.parametrize("task", HERE)
def test_a_network_fits_the_tasks_that_take_it(model, task):
    try:
        network = networks.build(RunSpec(model, task=task))
        tasks.get(task).check(network, samples(task, network.input_shape))
        taken = True
    except UserError:
        taken = False
    assert networks.fits(model, "mini", task) == taken


def test_a_table_of_ones_own_fits_what_is_sized_to_it(tmp_path):
    table = tmp_path / "own.csv"
    table.write_text("a,b,c\n" + "".join(f"{k},{k % 7},{k % 5 / 3}\n" for k in range(40)))
    assert networks.fits("mlp", "mini", f"csv:{table}")
    assert not networks.fits("lenet5", "mini", f"csv:{table}")
