"""Autoencoders: values computed by hand."""

from fractions import Fraction

import pytest

from quizzes.content.autoencoders.autoencoder import drills as autoencoder
from quizzes.content.autoencoders.denoising_autoencoder import drills as denoising
from quizzes.content.autoencoders.sparse_autoencoder import drills as sparse
from quizzes.content.autoencoders.vae.drills import reasoning, terms
from quizzes.formulas import get
from tests.quizzes.golden.values import approx, evaluate_with_mistake
from workbench.errors import UserError

WIDTHS = dict(n=[784, 128, 32, 128, 784])
OPTIMUM = dict(h=0.5, beta=4, w=2, x=3)
TIED = dict(x1=1, x2=1, a=0.5, b=0.25)
COLLAPSE = dict(m2=[0, 1.44, 0.0004, 0.81], s2=[1, 0.05, 0.98, 0.1])
ERRORS = dict(c1=4, c2=64, n1=[21, 25, 23, 27, 24], f1=[35, 26, 41, 33], n2=[3, 5, 4, 7, 6], f2=[4, 6, 5, 8])
SPECTRUM = dict(lam=[5, 3, 0.9, 0.6, 0.5], e=0.6, m=2)
REDUCTION = dict(B=4, D=784, d=2, o=0.5, m=1)
CONVOLUTIONS = dict(n=28, c1=8, c2=16, d=10, B=64)
STEP = dict(x=2, a=0.5, logvar=-1.3863, eps=0.4, c=1.5)

GOLDEN = [
    ("ae-params", WIDTHS, {"P": 209_968, "r": 24.5}),
    ("ae-params-tied", WIDTHS, {"P": 209_968, "P_tied": 105_520}),
    ("psnr", dict(MSE=0.01, MAX=1), {"PSNR": 20}),
    ("psnr", dict(MSE=65.025, MAX=255), {"PSNR": 30}),
    ("psnr-images", dict(X=[[0, 1], [0.5, 0.5]], Y=[[0.1, 0.9], [0.4, 0.6]]), {"MSE": 0.01, "PSNR": 20}),
    ("kl-sparsity", dict(rho=0.05, q=[0.2, 0.05]), {"d": [0.0939, 0], "K": 0.0939}),
    ("vae-kl", dict(mu=[1, 0], s2=[1, 0.25]), {"d": [0.5, 0.3181], "K": 0.8181}),
    ("vae-kl-sigma", dict(mu=[1, 0], sigma=[1, 0.5]), {"K": 0.8181}),
    ("vae-kl-logvar", dict(mu=[1, 0], logvar=[0, -1.3863]), {"K": 0.8181}),
    ("vae-reparam", dict(mu=[0.5], logvar=[-1.3863], eps=[-1.2]), {"z": [-0.1]}),
    ("elbo", dict(rec=85.2, K=4.1, beta=2), {"L": 93.4}),
    ("vae-linear-optimum", OPTIMUM, {"mu": 0.75, "s2": 0.5}),
    ("tied-linear-ae", TIED, {"g_a": -1.9688}),
    ("vae-collapse", COLLAPSE, {"d": [0, 1.7429, 0.00030135, 1.1063], "K": 2.8495, "collapsed": ["d1", "d3"]}),
    ("anomaly-auc", ERRORS, {"A1": 0.95, "A2": 0.625, "better": 1}),
    ("bottleneck-choice", SPECTRUM, {"R": [5, 2, 1.1, 0.5, 0], "k": 4, "err": 0.5, "shorter": 1}),
    ("elbo-reduction", dict(REDUCTION, line=2), {"printed": 1.25, "correct": 197, "beta": 784}),
    ("elbo-reduction", dict(REDUCTION, line=4), {"printed": 196.5, "correct": 197, "beta": "1/2"}),
    ("conv-autoencoder", CONVOLUTIONS, {"F": 784, "P": 18_955, "o0": 25, "o1": 28, "r": 78.4, "M": 392}),
    ("vae-step", STEP, {"z": 1.2, "x_hat": 1.8, "K": 0.8181, "g_c": -0.48, "g_a": 0.8, "g_logvar": -0.435}),
]


@pytest.mark.parametrize(("name", "inputs", "expected"), GOLDEN)
def test_golden_values(name, inputs, expected):
    values = get(name).solve(**inputs)
    assert {key: values[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


@pytest.mark.parametrize(
    ("drill", "mistake", "inputs", "expected"),
    [
        (denoising.psnr, "peak-not-squared", dict(MSE=65.025, MAX=255), {"PSNR": 5.9346}),
        (terms.vae_reparam, "logvar-as-sigma", dict(mu=[0.5], logvar=[-1.3863], eps=[-1.2]), {"z": [2.1636]}),
        (reasoning.vae_linear_optimum, "beta-left-out", OPTIMUM, {"mu": 1.2, "s2": 0.2}),
        (reasoning.vae_linear_optimum, "noise-not-propagated", OPTIMUM, {"s2": 1}),
        (autoencoder.tied_ae_gradient, "decoder-only", TIED, {"g_a": -0.9375}),
        (reasoning.vae_collapse_log, "mean-for-sum", COLLAPSE, {"K": 0.7124}),
        (reasoning.vae_collapse_log, "half-left-out", COLLAPSE, {"K": 5.6989}),
        (autoencoder.ae_anomaly_identity, "ties-count-1", ERRORS, {"A2": 0.7}),
        (autoencoder.chain_conv_ae, "no-biases", CONVOLUTIONS, {"P": 18_128}),
        (reasoning.chain_vae_step, "variance-for-deviation", STEP, {"z": 1.1}),
    ],
)
def test_mistakes_give_their_answers(drill, mistake, inputs, expected):
    answers = evaluate_with_mistake(drill, mistake, **inputs)
    assert {key: answers[key] for key in expected} == {key: approx(value) for key, value in expected.items()}


def test_kl_of_two_gaussians_matches_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for _ in range(20):
        mu1, mu2 = torch.randn(2, 3, dtype=torch.float64)
        sigma1, sigma2 = torch.rand(2, 3, dtype=torch.float64) + 0.1
        Normal = torch.distributions.Normal
        expected = torch.distributions.kl_divergence(Normal(mu1, sigma1), Normal(mu2, sigma2))
        inputs = dict(mu1=mu1, sigma1=sigma1, mu2=mu2, sigma2=sigma2)
        values = get("gaussian-kl").solve(**{name: value.tolist() for name, value in inputs.items()})
        assert values["d"] == pytest.approx(expected.tolist())
        assert values["K"] == pytest.approx(expected.sum().item())


def test_loss_of_a_vae_matches_pytorch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    for _ in range(20):
        x, p = torch.rand(2, 4, dtype=torch.float64) * 0.98 + 0.01
        mu, logvar = torch.randn(2, 2, dtype=torch.float64)
        one = torch.distributions.Normal(mu, (logvar / 2).exp())
        kl = torch.distributions.kl_divergence(one, torch.distributions.Normal(0.0, 1.0)).sum()
        rec = torch.nn.functional.binary_cross_entropy(p, x, reduction="sum")
        inputs = dict(x=x, p=p, mu=mu, logvar=logvar)
        values = get("vae-loss").solve(**{name: value.tolist() for name, value in inputs.items()}, beta=3)
        assert [values["rec"], values["K"], values["L"]] == pytest.approx([float(v) for v in (rec, kl, rec + 3 * kl)])


def test_psnr_of_images_matches_scikit_image_and_its_definition():
    numpy = pytest.importorskip("numpy")
    rng = numpy.random.default_rng(0)
    for _ in range(20):
        X, Y = rng.integers(0, 256, (2, 3, 5))
        expected = 20 * numpy.log10(255 / numpy.sqrt(numpy.mean((X - Y) ** 2)))
        assert get("psnr-images").solve(X=X.tolist(), Y=Y.tolist(), MAX=255)["PSNR"] == pytest.approx(expected)
    with pytest.raises(UserError, match="equal, so their PSNR is infinite"):
        get("psnr-images").solve(X=[[1]], Y=[[1]])


def test_sparsity_penalty_matches_pytorch():
    torch = pytest.importorskip("torch")
    q = [0.2, 0.05, 0.7]
    Bernoulli = torch.distributions.Bernoulli
    one, other = (Bernoulli(torch.tensor(p, dtype=torch.float64)) for p in ([0.05] * 3, q))
    expected = torch.distributions.kl_divergence(one, other)
    assert get("kl-sparsity").solve(q=q, rho=0.05)["d"] == pytest.approx(expected.tolist())
    assert sparse.kl_sparsity.formula is get("kl-sparsity")
    assert Fraction(get("sparse-loss").solve(rec=3, beta=Fraction(1, 2), K=2)["L"]) == 4
