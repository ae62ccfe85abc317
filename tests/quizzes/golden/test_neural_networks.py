"""Neurons, layers, and activations against values worked out by hand and against PyTorch."""

import pytest

from quizzes import bank
from quizzes.formulas import get

GOLDEN = [
    ("neuron", dict(x=[2, 3], w=[0.5, -0.5], b=1), dict(z=0.5, y_relu=0.5, y_sigmoid=0.6225, y_tanh=0.4621)),
    ("mlp-params", dict(n0=784, n1=128, n2=64, n3=10), dict(P1=100_480, P2=8_256, P3=650, P=109_386)),
    ("hidden-width", dict(B=109, d=4, c=3), dict(h=13)),  # 8h + 3 parameters: 107 at 13, 115 at 14
    ("linear-shapes", dict(B=32, n_in=784, n_out=128), dict(weight=[128, 784], bias=[128], output=[32, 128])),
    ("perceptron", dict(w=[0, 0], b=0, x=[1, -1], y=1, eta=1), dict(s=0, m=1, w_new=[1, -1], b_new=1)),
    ("perceptron", dict(w=[1, 2], b=0, x=[1, 1], y=1, eta=1), dict(s=3, m=0, w_new=[1, 2], b_new=0)),
    ("perceptron-zero-one", dict(w=[1, 2], b=0, x=[1, 1], y=0, eta=0.5), dict(yhat=1, w_new=[0.5, 1.5], b_new=-0.5)),
    (
        "activation-values",
        dict(z=-1),
        dict(y_leaky=-0.01, y_elu=-0.6321, y_silu=-0.2689, y_gelu=-0.1587, y_softplus=0.3133),
    ),
    ("activation-values", dict(z=1), dict(y_leaky=1, y_elu=1, y_silu=0.7311, y_gelu=0.8413, y_softplus=1.3133)),
    ("activation-derivatives", dict(z=1), dict(dsigmoid=0.1966, dtanh=0.4200, drelu=1, dleaky=1)),
    ("activation-derivatives", dict(z=-1, a=0.2), dict(dsigmoid=0.1966, dtanh=0.4200, drelu=0, dleaky=0.2)),
]
MISTAKES = [
    ("neuron-forward", "no-bias", dict(x=[2, 3], w=[0.5, -0.5], b=1), dict(z=-0.5)),
    ("neuron-forward", "weight-sign-lost", dict(x=[2, 3], w=[0.5, -0.5], b=1), dict(z=3.5)),
    ("neuron-forward", "activation-before-sum", dict(x=[2, 3], w=[0.5, -0.5], b=1), dict(y_relu=2)),
    ("mlp-params", "no-biases", dict(n0=784, n1=128, n2=64, n3=10), dict(P=109_184)),
    ("mlp-params", "all-multiplied", dict(n0=784, n1=128, n2=64, n3=10), dict(P=64_225_280)),
    ("mlp-params", "input-layer-counted", dict(n0=784, n1=128, n2=64, n3=10), dict(P=110_170)),
    ("mlp-shapes", "in-by-out", dict(B=32, n_in=784, n_out=128), dict(weight=[784, 128])),
    ("mlp-shapes", "batch-lost", dict(B=32, n_in=784, n_out=128), dict(output=[128])),
    ("mlp-shapes", "one-bias", dict(B=32, n_in=784, n_out=128), dict(bias=[1])),
    ("perceptron-update", "bias-forgotten", dict(w=[0, 0], b=0, x=[1, -1], y=1, eta=1), dict(b_new=0)),
    ("perceptron-update", "mixes-label-conventions", dict(w=[0, 0], b=0, x=[1, -1], y=1, eta=1), dict(w_new=[2, -2])),
    ("perceptron-update", "updates-when-correct", dict(w=[1, 2], b=0, x=[1, 1], y=1, eta=1), dict(w_new=[2, 3])),
    ("activation-values", "tanh-form", dict(z=-1), dict(y_gelu=-0.1588)),
    ("activation-values", "sigmoid-for-phi", dict(z=-1), dict(y_gelu=-0.2689)),
    ("activation-values", "slope-on-both-sides", dict(z=1), dict(y_leaky=0.01)),
    ("activation-values", "exponential-on-both-sides", dict(z=1), dict(y_elu=1.7183)),
    ("activation-derivs:value", "at-the-argument", dict(z=0.5), dict(dsigmoid=0.25, dtanh=0.75)),
    ("activation-derivs:value", "another-derivative", dict(z=1), dict(dtanh=0.2384)),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    for key, value in expected.items():
        assert values[key] == pytest.approx(value, abs=5e-5), key


@pytest.mark.parametrize(("drill", "mistake", "inputs", "expected"), MISTAKES)
def test_values_of_mistakes(drill, mistake, inputs, expected):
    declared = bank.get_drill(drill)
    [rule] = [rule for rule in declared.mistake_rules if rule.name == mistake]
    truth = declared.formula.evaluate(declared.formula.complete(inputs))
    values = declared.formula.evaluate_with_mistake(rule.replaced, truth, declared.asks)
    for key, value in expected.items():
        assert values[key] == pytest.approx(value, abs=5e-5), key


@pytest.mark.parametrize("z", [-30, -3.7, -1e-6, 0, 0.4, 2, 30])
def test_activations_match_pytorch(z):
    import torch
    import torch.nn.functional as F

    t = torch.tensor(float(z), dtype=torch.float64, requires_grad=True)
    functions = dict(leaky=F.leaky_relu, elu=F.elu, silu=F.silu, gelu=F.gelu, softplus=F.softplus)
    values, slopes = get("activation-values").solve(z=z), get("activation-derivatives").solve(z=z)
    for name, function in functions.items():
        assert float(values[f"y_{name}"]) == pytest.approx(function(t).item(), abs=1e-8), name
    for name in ("sigmoid", "tanh", "softplus", "silu", "relu"):
        [slope] = torch.autograd.grad(getattr(F, name)(t), t)
        assert float(slopes[f"d{name}"]) == pytest.approx(slope.item(), abs=1e-8), name
    [slope] = torch.autograd.grad(F.leaky_relu(t), t)
    assert float(slopes["dleaky"]) == slope.item()
