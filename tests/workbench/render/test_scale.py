"""Axes: where numbers lie, and which are written."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workbench.render.scale import Scale, nice_step, written

number = st.floats(-1e300, 1e300)


@given(st.lists(number, min_size=1), st.integers(1, 20))
def test_a_scale_holds_its_numbers_and_its_ticks(numbers, most):
    scale = Scale.around(numbers)
    assert all(-1e-9 <= scale.place(n) <= 1 + 1e-9 for n in numbers)
    ticks = scale.ticks(most)
    assert len(ticks) <= most and ticks == sorted(ticks)
    assert all(-1e-6 <= scale.place(tick) <= 1 + 1e-6 for tick in ticks)


@given(st.lists(st.floats(1e-300, 1e300), min_size=1), st.integers(1, 20))
def test_so_does_a_log_scale(numbers, most):
    scale = Scale.around(numbers, log=True)
    assert all(-1e-9 <= scale.place(n) <= 1 + 1e-9 for n in numbers)
    ticks = scale.ticks(most)
    assert len(ticks) <= most and all(-1e-6 <= scale.place(tick) <= 1 + 1e-6 for tick in ticks)


@given(st.floats(1e-200, 1e200))
def test_steps_are_one_two_or_five(least):
    step = nice_step(least)
    assert least * 0.999 <= step < least * 2.6
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
def test_ticks_are_the_round_numbers_between(low, high, log, ticks):
    assert Scale(low, high, log).ticks(6) == pytest.approx(ticks)


def test_what_has_no_place_is_left_out():
    assert Scale.around([1.0, math.nan, math.inf, 3.0]) == Scale(1.0, 3.0)
    assert Scale.around([-5.0, 0.0, 1.0, 10.0], log=True) == Scale(1.0, 10.0, log=True)
    assert Scale.around([math.nan]).low < Scale.around([]).high


def test_a_log_scale_counts_in_decades():
    assert Scale(1, 100, log=True).place(10) == pytest.approx(0.5)


@given(st.floats(-1e12, 1e12))
def test_a_number_is_short_and_says_what_it_is(value):
    assume(value == 0 or abs(value) > 1e-12)
    text = written(value)
    assert len(text) <= 9
    read = float(text.removesuffix("k")) * (1000 if text.endswith("k") else 1)
    assert read == pytest.approx(value, rel=5.1e-3)
