"""A detector that looks at no image: the median box of each class, scored by how many images have that class."""

import numpy as np
import torch

from models.layers.boxes import Detections


def fit(boxes: np.ndarray, labels: np.ndarray, is_object: np.ndarray) -> Detections:
    """Return the detections for every image.

    Args:
        boxes: Corners of the objects of the training images (N, M, 4).
        labels: Their classes (N, M).
        is_object: Where there is an object (N, M).
    """
    classes = np.unique(labels[is_object])
    medians = np.array([np.median(boxes[is_object & (labels == label)], axis=0) for label in classes], np.float32)
    scores = np.array([(is_object & (labels == label)).any(axis=1).mean() for label in classes], np.float32)
    order = np.argsort(-scores, kind="stable")
    return Detections(*(torch.from_numpy(column[order]) for column in (medians, scores, classes)))
