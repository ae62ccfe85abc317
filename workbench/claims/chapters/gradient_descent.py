"""Claims about gradient descent and batch sizes."""

from collections.abc import Iterator
from math import log10

import numpy as np

from workbench.claims.arms import run, trial
from workbench.claims.batches import (
    bytes_for_backward,
    few_digits_accuracy,
    log_times,
    loss_by_order,
    noise_by_batch_size,
    times_per_sample,
)
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.deciders import Paired, Slope
from workbench.claims.evidence import Evidence, near, true
from workbench.claims.measures import Final
from workbench.claims.noisy_objectives import share_in_flat_well


def one_sgd_step(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import mse_loss

    rng = np.random.default_rng(seed)
    x, y, theta, lr = rng.normal(size=(20, 4)), rng.normal(size=20), rng.normal(size=4), float(rng.uniform(0.01, 1))
    weights = torch.from_numpy(theta.copy()).requires_grad_()
    optimizer = torch.optim.SGD([weights], lr=lr)
    torch.autograd.backward(mse_loss(torch.from_numpy(x) @ weights, torch.from_numpy(y)))
    optimizer.step()
    gradient = 2 * x.T @ (x @ theta - y) / 20
    yield near(f"weights after a step of torch.optim.SGD, lr {lr:.3f}", weights.detach(), theta - lr * gradient, 1e-12)


SGD_UPDATE_RULE = Exact(
    id="sgd-update-rule",
    statement="Gradient descent subtracts the learning rate times the gradient from the weights.",
    topic="gradient-descent",
    evidence=one_sgd_step,
    expected="holds",
    source="PyTorch documentation, torch.optim.SGD",
)


def losses_by_rate(seed: int) -> Iterator[Evidence]:
    rng = np.random.default_rng(seed)
    x, y, start = rng.normal(size=(100, 5)) * [1, 2, 3, 4, 5], rng.normal(size=100), rng.normal(size=5)
    largest = float(np.linalg.eigvalsh(x.T @ x / 100)[-1])

    def losses(lr: float, batch_size: int) -> np.ndarray:
        theta, values = start, []
        for _ in range(300):
            rows = rng.permutation(100)[:batch_size]
            values.append(float(np.mean((x @ theta - y) ** 2) / 2))
            theta = theta - lr * x[rows].T @ (x[rows] @ theta - y[rows]) / batch_size
        return np.array(values)

    for share in (0.1, 1.0, 1.9):
        full = losses(share / largest, 100)
        rises = int(np.sum(np.diff(full) > 1e-9))
        yield true(f"full batch, lr {share} / L: the loss never rises", rises == 0, f"{rises} of 299 steps")
    diverging = losses(2.1 / largest, 100)
    yield true("full batch, lr 2.1 / L: the loss grows", diverging[-1] > 10 * diverging[0], f"to {diverging[-1]:.3g}")
    rises = int(np.sum(np.diff(losses(0.1 / largest, 1)) > 1e-9))
    yield true("one sample per update, lr 0.1 / L: the loss often rises", rises > 60, f"{rises} of 299 steps")


FULL_BATCH_STABLE = Exact(
    id="full-batch-stable",
    statement=(
        "On a quadratic cost, full-batch gradient descent never raises the cost if the learning rate is below 2/L, and "
        "diverges above it; with one sample per update, the cost often rises."
    ),
    topic="batch-size",
    evidence=losses_by_rate,
    expected="holds",
    source="Nesterov, Introductory Lectures on Convex Optimization 2004, section 1.2.3",
    note=(
        "L is the largest eigenvalue of the Hessian. Derivation: a step multiplies the error along an eigenvector of "
        "eigenvalue c by 1 - lr c, whose absolute value is at most 1 if lr is at most 2/c. Large networks often train "
        "at the edge of this bound (Cohen et al., arXiv:2103.00065)."
    ),
)


THREE_LAYERS = dict(init="he", evaluate_every=1000, options={"hidden_sizes": [64, 64]})


LEARNING_RATE_TOO_SMALL = Empirical(
    id="learning-rate-too-small",
    statement="With a learning rate 30 times too small, SGD has a much higher loss after 150 steps.",
    topic="gradient-descent",
    arms=dict(
        small=run("mlp", "digits", optimizer="sgd", lr=0.01, batch_size=32, steps=150, **THREE_LAYERS),
        good=run("mlp", "digits", optimizer="sgd", lr=0.3, batch_size=32, steps=150, **THREE_LAYERS),
    ),
    control=dict(steps=600),
    measure=Final("train_eval", "loss"),
    decider=Paired(min_effect=0.2, unit="of the training loss"),
    expected="holds",
    note="With four times the steps, most of the difference is gone: a small rate is slow, not wrong.",
)


LEARNING_RATE_TOO_LARGE = Empirical(
    id="learning-rate-too-large",
    statement="With a learning rate ten times too large, SGD doesn't converge.",
    topic="gradient-descent",
    arms=dict(
        large=run("mlp", "digits", optimizer="sgd", lr=3.0, batch_size=32, steps=150, **THREE_LAYERS),
        good=run("mlp", "digits", optimizer="sgd", lr=0.3, batch_size=32, steps=150, **THREE_LAYERS),
    ),
    control=dict(batch_norm=True),
    measure=Final("train_eval", "loss"),
    decider=Paired(min_effect=0.2, unit="of the training loss"),
    expected="holds",
    if_diverged=5.0,
    source="LeCun, Bottou, Orr, Müller, Efficient BackProp 1998, section 5.1",
    note="The cause is the curvature: with batch normalization, the same rate works.",
)


BATCH_SIZE_SPEED_MEMORY = Scaling(
    id="batch-size-speed-memory",
    statement="The memory for the backward pass grows in proportion to the batch size.",
    topic="batch-size",
    points=bytes_for_backward,
    decider=Slope(0.9, 1.1),
    expected="holds",
    note="Derivation: each sample has its own activations, and the backward pass needs them all.",
)


BATCH_SIZE_SPEED = Scaling(
    id="batch-size-speed",
    statement="The time per sample falls as the batch size grows.",
    topic="batch-size",
    points=times_per_sample,
    decider=Slope(-1.0, -0.2),
    is_timed=True,
    expected="holds",
    note="An update has fixed costs, and one large matrix product is faster than many small ones.",
)


SGD_FAST = Empirical(
    id="sgd-fast",
    statement="An epoch with batch size 1 is faster than one with batch size 32.",
    topic="batch-size",
    arms={
        "batch size 32": trial(log_times, batch_size=32),
        "batch size 1": trial(log_times, batch_size=1),
    },
    measure="epoch",
    decider=Paired(min_effect=0.1, unit="orders of magnitude"),
    is_timed=True,
    expected="does_not_hold",
    note=(
        "It is several times slower, because each of its updates has fixed costs and can't use fast matrix products. A "
        "single update is cheap (sgd-update-cheap)."
    ),
)


SGD_UPDATE_CHEAP = Empirical(
    id="sgd-update-cheap",
    statement="An update with batch size 1 takes less than half the time of one with all 1,024 samples.",
    topic="batch-size",
    arms={
        "full batch": trial(log_times, batch_size=1024),
        "batch size 1": trial(log_times, batch_size=1),
    },
    measure="update",
    decider=Paired(min_effect=log10(2), unit="orders of magnitude"),
    is_timed=True,
    expected="holds",
    note="Derivation: forward and backward pass compute each sample once; the fixed costs are the same.",
)


GRADIENT_NOISE_INVERSE_BATCH = Scaling(
    id="gradient-noise-inverse-batch",
    statement=(
        "The mean squared distance of a batch's gradient from the full gradient is inversely proportional to the batch "
        "size, so the noise falls with its square root."
    ),
    topic="batch-size",
    points=noise_by_batch_size,
    decider=Slope(-1.1, -0.9),
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 8.1.3",
    note="It is the variance of a mean of independent samples. Drawn without replacement, it falls faster, to 0.",
)


SMALL_BATCH_GENERALIZES = Empirical(
    id="small-batch-generalises",
    statement=(
        "Small batches generalize better than full ones after the same 300 updates on 200 digits, with the learning "
        "rate tuned for each."
    ),
    topic="batch-size",
    arms={
        "batch size 8": trial(few_digits_accuracy, batch_size=8, steps=300, lr=0.1),
        "full batch": trial(few_digits_accuracy, batch_size=200, steps=300, lr=0.3),
    },
    tune=dict(lr=(0.01, 0.03, 0.1, 0.3, 1.0)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=Paired(min_effect=1.0, unit="points of accuracy"),
    expected="does_not_hold",
    source="Hoffer, Hubara, Soudry, Train longer, generalize better, arXiv:1705.08741",
    note="Small batches are ahead after the same number of epochs, in which they make more updates.",
)


SMALL_BATCH_GENERALIZES_PER_EPOCH = Empirical(
    id="small-batch-generalises-per-epoch",
    statement=(
        "Small batches generalize better than full ones after the same 12 epochs on 200 digits, with the learning rate "
        "tuned for each."
    ),
    topic="batch-size",
    arms={
        "batch size 8": trial(few_digits_accuracy, batch_size=8, steps=300, lr=0.1),
        "full batch": trial(few_digits_accuracy, batch_size=200, steps=12, lr=0.3),
    },
    control=dict(steps=300),
    tune=dict(lr=(0.01, 0.03, 0.1, 0.3, 1.0)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=Paired(min_effect=3.0, unit="points of accuracy"),
    expected="holds",
    source="Shallue et al., Measuring the Effects of Data Parallelism, arXiv:1811.03600",
    note="The cause is the number of updates: 300 against 12. At 300 updates each, the difference is gone.",
)


SGD_ESCAPES_LOCAL_MINIMA = Empirical(
    id="sgd-escapes-local-minima",
    statement="From a sharp well, SGD with batch size 1 moves to a lower, flat one more often than with full batches.",
    topic="batch-size",
    arms={
        "batch size 1": trial(share_in_flat_well, batch_size=1, noise=6.0),
        "full batch": trial(share_in_flat_well, batch_size=64, noise=6.0),
    },
    control=dict(noise=0.0),
    measure="share",
    decider=Paired(min_effect=25.0, unit="points of the share of 64 starts"),
    expected="holds",
    source="Keskar et al., On Large-Batch Training for Deep Learning, arXiv:1609.04836, section 2",
    note=(
        "The cost is a toy with one variable. In many dimensions, saddle points are more common than poor local minima "
        "(Dauphin et al., arXiv:1406.2572)."
    ),
)


RESHUFFLE_EACH_EPOCH = Empirical(
    id="reshuffle-each-epoch",
    statement="Reshuffling the samples in each epoch reaches a lower loss than one random order in all epochs.",
    topic="batch-size",
    arms=dict(
        fixed=trial(loss_by_order, order="fixed", batch_size=32),
        reshuffled=trial(loss_by_order, order="reshuffled", batch_size=32),
    ),
    measure="loss",
    decider=Paired(min_effect=0.05, unit="of the training loss"),
    expected="does_not_hold",
    note="One random order is nearly as good here. An order sorted by class is clearly worse (sorted-order-hurts).",
)


SORTED_ORDER_HURTS = Empirical(
    id="sorted-order-hurts",
    statement="Mini-batches in an order sorted by class reach a higher loss than reshuffled ones.",
    topic="batch-size",
    arms=dict(
        sorted=trial(loss_by_order, order="sorted", batch_size=32),
        reshuffled=trial(loss_by_order, order="reshuffled", batch_size=32),
    ),
    control=dict(batch_size=576),
    measure="loss",
    decider=Paired(min_effect=0.2, unit="of the training loss"),
    expected="holds",
    source="LeCun, Bottou, Orr, Müller, Efficient BackProp 1998, section 4.2",
    note="Each batch then has one class or two, so its gradient is biased. With full batches the order has no effect.",
)
