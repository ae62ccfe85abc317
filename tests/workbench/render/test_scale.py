"""Axes: positions of numbers, and ticks."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench.render.scale import Scale, format_tick, nice_step

numbers_in_range = st.floats(-1e300, 1e300)


@given(st.lists(numbers_in_range, min_size=1), st.integers(1, 20))
def test_a_scale_covers_its_numbers_and_ticks(numbers, max_count):
    scale = Scale.fit(numbers)
    assert all(-1e-9 <= scale.position(n) <= 1 + 1e-9 for n in numbers)
    ticks = scale.ticks(max_count)
    assert len(ticks) <= max_count and ticks == sorted(ticks)
    assert all(-1e-6 <= scale.position(tick) <= 1 + 1e-6 for tick in ticks)


@given(st.lists(st.floats(1e-300, 1e300), min_size=1), st.integers(1, 20))
def test_a_log_scale_covers_its_numbers_and_ticks(numbers, max_count):
    scale = Scale.fit(numbers, log=True)
    assert all(-1e-9 <= scale.position(n) <= 1 + 1e-9 for n in numbers)
    ticks = scale.ticks(max_count)
    assert len(ticks) <= max_count and all(-1e-6 <= scale.position(tick) <= 1 + 1e-6 for tick in ticks)


@given(st.floats(1e-200, 1e200))
def test_steps_are_one_two_or_five(minimum):
    step = nice_step(minimum)
    assert minimum * 0.999 <= step < minimum * 2.6
    assert round(step / 10 ** math.floor(math.log10(step * 1.001)), 6) in (1, 2, 5)


@pytest.mark.parametrize(
    ("low", "high", "log", "ticks"),
    [
        (0, 1, False, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0.03, 2.3, False, [0.5, 1, 1.5, 2]),
        (-7, 12, False, [-5, 0, 5, 10]),
        (0.001, 10, True, [0.001, 0.01, 0.1, 1, 10]),
    ],
)
def test_ticks_are_round_numbers(low, high, log, ticks):
    assert Scale(low, high, log).ticks(6) == pytest.approx(ticks)


def test_fit_ignores_numbers_without_a_position():
    assert Scale.fit([1.0, math.nan, math.inf, 3.0]) == Scale(1.0, 3.0)
    assert Scale.fit([-5.0, 0.0, 1.0, 10.0], log=True) == Scale(1.0, 10.0, log=True)
    assert Scale.fit([math.nan]).low < Scale.fit([]).high


def test_a_log_scale_is_proportional_to_the_logarithm():
    assert Scale(1, 100, log=True).position(10) == pytest.approx(0.5)


@given(st.floats(-1e12, 1e12))
def test_a_tick_is_short_and_close_to_its_number(value):
    assume(value == 0 or abs(value) > 1e-12)
    text = format_tick(value)
    assert len(text) <= 9
    number = float(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
    assert number == pytest.approx(value, rel=5.1e-3)
