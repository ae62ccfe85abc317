"""Sparse autoencoder: drills."""

from random import Random

from quizzes.content.autoencoders.sparse_autoencoder.formulas import (
    KL_SPARSITY,
    KL_SPARSITY_BATCH,
    KL_SPARSITY_GRADIENT,
    SPARSE_LOSS,
)
from quizzes.drill import Inputs, Mistake, derive, drill, one_of

SWAPPED = "You swapped rho and q. The target rho is the first distribution, which weights the logarithms."

ONE_TERM = (
    "You used the first term only. A unit is active or inactive, so the second term, with 1 - rho, is needed too."
)


@drill(
    KL_SPARSITY,
    tier=2,
    asks="K",
    prompt="The hidden units of a sparse autoencoder have the mean activations q = {q} (also written rho_hat). "
    "The target is rho = {rho}. The sparsity penalty K is the KL divergence between Bernoulli distributions with the "
    "means rho and q, summed over the units.\n"
    "Conventions: natural logarithm.",
    hints=(
        "Compare two Bernoulli distributions, one with mean rho and one with mean q. Which two outcomes are there?",
        "For each unit: rho ln(rho/q) + (1 - rho) ln((1 - rho)/(1 - q)). Add up the units.",
        "First step: compute both terms of the first unit. A unit with q = rho has the penalty 0.",
    ),
    mistakes=[
        Mistake(
            "swapped",
            "d[j] = q[j]*ln(q[j]/rho) + (1 - q[j])*ln((1 - q[j])/(1 - rho)); "
            "K = sum(j, q[j]*ln(q[j]/rho) + (1 - q[j])*ln((1 - q[j])/(1 - rho)))",
            SWAPPED,
        ),
        Mistake("one-term", "K = sum(j, rho*ln(rho/q[j]))", ONE_TERM),
        Mistake(
            "base-2",
            "K = sum(j, d[j])/ln(2)",
            "You used the base-2 logarithm. The natural logarithm is asked for.",
        ),
        Mistake("base-10", "K = sum(j, d[j])/ln(10)", "You used the base-10 logarithm. Use the natural one."),
        Mistake("mean-for-sum", "K = mean(j, d[j])", "You averaged over the units. The penalty is their sum."),
    ],
)
def kl_sparsity(rng: Random) -> Inputs:
    """KL sparsity penalty"""
    rho = rng.choice([0.02, 0.05, 0.1, 0.15, 0.2])
    q = [rng.choice([k for k in range(1, 70) if k != round(100 * rho)]) / 100 for _ in range(rng.choice([2, 2, 3]))]
    if rng.random() < 0.3:
        q[rng.randrange(len(q))] = rho
    return dict(rho=rho, q=q)


@drill(
    KL_SPARSITY_BATCH,
    id="kl-sparsity:loss",
    tier=2,
    asks=("q", "K", "L"),
    prompt="A batch of three samples has these activations of the hidden units of a sparse autoencoder, a row per "
    "sample:\n  A = {A}\n"
    "The reconstruction loss is {rec}, the target activation is rho = {rho}, and the penalty has the weight beta = "
    "{beta}.\n"
    "What are the mean activations q of the units, the KL penalty K (summed over the units), and the loss L?\n"
    "Conventions: natural logarithm.",
    hint="Average each unit over the samples first: the penalty is about mean activations.",
    mistakes=[
        Mistake(
            "mean-over-units",
            "q[j] = sum(n, A[n, j])",
            "You added up the activations. Divide by the number of samples.",
        ),
        Mistake("one-term", "K = sum(j, rho*ln(rho/q[j]))", ONE_TERM),
        Mistake("swapped", "K = sum(j, q[j]*ln(q[j]/rho) + (1 - q[j])*ln((1 - q[j])/(1 - rho)))", SWAPPED),
        Mistake("mean-for-sum", "K = mean(j, d[j])", "You averaged over the units. The penalty is their sum."),
        Mistake("beta-left-out", "L = rec + K", "You left out beta, which weights the penalty."),
        Mistake("beta-on-reconstruction", "L = beta*rec + K", "beta weights the penalty, not the reconstruction loss."),
    ],
)
def kl_sparsity_loss(rng: Random) -> Inputs:
    """Loss of a sparse autoencoder"""
    A = [[rng.randint(1, 30) * 3 / 100 for _ in range(2)] for _ in range(3)]
    return dict(
        A=A, rho=rng.choice([0.05, 0.1, 0.2]), beta=rng.choice([0.1, 0.5, 2, 3]), rec=rng.randint(10, 200) / 100
    )


@drill(
    KL_SPARSITY_GRADIENT,
    id="kl-sparsity:gradient",
    tier=3,
    asks=derive("g"),
    prompt="The KL sparsity penalty of a hidden unit with mean activation q is rho ln(rho/q) + (1 - rho) ln((1 - "
    "rho)/(1 - q)) with rho = {rho}.\n"
    "Derive g, its derivative with respect to q. Answer in terms of q.",
    hints=(
        "Where does q occur in each term? What is the derivative of -ln q?",
        "The derivative of ln(rho/q) with respect to q is -1/q, and that of ln((1 - rho)/(1 - q)) is 1/(1 - q).",
        "First step: the first term gives -rho/q. At q = rho the derivative must be 0.",
    ),
    mistakes=[
        Mistake(
            "sign-reversed",
            "g = rho/q - (1 - rho)/(1 - q)",
            "The sign is reversed. An activation above the target raises the penalty, so g is positive there.",
        ),
        Mistake("one-term", "g = -rho/q", ONE_TERM),
        Mistake(
            "inner-derivative",
            "g = -rho/q - (1 - rho)/(1 - q)",
            "You lost the inner derivative. 1 - q decreases when q grows, which changes the sign of the second term.",
        ),
        Mistake(
            "inverted",
            "g = (1 - q)/(1 - rho) - q/rho",
            "You inverted the fractions. The derivative of ln q is 1/q.",
        ),
    ],
)
def kl_sparsity_gradient(rng: Random) -> Inputs:
    """Derivative of the sparsity penalty"""
    return dict(rho=rng.randint(1, 60) / 100, variables={"q": [0.05, 0.95]})


@drill(
    SPARSE_LOSS,
    id="kl-sparsity:weight",
    tier=1,
    asks=one_of("L", "beta", "K"),
    prompt="A sparse autoencoder has the reconstruction loss {rec} and the sparsity penalty K = {K}, which has the "
    "weight beta = {beta}. Its loss is L = {L}.",
    hint="Which of the two terms does beta weight?",
    mistakes=[
        Mistake("divided-by-beta", "L = rec + K/beta", "You divided by beta. It multiplies the penalty."),
        Mistake("beta-on-reconstruction", "L = beta*rec + K", "beta weights the penalty, not the reconstruction loss."),
        Mistake(
            "subtracted",
            "L = rec - beta*K",
            "You subtracted the penalty. It is added, because sparse codes are to have the smaller loss.",
        ),
        Mistake(
            "weighted-mean", "L = (1 - beta)*rec + beta*K", "The reconstruction loss has the weight 1, not 1 - beta."
        ),
    ],
)
def kl_sparsity_weight(rng: Random) -> Inputs:
    """Weight of the sparsity penalty"""
    return dict(
        rec=rng.randint(10, 300) / 100, K=rng.randint(10, 200) / 100, beta=rng.choice([0.1, 0.2, 0.5, 2, 3, 4, 5])
    )
