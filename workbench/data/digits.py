"""1,797 handwritten digits of 8x8 pixels: the test part of UCI's optical recognition set (Alpaydin and Kaynak, 1998).

It comes with scikit-learn, so that there is something real to learn from without a network connection.
"""

import numpy as np


def load() -> tuple[tuple[np.ndarray, np.ndarray], dict[str, int]]:
    """Pictures (1797, 1, 8, 8), float32 0 (paper) to 1 (ink); their classes (1797,); the sizes of the parts."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    pictures = (digits.images / 16).astype(np.float32)[:, None]  # the scanner counted ink from 0 to 16
    return (pictures, digits.target.astype(np.int64)), dict(validation=180, test=360)
