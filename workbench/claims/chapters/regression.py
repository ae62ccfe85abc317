"""Claims about regression: its losses, the closed form, and gradient descent."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from math import log10
from typing import TYPE_CHECKING

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.cpu_time import cpu_ms
from workbench.claims.deciders import Paired, Slope
from workbench.claims.evidence import Evidence, near, true

if TYPE_CHECKING:
    from torch import Tensor


def losses_of_three_sources(seed: int) -> Iterator[Evidence]:
    import torch
    from sklearn.metrics import mean_absolute_error, mean_squared_error, root_mean_squared_error
    from torch.nn.functional import l1_loss, mse_loss

    rng = np.random.default_rng(seed)
    y, prediction = rng.normal(5, 3, 40), rng.normal(5, 3, 40)
    errors = [float(a - b) for a, b in zip(y, prediction, strict=True)]
    mse, mae = sum(error * error for error in errors) / 40, sum(map(abs, errors)) / 40
    a, b = torch.from_numpy(prediction), torch.from_numpy(y)
    rmse, cents = root_mean_squared_error(y, prediction), (100 * y, 100 * prediction)
    yield near("MSE: scikit-learn", mean_squared_error(y, prediction), mse, 1e-9)
    yield near("MSE: PyTorch", mse_loss(a, b), mse, 1e-9)
    yield near("MAE: scikit-learn", mean_absolute_error(y, prediction), mae, 1e-9)
    yield near("MAE: PyTorch", l1_loss(a, b), mae, 1e-9)
    yield near("RMSE: the square root of PyTorch's MSE", mse_loss(a, b).sqrt(), rmse, 1e-9)
    yield near("RMSE in a unit 100 times smaller", root_mean_squared_error(*cents), 100 * rmse, 1e-6)
    yield near("MAE in a unit 100 times smaller", mean_absolute_error(*cents), 100 * mae, 1e-6)
    yield near("MSE in a unit 100 times smaller", mean_squared_error(*cents), 10_000 * mse, 1e-6)


MSE_MAE_RMSE_FORMULAS = Exact(
    id="mse-mae-rmse-formulas",
    statement=(
        "MSE is the mean squared error, MAE the mean absolute error, and RMSE the square root of MSE. MAE and RMSE "
        "have the unit of the target, MSE its square."
    ),
    topic="regression-losses",
    evidence=losses_of_three_sources,
    expected="holds",
    source="scikit-learn user guide, Metrics and scoring, Regression metrics",
)


def best_constants(seed: int) -> Iterator[Evidence]:
    import torch
    from scipy.optimize import minimize_scalar
    from torch.nn.functional import l1_loss, mse_loss

    values = np.random.default_rng(seed).lognormal(size=41)
    with_outlier = np.where(values == values.max(), 1000.0, values)

    def best(loss: "Callable[..., Tensor]", y: np.ndarray) -> float:
        targets = torch.from_numpy(y)
        result = minimize_scalar(
            lambda constant: float(loss(torch.full_like(targets, constant), targets)),
            bounds=(0.0, 1000.0),
            method="bounded",
            options={"xatol": 1e-7},
        )
        return float(result.x)

    for name, y in {"log-normal values": values, "with an outlier": with_outlier}.items():
        yield near(f"{name}: the constant with the smallest MSE is the mean", best(mse_loss, y), y.mean(), 1e-4)
        yield near(f"{name}: the constant with the smallest MAE is the median", best(l1_loss, y), np.median(y), 1e-4)
    yield near("median with and without the outlier", np.median(with_outlier), np.median(values), 0.0)
    shift = with_outlier.mean() - values.mean()
    yield true("the outlier moves the mean", shift > 1, f"by {shift:.2f}")


MSE_MEAN_MAE_MEDIAN = Exact(
    id="mse-mean-mae-median",
    statement=(
        "The constant that minimizes the MSE is the mean and the one that minimizes the MAE is the median, so a single "
        "outlier moves the first but not the second."
    ),
    topic="regression-losses",
    evidence=best_constants,
    expected="holds",
    source="Hastie, Tibshirani, Friedman, The Elements of Statistical Learning 2009, section 2.4",
    note="Derivation: the derivative of the MSE is 0 at the mean, that of the MAE with as many values on each side.",
)


def error_with_outliers(seed: int, *, loss: str, outliers: float) -> float:
    """Return the RMSE to the true line of a line fitted to 100 points, in standard deviations of their noise.

    Args:
        seed: The seed of the points.
        loss: `mse` or `mae`, which the line minimizes.
        outliers: The share of the points that lie 30 higher.
    """
    from sklearn.linear_model import LinearRegression, QuantileRegressor

    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, (100, 1))
    y = 2 * x[:, 0] + rng.normal(size=100) + np.where(np.arange(100) < 100 * outliers, 30.0, 0.0)
    # The pinball loss of the 0.5 quantile is half of the absolute error.
    model = LinearRegression() if loss == "mse" else QuantileRegressor(quantile=0.5, alpha=0.0, solver="highs")
    grid = np.linspace(-1, 1, 201)[:, None]
    return float(np.sqrt(np.mean((model.fit(x, y).predict(grid) - 2 * grid[:, 0]) ** 2)))


MAE_RESISTS_OUTLIERS = Empirical(
    id="mae-resists-outliers",
    statement="With a tenth of outliers, a line fitted by MAE is closer to the true line than one fitted by MSE.",
    topic="regression-losses",
    arms=dict(
        mse=trial(error_with_outliers, loss="mse", outliers=0.1),
        mae=trial(error_with_outliers, loss="mae", outliers=0.1),
    ),
    control=dict(outliers=0.0),
    measure="error",
    decider=Paired(min_effect=0.5, unit="standard deviations of the noise"),
    expected="holds",
    source="Huber, Robust Estimation of a Location Parameter 1964",
    note="Without outliers and with normal noise, the MSE fit is slightly better.",
)


def gradient_descent_against_lstsq(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import mse_loss

    import models

    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(100, 5, generator=generator, dtype=torch.float64)
    y = torch.randn(100, 1, generator=generator, dtype=torch.float64)
    with_ones = torch.cat([x, torch.ones(100, 1, dtype=torch.float64)], dim=1)
    solution = torch.linalg.lstsq(with_ones, y).solution.flatten()
    largest = float(torch.linalg.eigvalsh(2 * with_ones.T @ with_ones / 100)[-1])  # of the Hessian of the MSE
    torch.manual_seed(seed)
    network = models.build("linear-regression", in_features=5).double()
    optimizer = torch.optim.SGD(network.parameters(), lr=1 / largest)
    distances = []
    for _ in range(500):
        weights = torch.cat([weight.detach().flatten() for weight in network.parameters()])
        distances.append(float(torch.linalg.vector_norm(weights - solution)))
        optimizer.zero_grad()
        torch.autograd.backward(mse_loss(network(x), y))
        optimizer.step()
    weights = torch.cat([weight.detach().flatten() for weight in network.parameters()])
    yield near("weights after 500 steps, and those of torch.linalg.lstsq", weights, solution, 1e-8)
    is_closer = all(later <= earlier + 1e-12 for earlier, later in pairwise(distances))
    yield true("each step is closer to them", is_closer, f"from {distances[0]:.3g} to {distances[-1]:.3g}")


GD_REACHES_NORMAL_EQUATION = Exact(
    id="gd-reaches-normal-equation",
    statement="With a small enough learning rate, gradient descent on the MSE approaches the least-squares solution.",
    topic="linear-regression",
    evidence=gradient_descent_against_lstsq,
    expected="holds",
    source="Boyd, Vandenberghe, Convex Optimization 2004, section 9.3",
    note="Small enough is below 2/L, where L is the largest eigenvalue of the Hessian. The test uses 1/L.",
)


def steps_of_gradient_descent(seed: int) -> list[tuple[float, float]]:
    """Return condition numbers of X^T X, and the steps until the distance to the normal equation's solution is 1e-6.

    The distance is relative to that of the initial weights, 0. The learning rate is 1/L (`gd-reaches-normal-equation`).
    """
    rng = np.random.default_rng(seed)
    left, right = np.linalg.qr(rng.normal(size=(100, 5)))[0], np.linalg.qr(rng.normal(size=(5, 5)))[0]
    y = left @ np.ones(5) + rng.normal(size=100)
    points = []
    for condition in (10.0, 30.0, 100.0, 300.0, 1000.0):
        x = (left * np.geomspace(1, condition**-0.5, 5)) @ right
        solution = np.linalg.solve(x.T @ x, x.T @ y)
        theta, steps = np.zeros(5), 0
        while np.linalg.norm(theta - solution) > 1e-6 * np.linalg.norm(solution):
            theta, steps = theta - x.T @ (x @ theta - y), steps + 1  # the largest eigenvalue of X^T X is 1
        points.append((condition, float(steps)))
    return points


GD_STEPS_GROW_WITH_CONDITION = Scaling(
    id="gd-steps-grow-with-condition",
    statement=(
        "Gradient descent approaches the normal equation's solution in a number of steps that is proportional to the "
        "condition number of X^T X."
    ),
    topic="linear-regression",
    points=steps_of_gradient_descent,
    decider=Slope(0.85, 1.15),
    expected="holds",
    source="Boyd, Vandenberghe, Convex Optimization 2004, section 9.3",
    note=(
        "Derivation: with a learning rate of 1/L, each step multiplies the error along the direction of the smallest "
        "eigenvalue by 1 - 1/condition, so that a distance of 1e-6 takes about 13.8 times the condition number. "
        "Standardized features lower it."
    ),
)


def closed_form_at_full_rank(seed: int) -> Iterator[Evidence]:
    import torch

    from models.dense.linear import normal_equation

    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(60, 4)), rng.normal(size=60)
    theta = np.linalg.inv(x.T @ x) @ x.T @ y
    yield near("NumPy's lstsq (SVD)", np.linalg.lstsq(x, y)[0], theta, 1e-10)
    solution = torch.linalg.lstsq(torch.from_numpy(x), torch.from_numpy(y[:, None])).solution
    yield near("PyTorch's lstsq (QR)", solution[:, 0], theta, 1e-10)
    yield near("the residual is orthogonal to every feature", x.T @ (y - x @ theta), np.zeros(4), 1e-10)
    least = float(np.sum((y - x @ theta) ** 2))
    others = [float(np.sum((y - x @ (theta + 0.01 * rng.normal(size=4))) ** 2)) for _ in range(100)]
    yield true("100 other weights nearby have a larger squared error", min(others) > least)
    centered = np.column_stack([x, np.ones(60)])
    weights, bias = normal_equation(torch.from_numpy(x), torch.from_numpy(y[:, None]))
    with_bias = np.linalg.inv(centered.T @ centered) @ centered.T @ y
    yield near(
        "the workbench's own solution (QR), with a bias", [*weights[0].tolist(), float(bias[0])], with_bias, 1e-10
    )


NORMAL_EQUATION_EXACT = Exact(
    id="normal-equation-exact",
    statement="If the features have full column rank, (X^T X)^-1 X^T y is the least-squares solution.",
    topic="normal-equation",
    evidence=closed_form_at_full_rank,
    expected="holds",
    source="Golub, Van Loan, Matrix Computations 2013, section 5.3",
)


def closed_form_of_dependent_features(seed: int) -> Iterator[Evidence]:
    x = np.random.default_rng(seed).integers(-9, 10, (60, 4)).astype(float)
    x[:, 3] = x[:, 0] + x[:, 1]
    rank = int(np.linalg.matrix_rank(x.T @ x))
    yield true("X^T X with a dependent feature has an inverse", rank == 4, f"its rank is {rank} of 4")


NORMAL_EQUATION_ANY_DATA = Exact(
    id="normal-equation-any-data",
    statement="The normal equation can be solved by the inverse of X^T X for any features.",
    topic="normal-equation",
    evidence=closed_form_of_dependent_features,
    is_structural=True,
    expected="does_not_hold",
    source="Golub, Van Loan, Matrix Computations 2013, section 5.5",
    note=(
        "X^T X has an inverse only if the columns of X are linearly independent. Otherwise use the pseudo-inverse, "
        "which gives the solution with the smallest norm, or ridge regression."
    ),
)


def log_error_in_float32(seed: int, *, method: str, condition: float) -> float:
    """Return the decimal logarithm of the relative error of the least-squares weights, computed in float32.

    Args:
        seed: The seed of the data, whose targets are exactly linear in 8 features.
        method: `inverse` for (X^T X)^-1 X^T y, `lstsq` for PyTorch's QR decomposition.
        condition: The condition number of X.
    """
    import torch

    rng = np.random.default_rng(seed)
    left, right = np.linalg.qr(rng.normal(size=(200, 8)))[0], np.linalg.qr(rng.normal(size=(8, 8)))[0]
    x = (left * np.geomspace(1, 1 / condition, 8)) @ right
    theta = rng.normal(size=8)
    a, b = torch.from_numpy(x.astype(np.float32)), torch.from_numpy((x @ theta).astype(np.float32))[:, None]
    solution = torch.linalg.inv(a.T @ a) @ a.T @ b if method == "inverse" else torch.linalg.lstsq(a, b).solution
    return log10(float(np.linalg.norm(solution[:, 0].double().numpy() - theta) / np.linalg.norm(theta)))


NORMAL_EQUATION_LOSES_DIGITS = Empirical(
    id="normal-equation-loses-digits",
    statement="In float32, the normal equation loses more digits than a QR decomposition if X is ill-conditioned.",
    topic="normal-equation",
    arms=dict(
        inverse=trial(log_error_in_float32, method="inverse", condition=1000.0),
        qr=trial(log_error_in_float32, method="lstsq", condition=1000.0),
    ),
    control=dict(condition=1.0),
    measure="error",
    decider=Paired(min_effect=1.0, unit="digits"),
    expected="holds",
    source="Golub, Van Loan, Matrix Computations 2013, section 5.3",
    note="The condition number of X^T X is the square of that of X, so twice as many digits are lost.",
)

EPOCHS = 40


def closed_form_over_descent(samples: int, features: int, seed: int) -> float:
    """Return the CPU time of the closed form over that of 40 epochs of gradient descent."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, features, generator=generator)
    y = x @ torch.randn(features, 1, generator=generator)

    def closed_form() -> "Tensor":
        solution: Tensor = torch.linalg.solve(x.T @ x, x.T @ y)
        return solution

    def descend() -> "Tensor":
        theta = torch.zeros(features, 1)
        for _ in range(EPOCHS):
            theta = theta - 0.8 / samples * (x.T @ (x @ theta - y))
        return theta

    return cpu_ms(closed_form, repeats=3) / cpu_ms(descend, repeats=3)


def times_by_features(seed: int) -> list[tuple[float, float]]:
    return [(d, closed_form_over_descent(4 * d, d, seed)) for d in (128, 256, 512, 1024)]


GD_SCALES_BETTER = Scaling(
    id="gd-scales-better",
    statement=(
        "With more features, the time of the closed form grows faster than that of 40 epochs of gradient descent (4 "
        "samples per feature)."
    ),
    topic="normal-equation",
    points=times_by_features,
    decider=Slope(0.5, 2.0),
    is_timed=True,
    expected="holds",
    note=(
        "Derivation: forming X^T X takes n d^2 operations and solving it d^3, an epoch of gradient descent takes n d. "
        "The ratio grows with d. With normal features, the condition number depends on n/d only, and so does the "
        "number of epochs."
    ),
)


def times_by_samples(seed: int) -> list[tuple[float, float]]:
    return [(n, closed_form_over_descent(n, 64, seed)) for n in (4096, 16_384, 65_536)]


GD_SCALES_BETTER_WITH_SAMPLES = Scaling(
    id="gd-scales-better-with-samples",
    statement=(
        "With more samples, the time of the closed form grows faster than that of 40 epochs of gradient descent (64 "
        "features)."
    ),
    topic="normal-equation",
    points=times_by_samples,
    decider=Slope(0.5, 2.0),
    is_timed=True,
    expected="does_not_hold",
    note=(
        "Derivation: both times are linear in the number of samples. The closed form's cubic cost is in the number of "
        "features, so it is many features that call for gradient descent."
    ),
)
