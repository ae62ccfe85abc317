"""Claims about optimization: gradient descent, momentum, Adam, and the batch size."""

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
from workbench.claims.measures import Final, StepsTo
from workbench.claims.noisy_objectives import moving_minimum, rare_words, share_in_flat_well
from workbench.claims.valleys import log_sign_changes, speedup_by_condition


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


def trajectories(schedule: list[float], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of v = 0.9 v + lr gradient, theta = theta - v, and those of PyTorch's SGD with momentum."""
    import torch

    rng = np.random.default_rng(seed)
    curvatures, start = rng.uniform(0.1, 1, 4), rng.normal(size=4)
    theta, velocity, own, other = start, np.zeros(4), [], []
    weights = torch.from_numpy(start.copy())
    optimizer = torch.optim.SGD([weights], lr=schedule[0], momentum=0.9)
    for lr in schedule:
        velocity = 0.9 * velocity + lr * curvatures * theta
        theta = theta - velocity
        own.append(theta)
        optimizer.param_groups[0]["lr"] = lr
        weights.grad = torch.from_numpy(curvatures) * weights
        optimizer.step()
        other.append(weights.numpy().copy())
    return np.array(own), np.array(other)


def momentum_at_constant_rate(seed: int) -> Iterator[Evidence]:
    own, other = trajectories([0.1] * 50, seed)
    yield near("50 steps at a constant learning rate", own, other, 1e-12)


def momentum_at_changing_rate(seed: int) -> Iterator[Evidence]:
    own, other = trajectories([0.1] * 10 + [0.01] * 40, seed)
    yield near("10 steps, before the learning rate changes", own[:10], other[:10], 1e-12)
    yield near("40 steps after it was divided by 10", own[10:], other[10:], 1e-6)


MOMENTUM_UPDATE_FORM = Exact(
    id="momentum-update-form",
    statement=(
        "At a constant learning rate, v = gamma v + lr g, theta = theta - v takes the same steps as PyTorch's "
        "v = gamma v + g, theta = theta - lr v."
    ),
    topic="momentum",
    evidence=momentum_at_constant_rate,
    expected="holds",
    source="PyTorch documentation, torch.optim.SGD",
    note="The first form is Polyak's. Its velocity is lr times PyTorch's.",
)

MOMENTUM_FORMS_UNDER_SCHEDULE = Exact(
    id="momentum-forms-under-schedule",
    statement="Both forms of momentum also take the same steps after the learning rate has changed.",
    topic="momentum",
    evidence=momentum_at_changing_rate,
    expected="does_not_hold",
    source="PyTorch documentation, torch.optim.SGD",
    note="In PyTorch's form, a new rate also applies to the gradients that are already in the velocity.",
)


MOMENTUM_QUADRATIC_SQRT_KAPPA = Scaling(
    id="momentum-quadratic-sqrt-kappa",
    statement=(
        "In a quadratic valley, momentum needs fewer steps than gradient descent, by a factor that grows with the "
        "square root of the condition number, if both have their best rates."
    ),
    topic="momentum",
    points=speedup_by_condition,
    decider=Slope(0.4, 0.6),
    expected="holds",
    source="Polyak, Some methods of speeding up the convergence of iteration methods 1964",
)


MOMENTUM_DAMPS_OSCILLATION = Empirical(
    id="momentum-damps-oscillation",
    statement=(
        "In a quadratic valley, momentum crosses the valley less often than gradient descent until it arrives, if both "
        "have their best rates."
    ),
    topic="momentum",
    arms=dict(
        descent=trial(log_sign_changes, has_momentum=False, is_tuned=True, kappa=100.0),
        momentum=trial(log_sign_changes, has_momentum=True, is_tuned=True, kappa=100.0),
    ),
    control=dict(kappa=2.0),
    measure="crossings",
    decider=Paired(min_effect=0.3, unit="orders of magnitude"),
    expected="holds",
    source="Goh, Why Momentum Really Works, Distill 2017",
    note=(
        "Both cross at nearly every step along the steep axis, as both have a negative factor there; momentum arrives "
        "in fewer steps."
    ),
)

MOMENTUM_DAMPS_AT_EQUAL_RATE = Empirical(
    id="momentum-damps-at-equal-rate",
    statement="In a quadratic valley, adding momentum of 0.9 reduces the oscillation at the learning rate 1/L.",
    topic="momentum",
    arms=dict(
        descent=trial(log_sign_changes, has_momentum=False, is_tuned=False, kappa=100.0),
        momentum=trial(log_sign_changes, has_momentum=True, is_tuned=False, kappa=100.0),
    ),
    measure="crossings",
    decider=Paired(min_effect=0.3, unit="orders of magnitude"),
    expected="does_not_hold",
    note=(
        "Derivation: along an axis of curvature c, gradient descent multiplies by 1 - lr c, which isn't negative up to "
        "lr = 1/c: it doesn't oscillate. With momentum beta, the roots of z^2 - (1 + beta - lr c) z + beta are complex "
        "if lr c is between (1 - sqrt(beta))^2 and (1 + sqrt(beta))^2, so momentum oscillates. It damps what a larger "
        "rate would cause."
    ),
)

RATES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0)
DEEP_MLP = dict(steps=150, init="he", evaluate_every=1000, options={"hidden_sizes": [64, 64]})
STEPS = StepsTo(0.15, most=150, is_log=True)
FEWEST_STEPS = StepsTo(0.15, most=150, is_log=True, scale=-1)

MOMENTUM_FASTER_THAN_SGD = Empirical(
    id="momentum-faster-than-sgd",
    statement="With full batches and tuned learning rates, momentum needs fewer steps to train a network.",
    topic="momentum",
    arms=dict(
        gd=run("mlp", "digits", optimizer="sgd", lr=0.3, batch_size="full", **DEEP_MLP),
        momentum=run("mlp", "digits", optimizer="momentum", momentum=0.9, lr=0.1, batch_size="full", **DEEP_MLP),
    ),
    tune=dict(lr=RATES),
    tuned_by=FEWEST_STEPS,
    measure=STEPS,
    decider=Paired(min_effect=0.2, unit="orders of magnitude"),
    expected="holds",
    source="Sutskever, Martens, Dahl, Hinton, On the importance of initialization and momentum in deep learning 2013",
)

MOMENTUM_FASTER_WITH_SMALL_BATCHES = Empirical(
    id="momentum-faster-with-small-batches",
    statement="With batches of 32 and tuned learning rates, momentum needs fewer steps to train a network.",
    topic="momentum",
    arms=dict(
        sgd=run("mlp", "digits", optimizer="sgd", lr=0.3, batch_size=32, **DEEP_MLP),
        momentum=run("mlp", "digits", optimizer="momentum", momentum=0.9, lr=0.03, batch_size=32, **DEEP_MLP),
    ),
    tune=dict(lr=RATES),
    tuned_by=FEWEST_STEPS,
    measure=STEPS,
    decider=Paired(min_effect=0.1, unit="orders of magnitude"),
    expected="inconclusive",
    source="Shallue et al., Measuring the Effects of Data Parallelism, arXiv:1811.03600",
    note="With noisy gradients, momentum of 0.9 is little more than a learning rate ten times as large.",
)

ADAM_FAST_CONVERGENCE = Empirical(
    id="adam-fast-convergence",
    statement="With the learning rate tuned for each, Adam trains a network in fewer steps than SGD.",
    topic="adam",
    arms=dict(
        sgd=run("mlp", "digits", optimizer="sgd", lr=0.3, batch_size=32, **DEEP_MLP),
        adam=run("mlp", "digits", optimizer="adam", lr=0.01, batch_size=32, **DEEP_MLP),
    ),
    tune=dict(lr=RATES),
    tuned_by=FEWEST_STEPS,
    measure=STEPS,
    decider=Paired(min_effect=0.1, unit="orders of magnitude"),
    expected="holds",
    source="Kingma, Ba, Adam, arXiv:1412.6980, section 6",
    note=(
        "Fewer steps don't mean a better result: tuned SGD may generalize as well or better (Wilson et al., "
        "arXiv:1705.08292)."
    ),
)

ADAM_FASTER_THAN_MOMENTUM = Empirical(
    id="adam-faster-than-momentum",
    statement="With the learning rate tuned for each, Adam trains a network in fewer steps than SGD with momentum.",
    topic="adam",
    arms=dict(
        momentum=run("mlp", "digits", optimizer="momentum", momentum=0.9, lr=0.03, batch_size=32, **DEEP_MLP),
        adam=run("mlp", "digits", optimizer="adam", lr=0.01, batch_size=32, **DEEP_MLP),
    ),
    tune=dict(lr=RATES),
    tuned_by=FEWEST_STEPS,
    measure=STEPS,
    decider=Paired(min_effect=0.1, unit="orders of magnitude"),
    expected="holds",
    source="Kingma, Ba, Adam, arXiv:1412.6980, section 6",
)


def adam_against_sums(seed: int) -> Iterator[Evidence]:
    import torch

    lr, beta1, beta2, eps = 0.01, 0.9, 0.999, 1e-8
    scale = np.array([0.1, 1.0, 1000.0])
    gradients = np.random.default_rng(seed).normal(size=(20, 3)) * scale
    weights = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([weights], lr=lr, betas=(beta1, beta2), eps=eps)
    theta = np.zeros(3)
    for t in range(1, 21):
        weights.grad = torch.from_numpy(gradients[t - 1])
        optimizer.step()
        age = np.arange(t)[::-1, None]
        first = (1 - beta1) * np.sum(beta1**age * gradients[:t], axis=0)
        second = (1 - beta2) * np.sum(beta2**age * gradients[:t] ** 2, axis=0)
        theta = theta - lr * (first / (1 - beta1**t)) / (np.sqrt(second / (1 - beta2**t)) + eps)
        if t == 1:
            yield near("first update: lr times the sign", weights.detach(), -lr * np.sign(gradients[0]), 1e-5)
    sums, squares = (optimizer.state[weights][name].numpy() for name in ("exp_avg", "exp_avg_sq"))
    yield near("decaying sum of the gradients", sums / scale, first / scale, 1e-12)
    yield near("decaying sum of their squares", squares / scale**2, second / scale**2, 1e-12)
    yield near("weights after 20 updates", weights.detach(), theta, 1e-12)


ADAM_MOMENTS_BIAS_CORRECTION = Exact(
    id="adam-moments-bias-correction",
    statement=(
        "Adam divides the decaying mean of the gradients by the square root of the decaying mean of their squares, "
        "both corrected for their start at 0, so its first update has size lr whatever the scale of the gradient."
    ),
    topic="adam",
    evidence=adam_against_sums,
    expected="holds",
    source="Kingma, Ba, Adam, arXiv:1412.6980, sections 2 and 3",
)

ADAM_GOOD_FOR_SPARSE_GRADS = Empirical(
    id="adam-good-for-sparse-grads",
    statement=(
        "If the class depends on rare words, Adam comes closer to the best loss than SGD in the same number of steps, "
        "with the learning rate tuned for each."
    ),
    topic="adam",
    arms=dict(
        sgd=trial(rare_words, name="sgd", lr=1.0, is_sparse=True),
        adam=trial(rare_words, name="adam", lr=0.03, is_sparse=True),
    ),
    control=dict(is_sparse=False),
    tune=dict(lr=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)),
    tuned_by="score",
    measure="excess",
    decider=Paired(min_effect=0.2, unit="orders of magnitude of the loss above the best"),
    expected="holds",
    source="Kingma, Ba, Adam, arXiv:1412.6980, section 6.1",
    note="The gradient of a rare word's weight is 0 in most steps. Adam divides by its small root mean square.",
)

ADAM_MOVING_MINIMUM = Empirical(
    id="adam-moving-minimum",
    statement="If the minimum moves at random, Adam follows it more closely than SGD, both with tuned learning rates.",
    topic="adam",
    arms=dict(
        sgd=trial(moving_minimum, name="sgd", lr=0.1, factor=1.0),
        adam=trial(moving_minimum, name="adam", lr=0.1, factor=1.0),
    ),
    tune=dict(lr=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0)),
    tuned_by="score",
    measure="distance",
    decider=Paired(min_effect=0.1, unit="orders of magnitude of the squared distance"),
    expected="does_not_hold",
    note=(
        "SGD with a constant learning rate forgets old gradients, too, so it follows as well. Adam is ahead if the "
        "scale of the gradient changes (adam-changing-scale)."
    ),
)

ADAM_CHANGING_SCALE = Empirical(
    id="adam-changing-scale",
    statement=(
        "If the minimum moves and the gradient's scale grows 100 times on the way, Adam follows the minimum more "
        "closely than SGD, with the learning rate tuned for each."
    ),
    topic="adam",
    arms=dict(
        sgd=trial(moving_minimum, name="sgd", lr=0.01, factor=100.0),
        adam=trial(moving_minimum, name="adam", lr=0.1, factor=100.0),
    ),
    tune=dict(lr=(0.003, 0.01, 0.03, 0.1, 0.3, 1.0)),
    tuned_by="score",
    measure="distance",
    decider=Paired(min_effect=0.3, unit="orders of magnitude of the squared distance"),
    expected="holds",
    source="Kingma, Ba, Adam, arXiv:1412.6980, section 2.1",
    note=(
        "Adam's updates don't depend on the gradient's scale; SGD needs a rate small enough for the larger scale. "
        "Without the change of scale, Adam isn't ahead (adam-moving-minimum)."
    ),
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
