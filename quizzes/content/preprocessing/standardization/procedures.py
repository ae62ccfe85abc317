"""Standardization (z-score): procedures."""

from collections.abc import Iterator

from quizzes.content.preprocessing.standardization.formulas import STANDARDIZE
from quizzes.expressions.tree import Value
from quizzes.procedure import State, in_parentheses, list_text, number_text, procedure
from quizzes.question import Params, Visualization
from quizzes.symbols import Int, Vector
from workbench.errors import UserError


@procedure(
    "standardise",
    STANDARDIZE,
    title="Standardization, fitted on the training set alone",
    example=dict(X=[2, 4, 4, 6], T=[3, 8]),
)
def standardise(X: list[Value], T: list[Value], ddof: int) -> Iterator[State]:
    """Compute mean and standard deviation of the training set, then transform the other values with them."""
    result = STANDARDIZE.evaluate(dict(X=X, T=T, ddof=ddof))
    n, mu, sigma, z = (result[name] for name in ("n", "mu", "sigma", "z"))
    values: Params = dict(n=n)

    def state(caption: str, rows: dict[str, list[Value]], **new: object) -> State:
        values.update(new)
        return State(caption, dict(values), Visualization("number-line", dict(rows)))

    sets = dict(training=X, other=T)
    yield state(
        f"Average the {n} training values: mu = {number_text(sum(X))}/{n} = {number_text(mu)}. The other values must "
        "not contribute, because they stand for data that is unknown in training.",
        sets,
        sum=sum(X),
        mu=mu,
    )
    squares = [(value - mu) ** 2 for value in X]
    yield state(
        f"Add the squared deviations of the training values, divide by {n - ddof}, and take the square root: sigma = "
        f"sqrt({number_text(sum(squares))}/{n - ddof}) = {number_text(sigma)}.",
        sets,
        squares=squares,
        sum_of_squares=sum(squares),
        divisor=n - ddof,
        sigma=sigma,
    )
    for k, (value, score) in enumerate(zip(T, z, strict=True), 1):
        yield state(
            f"Standardize value {k} with the statistics of the training set: z = ({number_text(value)} - "
            f"{in_parentheses(mu)})/{number_text(sigma)} = {number_text(score)}.",
            dict(z=z[:k]),
            k=k,
            value=value,
            z=z[:k],
        )


@procedure(
    "k-fold-standardization",
    title="k-fold cross-validation, standardized on the training folds",
    source="scikit-learn documentation, KFold without shuffling and StandardScaler: the first n mod k folds have one "
    "sample more",
    x=Vector(meaning="values of one feature, in the order of the samples", default=[2, 4, 6, 8, 10, 18]),
    k=Int(2, 1000, "number of folds", default=3),
)
def k_fold_standardization(x: list[Value], k: int) -> Iterator[State]:
    """Leave out one fold at a time; fit the scaler on the others, and transform the fold with it."""
    n = len(x)
    if k > n:
        raise UserError(f"k must be at most the number of values, {n}, not {k}.")
    sizes = [n // k + (fold < n % k) for fold in range(k)]
    columns = ["fold", "validation", "training mean", "training deviation", "standardized"]
    table: list[list[str]] = [[str(fold + 1), "", "", "", ""] for fold in range(k)]

    def state(caption: str, row: int | None, **values: object) -> State:
        drawing = Visualization("highlighted-table", dict(columns=columns, rows=table, row=row))
        return State(caption, dict(values, fold_sizes=sizes, n=n), drawing)

    yield state(
        f"Split the {n} samples into {k} folds of these sizes, in order: {list_text(sizes)}. Each fold is the "
        "validation set once.",
        None,
    )
    start = 0
    scores: list[list[Value]] = []
    for fold, size in enumerate(sizes):
        validation, training = x[start : start + size], [*x[:start], *x[start + size :]]
        start += size
        result = STANDARDIZE.evaluate(dict(X=training, T=validation, ddof=0)) if len(set(training)) > 1 else None
        if result is None:
            raise UserError(f"The training values of fold {fold + 1} are all equal. Give values that differ.")
        mu, sigma, z = result["mu"], result["sigma"], result["z"]
        scores.append(z)
        table[fold][1:] = [list_text(validation), number_text(mu), number_text(sigma), list_text(z)]
        yield state(
            f"Fold {fold + 1}: leave out {list_text(validation)}. The other {len(training)} values have the mean "
            f"{number_text(mu)} and the standard deviation {number_text(sigma)}. Standardized with these, the fold is "
            f"{list_text(z)}.",
            fold,
            fold=fold + 1,
            validation=validation,
            training=training,
            training_size=len(training),
            mu=mu,
            sigma=sigma,
            z=z,
            scores=scores,
        )
