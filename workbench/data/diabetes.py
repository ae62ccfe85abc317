"""442 patients with diabetes: how far the disease went in a year (Efron, Hastie, Johnstone, Tibshirani, 2004).

The features are in their own units here, not centred as scikit-learn hands them out by default: scaling them is part of
the lesson. Licence: its authors state none; scikit-learn, which it comes with, is under BSD-3-Clause.
"""

import numpy as np

from workbench.data import sklearn_files

SET = dict(
    title="how far diabetes goes in a year, from ten measurements",
    row="one patient, when the year began",
    samples=442,
    features=("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"),
    target="progression",
    source="Efron, Hastie, Johnstone, Tibshirani, Least Angle Regression, 2004, by scikit-learn",
    licence="none stated by its authors; scikit-learn's copy BSD-3-Clause",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Measurements (442, 10): age, sex, body mass index, blood pressure, six of blood serum; progression (442,)."""
    inputs = sklearn_files.read("diabetes_data_raw.csv.gz", delimiter=None)
    return inputs, sklearn_files.read("diabetes_target.csv.gz")[:, 0]
