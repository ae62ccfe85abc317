"""Regression against values worked out by hand, PyTorch, and scikit-learn."""

from random import Random

import pytest

from quizzes import bank
from quizzes.expressions.parser import parse
from quizzes.expressions.tree import evaluate
from quizzes.formulas import get
from workbench.errors import UserError

LOSSES = dict(y=[3, -0.5, 2, 7], yhat=[2.5, 0, 2, 8])
FIT = dict(y=[3, -0.5, 2, 7], yhat=[2.5, 0, 3, 9])
LINE = dict(x=[1, 2, 3], y=[1, 2, 2])
STEP = dict(x=[1, 2, 3], y=[2, 4, 6], eta=0.1)
MODEL = dict(w=[2, -1], b=0.5, x=[3, 4])

GOLDEN = [
    ("linear-predict", MODEL, {"y": 2.5}),
    ("least-squares-line", LINE, {"w": 0.5, "b": 0.6667}),
    ("gd-step-linreg", STEP, {"g_w": -18.6667, "g_b": -8, "w1": 1.8667, "b1": 0.8}),
    ("r2-score", FIT, {"SS_res": 5.5, "SS_tot": 29.1875, "R2": 0.8116}),
    ("r2-score", LOSSES, {"R2": 0.9486}),
    ("mse-mae-rmse", LOSSES, {"MSE": 0.375, "MAE": 0.5, "RMSE": 0.6124}),
    ("best-constant", dict(y=[1, 9, 2, 100, 3]), {"c_MSE": 23, "c_MAE": 3}),
    ("huber-smooth-l1", dict(d=2), {"smooth": 1.5, "huber": 1.5}),
    ("huber-smooth-l1", dict(d=-0.5), {"smooth": 0.125}),
    ("huber-smooth-l1", dict(d=3, beta=2), {"smooth": 2, "huber": 4}),
]

MISTAKES = [  # drill, mistake, inputs, part, value
    ("linear-predict", "no-intercept", MODEL, "y", 2),
    ("linear-predict", "order-mixed", MODEL, "y", 5.5),
    ("normal-equation", "through-the-origin", LINE, "w", 11 / 14),
    ("normal-equation", "swapped", LINE, "w", 0.6667),
    ("normal-equation", "swapped", LINE, "b", 0.5),
    ("normal-equation", "not-inverted", LINE, "w", 1),
    ("gd-step-linreg", "ascent", STEP, "w1", -1.8667),
    ("gd-step-linreg", "no-factor-2", STEP, "g_w", -28 / 3),
    ("gd-step-linreg", "no-mean", STEP, "g_w", -56),
    ("gd-step-linreg", "target-minus-prediction", STEP, "g_b", 8),
    ("gd-step-linreg", "intercept-kept", STEP, "b1", 0),
    ("r2-score", "one-sum-averaged", FIT, "R2", 0.9529),
    ("r2-score", "prediction-mean", FIT, "SS_tot", 31.4375),
    ("mse-mae-rmse", "no-mean", LOSSES, "MSE", 1.5),
    ("mse-mae-rmse", "halved", LOSSES, "MSE", 0.1875),
    ("mse-mae-rmse", "no-root", LOSSES, "RMSE", 0.375),
    ("mse-mae-rmse", "signs-cancel", LOSSES, "MAE", 0.25),
    ("mse-mae-rmse:best-constant", "swapped", dict(y=[1, 9, 2, 100, 3]), "c_MAE", 23),
    ("huber-smoothl1", "quadratic-everywhere", dict(d=3, beta=2), "huber", 4.5),
    ("huber-smoothl1", "no-offset", dict(d=3, beta=2), "smooth", 3),
    ("huber-smoothl1", "other-of-the-two", dict(d=3, beta=2), "smooth", 4),
    ("huber-smoothl1", "other-of-the-two", dict(d=3, beta=2), "huber", 2),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    for key, value in expected.items():
        assert float(values[key]) == pytest.approx(value, abs=6e-5)


def evaluate_mistake(id, mistake, inputs):
    drill = bank.get_drill(id)
    rule = next(rule for rule in drill.mistake_rules if rule.name == mistake)
    truth = drill.formula.evaluate(drill.formula.complete(inputs))
    return drill.formula.evaluate_with_mistake(rule.replaced, truth, drill.asks)


@pytest.mark.parametrize(("id", "mistake", "inputs", "part", "expected"), MISTAKES)
def test_values_of_mistakes(id, mistake, inputs, part, expected):
    assert float(evaluate_mistake(id, mistake, inputs)[part]) == pytest.approx(expected, abs=6e-5)


def test_squared_correlation_differs_from_r2():
    numpy = pytest.importorskip("numpy")
    expected = numpy.corrcoef(FIT["y"], FIT["yhat"])[0, 1] ** 2
    assert evaluate_mistake("r2-score", "correlation-squared", FIT)["R2"] == pytest.approx(expected)
    assert expected != pytest.approx(0.8116, abs=0.01)


LOSS_GRADIENTS = [  # of yhat = 3w + b with target 2.5, at w = 1, b = 2, where the residual is 2.5
    ("MSE", "w", 15),
    ("MSE", "b", 5),
    ("MSE/2", "w", 7.5),
    ("MAE", "w", 3),
    ("MAE", "b", 1),
]


@pytest.mark.parametrize(("loss", "by", "expected"), LOSS_GRADIENTS)
def test_gradient_of_a_single_sample(loss, by, expected):
    gradient = get("loss-gradient").solve(loss=loss, by=by, x=[3], y=[2.5])["dL"]
    assert evaluate(parse(gradient), {"w": 1, "b": 2}) == expected


@pytest.mark.parametrize("loss", ["MSE", "MSE/2", "MAE"])
@pytest.mark.parametrize("by", ["w", "b"])
def test_gradients_match_autograd(loss, by):
    torch = pytest.importorskip("torch")
    x, y = [2, -3, 5], [0.5, -1.5, 7.5]
    gradient = parse(get("loss-gradient").solve(loss=loss, by=by, x=x, y=y)["dL"])
    rng = Random(5)
    for _ in range(5):
        w, b = (torch.tensor(rng.uniform(-3, 3), dtype=torch.float64, requires_grad=True) for _ in range(2))
        off = w * torch.tensor(x, dtype=torch.float64) + b - torch.tensor(y, dtype=torch.float64)
        value = {"MSE": off**2, "MSE/2": off**2 / 2, "MAE": off.abs()}[loss].mean()
        (slope,) = torch.autograd.grad(value, {"w": w, "b": b}[by])
        assert float(evaluate(gradient, {"w": w.item(), "b": b.item()})) == pytest.approx(slope.item())


def test_the_least_squares_line_matches_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = Random(6)
    for _ in range(5):
        x, y = ([rng.uniform(-9, 9) for _ in range(7)] for _ in range(2))
        line = linear_model.LinearRegression().fit([[v] for v in x], y)
        values = get("least-squares-line").solve(x=x, y=y)
        assert float(values["w"]) == pytest.approx(line.coef_[0])
        assert float(values["b"]) == pytest.approx(line.intercept_)


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("least-squares-line", dict(x=[2, 2], y=[1, 3]), "divides by zero"),
        ("r2-score", dict(y=[2, 2], yhat=[1, 3]), "divides by zero"),
        ("best-constant", dict(y=[1, 2]), "an odd number"),
        ("loss-gradient", dict(loss="MEA", by="w", x=[1], y=[2]), "Did you mean 'M[AS]E"),
        ("loss-gradient", dict(loss="MSE", by="c", x=[1], y=[2]), "Unknown parameter"),
        ("loss-gradient", dict(loss="MSE", by="w", x=[1, 2], y=[2]), "same length"),
    ],
)
def test_invalid_inputs_are_rejected(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)
