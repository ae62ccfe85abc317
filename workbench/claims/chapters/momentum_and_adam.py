"""Claims about momentum and Adam."""

from collections.abc import Iterator

import numpy as np

from workbench.claims.arms import run, trial
from workbench.claims.claim import Empirical, Exact, Scaling
from workbench.claims.deciders import Paired, Slope
from workbench.claims.evidence import Evidence, near
from workbench.claims.measures import StepsTo
from workbench.claims.noisy_objectives import moving_minimum, rare_words
from workbench.claims.valleys import log_sign_changes, speedup_by_condition


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
