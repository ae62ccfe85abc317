"""Forward and backward pass, chain rule: drills."""

from collections.abc import Sequence
from random import Random

from quizzes.content.backpropagation.backprop.formulas import (
    GRADIENT_CHECK,
    MATMUL_GRAD_SHAPES,
    MATMUL_GRADS,
    TRAINING_STEP,
    TWO_LAYER_SCALAR,
    TWO_LAYER_SOFTMAX,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.question import Step


def _halves(rng: Random, rows: int, columns: int) -> list[list[float]]:
    """Return a matrix of multiples of 0.5 from -2 to 2, none of them 0."""
    return [[rng.choice([-2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2]) for _ in range(columns)] for _ in range(rows)]


def _pre_activations(W: list[list[float]], x: Sequence[float], b: Sequence[float]) -> list[float]:
    return [sum(w * v for w, v in zip(row, x, strict=True)) + c for row, c in zip(W, b, strict=True)]


NO_RELU_MASK = (
    "You left out the ReLU mask. ReLU has derivative 0 at a negative pre-activation, so delta1 of that neuron is 0."
)


def _gradient_shape_steps(N: int, d: int, m: int, dX: list[int], dW: list[int], db: list[int]) -> list[Step]:
    return [
        Step(f"Compute dX = dY W^T: {N}x{m} times {m}x{d} gives {N}x{d}, the shape of X."),
        Step(f"Compute dW = X^T dY: {d}x{N} times {N}x{m} gives {d}x{m}, the shape of W."),
        Step(f"Sum dY over the {N} samples: db has the shape of b, {m}."),
    ]


@drill(
    TWO_LAYER_SCALAR,
    tier=2,
    asks=("h", "y", "delta2", "g_w2", "delta1", "g_w1"),
    visualization="two-neurons",
    decimals=5,
    prompt="Two sigmoid neurons in a row compute h = sigmoid(z1) with z1 = w1 x + b1, and y = sigmoid(z2) with "
    "z2 = w2 h + b2. The loss is L = (y - t)^2/2.\n"
    "x = {x}, w1 = {w1}, b1 = {b1}, w2 = {w2}, b2 = {b2}, t = {t}.\n"
    "Run one forward and one backward pass. What are h, y, delta2 = dL/dz2, g_w2 = dL/dw2, delta1 = dL/dz1, and "
    "g_w1 = dL/dw1?",
    hint="Start at the loss: y - t times the sigmoid's derivative y(1 - y) is delta2. The chain rule gives the rest.",
    mistakes=[
        Mistake(
            "sign",
            "delta2 = (t - y)*y*(1 - y)",
            "You used t - y. The derivative of (y - t)^2/2 is y - t, prediction minus target.",
        ),
        Mistake(
            "no-sigmoid-derivative-2",
            "delta2 = y - t",
            "You left out the sigmoid's derivative at the second neuron. Multiply by y(1 - y).",
        ),
        Mistake(
            "factor-2",
            "delta2 = 2*(y - t)*y*(1 - y)",
            "You kept a factor 2. The 1/2 in L cancels it, so dL/dy is y - t.",
        ),
        Mistake(
            "no-sigmoid-derivative-1",
            "delta1 = delta2*w2",
            "You left out the sigmoid's derivative at the first neuron. Multiply by h(1 - h).",
        ),
        Mistake(
            "input-for-hidden",
            "g_w2 = delta2*x",
            "You multiplied by x. w2 multiplies h, so its gradient is delta2 times h.",
        ),
        Mistake(
            "weighted-sum-for-hidden",
            "g_w2 = delta2*(w1*x + b1)",
            "You multiplied by the pre-activation z1. w2 multiplies h = sigmoid(z1), so its gradient is delta2 times "
            "h.",
        ),
        Mistake(
            "weight-left-out",
            "delta1 = delta2*h*(1 - h)",
            "You left out w2. The gradient flows back through w2, so delta1 has the factor w2.",
        ),
    ],
)
def backprop_2layer_scalar(rng: Random) -> Inputs:
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


@drill(
    TWO_LAYER_SOFTMAX,
    tier=2,
    asks=("p", "delta2", "G2", "delta1", "G1"),
    visualization="network",
    prompt="A network computes z1 = W1 x, h = ReLU(z1), z2 = W2 h, and p = softmax(z2). "
    "The loss L is the cross-entropy with the one-hot target t.\n"
    "W1 = {W1}, W2 = {W2}, x = {x}, t = {t}.\n"
    "What are p, the errors delta2 = dL/dz2 and delta1 = dL/dz1, and the gradients G2 = dL/dW2 and G1 = dL/dW1 (each "
    "with the shape of its weight matrix)?\n"
    "Conventions: natural log; no biases.",
    hint="Softmax with cross-entropy gives delta2 = p - t. The gradient of a weight is the error of its neuron times "
    "the input that it multiplies.",
    mistakes=[
        Mistake(
            "sign",
            "delta2[k] = t[k] - p[k]",
            "You used t - p. The derivative dL/dz2 is p - t, prediction minus target.",
        ),
        Mistake(
            "softmax-derivative-twice",
            "delta2[k] = (p[k] - t[k])*p[k]*(1 - p[k])",
            "You multiplied by p(1 - p). p - t already includes the softmax's derivative, so leave this factor out.",
        ),
        Mistake(
            "mask-on-output",
            "delta2[k] = (p[k] - t[k])*[z2[k] > 0]",
            "You applied the ReLU mask at the output. ReLU is applied to z1, so its mask belongs to delta1, not to "
            "delta2.",
        ),
        Mistake(
            "outer-product-swapped",
            "G2[i, k] = h[i]*delta2[k]; G1[j, i] = x[j]*delta1[i]",
            "Your outer product is transposed. Each row of W belongs to one neuron, so use delta times the "
            "transposed input.",
        ),
        Mistake(
            "not-transposed",
            "delta1[i] = [z1[i] > 0]*sum(k, W2[i, k]*delta2[k])",
            "You did not transpose W2. The backward pass multiplies by W2^T: each hidden neuron uses its column of W2.",
        ),
        Mistake("mask-forgotten", "delta1[i] = sum(k, W2[k, i]*delta2[k])", NO_RELU_MASK),
    ],
)
def backprop_2layer_softmax(rng: Random) -> Inputs:
    """Backpropagation through a ReLU layer and a softmax"""
    while True:
        W1, W2, x = _halves(rng, 2, 2), _halves(rng, 2, 2), [rng.choice([-2, -1, 1, 2, 3]) for _ in range(2)]
        z1 = _pre_activations(W1, x, [0, 0])
        first, second = _pre_activations(W2, [max(0, z) for z in z1], [0, 0])
        # The entries of delta1 are differences of the two weights of an active neuron, as p - t adds up to 0.
        nonzero_delta1 = any(z > 0 and a != b for z, a, b in zip(z1, *W2, strict=True))
        if 0 not in z1 and nonzero_delta1 and 0 < abs(first - second) <= 4:
            return dict(W1=W1, W2=W2, x=x, t=rng.choice([[1, 0], [0, 1]]))


@drill(
    MATMUL_GRADS,
    tier=2,
    asks=("dX", "dW", "db"),
    visualization="matrices X W dY",
    decimals=None,
    prompt="A linear layer computes Y = X W + b for a batch X (one row per sample; b is added to every row).\n"
    "X = {X}, W = {W}, and the upstream gradient is dY = dL/dY = {dY}.\n"
    "What are dX = dL/dX, dW = dL/dW, and db = dL/db?",
    hint="A gradient has the shape of its tensor. Which product of the given matrices has that shape?",
    mistakes=[
        Mistake(
            "not-transposed",
            "dX[n, j] = sum(k, dY[n, k]*W[k, j])",
            "You did not transpose W. The backward pass multiplies by the transpose: dX is dY W^T.",
        ),
        Mistake(
            "transposed",
            "dX[j, n] = sum(k, W[j, k]*dY[n, k]); dW[k, j] = sum(n, dY[n, k]*X[n, j])",
            "Your gradient is transposed. A gradient has the shape of its tensor, so dX is dY W^T and dW is X^T dY.",
        ),
        Mistake(
            "bias-of-one-sample",
            "db[k] = dY[1, k]",
            "You used one sample only. b is added to every row, so its gradient is the sum over all samples.",
        ),
        Mistake(
            "bias-averaged",
            "db[k] = mean(n, dY[n, k])",
            "You averaged over the samples. b is added to every row, so its gradients add up; if the loss is a mean, "
            "dY "
            "already includes that.",
        ),
        Mistake(
            "bias-over-features",
            "db[n] = sum(k, dY[n, k])",
            "You summed over the features. b has one entry per output feature, so sum each column of dY over the "
            "samples.",
        ),
    ],
)
def matmul_grads(rng: Random) -> Inputs:
    """Gradients of a linear layer"""

    def integers(rows: int, columns: int) -> list[list[int]]:
        return [[rng.randint(-3, 4) for _ in range(columns)] for _ in range(rows)]

    samples = rng.choice([2, 2, 4])
    return dict(X=integers(samples, 2), W=integers(2, 2), dY=integers(samples, 2))


@drill(
    MATMUL_GRAD_SHAPES,
    id="matmul-grads:shapes",
    tier=1,
    asks=("dX", "dW", "db"),
    visualization="flow: X: {N} x {d} > times W: {d} x {m}, plus b > Y: {N} x {m}",
    steps=_gradient_shape_steps,
    prompt="A linear layer computes Y = X W + b. X is {N}x{d} (one row for each of {N} samples), W is {d}x{m}, and b "
    "has {m} entries. L is a scalar loss. What are the shapes of dX = dL/dX, dW = dL/dW, and db = dL/db?",
    hints=(
        "How many partial derivatives does a scalar loss have with respect to a tensor?",
        "Y = X W + b has the gradients dX = dY W^T and dW = X^T dY, and db is the sum of the rows of dY.",
        "First step: write the shape of dY, then that of W^T. The outer two numbers are the shape of their product.",
    ),
    mistakes=[
        Mistake(
            "transposed",
            {"dX": lambda N, d, m: [d, N], "dW": lambda N, d, m: [m, d]},
            "Your shape is transposed. A gradient has the shape of its tensor, with rows and columns in the same "
            "order.",
        ),
        Mistake(
            "shape-of-output",
            {"dX": lambda N, d, m: [N, m], "dW": lambda N, d, m: [N, m]},
            "That is the shape of Y and of dY. A gradient has the shape of the tensor that it belongs to.",
        ),
        Mistake(
            "bias-not-summed",
            {"db": lambda N, d, m: [N, m]},
            "That is the shape of dY. All samples share b, so its gradient is summed over the batch and has the "
            "shape of b.",
        ),
    ],
)
def matmul_grad_shapes(rng: Random) -> Inputs:
    """Shapes of the gradients of a linear layer"""
    N, d, m = rng.sample([2, 3, 4, 5, 6, 8, 10, 16, 20, 32, 64, 128], 3)
    return dict(N=N, d=d, m=m)


@drill(
    GRADIENT_CHECK,
    id="grad-check",
    tier=2,
    asks=("g", "n", "r"),
    visualization="functions: cubic at x",
    decimals=6,
    prompt="Check the gradient of f(x) = a x^3 + b x^2 with a = {a} and b = {b} at x = {x}.\n"
    "What are the analytical derivative g, the central difference n with step size h = {h} (from f at x + h and "
    "x - h), and the relative error r = |g - n| / max(|g|, |n|)?",
    hint="How far apart are the points x + h and x - h?",
    mistakes=[
        Mistake(
            "power-not-lowered",
            "g = 3a*x^3 + 2b*x^2",
            "You kept the powers of x. Differentiation lowers each power by one, so g = 3a x^2 + 2b x.",
        ),
        Mistake(
            "one-sided",
            "n = (f_plus - (a*x^3 + b*x^2))/h",
            "That is the one-sided difference, whose error shrinks only with h. Use f on both sides of x.",
        ),
        Mistake(
            "divided-by-h",
            "n = (f_plus - f_minus)/h",
            "You divided by h. The points x - h and x + h are 2h apart, so divide by 2h.",
        ),
        Mistake(
            "absolute-error", "r = abs(g - n)", "That is the absolute error. Divide it by the larger of |g| and |n|."
        ),
    ],
)
def grad_check(rng: Random) -> Inputs:
    """Gradient check by a central difference"""
    while True:
        a, b, x = rng.choice([-2, -1, 1, 2, 3]), rng.randint(-4, 4), rng.choice([-3, -2, -1, 1, 2, 3])
        if abs(3 * a * x * x + 2 * b * x) > 3:
            return dict(a=a, b=b, x=x, h=rng.choice([0.1, 0.2, 0.5, 0.05]))


@drill(
    TRAINING_STEP,
    tier=3,
    asks=("h", "y", "L", "delta2", "g2", "delta1", "G1", "w2_new", "b2_new", "W1_new", "b1_new"),
    visualization="network",
    prompt="A network for two classes computes h = ReLU(z1) with z1 = W1 x + b1, and y = sigmoid(z2) with "
    "z2 = w2 . h + b2. The loss L is the binary cross-entropy with the target t.\n"
    "W1 = {W1}, b1 = {b1}, w2 = {w2}, b2 = {b2}; the sample is x = {x}, t = {t}.\n"
    "Do one full step of gradient descent with learning rate eta = {eta}. What are the results of the forward "
    "pass (h, y, L), the errors delta2 = dL/dz2 and delta1 = dL/dz1, the gradients g2 = dL/dw2 and G1 = dL/dW1, and "
    "the parameters after the step (w2_new, b2_new, W1_new, b1_new)?\n"
    "Conventions: natural log; all gradients computed before any parameter is updated.",
    hint="Sigmoid with binary cross-entropy gives delta2 = y - t. The gradient of a bias is the error of its neuron.",
    mistakes=[
        Mistake(
            "no-bias",
            "h[i] = relu(z1[i] - b1[i]); y = sigmoid(z2 - b2)",
            "You left out the bias. Add it before the activation.",
        ),
        Mistake("relu-left-out", "h[i] = z1[i]", "You left out ReLU. It sets a negative pre-activation to 0."),
        Mistake(
            "wrong-term",
            "L = -(t*ln(1 - y) + (1 - t)*ln(y))",
            "You swapped the two terms. ln(y) belongs to the target 1, and ln(1 - y) to the target 0.",
        ),
        Mistake(
            "log10",
            "L = -(t*log10(y) + (1 - t)*log10(1 - y))",
            "You used the base-10 logarithm. The cross-entropy uses the natural logarithm.",
        ),
        Mistake("sign", "delta2 = t - y", "You used t - y. The derivative dL/dz2 is y - t, prediction minus target."),
        Mistake(
            "sigmoid-derivative-twice",
            "delta2 = (y - t)*y*(1 - y)",
            "You multiplied by y(1 - y), as for the squared error. With the cross-entropy this factor cancels, so "
            "delta2 is "
            "y - t.",
        ),
        Mistake(
            "outer-product-swapped",
            "G1[j, i] = x[j]*delta1[i]",
            "Your outer product is transposed. Each row of W1 belongs to one neuron, so use delta1 times the "
            "transposed x.",
        ),
        Mistake("mask-forgotten", "delta1[i] = delta2*w2[i]", NO_RELU_MASK),
        Mistake(
            "updated-weights-used",
            "delta1[i] = delta2*(w2[i] - eta*g2[i])*[z1[i] > 0]",
            "You used the updated w2. All gradients use the old parameters, so delta1 uses the w2 of the forward pass.",
        ),
        Mistake(
            "ascent",
            "w2_new[i] = w2[i] + eta*g2[i]; b2_new = b2 + eta*delta2; W1_new[i, j] = W1[i, j] + eta*G1[i, j]; "
            "b1_new[i] = b1[i] + eta*delta1[i]",
            "You added the step. Gradient descent subtracts it: parameter minus learning rate times gradient.",
        ),
        Mistake(
            "no-learning-rate",
            "w2_new[i] = w2[i] - g2[i]; b2_new = b2 - delta2; W1_new[i, j] = W1[i, j] - G1[i, j]; b1_new[i] = b1[i] - "
            "delta1[i]",
            "You left out the learning rate. The step is the learning rate times the gradient.",
        ),
        Mistake(
            "bias-not-updated",
            "b2_new = b2; b1_new[i] = b1[i]",
            "You did not update the biases. They are parameters too, and their gradients are the errors.",
        ),
    ],
)
def training_step(rng: Random) -> Inputs:
    """One full training step of a two-layer network"""
    while True:
        W1, x = _halves(rng, 2, 2), [rng.choice([-2, -1, 1, 2, 3]) for _ in range(2)]
        [w2], b2 = _halves(rng, 1, 2), rng.choice([-1, -0.5, 0.5, 1])
        b1 = [rng.choice([-1, -0.5, 0.5, 1]) for _ in range(2)]
        z1 = _pre_activations(W1, x, b1)
        [logit] = _pre_activations([w2], [max(0, z) for z in z1], [b2])
        if 0 not in z1 and max(z1) > 0 and abs(logit) <= 3:
            break
    return dict(x=x, W1=W1, b1=b1, w2=w2, b2=b2, t=rng.choice([0, 1]), eta=rng.choice([0.1, 0.2, 0.5]))


WEIGHTS = {"w1": [-2, 2], "w2": [-2, 2]}  # the intervals in which expressions are compared


@drill(
    TWO_LAYER_SCALAR,
    tier=2,
    asks=one_of(
        derive("g_w2", in_terms_of="h y w2", form="factored"), derive("g_w1", in_terms_of="h y w2", form="factored")
    ),
    prompt="Two neurons compute h = sigmoid(w1*x + b1) and y = sigmoid(w2*h + b2) with b1 = {b1} and b2 = {b2}, for "
    "x = {x} and the target t = {t}. The loss is (y - t)^2/2.\n"
    "Derive the gradient of the loss, g_w1 = dL/dw1 or g_w2 = dL/dw2, as asked below.",
    hints=(
        "Go backward from the loss. By which factor does each sigmoid multiply the gradient?",
        "The derivative of (y - t)^2/2 with respect to y is y - t, and a sigmoid with the value s has the derivative "
        "s(1 - s).",
        "First step: write the gradient at the input of the second sigmoid as a product of two derivatives.",
    ),
    mistakes=[
        Mistake(
            "output-slope-lost",
            "delta2 = y - t",
            "You left out the derivative of the output's sigmoid. The chain rule multiplies by y(1 - y).",
        ),
        Mistake(
            "hidden-slope-lost",
            "delta1 = delta2*w2",
            "You left out the derivative of the hidden sigmoid. The chain rule multiplies by h(1 - h).",
        ),
        Mistake(
            "tanh-slope",
            "delta1 = delta2*w2*(1 - h^2)",
            "You used the derivative of tanh. The derivative of a sigmoid with value h is h(1 - h).",
        ),
        Mistake(
            "weight-forgotten",
            "delta1 = delta2*h*(1 - h)",
            "You left out w2. The gradient passes from y to h through the weight w2.",
        ),
        Mistake(
            "input-for-hidden",
            "g_w2 = delta2*x",
            "You multiplied by the input of the network. w2 is multiplied by h, so its gradient has the factor h.",
        ),
        Mistake(
            "target-minus-output",
            "delta2 = (t - y)*y*(1 - y)",
            "The sign is reversed. The derivative of (y - t)^2/2 with respect to y is y - t.",
        ),
    ],
)
def backprop_expression(rng: Random) -> Inputs:
    """Gradient of two sigmoid neurons as an expression"""
    return dict(x=rng.choice([-5, -4, -3, -2, 2, 3, 4, 5, 6, 7, 8, 9]), t=rng.choice([0, 1]), variables=WEIGHTS)
