"""Normalization (min-max): the drills' answers computed by PyTorch or another library."""

from torch import Tensor


def norm_minmax(x: float, x_min: float, x_max: float, a: float, b: float) -> float:
    from sklearn.preprocessing import MinMaxScaler

    scaler = MinMaxScaler(feature_range=(a, b)).fit([[x_min], [x_max]])
    return scaler.transform([[x]]).item()


def norm_minmax_split(train: Tensor, test: Tensor) -> Tensor:
    from sklearn.preprocessing import MinMaxScaler

    return MinMaxScaler().fit(train[:, None]).transform(test[:, None]).ravel().tolist()
