"""An n-gram model of tokens, the baseline of language models: Jelinek, Mercer, Interpolated estimation of Markov source
parameters from sparse data (1980), as described by Chen, Goodman, An empirical study of smoothing techniques for
language modeling (1998), section 2.3.

    p_n(token | history) = w * count(history, token) / count(history) + (1 - w) * p_{n-1}(token | shorter history)

The history of p_n are the n - 1 tokens before, the counts are those of the training set, and p_0 is uniform over the
vocabulary. A weight w depends on n and on how often the history occurred: histories share a weight if their counts have
equally many binary digits. The weights maximize the likelihood of the validation set: for n from 1 up, EM finds those
of n, given the ones below.
"""

import numpy as np

MAX_NGRAMS = 2**63  # that differ: each is one number
EM_STEPS, EM_TOLERANCE = 1000, 1e-9  # at most, and a change of the weight that ends it
Counts = tuple[np.ndarray, np.ndarray]  # sequences of tokens as sorted numbers, and how often each occurs


class InterpolatedNGram:
    """An n-gram model.

    Args:
        train: The training set, a stream of tokens (length,), int64.
        validation: The validation set, another stream, of one token or more.
        vocabulary: The number of different tokens.
        order: The n of the longest n-grams.
    """

    def __init__(self, train: np.ndarray, validation: np.ndarray, vocabulary: int, order: int = 5):
        if vocabulary**order >= MAX_NGRAMS:
            raise ValueError("n-grams of that many tokens don't fit into 64 bits")
        self.vocabulary, self.order = vocabulary, order
        self._ngrams: list[Counts] = []
        self._histories: list[Counts] = []
        self._weights: list[np.ndarray] = []  # by the number of binary digits of the history's count
        for n in range(1, order + 1):
            ngrams = self._numbers(train, n)
            self._ngrams.append(np.unique(ngrams, return_counts=True))
            self._histories.append(np.unique(ngrams // vocabulary, return_counts=True))
        lower = np.full(len(validation), 1 / vocabulary)
        for n in range(1, order + 1):
            ratio, bucket = self._ratio(validation, n)
            self._weights.append(_fit_weights(ratio, bucket, lower))
            weight = self._weights[-1][bucket]
            lower = weight * ratio + (1 - weight) * lower

    def probabilities(self, tokens: np.ndarray) -> np.ndarray:
        """Return the probability of each token of a stream, given those before it (length,)."""
        result = np.full(len(tokens), 1 / self.vocabulary)
        for n in range(1, self.order + 1):
            ratio, bucket = self._ratio(tokens, n)
            weight = self._weights[n - 1][bucket]
            result = weight * ratio + (1 - weight) * result
        return result

    def perplexity(self, tokens: np.ndarray) -> float:
        """Return the perplexity per token of a stream, without its first token, which has no history."""
        return float(np.exp(-np.log(self.probabilities(tokens)[1:]).mean()))

    def _numbers(self, tokens: np.ndarray, n: int) -> np.ndarray:
        """Return each n tokens in a row as one number, whose digits to the base of the vocabulary they are."""
        count = max(0, len(tokens) - n + 1)
        numbers = np.zeros(count, np.int64)
        for k in range(n):
            numbers = numbers * self.vocabulary + tokens[k : k + count]
        return numbers

    def _ratio(self, tokens: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Return count(history, token) / count(history), and the bucket of the history, for each token.

        Both are 0 if the training set doesn't have the history, or if there are fewer than n - 1 tokens before.
        """
        ratio, bucket = np.zeros(len(tokens)), np.zeros(len(tokens), np.int64)
        ngrams = self._numbers(tokens, n)
        histories = _count(ngrams // self.vocabulary, self._histories[n - 1])
        ratio[len(tokens) - len(ngrams) :] = _count(ngrams, self._ngrams[n - 1]) / np.maximum(histories, 1)
        bucket[len(tokens) - len(ngrams) :] = np.frexp(histories)[1]  # the number of binary digits
        return ratio, bucket


def _count(numbers: np.ndarray, counts: Counts) -> np.ndarray:
    contexts, occurrences = counts
    if not len(contexts):
        return np.zeros(len(numbers), np.int64)
    places = np.searchsorted(contexts, numbers).clip(max=len(contexts) - 1)
    return np.where(contexts[places] == numbers, occurrences[places], 0)


def _fit_weights(ratio: np.ndarray, bucket: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the weight of each bucket that maximizes the likelihood of w * ratio + (1 - w) * lower.

    One more sample, which has the ratio 0, keeps each weight below 1: otherwise the probability of a token that is new
    in the test set could be 0. The weight of bucket 0, unseen histories, is 0. A bucket without samples has the weight
    of the one below.
    """
    weights = np.zeros(64)
    for k in range(1, 64):
        samples = bucket == k
        weight = _fit_weight(ratio[samples], lower[samples]) if samples.any() else weights[k - 1]
        weights[k] = weight
    return weights


def _fit_weight(ratio: np.ndarray, lower: np.ndarray) -> float:
    weight = 0.5
    for _ in range(EM_STEPS):
        longer = weight * ratio
        before, weight = weight, float(np.sum(longer / (longer + (1 - weight) * lower))) / (len(ratio) + 1)
        if abs(weight - before) < EM_TOLERANCE:
            break
    return weight
