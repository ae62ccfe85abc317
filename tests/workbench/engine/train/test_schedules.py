"""Schedules against PyTorch's own and against their formulas; and that a run goes by them."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from workbench.engine import RunSpec
from workbench.engine.loop import Fit
from workbench.engine.schedules import rate

TOTAL = 100


def by_torch(make):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.4)
    schedule, rates = make(optimizer), []
    for _ in range(TOTAL):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize(
    ("fields", "make"),
    [
        ({"schedule": "step", "decay": 0.5, "decay_every": 20}, lambda o: lr_scheduler.StepLR(o, 20, 0.5)),
        ({"schedule": "step"}, lambda o: lr_scheduler.StepLR(o, 34, 0.1)),
        (
            {"schedule": "exponential", "decay": 0.5, "decay_every": 20},
            lambda o: lr_scheduler.ExponentialLR(o, 0.5 ** (1 / 20)),
        ),
        ({"schedule": "cosine"}, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL)),
        ({"schedule": "warmup"}, lambda o: lr_scheduler.LinearLR(o, 1 / 10, total_iters=9)),
        ({"schedule": "constant"}, lambda o: lr_scheduler.ConstantLR(o, 1.0)),
        (
            {"schedule": "cosine", "warmup": 20},
            lambda o: lr_scheduler.SequentialLR(
                o,
                [lr_scheduler.LinearLR(o, 1 / 20, total_iters=19), lr_scheduler.CosineAnnealingLR(o, TOTAL - 20)],
                [20],
            ),
        ),
    ],
)
def test_rates_are_those_of_pytorch(fields, make):
    spec = RunSpec("mlp", lr=0.4, **fields)
    assert [rate(spec, step, TOTAL) for step in range(TOTAL)] == pytest.approx(by_torch(make), rel=1e-6)


def test_a_cosine_is_half_way_down_in_the_middle_and_nearly_zero_at_the_end():
    spec = RunSpec("mlp", lr=0.4, schedule="cosine")
    assert (rate(spec, 0, TOTAL), rate(spec, 50, TOTAL)) == pytest.approx((0.4, 0.2))
    assert rate(spec, 99, TOTAL) == pytest.approx(0.2 * (1 - math.cos(math.pi / 100)))


def test_a_warmup_longer_than_the_run_never_reaches_the_rate():
    spec = RunSpec("mlp", lr=0.4, schedule="cosine", warmup=200)
    assert [rate(spec, step, TOTAL) for step in (0, 99)] == pytest.approx([0.4 / 200, 0.2])


@pytest.mark.parametrize("schedule", ["constant", "exponential", "cosine", "warmup"])
def test_a_run_reports_the_rate_and_moves_by_it(schedule):
    spec = RunSpec("mlp", steps=30, optimizer="sgd", lr=0.1, schedule=schedule, device="cpu")
    fit = Fit(spec)
    before, moved = fit.network.layers[0].bias.detach().clone(), []
    for event in fit.run():
        if event["event"] == "metric":
            after, slope = fit.network.layers[0].bias.detach().clone(), fit.network.layers[0].bias.grad
            moved.append((event["metrics"]["lr"], float((before - after).norm() / slope.norm())))
            before = after
    assert [said for said, _ in moved] == pytest.approx([rate(spec, step, 30) for step in range(30)])
    assert [done for _, done in moved] == pytest.approx([said for said, _ in moved], rel=1e-3)
