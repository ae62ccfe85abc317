"""Checks of the drills about min-max normalization."""

from torch import Tensor


def norm_minmax(x: float, x_min: float, x_max: float, a: float, b: float) -> float:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler(feature_range=(a, b)).fit([[x_min], [x_max]])
    return float(scaler.transform([[x]])[0, 0])


def norm_minmax_split(train: Tensor, test: Tensor) -> list[float]:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler().fit(train[:, None])
    return [float(value) for value in scaler.transform(test[:, None])[:, 0]]
