"""Principal component analysis, the linear rival of autoencoders."""

from collections.abc import Sequence

import numpy as np

MAX_TRAINING, MAX_PIXELS = 5000, 1024  # images that it is fitted to; pixels up to which all components are computed


def errors(
    train: np.ndarray, test: np.ndarray, components: Sequence[int], seed: int, inputs: np.ndarray | None = None
) -> list[float]:
    """Return the mean squared error of test samples that are projected onto the first principal components.

    Args:
        train: Samples (N, features) that the components are fitted to.
        test: Samples (M, features).
        components: Numbers of components.
        seed: Seed of the randomized method, for samples of many features.
        inputs: What is projected, if not the test samples themselves: such as noisy ones (M, features).
    """
    from sklearn.decomposition import PCA

    solver = "full" if train.shape[1] <= MAX_PIXELS else "randomized"
    most = min(max(components), *train[:MAX_TRAINING].shape)
    pca = PCA(most, svd_solver=solver, random_state=seed).fit(train[:MAX_TRAINING].astype(np.float64))
    codes = pca.transform(test if inputs is None else inputs)
    results = []
    for count in components:
        projected = codes[:, :count] @ pca.components_[:count] + pca.mean_
        results.append(float(np.square(projected - test).mean()))
    return results
