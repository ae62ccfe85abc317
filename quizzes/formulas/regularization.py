"""Regularization: penalties on the weights, weight decay, shrinkage, dropout."""

from quizzes.formulas import formula

LAMBDA = "real 0..; penalty strength lambda"
LEARNING_RATE = "real 0..; learning rate"
INPUTS = "vector; inputs"
TARGETS = "vector; targets"
DROP_PROBABILITY = "real 0..1 = 0.5; probability of dropping a unit"

PENALTIES = formula(
    "l1-l2-penalty",
    """
    L1 = lam*sum(i, abs(w[i]))
    L2 = lam*sum(i, w[i]^2)
    g1[i] = lam*sign(w[i])
    g2[i] = 2*lam*w[i]
    """,
    topic="regularization",
    title="L1 and L2 penalties and their gradients",
    source="derivation: d|w|/dw = sign(w), with the subgradient 0 chosen at w = 0; dw^2/dw = 2w",
    w="vector; weights",
    b="real = 0; bias, which is not penalized",
    lam=LAMBDA,
    L1="real 0..; L1 penalty",
    L2="real 0..; L2 penalty",
    g1="vector; gradient of the L1 penalty with respect to w",
    g2="vector; gradient of the L2 penalty with respect to w",
)

WEIGHT_DECAY = formula(
    "weight-decay-sgd",
    """
    w_new = (1 - eta*lam)*w - eta*g_w
    b_new = b - eta*g_b
    """,
    topic="regularization",
    title="SGD step with weight decay, weights only",
    source="derivation: the gradient of loss + lam w^2/2 is g_w + lam w, so w - eta (g_w + lam w)",
    w="real; weight before the step",
    g_w="real; gradient of the loss with respect to the weight",
    b="real = 0; bias before the step",
    g_b="real = 0; gradient of the loss with respect to the bias",
    eta=LEARNING_RATE,
    lam="real 0..; weight decay lambda",
    w_new="real; weight after the step",
    b_new="real; bias after the step",
)

RIDGE_SLOPE = formula(
    "ridge-slope",
    "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) + lam)",
    topic="regularization",
    title="Ridge regression through the origin",
    source="derivation: d/dw of sum (y - w x)^2 + lam w^2 is zero if w (sum x^2 + lam) = sum x y",
    x=INPUTS,
    y=TARGETS,
    lam=LAMBDA,
    w="real; slope",
)

RIDGE_LINE = formula(
    "ridge-line",
    """
    x_mean = mean(i, x[i])
    y_mean = mean(i, y[i])
    w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/(sum(i, (x[i] - x_mean)^2) + lam)
    b = y_mean - w*x_mean
    """,
    topic="regularization",
    title="Ridge regression of a line, intercept not penalized",
    source="derivation: without a penalty the intercept is y_mean - w x_mean; substituting it leaves ridge regression "
    "through the origin of the centered data",
    x=INPUTS,
    y=TARGETS,
    lam=LAMBDA,
    x_mean="real; mean input",
    y_mean="real; mean target",
    w="real; slope",
    b="real; intercept",
)

SOFT_THRESHOLD = formula(
    "soft-threshold",
    "w_new[i] = sign(w[i])*max(abs(w[i]) - lam, 0)",
    topic="regularization",
    title="Soft threshold",
    source="derivation: for u > 0, (u - w)^2/2 + lam u has the derivative u - w + lam, so its minimum is at w - lam, "
    "or at 0 if that is not positive; the case u < 0 mirrors it",
    w="vector; weights",
    lam="real 0..; threshold lambda",
    w_new="vector; weights after the soft threshold",
)

PROXIMAL_STEP = formula(
    "proximal-step",
    """
    u[i] = w[i] - eta*g[i]
    w_new[i] = sign(u[i])*max(abs(u[i]) - eta*lam, 0)
    """,
    topic="regularization",
    title="Proximal gradient step with an L1 penalty",
    source="derivation: the local model g (s - w) + (s - w)^2/(2 eta) + lam |s| is minimized by the soft threshold of "
    "w - eta g with eta lam",
    w="vector; weights before the step",
    g="vector; gradient of the loss, without the penalty",
    eta=LEARNING_RATE,
    lam=LAMBDA,
    u="vector; weights after the gradient step",
    w_new="vector; weights after the proximal step",
)

DROPOUT = formula(
    "dropout",
    """
    y[i] = mask[i]*x[i]/(1 - p)
    z[i] = x[i]
    """,
    topic="regularization",
    title="Inverted dropout, training and evaluation mode",
    source="derivation: a unit is kept with probability 1 - p, so dividing by 1 - p keeps its mean; "
    "torch.nn.Dropout's documentation",
    x="vector; input activations",
    mask="vector 0..1; mask, 1 if the unit is kept and 0 if it is dropped",
    p=DROP_PROBABILITY,
    y="vector; output in training mode",
    z="vector; output in evaluation mode",
)

CLASSIC_DROPOUT = formula(
    "classic-dropout",
    """
    K = N*(1 - p)
    z[i] = (1 - p)*x[i]
    """,
    topic="regularization",
    title="Original dropout, scaled at test time",
    source="Srivastava et al., Dropout, JMLR 2014, where p is the probability of keeping a unit",
    N="int 1..1000000; number of units",
    p=DROP_PROBABILITY,
    x="vector; activations at test time, before scaling",
    K="real 0..; expected number of units kept per training pass",
    z="vector; output at test time",
)
