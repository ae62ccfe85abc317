"""Claims about L1, L2, weight decay and dropout."""

from collections.abc import Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any

from workbench.claims.arms import run, trial
from workbench.claims.claim import Empirical, Exact
from workbench.claims.deciders import Paired
from workbench.claims.evidence import Evidence, near, true, within
from workbench.claims.measures import After, Final

if TYPE_CHECKING:
    from torch import Tensor

    from workbench.engine.training.state import SeedState

ACCURACY = Final("test", "accuracy", scale=100)
POINTS = "points of accuracy"


def shrink(weight: "Tensor", penalty: str, amount: float) -> "Tensor":
    """Return the proximal step: the u that minimizes (u - w)^2 / 2 + amount |u|, or u^2 instead of |u| for `l2`."""
    if penalty == "l1":
        return weight.sign() * (weight.abs() - amount).clamp(min=0)
    return weight / (1 + 2 * amount)


def zeros_after_penalty(seed: int, *, penalty: str, strengths: Sequence[float]) -> dict[str, float]:
    """Return the share (%) of weights that are exactly 0 after training with a penalty, and the validation accuracy.

    Of the strengths, the largest counts whose validation accuracy is within a point of the best. An MLP 64-64-10 takes
    400 updates by momentum on 200 samples, each followed by the penalty's proximal step: adding the penalty to the loss
    instead would make weights small, not 0.
    """
    import torch
    import torch.nn.functional as F

    import models
    from workbench import data
    from workbench.engine.spec.sections import INITS
    from workbench.engine.training.initialization import initialize_weights

    lr, momentum = 0.05, 0.9
    images, classes = (torch.from_numpy(column) for column in data.load("digits", seed)["train"])
    x = images.flatten(1)
    x = (x - x[:200].mean()) / x[:200].std()
    zeros, accuracy = [], []
    for strength in strengths:
        torch.manual_seed(seed)
        network = models.build("mlp", "mini", hidden_sizes=(64,))
        initialize_weights(network, INITS["he"]())
        matrices = [weight for weight in network.parameters() if weight.dim() == 2]
        optimizer = torch.optim.SGD(network.parameters(), lr, momentum)
        generator = torch.Generator().manual_seed(seed)
        for _ in range(400):
            rows = torch.randint(200, (32,), generator=generator)
            optimizer.zero_grad()
            F.cross_entropy(network(x[rows]), classes[rows]).backward()
            optimizer.step()
            with torch.no_grad():
                for weight in matrices:  # momentum makes a steady gradient's step lr / (1 - momentum) times as long
                    weight.copy_(shrink(weight, penalty, lr / (1 - momentum) * strength))
        with torch.no_grad():
            hits = network(x[200:]).argmax(dim=1) == classes[200:]
        accuracy.append(100 * float(hits.float().mean()))
        weights = torch.cat([weight.flatten() for weight in matrices])
        zeros.append(100 * float((weights == 0).float().mean()))
    good = max(k for k in range(len(strengths)) if accuracy[k] >= max(accuracy) - 1)
    return {"zero weights": zeros[good], "validation accuracy": accuracy[good]}


L1_SPARSIFIES = Empirical(
    id="l1-sparsifies",
    statement="An L1 penalty makes most weights exactly 0 at the cost of at most a point of validation accuracy; an "
    "L2 penalty makes none 0.",
    topic="regularization",
    arms=dict(
        l1=trial(zeros_after_penalty, penalty="l1", strengths=(3e-4, 1e-3, 3e-3)),
        l2=trial(zeros_after_penalty, penalty="l2", strengths=(1e-3, 3e-3, 1e-2)),
    ),
    control=dict(strengths=(1e-5,)),
    measure="zero weights",
    decider=Paired(min_effect=20.0, unit="% of the weights"),
    expected="holds",
    source="Tibshirani 1996, Regression Shrinkage and Selection via the Lasso",
    note="Derivation: the proximal step of L1 sets |w| <= lr lambda to 0; that of L2 divides w, which never becomes "
    "0. The control is a penalty too weak to matter.",
)


def lasso_zeros(seed: int, *, model: str, relevant: int) -> float:
    """Return the share (%) of 40 coefficients that are exactly 0 in a fit whose penalty is chosen by cross-validation.

    Args:
        seed: The seed of 60 samples.
        model: `lasso` or `ridge`.
        relevant: The number of features that the target depends on.
    """
    import numpy as np
    from sklearn.linear_model import LassoCV, RidgeCV

    rng = np.random.default_rng(seed)
    x = rng.normal(size=(60, 40))
    y = x[:, :relevant].sum(axis=1) + rng.normal(size=60)
    alphas = np.logspace(-3, 1, 20)
    fit = LassoCV(alphas=alphas, cv=5) if model == "lasso" else RidgeCV(alphas=100 * alphas)
    return 100 * float(np.mean(fit.fit(x, y).coef_ == 0))


LASSO_SELECTS_FEATURES = Empirical(
    id="lasso-zeros-ridge-shrinks",
    statement="If the target depends on 5 of 40 features, LASSO sets coefficients exactly to 0 and Ridge sets none.",
    topic="regularization",
    arms={model: trial(lasso_zeros, model=model, relevant=5) for model in ("lasso", "ridge")},
    control=dict(relevant=40),
    measure="coefficients that are 0",
    decider=Paired(min_effect=20.0, unit="% of the coefficients"),
    expected="holds",
    source="Tibshirani 1996, Regression Shrinkage and Selection via the Lasso",
    note="Both penalties are chosen by cross-validation. In the control, all 40 features matter.",
)

FEW_DIGITS = run(
    "mlp",
    "digits",
    optimizer="adam",
    lr=3e-3,
    batch_size=32,
    steps=400,
    evaluate_every=400,
    train_samples=100,
    l2=0.0,
    init="he",
    options={"hidden_sizes": [64, 64]},
)


def weight_norm(state: "SeedState") -> float:
    """Return the norm of all weights, biases left out."""
    squares = [float(weight.detach().square().sum()) for weight in state.network.parameters() if weight.dim() > 1]
    return float(sum(squares) ** 0.5)


L2_SHRINKS_WEIGHTS = Empirical(
    id="l2-shrinks-weights",
    statement="An L2 penalty leaves smaller weights than training without one.",
    topic="regularization",
    arms=dict(plain=FEW_DIGITS, l2=FEW_DIGITS.changed(dict(l2=1e-3))),
    measure=After(weight_norm, "norm of the weights"),
    decider=Paired(min_effect=2.0, unit="of norm"),
    expected="holds",
    source="Krogh, Hertz 1991, A Simple Weight Decay Can Improve Generalization",
    note="The initial weights have a norm of about 13: the square root of 64 + 64 + 10 rows with a norm of sqrt(2) "
    "each.",
)

L2_HELPS_SMALL_SAMPLES = Empirical(
    id="l2-regularises",
    statement="On 100 training samples, an L2 penalty lowers the test loss.",
    topic="regularization",
    arms=dict(plain=FEW_DIGITS, l2=FEW_DIGITS.changed(dict(l2=1e-3))),
    control=dict(train_samples=1200),
    measure=Final("test", "loss"),
    decider=Paired(min_effect=0.02, unit="nats of test loss"),
    expected="holds",
    source="Krogh, Hertz 1991, A Simple Weight Decay Can Improve Generalization",
    note="The accuracy hardly changes: the penalty makes wrong predictions less confident.",
)


def weight_decay_and_l2(seed: int) -> Iterator[Evidence]:
    import torch

    decay, lr, steps = 0.1, 0.05, 5
    generator = torch.Generator().manual_seed(seed)
    start, target = (torch.randn(6, dtype=torch.float64, generator=generator) for _ in range(2))

    def trained(optimizer_class: Any, penalty: float, decoupled: float, **options: float) -> "Tensor":
        w = start.clone().requires_grad_()
        optimizer = optimizer_class([w], lr=lr, **options)
        for _ in range(steps):
            optimizer.zero_grad()
            ((w - target) ** 4).sum().add(penalty / 2 * w.square().sum()).backward()
            with torch.no_grad():
                w.mul_(1 - lr * decoupled)
            optimizer.step()
        return w.detach()

    sgd, adam, adamw = torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW
    yield near("SGD: decay of the weights against a penalty", trained(sgd, 0.0, decay), trained(sgd, decay, 0.0), 1e-12)
    apart = (trained(sgd, 0.0, decay, momentum=0.9) - trained(sgd, decay, 0.0, momentum=0.9)).abs().max()
    yield true("with momentum 0.9 they differ", bool(apart > 1e-3), f"largest difference {apart:.3g}")
    apart = (trained(adamw, 0.0, 0.0, weight_decay=decay) - trained(adam, decay, 0.0)).abs().max()
    yield true("AdamW and Adam with a penalty differ", bool(apart > 1e-3), f"largest difference {apart:.3g}")
    yield near(
        "AdamW is Adam with decay", trained(adamw, 0.0, 0.0, weight_decay=decay), trained(adam, 0.0, decay), 1e-12
    )


WEIGHT_DECAY_AND_L2 = Exact(
    id="l2-vs-weight-decay",
    statement="Weight decay and an L2 penalty are the same for plain SGD, and differ with momentum and for Adam.",
    topic="regularization",
    evidence=weight_decay_and_l2,
    expected="holds",
    source="Loshchilov, Hutter 2019, arXiv:1711.05101, propositions 1 and 2",
    note="The penalty lambda/2 w^2 has the gradient lambda w, which SGD multiplies by the learning rate, as weight "
    "decay does. Momentum accumulates it, and Adam divides it by the size of past gradients.",
)

WRONG_LABELS = run(
    "mlp",
    "digits",
    optimizer="adam",
    lr=1e-3,
    batch_size=32,
    steps=400,
    evaluate_every=400,
    train_samples=200,
    label_noise=0.4,
    dropout=0.0,
    init="he",
    options={"hidden_sizes": [128, 128]},
)

DROPOUT_WRONG_LABELS = Empirical(
    id="dropout-wrong-labels",
    statement="With 40% wrong labels, dropout improves test accuracy: it keeps a network from memorizing them.",
    topic="regularization",
    arms=dict(dropout=WRONG_LABELS.changed(dict(dropout=0.5)), plain=WRONG_LABELS),
    control=dict(label_noise=0.0),
    measure=ACCURACY,
    decider=Paired(min_effect=2.0, unit=POINTS),
    expected="holds",
    source="Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    note="Against training to the end at the same learning rate. Stopping early, or a smaller learning rate, gains "
    "about as much.",
)

DROPOUT_GENERALIZES = Empirical(
    id="dropout-generalises",
    statement="On 200 training samples with correct labels, dropout improves test accuracy.",
    topic="regularization",
    arms=dict(
        dropout=WRONG_LABELS.changed(dict(label_noise=0.0, dropout=0.5)),
        plain=WRONG_LABELS.changed(dict(label_noise=0.0)),
    ),
    measure=ACCURACY,
    decider=Paired(min_effect=2.0, unit=POINTS),
    expected="does_not_hold",
    source="Srivastava et al. 2014, Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
    note="Dropout helps where the network would overfit. On clean digits it gains nothing; with wrong labels it does: "
    "see dropout-wrong-labels.",
)


def dropout_by_all_masks(seed: int) -> Iterator[Evidence]:
    import numpy as np
    import torch
    import torch.nn.functional as F

    rng = np.random.default_rng(seed)
    p = float(rng.uniform(0.2, 0.8))
    x = torch.from_numpy(rng.normal(size=8))
    masks = np.array(list(product((0, 1), repeat=8)))
    probabilities = p ** (8 - masks.sum(axis=1)) * (1 - p) ** masks.sum(axis=1)
    yield near("mean of x m / (1 - p) over all masks m", probabilities @ (masks * x.numpy() / (1 - p)), x, 1e-12)
    torch.manual_seed(seed)
    count = 20_000
    output = F.dropout(torch.ones(count, dtype=torch.float64), p, training=True)
    yield within("units that are not dropped", output[output != 0], 1 / (1 - p) - 1e-9, 1 / (1 - p) + 1e-9)
    margin = 5 * (p * (1 - p) / count) ** 0.5
    yield within("share of dropped units minus p", [float((output == 0).double().mean()) - p], -margin, margin)
    yield near("output in evaluation", F.dropout(x, p, training=False), x, 0.0)


DROPOUT_MASKS = Exact(
    id="dropout-is-random-masking",
    statement="In training, dropout sets each unit to 0 with probability p and divides the others by 1 - p, so that "
    "the mean does not change; in evaluation it changes nothing.",
    topic="regularization",
    evidence=dropout_by_all_masks,
    expected="holds",
    source="Srivastava et al. 2014, section 10",
    note="The division is often left out of a summary. The original dropout multiplied the weights by 1 - p in "
    "evaluation instead.",
)


def geometric_mean_of_subnetworks(seed: int) -> Iterator[Evidence]:
    import numpy as np
    from scipy.special import log_softmax, softmax

    rng = np.random.default_rng(seed)
    p = float(rng.uniform(0.2, 0.8))
    x, weights, bias = rng.normal(size=8), rng.normal(size=(3, 8)), rng.normal(size=3)
    masks = np.array(list(product((0, 1), repeat=8)))
    probabilities = p ** (8 - masks.sum(axis=1)) * (1 - p) ** masks.sum(axis=1)
    outputs = log_softmax((masks * x) @ weights.T + bias, axis=1)
    geometric = softmax(probabilities @ outputs)
    scaled = softmax(weights @ ((1 - p) * x) + bias)
    yield near("scaled network against the geometric mean of 256 subnetworks", scaled, geometric, 1e-12)
    apart = np.abs(probabilities @ np.exp(outputs) - scaled).max()
    yield true("the arithmetic mean differs", bool(apart > 1e-6), f"largest difference {apart:.3g}")


DROPOUT_AVERAGES_SUBNETWORKS = Exact(
    id="dropout-many-subnets",
    statement="For a softmax layer, inputs scaled by 1 - p give exactly the normalized geometric mean of the outputs "
    "of all subnetworks that dropout draws from.",
    topic="regularization",
    evidence=geometric_mean_of_subnetworks,
    expected="holds",
    source="Baldi, Sadowski 2013, Understanding Dropout",
    note="Derivation: the logarithm of a softmax is linear in its logits up to a constant, so the mean of the "
    "logarithms has the mean logits. With hidden layers it is an approximation.",
)
