"""The scalers against scikit-learn's, and what they may look at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench import data
from workbench.data.scaling import SCALERS, min_max, z_score

THEIRS = {"z-score": "StandardScaler", "min-max": "MinMaxScaler"}
# Differences far below the numbers themselves are left to rounding, by both.
numbers = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))
tables = st.tuples(st.integers(1, 30), st.integers(1, 5)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=numbers)
)


@pytest.mark.parametrize("scaling", SCALERS)
@pytest.mark.parametrize("name", ["iris", "wine", "breast-cancer", "diabetes", "height-weight"])
def test_they_are_scikit_learns_on_held_out_samples_too(scaling, name):
    from sklearn import preprocessing

    parts = data.load(name)
    ours = SCALERS[scaling](parts["train"][0])
    theirs = getattr(preprocessing, THEIRS[scaling])().fit(parts["train"][0])
    for inputs, _ in parts.values():
        np.testing.assert_allclose(ours(inputs), theirs.transform(inputs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("scaling", SCALERS)
@given(table=tables)
def test_they_are_scikit_learns_on_any_table(scaling, table):
    from sklearn import preprocessing

    ours, theirs = SCALERS[scaling](table), getattr(preprocessing, THEIRS[scaling])()
    np.testing.assert_allclose(ours(table), theirs.fit_transform(table), atol=1e-6)
    np.testing.assert_allclose(ours.back(ours(table)), table, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e9 + 0.3, -7.0])
@pytest.mark.parametrize("fit", [z_score, min_max])
def test_a_constant_column_becomes_nought_and_divides_by_nothing(fit, constant):
    train = np.column_stack([np.full(1000, constant), np.arange(1000)])
    scaled = fit(train)(train)
    assert (scaled[:, 0] == 0).all()
    assert np.isfinite(scaled).all() and scaled[:, 1].std() > 0.2


def test_pictures_are_scaled_all_pixels_alike():
    pictures = np.random.default_rng(0).random((50, 1, 4, 4)).astype(np.float32)
    scaled = z_score(pictures, axis=None)(pictures)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, (pictures - pictures.mean()) / pictures.std(), rtol=1e-6)
