"""Gradients against published examples, values worked out by hand, and differences of the loss."""

import pytest

from quizzes import bank
from quizzes.formulas import get

SOFTMAX_NET = dict(W1=[[1, -1], [0.5, 0.5]], W2=[[1, 2], [-1, 1]], x=[1, 2], t=[1, 0])
SCALAR_NET = dict(x=1.5, w1=0.8, b1=0.1, w2=-0.6, b2=0.2, t=1)
LAYER = dict(X=[[1, 2], [3, 4]], W=[[1, 0], [2, -1]], dY=[[1, 2], [0, -1]])
STEP = dict(x=[1, 2], W1=[[1, -1], [0.5, 0.5]], b1=[0.5, -0.5], w2=[1, -1], b2=0, t=1, eta=0.5)
GOLDEN = [
    ("backprop-2layer-scalar", SCALAR_NET, dict(g_w2=-0.10945, g_w1=0.02110, delta2=-0.13928, delta1=0.01406)),
    (
        "backprop-2layer-softmax",
        SOFTMAX_NET,
        dict(p=[0.8176, 0.1824], G1=[[0, 0], [-0.1824, -0.3649]], delta2=[-0.1824, 0.1824]),
    ),
    ("matmul-grads", LAYER, dict(dX=[[1, 0], [0, 1]], dW=[[1, -1], [2, 0]], db=[1, 1])),
    ("matmul-grad-shapes", dict(N=4, d=3, m=2), dict(dX=[4, 3], dW=[3, 2], db=[2])),
    ("gradient-check", dict(a=1, x=2, h=0.01), dict(n=12.0001, g=12, r=0.0001 / 12.0001)),
    ("autograd-sum-times-maximum", dict(x=1, y=2, z=0), dict(f=6, dx=2, dy=5, dz=0)),
    ("autograd-sum-times-maximum", dict(x=1, y=2, z=3), dict(f=9, dx=3, dy=3, dz=3)),
    ("autograd-sum-times-maximum", dict(x=1, y=2, z=2), dict(f=6, dx=2, dy=3.5, dz=1.5)),  # as torch.maximum: half each
    ("autograd-shared-node", dict(x=2, y=3), dict(f=48, dv=6, du=14, dx=48, dy=28)),  # f = x^2 y^2 + x^2 y
    ("accumulated-gradient", dict(k=3, g=[0.2, 0.2, 0.2]), dict(grad=0.6, avg=0.2)),
    # z1 = (-0.5, 1), h = (0, 1), z2 = -1: everything follows from y = sigmoid(-1) = 0.268941
    (
        "training-step",
        STEP,
        dict(
            y=0.2689, L=1.3133, delta2=-0.7311, g2=[0, -0.7311], delta1=[0, 0.7311], w2_new=[1, -0.6345],
            b2_new=0.3655, W1_new=[[1, -1], [0.1345, -0.2311]], b1_new=[0.5, -0.8655],
        ),
    ),
]  # fmt: skip
MISTAKES = [
    ("backprop-2layer-softmax", "not-transposed", SOFTMAX_NET, dict(delta1=[0, 0.3649])),
    ("backprop-2layer-softmax", "outer-product-swapped", SOFTMAX_NET, dict(G1=[[0, -0.1824], [0, -0.3649]])),
    ("backprop-2layer-softmax", "mask-forgotten", SOFTMAX_NET, dict(delta1=[-0.3649, -0.1824])),
    ("backprop-2layer-softmax", "softmax-derivative-twice", SOFTMAX_NET, dict(delta2=[-0.0272, 0.0272])),
    ("matmul-grads", "not-transposed", LAYER, dict(dX=[[5, -2], [-2, 1]])),
    ("matmul-grads", "transposed", LAYER, dict(dW=[[1, 2], [-1, 0]])),
    ("matmul-grads", "bias-of-one-sample", LAYER, dict(db=[1, 2])),
    ("grad-check", "one-sided", dict(a=1, x=2, h=0.01), dict(n=12.0601)),
    ("grad-check", "divided-by-h", dict(a=1, x=2, h=0.01), dict(n=24.0002)),
    ("grad-check", "absolute-error", dict(a=1, x=2, h=0.01), dict(r=0.0001)),
    ("autograd-dag", "fan-out-not-summed", dict(x=1, y=2, z=0), dict(dy=2)),
    ("autograd-dag", "maximum-to-both", dict(x=1, y=2, z=0), dict(dz=3)),
    ("grad-accumulate", "overwritten", dict(k=3, g=[0.2, 0.2, 0.2]), dict(grad=0.2)),
    ("grad-accumulate", "divided-twice", dict(k=3, g=[0.2, 0.2, 0.2]), dict(avg=0.2 / 3)),
    ("training-step", "updated-weights-used", STEP, dict(delta1=[0, 0.4638])),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    for key, value in expected.items():
        assert flat(values[key]) == pytest.approx(flat(value), abs=6e-5), key


@pytest.mark.parametrize(("drill", "mistake", "inputs", "expected"), MISTAKES)
def test_values_of_mistakes(drill, mistake, inputs, expected):
    declared = bank.get_drill(drill)
    [rule] = [rule for rule in declared.mistake_rules if rule.name == mistake]
    truth = declared.formula.evaluate(declared.formula.complete(inputs))
    values = declared.formula.evaluate_with_mistake(rule.replaced, truth, declared.asks)
    for key, value in expected.items():
        assert flat(values[key]) == pytest.approx(flat(value), abs=6e-5), key


def test_gradients_of_a_training_step_match_differences_of_the_loss():
    formula, h = get("training-step"), 1e-5
    gradient = formula.solve(**STEP)
    for i, j in ((1, 0), (1, 1)):
        losses = []
        for shift in (h, -h):
            W1 = [list(row) for row in STEP["W1"]]
            W1[i][j] += shift
            losses.append(float(formula.solve(**{**STEP, "W1": W1})["L"]))
        assert (losses[0] - losses[1]) / (2 * h) == pytest.approx(float(gradient["G1"][i][j]), abs=1e-6)


def flat(value):
    return [float(v) for row in value for v in flat(row)] if isinstance(value, list) else [float(value)]
