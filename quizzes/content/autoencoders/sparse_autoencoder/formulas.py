"""Sparse autoencoder: formulas."""

from quizzes.formula import Formula
from quizzes.symbols import Matrix, Real, Vector

TARGET = Real(0.001, 0.999, "target activation rho", default=0.05)

UNIT_PENALTIES = Vector(meaning="penalty of each hidden unit")

PENALTY = Real(0, meaning="sparsity penalty, summed over the hidden units")

KL_SOURCE = (
    "derivation: KL divergence between Bernoulli distributions with means rho and rho_hat_j, per hidden unit; "
    "Ng, CS294A lecture notes, Sparse autoencoder, 2011"
)


KL_SPARSITY = Formula(
    "kl-sparsity",
    """
    d[j] = rho*ln(rho/q[j]) + (1 - rho)*ln((1 - rho)/(1 - q[j]))
    K = sum(j, d[j])
    """,
    title="KL sparsity penalty",
    source=KL_SOURCE,
    rho=TARGET,
    q=Vector(0, 1, "mean activation rho_hat of each hidden unit"),
    d=UNIT_PENALTIES,
    K=PENALTY,
)


KL_SPARSITY_BATCH = Formula(
    "kl-sparsity-batch",
    """
    q[j] = mean(n, A[n, j])
    d[j] = rho*ln(rho/q[j]) + (1 - rho)*ln((1 - rho)/(1 - q[j]))
    K = sum(j, d[j])
    L = rec + beta*K
    """,
    title="Loss of a sparse autoencoder",
    source=KL_SOURCE,
    A=Matrix(0, 1, "activations of the hidden units, a row per sample"),
    rho=TARGET,
    beta=Real(0, meaning="weight beta of the penalty", default=1),
    rec=Real(0, meaning="reconstruction loss", default=0),
    q=Vector(meaning="mean activation of each hidden unit over the batch"),
    d=UNIT_PENALTIES,
    K=PENALTY,
    L=Real(meaning="loss"),
)


KL_SPARSITY_GRADIENT = Formula(
    "kl-sparsity-gradient",
    "g = (1 - rho)/(1 - q) - rho/q",
    title="Derivative of the KL sparsity penalty",
    source="derivation: d/dq of rho ln(rho/q) is -rho/q, and of (1 - rho) ln((1 - rho)/(1 - q)) it is (1 - rho)/(1 - "
    "q)",
    rho=Real(0.001, 0.999, "target activation rho"),
    q=Real(0.05, 0.95, "mean activation rho_hat of the unit"),
    g=Real(meaning="derivative of the unit's penalty with respect to q"),
)


SPARSE_LOSS = Formula(
    "sparse-loss",
    "L = rec + beta*K",
    title="Loss of a sparse autoencoder from its terms",
    source="Ng, CS294A lecture notes, Sparse autoencoder, 2011",
    rec=Real(0, 1000000, "reconstruction loss"),
    beta=Real(0, 1000, "weight of the sparsity penalty"),
    K=Real(0, 1000000, "sparsity penalty, summed over the hidden units"),
    L=Real(meaning="loss"),
)
