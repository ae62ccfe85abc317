"""Networks and sequences of claims about memory."""

import numpy as np
import pytest
import torch

from workbench.claims.chapters.recurrent import ordered_pairs, recurrent_gradient
from workbench.claims.recurrent_networks import SYMBOLS, build, recall, recall_accuracy


def test_the_target_is_the_first_token():
    tokens, target = recall(7, 500, np.random.default_rng(0))
    assert tokens.shape == (500, 8) and torch.equal(tokens[:, 0], target)
    assert set(tokens.unique().tolist()) == set(range(SYMBOLS))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru", "cnn", "attention"])
def test_the_first_token_changes_the_logits_of_all_but_a_cnn_that_is_too_narrow(kind):
    for distance in (6, 7):
        torch.manual_seed(0)
        network = build(kind, distance).double()
        tokens, _ = recall(distance, 4, np.random.default_rng(0))
        changed = tokens.clone()
        changed[:, 0] = (changed[:, 0] + 1) % SYMBOLS
        assert network(tokens).shape == (4, SYMBOLS)
        assert torch.equal(network(tokens), network(changed)) == (kind == "cnn" and distance == 7)


def test_a_near_token_is_learned_in_a_few_updates():
    assert recall_accuracy(5, network="gru", distance=2, steps=60) > 90


@pytest.mark.parametrize("question", ["order", "occurrence"])
def test_answers_about_order_and_occurrence(question):
    tokens, answers = ordered_pairs(2000, question, np.random.default_rng(0))
    for sequence, answer in zip(tokens.tolist(), answers.tolist(), strict=True):
        assert sequence.count(0) == sequence.count(1) == 1
        assert answer == (sequence.index(0) < sequence.index(1) if question == "order" else 2 in sequence)
    assert 0.4 < answers.double().mean() < 0.6


def test_gradients_at_lag_0_are_the_unit():
    assert recurrent_gradient(0, layer="gru", lag=0) == 0
    assert recurrent_gradient(0, layer="rnn", lag=30) < -3
