"""1,797 handwritten digits of 8x8 pixels: the test part of UCI's optical recognition set (Alpaydin and Kaynak, 1998).

It comes with scikit-learn, so that there is something real to learn from without a network connection. Licence:
CC BY 4.0.
"""

import numpy as np

from workbench.data import sklearn_files

SET = dict(
    title="which digit a hand wrote, from 8x8 pixels",
    row="one digit that somebody wrote on a form, scanned and made small",
    samples=1797,
    shape=(1, 8, 8),
    classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
    target="digit",
    source="Alpaydin, Kaynak, Optical Recognition of Handwritten Digits, UCI 1998 (test part), by scikit-learn",
    licence="CC BY 4.0",
)


def load() -> tuple[np.ndarray, np.ndarray]:
    """Pictures (1797, 1, 8, 8), float32 from 0 (paper) to 1 (ink); their classes (1797,)."""
    pixels, digits = sklearn_files.split_target(sklearn_files.read("digits.csv.gz"))
    return (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8), digits  # the scanner counted ink from 0 to 16
