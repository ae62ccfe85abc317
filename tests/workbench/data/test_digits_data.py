"""The digits, and how data are dealt into parts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import data
from workbench.errors import UserError


def test_the_parts_are_scikit_learns_digits_each_once():
    from sklearn.datasets import load_digits

    parts = data.load("digits", seed=3)
    assert {part: len(classes) for part, (_, classes) in parts.items()} == {
        "train": 1257,
        "validation": 180,
        "test": 360,
    }
    pictures = np.concatenate([pictures for pictures, _ in parts.values()]).reshape(-1, 64)
    classes = np.concatenate([classes for _, classes in parts.values()])
    ours = sorted(map(tuple, np.column_stack([pictures * 16, classes])))
    theirs = load_digits()
    assert ours == sorted(map(tuple, np.column_stack([theirs.data, theirs.target])))


def test_the_seed_alone_decides_the_parts():
    first, again, other = data.load("digits", 1), data.load("digits", 1), data.load("digits", 2)
    assert all((a == b).all() for part in data.SPLITS for a, b in zip(first[part], again[part], strict=True))
    assert not (first["test"][0] == other["test"][0]).all()


@given(st.integers(0, 30), st.integers(0, 30), st.integers(1, 40), st.integers(0, 2**63 - 1))
def test_rows_stay_together_and_none_is_lost(validation, test, train, seed):
    rows = np.arange(validation + test + train)
    parts = data.split((rows, rows * 2), dict(validation=validation, test=test), seed)
    assert {part: len(first) for part, (first, _) in parts.items()} == dict(
        train=train, validation=validation, test=test
    )
    assert all((second == first * 2).all() for first, second in parts.values())
    assert sorted(np.concatenate([first for first, _ in parts.values()])) == list(rows)


def test_an_unknown_name_is_met_with_its_neighbours():
    with pytest.raises(UserError, match="Did you mean 'digits"):
        data.load("digit")
