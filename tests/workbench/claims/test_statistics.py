"""Intervals and p-values against scipy.stats, NumPy and published examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from workbench.claims import statistics

samples = st.lists(st.floats(-100, 100), min_size=2, max_size=16).filter(lambda values: np.std(values) > 1e-3)


@given(samples)
def test_the_t_interval_is_that_of_scipy(values):
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert statistics.t_interval(values) == pytest.approx((expected.low, expected.high), rel=1e-6, abs=1e-9)


@given(samples, st.floats(-10, 10))
def test_the_p_value_is_that_of_scipy(values, minimum):
    expected = stats.ttest_1samp(values, minimum, alternative="greater").pvalue
    assert statistics.t_test(values, minimum) == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("first", "second", "interval"),
    [  # Newcombe 1998, table II, method 10
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_the_difference_of_rates_is_as_published(first, second, interval):
    assert statistics.difference_of_rates(first, second) == pytest.approx(interval, abs=5e-4)


@given(st.floats(-3, 3), st.floats(0.1, 10), st.lists(st.floats(1, 1000), min_size=3, max_size=9, unique=True))
def test_the_slope_is_that_of_a_power_law_and_of_numpy(power, factor, xs):
    points = [(x, factor * x**power) for x in xs]
    if np.ptp(np.log(xs)) < 1e-3:
        return
    assert statistics.slope(points) == pytest.approx(power, abs=1e-6)
    noisy = [(x, y * (1 + 0.1 * (k % 3))) for k, (x, y) in enumerate(points)]
    expected = np.polyfit(np.log([x for x, _ in noisy]), np.log([y for _, y in noisy]), 1)[0]
    assert statistics.slope(noisy) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_holm_adjusts_the_smallest_most():
    assert statistics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert statistics.holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_the_step_down_rule_rejects(p_values):
    level, order = 0.05, sorted(range(len(p_values)), key=lambda index: p_values[index])
    rejected = set()
    for rank, index in enumerate(order):
        if p_values[index] * (len(p_values) - rank) > level:
            break
        rejected.add(index)
    adjusted = statistics.holm(p_values)
    assert {index for index, p in enumerate(adjusted) if p <= level} == rejected
