"""Preprocessing against values worked out by hand and against scikit-learn's scalers."""

from random import Random

import pytest

from quizzes import bank
from quizzes.formulas import get
from workbench.errors import UserError

SPLIT = dict(train=[2, 4, 6, 8], test=[6, 10])
STANDARDIZE = dict(X=[2, 4, 6, 8], T=[8])
PIXEL = dict(u=128, mu=0.485, s=0.229)
BGR = dict(u=[0, 51, 255], mu=[0.5, 0.4, 0.25], s=[0.25, 0.2, 0.5])

GOLDEN = [
    ("min-max", dict(x=6, x_min=2, x_max=8), {"u": 0.6667}),
    ("min-max", dict(x=6, x_min=2, x_max=8, a=-1, b=1), {"u": 0.3333}),
    ("min-max-split", SPLIT, {"u": [0.6667, 1.3333], "x_min": 2, "x_max": 8}),
    ("z-score", dict(x=8, mu=5, sigma=2), {"z": 1.5}),
    ("standardise", STANDARDIZE, {"mu": 5, "sigma": 2.2361, "z": [1.3416]}),
    ("standardise", STANDARDIZE | {"ddof": 1}, {"sigma": 2.5820, "z": [1.1619]}),
    ("pixel-normalise", PIXEL, {"v": 0.0741}),
    ("pixel-normalise-bgr", BGR, {"v": [2, -1, -0.5]}),
]

MISTAKES = [  # drill, mistake, inputs, part, value
    ("norm-minmax", "maximum-only", dict(x=6, x_min=2, x_max=8), "u", 0.75),
    ("norm-minmax", "no-shift", dict(x=6, x_min=2, x_max=8, a=-1, b=1), "u", 1.3333),
    ("norm-minmax:split", "test-statistics", SPLIT, "u", [0, 1]),
    ("norm-minmax:split", "clipped", SPLIT, "u", [0.6667, 1]),
    ("standardise-z", "other-divisor", STANDARDIZE, "sigma", 2.5820),
    ("standardise-z", "variance", STANDARDIZE, "z", [0.6]),
    ("standardise-z", "not-divided", STANDARDIZE, "z", [3]),
    ("standardise-z", "test-statistics", STANDARDIZE | {"T": [8, 4]}, "z", [1, -1]),
    ("img-normalise", "no-255", PIXEL, "v", 556.8341),
    ("img-normalise", "times-deviation", PIXEL, "v", 0.0039),
    ("img-normalise:bgr", "order-kept", BGR, "v", [-2, -1, 1.5]),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    for key, value in expected.items():
        assert values[key] == pytest.approx(value, abs=6e-5)


@pytest.mark.parametrize(("id", "mistake", "inputs", "part", "expected"), MISTAKES)
def test_values_of_mistakes(id, mistake, inputs, part, expected):
    drill = bank.get_drill(id)
    rule = next(rule for rule in drill.mistake_rules if rule.name == mistake)
    truth = drill.formula.evaluate(drill.formula.complete(inputs))
    assert drill.formula.evaluate_with_mistake(rule.replaced, truth, drill.asks)[part] == pytest.approx(
        expected, abs=6e-5
    )


def test_scalers_match_scikit_learn():
    preprocessing = pytest.importorskip("sklearn.preprocessing")
    rng = Random(4)
    for _ in range(5):
        train, test = ([rng.randint(-50, 50) / 10 for _ in range(6)] for _ in range(2))
        for scaler, formula, inputs, output in (
            (preprocessing.MinMaxScaler(), "min-max-split", dict(train=train, test=test), "u"),
            (preprocessing.StandardScaler(), "standardise", dict(X=train, T=test), "z"),
        ):
            expected = scaler.fit([[v] for v in train]).transform([[v] for v in test]).ravel().tolist()
            assert [float(v) for v in get(formula).solve(**inputs)[output]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("min-max", dict(x=1, x_min=3, x_max=3)),
        ("min-max-split", dict(train=[3, 3], test=[1])),
        ("standardise", dict(X=[2, 2], T=[1])),
        ("standardise", dict(X=[2], T=[1], ddof=1)),
    ],
)
def test_a_constant_feature_is_rejected(name, inputs):
    with pytest.raises(UserError, match="divides by zero"):
        get(name).solve(**inputs)
