"""Normalization (min-max): formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Real, Vector

MIN_MAX = Formula(
    "min-max",
    "u = a + (x - x_min)/(x_max - x_min)*(b - a)",
    title="Min-max normalization",
    source="derivation: the straight line through (x_min, a) and (x_max, b)",
    x=Real(meaning="value"),
    x_min=Real(meaning="minimum of the training set"),
    x_max=Real(meaning="maximum of the training set"),
    a=Real(meaning="lower end of the target range", default=0),
    b=Real(meaning="upper end of the target range", default=1),
    u=Real(meaning="normalized value"),
)


MIN_MAX_SPLIT = Formula(
    "min-max-split",
    """
    x_min = min(train)
    x_max = max(train)
    u[i] = (test[i] - x_min)/(x_max - x_min)
    """,
    title="Min-max normalization to [0, 1], fitted on the training set",
    source="derivation: the line through (x_min, 0) and (x_max, 1); only the training set may be used to fit it",
    train=Vector(meaning="training values"),
    test=Vector(meaning="test values"),
    x_min=Real(meaning="minimum of the training set"),
    x_max=Real(meaning="maximum of the training set"),
    u=Vector(meaning="normalized test values"),
)


UNSCALED_LINE = Formula(
    "unscaled-line",
    """
    slope = (b - a)*w/(x_max - x_min)
    intercept = (c*(x_max - x_min) + w*(a*x_max - b*x_min))/(x_max - x_min)
    """,
    title="A linear model on a min-max normalized feature, in terms of the raw feature",
    source="derivation: insert u = a + (x - x_min)/(x_max - x_min) (b - a) into w u + c and collect the terms with x",
    x_min=Real(-9, -1, "minimum of the training set"),
    x_max=Real(1, 9, "maximum of the training set"),
    a=Real(meaning="lower end of the target range"),
    b=Real(meaning="upper end of the target range"),
    w=Real(-5, 5, "slope for the normalized feature"),
    c=Real(-5, 5, "intercept for the normalized feature"),
    slope=Real(meaning="slope for the raw feature"),
    intercept=Real(meaning="intercept for the raw feature"),
)
