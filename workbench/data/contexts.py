"""Samples for word vectors: words with the words near them, and how often words occur near each other."""

from collections.abc import Iterator

import numpy as np

from workbench.data.words import PAD_TOKEN

NOISE_EXPONENT = 0.75  # of the counts, for negative samples
GLOVE_WINDOW, MAX_COUNT, WEIGHT_EXPONENT = 10, 100.0, 0.75


def count(tokens: np.ndarray, vocab_size: int) -> np.ndarray:
    """Return how often each token occurs (vocab_size,), padding 0 times."""
    counts = np.bincount(tokens.ravel(), minlength=vocab_size)
    counts[PAD_TOKEN] = 0
    return counts


def noise(counts: np.ndarray) -> np.ndarray:
    """Return the probability of each token as a negative sample."""
    powers = counts**NOISE_EXPONENT
    return powers / powers.sum()


def keep_probability(counts: np.ndarray, threshold: float) -> np.ndarray:
    """Return the probability that an occurrence of each token is used: min(1, sqrt(t / f)) for its frequency f.

    Mikolov et al., Distributed representations of words and phrases and their compositionality (2013), equation 5.
    """
    frequency = np.maximum(counts, 1) / counts.sum()
    return np.minimum(1.0, np.sqrt(threshold / frequency))


def windows(
    tokens: np.ndarray, window: int, keep: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[int, list[int]]]:
    """Yield each word with its context.

    Words are dropped at random first, so that a window may span more of the sentence; then each word has a window of
    its own of 1 to `window` words to either side, all as probable.

    Args:
        tokens: Sentences (N, length), padded with 0.
        window: The largest number of words to either side.
        keep: The probability that an occurrence of each token is used.
        rng: The RNG.
    """
    for row in tokens:
        words = row[row != PAD_TOKEN]
        words = words[rng.random(len(words)) < keep[words]]
        sizes = rng.integers(1, window, len(words), endpoint=True).tolist()
        sentence = words.tolist()
        for k, (word, size) in enumerate(zip(sentence, sizes, strict=True)):
            context = sentence[max(0, k - size) : k] + sentence[k + 1 : k + 1 + size]
            if context:
                yield word, context


def cooccurrences(tokens: np.ndarray, vocab_size: int, window: int = GLOVE_WINDOW) -> np.ndarray:
    """Return X (vocab_size, vocab_size): the sum of 1/d over all pairs of words at a distance d up to the window."""
    matrix = np.zeros((vocab_size, vocab_size))
    for distance in range(1, min(window, tokens.shape[1] - 1) + 1):
        left, right = tokens[:, :-distance].ravel(), tokens[:, distance:].ravel()
        is_pair = (left != PAD_TOKEN) & (right != PAD_TOKEN)
        np.add.at(matrix, (left[is_pair], right[is_pair]), 1 / distance)
    return matrix + matrix.T


def glove_weight(counts: np.ndarray) -> np.ndarray:
    """Return f(x) = min(1, (x / 100)^0.75) for counts."""
    return np.minimum(1.0, (counts / MAX_COUNT) ** WEIGHT_EXPONENT)
