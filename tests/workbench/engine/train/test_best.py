"""Early stopping, against a brute force over lists of evaluations; and in a run."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine import RunSpec, checkpoints
from workbench.engine.best import Best
from workbench.engine.loop import Fit


def by_brute_force(values, patience):
    """When it ends (evaluations made), and which evaluation was the best."""
    for made in range(1, len(values) + 1):
        seen = values[:made]
        if made - 1 - seen.index(max(seen)) >= patience:
            return made, seen.index(max(seen))
    return len(values), values.index(max(values)) if values else None


@given(values=st.lists(st.integers(0, 4), min_size=1, max_size=15), patience=st.integers(1, 5))
def test_it_ends_at_the_bad_evaluation_that_patience_allows(values, patience):
    best, made = Best(), 0
    for made, value in enumerate(values, 1):
        best.beaten((value, 0.0), made - 1)
        if best.waited >= patience:
            break
    assert (made, best.step) == by_brute_force(values, patience)


@given(values=st.lists(st.tuples(st.integers(0, 2), st.integers(-2, 0)), min_size=1), cut=st.integers(0, 20))
def test_json_keeps_it(values, cut):
    whole, other = Best(), Best()
    for place, rank in enumerate(values):
        if place == cut:
            other = Best.from_json(other.to_json())
        assert whole.beaten(rank, place) == other.beaten(rank, place)
    assert whole.to_json() == other.to_json()


def made_up(fit, values, monkeypatch):
    """Let the validation part seem to have these accuracies, one after the other."""
    evaluate, left = fit.task.evaluate, iter(values)

    def instead(network, samples):
        metrics = evaluate(network, samples)
        if len(samples[0]) == len(fit.splits["validation"][0]) and samples[0] is not None:
            same = torch.equal(samples[0], fit.splits["validation"][0])
            metrics = metrics | ({"accuracy": next(left), "loss": 0.0} if same else {})
        return metrics

    monkeypatch.setattr(fit.task, "evaluate", instead)


@pytest.mark.parametrize("kept", [True, False])
def test_a_run_ends_early_with_its_best_weights(kept, tmp_path, monkeypatch):
    values = [0.1, 0.5, 0.3, 0.5, 0.4, 0.9]
    made, place = by_brute_force(values, 3)
    spec = RunSpec("mlp", epochs=6, patience=3, device="cpu")
    fit = Fit(spec, folder=tmp_path if kept else None)
    made_up(fit, values, monkeypatch)
    weights, tested = [], []
    for event in fit.run():
        if event["event"] == "eval" and event["split"] == "test":
            weights.append(checkpoints.snapshot(fit.network))
            tested.append(event["metrics"])
    assert (event["status"], event["steps"]) == ("done", 39 * made)
    assert event["early_stopping"] == {"restored_step": 39 * (place + 1)} and "3 evaluations" in event["reason"]
    assert event["metrics"] == tested[place]
    for name, weight in fit.network.state_dict().items():
        assert torch.equal(weight, weights[place][name])
    if kept:
        for name in ("best", "last"):
            kept_weights, _ = checkpoints.load(tmp_path / f"{name}.safetensors")
            assert all(torch.equal(kept_weights[key], weights[place][key]) for key in kept_weights)


def test_a_run_that_keeps_getting_better_goes_to_its_end(monkeypatch):
    fit = Fit(RunSpec("mlp", epochs=4, patience=1, device="cpu"))
    made_up(fit, [0.1, 0.2, 0.3, 0.4], monkeypatch)
    *_, end = fit.run()
    assert (end["status"], end["steps"], "early_stopping" in end) == ("done", 156, False)
