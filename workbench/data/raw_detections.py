"""Raw detections, as a detector outputs them before suppression, made by code from the objects of images.

Every object is detected several times: its box is moved and resized at random, and the better it still fits, the higher
is its score. An object that is hard to see has lower scores in all of its detections. Some detections, with low scores,
are of no object. So scores rank boxes by their fit, but not reliably, as those of a trained detector do.

    objects       (N, M, 4) corners and (N, M) labels, -1 for none, as the datasets have them
    detections    (N, D, 4) corners, (N, D) scores from 0 to 1, highest first, and (N, D) labels; after an image's last
                  detection boxes and scores are 0 and labels -1
"""

import numpy as np

DETECTIONS = (3, 8)  # of an object, at least and at most
SHIFT, GROWTH = 0.09, 0.12  # standard deviations of the center, relative to the size, and of the log of the size
STEEPNESS, MIDDLE = 8.0, 0.65  # of the score over the IoU with the object
DIFFICULTY, NOISE = 0.8, 0.8  # standard deviations of the score's logit, per object and per detection
FALSE = 3.0  # mean number of detections of no object
FALSE_LOGIT = -1.5

Detections = tuple[np.ndarray, np.ndarray, np.ndarray]


def simulate(boxes: np.ndarray, labels: np.ndarray, classes: int, size: float, rng: np.random.Generator) -> Detections:
    """Return raw detections of images.

    Args:
        boxes: Corners of the objects, (N, M, 4).
        labels: Their classes, (N, M), -1 for none.
        classes: Number of classes.
        size: Height and width of the images.
        rng: Draws the detections.

    Returns:
        Boxes (N, D, 4), float32; scores (N, D), float32; labels (N, D), int64.
    """
    images = [_detect(corners[k >= 0], k[k >= 0], classes, size, rng) for corners, k in zip(boxes, labels, strict=True)]
    most = max(len(scores) for _, scores, _ in images)
    all_boxes, all_scores = np.zeros((len(images), most, 4), np.float32), np.zeros((len(images), most), np.float32)
    all_labels = np.full((len(images), most), -1, np.int64)
    for k, (detected, scores, classes_of_image) in enumerate(images):
        all_boxes[k, : len(scores)], all_scores[k, : len(scores)] = detected, scores
        all_labels[k, : len(scores)] = classes_of_image
    return all_boxes, all_scores, all_labels


def _detect(corners: np.ndarray, labels: np.ndarray, classes: int, size: float, rng: np.random.Generator) -> Detections:
    """Return the detections of one image, the highest score first."""
    number = len(labels)
    owners = np.repeat(np.arange(number), rng.integers(DETECTIONS[0], DETECTIONS[1] + 1, number))
    centers, sizes = (corners[:, :2] + corners[:, 2:]) / 2, corners[:, 2:] - corners[:, :2]
    moved = centers[owners] + SHIFT * sizes[owners] * rng.normal(size=(len(owners), 2))
    grown = sizes[owners] * np.exp(GROWTH * rng.normal(size=(len(owners), 2)))
    detected = np.concatenate([moved - grown / 2, moved + grown / 2], axis=1).clip(0, size)
    logits = STEEPNESS * (_paired_iou(detected, corners[owners]) - MIDDLE)
    logits += DIFFICULTY * rng.normal(size=number)[owners] + NOISE * rng.normal(size=len(owners))
    others = rng.poisson(FALSE)
    first = rng.uniform(0, 0.7 * size, (others, 2))
    random = np.concatenate([first, first + rng.uniform(0.15 * size, 0.3 * size, (others, 2))], axis=1)
    all_logits = np.concatenate([logits, FALSE_LOGIT + rng.normal(size=others)])
    all_labels = np.concatenate([labels[owners], rng.integers(0, classes, others)])
    order = (-all_logits).argsort(kind="stable")
    scores = 1 / (1 + np.exp(-all_logits))
    return np.concatenate([detected, random])[order], scores[order], all_labels[order]


def _paired_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    shared = (np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2])).clip(0).prod(axis=1)
    areas = [(box[:, 2:] - box[:, :2]).prod(axis=1) for box in (a, b)]
    overlap: np.ndarray = shared / (areas[0] + areas[1] - shared)
    return overlap
