"""Finding a minimum: exactly, or by gradient descent with learning rates and batches."""

from typing import Any

from quizzes.formulas import formula

# One step of an optimizer.
GRADIENT_STEP: dict[str, Any] = dict(
    theta_prior="real; parameter before the step",
    g="real; gradient",
    eta="real 0.. = 0.01; learning rate",
    theta="real; updated parameter",
)
# Passes through a training set in batches.
EPOCHS: dict[str, Any] = dict(
    N="int 1..1000000000; number of training samples",
    B="int 1..100000; batch size",
    epochs="int 1..100000 = 1; number of epochs",
)
# Gradients of several batches on several devices, combined in one update.
ACCUMULATION: dict[str, Any] = dict(
    B="int 1..100000; batch size of one forward pass on one device",
    k="int 1..10000 = 1; number of batches accumulated per update",
    G="int 1..10000 = 1; number of devices that train in parallel",
)

NORMAL_EQUATION = formula(
    "normal-equation",
    """
    A[j, k] = sum(i, X[i, j]*X[i, k])
    c[j] = sum(i, X[i, j]*y[i])
    D = A[1, 1]*A[2, 2] - A[1, 2]^2
    theta1 = (A[2, 2]*c[1] - A[1, 2]*c[2])/D
    theta2 = (A[1, 1]*c[2] - A[1, 2]*c[1])/D
    """,
    topic="normal-equation",
    title="Normal equation for two columns",
    source="derivation: the gradient 2 X^T (X theta - y) is zero if X^T X theta = X^T y; a symmetric 2x2 matrix "
    "[[p, q], [q, r]] has the inverse [[r, -q], [-q, p]]/(pr - q^2)",
    shapes="X[i, 2]",
    X="matrix; one row per sample, two columns",
    y="vector; targets",
    A="matrix; X^T X",
    c="vector; X^T y",
    D="real; determinant of A",
    theta1="real; parameter of the first column",
    theta2="real; parameter of the second column",
)

GD_STEP = formula(
    "gd-step",
    "theta = theta_prior - eta*g",
    topic="gradient-descent",
    title="One step of gradient descent",
    source="Goodfellow, Bengio & Courville, Deep Learning, 2016",
    **GRADIENT_STEP,
)

GD_QUADRATIC = formula(
    "gd-quadratic",
    "w = (1 - eta*c)^t*w0",
    topic="gradient-descent",
    title="Gradient descent on L = c w^2/2, after t steps",
    source="derivation: the gradient is c w, so every step multiplies w by 1 - eta c",
    c="real 0..; curvature",
    eta="real 0..; learning rate",
    w0="real; initial parameter",
    t="int 0..1000; number of steps",
    w="real; parameter after t steps",
)

GD_QUADRATIC_2D = formula(
    "gd-quadratic-2d",
    """
    eta_max = 2/max(c1, c2)
    w1 = (1 - eta*c1)^t*w1_0
    w2 = (1 - eta*c2)^t*w2_0
    """,
    topic="gradient-descent",
    title="Gradient descent on L = (c1 w1^2 + c2 w2^2)/2",
    source="derivation: every step multiplies w_i by 1 - eta c_i, which shrinks w_i only for 0 < eta < 2/c_i",
    c1="real 0.001..; curvature along w1",
    c2="real 0.001..; curvature along w2",
    eta="real 0..; learning rate",
    w1_0="real; initial w1",
    w2_0="real; initial w2",
    t="int 0..1000; number of steps",
    eta_max="real; bound below which every learning rate converges",
    w1="real; w1 after t steps",
    w2="real; w2 after t steps",
)

LR_COSINE = formula(
    "lr-cosine",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T))/2",
    topic="gradient-descent",
    title="Cosine annealing of the learning rate",
    source="Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0="real 0..; initial learning rate",
    eta_min="real 0.. = 0; final learning rate",
    t="int 0..100000; epoch, counted from 0",
    T="int 1..100000; number of epochs",
    eta="real; learning rate in epoch t",
)

LR_STEP = formula(
    "lr-step",
    "eta = eta0*gamma^floor(t/s)",
    topic="gradient-descent",
    title="Step decay of the learning rate",
    source="derivation: one factor gamma per s completed epochs",
    eta0="real 0..; initial learning rate",
    gamma="real 0.01..1; decay factor",
    t="int 0..100000; epoch, counted from 0",
    s="int 1..100000; number of epochs between two drops",
    eta="real; learning rate in epoch t",
)

LR_EXPONENTIAL = formula(
    "lr-exponential",
    "eta = eta0*gamma^t",
    topic="gradient-descent",
    title="Exponential decay of the learning rate",
    source="derivation: one factor gamma per completed epoch",
    eta0="real 0..; initial learning rate",
    gamma="real 0.01..1; decay factor",
    t="int 0..100000; epoch, counted from 0",
    eta="real; learning rate in epoch t",
)

LR_WARMUP_COSINE = formula(
    "lr-warmup-cosine",
    """
    eta_a = eta0*t_a/T_w
    eta_b = eta0*(1 + cos(pi*(t_b - T_w)/T_c))/2
    """,
    topic="gradient-descent",
    title="Linear warmup, then cosine annealing to 0",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677), gradual warmup; "
    "Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0="real 0..; peak learning rate",
    T_w="int 1..100000; number of warmup steps",
    T_c="int 1..100000; number of annealing steps after the warmup",
    t_a="int 0..100000; a step of the warmup, counted from 0",
    t_b="int 0..100000; a step after the warmup, counted from 0",
    eta_a="real; learning rate at step t_a",
    eta_b="real; learning rate at step t_b",
)

EPOCH = formula(
    "epoch",
    """
    iters = ceil(N/B)
    last = N - (iters - 1)*B
    total = epochs*iters
    """,
    topic="batch-size",
    title="Iterations per epoch, with a smaller last batch",
    source="derivation: batches of B until the N samples are used up; the last one has the remainder",
    **EPOCHS,
    iters="int; number of iterations (parameter updates) per epoch",
    last="int; size of the last batch of an epoch",
    total="int; number of iterations of the whole training run",
)

EPOCH_DROP_LAST = formula(
    "epoch-drop-last",
    """
    iters = floor(N/B)
    unused = N - iters*B
    total = epochs*iters
    """,
    topic="batch-size",
    title="Iterations per epoch, with full batches only (drop_last)",
    source="derivation: as many batches of B as fit into N samples",
    **EPOCHS,
    iters="int; number of iterations (parameter updates) per epoch",
    unused="int; number of samples dropped per epoch",
    total="int; number of iterations of the whole training run",
)

TOTAL_ITERATIONS = formula(
    "total-iterations",
    "total = epochs*ceil(N/B)",
    topic="batch-size",
    title="Iterations of a training run",
    source="derivation: batches of B until the N samples are used up, in every epoch",
    **EPOCHS,
    total="int; number of iterations (parameter updates) of the whole training run",
)

EFFECTIVE_BATCH = formula(
    "effective-batch",
    "B_eff = B*k*G",
    topic="batch-size",
    title="Effective batch size",
    source="derivation: each of G devices adds up the gradients of k batches of B before one update",
    **ACCUMULATION,
    B_eff="int; effective batch size (samples per update)",
)

LINEAR_SCALING = formula(
    "linear-scaling",
    "eta = eta0*B*k*G/B0",
    topic="batch-size",
    title="Linear scaling of the learning rate",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677): k times the minibatch, "
    "k times the learning rate",
    eta0="real 0..; learning rate for the reference batch size",
    B0="int 1..100000; reference batch size",
    **ACCUMULATION,
    eta="real; new learning rate",
)
