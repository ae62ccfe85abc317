"""Measures: the steps to a loss, with a sign so that learning rates can be tuned for speed."""

from math import log10

import pytest

from workbench.claims.measures import StepsTo
from workbench.engine.events import RunState


@pytest.mark.parametrize(("target", "steps"), [(0.5, 20), (0.05, 90)])
def test_steps_to_a_loss_and_their_negative(target, steps):
    state = RunState()
    for step, loss in ((10, 0.9), (20, 0.4), (30, 0.6), (40, 0.1)):
        event = dict(event="metric", seed=0, step=step, epoch=1.0, seconds=0.0, split="train", metrics={"loss": loss})
        state.apply(event)
    assert StepsTo(target, most=90).of(state, None) == steps
    assert StepsTo(target, most=90, scale=-1).of(state, None) == -steps
    assert StepsTo(target, most=90, is_log=True, scale=-1).of(state, None) == pytest.approx(-log10(steps))


def test_the_sign_is_part_of_title_and_record():
    positive, negative = StepsTo(0.5, most=90, is_log=True), StepsTo(0.5, most=90, is_log=True, scale=-1)
    assert positive.title == "log10 of the steps to a training loss of 0.5"
    assert negative.title == "log10 of the steps to a training loss of 0.5 times -1"
    assert positive.record() != negative.record()
