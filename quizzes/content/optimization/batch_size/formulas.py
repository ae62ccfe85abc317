"""Batch, mini-batch, stochastic: formulas."""

from typing import Any

from quizzes.formula import Formula
from quizzes.symbols import Int, Real

# Passes through a training set in batches.
EPOCHS: dict[str, Any] = dict(
    N=Int(1, 1000000000, "number of training samples"),
    B=Int(1, 100000, "batch size"),
    epochs=Int(1, 100000, "number of epochs", default=1),
)


# Gradients of several batches on several devices, combined in one update.
ACCUMULATION: dict[str, Any] = dict(
    B=Int(1, 100000, "batch size of one forward pass on one device"),
    k=Int(1, 10000, "number of batches accumulated per update", default=1),
    G=Int(1, 10000, "number of devices that train in parallel", default=1),
)


EPOCH = Formula(
    "epoch",
    """
    iters = ceil(N/B)
    last = N - (iters - 1)*B
    total = epochs*iters
    """,
    title="Iterations per epoch, with a smaller last batch",
    source="derivation: batches of B until the N samples are used up; the last one has the remainder",
    **EPOCHS,
    iters=Int(meaning="number of iterations (parameter updates) per epoch"),
    last=Int(meaning="size of the last batch of an epoch"),
    total=Int(meaning="number of iterations of the whole training run"),
)


EPOCH_DROP_LAST = Formula(
    "epoch-drop-last",
    """
    iters = floor(N/B)
    unused = N - iters*B
    total = epochs*iters
    """,
    title="Iterations per epoch, with full batches only (drop_last)",
    source="derivation: as many batches of B as fit into N samples",
    **EPOCHS,
    iters=Int(meaning="number of iterations (parameter updates) per epoch"),
    unused=Int(meaning="number of samples dropped per epoch"),
    total=Int(meaning="number of iterations of the whole training run"),
)


TOTAL_ITERATIONS = Formula(
    "total-iterations",
    "total = epochs*ceil(N/B)",
    title="Total iterations of a training run",
    source="derivation: batches of B until the N samples are used up, in every epoch",
    **EPOCHS,
    total=Int(meaning="number of iterations (parameter updates) of the whole training run"),
)


EFFECTIVE_BATCH = Formula(
    "effective-batch",
    "B_eff = B*k*G",
    title="Effective batch size",
    source="derivation: each of G devices adds up the gradients of k batches of B before one update",
    **ACCUMULATION,
    B_eff=Int(meaning="effective batch size (samples per update)"),
)


LINEAR_SCALING = Formula(
    "linear-scaling",
    "eta = eta0*B*k*G/B0",
    title="Linear scaling of the learning rate",
    source="Goyal et al., Accurate, large minibatch SGD, 2017 (arXiv:1706.02677): k times the minibatch, "
    "k times the learning rate",
    eta0=Real(0, meaning="learning rate for the reference batch size"),
    B0=Int(1, 100000, "reference batch size"),
    **ACCUMULATION,
    eta=Real(meaning="new learning rate"),
)
