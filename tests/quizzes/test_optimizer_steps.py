"""An optimizer's steps on a function, compared with torch.optim on the same function, step by step."""

import math
from itertools import chain

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from quizzes.formulas import get
from workbench.errors import UserError

STEPS = get("optimizer-steps")
OPTIMIZERS = {  # name -> PyTorch's, and its options by our names
    "gd": (torch.optim.SGD, {}),
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {"beta": "momentum"}),
    "nesterov": (torch.optim.SGD, {"beta": "momentum"}),
    "adagrad": (torch.optim.Adagrad, {"epsilon": "eps"}),
    "rmsprop": (torch.optim.RMSprop, {"rho": "alpha", "epsilon": "eps"}),
    "adam": (torch.optim.Adam, {"beta1": 0, "beta2": 1, "epsilon": "eps"}),
    "adamw": (torch.optim.AdamW, {"beta1": 0, "beta2": 1, "epsilon": "eps", "lam": "weight_decay"}),
}
FUNCTIONS = {
    "x^2 + 3y^2": lambda x, y: x**2 + 3 * y**2,
    "(1 - x)^2 + 10(y - x^2)^2": lambda x, y: (1 - x) ** 2 + 10 * (y - x**2) ** 2,
    "ln(1 + exp(x*y)) + abs(x)": lambda x, y: torch.log(1 + torch.exp(x * y)) + abs(x),
    "y*sin(x) + max(x, y)": lambda x, y: y * torch.sin(x) + torch.maximum(x, y),
}


def by_torch(method, f, start, lr, steps, **settings):
    """Return the gradients and weights of every step, and the function's values, computed by PyTorch in float64."""
    weights = [torch.tensor(float(v), dtype=torch.float64, requires_grad=True) for v in start]
    kind, names = OPTIMIZERS[method]
    options = {names[k]: v for k, v in settings.items() if isinstance(names[k], str)}
    if "beta1" in settings:
        options["betas"] = (settings["beta1"], settings["beta2"])
    if method in ("momentum", "nesterov"):
        options = {"momentum": 0.9, "nesterov": method == "nesterov"} | options
    optimizer = kind(weights, lr=lr, **options)
    gradients, states, losses = [], [], []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = FUNCTIONS[f](*weights)
        loss.backward()
        losses.append(loss.item())
        gradients.append([w.grad.item() for w in weights])
        optimizer.step()
        states.append([w.item() for w in weights])
    return gradients, states, [*losses, FUNCTIONS[f](*weights).item()]


def assert_equal_to_pytorch(method, f, start, lr, steps, **settings):
    results = STEPS.solve(method=method, f=f, start=start, lr=lr, steps=steps, **settings)
    gradients, states, losses = by_torch(method, f, start, lr, steps, **settings)
    rows = results["table"]
    assert [(row["step"], row["weight"]) for row in rows] == [(k, w) for k in range(1, steps + 1) for w in "xy"]
    assert [float(row["g"]) for row in rows] == pytest.approx(list(chain(*gradients)), rel=1e-9, abs=1e-12)
    assert [float(row["theta"]) for row in rows] == pytest.approx(list(chain(*states)), rel=1e-9, abs=1e-12)
    assert [float(v) for v in results["theta"]] == pytest.approx(states[-1], rel=1e-9, abs=1e-12)
    assert [float(v) for v in results["L"]] == pytest.approx(losses, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("f", FUNCTIONS)
@pytest.mark.parametrize("method", OPTIMIZERS)
def test_steps_with_default_settings_agree_with_pytorch(method, f):
    assert_equal_to_pytorch(method, f, [0.7, -1.3], 0.02, 6)


SETTINGS = {
    "momentum": dict(beta=0.5),
    "nesterov": dict(beta=0.5),
    "adagrad": dict(epsilon=0.1),
    "rmsprop": dict(rho=0.8, epsilon=0.1),
    "adam": dict(beta1=0.5, beta2=0.75, epsilon=0.1),
    "adamw": dict(beta1=0.5, beta2=0.75, epsilon=0.1, lam=0.3),
}


@given(st.sampled_from(sorted(SETTINGS)), st.lists(st.integers(-20, 20), min_size=2, max_size=2), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_steps_with_other_settings_agree_with_pytorch(method, start, steps):
    assert_equal_to_pytorch(method, "x^2 + 3y^2", [v / 10 for v in start], 0.1, steps, **SETTINGS[method])


def test_state_of_adam_by_hand():
    """Adam's first step: m = 0.1 g, v = 0.001 g^2, corrected to g and g^2, and so a step of lr against the sign."""
    first, second = STEPS.solve(method="adam", f="x^2 + 3y^2", start=[1, 2], lr="0.1", steps=1)["table"]
    assert [float(first[k]) for k in ("g", "m", "v", "mhat", "vhat")] == pytest.approx([2, 0.2, 0.004, 2, 4])
    assert (float(first["theta"]), float(second["theta"])) == pytest.approx((0.9, 1.9))


def test_descent_on_a_parabola_is_exact():
    results = STEPS.solve(method="gd", f="x^2", start=[3], lr="0.1", steps=20)
    assert results["theta"] == [3 * STEPS.symbols["lr"].exact("0.8") ** 20]
    long = STEPS.solve(method="gd", f="x^4/4", start=["2.7"], lr="0.01", steps=100)["theta"][0]
    x = 2.7
    for _ in range(100):
        x -= 0.01 * x**3
    assert float(long) == pytest.approx(x, rel=1e-12)


def test_weights_are_in_alphabetical_order():
    results = STEPS.solve(method="gd", f="b^2 + 3a", start=[5, 7], lr=1, steps=1)
    assert [(row["weight"], row["g"]) for row in results["table"]] == [("a", 3), ("b", 14)]
    assert results["theta"] == [2, -7] and math.isclose(results["L"][0], 64)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (dict(start=[1]), r"one number for each weight \(x, y\): 2, not 1"),
        (dict(lam=1), "gd has no lam. Its settings besides lr: none"),
        (dict(method="rmsprop", beta1=0.9), "has no beta1. Its settings besides lr: rho, epsilon"),
        (dict(method="amda"), "Did you mean 'adam"),
        (dict(f="x^"), "missing at the end"),
        (dict(f="4"), "has no variable"),
        (dict(f="ln(x) + y", start=[-1, 0]), "Before step 1"),
        (dict(f="x^4 + y", lr=10, steps=50), "Before step"),
        (dict(steps=0), "from 1 to 1000"),
        (dict(lr=-1), "from 0 up"),
    ],
)
def test_unusable_inputs_are_rejected(changes, sentence):
    with pytest.raises(UserError, match=sentence):
        STEPS.solve(**(dict(method="gd", f="x^2 + 3y^2", start=[1, 2], lr=0.1) | changes))


def test_the_start_follows_the_numbers_of_the_weights():
    end = STEPS.solve(f="w1^2 + 2w2^2 + 3w10^2", start=[1, 2, 3], lr=0.1, steps=1)
    assert [float(weight) for weight in end["theta"]] == pytest.approx([0.8, 1.2, 1.2])
    assert [row["weight"] for row in end["table"]] == ["w1", "w2", "w10"]
