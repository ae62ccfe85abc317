"""Claims about preprocessing: what scaling does, and which models need it."""

from collections.abc import Iterator

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.deciders import Interaction, Paired, Slope
from workbench.claims.dense_networks import accuracy, dense, fit, shuffled
from workbench.claims.evidence import Evidence, near, true, within
from workbench.claims.small_datasets import Splits, digits
from workbench.claims.valleys import best_descent, path_until
from workbench.data import scaling


def columns(seed: int, rows: int = 500) -> dict[str, np.ndarray]:
    """Return 20 random columns (rows, 20) of each of four distributions."""
    rng, shape = np.random.default_rng(seed), (rows, 20)
    return {
        "normal": rng.normal(30.0, 4.0, shape),
        "log-normal": rng.lognormal(size=shape),
        "uniform": rng.uniform(-7.0, -2.0, shape),
        "exponential": rng.exponential(100.0, shape),
    }


def minmax_of_training_data(seed: int) -> Iterator[Evidence]:
    from sklearn.preprocessing import MinMaxScaler

    others = columns(seed + 1000)
    for name, train in columns(seed).items():
        scaler = scaling.min_max(train)
        scaled = scaler(train)
        yield within(f"{name}: training values", scaled.ravel(), 0.0, 1.0)
        yield near(f"{name}: smallest training value of each column", scaled.min(axis=0), np.zeros(20), 0.0)
        yield near(f"{name}: largest training value of each column", scaled.max(axis=0), np.ones(20), 1e-12)
        yield near(f"{name}: scikit-learn's MinMaxScaler", scaled, MinMaxScaler().fit_transform(train), 1e-12)
        test = scaler(others[name])
        yield true(
            f"{name}: some values of another sample are outside the range",
            test.min() < 0 or test.max() > 1,
            f"from {test.min():.4f} to {test.max():.4f}",
        )


MINMAX_BOUNDS = Exact(
    id="minmax-bounds",
    statement="Min-max scaling maps the training values to the range from 0 to 1, but other values can be outside it.",
    topic="normalization",
    evidence=minmax_of_training_data,
    expected="holds",
    source="scikit-learn user guide, Preprocessing data, Scaling features to a range",
    note="Only the data that the scaler was fitted to is guaranteed to be in the range.",
)


def moments_of_z_scores(seed: int) -> Iterator[Evidence]:
    from scipy.stats import skew
    from sklearn.preprocessing import StandardScaler

    for name, train in columns(seed).items():
        scaled = scaling.z_score(train)(train)
        yield near(f"{name}: means", scaled.mean(axis=0), np.zeros(20), 1e-9)
        yield near(f"{name}: standard deviations", scaled.std(axis=0), np.ones(20), 1e-9)
        yield near(f"{name}: scikit-learn's StandardScaler", scaled, StandardScaler().fit_transform(train), 1e-9)
        yield near(f"{name}: skewness before and after", skew(scaled), skew(train), 1e-6)


ZSCORE_MOMENTS = Exact(
    id="zscore-moments",
    statement="Standardization gives every training feature mean 0 and standard deviation 1, and keeps its skewness.",
    topic="standardization",
    evidence=moments_of_z_scores,
    expected="holds",
    source="scikit-learn user guide, Preprocessing data, Standardization",
    note=(
        "The standard deviation divides by N. A linear map changes no skewness, so standardization works on any "
        "distribution but doesn't make it normal."
    ),
)


def accuracy_with_scaler(seed: int, *, scaler: str, is_skewed: bool) -> float:
    """Return the test accuracy of 5 nearest neighbors and logistic regression, their mean, in points.

    The ten features are normal, or the exponentials of such features; each has a unit of its own.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.neighbors import KNeighborsClassifier

    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, 2200)
    x = 0.6 * y[:, None] + rng.normal(size=(2200, 10))
    x = (np.exp(x) if is_skewed else x) * 10 ** rng.uniform(-2, 2, 10)
    scale = scaling.SCALERS[scaler](x[:200])
    models = (KNeighborsClassifier(5), LogisticRegression(max_iter=1000))
    scores = [model.fit(scale(x[:200]), y[:200]).score(scale(x[200:]), y[200:]) for model in models]
    return 100 * float(np.mean(scores))


ZSCORE_NEEDS_GAUSSIAN = Empirical(
    id="zscore-needs-gaussian",
    statement=(
        "Standardization suits normal features and min-max scaling skewed ones: the lead of z-scores over min-max "
        "scaling is larger with normal features."
    ),
    topic="standardization",
    arms={
        "z-score, normal": trial(accuracy_with_scaler, scaler="z-score", is_skewed=False),
        "min-max, normal": trial(accuracy_with_scaler, scaler="min-max", is_skewed=False),
        "z-score, skewed": trial(accuracy_with_scaler, scaler="z-score", is_skewed=True),
        "min-max, skewed": trial(accuracy_with_scaler, scaler="min-max", is_skewed=True),
    },
    measure="accuracy",
    decider=Interaction(min_effect=1.0, unit="points of accuracy"),
    expected="does_not_hold",
    source="scikit-learn examples, Compare the effect of different scalers on data with outliers",
    note=(
        "A z-score needs no normal distribution and makes none. Both scalers are sensitive to outliers, min-max "
        "scaling more so, because a single extreme value sets the range."
    ),
)


def large_pixels(seed: int, factor: float) -> Splits:
    """Return the digits, with half of the pixels, chosen by the seed, times a factor."""
    scale = np.where(np.random.default_rng(seed).permutation(64) < 32, factor, 1.0)
    return Splits(*(part._replace(x=part.x * scale) for part in digits(seed)))


def scaled(splits: Splits, scaler: str) -> Splits:
    """Return splits with their features scaled, by a scaler that was fitted to the training set."""
    scale = scaling.SCALERS[scaler](splits.train.x)
    return Splits(*(part._replace(x=scale(part.x)) for part in splits))


def knn_accuracy(seed: int, *, is_scaled: bool, factor: float) -> float:
    """Return the test accuracy of 5 nearest neighbors, in points, with half of the pixels times a factor."""
    from sklearn.neighbors import KNeighborsClassifier

    splits = large_pixels(seed, factor)
    splits = scaled(splits, "min-max") if is_scaled else splits
    return 100 * float(KNeighborsClassifier(5).fit(*splits.train).score(*splits.test))


SCALING_HELPS_DISTANCE_MODELS = Empirical(
    id="scaling-helps-distance-models",
    statement="Bringing the features to one scale helps models that compare distances, such as k nearest neighbors.",
    topic="normalization",
    arms=dict(
        scaled=trial(knn_accuracy, is_scaled=True, factor=1000.0),
        raw=trial(knn_accuracy, is_scaled=False, factor=1000.0),
    ),
    control=dict(factor=1.0),
    measure="accuracy",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    source="Hastie, Tibshirani, Friedman, The Elements of Statistical Learning 2009, section 13.3",
    note=(
        "Derivation: a feature in a unit 1,000 times smaller adds a million times as much to a squared distance. The "
        "size of the effect depends on which pixels have the smaller unit."
    ),
)


def sigmoid_net_accuracy(seed: int, *, is_scaled: bool, factor: float, lr: float) -> dict[str, float]:
    """Return the accuracy of a sigmoid network on the digits, in points, with half of the pixels times a factor."""
    splits = large_pixels(seed, factor)
    splits = scaled(splits, "min-max") if is_scaled else splits
    network = dense([64, 32, 10], "sigmoid", seed)
    batches = shuffled(len(splits.train.x), 32, 300, seed)
    fit(network, splits.train, batches, name="adam", lr=lr)
    return {"accuracy": accuracy(network, splits.test), "validation accuracy": accuracy(network, splits.validation)}


SCALING_HELPS_SIGMOID_NETS = Empirical(
    id="scaling-helps-sigmoid-nets",
    statement="Bringing the features to one scale helps a network with sigmoid activations.",
    topic="normalization",
    arms=dict(
        scaled=trial(sigmoid_net_accuracy, is_scaled=True, factor=1000.0, lr=0.03),
        raw=trial(sigmoid_net_accuracy, is_scaled=False, factor=1000.0, lr=0.03),
    ),
    control=dict(factor=1.0),
    tune=dict(lr=(3e-3, 1e-2, 3e-2, 1e-1)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    source="LeCun, Bottou, Orr, Müller, Efficient BackProp 1998, section 4.3",
    note="Large pre-activations saturate the sigmoid, so its derivative and the gradient are close to 0.",
)


def wine_accuracy(seed: int, *, scaler: str | None, has_units: bool = True) -> float:
    """Return the test accuracy of 5 nearest neighbors on the wine data, in points, the mean of 20 random splits.

    Args:
        seed: The seed of the splits.
        scaler: The scaler, fitted to the training set of each split; None for none.
        has_units: Whether the features have their units; otherwise all of them have the same standard deviation.
    """
    from sklearn.model_selection import train_test_split
    from sklearn.neighbors import KNeighborsClassifier

    from workbench.data import wine

    x, y = wine.load()
    x, scores = x if has_units else x / x.std(axis=0), []
    for state in range(20 * seed, 20 * seed + 20):
        x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=1 / 3, random_state=state)
        if scaler is not None:
            scale = scaling.SCALERS[scaler](x_train)
            x_train, x_test = scale(x_train), scale(x_test)
        scores.append(KNeighborsClassifier(5).fit(x_train, y_train).score(x_test, y_test))
    return 100 * float(np.mean(scores))


SCALING_HELPS_KNN_ON_WINE = Empirical(
    id="scaling-helps-knn-on-wine",
    statement="On the wine data, whose features have different units, scaling helps k nearest neighbors.",
    topic="standardization",
    arms={"z-score": trial(wine_accuracy, scaler="z-score"), "raw": trial(wine_accuracy, scaler=None)},
    control=dict(has_units=False),
    measure="accuracy",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    source="scikit-learn examples, Importance of Feature Scaling",
    note="Proline varies by hundreds and hue by tenths, so that raw distances compare little but proline.",
)

KNN_NEEDS_BOUNDED_INPUT = Empirical(
    id="knn-needs-bounded-input",
    statement="K nearest neighbors needs bounded features: min-max scaling serves it better than z-scores.",
    topic="normalization",
    arms={"min-max": trial(wine_accuracy, scaler="min-max"), "z-score": trial(wine_accuracy, scaler="z-score")},
    measure="accuracy",
    decider=Paired(min_effect=1.0, unit="points of accuracy"),
    expected="does_not_hold",
    note=(
        "Derivation: a distance adds up differences between features, so the features need comparable scales. Bounds "
        "don't matter: adding a constant to a feature changes no distance, and z-scores are comparable but unbounded."
    ),
)


def steps_by_condition(seed: int) -> list[tuple[float, float]]:
    """Return (condition number, steps of gradient descent) of regressions whose two features differ in scale."""
    rng = np.random.default_rng(seed)
    x, start = rng.normal(size=(200, 2)), rng.normal(size=2)
    points = []
    for ratio in (3.0, 5.0, 10.0, 20.0, 30.0):
        features = x * [ratio, 1.0]
        curvatures, axes = np.linalg.eigh(features.T @ features / len(x))
        low, high = float(curvatures[0]), float(curvatures[1])
        errors = path_until(curvatures, axes.T @ start, best_descent(low, high), 1e-4)
        points.append((high / low, float(len(errors))))
    return points


SCALING_CONDITIONS_GD = Scaling(
    id="scaling-conditions-gd",
    statement=(
        "The steps of gradient descent with its best learning rate grow in proportion to the condition number, which "
        "grows with the square of the ratio between the scales of the features."
    ),
    topic="standardization",
    points=steps_by_condition,
    decider=Slope(0.9, 1.1),
    expected="holds",
    source="Boyd, Vandenberghe, Convex Optimization 2004, section 9.3",
    note=(
        "Derivation: the best rate 2/(L + mu) shrinks the error by (kappa - 1)/(kappa + 1) per step, so the number of "
        "steps is about kappa/2 times log(1/tolerance). With one scale, kappa is close to 1."
    ),
)
