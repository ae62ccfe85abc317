"""Finding a minimum: exactly, or by descent with its learning rates and batches."""

from quizzes.formulas import formula

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
    source="derivation: the gradient 2 X^T (X theta - y) is zero where X^T X theta = X^T y; a symmetric 2 x 2 matrix "
    "[[p, q], [q, r]] has the inverse [[r, -q], [-q, p]]/(pr - q^2)",
    shapes="X[i, 2]",
    X="matrix; a row for each sample, two columns",
    y="vector; target of each sample",
    A="matrix; X transposed times X",
    c="vector; X transposed times y",
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
    theta_prior="real; parameter before the step",
    g="real; gradient",
    eta="real 0.. = 0.01; learning rate",
    theta="real; parameter",
)

GD_QUADRATIC = formula(
    "gd-quadratic",
    "w = (1 - eta*c)^t*w0",
    topic="gradient-descent",
    title="Gradient descent on L = c w^2/2, after t steps",
    source="derivation: the gradient is c w, so every step multiplies w by 1 - eta c",
    c="real 0..; curvature",
    eta="real 0..; learning rate",
    w0="real; parameter at the start",
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
    source="derivation: every step multiplies w_i by 1 - eta c_i, which shrinks both only for 0 < eta < 2/c_i",
    c1="real 0.001..; curvature along w1",
    c2="real 0.001..; curvature along w2",
    eta="real 0..; learning rate",
    w1_0="real; w1 at the start",
    w2_0="real; w2 at the start",
    t="int 0..1000; number of steps",
    eta_max="real; bound below which every learning rate converges from every start",
    w1="real; w1 after t steps",
    w2="real; w2 after t steps",
)

LR_COSINE = formula(
    "lr-cosine",
    "eta = eta_min + (eta0 - eta_min)*(1 + cos(pi*t/T))/2",
    topic="gradient-descent",
    title="Cosine annealing of the learning rate",
    source="Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0="real 0..; learning rate at the start",
    eta_min="real 0.. = 0; learning rate at the end",
    t="int 0..100000; epoch, from 0",
    T="int 1..100000; epochs from start to end",
    eta="real; learning rate in that epoch",
)

LR_STEP = formula(
    "lr-step",
    "eta = eta0*gamma^floor(t/s)",
    topic="gradient-descent",
    title="Step decay of the learning rate",
    source="derivation: one factor gamma for every s epochs that are over",
    eta0="real 0..; learning rate at the start",
    gamma="real 0.01..1; factor",
    t="int 0..100000; epoch, from 0",
    s="int 1..100000; epochs between two drops",
    eta="real; learning rate in that epoch",
)

LR_EXPONENTIAL = formula(
    "lr-exponential",
    "eta = eta0*gamma^t",
    topic="gradient-descent",
    title="Exponential decay of the learning rate",
    source="derivation: one factor gamma for every epoch that is over",
    eta0="real 0..; learning rate at the start",
    gamma="real 0.01..1; factor",
    t="int 0..100000; epoch, from 0",
    eta="real; learning rate in that epoch",
)

LR_WARMUP_COSINE = formula(
    "lr-warmup-cosine",
    """
    eta_a = eta0*t_a/T_w
    eta_b = eta0*(1 + cos(pi*(t_b - T_w)/T_c))/2
    """,
    topic="gradient-descent",
    title="Linear warm-up, then cosine annealing to 0",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677), gradual warm-up; "
    "Loshchilov & Hutter, SGDR, 2017 (arXiv:1608.03983)",
    eta0="real 0..; learning rate at the peak",
    T_w="int 1..100000; steps of warm-up",
    T_c="int 1..100000; steps of annealing, after the warm-up",
    t_a="int 0..100000; a step within the warm-up, from 0",
    t_b="int 0..100000; a step after the warm-up, from 0",
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
    title="Iterations, with the last batch smaller",
    source="derivation: batches of B until the N samples are used up, the last one with what is left",
    N="int 1..1000000000; training samples",
    B="int 1..100000; batch size",
    epochs="int 1..100000 = 1; passes through the training set",
    iters="int; iterations (parameter updates) of an epoch",
    last="int; samples in the last batch of an epoch",
    total="int; iterations of the whole training",
)

EPOCH_DROP_LAST = formula(
    "epoch-drop-last",
    """
    iters = floor(N/B)
    unused = N - iters*B
    total = epochs*iters
    """,
    topic="batch-size",
    title="Iterations, with full batches only (drop_last)",
    source="derivation: as many batches of B as fit into N samples",
    N="int 1..1000000000; training samples",
    B="int 1..100000; batch size",
    epochs="int 1..100000 = 1; passes through the training set",
    iters="int; iterations (parameter updates) of an epoch",
    unused="int; samples that an epoch leaves out",
    total="int; iterations of the whole training",
)

TOTAL_ITERATIONS = formula(
    "total-iterations",
    "total = epochs*ceil(N/B)",
    topic="batch-size",
    title="Iterations of a training",
    source="derivation: batches of B until the N samples are used up, in every epoch",
    N="int 1..1000000000; training samples",
    B="int 1..100000; batch size",
    epochs="int 1..100000 = 1; passes through the training set",
    total="int; iterations (parameter updates) of the whole training",
)

EFFECTIVE_BATCH = formula(
    "effective-batch",
    "B_eff = B*k*G",
    topic="batch-size",
    title="Effective batch size",
    source="derivation: each of G devices adds up the gradients of k batches of B before one update",
    B="int 1..100000; samples in one forward pass on one device",
    k="int 1..10000 = 1; batches whose gradients are accumulated before an update",
    G="int 1..10000 = 1; devices that work in parallel",
    B_eff="int; samples that one update rests upon",
)

LINEAR_SCALING = formula(
    "linear-scaling",
    "eta = eta0*B*k*G/B0",
    topic="batch-size",
    title="Linear scaling of the learning rate",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677): k times the minibatch, "
    "k times the learning rate",
    eta0="real 0..; learning rate that suits the reference batch size",
    B0="int 1..100000; reference batch size",
    B="int 1..100000; samples in one forward pass on one device",
    k="int 1..10000 = 1; batches whose gradients are accumulated before an update",
    G="int 1..10000 = 1; devices that work in parallel",
    eta="real; scaled learning rate",
)
