"""Claims about classification: cross-entropy, softmax, and what a single neuron can't separate."""

from collections.abc import Iterator
from math import log

import numpy as np

from workbench.claims.arms import trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.dense_networks import plane_accuracy
from workbench.claims.evidence import Evidence, equal, near, true, within


def binary_cross_entropies(seed: int) -> Iterator[Evidence]:
    import torch
    from sklearn.metrics import log_loss
    from torch.nn.functional import binary_cross_entropy, binary_cross_entropy_with_logits

    rng = np.random.default_rng(seed)
    logits, y = rng.normal(0, 3, 30), rng.integers(0, 2, 30)
    y[:2] = 0, 1
    z, target = torch.from_numpy(logits), torch.from_numpy(y.astype(float))
    p = z.sigmoid()
    terms = [-log(q) if label else -log(1 - q) for q, label in zip(p.tolist(), y, strict=True)]
    loss = sum(terms) / 30
    yield near("PyTorch, from probabilities", binary_cross_entropy(p, target), loss, 1e-10)
    yield near("PyTorch, from logits", binary_cross_entropy_with_logits(z, target), loss, 1e-10)
    yield near("scikit-learn's log loss", log_loss(y, p.numpy()), loss, 1e-10)
    leaf = z.clone().requires_grad_()
    torch.autograd.backward(binary_cross_entropy_with_logits(leaf, target))
    yield near("its gradient with respect to the logits is (p - y)/N", leaf.grad, (p - target) / 30, 1e-12)


BCE_FORMULA = Exact(
    id="bce-formula",
    statement=(
        "Binary cross-entropy is the mean of -log p for samples of class 1 and -log(1 - p) for those of class 0, where "
        "p is the sigmoid of the logit."
    ),
    topic="binary-classification",
    evidence=binary_cross_entropies,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 6.2.2.2",
)


def large_logits(seed: int) -> "tuple[np.ndarray, np.ndarray]":
    """Return logits of 150 to 250 whose classes are 0, and the exact loss of each: the logit itself."""
    logits = np.random.default_rng(seed).uniform(150, 250, 20).astype(np.float32)
    return logits, logits.astype(float)  # log(1 + exp(z)) = z + log(1 + exp(-z)), which is z to 60 digits


def losses_of_large_logits(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    logits, exact = large_logits(seed)
    z = torch.from_numpy(logits)
    p = z.sigmoid()
    yield true("-log(1 - p) is infinite", bool(torch.isinf(-torch.log(1 - p)).all()), f"p is {float(p[0])}")
    clipped = -torch.log(1 - p.clamp(1e-7, 1 - 1e-7))
    yield true(
        "with p clipped to 1 - 1e-7 it is finite", bool(torch.isfinite(clipped).all()), f"{float(clipped[0]):.2f}"
    )
    from_logits = binary_cross_entropy_with_logits(z, torch.zeros(20), reduction="none")
    yield near("computed from the logits it is exact", from_logits, exact, 1e-4)


BCE_NEEDS_CLIPPING = Exact(
    id="bce-needs-clipping",
    statement=(
        "In float32, the binary cross-entropy of a probability that rounds to 1 or 0 can be infinite; clipping the "
        "probability makes it finite, and computing it from the logit makes it exact."
    ),
    topic="binary-classification",
    evidence=losses_of_large_logits,
    expected="holds",
    source="PyTorch documentation, torch.nn.BCEWithLogitsLoss",
    note="The loss from logits is better than clipping, which limits the loss and its gradient (clipped-bce-learns).",
)


def gradients_of_large_logits(seed: int) -> Iterator[Evidence]:
    import torch
    from torch.nn.functional import binary_cross_entropy_with_logits

    logits, _ = large_logits(seed)
    z = torch.from_numpy(logits).requires_grad_()
    (from_logits,) = torch.autograd.grad(binary_cross_entropy_with_logits(z, torch.zeros(20), reduction="sum"), z)
    yield near("from logits: the gradient is p - y = 1", from_logits, np.ones(20), 1e-6)
    (clipped,) = torch.autograd.grad(-torch.log(1 - z.sigmoid().clamp(1e-7, 1 - 1e-7)).sum(), z)
    yield near("from clipped probabilities: the gradient is p - y = 1", clipped, np.ones(20), 1e-6)


CLIPPED_BCE_LEARNS = Exact(
    id="clipped-bce-learns",
    statement="With clipped probabilities, the gradient of the binary cross-entropy by the logit is still p - y.",
    topic="binary-classification",
    evidence=gradients_of_large_logits,
    expected="does_not_hold",
    note=(
        "Derivation: where the clipping is active, the loss is constant and its gradient 0, though these samples are "
        "the most wrong. The loss from logits has the gradient p - y everywhere."
    ),
)


def softmax_in_float64(seed: int) -> Iterator[Evidence]:
    import torch
    from scipy.special import softmax

    z = torch.from_numpy(np.random.default_rng(seed).normal(0, 10, (50, 7)))
    p = z.softmax(dim=1)
    yield near("SciPy's softmax", p, softmax(z.numpy(), axis=1), 1e-12)
    yield near("sums of the probabilities", p.sum(dim=1), np.ones(50), 1e-12)
    yield within("probabilities", p.flatten(), 0.0, 1.0)
    yield equal("order of the probabilities and of the logits", p.argsort(dim=1).tolist(), z.argsort(dim=1).tolist())
    yield near("softmax after adding 123 to every logit", (z + 123).softmax(dim=1), p, 1e-12)


SOFTMAX_DISTRIBUTION = Exact(
    id="softmax-distribution",
    statement=(
        "Softmax outputs are from 0 to 1 and sum to 1, keep the order of the logits, and don't change if a constant is "
        "added to all logits."
    ),
    topic="multiclass-classification",
    evidence=softmax_in_float64,
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 6.2.2.3",
)


def softmax_in_float32(seed: int) -> Iterator[Evidence]:
    import torch

    z = torch.empty(50).uniform_(-1, 1, generator=torch.Generator().manual_seed(seed))
    p = (torch.stack([z + 120, z, z - 5], dim=1)).softmax(dim=1)
    detail = f"{float(p[0, 1])} and {float(p[0, 0])} for logits that differ by 120"
    yield true("every softmax output in float32 is above 0 and below 1", bool(((p > 0) & (p < 1)).all()), detail)


SOFTMAX_OPEN_IN_FLOAT32 = Exact(
    id="softmax-open-in-float32",
    statement="In float32, softmax never outputs 0 or 1.",
    topic="multiclass-classification",
    evidence=softmax_in_float32,
    is_structural=True,
    expected="does_not_hold",
    note="exp(-104) is below the smallest number above 0 in float32. Only in exact arithmetic is the range open.",
)


def cross_entropies(seed: int) -> Iterator[Evidence]:
    import torch
    from sklearn.metrics import log_loss
    from torch.nn.functional import cross_entropy, nll_loss, one_hot

    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(40, 5, generator=generator, dtype=torch.float64)
    y = torch.randint(0, 5, (40,), generator=generator)
    target = one_hot(y, 5).double()
    loss = -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()
    yield near("PyTorch, class indices", cross_entropy(logits, y), loss, 1e-12)
    yield near("PyTorch, one-hot vectors", cross_entropy(logits, target), loss, 1e-12)
    yield near("negative log-likelihood", nll_loss(logits.log_softmax(dim=1), y), loss, 1e-12)
    other = log_loss(y.numpy(), logits.softmax(dim=1).numpy(), labels=range(5))
    yield near("scikit-learn's log loss", other, loss, 1e-10)


CCE_EQUALS_NLL = Exact(
    id="cce-equals-nll",
    statement=(
        "With one-hot targets, categorical cross-entropy is the negative log-probability of the target class, the mean "
        "over the samples."
    ),
    topic="multiclass-classification",
    evidence=cross_entropies,
    expected="holds",
    source="PyTorch documentation, torch.nn.CrossEntropyLoss",
)


MLP_BEATS_LOGISTIC_NONLINEAR = Empirical(
    id="mlp-beats-logistic-nonlinear",
    statement="A network with two hidden layers separates two circles; logistic regression, a single neuron, doesn't.",
    topic="binary-classification",
    arms=dict(
        mlp=trial(plane_accuracy, hidden=2, activation="relu", shape="circles", lr=0.01),
        logistic=trial(plane_accuracy, hidden=0, activation=None, shape="circles", lr=0.01),
    ),
    control=dict(shape="blobs"),
    tune=dict(lr=(3e-3, 1e-2, 3e-2)),
    tuned_by="validation accuracy",
    measure="accuracy",
    decider=Paired(min_effect=5.0, unit="points of accuracy"),
    expected="holds",
    source="Goodfellow, Bengio, Courville, Deep Learning 2016, section 6.1",
    note="Two blobs, which a straight line separates, are the control.",
)
