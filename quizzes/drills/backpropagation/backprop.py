"""Forward and backward pass by hand."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.backpropagation import TWO_LAYER_SCALAR


@drill(
    TWO_LAYER_SCALAR,
    tier=2,
    asks="h y delta2 g_w2 delta1 g_w1",
    decimals=5,
    picture="two-neurons",
    prompt="Two sigmoid neurons in a row: h = sigmoid(w1 x + b1), y = sigmoid(w2 h + b2). The loss is L = (y - "
    "t)^2/2.\n"
    "x = {x}, w1 = {w1}, b1 = {b1}, w2 = {w2}, b2 = {b2}, t = {t}. Do one forward and one backward pass.\n"
    "delta2 and delta1 are dL/dz at the weighted sums z2 and z1; g_w2 and g_w1 are dL/dw2 and dL/dw1.",
    hint="Start at the loss: (y - t), times the sigmoid's derivative y(1 - y), gives delta2; everything else "
    "follows from it.",
)
def backprop_2layer_scalar(rng: Random) -> dict[str, Any]:
    """Backpropagation through two neurons"""

    def weight() -> float:
        return rng.choice([-1, 1]) * rng.randint(2, 15) / 10

    return dict(
        x=rng.choice([-1, 1]) * rng.randint(3, 20) / 10,
        w1=weight(),
        b1=rng.randint(-5, 5) / 10,
        w2=weight(),
        b2=rng.randint(-5, 5) / 10,
        t=rng.choice([0, 1]),
    )


backprop_2layer_scalar.mistake(
    "sign", "delta2 = (t - y)*y*(1 - y)", "dL/dy is y - t: prediction minus target, in this order."
)
backprop_2layer_scalar.mistake(
    "no-sigmoid-derivative-2", "delta2 = y - t", "The second neuron's sigmoid has a derivative too: times y(1 - y)."
)
backprop_2layer_scalar.mistake(
    "factor-2", "delta2 = 2*(y - t)*y*(1 - y)", "With the 1/2 in L its derivative is y - t, without a factor 2."
)
backprop_2layer_scalar.mistake(
    "no-sigmoid-derivative-1", "delta1 = delta2*w2", "The first neuron's sigmoid has a derivative too: times h(1 - h)."
)
backprop_2layer_scalar.mistake(
    "input-for-hidden", "g_w2 = delta2*x", "w2 multiplies h, so its gradient is delta2 times h, not times x."
)
backprop_2layer_scalar.mistake(
    "weighted-sum-for-hidden", "g_w2 = delta2*(w1*x + b1)", "w2 multiplies h = sigmoid(z1), and not z1 itself."
)
backprop_2layer_scalar.mistake(
    "weight-left-out", "delta1 = delta2*h*(1 - h)", "The error comes back through w2: delta1 has the factor w2."
)
backprop_2layer_scalar.torch(
    """
w1, b1, w2, b2 = (torch.tensor(float(v), requires_grad=True) for v in (w1, b1, w2, b2))
z1 = w1 * x + b1
h = torch.sigmoid(z1)
z2 = w2 * h + b2
y = torch.sigmoid(z2)
loss = F.mse_loss(y, torch.tensor(float(t))) / 2
g_w1, g_w2, delta1, delta2 = torch.autograd.grad(loss, (w1, w2, z1, z2))
"""
)
