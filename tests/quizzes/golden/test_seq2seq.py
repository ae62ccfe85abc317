"""Encoder, decoder and attention: values computed by hand, and sacrebleu."""

from random import Random

import pytest

from quizzes.content.seq2seq.attention import drills as attention
from quizzes.content.seq2seq.seq2seq.drills import beam, training
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake

SEARCH = dict(
    words=["A", "B", "x", "y"],
    start=[0.6, 0.4, 0, 0],
    P=[[0, 0, 0.45, 0.55], [0, 0, 0.9, 0.1], [0, 0, 0, 0], [0, 0, 0, 0]],
)
OUTPUTS = {"greedy": ["A", "y"], "p_greedy": 0.33, "beam": ["B", "x"], "p_beam": 0.36, "lnp": -1.0217}
H = [[1, 0], [0, 1], [1, 1]]
LN2 = 0.69314718056
SCORES = dict(alpha_j=0.3, v_j=3, c=1, al=[0.5, 0.3, 0.2], v=[1, 3, -2])
WRONG_AXIS = dict(A=[[0.7, 0.1, 0.1], [0.2, 0.8, 0.3], [0.1, 0.1, 0.6]], u=[2, -1])
PRECISIONS = dict(p=[0.75, 0.6, 0.5, 0.4], c1=100, r1=102, q=[0.75, 0.6, 0.5, 0.4], c2=60, r2=100)
FORCING = dict(ids=[1, 5, 6, 2, 0], V=8, g=5, line=2)
LENGTHS = dict(n_A=4, l_A=-2.4, n_B=8, l_B=-4, a1=0.6, a2=1)
CHAIN = dict(
    words="a the cat dog sat ran".split(),
    a=[0.6, 0.4],
    N=[[0.55, 0.45], [0.9, 0.1]],
    U=[[0.7, 0.3], [0.4, 0.6]],
    ref="the cat sat",
)
CHAIN_VALUES = {"p_greedy": 0.231, "hyps": ["C", "A"], "p_beam": 0.252, "B_greedy": 0.5774, "B_beam": 1, "PP": 1.5832}
STEP = dict(s=[0, LN2], H=H)
STEP_VALUES = {"a": [0.2, 0.4, 0.4], "c": [0.6, 0.8], "L": 0.7981, "g_e": [-0.1320, 0.1759, -0.0440]}

GOLDEN = [
    ("beam-search", SEARCH, OUTPUTS),
    ("dot-attention", dict(s=[1, 0], H=H), {"a": [0.4223, 0.1554, 0.4223], "c": [0.8446, 0.5777]}),
    ("dot-attention", dict(s=[2, 1], H=H), {"a": [0.2447, 0.0900, 0.6652], "c": [0.9100, 0.7553]}),
    ("attention-score-gradient", SCORES, {"g_j": 0.6, "ctx": 1, "g": [0, 0.6, -0.6], "zero": 1}),
    ("attention-wrong-axis", WRONG_AXIS, {"r": [0.9, 1.3, 0.8], "bug": "axis", "x": [2.6, -1.3]}),
    ("bleu-of-two-sets", PRECISIONS, {"BP1": 0.9802, "BP2": 0.5134, "B1": 0.5369, "B2": 0.2812, "problem": 1}),
    ("teacher-forcing", FORCING, {"printed": 0.0461, "count": 4, "fixed": 5.0461, "fixed_count": 3}),
    ("class-dimension", dict(B=1, T=5, V=8, line=4), {"expects": [1, 8], "gets": [1, 4]}),
    ("length-penalty", LENGTHS, {"tie": 0.7370, "w1": 1, "w2": 2}),
    ("attention-step", STEP, STEP_VALUES),
    ("beam-bleu", CHAIN, CHAIN_VALUES),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (attention.chain_attention_step, "no-softmax", STEP, {"c": [0.6931, 1.3863]}),
        (attention.chain_attention_step, "normalizer-left-out", STEP, {"g_e": [-0.11, 0.2199, 0]}),
        (attention.chain_attention_step, "weight-left-out", STEP, {"g_e": [-0.6598, 0.4399, -0.11]}),
        (attention.attention_wrong_axis, "column-sums", WRONG_AXIS, {"r": [1, 1, 1]}),
        (training.bleu_short_outputs, "penalty-inverted", PRECISIONS, {"B1": 0.5586, "B2": 0.8171}),
        (training.bleu_short_outputs, "ratio-as-penalty", PRECISIONS, {"B1": 0.5370, "B2": 0.3286}),
        (training.bleu_short_outputs, "arithmetic-mean", PRECISIONS, {"B1": 0.5514, "B2": 0.2888}),
        (beam.chain_beam_bleu, "probabilities-added", CHAIN, {"p_greedy": 1.85, "p_beam": 2}),
        (beam.chain_beam_bleu, "arithmetic-mean", CHAIN, {"B_greedy": 0.5833}),
        (beam.chain_beam_bleu, "three-bigrams", CHAIN, {"B_greedy": 0.4714}),
        (beam.chain_beam_bleu, "no-root", CHAIN, {"PP": 3.9683}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_general_and_additive_attention_match_pytorch():
    torch = pytest.importorskip("torch")
    rng = Random(0)

    def numbers(*size):
        return [numbers(*size[1:]) for _ in range(size[0])] if size else rng.randint(-9, 9) / 4

    for _ in range(20):
        inputs = dict(s=numbers(2), H=numbers(4, 3))
        general = dict(W=numbers(2, 3))
        additive = dict(W_s=numbers(5, 2), W_h=numbers(5, 3), v=numbers(5))
        at = {name: torch.tensor(v, dtype=torch.float64) for name, v in {**inputs, **general, **additive}.items()}
        scores = {
            "general-attention": at["H"] @ at["W"].T @ at["s"],
            "additive-attention": torch.tanh(at["H"] @ at["W_h"].T + at["W_s"] @ at["s"]) @ at["v"],
        }
        for name, score in scores.items():
            values = get(name).solve(**inputs, **(general if name == "general-attention" else additive))
            weights = torch.softmax(score, 0)
            assert [float(x) for x in values["score"]] == pytest.approx(score.tolist())
            assert [float(x) for x in values["a"]] == pytest.approx(weights.tolist())
            assert [float(x) for x in values["c"]] == pytest.approx((weights @ at["H"]).tolist())


def test_beam_search_survives_tiny_probabilities():
    inputs = dict(words=["a", "b"], start=[1e-9, 1 - 1e-9], P=[[0, 0], [0, 0]], k=1, steps=1)
    assert get("beam-search").solve(**inputs)["beam"] == ["b"]
    chain = dict(words=["a", "b"], start=[0.5, 0.5], P=[[0.5, 0.5]] * 2, k=2, steps=50, alpha=1)
    values = get("beam-search").solve(**chain)
    assert values["lnp"] == pytest.approx(-50 * LN2) and values["score"] == pytest.approx(-LN2)
