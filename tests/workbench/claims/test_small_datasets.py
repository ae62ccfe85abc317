"""Small datasets: splits that a seed decides and that share no sample."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from workbench.claims.small_datasets import digits, plane, split


def test_a_split_has_each_sample_once():
    x, y = np.arange(20.0).reshape(20, 1), np.arange(20)
    splits = split(x, y, seed=1, train=12, validation=3)
    assert [len(part.y) for part in splits] == [12, 3, 5]
    assert sorted(np.concatenate([part.y for part in splits])) == list(range(20))
    assert all((part.x[:, 0] == part.y).all() for part in splits)
    assert (splits.train.y != split(x, y, seed=2, train=12, validation=3).train.y).any()


def test_digits_are_those_of_scikit_learn():
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    splits = digits(0)
    rows = {tuple(row): label for row, label in zip(x, y, strict=True)}
    assert [len(part.y) for part in splits] == [600, 300, 897]
    assert all(rows[tuple(row)] == label for row, label in zip(*splits.test, strict=True))


@pytest.mark.parametrize(
    ("shape", "is_linear"), [("xor", False), ("circles", False), ("moons", False), ("blobs", True)]
)
def test_a_straight_line_separates_blobs_only(shape, is_linear):
    splits = plane(shape, 0)
    line = LogisticRegression().fit(*splits.train).score(*splits.test)
    curve = KNeighborsClassifier(9).fit(*splits.train).score(*splits.test)
    assert curve > 0.9
    assert (line > curve - 0.02) == (shape == "blobs")
    assert (plane(shape, 0).test.x == splits.test.x).all() and (plane(shape, 1).test.x != splits.test.x).any()


def test_an_unknown_shape_is_an_error():
    with pytest.raises(ValueError, match="xor, moons"):
        plane("spiral", 0)
