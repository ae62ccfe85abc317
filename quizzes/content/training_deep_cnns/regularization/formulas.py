"""L1, L2, weight decay, dropout: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Int, Real, Vector

LAMBDA = Real(0, meaning="penalty strength lambda")


LEARNING_RATE = Real(0, meaning="learning rate")


INPUTS = Vector(meaning="inputs")


TARGETS = Vector(meaning="targets")


DROP_PROBABILITY = Real(0, 1, "probability of dropping a unit", default=0.5)


PENALTIES = Formula(
    "l1-l2-penalty",
    """
    L1 = lam*sum(i, abs(w[i]))
    L2 = lam*sum(i, w[i]^2)
    g1[i] = lam*sign(w[i])
    g2[i] = 2*lam*w[i]
    """,
    title="L1 and L2 penalties and their gradients",
    source="derivation: d|w|/dw = sign(w), with the subgradient 0 chosen at w = 0; dw^2/dw = 2w",
    w=Vector(meaning="weights"),
    b=Real(meaning="bias, which is not penalized", default=0),
    lam=LAMBDA,
    L1=Real(0, meaning="L1 penalty"),
    L2=Real(0, meaning="L2 penalty"),
    g1=Vector(meaning="gradient of the L1 penalty with respect to w"),
    g2=Vector(meaning="gradient of the L2 penalty with respect to w"),
)


WEIGHT_DECAY = Formula(
    "weight-decay-sgd",
    """
    w_new = (1 - eta*lam)*w - eta*g_w
    b_new = b - eta*g_b
    """,
    title="SGD step with weight decay, weights only",
    source="derivation: the gradient of loss + lam w^2/2 is g_w + lam w, so w - eta (g_w + lam w)",
    w=Real(meaning="weight before the step"),
    g_w=Real(meaning="gradient of the loss with respect to the weight"),
    b=Real(meaning="bias before the step", default=0),
    g_b=Real(meaning="gradient of the loss with respect to the bias", default=0),
    eta=LEARNING_RATE,
    lam=Real(0, meaning="weight decay lambda"),
    w_new=Real(meaning="weight after the step"),
    b_new=Real(meaning="bias after the step"),
)


RIDGE_SLOPE = Formula(
    "ridge-slope",
    "w = sum(i, x[i]*y[i])/(sum(i, x[i]^2) + lam)",
    title="Ridge regression through the origin",
    source="derivation: d/dw of sum (y - w x)^2 + lam w^2 is zero if w (sum x^2 + lam) = sum x y",
    x=INPUTS,
    y=TARGETS,
    lam=LAMBDA,
    w=Real(meaning="slope"),
)


RIDGE_LINE = Formula(
    "ridge-line",
    """
    x_mean = mean(i, x[i])
    y_mean = mean(i, y[i])
    w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/(sum(i, (x[i] - x_mean)^2) + lam)
    b = y_mean - w*x_mean
    """,
    title="Ridge regression of a line, intercept not penalized",
    source="derivation: without a penalty the intercept is y_mean - w x_mean; substituting it leaves ridge regression "
    "through the origin of the centered data",
    x=INPUTS,
    y=TARGETS,
    lam=LAMBDA,
    x_mean=Real(meaning="mean input"),
    y_mean=Real(meaning="mean target"),
    w=Real(meaning="slope"),
    b=Real(meaning="intercept"),
)


SOFT_THRESHOLD = Formula(
    "soft-threshold",
    "w_new[i] = sign(w[i])*max(abs(w[i]) - lam, 0)",
    title="Soft thresholding",
    source="derivation: for u > 0, (u - w)^2/2 + lam u has the derivative u - w + lam, so its minimum is at w - lam, "
    "or at 0 if that is not positive; the case u < 0 mirrors it",
    w=Vector(meaning="weights"),
    lam=Real(0, meaning="threshold lambda"),
    w_new=Vector(meaning="weights after the soft threshold"),
)


PROXIMAL_STEP = Formula(
    "proximal-step",
    """
    u[i] = w[i] - eta*g[i]
    w_new[i] = sign(u[i])*max(abs(u[i]) - eta*lam, 0)
    """,
    title="Proximal gradient step with an L1 penalty",
    source="derivation: the local model g (s - w) + (s - w)^2/(2 eta) + lam |s| is minimized by the soft threshold of "
    "w - eta g with eta lam",
    w=Vector(meaning="weights before the step"),
    g=Vector(meaning="gradient of the loss, without the penalty"),
    eta=LEARNING_RATE,
    lam=LAMBDA,
    u=Vector(meaning="weights after the gradient step"),
    w_new=Vector(meaning="weights after the proximal step"),
)


DROPOUT = Formula(
    "dropout",
    """
    y[i] = mask[i]*x[i]/(1 - p)
    z[i] = x[i]
    """,
    title="Inverted dropout, training and evaluation mode",
    source="derivation: a unit is kept with probability 1 - p, so dividing by 1 - p keeps its mean; "
    "torch.nn.Dropout's documentation",
    x=Vector(meaning="input activations"),
    mask=Vector(0, 1, "mask, 1 if the unit is kept and 0 if it is dropped"),
    p=DROP_PROBABILITY,
    y=Vector(meaning="output in training mode"),
    z=Vector(meaning="output in evaluation mode"),
)


CLASSIC_DROPOUT = Formula(
    "classic-dropout",
    """
    K = N*(1 - p)
    z[i] = (1 - p)*x[i]
    """,
    title="Original dropout, scaled at test time",
    source="Srivastava et al., Dropout, JMLR 2014, where p is the probability of keeping a unit",
    N=Int(1, 1000000, "number of units"),
    p=DROP_PROBABILITY,
    x=Vector(meaning="activations at test time, before scaling"),
    K=Real(0, meaning="expected number of units kept per training pass"),
    z=Vector(meaning="output at test time"),
)
