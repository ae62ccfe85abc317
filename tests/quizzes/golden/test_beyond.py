"""Generative, contrastive and large models: values by hand, and mistakes with the answers that they lead to."""

from fractions import Fraction
from math import cos, exp, log, pi, sin, sqrt
from random import Random

import pytest

from quizzes import bank
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

GOLDEN = [
    ("gan-losses", dict(D_real=0.8, D_fake=0.3), {"L_D": 0.5798, "L_G": 1.2040, "L_minimax": -0.3567}),
    ("gan-losses-batch", dict(real=[0.8], fake=[0.3]), {"L_D": 0.5798, "L_G": 1.2040, "L_minimax": -0.3567}),
    ("gan-optimal-d", dict(p_data=0.6, p_g=0.2), {"D": 0.75}),
    ("gan-optimal-value", dict(p=[0.5, 0.5], q=[0.5, 0.5]), {"D": [0.5, 0.5], "V": -1.3863, "J": 0.0}),
    ("gan-optimal-value", dict(p=[1, 0], q=[0, 1]), {"D": [1, 0], "V": 0, "J": 0.6931}),
    ("diffusion-forward", dict(beta=[0.1, 0.2], x0=1, eps=-0.5), {"abar": 0.72, "x_t": 0.5840}),
    ("diffusion-forward", dict(beta=[0.1, 0.2], x0=1, eps=-1), {"abar": 0.72, "x_t": 0.3194}),
    ("diffusion-snr", dict(abar=0.5), {"SNR": 1, "dB": 0.0}),
    ("triplet-loss", dict(d_ap=0.8, d_an=1.1, m=0.5), {"L": 0.2}),
    ("triplet-loss", dict(d_ap=0.8, d_an=1.4, m=0.5), {"L": 0}),
    ("infonce", dict(s=[0.9, 0.1, 0], tau=0.5), {"L": 0.3128}),
    ("clip-loss", dict(S=[[0.9, 0.1], [0.2, 0.8]], tau=0.1), {"L": 0.001159}),
    ("clip-loss", dict(S=[[0.9, 0.1], [0.8, 0.2]], tau=0.5), {"L": 0.7109, "L_rows": 0.8236, "L_columns": 0.5981}),
    ("distillation-terms", dict(alpha=0.5, T=2, CE=1, K=0.1), {"L": 0.7}),
    ("lora-params", dict(d_in=4096, d_out=4096, r=8), {"P": 65536}),
    ("lora-model", dict(N=1, m=1, d_in=4096, d_out=4096, r=8), {"P": 65536, "share": 0.390625}),
    ("rope-rotation", dict(x1=1, x2=0, pos=2, i=0, d=2), {"y1": -0.4161, "y2": 0.9093}),
    ("rope-vector", dict(x=[1, 0], pos=2), {"y": [-0.4161, 0.9093]}),
    ("moe-active", dict(E=8, k=2, P=1, S=0.5), {"A": 2.5, "T": 8.5, "share": 29.4118}),
    ("quantize-uint8", dict(lo=-1, hi=1, x=0.5), {"s": 0.007843, "z": 128, "q": 192, "x_hat": 0.5020}),
    ("quantize-uint8", dict(lo=-1, hi=1, x=1), {"q": 255}),
    ("fgsm-step", dict(x=[0.2, 0.99], g=[-3, 0.1], eps=0.03), {"x_adv": [0.17, 1]}),
    ("pgd-steps", dict(x=[0.5], G=[[2], [3]], eps=0.05, step=0.04), {"X": [[0.54], [0.55]], "r": 0.05}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


MISTAKES = [
    ("diffusion-forward", "no-roots", dict(beta=[0.1, 0.2], x0=1, eps=-1), {"x_t": 0.44}),
    (
        "clip-loss",
        "multiplied-by-tau",
        dict(S=[[0.9, 0.1], [0.8, 0.2]], tau=0.5),
        {"L_rows": 0.6837, "L_columns": 0.6685},
    ),  # a mean of 0.6761
    ("clip-loss", "one-direction", dict(S=[[0.9, 0.1], [0.8, 0.2]], tau=0.5), {"L": 0.8236}),
    ("quantise-uint8", "not-clipped", dict(lo=-1, hi=1, x=1), {"q": 256}),
    ("moe-active", "total-for-active", dict(E=8, k=2, P=1, S=0.5), {"A": 8.5}),
    ("triplet-infonce", "distances-swapped", dict(d_ap=0.8, d_an=1.1, m=0.5), {"L": 0.8}),
]


@pytest.mark.parametrize(("name", "mistake", "inputs", "expected"), MISTAKES)
def test_mistakes_lead_to_their_answers(name, mistake, inputs, expected):
    values = evaluate_with_mistake(bank.get_drill(name), mistake, **inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_value_of_a_gan_needs_equal_distributions_for_minus_ln_4():
    rng = Random(0)
    for _ in range(30):
        cuts = [sorted(rng.sample(range(1, 20), 2)) for _ in "pq"]
        p, q = ([Fraction(a, 20), Fraction(b - a, 20), Fraction(20 - b, 20)] for a, b in cuts)
        values = get("gan-optimal-value").solve(p=p, q=q)
        mean = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
        divergence = sum(a * log(a / m) + b * log(b / m) for a, b, m in zip(p, q, mean, strict=True)) / 2
        assert values["J"] == pytest.approx(divergence, abs=1e-12)
        assert values["V"] == pytest.approx(2 * divergence - log(4))


def test_schedules_of_diffusion():
    steps = [get("diffusion-schedule").solve(t=t) for t in (1, 1000)]
    assert [values["beta_t"] for values in steps] == [Fraction(1, 10000), Fraction(1, 50)]
    abar = 1.0
    for k in range(1000):
        abar *= 1 - (1e-4 + (0.02 - 1e-4) * k / 999)
    assert steps[1]["abar"] == pytest.approx(abar)
    half = get("diffusion-schedule").solve(t=500, schedule="cosine")
    ratio = cos(0.508 / 1.008 * pi / 2) / cos(0.008 / 1.008 * pi / 2)
    assert half["abar"] == pytest.approx(ratio**2)
    assert get("diffusion-schedule").solve(t=1000, schedule="cosine")["beta_t"] == Fraction(999, 1000)


def test_posterior_of_a_diffusion_step_by_integration():
    # The product of the two normal densities of x_{t-1}, integrated on a grid.
    values = get("diffusion-posterior").solve(x_t=1.5, abar_prev=0.6, beta=0.2, eps=0.7)
    grid = [k / 500 for k in range(-3000, 3001)]

    def density(x):
        before = exp(-((x - sqrt(0.6) * values["x0"]) ** 2) / (2 * 0.4))
        return before * exp(-((1.5 - sqrt(0.8) * x) ** 2) / (2 * 0.2))

    weights = [density(x) for x in grid]
    mean = sum(x * w for x, w in zip(grid, weights, strict=True)) / sum(weights)
    variance = sum((x - mean) ** 2 * w for x, w in zip(grid, weights, strict=True)) / sum(weights)
    assert (values["mu"], values["v"]) == (pytest.approx(mean, abs=1e-6), pytest.approx(variance, abs=1e-6))
    # DDPM's equation 11 has the same mean, in terms of the noise.
    assert values["mu"] == pytest.approx((1.5 - 0.2 / sqrt(1 - 0.48) * 0.7) / sqrt(0.8))


def test_rotations_keep_lengths_and_compose():
    rng = Random(0)
    for pairing in ("adjacent", "halves"):
        x = [rng.uniform(-2, 2) for _ in range(6)]
        rotated = get("rope-vector").solve(x=x, pos=3, pairing=pairing)["y"]
        assert sum(v * v for v in rotated) == pytest.approx(sum(v * v for v in x))
        again = get("rope-vector").solve(x=rotated, pos=4, pairing=pairing)["y"]
        assert again == pytest.approx(get("rope-vector").solve(x=x, pos=7, pairing=pairing)["y"])


@pytest.mark.parametrize("pairing", ["adjacent", "halves"])
def test_rotations_are_a_matrix_of_blocks(pairing):
    torch = pytest.importorskip("torch")
    d, pos = 8, 5
    x = [1.0, -2.0, 0.5, 3.0, 2.0, -1.0, 0.0, 1.5]
    blocks = []
    for i in range(d // 2):
        theta = pos / 10000 ** (2 * i / d)
        blocks.append(torch.tensor([[cos(theta), -sin(theta)], [sin(theta), cos(theta)]], dtype=torch.float64))
    order = list(range(d)) if pairing == "adjacent" else [k for i in range(d // 2) for k in (i, i + d // 2)]
    rotated = torch.block_diag(*blocks) @ torch.tensor([x[k] for k in order], dtype=torch.float64)
    y = get("rope-vector").solve(x=x, pos=pos, pairing=pairing)["y"]
    assert [y[k] for k in order] == pytest.approx(rotated.tolist())


def test_score_of_rotated_vectors_depends_on_the_relative_position():
    scores = {get("rope-score").solve(q=[1, 2], k=[3, -1], m=m, n=m - 2, f=0.3)["s"] for m in (2, 5, 40)}
    assert max(scores) == pytest.approx(min(scores))


def test_quantization_matches_pytorch():
    torch = pytest.importorskip("torch")
    rng = Random(0)
    for _ in range(200):
        lo, hi = -rng.randint(0, 50) / 10, rng.randint(1, 50) / 10
        x = round(rng.uniform(1.2 * lo, 1.2 * hi), 3)
        values = get("quantize-uint8").solve(lo=lo, hi=hi, x=x)
        scale, zero_point = float(values["s"]), values["z"]
        expected = torch.fake_quantize_per_tensor_affine(
            torch.tensor(x, dtype=torch.float64), scale, zero_point, 0, 255
        )
        level = x / scale % 1
        if abs(level - 0.5) > 1e-6:  # else a rounding error decides
            assert float(values["x_hat"]) == pytest.approx(expected.item(), abs=1e-5)  # its scale is a float32
        assert zero_point == round(Fraction(str(-lo)) / values["s"])


def test_ties_are_rounded_to_even():
    # s = 2/255: x/s is 0.5, 1.5 and 2.5.
    levels = [get("quantize-uint8").solve(lo=-1, hi=1, x=Fraction(k, 255))["q"] for k in (1, 3, 5)]
    assert [level - 128 for level in levels] == [0, 2, 2]


def test_balance_loss_is_1_if_the_tokens_are_spread_evenly():
    for experts in (2, 3, 5):
        even = [[Fraction(1, experts)] * experts for _ in range(experts)]
        skewed = [[Fraction(9, 10 * experts) + (Fraction(1, 10) if e == t else 0) for e in range(experts)]
                  for t in range(experts)]  # fmt: skip
        assert get("moe-balance").solve(R=skewed)["L"] == 1
        assert get("moe-balance").solve(R=even)["L"] == 1  # all to the first, at equal probabilities
    assert get("moe-balance").solve(R=[[0.9, 0.1], [0.8, 0.2]])["L"] == approx(1.7)


@pytest.mark.parametrize(
    ("name", "inputs", "sentence"),
    [
        ("gan-optimal-value", dict(p=[0.5, 0.4], q=[0.5, 0.5]), "p must add up to 1, not to 0.9"),
        ("diffusion-schedule", dict(T=10, t=11), "t must be at most T = 10, not 11"),
        ("quantize-uint8", dict(lo=0, hi=0, x=0), "must contain 0"),
        ("quantize-int8", dict(x=[0, 0]), "a value other than 0"),
        ("rope-vector", dict(x=[1, 2, 3], pos=1), "an even number of entries, not 3"),
        ("moe-active", dict(E=2, k=3, P=1, S=1), "k must be at most the number of experts, 2, not 3"),
        ("moe-routing", dict(z=[1, 2], y=[0, 1], k=3), "k must be at most the number of experts, 2, not 3"),
        ("moe-balance", dict(R=[[0.5, 0.4]]), "Row 1 of R must add up to 1"),
        ("moe-capacity", dict(n=[0, 0], c=1), "at least 2 counts"),
        ("pgd-steps", dict(x=[0.5], G=[[1, 2]], eps=0.1, step=0.1), "Each row of G must have 1 values"),
        ("clip-retrieval", dict(S=[[1, 2]]), "S must be a square matrix"),
        ("distillation-loss", dict(p=[0.5], q=[1], T=2, alpha=0.5, CE=1), "p must add up to 1"),
        ("diffusion-decision", dict(b=[0.1], n=[2], limit=0.1), "3 schedules"),
    ],
)
def test_unusable_inputs_are_one_sentence(name, inputs, sentence):
    with pytest.raises(UserError, match=sentence) as error:
        get(name).solve(**inputs)
    assert "\n" not in str(error.value)
