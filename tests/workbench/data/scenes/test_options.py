"""What may be asked of a scene: shares, and the sentence for what can't be."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.data.scenes import KINDS, Options, film, scene
from workbench.data.shapes import drawn
from workbench.errors import UserError


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (dict(side=7), "side must be a whole number from 8 to 1024 here, not 7"),
        (dict(side=64.0), "side must be a whole number"),
        (dict(kinds=()), "kinds must be one or more of circle, "),
        (dict(kinds=("circle", "circle")), "each once"),
        (dict(kinds=("circel",)), "Did you mean 'circle"),
        (dict(textures=("stripe",)), "Did you mean 'stripes"),
        (dict(objects=(3, 2)), "objects must be a whole number from 3 to 100 here, not 2"),
        (dict(objects=2), "objects must be two numbers"),
        (dict(clutter=(True, 2)), "clutter must be a whole number"),
        (dict(sizes=(0.1, float("nan"))), "sizes must be a number from 0.1 to 0.5"),
        (dict(overlap=1.5), "overlap must be a number from 0 to 1"),
        (dict(turn=181), "turn must be a number from 0 to 180"),
        (dict(contrast="much"), "contrast must be a number"),
        (dict(imbalance=0), "imbalance must be a number from 1 to 1000"),
        (dict(speed=-1), "speed must be a number from 0 to 64"),
    ],
)
def test_what_cannot_be_is_met_with_a_sentence(asked, said):
    with pytest.raises(UserError, match=said):
        Options(**asked)


@pytest.mark.parametrize("frames", [0, 1001, 2.0, True])
def test_a_film_has_some_frames(frames):
    with pytest.raises(UserError, match="1 to 1000 frames"):
        film(scene(Options(), 0), frames)


@given(
    count=st.integers(0, 500),
    kinds=st.lists(st.sampled_from(list(KINDS)), min_size=1, unique=True),
    imbalance=st.floats(1, 1000),
)
def test_quotas_are_whole_shares(count, kinds, imbalance):
    options = Options(kinds=tuple(kinds), imbalance=imbalance)
    quotas, weights = options.quotas(count), options.weights()
    assert sum(quotas) == count
    exact = [count * weight / sum(weights) for weight in weights]
    assert all(abs(quota - share) < 1 for quota, share in zip(quotas, exact, strict=True))
    assert weights[0] == 1 and weights[0] / weights[-1] == pytest.approx(imbalance if len(kinds) > 1 else 1)


def test_kinds_come_as_often_as_asked():
    options = Options(kinds=("circle", "square", "star"), imbalance=4.0, objects=(1, 1))
    counts = Counter(scene(options, seed).objects[0].kind for seed in range(3000))
    shares = np.array([counts[kind] for kind in options.kinds]) / 3000
    assert shares == pytest.approx(np.array([4, 2, 1]) / 7, abs=0.03)


def test_pictures_of_one_object_each_hold_what_their_class_says():
    options = Options(kinds=("bar", "circle"), textures=("plain",), clutter=(0, 0), objects=(3, 3))
    pictures, classes = drawn(options, 20, seed=3)
    assert pictures.shape == (20, 3, 64, 64) and sorted(classes.tolist()) == [0] * 10 + [1] * 10
    again, same = drawn(options, 20, seed=3)
    assert np.array_equal(pictures, again) and np.array_equal(classes, same)
    assert not np.array_equal(pictures, drawn(options, 20, seed=4)[0])
