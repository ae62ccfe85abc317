"""Batch, mini-batch, stochastic: drills."""

from random import Random
from typing import Any

from quizzes.content.optimization.batch_size.formulas import (
    EFFECTIVE_BATCH,
    EPOCH,
    EPOCH_DROP_LAST,
    LINEAR_SCALING,
    TOTAL_ITERATIONS,
)
from quizzes.drill import Inputs, Mistake, drill, one_of

BATCHES = [16, 20, 25, 32, 50, 64, 100, 128, 256]


def _training(rng: Random) -> dict[str, Any]:
    """Return the sizes of a training run; N is sometimes a multiple of the batch size."""
    B = rng.choice(BATCHES)
    N = rng.choice([1000, 1437, 5000, 12000, 50000, 60000, rng.randint(300, 20000), rng.randint(10, 200) * B])
    return dict(N=N, B=B, epochs=rng.choice([3, 5, 10, 20, 30]))


@drill(
    EPOCH,
    id="iterations-per-epoch",
    tier=1,
    asks=("iters", "last", "total"),
    prompt="A network is trained on {N} samples for {epochs} epochs, with batch size {B}. The last batch of an epoch "
    "may be smaller, and it is used. What are the number of iterations (parameter updates) per epoch (iters), the size "
    "of the last batch of an epoch (last), and the number of iterations of the whole training run (total)?",
    hint="Fill batches until no samples are left. Each batch is one iteration.",
    mistakes=[
        Mistake(
            "rounded-down",
            "iters = floor(N/B)",
            "You rounded down. The remaining samples form one more, smaller batch, so round up.",
        ),
        Mistake(
            "sample-by-sample",
            "iters = N",
            "You counted one iteration per sample. An iteration uses a whole batch, so divide by the batch size.",
        ),
        Mistake(
            "last-empty",
            "last = N - floor(N/B)*B",
            "You counted an empty last batch. The batch size divides the number of samples, so the last batch is full.",
        ),
        Mistake(
            "last-full",
            "last = B",
            "You counted a full last batch. The batch size does not divide the number of samples, so count the "
            "remainder.",
        ),
        Mistake(
            "epoch-as-iteration",
            "total = epochs",
            "You counted one iteration per epoch. An epoch has one iteration per batch.",
        ),
        Mistake(
            "across-epochs",
            "total = ceil(epochs*N/B)",
            "You let a batch span two epochs. Every epoch starts a new batch, so round up per epoch before you "
            "multiply.",
        ),
    ],
)
def iterations_per_epoch(rng: Random) -> Inputs:
    """Iterations per epoch"""
    return _training(rng)


@drill(
    EPOCH_DROP_LAST,
    id="iterations-per-epoch:drop-last",
    tier=1,
    asks=("iters", "unused", "total"),
    prompt="A data loader with drop_last=True provides {N} training samples in batches of {B}, for {epochs} epochs. "
    "What are the number of iterations per epoch (iters), the number of samples dropped per epoch (unused), and the "
    "number of iterations of the whole training run (total)?",
    hint="How many full batches are there? Only they count.",
    mistakes=[
        Mistake(
            "rounded-up", "iters = ceil(N/B)", "You rounded up. drop_last drops the incomplete batch, so round down."
        ),
        Mistake(
            "what-is-missing",
            "unused = ceil(N/B)*B - N",
            "That is the number of samples missing from the incomplete batch. unused is the number of samples in it.",
        ),
        Mistake(
            "epoch-as-iteration",
            "total = epochs",
            "You counted one iteration per epoch. An epoch has one iteration per full batch.",
        ),
        Mistake(
            "across-epochs",
            "total = floor(epochs*N/B)",
            "You let a batch span two epochs. Every epoch drops its remainder, so round down per epoch before you "
            "multiply.",
        ),
    ],
)
def iterations_drop_last(rng: Random) -> Inputs:
    """Iterations with full batches only"""
    return _training(rng)


@drill(
    TOTAL_ITERATIONS,
    id="iterations-per-epoch:batch-size",
    tier=2,
    asks="B",
    prompt="A training run on {N} samples took {epochs} epochs and made {total} parameter updates in total. The last "
    "batch of each epoch was used even if it was smaller.",
    hint="How many updates were made per epoch? The batch size must give exactly that number of batches.",
    mistakes=[
        Mistake(
            "rounded-down",
            "total = epochs*floor(N/B)",
            "You rounded down. The smaller batch at the end of an epoch is an update too, so round up.",
        ),
        Mistake(
            "epochs-ignored",
            "total = ceil(N/B)",
            "You ignored the epochs. The updates are those of all epochs, so divide by the number of epochs first.",
        ),
    ],
)
def iterations_batch_size(rng: Random) -> Inputs:
    """Batch size from the number of updates"""
    while True:
        N, B, epochs = rng.randint(100, 2500), rng.randint(8, 34), rng.choice([2, 3, 4, 5, 8])
        total = epochs * -(-N // B)
        if any(-(-N // b) == total for b in range(1, B)):  # some batch size fits if the epochs are ignored
            return dict(N=N, B=B, epochs=epochs)


@drill(
    EFFECTIVE_BATCH,
    id="effective-batch",
    tier=1,
    asks=one_of("B_eff", "k", "G"),
    prompt="A network is trained in parallel on {G} devices. Each device accumulates the gradients of {k} batches of "
    "{B} samples; then the gradients of all devices are combined in one update. The effective batch size is {B_eff}.",
    hint="How many samples contribute to one update?",
    mistakes=[
        Mistake(
            "no-accumulation",
            "B_eff = B*G",
            "The accumulation is left out. Every device processes several batches per update, so multiply by their "
            "number.",
        ),
        Mistake(
            "no-devices",
            "B_eff = B*k",
            "The devices are left out. All of them contribute to one update, so multiply by their number.",
        ),
        Mistake(
            "added",
            "B_eff = B*(k + G)",
            "The two numbers are added. Every device accumulates all of its batches, so batches and devices multiply.",
        ),
    ],
)
def effective_batch(rng: Random) -> Inputs:
    """Effective batch size"""
    return dict(B=rng.choice([4, 6, 8, 12, 16, 24, 32, 48, 64]), k=rng.choice([2, 3, 4, 8]), G=rng.choice([2, 4, 6, 8]))


@drill(
    LINEAR_SCALING,
    id="effective-batch:learning-rate",
    tier=2,
    asks="eta",
    prompt="A learning rate of {eta0} works well with a batch size of {B0}. Training moves to {G} devices. Each device "
    "accumulates the gradients of {k} batches of {B} samples before an update, which uses the mean over all samples. "
    "By the linear scaling rule, the new learning rate is {eta}.",
    hint="What is the effective batch size? The learning rate grows in proportion to it.",
    mistakes=[
        Mistake(
            "no-accumulation",
            "eta = eta0*B*G/B0",
            "You left out the accumulation. Its number of batches multiplies the effective batch size.",
        ),
        Mistake(
            "no-devices",
            "eta = eta0*B*k/B0",
            "You left out the devices. Their number multiplies the effective batch size.",
        ),
        Mistake(
            "square-root",
            "eta = eta0*sqrt(B*k*G/B0)",
            "That is the square-root rule. By the linear rule, the learning rate is proportional to the batch size.",
        ),
        Mistake(
            "inverted",
            "eta = eta0*B0/(B*k*G)",
            "You inverted the ratio. A larger batch gets a larger learning rate, so use new size over old size.",
        ),
    ],
)
def effective_batch_learning_rate(rng: Random) -> Inputs:
    """Linear scaling of the learning rate"""
    return dict(
        eta0=rng.choice([0.1, 0.05, 0.2, 0.01]),
        B0=rng.choice([32, 64, 128, 256]),
        B=rng.choice([16, 32, 64, 128]),
        k=rng.choice([2, 3, 4, 5, 6, 8]),
        G=rng.choice([2, 4, 8]),
    )
