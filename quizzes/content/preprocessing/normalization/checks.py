"""Checks of the drills about min-max normalization."""

from typing import Any

from torch import Tensor


def norm_minmax(x: float, x_min: float, x_max: float, a: float, b: float) -> float:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler(feature_range=(a, b)).fit([[x_min], [x_max]])
    return float(scaler.transform([[x]])[0, 0])


def norm_minmax_split(train: Tensor, test: Tensor) -> list[float]:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(train[:, None])
    return [float(value) for value in scaler.transform(test[:, None])[:, 0]]


def unscale_coefficients(a: int, b: int) -> dict[str, Any]:
    from sklearn.preprocessing import MinMaxScaler

    models = [(2.5, -1.0, -3.0, 5.0), (-1.5, 4.0, -1.0, 2.0), (0.5, 0.0, -8.0, 1.0), (-3.0, -2.0, -2.0, 7.0)]
    slopes, intercepts = [], []
    for w, c, x_min, x_max in models:
        scaler = MinMaxScaler(feature_range=(a, b)).fit([[x_min], [x_max]])
        at_0, at_1 = (w * u + c for u in scaler.transform([[0.0], [1.0]])[:, 0])
        slopes.append(at_1 - at_0)
        intercepts.append(at_0)
    columns = dict(zip(("w", "c", "x_min", "x_max"), map(list, zip(*models, strict=True)), strict=True))
    return dict(slope=slopes, intercept=intercepts, **columns)
