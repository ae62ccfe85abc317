"""Self-attention, GPT, BERT: values of papers and values computed by hand."""

import math
from fractions import Fraction

import pytest

from quizzes.content.transformers.bert import drills as bert
from quizzes.content.transformers.gpt.drills import generation
from quizzes.content.transformers.gpt.drills import sizes as gpt
from quizzes.content.transformers.self_attention.drills import positions, reasoning, sizes, values
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

HEADS = dict(Q=[[1, 0], [0, 1], [1, 1]], K=[[1, 0], [1, 1], [0, 1]], V=[[1, 0], [0, 2], [3, 1]], d_k=2)
LEAK = dict(A=[[0.3, 0.7, 0, 0], [0.1, 0.2, 0.7, 0], [0.1, 0.1, 0.1, 0.7], [0.2, 0.2, 0.3, 0.3]])
VARIANCE = dict(d=4, a=1, b=1, n=0, m=2)
SPLIT = dict(T=3, d=4, h=2, m=1)
CACHE = dict(n=1, s=3)
KV_HEADS = dict(G=24, W=13, L=32, T=8192, e=128, h=32, g=8, k=8)
TOKENIZERS = dict(P1=20, t1=1.3, P2=30, t2=1.1)
TEXTS = dict(
    a="the cat sat on the cat sat on the cat",
    b="the cat sat near the door and watched the rain",
    c="cat rain quantum near mat seventeen the of door sat",
    H=[0.4, 2.1, 6.8],
    loop="a",
    noise="c",
)
MINI = dict(B=2, T=8, V=50, d=16, h=4, L=2, f=64)
PRETRAIN = dict(a=7, b=5, C=20, p=[0.5, 0.2], q=0.8, V=100, d=8)
LOGITS = dict(z=[2, 1, 0.5, -1], k=2, p=0.8)

GOLDEN = [
    ("self-attention", HEADS, {"A": [[0.4011, 0.4011, 0.1978], [0.1978, 0.4011, 0.4011], [0.2483, 0.5035, 0.2483]]}),
    ("causal-pairs", dict(T=6), {"N": 21}),
    ("mha-params", dict(d=512, h=8), {"P": 1_050_624, "d_k": 64}),
    ("positional-encoding", dict(pos=3, d=4), {"P": [0.1411, -0.9900, 0.0300, 0.9996]}),
    ("encoder-layer-params", dict(d=768, f=3072, h=12), {"P": 7_087_872}),
    ("encoder-layer-params", dict(d=512, f=1024, h=8), {"P": 2_102_784}),
    ("decoder-layer-params", dict(d=512, f=2048, h=8), {"P": 4_204_032}),
    ("attention-cost", dict(T=1024, d=768, h=12), {"M": 4_026_531_840, "S": 12_582_912}),
    ("causal-leak", LEAK, {"n": 3, "w": 2.1, "r": [1 / 3, 2 / 3, 0, 0], "bug": "one"}),
    ("logit-variance", VARIANCE, {"var": 20, "c": 0.2236}),
    (
        "head-split",
        SPLIT,
        {"prints": [[6, 7], [8, 9], [10, 11]], "fixed": [[2, 3], [6, 7], [10, 11]], "count": 8},
    ),
    ("transformer-size", dict(d=512, f=2048, L=6, V=37_000), {"P": 63_045_632}),
    ("transformer-size", dict(d=1024, f=4096, L=6, V=37_000), {"P": 214_171_648}),
    ("transformer-params", {}, {"params": 63_045_632}),
    ("transformer-params", dict(attention_biases="yes", final_norms="yes"), {"params": 63_084_544}),
    ("gpt-size", dict(V=50_257, C=1024, d=768, L=12), {"P": 124_439_808}),
    ("gpt-size", dict(V=50_257, C=1024, d=1024, L=24), {"P": 354_823_168}),
    ("gpt-size", dict(V=50_257, C=1024, d=1600, L=48), {"P": 1_557_611_200}),
    ("gpt-size", dict(V=40_478, C=512, d=768, L=12), {"P": 116_534_784 + 2 * 768}),  # GPT-1 has no last LayerNorm
    (
        "swiglu-gpt",
        dict(V=128_256, d=4096, L=32, h=32, g=8, e=128, f=14_336),
        {"P": 8_030_261_248},  # Llama 3 8B
    ),
    ("transformer-12Ld2", dict(L=96, d=12_288), {"N": 173_946.175488}),
    ("transformer-12Ld2", dict(L=12, d=768), {"N": 84.934656}),
    ("perplexity", dict(p=[0.25, 0.5, 0.125, 0.25]), {"PP": 4}),
    ("word-perplexity", TOKENIZERS, {"W1": 20**1.3, "W2": 30**1.1, "better": 2}),
    (
        "decoding-fingerprint",
        TEXTS,
        {"D": 0.4444, "PP": math.exp(6.8), "setting": dict(a="greedy", b="nucleus", c="hot")},
    ),
    ("kv-cache", dict(L=32, T=2048, g=32, e=128), {"M": 1}),
    ("kv-cache", dict(L=80, T=4096, g=8, e=128), {"M": 1.25}),
    ("kv-heads-choice", KV_HEADS, {"n": [2, 11, 88], "best": 2}),
    ("cache-position", dict(CACHE, bug="position"), {"prints": [1, 1, 1, 1], "fixed": [1, 2, 3, 4]}),
    ("cache-position", dict(CACHE, bug="cache"), {"prints": [2], "fixed": [1, 2, 3, 4]}),
    ("sampling", dict(LOGITS, p=None), {"softmax": [0.6095, 0.2242, 0.1360, 0.0303], "q": [0.7311, 0.2689, 0, 0]}),
    ("sampling", dict(LOGITS, k=None), {"q": [0.7311, 0.2689, 0, 0], "candidates": [1, 2]}),
    ("temperature-for-odds", dict(g=2, q=0.1), {"T": 0.9102}),
    ("train-compute", dict(N=1, D=20), {"C": 120}),
    ("chinchilla-optimum", dict(C=120), {"N": 1, "D": 20}),
    ("gpt-mini", MINI, {"logits": [2, 8, 50], "P": 7520, "N": 36, "H": 3.9120, "M": 1024, "K": 120_320}),
    ("model-memory", dict(params=124_439_808, bytes=4), {"GB": 0.4978, "train_GB": 1.9910}),
    ("gpt-flops", dict(layers=12, width=768), {"macs": 145_824_153_600}),
    ("bert-size", dict(V=30_522, C=512, d=768, L=12), {"P": 109_482_240, "E": 23_837_184, "W": 590_592}),
    ("bert-heads", dict(V=30_522, d=768), {"r": 110_106_428 - 109_482_240}),
    ("mlm-counts", dict(T=200), {"n": 30, "m": 24, "r": 3, "k": 3}),
    (
        "bert-pretrain",
        PRETRAIN,
        {"n": 15, "n1": 6, "N": 225, "L": 1.1513, "S": 1.3744, "E": 992, "H": 90},
    ),
]


def near(value):
    return approx(value) if isinstance(value, int | float | list) else value


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    results = get(name).solve(**{key: value for key, value in inputs.items() if value is not None})
    for key, value in expected.items():
        rows = value if isinstance(value, list) and value and isinstance(value[0], list) else None
        if rows is None:
            assert results[key] == near(value), key
        else:
            assert [row == approx(other) for row, other in zip(results[key], rows, strict=True)] == [True] * len(rows)


def test_rows_of_masked_attention():
    results = get("causal-attention").solve(**HEADS)
    assert results["A"][1] == approx([0.3302, 0.6698, 0])
    assert get("self-attention").solve(**HEADS)["O"][0] == approx([0.9944, 1.0000])


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (values.masked_attention, "masked-after-softmax", dict(HEADS), {}),
        (sizes.encoder_layer_params, "other-ffn-width", dict(d=512, f=1024, h=8), {}),
        (reasoning.causal_leak, "diagonal-counted", LEAK, {"n": 7, "w": 3.0}),
        (reasoning.causal_leak, "zeros-counted", LEAK, {"n": 6}),
        (reasoning.causal_leak, "not-normalized-again", LEAK, {"r": [0.1, 0.2, 0, 0]}),
        (reasoning.causal_leak, "uniform", LEAK, {"r": [0.5, 0.5, 0, 0]}),
        (reasoning.logit_variance, "means-ignored", VARIANCE, {"var": 4}),
        (reasoning.logit_variance, "reciprocal", VARIANCE, {"c": 0.05}),
        (generation.temperature_for_odds, "inverted", dict(g=2, q=0.1), {"T": 1.0986}),
        (generation.temperature_for_odds, "probability-for-odds", dict(g=2, q=0.1), {"T": 0.8686}),
        (generation.temperature_for_odds, "odds-reversed", dict(g=2, q=0.1), {"T": -0.9102}),
        (generation.decide_tokenizer_ppl, "multiplied", TOKENIZERS, {"W1": 26, "W2": 33}),
        (generation.decide_tokenizer_ppl, "root", TOKENIZERS, {"W1": 20 ** (1 / 1.3), "W2": 30 ** (1 / 1.1)}),
        (generation.decoding_fingerprint, "over-tokens", TEXTS, {"D": 0.4}),
        (generation.decoding_fingerprint, "base-2", TEXTS, {"PP": 2**6.8}),
        (generation.decide_kv_heads, "values-forgotten", KV_HEADS, {"n": [5, 22, 176]}),
        (generation.decide_kv_heads, "weights-forgotten", KV_HEADS, {"n": [6, 24, 192]}),
        (generation.decide_kv_heads, "float32", KV_HEADS, {"n": [1, 5, 44]}),
        (gpt.chain_gpt_mini, "head-again", MINI, {"P": 8320}),
        (gpt.chain_gpt_mini, "norms-forgotten", MINI, {"P": 7360}),
        (gpt.chain_gpt_mini, "per-head", MINI, {"M": 4096}),
        (gpt.chain_gpt_mini, "values-forgotten", MINI, {"M": 512}),
        (gpt.chain_gpt_mini, "base-2", MINI, {"H": 5.6439}),
        (bert.chain_bert_pretrain, "one-separator", PRETRAIN, {"n": 14}),
        (bert.chain_bert_pretrain, "causal", PRETRAIN, {"N": 120}),
        (bert.chain_bert_pretrain, "padding-visible", PRETRAIN, {"N": 400}),
        (bert.chain_bert_pretrain, "all-positions", PRETRAIN, {"L": 0.1535}),
        (bert.chain_bert_pretrain, "segments-or-norm", PRETRAIN, {"E": 976}),
        (bert.chain_bert_pretrain, "pooler-forgotten", PRETRAIN, {"H": 18}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("name", "inputs", "params"),
    [
        ("gpt-params", dict(layers=12, width=768, heads=12, vocabulary=50_257, context=1024), 124_439_808),
        ("gpt-params", dict(layers=36, width=1280, heads=20, vocabulary=50_257), 774_030_080),
        (
            "gpt-params",
            dict(
                layers=32,
                width=4096,
                heads=32,
                vocabulary=32_000,
                ffn=11_008,
                activation="swiglu",
                norm="rmsnorm",
                biases="no",
                tied="no",
                positions="none",
            ),
            6_738_415_616,  # Llama 2 7B
        ),
        ("bert-params", {}, 109_482_240),
        ("bert-params", dict(layers=24, width=1024, heads=16), 335_141_888),
        ("bert-params", dict(vocabulary=28_996), 108_310_272),
        ("bert-params", dict(heads_of="pretraining"), 110_106_428),
        ("bert-params", dict(heads_of="mlm", pooler="no"), 109_514_298),
        ("transformer-layer", dict(width=512, heads=8, ffn=2048, kind="decoder"), 4_204_032),
        ("attention-params", dict(width=512, heads=8), 1_050_624),
        ("attention-params", dict(width=4096, heads=32, kv_heads=8, biases="no"), 41_943_040),
    ],
)
def test_parameters_of_configurations_are_the_published_ones(name, inputs, params):
    results = get(name).solve(**inputs)
    assert results["params"] == params
    column = "total" if "total" in results["table"][0] else "parameters"
    assert sum(row[column] for row in results["table"]) == params


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("gpt-params", dict(layers=2, width=10, heads=3, vocabulary=50), "width .10. must be a multiple of heads"),
        ("gpt-params", dict(layers=2, width=12, heads=6, kv_heads=4, vocabulary=50), "multiple of kv_heads"),
        ("masked-attention", dict(Q=[[1]], K=[[1, 2]], V=[[1]]), "give both the same number of columns"),
        ("multi-head-attention", dict(Q=[[1, 2]], K=[[1, 2]], V=[[1, 2]], heads=3), "must be a multiple of heads"),
        ("perplexity", dict(p=[0.5, 0]), r"infinite, because p\[2\] is 0"),
        ("bert-input", dict(a=3, b=3, C=8), "more than the length 8"),
        ("sampling", dict(z=[1, 2], k=3), "k must be at most the number of logits, 2"),
    ],
)
def test_unusable_inputs_are_one_sentence(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence):
        get(name).solve(**inputs)


def test_multi_head_attention_matches_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for heads in (1, 2, 3):
        Q, K, V = torch.randn(3, 4, 6, dtype=torch.float64)
        q, k, v = (rows.view(4, heads, -1).transpose(0, 1)[None] for rows in (Q, K, V))
        expected = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)[0]
        results = get("multi-head-attention").solve(Q=Q.tolist(), K=K.tolist(), V=V.tolist(), heads=heads)
        for row, other in zip(results["O"], expected.transpose(0, 1).reshape(4, 6).tolist(), strict=True):
            assert row == pytest.approx(other)


def test_encodings_of_shifted_positions_are_rotated():
    for pos, k in ((3, 4), (10, -2)):
        one, other = (get("positional-encoding").solve(pos=p, d=6)["P"] for p in (pos, pos + k))
        for i in range(3):
            w = 10000 ** (-2 * i / 6)
            shifted = get("positional-shift").solve(w=w, k=k, s=one[2 * i], c=one[2 * i + 1])
            assert [shifted["u"], shifted["v"]] == pytest.approx(other[2 * i : 2 * i + 2])
        dot = sum(a * b for a, b in zip(one, other, strict=True))
        assert get("positional-similarity").solve(p=pos, q=pos + k, d=6)["r"] == pytest.approx(dot)
    assert positions.positional_wavelength.formula.solve(i=0, d=8)["lam"] == pytest.approx(2 * math.pi)


def test_sampling_agrees_with_transformers():
    torch = pytest.importorskip("torch")
    warpers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    for _ in range(30):
        z = torch.randn(1, 7, dtype=torch.float64) * 2
        scores = z
        for name, argument in (("Temperature", 0.8), ("TopK", 5), ("TopP", 0.85)):
            scores = getattr(warpers, f"{name}LogitsWarper")(argument)(None, scores)
        results = get("sampling").solve(z=z[0].tolist(), T=Fraction(4, 5), k=5, p=Fraction(17, 20))
        assert [float(value) for value in results["q"]] == pytest.approx(torch.softmax(scores, 1)[0].tolist())
