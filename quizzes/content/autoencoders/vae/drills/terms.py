"""Variational autoencoder: drills about the KL divergence, the reparametrization and the ELBO."""

from random import Random

from quizzes.content.autoencoders.vae.formulas import (
    ELBO,
    REPARAMETRIZATION,
    REPARAMETRIZATION_GRADIENT,
    REPARAMETRIZATION_ONE,
    VAE_KL,
    VAE_KL_LOGVAR,
    VAE_KL_ONE,
    VAE_LOSS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of

MEAN_FOR_SUM = (
    "You averaged over the latent dimensions. The dimensions are independent, so their KL divergences add up."
)

HALF_LEFT_OUT = "You left out the factor 1/2."

SIGN_REVERSED = "The sign is reversed. A KL divergence is never negative."

VARIANCE_FOR_DEVIATION = (
    "You multiplied the noise by the variance. z has the standard deviation sigma, so use exp(logvar/2)."
)

LOGVAR_FOR_SIGMA = "You used the log-variance as standard deviation. Compute sigma = exp(logvar/2) first."

BETA_ON_RECONSTRUCTION = "beta weights the KL divergence, not the reconstruction loss."

LOG_VARIANCES = {0.25: -1.3863, 0.16: -1.8326, 0.5: -0.6931, 2: 0.6931, 4: 1.3863, 0.04: -3.2189, 0.81: -0.2107}


def _means(rng: Random, count: int) -> list[float]:
    return [rng.choice([-1, 1]) * rng.randint(1, 20) / 10 for _ in range(count)]


def _log_variances(rng: Random, count: int) -> list[float]:
    return rng.sample(list(LOG_VARIANCES.values()), count)


def _noise(rng: Random, count: int) -> list[float]:
    return [rng.choice([-1, 1]) * rng.randint(2, 18) / 10 for _ in range(count)]


@drill(
    VAE_KL,
    tier=2,
    asks="K",
    prompt="For one sample, the encoder of a VAE outputs the means mu = {mu} and the variances s2 = {s2}. The prior is "
    "N(0, 1) in each latent dimension.",
    hint="The KL divergence of one dimension is 0 for mean 0 and variance 1. Which three terms vanish there?",
    mistakes=[
        Mistake("sign-reversed", "K = -sum(j, d[j])", SIGN_REVERSED),
        Mistake(
            "log-of-deviation",
            "K = sum(j, mu[j]^2 + s2[j] - 1 - ln(s2[j])/2)/2",
            "You used ln sigma. With the factor 1/2 in front, the logarithm is that of the variance.",
        ),
        Mistake("mean-for-sum", "K = mean(j, d[j])", MEAN_FOR_SUM),
        Mistake("half-left-out", "K = sum(j, 2*d[j])", HALF_LEFT_OUT),
        Mistake(
            "mean-not-squared",
            "K = sum(j, mu[j] + s2[j] - 1 - ln(s2[j]))/2",
            "You did not square the means. A mean is as far from the prior on either side of 0.",
        ),
        Mistake(
            "variance-squared",
            "K = sum(j, mu[j]^2 + s2[j]^2 - 1 - ln(s2[j]))/2",
            "You squared s2. It already is the variance.",
        ),
    ],
)
def vae_kl(rng: Random) -> Inputs:
    """KL divergence of a VAE"""
    count = rng.choice([2, 2, 3])
    mu, s2 = _means(rng, count), [rng.choice([5, 10, 20, 25, 40, 50, 80, 150, 200]) / 100 for _ in range(count)]
    if rng.random() < 0.3:
        mu[0], s2[0] = 0, 1
    return dict(mu=mu, s2=s2)


@drill(
    VAE_KL_LOGVAR,
    id="vae-kl:logvar",
    tier=2,
    asks=("d", "K"),
    visualization="table mu logvar",
    prompt="For one sample, the encoder of a VAE outputs the means mu = {mu} and the log-variances logvar = {logvar}. "
    "The prior is N(0, 1) in each latent dimension.\n"
    "What are the KL divergences d of the dimensions, and their sum K?",
    hint="The network outputs ln(sigma^2). How do you get the variance from it?",
    mistakes=[
        Mistake(
            "logvar-as-sigma",
            "d[j] = (mu[j]^2 + logvar[j]^2 - 1 - ln(logvar[j]^2))/2",
            "You used logvar as standard deviation. The variance is exp(logvar).",
        ),
        Mistake(
            "log-of-sigma",
            "d[j] = (mu[j]^2 + exp(2*logvar[j]) - 1 - 2*logvar[j])/2",
            "You used logvar as ln sigma. It is ln(sigma^2), so the variance is exp(logvar).",
        ),
        Mistake("half-left-out", "d[j] = mu[j]^2 + exp(logvar[j]) - 1 - logvar[j]", HALF_LEFT_OUT),
        Mistake(
            "sign-reversed",
            "d[j] = -(mu[j]^2 + exp(logvar[j]) - 1 - logvar[j])/2; K = -sum(j, d[j])",
            SIGN_REVERSED,
        ),
        Mistake("mean-for-sum", "K = mean(j, d[j])", MEAN_FOR_SUM),
    ],
)
def vae_kl_logvar(rng: Random) -> Inputs:
    """KL divergence from log-variances"""
    count = rng.choice([2, 3])
    return dict(mu=_means(rng, count), logvar=[rng.choice([-1, -1, 1]) * rng.randint(2, 25) / 10 for _ in range(count)])


@drill(
    VAE_KL_ONE,
    id="vae-kl:one-dimension",
    tier=1,
    asks=one_of("K", "mu"),
    prompt="For one sample, a latent dimension of a VAE has the mean {mu} and the variance s2 = {s2}. Its KL "
    "divergence from the prior N(0, 1) is {K}.",
    hint="Which terms does the KL divergence have for the mean, and which for the variance?",
    mistakes=[
        Mistake("half-left-out", "K = mu^2 + s2 - 1 - ln(s2)", HALF_LEFT_OUT),
        Mistake("log-left-out", "K = (mu^2 + s2 - 1)/2", "You left out the logarithm of the variance."),
        Mistake(
            "log-of-deviation",
            "K = (mu^2 + s2 - 1 - ln(s2)/2)/2",
            "You used ln sigma. With the factor 1/2 in front, the logarithm is that of the variance.",
        ),
        Mistake(
            "log-added",
            "K = (mu^2 + s2 - 1 + ln(s2))/2",
            "You added the logarithm. It is subtracted, so that a variance below 1 raises the KL divergence too.",
        ),
    ],
)
def vae_kl_one(rng: Random) -> Inputs:
    """KL divergence of one latent dimension"""
    return dict(mu=rng.randint(3, 30) / 10, s2=rng.choice([10, 20, 25, 40, 50, 60, 80, 150, 200]) / 100)


@drill(
    REPARAMETRIZATION,
    tier=1,
    asks=("sigma", "z"),
    visualization="matrices mu logvar / eps",
    prompt="The encoder of a VAE outputs the means mu = {mu} and the log-variances logvar = {logvar}. The noise drawn "
    "from N(0, 1) is eps = {eps}.\n"
    "What are the standard deviations sigma and the code z of the reparametrization trick?",
    hint="The network outputs ln(sigma^2). How do you get sigma from it?",
    mistakes=[
        Mistake(
            "half-left-out",
            "sigma[j] = exp(logvar[j]); z[j] = mu[j] + exp(logvar[j])*eps[j]",
            VARIANCE_FOR_DEVIATION,
        ),
        Mistake("logvar-as-sigma", "sigma[j] = logvar[j]; z[j] = mu[j] + logvar[j]*eps[j]", LOGVAR_FOR_SIGMA),
        Mistake(
            "noise-left-out",
            "z[j] = mu[j] + sigma[j]",
            "You left out the noise. z = mu + sigma eps: the noise makes it a sample.",
        ),
        Mistake(
            "mean-scaled", "z[j] = sigma[j]*(mu[j] + eps[j])", "You scaled the mean too. sigma scales the noise alone."
        ),
    ],
)
def vae_reparam(rng: Random) -> Inputs:
    """Reparametrization"""
    count = rng.choice([2, 2, 3])
    return dict(mu=_means(rng, count), logvar=_log_variances(rng, count), eps=_noise(rng, count))


@drill(
    REPARAMETRIZATION_ONE,
    id="vae-reparam:one-dimension",
    tier=1,
    asks=one_of("z", "eps", "mu"),
    prompt="In one latent dimension of a VAE, the encoder outputs the mean {mu} and the log-variance logvar = "
    "{logvar}. With the noise {eps} from N(0, 1), the sampled code is {z}.",
    hint="By which number is the noise multiplied, and which is added?",
    mistakes=[
        Mistake("half-left-out", "z = mu + exp(logvar)*eps", VARIANCE_FOR_DEVIATION),
        Mistake("logvar-as-sigma", "z = mu + logvar*eps", LOGVAR_FOR_SIGMA),
        Mistake(
            "mean-scaled", "z = exp(logvar/2)*(mu + eps)", "You scaled the mean too. sigma scales the noise alone."
        ),
        Mistake(
            "noise-subtracted", "z = mu - exp(logvar/2)*eps", "You subtracted the noise. It is added, with its sign."
        ),
    ],
)
def vae_reparam_one(rng: Random) -> Inputs:
    """Reparametrization of one latent dimension"""
    [mu], [logvar], [eps] = _means(rng, 1), _log_variances(rng, 1), _noise(rng, 1)
    return dict(mu=mu, logvar=logvar, eps=eps)


@drill(
    REPARAMETRIZATION_GRADIENT,
    id="vae-reparam:gradient",
    tier=3,
    asks=("g_mu", "g_logvar"),
    visualization="table logvar eps g",
    prompt="A VAE samples z = mu + exp(logvar/2) eps with logvar = {logvar} and eps = {eps}. The reconstruction loss "
    "has the gradient g = {g} with respect to z.\n"
    "What are its gradients g_mu and g_logvar with respect to the means and the log-variances?",
    hint="Which path leads from mu to z, and which from logvar to z? The noise is a constant.",
    mistakes=[
        Mistake(
            "half-left-out",
            "g_logvar[j] = g[j]*eps[j]*sigma[j]",
            "You lost the inner derivative. exp(logvar/2) has the derivative exp(logvar/2)/2.",
        ),
        Mistake(
            "by-sigma",
            "g_logvar[j] = g[j]*eps[j]",
            "That is the gradient with respect to sigma. Multiply by the derivative of sigma = exp(logvar/2).",
        ),
        Mistake(
            "noise-left-out",
            "g_logvar[j] = g[j]*sigma[j]/2",
            "You left out the noise. sigma is multiplied by eps, so its gradient has that factor.",
        ),
        Mistake(
            "scaled-by-sigma",
            "g_mu[j] = g[j]*sigma[j]",
            "You multiplied by sigma. The mean is added to z as it is, so its gradient is that of z.",
        ),
        Mistake(
            "blocked",
            "g_mu[j] = 0*g[j]; g_logvar[j] = 0*g[j]",
            "Sampling does not block the gradient here: the noise is drawn first, and z is differentiable in mu and "
            "logvar.",
        ),
    ],
)
def vae_reparam_gradient(rng: Random) -> Inputs:
    """Gradients through the reparametrization"""
    g = [rng.choice([-1, 1]) * rng.randint(2, 30) / 10 for _ in range(2)]
    return dict(logvar=_log_variances(rng, 2), eps=_noise(rng, 2), g=g)


@drill(
    ELBO,
    tier=1,
    asks=one_of("L", "K", "rec", "beta"),
    prompt="A beta-VAE has the reconstruction loss {rec} (a negative log-likelihood) and the KL divergence {K}, which "
    "has the weight {beta}. The loss that it minimizes is {L}.",
    hint="Which of the two terms does beta weight? Is the KL divergence added or subtracted in a loss?",
    mistakes=[
        Mistake(
            "kl-subtracted",
            "L = rec - beta*K",
            "You subtracted the KL divergence. The ELBO subtracts it; the loss is -ELBO, so both terms are added.",
        ),
        Mistake("beta-on-reconstruction", "L = beta*rec + K", BETA_ON_RECONSTRUCTION),
        Mistake("beta-on-both", "L = beta*(rec + K)", BETA_ON_RECONSTRUCTION),
        Mistake("divided-by-beta", "L = rec + K/beta", "You divided by beta. It multiplies the KL divergence."),
    ],
)
def elbo(rng: Random) -> Inputs:
    """Loss of a beta-VAE"""
    return dict(
        rec=rng.randint(300, 1500) / 10, K=rng.randint(10, 200) / 10, beta=rng.choice([0.1, 0.25, 0.5, 2, 3, 4, 5])
    )


@drill(
    VAE_LOSS,
    id="elbo:bernoulli",
    tier=3,
    asks=("rec", "K", "L"),
    visualization="table x p",
    prompt="A VAE reconstructs the binary pixels x = {x} with the probabilities p = {p}. For this sample the encoder "
    "outputs mu = {mu} and logvar = {logvar}; the prior is N(0, 1).\n"
    "What are the reconstruction loss rec (binary cross-entropy, summed over the pixels), the KL divergence K and the "
    "loss L = -ELBO?\n"
    "Conventions: natural logarithm; one sample of z was used for p.",
    hint="The reconstruction loss adds -ln of the probability that each pixel's true value gets.",
    mistakes=[
        Mistake(
            "mean-for-sum",
            "rec = -mean(i, x[i]*ln(p[i]) + (1 - x[i])*ln(1 - p[i]))",
            "You averaged over the pixels. The log-likelihood of a sample is the sum over its pixels.",
        ),
        Mistake(
            "white-pixels-only",
            "rec = -sum(i, x[i]*ln(p[i]))",
            "You counted the pixels with x = 1 only. A pixel with x = 0 adds -ln(1 - p).",
        ),
        Mistake(
            "squared-error",
            "rec = sum(i, (x[i] - p[i])^2)",
            "That is the squared error. Binary pixels have a Bernoulli likelihood, whose -ln is the cross-entropy.",
        ),
        Mistake("half-left-out", "K = sum(j, mu[j]^2 + exp(logvar[j]) - 1 - logvar[j])", HALF_LEFT_OUT),
        Mistake(
            "kl-sign",
            "K = sum(j, 1 + logvar[j] - mu[j]^2 - exp(logvar[j]))/2",
            SIGN_REVERSED,
        ),
        Mistake("kl-subtracted", "L = rec - K", "You subtracted the KL divergence. In the loss both terms are added."),
    ],
)
def elbo_bernoulli(rng: Random) -> Inputs:
    """Loss of a VAE on one sample"""
    x = [1, 0, *(rng.choice([0, 1]) for _ in range(2))]
    rng.shuffle(x)
    p = [rng.randint(55, 95) / 100 if pixel else rng.randint(5, 45) / 100 for pixel in x]
    return dict(x=x, p=p, mu=_means(rng, 2), logvar=[rng.choice([-1, 1]) * rng.randint(2, 20) / 10 for _ in range(2)])
