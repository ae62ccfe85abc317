"""Sequences: the remaining values of the literature and of hand calculation, and those that mistakes lead to."""

import pytest

from quizzes import bank
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake

LINEAR = dict(x=[1, 0, 2], w=0.5, y=3)
NORMS = dict(g=[2, 1.24, 0.769, 0.477], m=1000)
SGNS = dict(n=20, N=10_000, k=5, a=100, c=50)
BUDGET = dict(i=64, B=100_000, a_rnn=0.9, a_gru=0.94, b_f=3, n=50)
COSTS = dict(V=50_000, d=300, k=20)
LETTERS = dict(x1=1, x2=-1, y1=-1, y2=1, w_x=0.5, w_h=0.5, u=1)
TAGGER = dict(V=8000, d=50, h=64, K=4, gold="B-PER I-PER O O B-LOC", pred="B-PER O O O B-LOC")
GRU = dict(x=1, h_prior=0.5, w_x=[0.5, 0.3, 0.8], w_h=[0.1, 0.2, -0.4])
STATES = dict(w_h=0.8, h=[0.5370495669980353, 0.9103633159620498], k=1)

GOLDEN = [
    ("bio-tags", dict(sentence="Barack Obama", entities=["PER Barack Obama"]), {"bio": ["B-PER", "I-PER"]}),
    ("bio-tags", dict(sentence="Barack Obama", entities=["PER Barack Obama"]), {"io": ["PER", "PER"]}),
    ("bptt-product", STATES, {"g": 0.1370}),
    ("bptt-bound", dict(w_h=0.5, s=1, n=10), {"B": 0.000977}),
    ("birnn-stacked-params", dict(cell="LSTM", i=10, h=20, L=2, D=2), {"P": 15_040}),
    ("gru-step", GRU, {"r": 0.6341, "z": 0.5987, "n": 0.5871, "h": 0.5349}),
    ("subsampling", dict(t=1e-5, f=0.01), {"p": 0.9684}),
    ("bptt-linear-rnn", LINEAR, {"g": -0.75}),
    ("rnn-gradient-log", NORMS, {"factor": 0.62, "n": 15, "remedy": 1}),
    ("sgns-optimum", SGNS, {"s": 2.0794}),
    ("cell-budget", BUDGET, {"h_rnn": 284, "h_gru": 152, "h_lstm": 128, "cell": 3, "fraction": 0.0881}),
    ("softmax-costs", COSTS, {"full": 15_000_000, "neg": 6300, "tree": 4800, "best": 3}),
    ("char-rnn", LETTERS, {"h1": 0.4621, "h2": -0.2626, "L": 1.1242, "PP": 3.0776, "better": 2, "g": 0.2479}),
    ("ner-bilstm", TAGGER, {"n": 9, "P": 460_553, "L": 2.1972, "acc": 0.8, "F1": 0.5}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        ("neg-sampling-loss", "sign-of-negatives", dict(s=2, n=[-1, 0.5]), {"L": 1.9143}),
        ("subsampling", "c-code", dict(t=1e-5, f=0.01), {"p": 0.9674}),
        ("bptt-linear-rnn", "last-use-only", LINEAR, {"g": -0.375}),
        ("rnn-gradient-log", "factor-inverted", NORMS, {"factor": 1.61}),
        ("rnn-gradient-log", "rounded-down", NORMS, {"n": 14}),
        ("rnn-gradient-log", "straight-line", NORMS, {"n": 3}),
        ("decide-cell-budget", "one-bias", BUDGET, {"h_rnn": 285, "h_gru": 152, "h_lstm": 128}),
        ("decide-cell-budget", "candidate-left-out", BUDGET, {"h_rnn": 284, "h_gru": 193, "h_lstm": 152}),
        ("decide-cell-budget", "input-left-out", BUDGET, {"h_rnn": 315, "h_gru": 181, "h_lstm": 157}),
        ("decide-cell-budget", "not-raised", BUDGET, {"fraction": 0.9526}),
        ("decide-softmax-approx", "positive-left-out", COSTS, {"neg": 6000}),
        ("decide-softmax-approx", "natural-log", COSTS, {"tree": 3300}),
        ("decide-softmax-approx", "scores-not-products", COSTS, {"full": 50_000, "neg": 21, "tree": 16}),
        ("chain-char-rnn", "state-reset", LETTERS, {"h2": -0.4621}),
        ("chain-char-rnn", "no-tanh", LETTERS, {"h1": 0.5}),
        ("chain-char-rnn", "sum-for-mean", LETTERS, {"L": 2.2483, "PP": 9.4719}),
        ("chain-char-rnn", "predicts-its-input", LETTERS, {"L": 0.3994}),
        ("chain-char-rnn", "gradient-not-averaged", LETTERS, {"g": 0.4959}),
        ("chain-char-rnn", "target-left-out", LETTERS, {"g": 0.1166}),
        ("chain-ner-bilstm", "io-tags", TAGGER, {"n": 5, "P": 460_037}),
        ("chain-ner-bilstm", "one-bias", TAGGER, {"P": 460_041}),
        ("chain-ner-bilstm", "one-direction", TAGGER, {"P": 430_281}),
        ("chain-ner-bilstm", "token-f1", TAGGER, {"F1": 0.8}),
        ("chain-ner-bilstm", "overlap-counts", TAGGER, {"F1": 1}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(bank.get_drill(drill), mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}
