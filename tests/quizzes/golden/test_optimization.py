"""Optimization against values worked out by hand and against PyTorch's least squares."""

from random import Random

import pytest

from quizzes import bank
from quizzes.formulas import get

START = dict(theta0=1, g1=0.5, g2=0.3, eta=0.1)
NORMAL = dict(X=[[1, 1], [1, 2], [1, 3]], y=[1, 2, 2])
PARABOLA = dict(c=4, eta=0.3, w0=1, t=3)
BOWL = dict(c1=4, c2=1, eta=0.3, w1_0=1, w2_0=1, t=3)
COSINE = dict(eta0=0.1, t=30, T=100)
STEPS = dict(eta0=0.1, gamma=0.1, t=65, s=30)
WARM_UP = dict(eta0=0.1, T_w=10, T_c=100, t_a=4, t_b=40)
IMAGES = dict(N=50_000, B=128, epochs=10)
DEVICES = dict(B=32, k=4, G=8)
SCALED = DEVICES | dict(eta0=0.1, B0=256)

GOLDEN = [
    ("normal-equation", NORMAL, {"A": [[3, 6], [6, 14]], "c": [5, 11], "theta1": 0.6667, "theta2": 0.5}),
    ("gd-quadratic", PARABOLA, {"w": -0.008}),
    ("gd-quadratic-2d", BOWL, {"eta_max": 0.5, "w1": -0.008, "w2": 0.343}),
    ("lr-cosine", COSINE, {"eta": 0.0794}),
    ("lr-cosine", COSINE | {"t": 0, "eta_min": 0.01}, {"eta": 0.1}),
    ("lr-cosine", COSINE | {"t": 100, "eta_min": 0.01}, {"eta": 0.01}),
    ("lr-step", STEPS, {"eta": 0.001}),
    ("lr-step", STEPS | {"t": 29}, {"eta": 0.1}),
    ("lr-step", STEPS | {"t": 30}, {"eta": 0.01}),
    ("lr-exponential", dict(eta0=0.1, gamma=0.9, t=2), {"eta": 0.081}),
    ("lr-warmup-cosine", WARM_UP, {"eta_a": 0.04, "eta_b": 0.0794}),
    ("epoch", IMAGES, {"iters": 391, "last": 80, "total": 3_910}),
    ("epoch", dict(N=1_000, B=100), {"iters": 10, "last": 100}),
    ("epoch-drop-last", IMAGES, {"iters": 390, "unused": 80, "total": 3_900}),
    ("total-iterations", IMAGES, {"total": 3_910}),
    ("effective-batch", DEVICES, {"B_eff": 1_024}),
    ("linear-scaling", SCALED, {"eta": 0.4}),
]

TRACES = [  # two steps from theta = 1 with eta = 0.1 and the gradients 0.5 and 0.3
    ("sgd-momentum", dict(beta=0.9), 0.9500, 0.8750),
    ("nesterov", dict(beta=0.9), 0.9050, 0.8075),
    ("adagrad", {}, 0.9000, 0.8486),
    ("rmsprop", dict(rho=0.99), 0.0000, -0.5164),
    ("adam-step", {}, 0.9000, 0.8043),
    ("adamw-vs-l2", dict(lam=0.1), 0.8900, 0.7854),
    ("adamw-vs-l2:l2", dict(lam=0.1), 0.9000, 0.8033),
]

MISTAKES = [  # drill, mistake, inputs, part, value
    ("normal-equation:matrix", "transposed-wrongly", NORMAL, "A", [[2, 3, 4], [3, 5, 7], [4, 7, 10]]),
    ("normal-equation:matrix", "not-inverted", NORMAL, "theta2", 11),
    ("gd-stability", "half-the-bound", BOWL, "eta_max", 0.25),
    ("gd-stability", "smallest-curvature", BOWL, "eta_max", 2),
    ("lr-schedules", "degrees", COSINE, "eta", 0.1 * (1 + 0.999865) / 2),
    ("lr-schedules", "one-epoch-late", COSINE, "eta", 0.0781),
    ("lr-schedules:step", "no-floor", STEPS, "eta", 0.000681),
    ("lr-schedules:step", "one-epoch-late", STEPS | {"t": 59}, "eta", 0.001),
    ("iterations-per-epoch", "rounded-down", IMAGES, "iters", 390),
    ("iterations-per-epoch", "epoch-as-iteration", IMAGES, "total", 10),
    ("iterations-per-epoch", "last-empty", dict(N=1_000, B=100), "last", 0),
    ("iterations-per-epoch:drop-last", "rounded-up", IMAGES, "iters", 391),
    ("effective-batch", "no-accumulation", DEVICES, "B_eff", 256),
    ("effective-batch:learning-rate", "square-root", SCALED, "eta", 0.2),
    ("sgd-momentum", "averaged-form", START | {"beta": 0.9}, "theta1", 0.995),
    ("sgd-momentum", "velocity-restarted", START | {"beta": 0.9}, "theta2", 0.92),
    ("sgd-momentum", "eta-twice", START | {"beta": 0.9}, "theta1", 0.995),
    ("sgd-momentum", "ascent", START | {"beta": 0.9}, "theta1", 1.05),
]

MISTAKES_IN_BOTH_STEPS = [  # drill, mistake, inputs, theta2 when the mistake is made in both steps
    ("nesterov", "beta-left-out", dict(beta=0.9), 0.7950),
    ("nesterov", "plain-momentum", dict(beta=0.9), 0.8750),
    ("adagrad", "last-gradient-only", {}, 0.8),
    ("rmsprop", "no-decay", dict(rho=0.99), 0.8486),
    ("adamw-vs-l2", "l2-in-the-gradient", dict(lam=0.1), 0.8033),
    ("adamw-vs-l2:l2", "decoupled", dict(lam=0.1), 0.7854),
    ("adamw-vs-l2:l2", "penalty-left-out", dict(lam=0.1), 0.8043),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    for key, value in expected.items():
        assert (
            values[key] == value
            if isinstance(value, int | list)
            else float(values[key]) == pytest.approx(value, abs=6e-5)
        )


@pytest.mark.parametrize(("id", "inputs", "first", "second"), TRACES)
def test_two_steps(id, inputs, first, second):
    values = bank.get_drill(id).formula.solve(**START, **inputs)
    assert (float(values["theta1"]), float(values["theta2"])) == pytest.approx((first, second), abs=6e-5)


def evaluate_mistake(id, mistake, inputs, asks=None):
    drill = bank.get_drill(id)
    rule = next(rule for rule in drill.mistake_rules if rule.name == mistake)
    truth = drill.formula.evaluate(drill.formula.complete(inputs))
    return drill.formula.evaluate_with_mistake(rule.replaced, truth, drill.asks if asks is None else asks)


@pytest.mark.parametrize(("id", "mistake", "inputs", "part", "expected"), MISTAKES)
def test_values_of_mistakes(id, mistake, inputs, part, expected):
    values = evaluate_mistake(id, mistake, inputs)[part]
    assert (
        values == expected
        if isinstance(expected, int | list)
        else float(values) == pytest.approx(expected, abs=1e-5, rel=1e-3)
    )


@pytest.mark.parametrize(("id", "mistake", "inputs", "expected"), MISTAKES_IN_BOTH_STEPS)
def test_values_of_mistakes_made_in_both_steps(id, mistake, inputs, expected):
    assert float(evaluate_mistake(id, mistake, START | inputs, asks=())["theta2"]) == pytest.approx(expected, abs=6e-5)


def test_the_two_forms_of_momentum_differ_when_the_learning_rate_changes():
    inputs = dict(theta0=1, g1=0.5, g2=0.3)
    classical = bank.get_drill("sgd-momentum:classical").formula
    same = classical.solve(**inputs, eta1=0.1, eta2=0.1, gamma=0.9)
    assert float(same["theta2"]) == pytest.approx(0.875)
    # v1 = 0.05, v2 = 0.9*0.05 + 0.01*0.3 = 0.048; PyTorch's form would step by 0.01*(0.9*0.5 + 0.3) = 0.0075
    dropped = dict(**inputs, eta1=0.1, eta2=0.01, gamma=0.9)
    assert float(classical.solve(**dropped)["theta2"]) == pytest.approx(0.902)
    assert float(evaluate_mistake("sgd-momentum:classical", "rate-outside", dropped)["theta2"]) == pytest.approx(0.9425)


def test_look_ahead_matches_values_by_hand():
    # step 1: g = 2, v = -0.2, theta = 0.8; step 2: at 0.8 - 0.18 = 0.62, g = 1.24, v = -0.18 - 0.124, theta = 0.496
    inputs = dict(theta0=1, c=2, eta=0.1, mu=0.9)
    values = bank.get_drill("nesterov:look-ahead").formula.solve(**inputs)
    assert (float(values["theta1"]), float(values["theta2"])) == pytest.approx((0.8, 0.496))
    assert float(evaluate_mistake("nesterov:look-ahead", "gradient-at-theta", inputs)["theta2"]) == pytest.approx(0.46)


def test_the_bound_of_the_learning_rate_is_sharp():
    for eta, converges in ((0.499, True), (0.501, False)):
        later = get("gd-quadratic-2d").solve(**BOWL | {"eta": eta, "t": 100})
        assert (abs(later["w1"]) < 1) == converges


def test_the_normal_equation_matches_pytorch():
    torch = pytest.importorskip("torch")
    rng = Random(7)
    for _ in range(5):
        X = [[rng.uniform(-3, 3), rng.uniform(-3, 3)] for _ in range(6)]
        y = [rng.uniform(-3, 3) for _ in range(6)]
        both = (torch.tensor(X, dtype=torch.float64), torch.tensor(y, dtype=torch.float64)[:, None])
        expected = torch.linalg.lstsq(*both).solution.flatten().tolist()
        values = get("normal-equation").solve(X=X, y=y)
        assert [float(values["theta1"]), float(values["theta2"])] == pytest.approx(expected)
