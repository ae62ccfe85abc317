"""Batches: iterations of an epoch, effective batch size, and the learning rate that goes with it."""

from random import Random
from typing import Any

from quizzes.drill import drill
from quizzes.formulas.descent import EFFECTIVE_BATCH, EPOCH, EPOCH_DROP_LAST, LINEAR_SCALING, TOTAL_ITERATIONS

BATCHES = [16, 20, 25, 32, 50, 64, 100, 128, 256]


def _training(rng: Random) -> dict[str, Any]:
    """A training set, sometimes a multiple of the batch size."""
    B = rng.choice(BATCHES)
    N = rng.choice([1000, 1437, 5000, 12000, 50000, 60000, rng.randint(300, 20000), rng.randint(10, 200) * B])
    return dict(N=N, B=B, epochs=rng.choice([3, 5, 10, 20, 30]))


@drill(
    EPOCH,
    id="iterations-per-epoch",
    tier=1,
    asks="iters last total",
    prompt="{N} training samples, batch size {B}, {epochs} epochs; the last batch of an epoch may be smaller, and is "
    "used. How many iterations (parameter updates) are in one epoch, how many samples in its last batch, and how many "
    "iterations in the whole training?",
    hint="Fill batches until no sample is left over; each is one iteration.",
)
def iterations_per_epoch(rng: Random) -> dict[str, Any]:
    """Iterations of an epoch"""
    return _training(rng)


iterations_per_epoch.mistake(
    "rounded-down",
    "iters = floor(N/B)",
    "The samples left over make one more, smaller batch: round up.",
)
iterations_per_epoch.mistake(
    "sample-by-sample", "iters = N", "An iteration uses a whole batch, not one sample: divide by the batch size."
)
iterations_per_epoch.mistake(
    "last-empty",
    "last = N - floor(N/B)*B",
    "Where the batch size divides the number of samples nothing is left over, and the last batch is a full one.",
)
iterations_per_epoch.mistake(
    "last-full", "last = B", "The batch size does not divide the number of samples: the last batch has the remainder."
)
iterations_per_epoch.mistake(
    "epoch-as-iteration",
    "total = epochs",
    "An epoch is a pass through all the samples, and has as many iterations as there are batches.",
)
iterations_per_epoch.mistake(
    "across-epochs",
    "total = ceil(epochs*N/B)",
    "Every epoch begins with a fresh batch: round up in each epoch, and then multiply.",
)
iterations_per_epoch.torch(
    """
from torch.utils.data import BatchSampler

batches = list(BatchSampler(range(N), B, drop_last=False))
iters, last = len(batches), len(batches[-1])
total = sum(iters for _ in range(epochs))
"""
)


@drill(
    EPOCH_DROP_LAST,
    id="iterations-per-epoch:drop-last",
    tier=1,
    asks="iters unused total",
    prompt="A data loader with drop_last=True gives {N} training samples in batches of {B}, for {epochs} epochs. How "
    "many iterations are in one epoch, how many samples does it leave unused, and how many iterations are in the "
    "whole training?",
    hint="Only full batches count.",
)
def iterations_drop_last(rng: Random) -> dict[str, Any]:
    """Iterations with full batches only"""
    return _training(rng)


iterations_drop_last.mistake(
    "rounded-up", "iters = ceil(N/B)", "With drop_last the incomplete batch is left out: round down."
)
iterations_drop_last.mistake(
    "what-is-missing",
    "unused = ceil(N/B)*B - N",
    "That is how many samples the last batch lacks: unused is what it has, the remainder.",
)
iterations_drop_last.mistake(
    "epoch-as-iteration",
    "total = epochs",
    "An epoch is a pass through the samples, and has as many iterations as there are full batches.",
)
iterations_drop_last.mistake(
    "across-epochs",
    "total = floor(epochs*N/B)",
    "What is left over is dropped in every epoch: round down in each, and then multiply.",
)
iterations_drop_last.torch(
    """
from torch.utils.data import BatchSampler

batches = list(BatchSampler(range(N), B, drop_last=True))
iters, unused = len(batches), N - sum(map(len, batches))
total = sum(iters for _ in range(epochs))
"""
)


@drill(
    TOTAL_ITERATIONS,
    id="iterations-per-epoch:batch-size",
    tier=2,
    asks="B",
    prompt="A training on {N} samples ran for {epochs} epochs and made {total} parameter updates in all. The last "
    "batch of each epoch was used even where it was smaller. What was the batch size?",
    hint="How many updates had one epoch? The batch size must need just so many batches.",
)
def iterations_batch_size(rng: Random) -> dict[str, Any]:
    """Batch size from the number of updates"""
    while True:
        N, B, epochs = rng.randint(100, 2500), rng.randint(8, 34), rng.choice([2, 3, 4, 5, 8])
        total = epochs * -(-N // B)
        if any(-(-N // b) == total for b in range(1, B)):  # what somebody finds who forgets the epochs
            return dict(N=N, B=B, epochs=epochs)


iterations_batch_size.mistake(
    "rounded-down",
    "total = epochs*floor(N/B)",
    "The smaller batch at the end of an epoch counts as an update too: round N/B up.",
)
iterations_batch_size.mistake(
    "epochs-ignored",
    "total = ceil(N/B)",
    "The updates are those of all epochs: divide them by the number of epochs first.",
)
iterations_batch_size.torch(
    """
from torch.utils.data import DataLoader

total = sum(len(DataLoader(range(N), batch_size=B)) for _ in range(epochs))
"""
)


@drill(
    EFFECTIVE_BATCH,
    id="effective-batch",
    tier=1,
    asks="B_eff | k | G",
    prompt="Training runs in parallel on {G} devices. Each takes batches of {B} samples and accumulates the gradients "
    "of {k} batches; then the gradients of all devices are combined in one update. The effective batch "
    "size is {B_eff}.",
    hint="Count the samples that have a part in one update.",
)
def effective_batch(rng: Random) -> dict[str, Any]:
    """Effective batch size"""
    return dict(B=rng.choice([4, 6, 8, 12, 16, 24, 32, 48, 64]), k=rng.choice([2, 3, 4, 8]), G=rng.choice([2, 4, 6, 8]))


effective_batch.mistake(
    "no-accumulation", "B_eff = B*G", "Every device goes through several batches before an update: they multiply too."
)
effective_batch.mistake("no-devices", "B_eff = B*k", "All devices have a part in one update: multiply by their number.")
effective_batch.mistake(
    "added", "B_eff = B*(k + G)", "Each device accumulates all those batches: the two numbers multiply."
)
effective_batch.torch(
    """
weight = torch.zeros(1, requires_grad=True)
for device in range(G):
    for batch in range(k):
        (weight * torch.ones(B)).sum().backward()  # every sample adds 1 to the gradient
B_eff = int(weight.grad)
"""
)


@drill(
    LINEAR_SCALING,
    id="effective-batch:learning-rate",
    tier=2,
    asks="eta",
    prompt="A learning rate of {eta0} suits a batch size of {B0}. Training moves to {G} devices with {B} samples each, "
    "and each accumulates the gradients of {k} batches before an update (the update uses the mean over all "
    "samples). By the linear scaling rule the learning rate becomes {eta}.",
    hint="Find the effective batch size first; the learning rate grows in proportion.",
)
def effective_batch_learning_rate(rng: Random) -> dict[str, Any]:
    """Linear scaling of the learning rate"""
    return dict(
        eta0=rng.choice([0.1, 0.05, 0.2, 0.01]),
        B0=rng.choice([32, 64, 128, 256]),
        B=rng.choice([16, 32, 64, 128]),
        k=rng.choice([2, 3, 4, 5, 6, 8]),
        G=rng.choice([2, 4, 8]),
    )


effective_batch_learning_rate.mistake(
    "no-accumulation", "eta = eta0*B*G/B0", "Accumulated batches count too: they multiply the effective batch size."
)
effective_batch_learning_rate.mistake(
    "no-devices",
    "eta = eta0*B*k/B0",
    "All devices have a part in one update: they multiply the effective batch size.",
)
effective_batch_learning_rate.mistake(
    "square-root",
    "eta = eta0*sqrt(B*k*G/B0)",
    "That is the square-root rule: by the linear one the rate grows as the batch size does.",
)
effective_batch_learning_rate.mistake(
    "inverted", "eta = eta0*B0/(B*k*G)", "A larger batch has a larger learning rate: new size over old size."
)
effective_batch_learning_rate.torch(
    """
from scipy.interpolate import interp1d

samples = torch.ones(G, k, B).sum().item()
eta = float(interp1d([0, B0], [0, eta0], fill_value="extrapolate")(samples))
"""
)
