"""Simple and multiple linear regression: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Real, Vector

LINEAR_PREDICT = Formula(
    "linear-predict",
    "y = b + sum(i, w[i]*x[i])",
    title="Prediction of a linear model",
    source="derivation: the intercept plus the sum of w_i x_i",
    b=Real(meaning="intercept", default=0),
    w=Vector(meaning="weights, one per feature"),
    x=Vector(meaning="features, in the order of the weights"),
    y=Real(meaning="prediction"),
)


LEAST_SQUARES_LINE = Formula(
    "least-squares-line",
    """
    x_mean = mean(i, x[i])
    y_mean = mean(i, y[i])
    w = sum(i, (x[i] - x_mean)*(y[i] - y_mean))/sum(i, (x[i] - x_mean)^2)
    b = y_mean - w*x_mean
    """,
    title="Least-squares line",
    source="derivation: both derivatives of sum (wx + b - y)^2 are zero; the one with respect to b gives "
    "b = y_mean - w x_mean; inserting this into the one with respect to w gives w",
    x=Vector(meaning="inputs"),
    y=Vector(meaning="targets"),
    x_mean=Real(meaning="mean of x"),
    y_mean=Real(meaning="mean of y"),
    w=Real(meaning="slope"),
    b=Real(meaning="intercept"),
)


GD_STEP_LINREG = Formula(
    "gd-step-linreg",
    """
    g_w = 2*mean(i, (w0*x[i] + b0 - y[i])*x[i])
    g_b = 2*mean(i, w0*x[i] + b0 - y[i])
    w1 = w0 - eta*g_w
    b1 = b0 - eta*g_b
    """,
    title="One step of gradient descent on the MSE of a line",
    source="derivation: chain rule on L = (1/N) sum (wx + b - y)^2",
    x=Vector(meaning="inputs"),
    y=Vector(meaning="targets"),
    w0=Real(meaning="slope before the step", default=0),
    b0=Real(meaning="intercept before the step", default=0),
    eta=Real(0, meaning="learning rate"),
    g_w=Real(meaning="gradient dL/dw before the step"),
    g_b=Real(meaning="gradient dL/db before the step"),
    w1=Real(meaning="slope after the step"),
    b1=Real(meaning="intercept after the step"),
)


R2_SCORE = Formula(
    "r2-score",
    """
    SS_res = sum(i, (y[i] - yhat[i])^2)
    y_mean = mean(i, y[i])
    SS_tot = sum(i, (y[i] - y_mean)^2)
    R2 = 1 - SS_res/SS_tot
    """,
    title="Coefficient of determination",
    source="derivation: the fraction of the squared error of the constant prediction y_mean that the model removes",
    y=Vector(meaning="targets"),
    yhat=Vector(meaning="predictions"),
    SS_res=Real(meaning="sum of the squared residuals"),
    y_mean=Real(meaning="mean of the targets"),
    SS_tot=Real(meaning="sum of the squared deviations of the targets from their mean"),
    R2=Real(meaning="coefficient of determination", notation="R²"),
)
