"""Early stopping, compared with brute force over lists of evaluations; and in a run."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine import RunSpec, checkpoints
from workbench.engine.training.best import Best, score
from workbench.engine.training.trainer import SeedRun, Trainer


def brute_force(values, patience):
    """Return how many evaluations are made, and the index of the best one."""
    for count in range(1, len(values) + 1):
        so_far = values[:count]
        if count - 1 - so_far.index(max(so_far)) >= patience:
            return count, so_far.index(max(so_far))
    return len(values), values.index(max(values)) if values else None


@given(values=st.lists(st.integers(0, 4), min_size=1, max_size=15), patience=st.integers(1, 5))
def test_it_ends_at_the_evaluation_that_patience_allows(values, patience):
    best, count = Best(), 0
    for count, value in enumerate(values, 1):
        best.update_if_better((value, 0.0), count - 1)
        if best.evaluations_since >= patience:
            break
    assert (count, best.step) == brute_force(values, patience)


@given(values=st.lists(st.tuples(st.integers(0, 2), st.integers(-2, 0)), min_size=1), cut=st.integers(0, 20))
def test_json_preserves_it(values, cut):
    whole, other = Best(), Best()
    for step, value in enumerate(values):
        if step == cut:
            other = Best.from_json(other.to_json())
        assert whole.update_if_better(value, step) == other.update_if_better(value, step)
    assert whole.to_json() == other.to_json()


def test_a_score_is_larger_for_a_better_metric_and_then_for_a_smaller_loss():
    evaluations = [{"accuracy": 0.5, "loss": 1.0}, {"accuracy": 0.5, "loss": 0.9}, {"accuracy": 0.6, "loss": 2.0}]
    scores = [score(metrics, "accuracy", maximize=True) for metrics in evaluations]
    assert scores == sorted(scores) and len(set(scores)) == 3
    scores = [score(metrics, "loss", maximize=False) for metrics in evaluations]
    assert max(scores) == scores[1] and min(scores) == scores[2]
    worst = score({"loss": 0.1}, "accuracy", maximize=True)  # not measurable on this split
    assert worst < score({"accuracy": -1e300, "loss": 9.0}, "accuracy", maximize=True)
    assert score({"accuracy": float("nan"), "loss": 0.1}, "accuracy", maximize=False) == worst


def replace_validation(run, name, values, monkeypatch):
    """Let evaluations on the validation set return these values of a metric, one after the other."""
    evaluate, rest = run.state.evaluate, iter(values)

    def replaced(split, limit=None):
        metrics = evaluate(split, limit)
        return metrics | {"loss": 0.0, name: next(rest)} if split == "validation" else metrics

    monkeypatch.setattr(run.state, "evaluate", replaced)


@pytest.mark.parametrize("is_saved", [True, False])
@pytest.mark.parametrize("monitor", ["accuracy", "loss"])
def test_a_run_ends_early_with_its_best_weights(is_saved, monitor, tmp_path, monkeypatch):
    values = [0.1, 0.5, 0.3, 0.5, 0.4, 0.9]
    count, best = brute_force(values, 3)
    run = SeedRun(
        RunSpec.create("mlp", epochs=6, patience=3, monitor=monitor, device="cpu"),
        folder=tmp_path if is_saved else None,
    )
    replace_validation(run, monitor, values if monitor == "accuracy" else [-value for value in values], monkeypatch)
    weights, tested = [], []
    for event in Trainer([run]).run():
        if event["event"] == "eval" and event["split"] == "validation":
            weights.append(checkpoints.snapshot(run.state.network))
            tested.append(run.state.evaluate("test"))
    assert (event["status"], event["steps"]) == ("done", 39 * count)
    assert event["early_stopping"] == {"restored_step": 39 * (best + 1)} and "3 evaluations" in event["reason"]
    assert event["metrics"] == tested[best] and event["validation"][monitor] in (values[best], -values[best])
    for name, weight in run.state.network.state_dict().items():
        assert torch.equal(weight, weights[best][name])
    if is_saved:
        for name in ("best", "last"):
            saved, _ = checkpoints.load(tmp_path / f"{name}.safetensors")
            assert all(torch.equal(saved[key], weights[best][key]) for key in saved)


def test_a_run_that_improves_at_every_evaluation_goes_to_its_end(monkeypatch):
    run = SeedRun(RunSpec.create("mlp", epochs=4, patience=1, device="cpu"))
    replace_validation(run, "accuracy", [0.1, 0.2, 0.3, 0.4], monkeypatch)
    *_, end = Trainer([run]).run()
    assert (end["status"], end["steps"], "early_stopping" in end) == ("done", 156, False)


def test_patience_counts_evaluations_whatever_their_interval(monkeypatch):
    run = SeedRun(RunSpec.create("mlp", epochs=4, patience=2, evaluate_every=10, device="cpu"))
    replace_validation(run, "accuracy", [0.1, 0.5, 0.4, 0.4], monkeypatch)
    *_, end = Trainer([run]).run()
    assert (end["steps"], end["early_stopping"]) == (40, {"restored_step": 20})
