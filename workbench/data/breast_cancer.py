"""569 lumps in a breast, malignant or benign, by their cells' nuclei (Street, Wolberg, Mangasarian, 1993).

Ten properties of a nucleus, each as its mean over the picture, its standard error, and the mean of the three worst. As
in scikit-learn, which it comes with, 0 is malignant and 1 benign. Licence: CC BY 4.0.
"""

import numpy as np

from workbench.data import sklearn_files

SET = dict(
    title="whether a lump is malignant, from its cells",
    row="one fine needle aspirate, seen through a microscope",
    samples=569,
    features=(
        "mean radius",
        "mean texture",
        "mean perimeter",
        "mean area",
        "mean smoothness",
        "mean compactness",
        "mean concavity",
        "mean concave points",
        "mean symmetry",
        "mean fractal dimension",
        "radius error",
        "texture error",
        "perimeter error",
        "area error",
        "smoothness error",
        "compactness error",
        "concavity error",
        "concave points error",
        "symmetry error",
        "fractal dimension error",
        "worst radius",
        "worst texture",
        "worst perimeter",
        "worst area",
        "worst smoothness",
        "worst compactness",
        "worst concavity",
        "worst concave points",
        "worst symmetry",
        "worst fractal dimension",
    ),
    classes=("malignant", "benign"),
    target="diagnosis",
    source="Wolberg, Mangasarian, Street, Breast Cancer Wisconsin (Diagnostic), UCI 1993, by scikit-learn",
    licence="CC BY 4.0",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Properties (569, 30); diagnoses (569,): 0 malignant, 1 benign."""
    return sklearn_files.split_target(sklearn_files.read("breast_cancer.csv", header=1))
