"""Variational autoencoder: drills that derive, diagnose and debug."""

from random import Random
from typing import Any

from quizzes.content.autoencoders.vae.formulas import (
    DIMENSION_MEAN,
    DIMENSIONS,
    ELBO_REDUCTION,
    LINEAR_OPTIMUM,
    PIXEL_MEAN,
    POSTERIOR_COLLAPSE,
    VAE_STEP,
    dimension_kls,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of
from quizzes.expressions.tree import UndefinedValue
from quizzes.question import Step


@drill(
    LINEAR_OPTIMUM,
    tier=3,
    asks=one_of(derive("mu"), derive("s2")),
    prompt="A VAE with a scalar code has the encoder q = N(mu, s2), the prior N(0, 1), and the decoder x_hat = w z. "
    "Its loss is the mean over q of {h}*(x - w z)^2, plus {beta} times the KL divergence of q from the prior.\n"
    "Derive the value that minimizes the loss, the mean mu or the variance s2, as asked below. Answer in terms of w "
    "and x (if they occur).",
    hints=(
        "Write the loss in terms of mu and s2. Which variance does w z have?",
        "The mean over q of (x - w z)^2 is (x - w mu)^2 + w^2 s2, and the KL divergence is (mu^2 + s2 - 1 - ln(s2))/2.",
        "First step: set the derivative to zero, with respect to mu or to s2. The terms of mu and of s2 are separate.",
    ),
    mistakes=[
        Mistake(
            "beta-left-out",
            "mu = 2*h*w*x/(2*h*w^2 + 1); s2 = 1/(2*h*w^2 + 1)",
            "You left out the weight of the KL divergence.",
        ),
        Mistake(
            "weight-on-reconstruction",
            "mu = 2*h*beta*w*x/(2*h*beta*w^2 + 1); s2 = 1/(2*h*beta*w^2 + 1)",
            "You weighted the reconstruction. The factor belongs to the KL divergence.",
        ),
        Mistake(
            "prior-ignored",
            "mu = x/w",
            "That is the least-squares code. The KL divergence pulls the mean toward 0.",
        ),
        Mistake(
            "noise-not-propagated",
            "s2 = 1",
            "You minimized the KL divergence alone. The noise of z also changes the reconstruction, by w^2 s2.",
        ),
        Mistake(
            "deviation-for-variance",
            "s2 = sqrt(beta/(2*h*w^2 + beta))",
            "That is the standard deviation. s2 is the variance.",
        ),
    ],
)
def vae_linear_optimum(rng: Random) -> Inputs:
    """Best encoder of a linear VAE"""
    beta = rng.choice([0.1, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    return dict(h=rng.choice([0.5, 1]), beta=beta, variables={"w": [0.2, 3], "x": [-3, 3]})


def _small_variances(m2: list[Any], s2: list[Any]) -> list[str]:
    return [name for name, v in zip(DIMENSIONS, s2, strict=True) if v < 0.5] or ["none"]


def _zero_means(m2: list[Any], s2: list[Any]) -> list[str]:
    return [name for name, m in zip(DIMENSIONS, m2, strict=True) if m == 0] or ["none"]


@drill(
    POSTERIOR_COLLAPSE,
    id="vae-collapse-log",
    tier=2,
    asks=("collapsed", "K", "problem"),
    visualization="table m2 s2",
    prompt="After training, the four latent dimensions of a VAE have the mean squared means m2 = {m2} over the data, "
    "and the variances s2 = {s2}, the same for every input. The prior is N(0, 1).\n"
    "Which dimensions have collapsed (KL divergence below 0.01)? What is the total KL divergence K? What is the "
    "problem, if there is one, and what would you change first?\n"
    "Conventions: natural logarithm; {remark}",
    hint="A collapsed dimension has the distribution of the prior for every input. Which m2 and s2 does it have?",
    mistakes=[
        Mistake(
            "small-variance",
            {"collapsed": _small_variances},
            "You chose the dimensions with a small variance. They carry information; a collapsed one has the "
            "variance 1.",
        ),
        Mistake(
            "exactly-zero",
            {"collapsed": _zero_means},
            "A mean of exactly 0 is not needed. Compute the KL divergence of each dimension and compare it with 0.01.",
        ),
        Mistake("mean-for-sum", "K = mean(j, d[j])", "You averaged over the dimensions. The total is their sum."),
        Mistake(
            "log-left-out",
            "K = sum(j, m2[j] + s2[j] - 1)/2",
            "You left out the logarithm of the variance.",
        ),
        Mistake("half-left-out", "K = sum(j, 2*d[j])", "You left out the factor 1/2."),
        Mistake(
            "another-remedy",
            {"problem": lambda m2, s2: "strong" if all(v < 0.5 for v in s2) or min(s2) > 0.5 else "weak"},
            "Count the collapsed dimensions. If none has collapsed, the KL term is weak; if all have, the decoder "
            "works without the code.",
        ),
    ],
)
def vae_collapse_log(rng: Random) -> Inputs:
    """Posterior collapse"""
    case = rng.choice(["some", "none", "all"])
    count = {"some": rng.choice([1, 2, 2, 3]), "none": 0, "all": 4}[case]
    dead = set(rng.sample(range(4), count))
    scale = 1000 if case == "none" else 100
    m2, s2 = [], []
    for k in range(4):
        if k in dead:
            m2.append(rng.choice([0, 0.002, 0.004, 0.006]))
            s2.append(rng.choice([1, 0.98, 0.99, 1.01]))
        else:
            m2.append(rng.randint(scale // 2, 2 * scale) / 100)
            s2.append(rng.randint(1, 20) / (1000 if case == "none" else 100))
    if any(0.005 < d < 0.05 for d in dimension_kls(m2, s2)):
        raise UndefinedValue("a dimension is too close to the limit")
    remarks = {
        "some": "reconstructions lose detail.",
        "none": "reconstructions are good, but decoded samples of the prior are poor.",
        "all": "all reconstructions look alike.",
    }
    return dict(m2=m2, s2=s2, remark=remarks[case])


def _reduction_steps(
    B: int, D: int, d: int, o: float, m: float, line: int, printed: float, correct: float, beta: Any, **_: Any
) -> list[Step]:
    kl = d * m * m / 2
    reasons = {
        PIXEL_MEAN: f"Line {line} averages the squared error over all pixels, but the KL divergence is summed over the "
        "latent dimensions.",
        DIMENSION_MEAN: f"Line {line} averages the KL divergence over the latent dimensions, but the squared error is "
        "summed over the pixels.",
    }
    terms = {
        PIXEL_MEAN: f"printed = {o:g}^2 + {d}*{m:g}^2/2",
        DIMENSION_MEAN: f"printed = {D}*{o:g}^2 + {m:g}^2/2",
    }
    return [
        Step(reasons[line]),
        Step(f"With logvar = 0, the KL divergence of a dimension is {m:g}^2/2.", [f"K = {d}*{m:g}^2/2", f"K = {kl:g}"]),
        Step("Insert the reductions of the program.", [terms[line], f"printed = {printed:.6g}"]),
        Step("Sum both terms per sample.", [f"correct = {D}*{o:g}^2 + {kl:g}", f"correct = {correct:.6g}"]),
        Step("Compare the weights of the two terms with those of the correct loss.", [f"beta = {beta}"]),
    ]


@drill(
    ELBO_REDUCTION,
    id="debug-elbo-reduction",
    tier=3,
    asks=("line", "printed", "correct", "beta"),
    visualization="code program",
    prompt="{symptom}\nWhich line uses the wrong reduction (line)? What does the program print (printed)? What is the "
    "correct loss per sample (correct)? Which beta of a correct loss is the problem equivalent to (exact)?\n"
    "Conventions: the loss per sample sums squared errors over pixels and KL divergences over latent dimensions.",
    hints=(
        "Which sums and which means does each term have? Compare them over pixels and over latent dimensions.",
        "F.mse_loss averages over all elements, unless reduction says otherwise. kl has the shape (batch, latent "
        "dimensions).",
        "First step: compute the squared error per sample, and the KL divergence of one latent dimension.",
    ),
    steps=_reduction_steps,
    mistakes=[
        Mistake(
            "kl-sign",
            {"line": 3},
            "The sign is correct: -1/2 (1 + ln s2 - mu^2 - s2) is never negative. Look at the reductions.",
        ),
        Mistake(
            "other-reduction",
            {"line": lambda line, **_: DIMENSION_MEAN if line == PIXEL_MEAN else PIXEL_MEAN},
            "That line sums over the dimensions of a sample, and averages over the batch, as it should.",
        ),
        Mistake(
            "already-correct",
            {"printed": lambda D, d, o, m, **_: D * o * o + d * m * m / 2},
            "That is the correct loss. The program averages where it should sum.",
        ),
        Mistake(
            "sum-over-the-batch",
            {"correct": lambda B, D, d, o, m, **_: B * (D * o * o + d * m * m / 2)},
            "You summed over the batch. The loss per sample is its mean over the batch.",
        ),
        Mistake(
            "batch-in-beta",
            {"beta": lambda B, D, d, line, **_: B * D if line == PIXEL_MEAN else f"1/{B * d}"},
            "You included the batch. Both terms are averaged over it, so it cancels.",
        ),
        Mistake(
            "beta-inverted",
            {"beta": lambda D, d, line, **_: f"1/{D}" if line == PIXEL_MEAN else d},
            "You inverted beta. A loss with a smaller reconstruction term has, relative to it, a larger KL term.",
        ),
    ],
)
def debug_elbo_reduction(rng: Random) -> Inputs:
    """A wrong reduction in the loss of a VAE"""
    B, D, d = (
        rng.choice([2, 4, 8, 16, 32]),
        rng.choice([64, 100, 256, 400, 784, 1024, 3072]),
        rng.choice([2, 4, 8, 10, 20]),
    )
    o, m, line = (
        rng.choice([0.1, 0.2, 0.25, 0.5]),
        rng.choice([0.5, 1.0, 2.0]),
        rng.choice([PIXEL_MEAN, DIMENSION_MEAN]),
    )
    if line == PIXEL_MEAN:
        rec, kl, symptom = (
            "F.mse_loss(xhat, x)",
            "kl.sum(1).mean()",
            "This VAE's KL divergence goes to 0 within one epoch.",
        )
    else:
        rec, kl = 'F.mse_loss(xhat, x, reduction="sum") / len(x)', "kl.mean()"
        symptom = "This VAE reconstructs well, but its KL divergence is large, and samples of the prior are poor."
    program = f"""
def loss(x, xhat, mu, logvar):  # x: (batch, pixels)
    rec = {rec}
    kl = -0.5 * (1 + logvar - mu**2 - logvar.exp())
    return rec + {kl}
x = torch.zeros({B}, {D})
mu, logvar = torch.full(({B}, {d}), {m}), torch.zeros({B}, {d})
print(loss(x, x + {o}, mu, logvar))
""".strip()
    return dict(B=B, D=D, d=d, o=o, m=m, line=line, program=program, symptom=symptom)


@drill(
    VAE_STEP,
    id="chain-vae-step",
    tier=3,
    asks=("z", "x_hat", "K", "g_c", "g_a", "g_logvar"),
    prompt="A VAE on single numbers has mu = a x with a = {a}, the log-variance logvar = {logvar}, z = mu + sigma "
    "eps, and x_hat = c z with c = {c}. The loss is (x - x_hat)^2 plus the KL divergence K of N(mu, sigma^2) from "
    "N(0, 1). The input is x = {x}, and the noise is eps = {eps}.\n"
    "What are z, x_hat and K, and the derivatives g_c, g_a and g_logvar of the loss with respect to c, a and logvar?\n"
    "Conventions: natural logarithm.",
    hints=(
        "On which paths does each parameter change the loss? The KL divergence depends on mu and logvar directly.",
        "z = mu + exp(logvar/2) eps, and K = (mu^2 + exp(logvar) - 1 - logvar)/2. The derivative of K is mu with "
        "respect to mu, and (exp(logvar) - 1)/2 with respect to logvar.",
        "First step: compute sigma = exp(logvar/2), then z. The derivative of the squared error with respect to z is "
        "-2 c (x - x_hat).",
    ),
    mistakes=[
        Mistake(
            "variance-for-deviation",
            "z = mu + exp(logvar)*eps",
            "You multiplied the noise by the variance. Use the standard deviation, exp(logvar/2).",
        ),
        Mistake("kl-half-left-out", "K = mu^2 + exp(logvar) - 1 - logvar", "You left out the factor 1/2 of K."),
        Mistake(
            "sign-reversed",
            "g_c = 2*z*(x - x_hat)",
            "The sign is reversed. The residual x - x_hat decreases when c z grows.",
        ),
        Mistake(
            "kl-left-out",
            "g_a = g_z*x; g_logvar = g_z*sigma*eps/2",
            "You left out the KL divergence. It depends on mu and logvar too, so add its derivative.",
        ),
        Mistake(
            "kl-only",
            "g_a = mu*x; g_logvar = (exp(logvar) - 1)/2",
            "You used the KL divergence only. mu and logvar also change z, and with it the reconstruction.",
        ),
        Mistake(
            "by-log-sigma",
            "g_logvar = g_z*sigma*eps + exp(logvar) - 1",
            "That is the derivative with respect to ln sigma. logvar = 2 ln sigma, so it is half of that.",
        ),
    ],
)
def chain_vae_step(rng: Random) -> Inputs:
    """Forward and backward pass of a VAE"""
    x, a = rng.choice([-2, -1, 1, 2, 3]), rng.choice([-1.5, -1, -0.5, 0.5, 0.8, 1.5])
    logvar = rng.choice([-1.3863, -0.6931, -2.1, -1, -0.5, 0.4])
    eps, c = rng.choice([-1.2, -0.8, -0.5, 0.4, 0.6, 1.1]), rng.choice([-2, -1.5, 0.5, 1.5, 2])
    return dict(x=x, a=a, logvar=logvar, eps=eps, c=c)
