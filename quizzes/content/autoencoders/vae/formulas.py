"""Variational autoencoder: formulas."""

from fractions import Fraction
from typing import Any

from quizzes.answer_symbols import Choice, Choices, LineNumber
from quizzes.expressions.tree import Value
from quizzes.formula import Formula
from quizzes.symbols import Int, Rational, Real, Vector
from workbench.errors import UserError

AEVB = "Kingma & Welling, Auto-Encoding Variational Bayes, 2014 (arXiv:1312.6114)"

KL_SOURCE = f"{AEVB}, appendix B"

MEANS = Vector(meaning="means of the encoder, one per latent dimension")

LOG_VARIANCES = Vector(meaning="log-variances ln(sigma^2) of the encoder, one per latent dimension")

DIMENSION_KLS = Vector(meaning="KL divergence of each latent dimension")

KL = Real(0, meaning="KL divergence from the prior N(0, 1), summed over the latent dimensions")


VAE_KL = Formula(
    "vae-kl",
    """
    d[j] = (mu[j]^2 + s2[j] - 1 - ln(s2[j]))/2
    K = sum(j, d[j])
    """,
    title="KL divergence of a VAE, from variances",
    source=KL_SOURCE,
    mu=MEANS,
    s2=Vector(0, meaning="variances sigma^2 of the encoder, one per latent dimension", notation="σ²"),
    d=DIMENSION_KLS,
    K=KL,
)


VAE_KL_SIGMA = Formula(
    "vae-kl-sigma",
    """
    d[j] = (mu[j]^2 + sigma[j]^2 - 1)/2 - ln(sigma[j])
    K = sum(j, d[j])
    """,
    title="KL divergence of a VAE, from standard deviations",
    source=KL_SOURCE,
    mu=MEANS,
    sigma=Vector(0, meaning="standard deviations of the encoder, one per latent dimension"),
    d=DIMENSION_KLS,
    K=KL,
)


VAE_KL_LOGVAR = Formula(
    "vae-kl-logvar",
    """
    d[j] = (mu[j]^2 + exp(logvar[j]) - 1 - logvar[j])/2
    K = sum(j, d[j])
    """,
    title="KL divergence of a VAE, from log-variances",
    source=KL_SOURCE,
    mu=MEANS,
    logvar=LOG_VARIANCES,
    d=DIMENSION_KLS,
    K=KL,
)


VAE_KL_ONE = Formula(
    "vae-kl-one",
    "K = (mu^2 + s2 - 1 - ln(s2))/2",
    title="KL divergence of one latent dimension",
    source=KL_SOURCE,
    mu=Real(-100, 100, "mean of the encoder"),
    s2=Real(0, meaning="variance of the encoder", notation="σ²"),
    K=Real(0, meaning="KL divergence from the prior N(0, 1)"),
)


GAUSSIAN_KL = Formula(
    "gaussian-kl",
    """
    d[j] = ln(sigma2[j]/sigma1[j]) + (sigma1[j]^2 + (mu1[j] - mu2[j])^2)/(2*sigma2[j]^2) - 1/2
    K = sum(j, d[j])
    """,
    title="KL divergence between two Gaussians with independent dimensions",
    source="derivation: the mean of ln N(x; mu1, sigma1^2) - ln N(x; mu2, sigma2^2) under the first Gaussian, with "
    "E[(x - mu2)^2] = sigma1^2 + (mu1 - mu2)^2",
    mu1=Vector(meaning="means of the first Gaussian"),
    sigma1=Vector(0, meaning="standard deviations of the first Gaussian"),
    mu2=Vector(meaning="means of the second Gaussian"),
    sigma2=Vector(0, meaning="standard deviations of the second Gaussian"),
    d=DIMENSION_KLS,
    K=Real(0, meaning="KL divergence of the first from the second Gaussian"),
)


REPARAMETRIZATION = Formula(
    "vae-reparam",
    """
    sigma[j] = exp(logvar[j]/2)
    z[j] = mu[j] + sigma[j]*eps[j]
    """,
    title="Reparametrization of a VAE",
    source=f"{AEVB}, section 2.4",
    mu=MEANS,
    logvar=LOG_VARIANCES,
    eps=Vector(meaning="standard normal noise, one value per latent dimension"),
    sigma=Vector(meaning="standard deviations"),
    z=Vector(meaning="sampled code"),
)


REPARAMETRIZATION_ONE = Formula(
    "vae-reparam-one",
    "z = mu + exp(logvar/2)*eps",
    title="Reparametrization of one latent dimension",
    source=f"{AEVB}, section 2.4",
    mu=Real(-100, 100, "mean"),
    logvar=Real(-20, 20, "log-variance"),
    eps=Real(-10, 10, "standard normal noise"),
    z=Real(meaning="sampled code"),
)


REPARAMETRIZATION_GRADIENT = Formula(
    "vae-reparam-gradient",
    """
    sigma[j] = exp(logvar[j]/2)
    g_mu[j] = g[j]
    g_logvar[j] = g[j]*eps[j]*sigma[j]/2
    """,
    title="Gradients through the reparametrization",
    source="derivation: z = mu + exp(logvar/2) eps has dz/dmu = 1 and dz/dlogvar = exp(logvar/2) eps/2",
    logvar=LOG_VARIANCES,
    eps=Vector(meaning="standard normal noise"),
    g=Vector(meaning="gradient of the loss with respect to z"),
    sigma=Vector(meaning="standard deviations"),
    g_mu=Vector(meaning="gradient with respect to the means"),
    g_logvar=Vector(meaning="gradient with respect to the log-variances"),
)


ELBO = Formula(
    "elbo",
    "L = rec + beta*K",
    title="Loss of a VAE: the negative ELBO",
    source=f"{AEVB}; beta: Higgins et al., beta-VAE, ICLR 2017",
    conventions="For beta = 1, the loss is -ELBO.",
    rec=Real(0, 1000000, "reconstruction loss"),
    K=Real(0, 1000000, "KL divergence from the prior"),
    beta=Real(0, 1000, "weight of the KL divergence", default=1),
    L=Real(meaning="loss to minimize"),
)


VAE_LOSS = Formula(
    "vae-loss",
    """
    rec = -sum(i, x[i]*ln(p[i]) + (1 - x[i])*ln(1 - p[i]))
    K = sum(j, mu[j]^2 + exp(logvar[j]) - 1 - logvar[j])/2
    L = rec + beta*K
    """,
    title="Loss of a VAE on one sample, with Bernoulli outputs",
    source=f"{AEVB}, appendix C: the reconstruction loss is the binary cross-entropy, summed over the pixels",
    x=Vector(0, 1, "pixels"),
    p=Vector(0, 1, "reconstructed pixels, as probabilities"),
    mu=MEANS,
    logvar=LOG_VARIANCES,
    beta=Real(0, meaning="weight of the KL divergence", default=1),
    rec=Real(0, meaning="reconstruction loss, summed over the pixels"),
    K=KL,
    L=Real(meaning="loss (for beta = 1, -ELBO)"),
)


LINEAR_OPTIMUM = Formula(
    "vae-linear-optimum",
    """
    mu = 2*h*w*x/(2*h*w^2 + beta)
    s2 = beta/(2*h*w^2 + beta)
    """,
    title="Best encoder of a linear VAE with a scalar code",
    source="derivation: E[(x - wz)^2] = (x - w mu)^2 + w^2 s2, so the loss is h (x - w mu)^2 + h w^2 s2 + beta (mu^2 + "
    "s2 - 1 - ln s2)/2; set its derivatives with respect to mu and s2 to zero",
    h=Real(0.1, 10, "factor of the squared error"),
    beta=Real(0, 1000, "weight of the KL divergence"),
    w=Real(0.2, 3, "weight of the decoder"),
    x=Real(-3, 3, "input"),
    mu=Real(meaning="best mean"),
    s2=Real(meaning="best variance", notation="σ²"),
)


COLLAPSE_LIMIT = Fraction(1, 100)

KL_TERMS = "d[j] = (m2[j] + s2[j] - 1 - ln(s2[j]))/2"

DIMENSIONS = {f"d{k}": f"dimension {k}" for k in range(1, 5)}


def dimension_kls(m2: list[Value], s2: list[Value]) -> list[float]:
    """Return the mean KL divergence of each latent dimension."""
    from math import log

    return [(float(m) + float(v) - 1 - log(v)) / 2 for m, v in zip(m2, s2, strict=True)]


def _diagnose_collapse(m2: list[Value], s2: list[Value]) -> dict[str, Any]:
    if len(m2) != len(DIMENSIONS) or len(s2) != len(DIMENSIONS):
        raise UserError("vae-collapse takes m2 and s2 of 4 latent dimensions.")
    collapsed = [f"d{k}" for k, d in enumerate(dimension_kls(m2, s2), 1) if d < COLLAPSE_LIMIT]
    problem = {0: "weak", len(m2): "ignored"}.get(len(collapsed), "strong")
    return {"collapsed": collapsed or ["none"], "problem": problem}


POSTERIOR_COLLAPSE = Formula(
    "vae-collapse",
    f"""
    {KL_TERMS}
    K = sum(j, d[j])
    """,
    title="Posterior collapse of latent dimensions",
    source="derivation: the mean over the data of (mu^2 + s2 - 1 - ln s2)/2; Bowman et al., Generating Sentences from "
    "a Continuous Space, 2016 (arXiv:1511.06349), on collapse and KL warmup",
    procedure=_diagnose_collapse,
    procedure_outputs="collapsed problem",
    m2=Vector(0, meaning="mean of mu^2 over the data, one per latent dimension"),
    s2=Vector(0, meaning="variance sigma^2, the same for every input, one per latent dimension", notation="σ²"),
    d=DIMENSION_KLS,
    K=Real(0, meaning="total KL divergence"),
    collapsed=Choices(meaning="collapsed dimensions (KL below 0.01)", options=dict(DIMENSIONS, none="none of them")),
    problem=Choice(
        meaning="problem, and what to change first",
        options=dict(
            strong="the KL term is too strong for some dimensions: use a smaller beta or KL warmup",
            weak="the KL term is too weak: use a larger beta",
            ignored="the decoder ignores the whole code: weaken the decoder or use KL warmup",
        ),
        supported_by="K",
    ),
)


PIXEL_MEAN, DIMENSION_MEAN = 2, 4  # the lines with the wrong reduction


def _reduce(B: int, D: int, d: int, o: Value, m: Value, line: int | None = None) -> dict[str, Value]:
    squared_error, kl = D * o * o, d * m * m / Fraction(2)
    results = {"correct": squared_error + kl}
    if line == PIXEL_MEAN:
        return results | {"printed": o * o + kl, "beta": D}
    return results | {"printed": squared_error + kl / d, "beta": Fraction(1, d)}


ELBO_REDUCTION = Formula(
    "elbo-reduction",
    "",
    title="A VAE loss with a wrong reduction",
    source="PyTorch documentation, torch.nn.functional.mse_loss: reduction='mean' divides by the number of all "
    "elements; "
    f"{AEVB}: both terms are sums per sample",
    procedure=_reduce,
    procedure_outputs="printed correct beta",
    B=Int(1, 1000, "batch size"),
    D=Int(2, 100000, "number of pixels"),
    d=Int(2, 1000, "number of latent dimensions"),
    o=Real(meaning="error of every pixel"),
    m=Real(meaning="mean of every latent dimension"),
    line=LineNumber(meaning="number of the line with the wrong reduction"),
    printed=Real(meaning="loss that is printed"),
    correct=Real(meaning="correct loss per sample"),
    beta=Rational(meaning="beta of a correct loss with the same minimum"),
)


VAE_STEP = Formula(
    "vae-step",
    """
    mu = a*x
    sigma = exp(logvar/2)
    z = mu + sigma*eps
    x_hat = c*z
    K = (mu^2 + exp(logvar) - 1 - logvar)/2
    g_z = -2*c*(x - x_hat)
    g_c = -2*z*(x - x_hat)
    g_a = (g_z + mu)*x
    g_logvar = g_z*sigma*eps/2 + (exp(logvar) - 1)/2
    """,
    title="Forward and backward pass of a VAE on numbers",
    source="derivation: chain rule through z = ax + exp(logvar/2) eps; the KL divergence has the derivative mu with "
    "respect to mu, and (exp(logvar) - 1)/2 with respect to logvar",
    x=Real(meaning="input"),
    a=Real(meaning="weight of the encoder"),
    logvar=Real(-20, 20, "log-variance of the encoder"),
    eps=Real(meaning="standard normal noise"),
    c=Real(meaning="weight of the decoder"),
    mu=Real(meaning="mean"),
    sigma=Real(meaning="standard deviation"),
    z=Real(meaning="sampled code"),
    x_hat=Real(meaning="reconstruction"),
    K=Real(0, meaning="KL divergence from N(0, 1)"),
    g_z=Real(meaning="derivative of the squared error with respect to z"),
    g_c=Real(meaning="derivative of the loss with respect to c"),
    g_a=Real(meaning="derivative of the loss with respect to a"),
    g_logvar=Real(meaning="derivative of the loss with respect to the log-variance"),
)
