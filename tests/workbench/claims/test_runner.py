"""Running claims: what has a result isn't computed again, and whatever is killed, nothing that is finished is lost."""

import os
import signal

import pytest

from workbench import claims
from workbench.claims import catalog, deciders, verdict
from workbench.claims.arms import code_hash, run, trial
from workbench.claims.claim import TUNING_SEEDS, Empirical
from workbench.claims.deciders import Paired
from workbench.claims.evidence import equal, near, within
from workbench.claims.measures import Final, StepsTo
from workbench.claims.results import Results
from workbench.claims.runner import Runner, stored_verdict
from workbench.engine.events import RunState
from workbench.errors import DeclarationError, UserError

FAST = "minmax-bounds"


def test_a_claim_is_run_once_and_its_verdict_is_kept(tmp_path):
    progress = []
    claim = catalog.get(FAST)
    assert stored_verdict(claim) is None
    with Runner(1, progress.append) as runner:
        [first] = runner.run([claim])
        count = len(progress)
        [second] = runner.run([claim])
    assert first.verdict == "holds" and first == second == stored_verdict(claim)
    assert count > 0 and len(progress) == count  # nothing was computed again


def test_the_python_interface_returns_a_verdict():
    assert claims.run(FAST, seeds=2).verdict == "holds"


def test_a_job_whose_worker_is_killed_is_computed_by_another(monkeypatch):
    with Runner(1) as runner:
        [client] = runner._all
        os.kill(client.warm(), signal.SIGKILL)
        [result] = runner.run([catalog.get(FAST)])
    assert result.verdict == "holds"


def test_a_line_that_was_cut_off_is_computed_again():
    claim = catalog.get(FAST)
    with Runner(1) as runner:
        list(runner.run([claim]))
    results = Results(claim)
    content = results.path.read_bytes()
    results.path.write_bytes(content[:-20])
    assert stored_verdict(claim) is None
    with Runner(1) as runner:
        [result] = runner.run([claim])
    assert result.verdict == "holds" and stored_verdict(claim) == result


@pytest.mark.parametrize(
    "line", [b"[" * 10**5, b"null", b"3", b'{"arm": 3}', b'{"arm": [], "phase": {}, "seed": []}', b"\xff"]
)
def test_damaged_results_are_passed_over(line):
    claim = catalog.get(FAST)
    path = Results(claim).path
    path.parent.mkdir(parents=True)
    path.write_bytes(line + b"\n")
    assert stored_verdict(claim) is None


def test_a_full_disk_is_an_error_of_one_sentence(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("workbench.claims.results.os.fsync", full)
    with Runner(1) as runner, pytest.raises(UserError, match="Finished results are saved"):
        list(runner.run([catalog.get(FAST)]))


@pytest.mark.parametrize("seeds", [0, -1, 1001])
def test_a_number_of_seeds_that_means_nothing_is_an_error(seeds):
    with Runner(1) as runner, pytest.raises(UserError, match="2 seeds or more"):
        list(runner.run([catalog.get(FAST)], seeds))


# Verdicts, from results that are written here.


def noise(seed: int, *, shift: float) -> float:
    return shift


CLAIM = Empirical(
    id="test",
    statement="One is larger.",
    topic="neuron",
    arms=dict(first=trial(noise, shift=1.0), second=trial(noise, shift=0.0)),
    control=dict(shift=0.0),
    measure="value",
    decider=Paired(min_effect=0.5),
    expected="holds",
)


def decided(first, second, control_first, control_second, claim=CLAIM):
    results = Results(claim)
    columns = {("first", "main"): first, ("second", "main"): second}
    columns |= {("first", "control"): control_first, ("second", "control"): control_second}
    for (arm, phase), values in columns.items():
        for seed, value in enumerate(values):
            results.add(
                {"arm": arm, "phase": phase, "seed": seed, "values": {"value": value}, "steps": 2, "seconds": 0.5}
            )
    return verdict.decide(claim, results, range(len(first)))


def test_an_effect_holds_if_it_shrinks_under_the_control():
    result = decided([1.0, 1.1, 1.2], [0.0, 0.0, 0.1], [0.1, 0.0, 0.2], [0.0, 0.1, 0.1])
    assert (result.verdict, result.control["shrinks"], result.steps, result.seconds) == ("holds", True, 24, 6.0)
    assert result.per_seed == pytest.approx([1.0, 1.1, 1.1])


def test_an_effect_that_is_there_without_its_cause_is_inconclusive():
    result = decided([1.0, 1.1, 1.2], [0.0, 0.0, 0.1], [1.1, 1.2, 1.3], [0.0, 0.0, 0.1])
    assert result.verdict == "inconclusive" and "under the control" in result.reason


def test_a_run_that_diverged_is_not_dropped():
    result = decided([1.0, None, 1.2], [0.0, 0.0, 0.1], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0])
    assert result.verdict == "inconclusive" and "first diverged" in result.reason


def test_one_seed_has_no_interval():
    result = decided([1.0], [0.0], [0.0], [0.0])
    assert (result.verdict, result.interval) == ("inconclusive", None) and "2 or more" in result.reason


def test_options_are_tuned_with_seeds_that_are_not_reported_and_for_every_arm():
    claim = Empirical(
        **{**vars(CLAIM), "id": "tuned", "tune": dict(rate=(0.1, 0.2, 0.3)), "tuned_by": "value", "control": None}
    )
    from workbench.claims.runner import _Entry

    entry = _Entry(claim, Results(claim), None, again=False)
    jobs = entry.tuning_jobs()
    assert [(job.arm, job.options["rate"]) for job in jobs] == [
        (arm, rate) for arm in ("first", "second") for rate in (0.1, 0.2, 0.3)
    ]
    assert {seed for job in jobs for seed in job.seeds} == set(TUNING_SEEDS) and not set(TUNING_SEEDS) & set(
        entry.seeds
    )
    for job in jobs:
        best = 0.2 if job.arm == "first" else 0.3
        for seed in job.seeds:
            value = 1.0 if job.options["rate"] == best else None if job.options["rate"] == 0.1 else 0.5
            row = dict(arm=job.arm, phase="tune", seed=seed, options=dict(job.options), values=dict(value=value))
            entry.results.add(row)
    entry.choose()
    assert entry.results.tuned == {"first": {"rate": 0.2}, "second": {"rate": 0.3}}
    assert all(job.options == entry.results.tuned[job.arm] for job in entry.main_jobs())
    assert Results(claim).tuned == entry.results.tuned  # they are kept


def test_the_hash_changes_with_everything_that_the_verdict_depends_on():
    def other(seed: int, *, shift: float) -> float:
        return shift + 0.0

    changes = [
        dict(arms=dict(first=trial(noise, shift=2.0), second=trial(noise, shift=0.0))),
        dict(arms=dict(first=trial(other, shift=1.0), second=trial(noise, shift=0.0))),
        dict(control=None),
        dict(decider=Paired(min_effect=0.6)),
        dict(expected="does_not_hold"),
        dict(if_diverged=3.0),
    ]
    hashes = {Empirical(**{**vars(CLAIM), **change}).hash for change in changes}
    assert len(hashes) == len(changes) and CLAIM.hash not in hashes
    assert Empirical(**{**vars(CLAIM), "statement": "Other words."}).hash == CLAIM.hash


LEVEL = 3


def helper() -> int:
    return LEVEL


def uses_helper(seed: int) -> float:
    return helper() + seed


def test_the_hash_of_a_function_covers_what_it_uses(monkeypatch):
    before = code_hash(uses_helper)
    monkeypatch.setitem(globals(), "LEVEL", 4)
    assert code_hash(uses_helper) != before


def test_a_claim_that_mixes_trials_and_runs_is_rejected():
    arm = run("mlp", "digits", optimizer="sgd", lr=0.1, batch_size=32, steps=3)
    with pytest.raises(DeclarationError, match="a measure for training runs"):
        Empirical(**{**vars(CLAIM), "arms": dict(first=arm, second=arm)})
    with pytest.raises(DeclarationError, match="both tune and tuned_by"):
        Empirical(**{**vars(CLAIM), "tune": dict(lr=(1.0,))})


def test_evidence_says_how_far_apart_things_are():
    assert near("sum", [1.0, 2.0], [1.0, 2.1], 0.2).agrees and not near("sum", [1.0, 2.0], [1.0, 2.1], 0.01).agrees
    assert not near("shape", [1.0], [1.0, 1.0], 9.0).agrees
    assert equal("count", 3, 3).agrees and not equal("count", 3, 4).agrees
    assert within("range", [0.0, 1.0], 0, 1).agrees and not within("range", [float("nan")], 0, 1).agrees


def test_measures_are_read_off_a_run():
    state = RunState()
    for step, loss in ((1, 2.0), (2, 0.9), (3, 0.4)):
        state.apply(dict(event="metric", step=step, epoch=0.1, seconds=0.0, split="train", metrics={"loss": loss}))
    state.apply(dict(event="eval", step=3, epoch=0.1, seconds=0.0, split="test", metrics={"accuracy": 0.25}))
    assert Final("test", "accuracy", scale=100).of(state, None) == 25.0
    assert Final("train", "loss").of(state, None) == 0.4 and Final("test", "f1").of(state, None) is None
    assert StepsTo(0.9, most=100).of(state, None) == 2.0 and StepsTo(0.1, most=100).of(state, None) == 100.0
    assert StepsTo(0.1, most=100, is_log=True).of(state, None) == 2.0


@pytest.mark.full
def test_a_training_claim_is_run_by_two_workers_as_by_one(monkeypatch, tmp_path):
    claim = catalog.get("dropout-wrong-labels")
    one, two = [], []
    for workers, arms in ((1, one), (2, two)):
        monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / str(workers)))
        with Runner(workers) as runner:
            [result] = runner.run([claim], seeds=2)
        arms.append(result.arms)
        decision = deciders.Paired(min_effect=2.0).decide(result.arms)
        assert result.effect == pytest.approx(decision.effect) and result.interval == pytest.approx(decision.interval)
    assert one[0]["dropout"] == two[0]["dropout"]  # a loop over seeds, as units are dropped at random
    assert one[0]["plain"] == pytest.approx(two[0]["plain"], abs=1.0)  # by the backend that wins a race
