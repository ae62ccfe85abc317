"""Claims about batch normalization."""

from collections.abc import Iterator

from workbench.claims.arms import run
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, near
from workbench.claims.measures import Final


def batch_norm_by_numpy(seed: int) -> Iterator[Evidence]:
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    momentum, eps, channels = 0.1, 1e-5, 3
    layer = torch.nn.BatchNorm2d(channels, eps, momentum).double()
    gamma, beta = rng.normal(1.0, 0.3, channels), rng.normal(size=channels)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(gamma))
        layer.bias.copy_(torch.from_numpy(beta))
    mean, variance = np.zeros(channels), np.ones(channels)
    column = (slice(None), None, None)
    for batch in range(3):
        x = rng.normal(2.0, 3.0, (4, channels, 5, 6))
        flat = x.transpose(1, 0, 2, 3).reshape(channels, -1)
        normalized = (x - flat.mean(axis=1)[column]) / np.sqrt(flat.var(axis=1) + eps)[column]
        output = layer(torch.from_numpy(x)).detach()
        yield near(f"output of batch {batch} in training", output, gamma[column] * normalized + beta[column], 1e-9)
        mean = (1 - momentum) * mean + momentum * flat.mean(axis=1)
        variance = (1 - momentum) * variance + momentum * flat.var(axis=1, ddof=1)
    yield near("running mean", layer.running_mean, mean, 1e-9)
    yield near("running variance, from variances divided by N - 1", layer.running_var, variance, 1e-9)
    x = rng.normal(size=(2, channels, 5, 6))
    normalized = (x - mean[column]) / np.sqrt(variance + eps)[column]
    output = layer.eval()(torch.from_numpy(x)).detach()
    yield near("output in evaluation", output, gamma[column] * normalized + beta[column], 1e-9)


BATCH_NORM_NORMALIZES = Exact(
    id="bn-normalises",
    statement="In training, batch norm standardizes each channel by its mean and variance over the batch and all "
    "positions, then scales and shifts it; in evaluation it takes the running averages of both.",
    topic="batch-normalization",
    evidence=batch_norm_by_numpy,
    expected="holds",
    source="Ioffe, Szegedy 2015, arXiv:1502.03167, algorithms 1 and 2",
    note="The variance that standardizes is divided by N, the one that is averaged by N - 1.",
)

PLAIN = run(
    "mlp",
    "digits",
    optimizer="sgd",
    lr=0.1,
    batch_size=32,
    steps=120,
    evaluate_every=120,
    init="he",
    options={"hidden_sizes": [64] * 5},
)
NORMALIZED = PLAIN.changed(dict(batch_norm=True))

BATCH_NORM_CONVERGES_FASTER = Empirical(
    id="bn-convergence",
    statement="With batch norm, a network with five hidden layers has a smaller training loss after 120 updates, each "
    "at its best learning rate.",
    topic="batch-normalization",
    arms=dict(plain=PLAIN, normalized=NORMALIZED),
    control=dict(steps=600),
    tune=dict(lr=(0.03, 0.1, 0.3, 1.0)),
    tuned_by=Final("validation", "loss", scale=-1),
    measure=Final("train_eval", "loss"),
    if_diverged=2.302585,
    decider=Paired(min_effect=0.02, unit="nats of training loss"),
    expected="holds",
    source="Ioffe, Szegedy 2015, arXiv:1502.03167",
    note="Both begin with He initialization; with PyTorch's default weights the plain network hardly trains, which "
    "overstates the effect. In the control, five times the updates let the plain network catch up. A run that "
    "diverges counts as a guess, ln 10.",
)

BATCH_NORM_TOLERATES_LARGE_RATES = Empirical(
    id="bn-tolerates-large-lr",
    statement="At a learning rate of 1, a network with five hidden layers trains with batch norm and does not without.",
    topic="batch-normalization",
    arms=dict(plain=PLAIN.changed(dict(lr=1.0)), normalized=NORMALIZED.changed(dict(lr=1.0))),
    control=dict(lr=0.1),
    measure=Final("train_eval", "loss"),
    if_diverged=2.302585,
    decider=Paired(min_effect=0.5, unit="nats of training loss"),
    expected="holds",
    source="Ioffe, Szegedy 2015, arXiv:1502.03167, section 3.3",
    note="A run that diverges counts as a guess, ln 10.",
)
