"""The verdict is rarely wrong where the true effect is known. `benchmarks/calibration.py` draws more."""

import numpy as np
import pytest

from workbench.claims import calibration
from workbench.claims.calibration import DISTRIBUTIONS, null_accuracy, null_claims, share_that_holds
from workbench.claims.results import Results

DRAWS = 1500


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_noise_has_mean_0_and_deviation_1(distribution):
    noise = DISTRIBUTIONS[distribution](np.random.default_rng(0), (20_000, 8))
    assert noise.mean() == pytest.approx(0, abs=0.01) and noise.std() == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
@pytest.mark.parametrize("mean", [0.0, 0.5])
def test_an_effect_below_the_minimum_rarely_holds(distribution, mean):
    share = share_that_holds(distribution, mean, noise=1.0, draws=DRAWS, rng=np.random.default_rng(1))
    assert share <= 0.03


@pytest.mark.parametrize("distribution", [name for name in DISTRIBUTIONS if name != "an eighth of the seeds fail"])
def test_an_effect_of_twice_the_minimum_mostly_holds(distribution):
    assert share_that_holds(distribution, 2.0, noise=0.75, draws=DRAWS, rng=np.random.default_rng(2)) >= 0.8


def test_at_the_bound_a_normal_difference_holds_in_a_fortieth():
    share = share_that_holds("normal", 1.0, noise=1.0, draws=6000, rng=np.random.default_rng(3))
    assert share == pytest.approx(0.025, abs=0.008)  # the interval leaves 2.5% on each side


def test_failures_that_no_seed_shows_are_not_seen():
    rng = np.random.default_rng(4)
    share = share_that_holds("an eighth of the seeds fail", 1.0, noise=5.0, draws=DRAWS, rng=rng)
    assert share == pytest.approx((7 / 8) ** 8, abs=0.05)


def test_there_are_40_null_claims():
    claims = null_claims()
    assert len({claim.id for claim in claims}) == len({claim.hash for claim in claims}) == 40


def test_a_null_claim_is_continued_where_it_stopped(monkeypatch):
    [claim] = null_claims()[:1]
    calls = []
    monkeypatch.setattr(calibration, "null_accuracy", lambda seed, **options: calls.append(seed) or float(seed))
    results = Results(claim)
    results.add({"arm": "plain", "phase": "main", "seed": 0, "values": {"value": 1.0}})
    [result] = calibration.verdicts([claim], 2)
    assert sorted(calls) == [0, 1, 1] and result.per_seed == (-1.0, 0.0)
    [again] = calibration.verdicts([claim], 2)
    assert again == result and len(calls) == 3


def test_renumbered_classes_are_learned_as_well():
    options = dict(optimizer="adam", lr=3e-3, batch_size=32, steps=60, evaluate_every=60, init="he")
    plain, renumbered = (null_accuracy(0, shift=0, is_renumbered=changed, **options) for changed in (False, True))
    assert plain > 70 and renumbered > 70 and plain != renumbered
