"""Greedy decoding and beam search against all texts of a tiny vocabulary, and against a search of plain lists."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.tasks.beam_search import beam_search, decode

START, END, VOCABULARY = 0, 1, 4
MAX_LENGTH = 5


class Table:
    """Logits that depend on the whole text so far, which is the state: (N, MAX_LENGTH + 1) tokens, -1 if not read."""

    def __init__(self, seed, vocabulary=VOCABULARY):
        self.seed, self.vocabulary = seed, vocabulary

    def state(self, count=1):
        return (torch.full((count, MAX_LENGTH + 1), -1), torch.zeros(count, 1))

    def logits(self, text):
        generator = torch.Generator().manual_seed(hash((self.seed, *text)) % 2**31)
        return 2 * torch.randn(self.vocabulary, generator=generator, dtype=torch.float64)

    def step(self, tokens, state):
        texts, count = state[0].clone(), state[1] + 1
        for row, token in zip(texts, tokens.tolist(), strict=True):
            row[int((row >= 0).sum())] = token
        return torch.stack([self.logits(row[row >= 0].tolist()) for row in texts]), (texts, count)

    def log_probability(self, text):
        read, total = [START], 0.0
        for token in text:
            total += self.logits(read).log_softmax(dim=0)[token].item()
            read.append(token)
        return total


def all_texts(vocabulary, length):
    """Every text that ends, and every one that is cut at the length."""
    others = [token for token in range(vocabulary) if token != END]
    for count in range(length):
        for text in itertools.product(others, repeat=count):
            yield (*text, END)
    yield from itertools.product(others, repeat=length)


def search(table, beams, alpha, length):
    """Beam search by lists alone, which extends every beam to the largest length."""
    live, finished = [((), 0.0)], []
    for step in range(1, length + 1):
        extended = []
        for text, _ in live:
            for token in range(table.vocabulary):
                extended.append(((*text, token), table.log_probability((*text, token))))
        best = sorted(extended, key=lambda each: -each[1])[:beams]
        finished += [each for each in best if each[0][-1] == END or step == length]
        live = [each for each in best if each[0][-1] != END]
    finished.sort(key=lambda each: -each[1] / len(each[0]) ** alpha)
    return finished[:beams]


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_with_enough_beams_it_returns_the_best_of_all_texts(seed, alpha):
    table, length = Table(seed), 4
    expected = sorted(
        ((table.log_probability(text) / len(text) ** alpha, text) for text in all_texts(VOCABULARY, length)),
        reverse=True,
    )
    hypotheses = beam_search(table.step, table.state(), START, END, length, beams=VOCABULARY**length, alpha=alpha)
    assert [hypothesis.tokens for hypothesis in hypotheses] == [text for _, text in expected]
    for hypothesis, (score, text) in zip(hypotheses, expected, strict=True):
        assert hypothesis.score == pytest.approx(score, abs=1e-9)
        assert hypothesis.log_probability == pytest.approx(score * len(text) ** alpha, abs=1e-9)
        assert hypothesis.is_complete == (text[-1] == END)
    if alpha == 0:  # the texts are all that can happen
        assert sum(math.exp(hypothesis.log_probability) for hypothesis in hypotheses) == pytest.approx(1, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), beams=st.integers(1, 5), alpha=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_with_few_beams_it_is_the_search_that_never_stops_early(seed, beams, alpha):
    table = Table(seed)
    ours = beam_search(table.step, table.state(), START, END, MAX_LENGTH, beams, alpha)
    assert [hypothesis.tokens for hypothesis in ours] == [text for text, _ in search(table, beams, alpha, MAX_LENGTH)]


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy_decoding(seed):
    table = Table(seed)
    text, read = [], [START]
    while len(text) < MAX_LENGTH and (not text or text[-1] != END):
        token = int(table.logits(read).argmax())
        text.append(token)
        read.append(token)
    assert decode(table.step, table.state(), START, END, MAX_LENGTH)[0].tolist() == text
    [hypothesis] = beam_search(table.step, table.state(), START, END, MAX_LENGTH, beams=1)
    assert list(hypothesis.tokens) == text


def test_two_beams_find_a_text_that_greedy_decoding_misses():
    a, b, x, y = 2, 3, 4, 5
    probabilities = {(START,): {a: 0.6, b: 0.4}, (START, a): {x: 0.45, y: 0.55}, (START, b): {x: 0.9, y: 0.1}}

    class Fixed(Table):
        def logits(self, text):
            logits = torch.full((6,), -torch.inf, dtype=torch.float64)
            for token, probability in probabilities.get(tuple(text), {END: 1.0}).items():
                logits[token] = math.log(probability)
            return logits

    table = Fixed(0, vocabulary=6)
    greedy = beam_search(table.step, table.state(), START, END, MAX_LENGTH, beams=1)[0]
    best = beam_search(table.step, table.state(), START, END, MAX_LENGTH, beams=2)[0]
    assert greedy.tokens == (a, y, END) and math.exp(greedy.log_probability) == pytest.approx(0.33)
    assert best.tokens == (b, x, END) and best.log_probability == pytest.approx(-1.0217, abs=1e-4)


def test_length_normalization_can_prefer_a_longer_text():
    class Fixed(Table):
        def logits(self, text):
            end = 0.4 if len(text) == 1 else 0.5 if len(text) == 2 else 0.99
            return torch.tensor([-torch.inf, math.log(end), math.log(1 - end)], dtype=torch.float64)

    table = Fixed(0, vocabulary=3)
    plain, normalized = (
        beam_search(table.step, table.state(), START, END, MAX_LENGTH, beams=3, alpha=alpha)[0] for alpha in (0.0, 1.0)
    )
    assert len(plain.tokens) == 1 and len(normalized.tokens) == 3
    assert normalized.score == pytest.approx(math.log(0.6 * 0.5 * 0.99) / 3)


def test_texts_of_a_batch_are_decoded_until_all_have_ended():
    class Ending(Table):
        def step(self, tokens, state):
            count = state[1] + 1
            is_last = count[:, 0] >= torch.tensor([2, 4])
            logits = torch.zeros(2, VOCABULARY)
            logits[:, 2] = 1
            logits[is_last, END] = 2
            return logits, (state[0], count)

    table = Ending(0)
    assert decode(table.step, table.state(2), START, END, 9)[:, :4].tolist() == [[2, END, END, END], [2, 2, 2, END]]
    assert decode(table.step, table.state(2), START, END, 3).shape == (2, 3)
    third = decode(table.step, table.state(2), START, END, 3, lambda logits: torch.full((2,), 3))
    assert third.tolist() == [[3, 3, 3], [3, 3, 3]]
