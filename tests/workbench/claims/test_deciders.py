"""Deciders: where an interval lies decides, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.claims import statistics
from workbench.claims.deciders import Interaction, NonInferior, Paired, Slope, SolveRate

arm = st.lists(st.floats(-50, 50), min_size=4, max_size=4)


@given(arm, arm, st.floats(0.01, 20))
def test_a_paired_effect_holds_if_all_of_its_interval_is_at_least_the_minimum(first, second, minimum):
    decision = Paired(min_effect=minimum).decide({"a": first, "b": second})
    differences = np.subtract(first, second)
    low, high = statistics.t_interval(list(differences))
    assert decision.effect == pytest.approx(differences.mean()) and decision.interval == pytest.approx((low, high))
    if not differences.any():
        assert decision.outcome == "identical"
    else:
        assert (decision.outcome == "holds") == (low >= minimum)
        assert (decision.outcome == "does_not_hold") == (high < minimum)


def test_what_is_not_worse_by_more_than_a_margin_is_not_inferior():
    good, bad = [90.0, 91.0, 90.5, 90.2], [80.0, 81.0, 80.5, 80.2]
    assert NonInferior(margin=1.0).decide({"new": good, "old": good}).outcome == "holds"
    assert NonInferior(margin=1.0).decide({"new": bad, "old": good}).outcome == "does_not_hold"
    assert NonInferior(margin=1.0).decide({"new": [85.0, 95.0, 88.0, 94.0], "old": good}).outcome == "inconclusive"


def test_an_interaction_is_the_difference_of_two_differences():
    values = {"a": [5.0, 6.1], "b": [1.0, 2.0], "c": [2.0, 3.0], "d": [1.0, 2.0]}
    decision = Interaction(min_effect=1.0).decide(values)
    assert decision.effect == pytest.approx(3.05) and decision.per_seed == pytest.approx((3.0, 3.1))


def test_a_solve_rate_counts_the_seeds_that_reach_the_threshold():
    values = {"lstm": [1.0] * 8, "rnn": [0.2] * 8}
    assert SolveRate(threshold=0.9, min_effect=0.3).decide(values).outcome == "holds"
    assert SolveRate(threshold=0.9, min_effect=0.3).decide({**values, "rnn": [1.0] * 8}).outcome == "inconclusive"
    assert SolveRate(threshold=0.9, min_effect=0.3).decide({"a": [0.0] * 8, "b": [1.0] * 8}).outcome == "does_not_hold"


def test_a_slope_holds_between_its_bounds():
    assert Slope(0.9, 1.1).decide({"slope": [1.0, 1.01, 0.99]}).outcome == "holds"
    assert Slope(0.9, 1.1).decide({"slope": [2.0, 2.01, 1.99]}).outcome == "does_not_hold"
    assert Slope(0.9, 1.1).decide({"slope": [0.8, 1.2, 1.0]}).outcome == "inconclusive"


@pytest.mark.parametrize("minimum", [0.0, -1.0, float("nan")])
def test_a_minimum_effect_is_above_0(minimum):
    with pytest.raises(ValueError, match="above 0"):
        Paired(min_effect=minimum)
