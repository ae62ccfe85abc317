"""The spec: complete, checked, and the same after a trip through JSON."""

import json
import math
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

import models
from workbench import BadInput
from workbench.engine import RunSpec

length = st.one_of(
    st.builds(lambda n: {"epochs": n}, st.integers(1, 10**6)), st.builds(lambda n: {"steps": n}, st.integers(1, 10**6))
)


@given(
    model=st.sampled_from(models.names()),
    preset=st.sampled_from(["mini", "paper"]),
    length=st.one_of(st.just({}), length),
    batch_size=st.integers(1, 10**6),
    lr=st.one_of(st.none(), st.floats(0, exclude_min=True, allow_infinity=False)),
    optimizer=st.sampled_from(["adam", "sgd"]),
    seed=st.integers(0, 2**63 - 1),
    device=st.sampled_from(["cpu", "cuda", "cuda:3", "mps"]),
)
def test_json_keeps_all_of_it(length, **given_values):
    spec = RunSpec(**given_values, **length)
    assert RunSpec.from_json(spec.to_json()) == spec


def test_what_is_not_given_is_filled_in():
    spec = RunSpec("lenet5-modern", optimizer="sgd")
    assert (spec.task, spec.epochs, spec.steps, spec.lr) == ("digits", 20, None, 0.1)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"task": "digit"}, "did you mean digits"),
        ({"preset": "large"}, "paper"),
        ({"epochs": 0}, "epochs"),
        ({"epochs": -1}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"epochs": True}, "epochs"),
        ({"steps": 0}, "steps"),
        ({"epochs": 1, "steps": 1}, "not both"),
        ({"batch_size": 0}, "batch_size"),
        ({"lr": math.nan}, "lr"),
        ({"lr": -0.1}, "lr"),
        ({"lr": 0}, "lr"),
        ({"lr": math.inf}, "lr"),
        ({"lr": "fast"}, "lr"),
        ({"optimizer": "adma"}, "did you mean adam"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**64}, "seed"),
        ({"device": "gpu"}, "cuda"),
        ({"device": 0}, "device"),
    ],
)
def test_what_cannot_be_run_is_refused_in_one_sentence(options, said):
    with pytest.raises(BadInput, match=said) as refusal:
        RunSpec("mlp", **options)
    assert "\n" not in str(refusal.value)


def test_an_unknown_model_is_met_with_its_neighbours():
    with pytest.raises(models.BadInput, match="did you mean lenet5-modern"):
        RunSpec("lenet-modern")


@pytest.mark.parametrize("text", ["", "[]", "{}", "{", '{"model": "mlp", "epoch": 3}', '{"model": 3}', "\x00", "null"])
def test_damaged_json_is_refused(text):
    with pytest.raises((BadInput, models.BadInput)):
        RunSpec.from_json(text)


@given(
    st.dictionaries(
        st.sampled_from(sorted(RunSpec.__dataclass_fields__)),
        st.one_of(st.none(), st.text(), st.floats(), st.lists(st.integers())),
        min_size=1,
    )
)
def test_no_json_object_raises_anything_but_a_refusal(record):
    with suppress(BadInput, models.BadInput):
        RunSpec.from_json(json.dumps({"model": "mlp", **record}))
