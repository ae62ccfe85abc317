"""Claims about preprocessing."""

from collections.abc import Iterator

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, within


def minmax_of_training_data(seed: int) -> Iterator[Evidence]:
    rng = np.random.default_rng(seed)
    for name, x in {"normal": rng.normal(size=500), "log-normal": rng.lognormal(size=500)}.items():
        scaled = (x - x.min()) / (x.max() - x.min())
        yield within(f"{name} training values", scaled, 0.0, 1.0)


MINMAX_BOUNDS = Exact(
    id="minmax-bounds",
    statement="Rescaling by the minimum and the maximum of the training set puts every training value between 0 and 1.",
    topic="normalization",
    evidence=minmax_of_training_data,
    expected="holds",
    note="Only the data that the scaler was fitted to is sure to be in the range; values of the test set may leave it.",
)


def knn_accuracy(seed: int, *, is_scaled: bool, factor: float) -> float:
    """Return the test accuracy of 5 nearest neighbors, in points, with half of the pixels times a factor."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.preprocessing import MinMaxScaler

    x, y = load_digits(return_X_y=True)
    is_large = np.random.default_rng(seed).permutation(x.shape[1]) < x.shape[1] // 2
    x = np.where(is_large, factor * x, x)
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=1 / 3, random_state=seed)
    if is_scaled:
        scaler = MinMaxScaler().fit(x_train)
        x_train, x_test = scaler.transform(x_train), scaler.transform(x_test)
    return 100 * float(KNeighborsClassifier(5).fit(x_train, y_train).score(x_test, y_test))


SCALING_HELPS_DISTANCE_MODELS = Empirical(
    id="scaling-helps-distance-models",
    statement="Bringing the features to one scale helps models that compare distances.",
    topic="normalization",
    arms=dict(
        scaled=trial(knn_accuracy, is_scaled=True, factor=1000.0),
        raw=trial(knn_accuracy, is_scaled=False, factor=1000.0),
    ),
    control=dict(factor=1.0),
    measure="accuracy",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    note="Derivation: a feature in a unit 1,000 times smaller adds a million times as much to a squared distance.",
)
