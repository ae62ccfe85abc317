"""Schedules compared with PyTorch's own and with their formulas; and that a run follows them."""

import math

import pytest
import torch
from torch.optim import lr_scheduler

from workbench.engine import RunSpec
from workbench.engine.training.schedules import lr_at
from workbench.engine.training.trainer import SeedRun, Trainer

TOTAL = 100


def sgd(lr=0.4):
    return torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=lr)


def pytorch_lrs(make, total=TOTAL):
    optimizer = sgd()
    schedule, lrs = make(optimizer), []
    for _ in range(total):
        lrs.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return lrs


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
        ({"schedule": "linear"}, lambda o: lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=TOTAL)),
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
        (
            {"schedule": "linear", "warmup": 30},
            lambda o: lr_scheduler.SequentialLR(
                o,
                [lr_scheduler.LinearLR(o, 1 / 30, total_iters=29), lr_scheduler.LinearLR(o, 1.0, 0.0, total_iters=70)],
                [30],
            ),
        ),
    ],
)
def test_learning_rates_are_those_of_pytorch(fields, make):
    spec = RunSpec.create("mlp", lr=0.4, **fields)
    assert [lr_at(spec, step, TOTAL) for step in range(TOTAL)] == pytest.approx(pytorch_lrs(make), rel=1e-6)


@pytest.mark.parametrize("total", [1, 2, 3, 4, 5, 10, 33, 100, 1001])
def test_one_cycle_is_that_of_pytorch(total):
    spec = RunSpec.create("mlp", lr=0.4, schedule="one-cycle")
    optimizer = sgd()
    schedule = lr_scheduler.OneCycleLR(optimizer, max_lr=0.4, total_steps=total, cycle_momentum=False)
    lrs = [optimizer.param_groups[0]["lr"]]
    for _ in range(total - 1):
        optimizer.step()
        schedule.step()
        lrs.append(optimizer.param_groups[0]["lr"])
    assert [lr_at(spec, step, total) for step in range(total)] == pytest.approx(lrs, rel=1e-6, abs=1e-12)


def test_a_cosine_is_half_way_down_in_the_middle_and_nearly_zero_at_the_end():
    spec = RunSpec.create("mlp", lr=0.4, schedule="cosine")
    assert (lr_at(spec, 0, TOTAL), lr_at(spec, 50, TOTAL)) == pytest.approx((0.4, 0.2))
    assert lr_at(spec, 99, TOTAL) == pytest.approx(0.2 * (1 - math.cos(math.pi / 100)))


@pytest.mark.parametrize("schedule", ["cosine", "linear", "one-cycle"])
def test_a_warmup_longer_than_the_run_never_reaches_the_learning_rate(schedule):
    spec = RunSpec.create("mlp", lr=0.4, schedule=schedule, warmup=200)
    assert [lr_at(spec, step, TOTAL) for step in (0, 99)] == pytest.approx([0.4 / 200, 0.2])


@pytest.mark.parametrize(
    "schedule", ["constant", "exponential", "cosine", "linear", "one-cycle", "warmup", "inverse-sqrt"]
)
def test_a_run_reports_the_learning_rate_and_uses_it(schedule):
    spec = RunSpec.create("mlp", steps=30, optimizer="sgd", lr=0.1, schedule=schedule, device="cpu")
    run = SeedRun(spec)
    bias = run.state.network.layers[0].bias
    before, steps = bias.detach().clone(), []
    for event in Trainer([run]).run():
        if event["event"] == "metric":
            after = bias.detach().clone()
            steps.append((event["metrics"]["lr"], float((before - after).norm() / bias.grad.norm())))
            before = after
    assert [reported for reported, _ in steps] == pytest.approx([lr_at(spec, step, 30) for step in range(30)])
    assert [used for _, used in steps] == pytest.approx([reported for reported, _ in steps], rel=1e-3, abs=1e-6)


VALUES = [0.3, 0.5, 0.4, 0.45, 0.2, 0.49, 0.1, 0.6, 0.55, 0.5, 0.5, 0.4, 0.3, 0.2, 0.61, 0.5]


@pytest.mark.parametrize("patience", [None, 1, 2])
@pytest.mark.parametrize(("monitor", "mode"), [("accuracy", "max"), ("loss", "min")])
@pytest.mark.parametrize("warmup", [0, 8])
def test_plateau_is_that_of_pytorch(patience, monitor, mode, warmup, monkeypatch):
    values = VALUES if mode == "max" else [1 - value for value in VALUES]
    options = {} if patience is None else {"plateau_patience": patience}
    spec = RunSpec.create(
        "mlp",
        steps=5 * len(values),
        evaluate_every=5,
        schedule="plateau",
        decay=0.5,
        monitor=monitor,
        lr=0.4,
        optimizer="sgd",
        warmup=warmup,
        device="cpu",
        **options,
    )
    run = SeedRun(spec)
    evaluate, rest = run.state.evaluate, iter(values)

    def replaced(split, limit=None):
        return evaluate(split, limit) | ({"loss": 0.0, monitor: next(rest)} if split == "validation" else {})

    monkeypatch.setattr(run.state, "evaluate", replaced)
    lrs = [event["metrics"]["lr"] for event in Trainer([run]).run() if event["event"] == "metric"]

    optimizer, expected = sgd(), []
    theirs = lr_scheduler.ReduceLROnPlateau(optimizer, mode, 0.5, patience=patience or 3, threshold=0.0)
    for value in values:
        expected += [optimizer.param_groups[0]["lr"]] * 5
        theirs.step(value)
    for step in range(warmup):
        expected[step] *= (step + 1) / warmup
    assert lrs == pytest.approx(expected)
    assert len(set(expected[warmup:])) > 1


@pytest.mark.parametrize(("features", "warmup"), [(512, 4000), (64, 1), (128, 37)])
def test_inverse_sqrt_is_the_schedule_of_the_transformer(features, warmup):
    peak = (features * warmup) ** -0.5
    spec = RunSpec.create("mlp", lr=peak, schedule="inverse-sqrt", warmup=warmup)
    # Vaswani et al. (2017), equation 3; their steps count from 1.
    paper = [features**-0.5 * min(step**-0.5, step * warmup**-1.5) for step in range(1, 20_000)]
    assert [lr_at(spec, step, TOTAL) for step in range(19_999)] == pytest.approx(paper, rel=1e-9)
    assert max(paper) == pytest.approx(peak)


def test_inverse_sqrt_warms_up_over_a_tenth_of_the_run_by_default():
    spec = RunSpec.create("mlp", lr=0.4, schedule="inverse-sqrt")
    assert [lr_at(spec, step, TOTAL) for step in (0, 9, 39)] == pytest.approx([0.04, 0.4, 0.2])
    spec = RunSpec.create("mlp", lr=0.4, schedule="inverse-sqrt", warmup=0)
    assert [lr_at(spec, step, TOTAL) for step in (0, 3)] == pytest.approx([0.4, 0.2])
