"""The nearest text by edit distance, for a baseline: a translation that only looks up."""

import numpy as np

from models.layers.tokens import PAD

MAX_CELLS = 2 * 10**9  # of all tables of distances, which are computed within some seconds


def find(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of a test set, and for each of them the row of the training set with the smallest edit distance.

    Of equal distances, the first counts. If there are too many texts, only the first of either set are compared.

    Args:
        train: Tokens (N, length), padded with `PAD`.
        test: Tokens (M, length), padded with `PAD`.
    """
    cells = train.shape[1] * test.shape[1]
    train = train[: max(1, MAX_CELLS // (cells * min(len(test), 100)))]
    rows = np.arange(min(len(test), max(1, MAX_CELLS // (cells * len(train)))))
    return rows, np.array([edit_distances(train, test[row]).argmin() for row in rows])


def edit_distances(texts: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return the edit distance (N,) of each text (N, length) to another one: insertions, deletions, substitutions."""
    other = other[other != PAD]
    lengths = (texts != PAD).sum(axis=1)
    # One row of Levenshtein's table for all texts at once: the distance of each of their beginnings to one of `other`.
    row = np.broadcast_to(np.arange(texts.shape[1] + 1, dtype=np.int16)[:, None], (texts.shape[1] + 1, len(texts)))
    for place, token in enumerate(other, 1):
        substituted = row[:-1] + (token != texts.T)
        new = np.empty_like(row)
        new[0] = place
        np.minimum(substituted, row[1:] + 1, out=new[1:])
        for k in range(1, len(new)):
            np.minimum(new[k], new[k - 1] + 1, out=new[k])
        row = new
    distances: np.ndarray = row[lengths, np.arange(len(texts))]
    return distances
