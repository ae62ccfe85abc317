"""Forward and backward pass by hand."""

from collections.abc import Sequence
from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.backpropagation import (
    GRADIENT_CHECK,
    MATMUL_GRAD_SHAPES,
    MATMUL_GRADS,
    TRAINING_STEP,
    TWO_LAYER_SCALAR,
    TWO_LAYER_SOFTMAX,
)
from quizzes.question import Step


@drill(
    TWO_LAYER_SCALAR,
    tier=2,
    asks="h y delta2 g_w2 delta1 g_w1",
    visualization="two-neurons",
    decimals=5,
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


def _halves(rng: Random, rows: int, columns: int) -> list[list[float]]:
    """A matrix of halves between -2 and 2, none of them 0."""
    return [[rng.choice([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2]) for _ in range(columns)] for _ in range(rows)]


def _sums(W: list[list[float]], x: Sequence[float], b: Sequence[float]) -> list[float]:
    return [sum(w * v for w, v in zip(row, x, strict=True)) + c for row, c in zip(W, b, strict=True)]


@drill(
    TWO_LAYER_SOFTMAX,
    tier=2,
    asks="p delta2 G2 delta1 G1",
    visualization="network",
    prompt="A network without biases: z1 = W1 x, h = ReLU(z1), z2 = W2 h, p = softmax(z2), and the loss L is the "
    "cross-entropy (natural logarithm) with the one-hot target t.\nW1 = {W1}, W2 = {W2}, x = {x}, t = {t}.\nCompute p, "
    "the errors delta2 = dL/dz2 and delta1 = dL/dz1, and the gradients G2 = dL/dW2 and G1 = dL/dW1 (each of the shape "
    "of its weights).",
    hint="Softmax and cross-entropy together give delta2 = p - t; a gradient of weights is error times input of the "
    "layer.",
)
def backprop_2layer_softmax(rng: Random) -> dict[str, Any]:
    """Backpropagation through a ReLU layer and a softmax"""
    while True:
        W1, W2, x = _halves(rng, 2, 2), _halves(rng, 2, 2), [rng.choice([-2, -1, 1, 2, 3]) for _ in range(2)]
        sums = _sums(W1, x, [0, 0])
        first, second = _sums(W2, [max(0, z) for z in sums], [0, 0])
        told = any(z > 0 and a != b for z, a, b in zip(sums, *W2, strict=True))  # else delta1 is 0
        if 0 not in sums and told and 0 < abs(first - second) <= 4:
            return dict(W1=W1, W2=W2, x=x, t=rng.choice([[1, 0], [0, 1]]))


backprop_2layer_softmax.mistake(
    "sign", "delta2[k] = t[k] - p[k]", "dL/dz2 is prediction minus target, p - t, in this order."
)
backprop_2layer_softmax.mistake(
    "softmax-derivative-twice",
    "delta2[k] = (p[k] - t[k])*p[k]*(1 - p[k])",
    "p - t holds the softmax's derivative already: no further factor p(1 - p).",
)
backprop_2layer_softmax.mistake(
    "mask-on-output",
    "delta2[k] = (p[k] - t[k])*max(0, sign(z2[k]))",
    "The ReLU stands at the hidden layer: its mask belongs to delta1, and delta2 is p - t.",
)
backprop_2layer_softmax.mistake(
    "outer-product-swapped",
    "G2[i, k] = h[i]*delta2[k]; G1[j, i] = x[j]*delta1[i]",
    "A row of W belongs to a neuron, so the error gives the rows and the layer's input the columns: delta times h "
    "transposed.",
)
backprop_2layer_softmax.mistake(
    "not-transposed",
    "delta1[i] = max(0, sign(z1[i]))*sum(k, W2[i, k]*delta2[k])",
    "Backwards W2 is used transposed: hidden neuron i gathers the errors over column i of W2.",
)
backprop_2layer_softmax.mistake(
    "mask-forgotten",
    "delta1[i] = sum(k, W2[k, i]*delta2[k])",
    "A hidden neuron whose weighted sum is negative is cut off by ReLU: its delta1 is 0.",
)
backprop_2layer_softmax.torch(
    """
W1, W2 = W1.requires_grad_(), W2.requires_grad_()
z1 = W1 @ x
z2 = W2 @ F.relu(z1)
p = F.softmax(z2, dim=0)
G2, G1, delta2, delta1 = torch.autograd.grad(F.cross_entropy(z2, t), (W2, W1, z2, z1))
"""
)


@drill(
    MATMUL_GRADS,
    tier=2,
    asks="dX dW db",
    visualization="matrices X W dY",
    decimals=None,
    prompt="A linear layer computes Y = X W + b for a batch X (a row for each sample; b is added to every row).\nX = "
    "{X}, W = {W}, and from above arrives dY = dL/dY = {dY}.\nWhat are dX = dL/dX, dW = dL/dW and db = dL/db?",
    hint="A gradient has the shape of what it belongs to, and only one product of the matrices at hand has that shape.",
)
def matmul_grads(rng: Random) -> dict[str, Any]:
    """Gradients of a linear layer"""

    def whole(rows: int, columns: int) -> list[list[int]]:
        return [[rng.randint(-3, 4) for _ in range(columns)] for _ in range(rows)]

    samples = rng.choice([2, 2, 4])
    return dict(X=whole(samples, 2), W=whole(2, 2), dY=whole(samples, 2))


matmul_grads.mistake(
    "not-transposed",
    "dX[n, j] = sum(k, dY[n, k]*W[k, j])",
    "Backwards the weight is transposed: dX is dY times W transposed.",
)
matmul_grads.mistake(
    "transposed",
    "dX[j, n] = sum(k, W[j, k]*dY[n, k]); dW[k, j] = sum(n, dY[n, k]*X[n, j])",
    "This is the gradient transposed: it must have the shape and the order of rows and columns of its tensor.",
)
matmul_grads.mistake(
    "bias-of-one-sample",
    "db[k] = dY[1, k]",
    "The bias acts on every row of the batch: its gradient is the sum over all samples.",
)
matmul_grads.mistake(
    "bias-averaged",
    "db[k] = mean(n, dY[n, k])",
    "The gradients of the samples are summed: a mean belongs to the loss, and dY holds it already if there is one.",
)
matmul_grads.mistake(
    "bias-over-features",
    "db[n] = sum(k, dY[n, k])",
    "Sum down the columns of dY, over the samples: b has one entry for each output feature.",
)
matmul_grads.torch(
    """
X, W, b = X.requires_grad_(), W.requires_grad_(), torch.zeros(W.shape[1], requires_grad=True)
dX, dW, db = torch.autograd.grad(torch.addmm(b, X, W), (X, W, b), grad_outputs=dY)
"""
)


def _gradient_shape_steps(N: int, d: int, m: int, dX: list, dW: list, db: list) -> list[Step]:
    return [
        Step(f"dX = dY W^T: {N}x{m} times {m}x{d} is {N}x{d}, the shape of X."),
        Step(f"dW = X^T dY: {d}x{N} times {N}x{m} is {d}x{m}, the shape of W."),
        Step(f"db sums dY over the {N} samples: {m}, the shape of b."),
    ]


@drill(
    MATMUL_GRAD_SHAPES,
    id="matmul-grads:shapes",
    tier=1,
    asks="dX dW db",
    visualization="flow: X: {N} x {d} > times W: {d} x {m}, plus b > Y: {N} x {m}",
    steps=_gradient_shape_steps,
    prompt="A linear layer computes Y = X W + b; X is {N}x{d} (a row for each of {N} samples), W is {d}x{m}, and b has "
    "{m} entries. L is a scalar loss. What are the shapes of dX = dL/dX, dW = dL/dW and db = dL/db?",
    hint="How many partial derivatives does a scalar loss have with respect to a tensor?",
)
def matmul_grad_shapes(rng: Random) -> dict[str, Any]:
    """Shapes of the gradients of a linear layer"""
    N, d, m = rng.sample([2, 3, 4, 5, 6, 8, 10, 16, 20, 32, 64, 128], 3)
    return dict(N=N, d=d, m=m)


matmul_grad_shapes.mistake(
    "transposed",
    {"dX": lambda N, d, m: [d, N], "dW": lambda N, d, m: [m, d]},
    "A gradient has the shape of its tensor, with rows and columns in the same order.",
)
matmul_grad_shapes.mistake(
    "shape-of-output",
    {"dX": lambda N, d, m: [N, m], "dW": lambda N, d, m: [N, m]},
    "That is the shape of Y and of dY: what is asked has the shape of the tensor it is the gradient of.",
)
matmul_grad_shapes.mistake(
    "bias-not-summed",
    {"db": lambda N, d, m: [N, m]},
    "b is shared by all samples: its gradient is summed over the batch and has the shape of b.",
)
matmul_grad_shapes.torch(
    """
X, W, b = (torch.zeros(*shape, requires_grad=True) for shape in ((N, d), (d, m), (m,)))
torch.addmm(b, X, W).sum().backward()
dX, dW, db = (list(tensor.grad.shape) for tensor in (X, W, b))
"""
)


@drill(
    GRADIENT_CHECK,
    id="grad-check",
    tier=2,
    asks="g n r",
    visualization="functions: cubic at x",
    decimals=6,
    prompt="The gradient of f(x) = a x^3 + b x^2 with a = {a} and b = {b} is checked at x = {x}.\nCompute the slope g "
    "by differentiating, the slope n by the central difference with h = {h} (of f at x + h and x - h), and the "
    "relative error r = |g - n| / max(|g|, |n|).",
    hint="The points x + h and x - h lie 2h apart.",
)
def grad_check(rng: Random) -> dict[str, Any]:
    """Gradient check by a central difference"""
    while True:
        a, b, x = rng.choice([-2, -1, 1, 2, 3]), rng.randint(-4, 4), rng.choice([-3, -2, -1, 1, 2, 3])
        if abs(3 * a * x * x + 2 * b * x) > 3:
            return dict(a=a, b=b, x=x, h=rng.choice([0.1, 0.2, 0.5, 0.05]))


grad_check.mistake(
    "power-not-lowered", "g = 3a*x^3 + 2b*x^2", "Each power goes down by one when it is differentiated: 3a x^2 + 2b x."
)
grad_check.mistake(
    "one-sided",
    "n = (f_plus - (a*x^3 + b*x^2))/h",
    "That is the one-sided difference, whose error falls only with h: take f on both sides of x.",
)
grad_check.mistake(
    "divided-by-h", "n = (f_plus - f_minus)/h", "The two points are 2h apart: divide by 2h, and not by h."
)
grad_check.mistake(
    "absolute-error", "r = abs(g - n)", "That is the absolute error: divide it by the larger of |g| and |n|."
)
grad_check.torch(
    """
import math
from bisect import bisect_left

points = torch.tensor([float(x - h), float(x), float(x + h)], requires_grad=True)
values = a * points**3 + b * points**2
n = torch.gradient(values.detach(), spacing=h)[0][1].item()
g = torch.autograd.grad(values.sum(), points)[0][1].item()
# The least tolerance at which math.isclose calls the two slopes close, to 12 decimals, is their relative error.
r = bisect_left(range(10**12), True, key=lambda k: math.isclose(g, n, rel_tol=k / 10**12)) / 10**12
"""
)


@drill(
    TRAINING_STEP,
    tier=3,
    asks="h y L delta2 g2 delta1 G1 w2_new b2_new W1_new b1_new",
    visualization="network",
    prompt="A network for two classes: h = ReLU(W1 x + b1), y = sigmoid(w2 . h + b2), and the loss L is the binary "
    "cross-entropy with the target t, natural logarithm.\nW1 = {W1}, b1 = {b1}, w2 = {w2}, b2 = {b2}; the sample is x "
    "= {x}, t = {t}.\nDo one full step of gradient descent with learning rate {eta}: the forward pass (h, y, L), the "
    "errors delta2 = dL/dz2 and delta1 = dL/dz1 at the weighted sums, the gradients g2 = dL/dw2 and G1 = dL/dW1, and "
    "all the parameters after the step (w2_new, b2_new, W1_new, b1_new). All gradients are taken before anything is "
    "updated.",
    hint="Sigmoid and binary cross-entropy together give delta2 = y - t; a bias has the error itself as its gradient.",
)
def training_step(rng: Random) -> dict[str, Any]:
    """One full training step of a two-layer network"""
    while True:
        W1, x = _halves(rng, 2, 2), [rng.choice([-2, -1, 1, 2, 3]) for _ in range(2)]
        [w2], b2 = _halves(rng, 1, 2), rng.choice([-1, -0.5, 0.5, 1])
        b1 = [rng.choice([-1, -0.5, 0.5, 1]) for _ in range(2)]
        sums = _sums(W1, x, b1)
        [logit] = _sums([w2], [max(0, z) for z in sums], [b2])
        if 0 not in sums and max(sums) > 0 and abs(logit) <= 3:
            break
    return dict(x=x, W1=W1, b1=b1, w2=w2, b2=b2, t=rng.choice([0, 1]), eta=rng.choice([0.1, 0.2, 0.5]))


training_step.mistake(
    "no-bias", "h[i] = relu(z1[i] - b1[i]); y = sigmoid(z2 - b2)", "Each neuron adds its bias before its activation."
)
training_step.mistake("relu-left-out", "h[i] = z1[i]", "ReLU sets a negative weighted sum to 0.")
training_step.mistake(
    "wrong-term",
    "L = -(t*ln(1 - y) + (1 - t)*ln(y))",
    "ln y belongs to the target 1, and ln(1 - y) to the target 0.",
)
training_step.mistake(
    "log10",
    "L = -(t*log10(y) + (1 - t)*log10(1 - y))",
    "The loss is taken with the natural logarithm, not with that to base 10.",
)
training_step.mistake("sign", "delta2 = t - y", "dL/dz2 is prediction minus target, y - t, in this order.")
training_step.mistake(
    "sigmoid-derivative-twice",
    "delta2 = (y - t)*y*(1 - y)",
    "With the cross-entropy the sigmoid's derivative cancels: y - t, without the factor y(1 - y) of the squared error.",
)
training_step.mistake(
    "outer-product-swapped",
    "G1[j, i] = x[j]*delta1[i]",
    "A row of W1 belongs to a neuron, so the errors give the rows and the inputs the columns.",
)
training_step.mistake(
    "mask-forgotten",
    "delta1[i] = delta2*w2[i]",
    "A hidden neuron whose weighted sum is negative is cut off by ReLU: its delta1 is 0.",
)
training_step.mistake(
    "updated-weights-used",
    "delta1[i] = delta2*(w2[i] - eta*g2[i])*max(0, sign(z1[i]))",
    "All gradients belong to the old parameters: the error comes back through w2 as it was in the forward pass.",
)
training_step.mistake(
    "ascent",
    "w2_new[i] = w2[i] + eta*g2[i]; b2_new = b2 + eta*delta2; W1_new[i, j] = W1[i, j] + eta*G1[i, j]; "
    "b1_new[i] = b1[i] + eta*delta1[i]",
    "Descent subtracts: parameter minus learning rate times gradient.",
)
training_step.mistake(
    "no-learning-rate",
    "w2_new[i] = w2[i] - g2[i]; b2_new = b2 - delta2; W1_new[i, j] = W1[i, j] - G1[i, j]; b1_new[i] = b1[i] - "
    "delta1[i]",
    "The step is the learning rate times the gradient.",
)
training_step.mistake(
    "bias-not-updated", "b2_new = b2; b1_new[i] = b1[i]", "Biases are parameters too: their gradients are the errors."
)
training_step.torch(
    """
W1, b1, w2 = W1.requires_grad_(), b1.requires_grad_(), w2.requires_grad_()
b2 = torch.tensor(float(b2), requires_grad=True)
z1 = F.linear(x, W1, b1)
h = F.relu(z1)
z2 = w2 @ h + b2
y = torch.sigmoid(z2)
loss = F.binary_cross_entropy_with_logits(z2, torch.tensor(float(t)))
L = loss.item()
delta2, delta1, g2, G1 = torch.autograd.grad(loss, (z2, z1, w2, W1), retain_graph=True)
loss.backward()
torch.optim.SGD([W1, b1, w2, b2], lr=eta).step()
W1_new, b1_new, w2_new, b2_new = W1, b1, w2, b2
"""
)
