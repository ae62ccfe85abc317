"""150 flowers of three species of iris (Anderson, 1935; Fisher, 1936): one species stands apart, two overlap.

It comes with scikit-learn. Licence: CC BY 4.0.
"""

import numpy as np

from workbench.data import sklearn_files

SET = dict(
    title="the species of an iris, from its flower",
    row="one flower, measured in four places",
    samples=150,
    features=("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"),
    classes=("setosa", "versicolor", "virginica"),
    target="species",
    source="Fisher, The use of multiple measurements in taxonomic problems, 1936, by scikit-learn",
    licence="CC BY 4.0",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Measurements (150, 4) in cm; species (150,)."""
    return sklearn_files.split_target(sklearn_files.read("iris.csv", header=1))
