"""The learning rate range test: suggestions for known curves, and that training is not affected by it."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workbench.render.cells import text_of
from workbench.engine import RunSpec, Verifier, lr_finder, worker
from workbench.engine.lr_finder import compute, find_lr, neighbors, smooth_losses, suggest
from workbench.engine.training.trainer import train
from workbench.errors import UserError
from workbench.render.lr_chart import format_suggestion, lr_chart


def lrs(count: int) -> np.ndarray:
    return np.geomspace(1e-6, 10, count)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=40), st.integers(1, 8))
def test_smoothing_is_a_centered_mean(losses, half):
    smoothed = smooth_losses(losses, half)
    assert len(smoothed) == len(losses)
    kernel = np.ones(2 * half + 1) / (2 * half + 1)
    expected = np.convolve(losses, kernel, mode="valid") if len(losses) >= len(kernel) else []
    assert smoothed[half : half + len(expected)] == pytest.approx(list(expected))
    assert smoothed[0] == losses[0] and smoothed[-1] == losses[-1]


@pytest.mark.parametrize("steepest", [1e-4, 2e-3, 0.05])
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_the_suggestion_is_where_a_known_curve_falls_fastest(steepest, noise):
    """The loss falls along a logistic curve over log(lr), and rises at ten times its middle as (lr / 10 steepest)^2."""
    count = 140
    x = lrs(count)
    curve = 2.3 - 2 / (1 + (steepest / x) ** 2) + (x / (30 * steepest)) ** 2
    suggestions = []
    for seed in range(20):
        losses = curve + noise * np.random.default_rng(seed).normal(size=count)
        suggestions.append(suggest(list(x), list(losses), neighbors(count)))
    ratios = [math.log10(one.steepest / steepest) for one in suggestions]
    assert max(map(abs, ratios)) < (0.06 if noise == 0 else 0.3) and abs(np.mean(ratios)) < 0.1
    lowest = x[curve.argmin()]
    assert np.mean([math.log10(10 * one.tenth / lowest) for one in suggestions]) == pytest.approx(0, abs=0.2)


def test_the_slope_is_that_of_the_least_squares_line():
    x, losses = lrs(60), list(np.random.default_rng(1).normal(size=60).cumsum())
    half = 4
    lowest = int(np.argmin(smooth_losses(losses, half)))
    slopes = {
        k: np.polyfit(np.log10(x[k - half : k + half + 1]), losses[k - half : k + half + 1], 1)[0]
        for k in range(half, min(lowest + 1, 60 - half))
    }
    expected = min(slopes, key=slopes.get)
    assert suggest(list(x), losses, half).steepest == float(f"{x[expected]:.2g}")


@pytest.mark.parametrize(
    "losses",
    [
        [1.0] * 40,
        list(np.linspace(1, 2, 40)),
        [math.nan] * 40,
        [],
        [2.0, 1.0],
    ],
)
def test_without_a_fall_there_is_no_suggestion(losses):
    assert suggest(list(lrs(40))[: len(losses)], losses, 3) == lr_finder.Suggestion(None, None)


@pytest.mark.parametrize(
    ("options", "low", "high"),
    [
        ({}, 1e-3, 0.05),  # Adam's default here is 0.003
        pytest.param({"optimizer": "sgd"}, 0.02, 1, marks=pytest.mark.full),
        pytest.param({"task": "iris", "batch_size": 16}, 1e-3, 0.05, marks=pytest.mark.full),
    ],
)
def test_an_mlp_learns_at_the_suggestion_and_diverges_far_above(options, low, high):
    for seed in range(3):
        result = compute(RunSpec.create("mlp", seed=seed, device="cpu", **options), 140)
        assert low < result["steepest"] < high and 0 < result["tenth"] < 1
        assert len(result["lrs"]) == len(result["losses"]) == len(result["smoothed"])
        assert result["lrs"] == pytest.approx(lrs(140)[: len(result["lrs"])])
        *_, end = train([RunSpec.create("mlp", epochs=10, lr=result["steepest"], seed=seed, device="cpu", **options)])
        assert end["status"] == "done" and end["metrics"]["accuracy"] > 0.85
    assert compute(RunSpec.create("mlp", device="cpu"), 140)["diverged"]


def test_a_loss_that_is_not_finite_ends_the_test():
    spec = RunSpec.create("linear-regression", task="diabetes", optimizer="sgd", device="cpu")
    result = compute(spec, 2000)
    assert result["diverged"] and len(result["lrs"]) < 2000
    json.dumps(result, allow_nan=False)


def test_the_first_loss_is_that_after_the_first_update():
    spec = RunSpec.create("mlp", device="cpu")
    first, second = (
        event["metrics"]["loss"]
        for event in list(train([RunSpec.create("mlp", steps=2, lr=1e-6, device="cpu")]))[1:3]
        if event["event"] == "metric"
    )
    assert first != second
    assert compute(spec, 20)["losses"][0] == pytest.approx(second, rel=1e-4)


def without_clock(events):
    clock = ("seconds", "steps_per_second", "time")
    return [{name: value for name, value in event.items() if name not in clock} for event in events]


def test_a_network_that_is_trained_afterwards_is_unaffected():
    spec = RunSpec.create("mlp", steps=30, dropout=0.2, device="cpu")
    before = without_clock(train([spec]))
    progress: list[float] = []
    first = compute(spec, 40, progress.append)
    assert without_clock(train([spec])) == before
    assert compute(spec, 40) == first and progress == sorted(progress) and progress[-1] <= 1


def test_the_worker_finds_it_and_reports_progress():
    progress: list[float] = []
    with Verifier() as verifier:
        result = find_lr(verifier, RunSpec.create("mlp", device="cpu"), 40, progress.append)
        with pytest.raises(UserError, match="larger than"):
            find_lr(verifier, RunSpec.create("mlp", batch_size=5000), 40)
    assert result["steepest"] == compute(RunSpec.create("mlp", device="cpu"), 40)["steepest"] and progress[-1] > 0.5
    job = dict(job="find_lr", spec=RunSpec.create("mlp").to_json(), updates=3)
    assert "updates must be" in worker.answer(json.dumps(job))["refused"]


LOSSES = [2.0] * 15 + list(np.linspace(1.9, 1, 15)) + [1.0] * 9
RESULT = dict(model="mlp", preset="mini", task="digits", optimizer="adam", lrs=list(lrs(40)), diverged=True)
RESULT |= dict(losses=[*LOSSES, None], smoothed=[*LOSSES, 1.0], steepest=3.4e-3, tenth=0.01)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_chart_has_a_log_axis_with_the_suggestion(width):
    rows = text_of(lr_chart(RESULT).rows(width))
    assert max(map(len, rows)) <= width
    axis = next(row for row in rows if "1e-6" in row)
    assert "0.01" in axis and any("┊" in row for row in rows)
    if width == 200:
        powers = [axis.index(text) + len(text) / 2 for text in (" 1e-5", " 0.0001", " 0.001", " 0.01", " 0.1")]
        assert np.ptp(np.diff(powers)) <= 2  # the same distance from power to power, but for rounding
    assert format_suggestion(RESULT).startswith("Suggestion: lr 0.0034, where") and "diverges" in format_suggestion(
        RESULT
    )
    assert "doesn't fall at any learning rate from 1e-6 to 10" in format_suggestion(RESULT | {"steepest": None})


def test_the_command_prints_the_chart_and_the_suggestion(cli):
    code, out, err = cli("find-lr", "mlp", "--updates", 40, "--device", "cpu")
    assert (code, err) == (0, "") and "Suggestion: lr " in out and "smoothed" in out and "1e-6" in out
    code, out, _ = cli("find-lr", "mlp", "--updates", 40, "--device", "cpu", "--json")
    result = json.loads(out)
    assert (code, result["schema"], result["model"]) == (0, 2, "mlp") and len(result["lrs"]) > 20
    for words, message in [
        (["mlpx"], "Did you mean 'mlp'"),
        (["mlp", "--updates", "3"], "from 20 to 10000"),
        (["mlp", "--optimizer", "adamm"], "Did you mean"),
        (["mlp", "--batch-size", "5000"], "larger than"),
    ]:
        code, out, err = cli("find-lr", *words)
        assert (code, out, err.count("\n")) == (2, "", 1) and message in err
