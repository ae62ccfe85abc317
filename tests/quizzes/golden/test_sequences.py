"""Sequences: values of the literature and of hand calculation, and torch's own layers and autograd."""

from random import Random

import pytest
import torch
from torch import nn

from quizzes.formulas import get

GOLDEN = [
    ("embedding-params", dict(V=30_522, d=768), {"P": 23_440_896}),
    ("cosine-similarity", dict(u=[1, 2, 2], v=[2, 0, 1]), {"c": 0.5963}),
    ("skipgram-pairs", dict(T=5, c=2), {"N": 14}),
    ("neg-sampling-loss", dict(s=2, n=[-1, 0.5]), {"L": 1.4143}),
    ("unigram-075", dict(f=[90, 9, 1]), {"P": [0.8250, 0.1467, 0.0282]}),
    ("subsampling", dict(t=1e-5, f=0.01, N=1000), {"p": 0.9684, "m": 31.6228}),
    ("glove-weight", dict(X=10, X_max=100), {"w": 0.1778}),
    ("glove-term", dict(X=10, X_max=100, s=1.5, b1=0.2, b2=0.1), {"J": 0.0449}),
    ("rnn-step", dict(x=1, h_prior=0, w_x=0.5, w_h=0.8, b=0.1), {"h": 0.5370}),
    ("rnn-params", dict(i=70, h=50, q=1, o=1), {"P": 6050}),
    ("rnn-params", dict(i=70, h=50, q=2, o=1), {"P": 6100}),
    ("lstm-gru-params", dict(cell="LSTM", i=25, h=100, q=1), {"P": 50_400}),
    ("lstm-gru-params", dict(cell="LSTM", i=25, h=100, q=2), {"P": 50_800}),
    ("lstm-gru-params", dict(cell="GRU", i=25, h=100, q=1), {"P": 37_800}),
    ("lstm-gru-params", dict(cell="GRU", i=25, h=100, q=2), {"P": 38_100}),
    ("recurrent-size", dict(cell="LSTM", framework="pytorch", i=10, h=20, L=2, D=2), {"P": 15_040}),
    ("recurrent-size", dict(cell="GRU", framework="keras", i=25, h=100), {"P": 38_100}),  # reset_after: two biases
    ("recurrent-size", dict(cell="LSTM", framework="keras", i=25, h=100), {"P": 50_400}),
    ("entity-f1", dict(gold="B-PER I-PER O B-LOC", pred="B-PER I-PER O B-PER"), {"TP": 1, "P": 0.5, "R": 0.5}),
]
STEP = dict(x=1, h_prior=0.5, w_x=[0.5, 0.3, 0.8, 0.6], w_h=[0.1, 0.2, -0.4, 0.3], b=[0, 1, 0, 0])
WORDS = dict(words=["king", "queen", "man", "woman"], vectors=[[3, 1], [3, 5], [1, 1], [1, 5]])


@pytest.mark.parametrize(("id", "inputs", "outputs"), GOLDEN)
def test_golden_values(id, inputs, outputs):
    results = get(id).solve(**inputs)
    for name, value in outputs.items():
        values = results[name] if isinstance(value, list) else [results[name]]
        assert [float(one) for one in values] == pytest.approx(value if isinstance(value, list) else [value], abs=6e-5)


def test_one_step_of_an_lstm():
    results = get("lstm-step").solve(**STEP, c_prior=0.2)
    expected = dict(i=0.6341, f=0.8022, g=0.5370, o=0.6792, c=0.5010, h=0.3144)
    assert {name: float(results[name]) for name in expected} == pytest.approx(expected, abs=6e-5)


def test_the_gradient_of_bptt_is_that_of_autograd():
    rng = Random(0)
    for _ in range(20):
        x = [rng.randint(-2, 2) for _ in range(rng.randint(1, 5))]
        values = {name: round(rng.uniform(-1, 1), 2) for name in ("w_x", "w_h", "b", "h0", "y")}
        results = get("bptt-gradient").solve(x=x, **values)
        leaves = {name: torch.tensor(values[name], dtype=torch.double).requires_grad_() for name in values}
        h = leaves["h0"]
        for x_t in x:
            h = torch.tanh(leaves["w_x"] * x_t + leaves["w_h"] * h + leaves["b"])
        loss = (h - leaves["y"]).square() / 2
        loss.backward()
        assert float(results["L"]) == pytest.approx(loss.item(), abs=1e-12)
        for output, name in (("g_x", "w_x"), ("g_h", "w_h"), ("g_b", "b"), ("g_h0", "h0")):
            assert float(results[output]) == pytest.approx(leaves[name].grad.item(), abs=1e-12)


@pytest.mark.parametrize(("cell", "kind"), [("RNN", nn.RNN), ("LSTM", nn.LSTM), ("GRU", nn.GRU)])
def test_sizes_are_those_of_torch(cell, kind):
    rng = Random(1)
    for _ in range(10):
        i, h, layers, directions, batch, steps = (rng.randint(1, 5), *(rng.randint(1, n) for n in (5, 3, 2, 4, 6)))
        network = kind(i, h, layers, bidirectional=directions == 2, batch_first=True)
        outputs, state = network(torch.zeros(batch, steps, i))
        results = get("recurrent-size").solve(
            cell=cell, framework="pytorch", i=i, h=h, L=layers, D=directions, B=batch, T=steps
        )
        assert results["P"] == sum(weight.numel() for weight in network.parameters())
        assert list(results["output"]) == list(outputs.shape)
        assert list(results["h_n"]) == list((state[0] if isinstance(state, tuple) else state).shape)


def test_analogies_and_neighbors_leave_out_the_words_of_the_question():
    result = get("word-analogy").solve(**WORDS, a="man", b="woman", c="king")
    assert [float(value) for value in result["target"]] == [3, 5] and result["d"] == "queen"
    similarity = nn.functional.cosine_similarity(torch.tensor([3.0, 5.0]), torch.tensor([[3.0, 1], [1, 1], [1, 5]]))
    nearest = ["king", "man", "woman"][int(similarity.argmax())]
    assert get("word-neighbors").solve(**WORDS, word="queen")["nearest"] == nearest
