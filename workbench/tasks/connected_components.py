"""A detector without a network: connected components of pixels that differ from the background."""

from collections.abc import Callable

import numpy as np
import torch
from scipy import ndimage

from models.layers.boxes import Detections, paired_iou

DIFFERENCE = 60  # of a pixel from the median color of the image's border, mean over the channels
MIN_AREA = 64  # pixels of a box
MASK_SIZE = 12  # pixels of a side to which a component is resized, so that its form can be classified
TRAINING_IMAGES = 2000

Proposals = tuple[np.ndarray, np.ndarray]  # boxes (n, 4), float32, and masks (n, MASK_SIZE ** 2)


def fit(images: np.ndarray, boxes: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], list[Detections]]:
    """Fit a logistic regression of the form of components, and return the detector that it makes.

    Args:
        images: Images (N, channels, height, width), uint8.
        boxes: Corners of their objects (N, M, 4).
        labels: Their classes (N, M), -1 for none.
    """
    from sklearn.linear_model import LogisticRegression

    masks, classes = [], []
    for image, corners, label in zip(images[:TRAINING_IMAGES], boxes, labels, strict=False):
        for box, mask in zip(*propose(image), strict=True):
            iou = paired_iou(torch.from_numpy(box), torch.from_numpy(corners[label >= 0]))
            if len(iou) and iou.max() >= 0.5:
                masks.append(mask)
                classes.append(label[label >= 0][int(iou.argmax())])
    classifier = LogisticRegression(C=0.1, max_iter=1000).fit(np.stack(masks), classes)

    def detect(image: np.ndarray) -> Detections:
        corners, forms = propose(image)
        if not len(corners):
            return Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.long))
        probabilities = torch.from_numpy(classifier.predict_proba(forms)).float()
        scores, indices = probabilities.max(dim=1)
        order = scores.argsort(descending=True)
        predicted = torch.from_numpy(classifier.classes_)[indices]
        return Detections(torch.from_numpy(corners)[order], scores[order], predicted[order])

    return lambda images: [detect(image) for image in images]


def propose(image: np.ndarray) -> Proposals:
    """Return the boxes and the forms of an image's components."""
    channels = image.astype(np.float32)
    border = np.concatenate([channels[:, 0], channels[:, -1], channels[:, :, 0], channels[:, :, -1]], axis=1)
    difference = np.abs(channels - np.median(border, axis=1)[:, None, None]).mean(axis=0)
    components, _ = ndimage.label(ndimage.binary_opening(difference > DIFFERENCE))
    boxes, masks = [], []
    for number, (rows, columns) in enumerate(ndimage.find_objects(components), start=1):
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if height * width >= MIN_AREA:
            boxes.append((columns.start, rows.start, columns.stop, rows.stop))
            mask = components[rows, columns] == number
            picks = [np.arange(MASK_SIZE) * size // MASK_SIZE for size in (height, width)]
            masks.append(mask[np.ix_(*picks)].ravel())
    return np.array(boxes, np.float32).reshape(-1, 4), np.array(masks, np.float32).reshape(-1, MASK_SIZE**2)
