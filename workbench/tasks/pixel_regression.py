"""A baseline of panoptic segmentation: logistic regression of each pixel, and connected regions.

A pixel has nine features: its red, green and blue, and their mean and standard deviation in a window of 5x5. A class of
stuff is one segment; of the pixels of all things, each connected region is one, of the class that most of them have.
"""

from collections.abc import Callable, Sequence

import numpy as np

from workbench.tasks.panoptic_quality import VOID, PanopticMap

WINDOW = 5  # pixels
SAMPLES = 20_000  # pixels of the training set
MIN_AREA = 30  # pixels of a connected region


def fit(images: np.ndarray, maps: Sequence[PanopticMap], things: int) -> Callable[[np.ndarray], PanopticMap]:
    """Return a function from an image (3, height, width), uint8, to its segments.

    Args:
        images: Training images (N, 3, height, width), uint8.
        maps: Their true segments.
        things: Number of classes of things, which come first.
    """
    from scipy import ndimage
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rng, rows, targets = np.random.default_rng(0), [], []
    selection = rng.permutation(len(images))[:400]
    for number in selection:
        pixels = rng.choice(np.flatnonzero(maps[number].ids != VOID), SAMPLES // len(selection))
        rows.append(features(images[number])[pixels])
        targets += [maps[number].classes[one] for one in maps[number].ids.reshape(-1)[pixels].tolist()]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    model.fit(np.concatenate(rows), targets)

    def predict(image: np.ndarray) -> PanopticMap:
        labels = model.predict(features(image)).reshape(image.shape[1:])
        ids = np.zeros(labels.shape, np.int64)
        classes: dict[int, int] = {}
        regions, count = ndimage.label(labels < things)
        for region in range(1, count + 1):
            is_here = regions == region
            if is_here.sum() >= MIN_AREA:
                classes[len(classes) + 1] = int(np.bincount(labels[is_here]).argmax())
                ids[is_here] = len(classes)
        for label in np.unique(labels[labels >= things]).tolist():
            classes[len(classes) + 1] = label
            ids[labels == label] = len(classes)
        return PanopticMap(ids, classes)

    return predict


def features(image: np.ndarray) -> np.ndarray:
    """Return the features of each pixel (height*width, 9) of an image (3, height, width)."""
    from scipy.ndimage import uniform_filter

    values = image / 255.0
    mean = uniform_filter(values, (0, WINDOW, WINDOW))
    variance = uniform_filter(values**2, (0, WINDOW, WINDOW)) - mean**2
    return np.concatenate([values, mean, np.sqrt(variance.clip(min=0))]).reshape(9, -1).T
