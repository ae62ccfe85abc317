"""The sets that are made by code, against what they are said to be."""

import numpy as np
import pytest

from workbench import data


def whole(name):
    return [np.concatenate(column) for column in zip(*data.load(name).values(), strict=True)]


def test_xor_is_the_truth_table_with_noise():
    points, classes = whole("xor")
    off, on = (points < 0.5).T, (points >= 0.5).T
    expected = (on[0] & off[1]) | (off[0] & on[1])
    assert (expected == classes).mean() > 0.99  # the noise carries hardly any over
    for a, b in [(0, 0), (0, 1), (1, 0), (1, 1)]:
        near = points[(np.abs(points - [a, b]) < 0.5).all(axis=1)]
        assert 95 < len(near) < 105
        np.testing.assert_allclose(near.mean(axis=0), [a, b], atol=0.06)
        np.testing.assert_allclose(near.std(axis=0), 0.15, atol=0.03)


def test_spirals_are_turned_by_half_a_turn_and_wind_as_far_as_said():
    points, classes = whole("spirals")
    assert np.bincount(classes).tolist() == [250, 250]
    radius = np.hypot(*points.T)
    angle = np.arctan2(points[:, 1], points[:, 0])
    expected = 3 * np.pi * radius + np.pi * classes  # one and a half turns out to radius 1
    off = np.angle(np.exp(1j * (angle - expected))) / (3 * np.pi)  # how much nearer or farther it should lie
    assert np.abs(off[radius > 0.3]).mean() < 0.04  # the noise: the next arm is a third away


def test_moons_are_half_circles():
    points, classes = whole("moons")
    centres = np.array([[0, 0], [1, 0.5]])[classes]
    assert np.abs(np.hypot(*(points - centres).T) - 1).mean() < 0.25
    above = points[:, 1] > centres[:, 1] - 0.4
    assert (above[classes == 0]).mean() > 0.95 and (points[classes == 1, 1] < 0.9).mean() > 0.95


def test_circles_lie_inside_each_other():
    points, classes = whole("circles")
    radius = np.hypot(*points.T)
    assert radius[classes == 0].mean() == pytest.approx(1, abs=0.03)
    assert radius[classes == 1].mean() == pytest.approx(0.5, abs=0.03)


def test_persons_are_as_tall_and_as_heavy_as_persons_are():
    points, kinds = whole("height-weight")
    assert np.bincount(kinds).tolist() == [300, 300]
    (height, weight), animals = points[kinds == 0].T, points[kinds == 1]
    index = weight / (height / 100) ** 2
    assert height.mean() == pytest.approx(169.5, abs=2) and 130 < height.min() < height.max() < 215
    assert np.median(index) == pytest.approx(25, abs=1) and 12 < index.min() < index.max() < 45
    assert np.corrcoef(height, weight)[0, 1] > 0.4
    assert animals.min() > 0 and (animals[:, 0] < 100).any() and (animals[:, 1] > 300).any()


@pytest.mark.parametrize(("name", "straight", "near"), [
    ("moons", (0.8, 0.93), 0.93), ("circles", (0, 0.6), 0.95), ("xor", (0, 0.65), 0.97), ("spirals", (0.5, 0.75), 0.9),
    ("height-weight", (0.8, 0.95), 0.93),
])  # fmt: skip
def test_a_bent_border_beats_a_straight_one(name, straight, near):
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import StandardScaler

    parts = data.load(name)
    scaler = StandardScaler().fit(parts["train"][0])
    parts = {part: (scaler.transform(x), y) for part, (x, y) in parts.items()}
    linear = LogisticRegression().fit(*parts["train"]).score(*parts["test"])
    assert straight[0] <= linear <= straight[1]
    assert KNeighborsClassifier().fit(*parts["train"]).score(*parts["test"]) > max(near, linear)
