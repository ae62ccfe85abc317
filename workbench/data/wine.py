"""178 Italian wines from three growers (Forina and others, 1988; Aeberhard and others, 1992).

The features' units lie far apart (proline in the hundreds, hue about 1), so that it shows what scaling is for. It comes
with scikit-learn. Licence: CC BY 4.0.
"""

import numpy as np

from workbench.data import sklearn_files

SET = dict(
    title="the grower of a wine, from its chemistry",
    row="one wine, analysed",
    samples=178,
    features=(
        "alcohol",
        "malic_acid",
        "ash",
        "alcalinity_of_ash",
        "magnesium",
        "total_phenols",
        "flavanoids",
        "nonflavanoid_phenols",
        "proanthocyanins",
        "color_intensity",
        "hue",
        "od280/od315_of_diluted_wines",
        "proline",
    ),
    classes=("class_0", "class_1", "class_2"),
    target="grower",
    source="Aeberhard, Forina, Wine, UCI 1991, by scikit-learn",
    licence="CC BY 4.0",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Chemistry (178, 13); growers (178,)."""
    return sklearn_files.split_target(sklearn_files.read("wine_data.csv", header=1))
