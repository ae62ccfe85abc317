"""The n-gram baseline against counts by hand, another optimizer, and the rules of probability."""

from collections import Counter

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from workbench.tasks.ngram import InterpolatedNGram


def stream(length, vocabulary, seed):
    """Tokens that depend on the two before."""
    rng = np.random.default_rng(seed)
    tokens = [0, 1]
    for _ in range(length - 2):
        tokens.append(int((tokens[-1] + 2 * tokens[-2] + rng.choice(3, p=[0.7, 0.2, 0.1])) % vocabulary))
    return tokens


def by_hand(train, validation, test, vocabulary, order):
    """Perplexity by dictionaries of counts; each weight is found by a bounded search for the maximum likelihood."""

    def ratio(tokens, k, n):
        history = tuple(tokens[k - n + 1 : k])
        return ngrams[n][(*history, tokens[k])] / histories[n][history] if histories[n][history] else 0.0

    def bucket(tokens, k, n):
        return len(f"{histories[n][tuple(tokens[k - n + 1 : k])]:b}") if k >= n - 1 else 0

    ngrams, histories = {}, {}
    for n in range(1, order + 1):
        ngrams[n] = Counter(tuple(train[k - n + 1 : k + 1]) for k in range(n - 1, len(train)))
        histories[n] = Counter(tuple(train[k - n + 1 : k]) for k in range(n - 1, len(train)))
    lower = {id(tokens): [1 / vocabulary] * len(tokens) for tokens in (validation, test)}
    for n in range(1, order + 1):
        weights = {}
        for size in range(1, 20):
            samples = [
                (ratio(validation, k, n), lower[id(validation)][k])
                for k in range(n - 1, len(validation))
                if histories[n][tuple(validation[k - n + 1 : k])] and bucket(validation, k, n) == size
            ]
            if samples:
                longer, shorter = np.array(samples).T

                def loss(w, longer=longer, shorter=shorter):
                    return -np.log(w * longer + (1 - w) * shorter).sum() - np.log(1 - w)

                weights[size] = minimize_scalar(loss, bounds=(0, 1), method="bounded", options=dict(xatol=1e-12)).x
            else:
                weights[size] = weights.get(size - 1, 0.0)
        for tokens in (validation, test):
            for k in range(n - 1, len(tokens)):
                if histories[n][tuple(tokens[k - n + 1 : k])]:
                    w = weights[bucket(tokens, k, n)]
                    lower[id(tokens)][k] = w * ratio(tokens, k, n) + (1 - w) * lower[id(tokens)][k]
    return float(np.exp(-np.mean(np.log(lower[id(test)][1:]))))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_the_perplexity_is_that_by_hand(order):
    train, validation, test = stream(400, 7, seed=1), stream(120, 7, seed=2), [*stream(150, 7, seed=3), 7, 8, 0, 1]
    model = InterpolatedNGram(np.array(train), np.array(validation), 9, order)
    assert model.perplexity(np.array(test)) == pytest.approx(by_hand(train, validation, test, 9, order), rel=1e-4)


def test_the_probabilities_of_all_next_tokens_sum_to_one():
    model = InterpolatedNGram(np.array(stream(400, 7, seed=1)), np.array(stream(120, 7, seed=2)), 9)
    for history in ([], [3], [8], [0, 1, 2, 3], [8, 8, 8, 8], stream(40, 7, seed=4)):
        nexts = [model.probabilities(np.array([*history, token]))[-1] for token in range(9)]
        assert sum(nexts) == pytest.approx(1, abs=1e-12) and min(nexts) > 0  # also for tokens that training lacks


def test_histories_help_as_far_as_the_tokens_depend_on_them():
    train, validation, test = (np.array(stream(5000, 7, seed)) for seed in (1, 2, 3))
    perplexities = [InterpolatedNGram(train, validation, 7, order).perplexity(test) for order in (1, 2, 3, 5)]
    entropy = -(0.7 * np.log(0.7) + 0.2 * np.log(0.2) + 0.1 * np.log(0.1))
    assert perplexities[0] == pytest.approx(7, rel=0.01) and perplexities[1] == pytest.approx(7, rel=0.01)
    assert perplexities[2] == pytest.approx(np.exp(entropy), rel=0.02)  # the tokens depend on two before
    assert perplexities[3] == pytest.approx(perplexities[2], rel=0.02)  # and on no more


def test_short_streams_and_large_vocabularies():
    model = InterpolatedNGram(np.array([1, 2]), np.array([1]), 4096)
    assert np.isfinite(model.perplexity(np.array([1, 2, 3])))
    with pytest.raises(ValueError, match="64 bits"):
        InterpolatedNGram(np.array([1, 2]), np.array([1]), 7000)
