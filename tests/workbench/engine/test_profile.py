"""Profiles of a training step: every layer is there, memory is counted by hand, and the parts sum to the whole."""

import json

import pytest
import torch
from torch import nn

import models
from tests.trained_runs import train_run
from tests.workbench.render.cells import text_of
from workbench.engine import RunSpec, layer_profiler, profile, runs, worker
from workbench.engine.layer_profiler import profile_step
from workbench.engine.training.state import SeedState
from workbench.errors import UserError
from workbench.render.profile import draw_profile, format_bytes, format_seconds


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    monkeypatch.setattr(layer_profiler, "MAX_STEPS", 3)


def compute(run):
    result = worker.answer(json.dumps(dict(job="profile", folder=str(run.folder))))
    return json.loads(json.dumps(result["values"], allow_nan=False))  # it goes through a pipe


def check_sums(result):
    parts = [row["forward"] + row["backward"] for row in (*result["layers"], result["loss"])]
    assert result["forward"] + result["backward"] == pytest.approx(sum(parts))
    assert result["total"] == pytest.approx(sum(parts) + result["optimizer"] + result["other"])
    assert all(part >= 0 for part in parts) and result["other"] >= 0 and result["optimizer"] > 0
    assert sum(operator["time"] for operator in result["operators"]) <= result["total"]


def test_a_profile_of_an_mlp_counts_memory_as_by_hand():
    run = runs.create(RunSpec.create("mlp", batch_size=16, device="cpu"))
    result = compute(run)
    check_sums(result)
    assert (result["run"], result["device"], result["batch_size"], result["kind"]) == (run.id, "cpu", 16, "profile")
    rows = {row["layer"]: row for row in result["layers"]}
    assert list(rows) == ["layers.0", "norms.0", "activations.0", "dropout", "layers.1"]
    assert [rows[name]["output_bytes"] for name in ("layers.0", "layers.1")] == [16 * 32 * 4, 16 * 10 * 4]
    assert rows["layers.0"]["output_shape"] == [16, 32] and rows["layers.1"]["output_shape"] == [16, 10]
    # For the backward pass, the first layer saves its input, and the ReLU its output, which is the input of the second.
    saved = {name: row["saved_bytes"] for name, row in rows.items()}
    assert saved == {"layers.0": 16 * 64 * 4, "norms.0": 0, "activations.0": 16 * 32 * 4, "dropout": 0, "layers.1": 0}
    params = 64 * 32 + 32 + 32 * 10 + 10
    assert sum(row["params"] for row in result["layers"]) == params
    memory = result["memory"]
    assert (memory["weights"], memory["gradients"]) == (4 * params, 4 * params)
    assert memory["optimizer"] == 2 * 4 * params + 4 * 4  # Adam's two averages, and a step count for each parameter
    assert memory["activations"] == sum(saved.values()) + result["loss"]["saved_bytes"]
    assert rows["layers.0"]["forward"] > 0 < rows["layers.1"]["backward"] and rows["norms.0"]["forward"] == 0
    calls = {operator["name"]: operator["calls"] for operator in result["operators"]}
    assert calls["aten::addmm"] == 2 and calls["aten::mm"] == 3  # gradients of two weights, and of one input


@pytest.mark.parametrize(
    ("model", "options"),
    [
        ("resnet18", {}),
        pytest.param("googlenet", {}, marks=pytest.mark.full),  # with auxiliary heads
        pytest.param("lstm", {}, marks=pytest.mark.full),
        pytest.param("yolo-v1", {}, marks=pytest.mark.full),
        ("mlp", {"optimizer": "sgd", "clip_norm": 1.0, "l2": 0.1, "accumulate": 2, "ema": 0.9}),
    ],
)
def test_all_layers_are_there(model, options):
    result = compute(runs.create(RunSpec.create(model, batch_size=4, device="cpu", **options)))
    check_sums(result)
    network = models.build(model, "mini")
    rows = {row["layer"]: row for row in result["layers"]}
    leaves = [name for name, module in network.named_modules() if not list(module.children())]
    assert set(leaves) <= set(rows)
    assert sum(row["params"] for row in result["layers"]) == sum(weight.numel() for weight in network.parameters())
    convolutions = [name for name, module in network.named_modules() if isinstance(module, (nn.Conv2d, nn.Linear))]
    for name in convolutions:
        assert rows[name]["forward"] > 0 and rows[name]["backward"] > 0, name


def test_a_frozen_backbone_has_no_backward_pass():
    origin = train_run("lenet5-modern", steps=1)
    run = runs.create(RunSpec.create("lenet5-modern", origin=origin.id, freeze="backbone", device="cpu"))
    result = profile.compute(run)
    assert result["memory"]["gradients"] == 4 * (84 * 10 + 10) < result["memory"]["weights"]
    assert [row["layer"] for row in result["layers"]] == ["output"]  # the features are computed once, before training


def test_profiling_restores_the_task_and_updates_the_weights():
    state = SeedState(RunSpec.create("mlp", device="cpu"))
    task, before = state.task, [weight.clone() for weight in state.network.parameters()]
    result = profile_step(state)
    assert state.task is task and state.context.step > result["steps"]
    assert any(not torch.equal(old, new) for old, new in zip(before, state.network.parameters(), strict=True))
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in state.network.modules())


def test_a_spec_that_cannot_be_trained_here_is_an_error():
    run = runs.create(RunSpec.create("mlp", batch_size=5000))
    with pytest.raises(UserError, match="larger than"):
        profile.compute(run)
    spec = RunSpec.create("mlp", device="cuda:99")
    with pytest.raises(UserError):
        profile.compute(runs.create(spec))


LAYER = dict(type="Conv2d", output_shape=[32, 8, 16, 16], output_bytes=262144, saved_bytes=2048, params=72)
RESULT = dict(
    run="lenet5-0001",
    model="lenet5",
    preset="mini",
    task="digits",
    kind="profile",
    device="cpu",
    batch_size=32,
    steps=7,
    seconds=0.0105,
    layers=[
        LAYER | dict(layer="c1", forward=0.002, backward=0.004),
        LAYER | dict(layer="backbone.layer4.0.downsample.convolution", forward=0.001, backward=0.0),
    ],
    loss=dict(saved_bytes=0, forward=0.0005, backward=0.0005),
    optimizer=0.001,
    other=0.001,
    forward=0.0035,
    backward=0.0045,
    total=0.01,
    operators=[dict(name="aten::convolution", time=0.003, calls=2.0)],
    memory=dict(weights=4096, gradients=4096, optimizer=8192, activations=3 * 2**20),
)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_a_drawing_fits_its_width(width):
    rows = text_of(draw_profile(RESULT, width))
    assert max(map(len, rows)) <= width


def test_a_drawing_has_a_row_per_layer_in_order_with_bars():
    rows = text_of(draw_profile(RESULT, 80))
    text = " ".join(rows)
    assert "lenet5 (mini) on digits, batch of 32, on cpu: 10.5 ms. The mean of 7 steps" in text
    names = [row.split()[0] for row in rows if "%" in row and not row.startswith(("Time", "aten"))][:5]
    assert names[0] == "c1" and names[1].endswith("convolution") and names[2:] == ["(loss)", "(optimizer)", "(other)"]
    first = next(row for row in rows if row.startswith("c1"))
    assert "2 ms" in first and "4 ms" in first and "60%" in first and "2.0 KiB" in first
    assert round((first.count("█") + first.count("▒")) / 3) == first.count("█")  # the backward pass takes twice as long
    assert "weights 4.0 KiB, gradients 4.0 KiB, optimizer 8.0 KiB, activations 3.0 MiB" in text


def test_seconds_and_bytes_are_written_in_the_unit_that_fits():
    assert [format_seconds(seconds) for seconds in (0.0, 45e-6, 0.0123, 1.25, 250.4)] == [
        *("0", "45 µs", "12.3 ms", "1.25 s", "250 s"),
    ]
    assert [format_bytes(size) for size in (0, 512, 9640, 8632260, 3 * 2**30)] == [
        *("0 B", "512 B", "9.4 KiB", "8.2 MiB", "3.0 GiB"),
    ]
