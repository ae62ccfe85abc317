"""The loop against one written by hand, and what it says of itself."""

import math

import pytest
import torch
import torch.nn.functional as F

import models
from workbench import tasks
from workbench.engine import RunSpec, checkpoints
from workbench.engine.loop import Fit
from workbench.errors import UserError


def timeless(events):
    clocks = ("seconds", "steps_per_second", "time")
    return [{key: value for key, value in event.items() if key not in clocks} for event in events]


@pytest.mark.parametrize(("optimizer", "lr"), [("sgd", 0.1), ("adam", 3e-3)])
def test_the_steps_are_those_of_a_loop_by_hand(optimizer, lr):
    fit = Fit(RunSpec("mlp", steps=60, optimizer=optimizer, lr=lr, seed=4))
    losses = [event["metrics"]["loss"] for event in fit.run() if event["event"] == "metric"]

    torch.manual_seed(4)
    network = models.build("mlp", "mini")
    x, y = tasks.get("digits").splits((64,), seed=4)["train"]
    order_of, orders = torch.Generator().manual_seed(4), []
    moments = {
        name: (torch.zeros_like(weight), torch.zeros_like(weight)) for name, weight in network.named_parameters()
    }
    expected = []
    for step in range(60):
        if step % 39 == 0:  # 1,257 samples are 39 whole batches of 32
            orders = torch.randperm(1257, generator=order_of)[: 39 * 32].split(32)
        rows = orders[step % 39]
        loss = F.cross_entropy(network(x[rows]), y[rows])
        expected.append(loss.item())
        weights = dict(network.named_parameters())
        for (name, weight), slope in zip(
            weights.items(), torch.autograd.grad(loss, list(weights.values())), strict=True
        ):
            if optimizer == "adam":  # Kingma and Ba, algorithm 1
                first, second = moments[name]
                first.mul_(0.9).add_(0.1 * slope)
                second.mul_(0.999).add_(0.001 * slope**2)
                slope = first / (1 - 0.9 ** (step + 1)) / ((second / (1 - 0.999 ** (step + 1))).sqrt() + 1e-8)
            with torch.no_grad():
                weight -= lr * slope
    assert losses == pytest.approx(expected, rel=1e-3)
    for name, weight in network.named_parameters():
        torch.testing.assert_close(fit.network.get_parameter(name), weight, atol=1e-3, rtol=1e-3)


def test_the_same_spec_gives_the_same_numbers_and_another_seed_others():
    def run(seed):
        return timeless(Fit(RunSpec("lenet5-modern", steps=50, seed=seed)).run())

    first = run(0)
    assert first == run(0)
    assert first[1:] != run(1)[1:]


def test_events_tell_the_run_from_start_to_end():
    events = list(Fit(RunSpec("mlp", epochs=2)).run())
    start, end = events[0], events[-1]
    assert (start["event"], start["steps"], start["epoch"], start["params"]) == ("start", 78, 0, 2410)
    assert start["floor"]["metric"] == "accuracy" and 0.9 < start["floor"]["value"] < 1
    assert [(e["step"], e["epoch"], e["split"]) for e in events if e["event"] == "eval"] == [
        (step, epoch, split) for step, epoch in ((39, 1), (78, 2)) for split in ("train", "validation", "test")
    ]
    assert (end["event"], end["status"], end["steps"]) == ("end", "done", 78)
    assert end["metrics"] == [e["metrics"] for e in events if e["event"] == "eval" and e["split"] == "test"][-1]
    assert end["steps_per_second"] == pytest.approx(end["steps"] / end["seconds"])


def test_a_long_run_reports_about_two_hundred_times():
    fit = Fit(RunSpec("mlp", steps=2500))
    reports = [event["step"] for event in fit.run() if event["event"] == "metric"]
    assert reports == sorted(reports) and reports[-1] == 2500
    assert 180 <= len(reports) <= 300


def test_a_loss_that_is_no_number_ends_the_run_and_says_where():
    *_, end = Fit(RunSpec("mlp", optimizer="sgd", lr=1e30)).run()
    assert end["status"] == "diverged" and end["step"] < 10
    assert "at step 2:" in end["reason"] and "smaller learning rate" in end["reason"]


def test_the_first_step_without_a_finite_loss_is_named(monkeypatch):
    fit = Fit(RunSpec("mlp", steps=1000))  # a report every five steps
    loss, calls = fit.task.loss, []

    def failing(outputs, batch):
        calls.append(batch)
        return loss(outputs, batch) * (math.nan if len(calls) >= 13 else 1)

    monkeypatch.setattr(fit.task, "loss", failing)
    *_, end = fit.run()
    assert (end["status"], end["step"]) == ("diverged", 15) and "at step 13" in end["reason"]


def test_divergence_leaves_the_best_checkpoint(tmp_path, monkeypatch):
    fit = Fit(RunSpec("mlp", epochs=3), folder=tmp_path)
    loss = fit.task.loss
    monkeypatch.setattr(fit.task, "loss", lambda *said: loss(*said) * (math.nan if fit.step >= 50 else 1))
    *_, end = fit.run()
    assert (end["status"], end["step"]) == ("diverged", 51)
    assert checkpoints.load(tmp_path / "best.safetensors")[1]["epoch"] == 1


def test_who_asks_to_stop_gets_a_checkpoint(tmp_path):
    fit = Fit(RunSpec("mlp", epochs=100), stopped=lambda: fit.step == 50, folder=tmp_path)
    *_, saved, end = fit.run()
    assert (end["status"], end["step"], saved["event"]) == ("stopped", 50, "checkpoint")
    _, about = checkpoints.load(tmp_path / "last.safetensors")
    assert about["step"] == 50


def test_the_checkpoints_are_the_last_weights_and_the_best_on_validation(tmp_path):
    fit = Fit(RunSpec("mlp", epochs=8, lr=0.05), folder=tmp_path)
    events = list(fit.run())
    last, _ = checkpoints.load(tmp_path / "last.safetensors")
    assert all(torch.equal(last[name], weight) for name, weight in fit.network.state_dict().items())

    best, about = checkpoints.load(tmp_path / "best.safetensors")
    seen = [event["metrics"] for event in events if event["event"] == "eval" and event["split"] == "validation"]
    assert about["metrics"]["accuracy"] == max(metrics["accuracy"] for metrics in seen)
    fit.network.load_state_dict(best)
    assert fit.task.evaluate(fit.network, fit.splits["validation"]) == pytest.approx(about["metrics"])


@pytest.mark.parametrize(
    ("options", "said"),
    [({"batch_size": 1258}, "1257 training samples"), ({"device": "cuda:99"}, "--device auto")],
)
def test_what_only_shows_with_data_and_torch_at_hand_is_refused(options, said):
    with pytest.raises(UserError, match=said):
        Fit(RunSpec("mlp", **options))


def test_a_batch_may_be_all_of_the_data():
    *_, end = Fit(RunSpec("mlp", epochs=2, batch_size=1257)).run()
    assert (end["status"], end["steps"]) == ("done", 2)
